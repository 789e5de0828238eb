"""Stop a training run by a signal at a known step, so that no test depends on how fast the machine is."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

from tests.helpers.tiny import ROOT

# The script itself, but for its standard output: after the line that starts with the first argument it waits until
# standard input is closed.
PAUSING = """
import runpy, signal, sys

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell that runs tests in the background ignores some
    signal.signal(number, signal.SIG_DFL)
start, *sys.argv = sys.argv[1:]

class Pausing:
    def __init__(self, stream):
        self.stream, self.line = stream, ""

    def write(self, text):
        self.line += text
        self.stream.write(text)
        if text.endswith("\\n"):
            self.stream.flush()
            if self.line.startswith(start):
                sys.stdin.read()
            self.line = ""

    def __getattr__(self, name):
        return getattr(self.stream, name)

sys.stdout = Pausing(sys.stdout)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@contextlib.contextmanager
def paused_at(line: str, script: str, arguments: Sequence[object]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``script`` while it waits, having printed the line that starts with ``line``; and what it has printed."""
    command = [sys.executable, "-c", PAUSING, line, str(ROOT / script), *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        seen = []
        for printed in process.stdout:
            seen.append(printed)
            if printed.startswith(line):
                break
        yield process, "".join(seen)


def signalled_at(
    line: str, number: signal.Signals, script: str, arguments: Sequence[object]
) -> subprocess.CompletedProcess[str]:
    """Run ``script``; when it has printed the line that starts with ``line``, send it ``number`` before it goes on."""
    with paused_at(line, script, arguments) as (process, seen):
        process.send_signal(number)
        output, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, seen + output, errors)
