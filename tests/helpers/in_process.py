"""Run a stage script inside this process: the script is the same, but torch is loaded once for many runs."""

from __future__ import annotations

import contextlib
import io
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

from tests.helpers.tiny import ROOT


def run_here(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``script`` of the top level as ``python <script> <arguments>`` would; give its exit code and output."""
    command = [str(ROOT / script), *map(str, arguments)]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    output, errors = io.StringIO(), io.StringIO()
    code: object = 0
    try:
        with (
            mock.patch.object(sys, "argv", command),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as stop:
        code = stop.code
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert isinstance(code, int), code
    return subprocess.CompletedProcess(command, code, output.getvalue(), errors.getvalue())


def succeeded(result: subprocess.CompletedProcess[str]) -> str:
    """What a run that ended well printed."""
    assert result.returncode == 0, result.stderr
    return result.stdout


def train_here(folder: Path, dataset: Path, *settings: object) -> subprocess.CompletedProcess[str]:
    """Train in ``folder`` (checkpoints in ck/, history.json, final.pth) on ``dataset`` with ``settings``."""
    paths = ("--checkpoint-dir", folder / "ck", "--history", folder / "history.json", "--final", folder / "final.pth")
    return run_here("train_large_100k.py", "--dataset", dataset, *paths, *settings)
