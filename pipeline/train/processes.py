"""One process or many: the few things that the trainer must agree on with its siblings under ``torchrun``.

The effective batch does not depend on the number of processes: they share its micro-batches. Only the first one writes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Processes:
    """This process's place among ``count``; ``rank`` 0 is the one that writes. Use as a context manager."""

    def __init__(self, device_type: str) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device(device_type, local) if device_type == "cuda" else torch.device(device_type)
        if device_type == "cuda":
            torch.cuda.set_device(self.device)

    def __enter__(self) -> Processes:
        if self.count > 1:
            # gloo for what lies on the CPU (flags), NCCL for what lies on a GPU (gradients, sums)
            dist.init_process_group("cpu:gloo,cuda:nccl" if self.device.type == "cuda" else "gloo")
        return self

    def __exit__(self, *_: object) -> None:
        if self.count > 1:
            dist.destroy_process_group()

    def leave(self, status: int) -> int:
        """End this process with ``status`` where it is one of many; give ``status`` back where it is alone.

        DDP keeps gloo's threads running when their group is gone, and an interpreter that shuts down among them is
        aborted now and then. All files are closed by now, so that nothing is lost by not shutting it down.
        """
        if self.count > 1:
            dist.destroy_process_group()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        return status

    @property
    def first(self) -> bool:
        return self.rank == 0

    def micro_batches(self, accumulation: int) -> int:
        """Micro-batches of one optimizer step in all: at least ``accumulation``, and equally many for each process."""
        return -(-accumulation // self.count) * self.count

    def parallel(self, model: nn.Module) -> nn.Module:
        """``model``, averaging its gradients over the processes where there are several."""
        if self.count == 1:
            return model
        return nn.parallel.DistributedDataParallel(model)

    @contextmanager
    def synchronized(self, model: nn.Module, last: bool) -> Iterator[None]:
        """Around a micro-batch: gradients are exchanged after the ``last`` of a step, not after each."""
        if last or self.count == 1:
            yield
        else:
            with model.no_sync():  # type: ignore[operator]  # several processes: the model is a DDP one
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

    def wait(self) -> None:
        """Until all processes are here."""
        self.greatest(0)
