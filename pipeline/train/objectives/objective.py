"""What the training loop asks of an objective; everything else about a run is the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn

from pipeline.files.columns import Columns

MicroBatch = TypeVar("MicroBatch")
Entry = dict[str, float | int | None]  # values of one record, by list


class Objective(Protocol[MicroBatch]):
    """One way to train a model: its batches, its loss, and what is recorded of it."""

    @property
    def name(self) -> str:
        """What its accuracy is called on the console."""
        ...

    @property
    def model(self) -> nn.Module:
        """The model, on its device."""
        ...

    @property
    def columns(self) -> Columns:
        """The roles of the lists that ``record`` fills."""
        ...

    @property
    def sums(self) -> Tensor:
        """Running sums since the last record, float64, on the device: its only state besides the model."""
        ...

    def micro_batches(self, step: int, count: int) -> list[MicroBatch]:
        """The batch of ``step`` (from 1) in ``count`` parts: a pure function of seed and step."""
        ...

    def loss(self, model: nn.Module, part: MicroBatch, step: Sequence[MicroBatch], processes: int) -> Tensor:
        """What ``part`` adds to the loss of the whole optimizer ``step``, times ``processes``; it is added to ``sums``.

        The loss is a mean over the whole step, so how the step is cut into parts changes nothing. DDP averages
        gradients over the processes, which share the step: hence the factor.
        """
        ...

    def tokens(self, part: MicroBatch) -> int:
        """Tokens that the model reads of ``part``, padding not counted."""
        ...

    def examples(self, step: int) -> str:
        """The examples in the batch of ``step``, for a message."""
        ...

    def record(self, step: int, held_out: bool) -> Entry:
        """The means since the last record (``sums`` start again) and, if asked for, the ``held_out`` scores."""
        ...

    def sizes(self) -> dict[str, Any]:
        """What builds the model again, for the checkpoint."""
        ...

    def checkpoint_facts(self) -> dict[str, Any]:
        """What a checkpoint says beside the sizes and the run: the name of the objective, and what its tokens are."""
        ...

    def samples(self, step: int) -> list[str]:
        """Text to show beside the held-out scores of ``step``, a line each; it leaves no trace in the run's numbers."""
        ...

    def held_out_targets(self) -> int:
        """Targets behind each held-out accuracy of a record."""
        ...
