"""Processes that know each other, as torchrun starts them; forked from one that has loaded torch, so in a moment."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["torch._dynamo", "pipeline.train.loop", "pipeline.train.objectives.masked_lm"])


def run_siblings(
    folder: Path,
    program: str,
    arguments: Sequence[Sequence[object]] = ((), ()),
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> list[subprocess.CompletedProcess[str]]:
    """Run ``program`` (Python) once for each list of ``arguments``, each as a process of one group.

    What they print is written into ``folder``. They must all have ended after ``timeout`` seconds.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    processes = []
    for rank, own in enumerate(arguments):
        variables = {**meeting, "WORLD_SIZE": str(len(arguments)), "RANK": str(rank), **(environment or {})}
        process = CONTEXT.Process(target=_be, args=(program, [*map(str, own)], variables, folder / f"rank_{rank}"))
        process.start()
        processes.append(process)
    for process in processes:
        process.join(timeout)
    hanging = [rank for rank, process in enumerate(processes) if process.is_alive()]
    for process in processes:
        process.kill()
        process.join()
    assert not hanging, hanging
    return [
        subprocess.CompletedProcess(
            list(map(str, own)),
            process.exitcode or 0,
            (folder / f"rank_{rank}.out").read_text(encoding="utf-8"),
            (folder / f"rank_{rank}.err").read_text(encoding="utf-8"),
        )
        for rank, (process, own) in enumerate(zip(processes, arguments, strict=True))
    ]


def _be(program: str, arguments: list[str], variables: dict[str, str], output: Path) -> None:
    """Become a Python that was started with ``program``, which prints into files."""
    for number, suffix in ((1, ".out"), (2, ".err")):
        handle = os.open(output.with_suffix(suffix), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)
    os.environ.update(variables)
    sys.argv = ["train", *arguments]
    torch.set_num_threads(1)
    exec(compile(program, "program", "exec"), {"__name__": "__main__"})
