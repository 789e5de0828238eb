"""A branch: a run that begins with the first steps of another one, its trunk.

Where the learning rate of a run does not depend on how long the run will be (``constant_until`` of its schedule), its
first steps are those of a run of any length. So one trunk at a constant rate and a short decay from each of its kept
states give the runs of many budgets (Hu et al. 2024; Hägele et al. 2024), and a longer run may begin where a shorter
one has kept a state. A branch takes over weights, optimizer, sums and records; batches and dropout are functions of
seed and step, so that it trains on what the trunk would have trained on. It writes into files of its own.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import checkpoint
from pipeline.files.history import History
from pipeline.files.run_record import Resume, note_resume, recorded_changes, run_differences, shown
from pipeline.formatting import now
from pipeline.stage import InputError
from pipeline.statistics.schedule import parse_schedule
from pipeline.train.resuming import history_in, take_up
from pipeline.train.run import Run, RunFiles
from pipeline.train.settings import RunSettings, recorded_settings

FREE = ("steps", "schedule", "save_interval", "early_stop")  # settings in which a branch may differ from its trunk


@dataclass(frozen=True)
class Trunk:
    """The state that a branch begins from; its weights stay in the file until they are taken up."""

    path: Path
    step: int
    history: History  # the trunk's, up to ``step``
    history_path: str
    settings: RunSettings

    def settings_with(self, given: dict[str, Any]) -> RunSettings:
        """The settings of a branch: the trunk's, but for the ``given`` ones; ``steps`` must be among them.

        A branch that is given no schedule decays over all the steps that it has before it.

        Raises:
            InputError: there are no such steps, or a setting cannot be trained.
        """
        steps = given["steps"]
        if steps <= self.step:
            raise InputError(f"--steps {steps} must be more than the {self.step} that {self.path} has behind it")
        settings = dataclasses.replace(self.settings, **{"schedule": decay_from(self.step, steps), **given})
        settings.check()
        return settings

    def facts(self) -> dict[str, Any]:
        """What the ``run`` object of a branch says of its trunk."""
        return {"history": self.history_path, "step": self.step, "sha256": checkpoint.recorded_digest(self.path)}

    def refuse_unless_shared(self, settings: RunSettings, files: RunFiles, planned: dict[str, Any]) -> None:
        """Raise an InputError where the run of ``settings`` cannot share the trunk's steps, or has the trunk's files.

        ``planned`` is the ``run`` object of that run.
        """
        different = run_differences(self.history.run, planned, passing_over=(*FREE, "branch"))
        if different:
            free = ", ".join(f"--{name.replace('_', '-')}" for name in FREE)
            raise InputError(
                f"{self.path}: its run differs from this one ({shown(different)}); a branch may change {free} only"
            )
        for whose, config in (("the run of that state", self.settings), ("this run", settings)):
            until = config.rates.constant_until
            if until is not None and self.step > until:
                raise InputError(
                    f"{self.path}: the rates of {whose} (--schedule {config.schedule}, --steps {config.steps}) depend "
                    f"on its length from step {until} on: no run of another length has the same step {self.step}; "
                    "branch from a state of a constant rate: --schedule constant, or wsd:SHARE before its decay"
                )
        same_folder = files.checkpoint_dir.resolve() == self.path.parent.resolve()
        if same_folder or files.history.resolve() == Path(self.history_path).resolve():
            option = f"--checkpoint-dir {files.checkpoint_dir}" if same_folder else f"--history {files.history}"
            raise InputError(f"{option} is the trunk's; give a branch its own --checkpoint-dir, --history and --final")


def read_trunk(path: Path, kind: type[RunSettings]) -> Trunk:
    """The full state in ``path``, and the settings of its run, which are of ``kind``.

    Raises:
        InputError: it is missing, damaged, of another objective, or holds weights alone.
    """
    state = checkpoint.load_state(path)
    history = history_in(state, path)
    return Trunk(path, state["step"], history, state["history_path"], recorded_settings(history, kind))


def begin_branch(run: Run, trunk: Trunk) -> None:
    """Let ``run``, which has not begun, go on from the state of ``trunk``; the trunk's records come before its own."""
    take_up(run, checkpoint.load_state(trunk.path), trunk.path)
    run.history = dataclasses.replace(trunk.history, run=run.history.run)
    if changes := recorded_changes(trunk.history.run):
        run.history.run["changes"] = changes
    note_resume(run.history.run, Resume(run.step, now()))
    if run.processes.first:
        run.history.write(run.files.history)
        print(f"branching from step {run.step} of {trunk.history_path}", flush=True)


def decay_from(step: int, steps: int) -> str:
    """The schedule, in the fewest digits, that decays from ``step`` to the last of ``steps``."""
    notations = (f"wsd:{(steps - step) / steps:.{digits}g}" for digits in range(1, 18))
    return next(each for each in notations if parse_schedule(each, steps=steps).constant_until == step)
