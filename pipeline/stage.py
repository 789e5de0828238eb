"""How every stage script starts and ends: one kind of error for bad input, one meaning for each exit code.

Exit codes: 0 done; 1 a check failed or a target asked for was not reached; 2 bad arguments or bad input, said in one
line on stderr; 3 the run itself failed; 130 interrupted, and the same command goes on from where it was.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

BAD_INPUT = 2
RUN_FAILED = 3
INTERRUPTED = 130


class InputError(Exception):
    """Bad input. The message is one line that says what is wrong, where, and what to do about it."""


class RunFailed(Exception):
    """The run itself failed, as by divergence. The message is one line that says where and what to do about it."""


def run_stage(main: Callable[[], int]) -> None:
    """Run a stage's ``main`` and leave the process with its exit code."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except InputError as error:
        code = _complain(str(error))
    except RunFailed as error:
        code = _complain(str(error), RUN_FAILED)
    except OSError as error:
        code = _complain(f"{error.filename or 'file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)


def _complain(message: str, code: int = BAD_INPUT) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


class StopSignal:
    """False until SIGINT or SIGTERM arrives, for loops that finish their step and save. A second one ends at once."""

    def __init__(self) -> None:
        self._arrived = False
        self._previous = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}

    def _note(self, _number: int, _frame: Any) -> None:
        self._arrived = True
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def __bool__(self) -> bool:
        return self._arrived
