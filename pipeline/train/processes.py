"""One process or many: the few things that the trainer must agree on with its siblings under ``torchrun``.

The effective batch does not depend on the number of processes: they share its micro-batches. Only the first one writes.
An error in one process ends all of them, and what can differ between machines is compared before the first step: a
process that waits for a sibling which has ended, or is about to do something else, would wait for ever.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pipeline.stage import BAD_INPUT, RUN_FAILED, InputError, RunFailed, complaint, exit_code, pass_over_signals

# The longest that one process waits for another: the first one may have to write a large checkpoint to a slow disk.
PATIENCE = timedelta(minutes=30)


@dataclass
class _Report:
    """What one process tells the others before the first step; a complaint is a message and its exit code."""

    host: str = field(default_factory=platform.node)
    facts: dict[str, object] = field(default_factory=dict)
    complaint: tuple[str, int] | None = None


class _Agreed(Exception):
    """All end with ``code``, and the first process says why."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Processes:
    """This process's place among ``count``; ``rank`` 0 is the one that writes. Use as a context manager.

    Raises:
        InputError: the environment variables that ``torchrun`` sets do not fit together, or a sibling is not there.
    """

    def __init__(self, device_type: str) -> None:
        self.count = _whole("WORLD_SIZE", 1, least=1)
        self.rank = _whole("RANK", 0)
        if self.rank >= self.count:
            raise InputError(
                f"RANK is {self.rank} but WORLD_SIZE is {self.count}; ranks count from 0, and torchrun sets both"
            )
        missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if not os.environ.get(name)]
        if self.count > 1 and missing:
            raise InputError(
                f"WORLD_SIZE is {self.count} but {' and '.join(missing)} not set; start several processes by torchrun, "
                "which sets them, or unset WORLD_SIZE"
            )
        self.device = torch.device(device_type)
        if self.count > 1 and device_type == "mps":
            raise InputError(f"{self.count} processes cannot share Apple's GPU; start one alone, or give --device cpu")
        if device_type == "cuda":
            local = _whole("LOCAL_RANK", 0)
            if local >= torch.cuda.device_count():
                raise InputError(
                    f"LOCAL_RANK is {local} but this machine has {torch.cuda.device_count()} GPUs; "
                    "start at most one process for each"
                )
            self.device = torch.device(device_type, local)
            torch.cuda.set_device(self.device)

    def __enter__(self) -> Processes:
        if self.count > 1:
            where = f"{os.environ['MASTER_ADDR']}:{_whole('MASTER_PORT', 0, 1, 65535)}"
            # gloo for what lies on the CPU (flags), NCCL for what lies on a GPU (gradients, sums)
            backend = "cpu:gloo,cuda:nccl" if self.device.type == "cuda" else "gloo"
            try:
                dist.init_process_group(backend, timeout=PATIENCE)
            except dist.DistError as error:
                raise InputError(
                    f"process {self.rank} of {self.count} does not reach the others at {where} ({_reason(error)})"
                ) from None
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self.count > 1 and error is not None:
            self._end_by(error)

    def leave(self, status: int) -> int:
        """End this process with ``status`` where it is one of many; give ``status`` back where it is alone.

        DDP keeps gloo's threads running when their group is gone, and an interpreter that shuts down among them is
        aborted now and then. All files are closed by now, so that nothing is lost by not shutting it down.
        """
        if self.count > 1:
            dist.destroy_process_group()
            _end(status)
        return status

    def _end_by(self, error: BaseException) -> None:
        """End this one of many processes at once, so that the others, who wait for it, see that it is gone."""
        pass_over_signals()  # torchrun ends all as soon as one has ended, and this one may have something to say
        if not self.first and isinstance(error, _Agreed | RunFailed):  # runs fail everywhere at once: by the gradient
            with contextlib.suppress(RuntimeError):  # until the first has said why, and is gone
                dist.recv(torch.zeros(1), src=0)
            _end(error.code if isinstance(error, _Agreed) else RUN_FAILED)
        if isinstance(error, RuntimeError) and _is_from_a_backend(error):
            error = self._lost(error)
        code = exit_code(error)
        if code is None:
            traceback.print_exception(error)
            code = 1
        _end(code)

    @property
    def first(self) -> bool:
        return self.rank == 0

    @contextlib.contextmanager
    def together(self) -> Iterator[dict[str, object]]:
        """Around all that each process does for itself before the first step.

        An error in one ends all; so does a difference in the facts (name and value) that each puts into the given dict.
        The first process says what it is. Nobody gets any further before all have come this far.

        Raises:
            InputError: there was one in another process, or a difference.
        """
        mine = _Report()
        if self.count == 1:
            yield mine.facts
            return
        failed: Exception | None = None
        try:
            yield mine.facts
        except Exception as error:
            mine.complaint, failed = complaint(error), error
            if mine.complaint is None:
                raise
        reports: list[Any] = [None] * self.count
        try:
            dist.all_gather_object(reports, mine)
        except RuntimeError as error:  # another is gone already
            raise failed or self._lost(error) from None
        found = _first_complaint(reports) or _first_difference(reports)
        if found is None:
            return
        message, code = found
        if not self.first:
            raise _Agreed(code)
        raise failed or (RunFailed(message) if code == RUN_FAILED else InputError(message))

    def _lost(self, error: RuntimeError) -> RunFailed:
        return RunFailed(
            f"process {self.rank} on {platform.node()} has lost the others ({_reason(error)}): see what another one "
            "says; the same command goes on from the newest checkpoint"
        )

    def refuse_idle(self, sequences: int) -> None:
        """Raise an InputError where there are more processes than ``sequences`` in an optimizer step."""
        if self.count > sequences:
            raise InputError(
                f"{self.count} processes share the {sequences} sequences of a step (--batch-size x --accumulation), "
                "so some would have none; start fewer, or take larger steps"
            )

    def micro_batches(self, accumulation: int) -> int:
        """Micro-batches of one optimizer step in all: at least ``accumulation``, and equally many for each process."""
        return -(-accumulation // self.count) * self.count

    def parallel(self, model: nn.Module) -> nn.Module:
        """``model``, averaging its gradients over the processes where there are several."""
        if self.count == 1:
            return model
        return nn.parallel.DistributedDataParallel(model)

    @contextlib.contextmanager
    def synchronized(self, model: nn.Module, last: bool) -> Iterator[None]:
        """Around a micro-batch: gradients are exchanged after the ``last`` of a step, not after each."""
        if last or not isinstance(model, nn.parallel.DistributedDataParallel):
            yield
        else:
            with model.no_sync():
                yield

    def collect(self, sums: Tensor) -> None:
        """Make ``sums`` the total over all processes, held by the first; the others start again at zero."""
        if self.count > 1:
            dist.all_reduce(sums)
            if not self.first:
                sums.zero_()

    def greatest(self, number: int) -> int:
        """The greatest ``number`` of any process."""
        if self.count == 1:
            return int(number)
        told = torch.tensor(int(number))
        dist.all_reduce(told, op=dist.ReduceOp.MAX)
        return int(told)


def _whole(name: str, default: int, least: int = 0, most: int | None = None) -> int:
    """The environment variable ``name`` as a whole number; ``default`` where it is not set."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        wanted = f"from {least} to {most}" if most is not None else f"from {least}"
        raise InputError(f"{name} must be a whole number {wanted}, not {text!r}; torchrun sets it")
    return int(text)


def _first_complaint(reports: list[_Report]) -> tuple[str, int] | None:
    for rank, report in enumerate(reports):
        if report.complaint is not None:
            message, code = report.complaint
            return f"process {rank} on {report.host}: {message}", code
    return None


def _first_difference(reports: list[_Report]) -> tuple[str, int] | None:
    """What another process has otherwise than the first, as a message and its exit code."""
    first = reports[0]
    for rank, other in enumerate(reports):
        names = [name for name in {**first.facts, **other.facts} if first.facts.get(name) != other.facts.get(name)]
        if names:
            differences = "; ".join(f"{name}: {first.facts.get(name)} and {other.facts.get(name)}" for name in names)
            return (
                f"process 0 on {first.host} and process {rank} on {other.host} differ ({differences}); give all the "
                "same command and dataset, and a --checkpoint-dir that they share or that holds the same files",
                BAD_INPUT,
            )
    return None


def _is_from_a_backend(error: RuntimeError) -> bool:
    """torch raises a plain RuntimeError where a sibling is gone; only its text says where it comes from."""
    return isinstance(error, dist.DistError) or re.search(r"\b(gloo|NCCL)\b", str(error)) is not None


def _reason(error: RuntimeError) -> str:
    """What torch says, without the place in its source and the advice."""
    return re.sub(r"^\[\S*\] ", "", str(error).partition("\n")[0]).partition(". ")[0]


def _end(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
