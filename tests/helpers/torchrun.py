"""The training script under torchrun, as two processes on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.helpers.tiny import TINY_SETTINGS, training_paths


def torchrun_command(folder: Path, *more: object) -> list[str]:
    """Train in ``folder``, the dataset beside it."""
    return list(map(str, [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "train_large_100k.py",
        "--dataset", folder.parent / "dataset.json", *training_paths(folder), *TINY_SETTINGS, *more,
    ]))  # fmt: skip


def processes_of(folder: Path) -> list[int]:
    """Launcher and workers that were given a path in ``folder``; workers have sessions of their own."""
    listed = [path for path in Path("/proc").iterdir() if path.name.isdigit() and int(path.name) != os.getpid()]
    return [int(path.name) for path in listed if str(folder).encode() in (path / "cmdline").read_bytes()]
