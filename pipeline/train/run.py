"""A run in progress: what it trains, how far it has come, and how it is saved."""

from __future__ import annotations

import dataclasses
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import torch

from pipeline.files import atomic, checkpoint, lock
from pipeline.files.checkpoints.names import KeptStates
from pipeline.files.final_scoring import final_scoring_beside
from pipeline.files.history import History
from pipeline.model.precision import Precision
from pipeline.stage import RunFailed
from pipeline.train.gradient_watch import GradientWatch
from pipeline.train.objectives.objective import Objective
from pipeline.train.optimizer import Optimizer
from pipeline.train.processes import Processes
from pipeline.train.settings import RunSettings

WRITE_EVERY, WRITE_SHARE = 5.0, 0.01  # seconds between two writes of the history, and at most its share of the time


@dataclass(frozen=True)
class RunFiles:
    """Where a run is written.

    ``keep`` is how many weight checkpoints stay, 0 for all, ``keep_states`` which states, and ``best`` where the
    weights of the lowest held-out loss are kept, if they are.
    """

    checkpoint_dir: Path
    history: Path
    final: Path
    keep: int = 0
    keep_states: KeptStates = field(default_factory=KeptStates)
    best: Path | None = None

    def refuse_unwritable(self) -> None:
        """Raise an InputError where a file could not be written, before hours are spent on what goes into it."""
        vocabularies = (self.checkpoint_dir / "vocab.txt", self.final.with_name("vocab.txt"))
        models = (self.final, *([self.best] if self.best else []))
        for path in (self.history, final_scoring_beside(self.history), *models, *vocabularies):
            atomic.refuse_unwritable(path)

    def held(self) -> AbstractContextManager[None]:
        """Keep other trainers away from them meanwhile."""
        return lock.hold(folders=[self.checkpoint_dir], files=[self.history, self.final])


@dataclass
class Run:
    """What one run trains, with what, and how far it has come."""

    settings: RunSettings
    files: RunFiles
    processes: Processes
    precision: Precision
    objective: Objective[Any]
    optimizer: Optimizer
    gradients: GradientWatch
    history: History
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    taken_up: tuple[int, float] = (0, 0.0)  # steps and seconds that earlier processes, or the trunk, had done
    _next_write: float = field(default=-inf, init=False)  # when the history is written again

    @property
    def device(self) -> torch.device:
        return self.processes.device

    @property
    def last_step(self) -> int:
        """Where the run ends: the last step of the schedule, or the one at which ``--early-stop`` ended it."""
        return self.history.run["stopped_early"] or self.settings.steps

    @property
    def kept_states(self) -> KeptStates:
        """The states asked for, and where the rate of a wsd run begins to fall: the last place to branch from."""
        rates = self.settings.rates
        return self.files.keep_states.and_of(rates.constant_until if rates.shape == "wsd" else None)

    def shared_facts(self) -> dict[str, object]:
        """What must be the same in all processes before the next step."""
        fingerprint = self.history.run["dataset"]["fingerprint"]
        return {"step": self.step, "dataset": fingerprint, **dataclasses.asdict(self.settings)}

    def weights(self) -> dict[str, Any]:
        """The model, the sizes to build it with, and which run it is of."""
        recorded = self.history.run
        return {
            "step": self.step,
            "shape": self.objective.sizes(),
            "seed": self.settings.seed,
            "dataset": recorded["dataset"]["fingerprint"],
            "vocabulary": recorded["dataset"]["vocab_sha256"],
            "config": dataclasses.asdict(self.settings),
            "device": recorded["device"],
            "precision": recorded["precision"],
            "branch": recorded.get("branch"),
            **self.objective.checkpoint_facts(),
            "model": self.objective.model.state_dict(),
        }

    def write_history(self, *, at_once: bool) -> None:
        """Write the history, once it has a record: every few seconds, however many there are, or ``at_once``.

        A file of thousands of records takes longer to write than a quick step to compute, so the pause grows with the
        time that it took.
        """
        began = time.monotonic()
        if len(self.history) and (at_once or began >= self._next_write):
            self.history.write(self.files.history)
            ended = time.monotonic()
            self._next_write = ended + max(WRITE_EVERY, (ended - began) / WRITE_SHARE)

    def full_state(self) -> dict[str, Any]:
        """Everything the next steps depend on. Batches and dropout depend on (seed, step) alone and need no state."""
        return {
            **self.weights(),
            "optimizer": self.optimizer.state_dict(),
            "sums": self.objective.sums,
            "gradients": self.gradients.state,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "history": self.history.to_json(),
            "history_path": str(self.files.history),
        }


def save(run: Run) -> None:
    """Write the weights where a checkpoint is due, and the full state."""
    refuse_divergence(run)
    run.processes.collect(run.objective.sums)
    if not run.processes.first:
        return
    run.write_history(at_once=True)
    folder = run.files.checkpoint_dir
    if run.step % run.settings.save_interval == 0:
        save_weights(run)
        if run.files.keep:
            checkpoint.rotate(folder, run.files.keep, run.step, spared=run.settings.early_steps)
    checkpoint.save_state(folder, run.full_state(), run.kept_states)


def save_weights(run: Run) -> None:
    """Write the weights alone, as early in a run, where a full state each time would be wasted."""
    refuse_divergence(run)
    if run.processes.first:
        checkpoint.save(run.files.checkpoint_dir / f"step_{run.step}.pth", run.weights())


def save_best(run: Run) -> None:
    """Write the weights as the best ones where the newest held-out loss is the lowest of the run."""
    best, losses = run.files.best, run.history.records[run.history.columns.loss.held_out or ""]
    if best and losses[-1] <= min(loss for loss in losses if loss is not None):
        checkpoint.save(best, run.weights())


def refuse_divergence(run: Run) -> None:
    """Stop at a loss or gradient that is not finite, before anything of it is written.

    Raises:
        RunFailed: there was one since the last call.
    """
    step = run.gradients.first_bad_step()
    if step:
        if run.processes.first:
            run.write_history(at_once=True)
        good = checkpoint.newest_state(run.files.checkpoint_dir)
        raise RunFailed(
            f"loss or gradient is not finite at step {step} (examples {run.objective.examples(step)}); "
            f"{f'the last good checkpoint is {good}' if good else 'no checkpoint was written before it'}; "
            "go on from there with --change-settings and a lower --lr, a lower --clip or a longer --warmup"
        )
