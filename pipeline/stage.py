"""How every stage script starts and ends: one kind of error for bad input, one meaning for each exit code.

Exit codes: 0 done; 1 a check failed or a target asked for was not reached; 2 bad arguments or bad input, said in one
line on stderr; 3 the run itself failed; 130 interrupted by Ctrl-C and 143 ended by the system (SIGTERM, SIGHUP), and
the same command goes on from where it was.

A stage does its work whether or not anybody reads what it prints: where stdout or stderr is closed, or its reader goes
away in mid run, what it would have printed is dropped.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

BAD_INPUT = 2
RUN_FAILED = 3
INTERRUPTED = 130
# SIGHUP (a terminal or connection that was closed) has the code of SIGTERM, so that whoever starts a stage has one code
# for "the system ended it". Windows has no SIGHUP.
_CODES = {"SIGINT": INTERRUPTED, "SIGTERM": 143, "SIGHUP": 143}


class InputError(Exception):
    """Bad input. The message is one line that says what is wrong, where, and what to do about it."""


class RunFailed(Exception):
    """The run itself failed, as by divergence. The message is one line that says where and what to do about it."""


class Interrupted(KeyboardInterrupt):
    """A signal asked this process to end; ``code`` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


def run_stage(main: Callable[[], int], *, outlives_reader: bool = True) -> None:
    """Run a stage's ``main`` and leave the process with its exit code.

    A stage that only shows something, and so has nothing to do once nobody looks, does not ``outlives_reader``: it ends
    quietly when the reader of its stdout, such as `head`, goes away.
    """
    _keep_streams(outlives_reader)
    _end_at_signals()
    try:
        code = main()
        sys.stdout.flush()
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and not outlives_reader:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        foreseen = exit_code(error)
        if foreseen is None:
            raise
        code = foreseen
    sys.exit(code)


def complaint(error: BaseException) -> tuple[str, int] | None:
    """The line that says what went wrong, and the exit code of a stage; None for an error that was not foreseen."""
    if isinstance(error, InputError):
        return " ".join(str(error).split()), BAD_INPUT
    if isinstance(error, RunFailed):
        return " ".join(str(error).split()), RUN_FAILED
    if isinstance(error, OSError):
        return f"{error.filename or 'file'}: {error.strerror or error}", BAD_INPUT
    return None


def exit_code(error: BaseException) -> int | None:
    """Say on stderr, in one line, why the stage ends; give its exit code, None for an error that was not foreseen."""
    if isinstance(error, KeyboardInterrupt):
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return error.code if isinstance(error, Interrupted) else INTERRUPTED
    found = complaint(error)
    if found is None:
        return None
    message, code = found
    print(f"error: {message}", file=sys.stderr)
    return code


class StopSignal:
    """The signals that ask a long loop to end: Ctrl-C (SIGINT), SIGTERM, SIGHUP. Use as a context manager.

    As elsewhere in a stage they end it at once, until ``hold``; from then on they are noted, so that the loop can
    finish its step and save. ``code`` is the exit code that is asked for, 0 as long as none has arrived. SIGTERM and
    SIGHUP may come again (Slurm and torchrun both send them), which changes nothing; a second Ctrl-C ends at once.
    """

    def __init__(self) -> None:
        self.code = 0
        self._interrupted = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.code:
            pass_over_signals()
        else:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def hold(self) -> None:
        """From here on there is something to save."""
        if not self._before:
            self._before = {number: signal.signal(number, self._note) for number in _heeded()}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._interrupted:
            _end_at_once(number, frame)
        self._interrupted |= number == signal.SIGINT
        self.code = self.code or _heeded()[number]


def _heeded() -> dict[int, int]:
    """Exit codes by signal. Those that whoever started the stage has it ignore (nohup: SIGHUP) stay ignored."""
    numbers = {getattr(signal, name): code for name, code in _CODES.items() if hasattr(signal, name)}
    return {number: code for number, code in numbers.items() if signal.getsignal(number) != signal.SIG_IGN}


def _end_at_signals() -> None:
    for number in _heeded():
        signal.signal(number, _end_at_once)


def _end_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    """Files being written are cleaned up on the way out; only another Ctrl-C cuts that short."""
    code = _heeded()[number]
    pass_over_signals()
    raise Interrupted(code)


def pass_over_signals() -> None:
    """From here on this process is about to end anyway; only Ctrl-C still cuts that short."""
    for number in _heeded():
        signal.signal(number, signal.SIG_DFL if number == signal.SIGINT else signal.SIG_IGN)


class _Outliving(io.FileIO):
    """A standard stream that drops what it cannot write: the reader is gone, the terminal closed, the disk full."""

    def write(self, data: Any) -> int:
        try:
            written = super().write(data)
        except OSError:
            written = None
        return len(data) if written is None else written


def _keep_streams(outlives_reader: bool) -> None:
    """Make printing safe: no stream is missing, and none fails for its reader or for a character it lacks."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us; no file of ours may take its number
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  it stays open as long as we live
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # where Chinese cannot be written question marks are
    if outlives_reader:
        sys.stdout = _outliving(sys.stdout)
    sys.stderr = _outliving(sys.stderr)


def _outliving(stream: Any) -> Any:
    """``stream`` on an ``_Outliving`` file; as it is where it is not an ordinary file, pipe or terminal."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    if type(stream) is not io.TextIOWrapper or type(raw) is not io.FileIO:
        return stream
    with contextlib.suppress(OSError):
        stream.flush()
    kept = _Outliving(raw.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        kept if raw is buffer else io.BufferedWriter(kept),  # python -u has no buffer
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
