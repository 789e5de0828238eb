"""How many CPU threads a run computes with, and whether other programs take them away.

The digits of a run depend on the number of threads, since sums are split among them. So the number is never chosen
without being asked for, and one that was found by trial is recorded and kept when the run goes on.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from pipeline.model import dropout
from pipeline.train.run import Run
from pipeline.train.settings import dropout_seed

AUTO = 0
ROUNDS = 5  # of one micro-batch for each number of threads, the first of which only warms up
BUSY = 0.2  # share of the time that a quiet machine's threads never wait; two threads beside one program wait a third
_TASKS = Path("/proc/self/task")


def number_of_threads(text: str) -> int:
    """The option ``--threads``: a number, or ``AUTO`` for ``auto``."""
    if text == "auto":
        return AUTO
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number from 1 on nor auto")
    return int(text)


def set_threads(run: Run, wish: int | None) -> None:
    """Compute with as many threads as wished; ``AUTO`` tries, or takes what a trial found when the run began."""
    if wish is None:
        return
    facts = run.history.run
    found = facts.get("threads_tried")
    if wish == AUTO and found:
        wish = facts["threads"]
    elif wish == AUTO:
        found = {str(count): seconds for count, seconds in trial(run).items()}
        wish = int(min(found, key=lambda count: found[count]))
        facts["threads_tried"] = found
        if run.processes.first:
            tried = ", ".join(f"{count}: {1000 * seconds:.0f} ms" for count, seconds in found.items())
            print(f"threads: {wish} (a micro-batch took with {tried})", flush=True)
    torch.set_num_threads(wish)


def trial(run: Run) -> dict[int, float]:
    """Seconds of one micro-batch, forward and backward, by number of threads. The run is left as it was."""
    objective, settings = run.objective, run.settings
    sums, before = objective.sums.clone(), torch.get_num_threads()
    parts = objective.micro_batches(run.step + 1, run.processes.micro_batches(settings.accumulation))

    def compute() -> None:
        dropout.seed(dropout_seed(settings.seed, run.step + 1, 0))
        torch.autograd.backward(objective.loss(objective.model, parts[0], parts, 1))

    objective.model.train()
    seconds = timed(compute, candidates())
    objective.model.zero_grad(set_to_none=True)
    objective.sums.copy_(sums)
    torch.set_num_threads(before)
    return seconds


def candidates() -> list[int]:
    """1, 2, 4, ... up to the cores that this process may use, and that number itself."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return sorted({cores, *(2**power for power in range(cores.bit_length()) if 2**power <= cores)})


def timed(compute: Callable[[], None], counts: list[int]) -> dict[int, float]:
    """The median seconds of ``compute`` with each number of threads, taken in turns."""
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(ROUNDS):
        for count in counts:
            torch.set_num_threads(count)
            began = time.perf_counter()
            compute()
            seconds[count].append(time.perf_counter() - began)
    return {count: statistics.median(taken[1:]) for count, taken in seconds.items()}


class BusyMachine:
    """Notices that other programs take CPU time from this one's threads, by Linux's count of time spent waiting.

    OpenMP's threads wait for each other after every operation, so where one is put aside all stand still: beside one
    other busy program on two cores, two threads can be many times slower than one.
    """

    def __init__(self, tasks: Path = _TASKS) -> None:
        self._tasks = tasks
        self._before = self._times()
        self._said = False

    def advice(self) -> str | None:
        """One line, the first time that the threads waited for more than ``BUSY`` of the time since the last call."""
        now = self._times()
        ran, waited = (new - old for new, old in zip(now, self._before, strict=True))
        self._before = now
        if self._said or torch.get_num_threads() == 1 or waited <= BUSY * (ran + waited):
            return None
        self._said = True
        return (
            f"other programs are busy: this run's threads waited {waited / (ran + waited):.0%} of the time for a core; "
            "one thread may be several times faster (stop, and give the same command with --threads 1)"
        )

    def _times(self) -> tuple[int, int]:
        """Nanoseconds that all threads ran, and waited for a core; 0 where the system does not say."""
        ran = waited = 0
        for task in self._tasks.glob("*/schedstat"):
            try:
                fields = task.read_text(encoding="ascii").split()
                ran, waited = ran + int(fields[0]), waited + int(fields[1])
            except (OSError, IndexError, ValueError):  # a thread that has just ended
                continue
        return ran, waited
