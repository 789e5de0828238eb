"""A trainer's stage from its command line to its finish, whatever the objective.

The script says what is read, what is trained and what is written at the end; how a run is planned, refused, locked,
resumed, trained and scored is here.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from pipeline.files import checkpoint
from pipeline.files.dataset import Dataset
from pipeline.files.final_scoring import FORMAT as SCORING_FORMAT
from pipeline.files.final_scoring import FinalScoring, SequenceScores, final_scoring_beside, write_final_scoring
from pipeline.files.history import History
from pipeline.files.run_record import RunObject
from pipeline.formatting import now
from pipeline.model.bert import Bert
from pipeline.model.device import chosen_device
from pipeline.model.gpt import Gpt
from pipeline.model.precision import Precision
from pipeline.train.branch import Trunk, begin_branch, read_trunk
from pipeline.train.describe import Plan
from pipeline.train.gradient_watch import GradientWatch
from pipeline.train.loop import train
from pipeline.train.memory import keep_freed_memory
from pipeline.train.objectives.objective import Objective
from pipeline.train.optimizer import Optimizer
from pipeline.train.processes import Processes
from pipeline.train.resuming import is_finished, record_machine, resume, start_over
from pipeline.train.run import Run, RunFiles
from pipeline.train.run_description import describe_run
from pipeline.train.settings import Chosen, Presets, chosen_settings, given_settings
from pipeline.train.threads import set_threads


@dataclass(frozen=True)
class Asked(Generic[Chosen]):
    """A run as it was asked for, in one of its processes."""

    arguments: argparse.Namespace
    settings: Chosen
    trunk: Trunk | None
    processes: Processes
    precision: Precision
    default_preset: str

    @property
    def files(self) -> RunFiles:
        """Where it is written."""
        given = self.arguments
        best = getattr(given, "best", None)
        return RunFiles(given.checkpoint_dir, given.history, given.final, given.keep, given.keep_states, best)

    def planned(self, path: Path, dataset: Dataset) -> RunObject:
        """The ``run`` object before anything is trained, on ``dataset`` from ``path``.

        Raises:
            InputError: some process would have nothing to do, or a branch cannot begin where it was told to.
        """
        self.processes.refuse_idle(self.settings.effective_batch)
        preset = self.trunk.history.run["preset"] if self.trunk else self.arguments.preset or self.default_preset
        planned = describe_run(preset, self.settings, path, dataset, self.precision)
        if self.trunk:
            planned["branch"] = self.trunk.facts()
            self.trunk.refuse_unless_shared(self.settings, self.files, planned)
        return planned

    def is_done(self, planned: RunObject) -> bool:
        """Whether the run is finished already, and may stay so; then it is said."""
        if not self.arguments.resume or not is_finished(self.files, planned):
            return False
        files = self.files
        self.say(f"already finished: {files.history} and {files.final}; --no-resume trains it again")
        return True

    def say(self, line: str) -> None:
        """Print ``line``, once for all processes."""
        if self.processes.first:
            print(line, flush=True)

    def take_files(self, held: contextlib.ExitStack) -> None:
        """Keep the run's files for itself until ``held`` is closed."""
        if self.processes.first:
            self.files.refuse_unwritable()
            held.enter_context(self.files.held())

    def start(
        self,
        model: Bert | Gpt,
        objective: Objective[Any],
        planned: RunObject,
        facts: RunObject,
        history: History,
    ) -> Run:
        """The run where it stands: at step 1, after its newest state, or at the end of its trunk.

        ``facts`` are those of the objective, ``history`` is an empty one with its lists.
        """
        half = self.precision.name == "fp16"  # its gradients overflow now and then; such a step is skipped
        history.run = {**planned, "processes": self.processes.count, **facts}
        run = Run(
            settings=self.settings,
            files=self.files,
            processes=self.processes,
            precision=self.precision,
            objective=objective,
            optimizer=Optimizer(model, self.settings, scaled=half),
            gradients=GradientWatch(self.processes.device, skips_overflow=half),
            history=history,
        )
        asked = self.arguments
        resumed = asked.resume and resume(run, change_settings=asked.change_settings)
        if not asked.resume and self.processes.first:
            start_over(run.files)
        if self.trunk and run.step == 0:
            begin_branch(run, self.trunk)
        run.history.run["keep_states"] = str(run.kept_states)
        set_threads(run, asked.threads)
        record_machine(run, resumed=resumed)
        return run


@dataclass(frozen=True)
class Begun:
    """A run that can go on; ``ready`` is called by the first process once all are, ``finish`` after the last step."""

    run: Run
    ready: Callable[[], None]
    finish: Callable[[], None]


def conduct(
    arguments: argparse.Namespace,
    presets: Presets[Chosen],
    describe: Callable[[Asked[Chosen]], Plan],
    begin: Callable[[Asked[Chosen], contextlib.ExitStack], Begun | None],
) -> int:
    """The whole stage; returns its exit code. ``begin`` gives None where the run is finished."""
    trunk = read_trunk(arguments.branch_from, presets.kind) if arguments.branch_from else None
    if trunk:
        settings = trunk.settings_with(given_settings(arguments, presets.kind))
        assert isinstance(settings, presets.kind)
    else:
        settings = chosen_settings(arguments, presets)
    keep_freed_memory()
    with Processes(chosen_device(arguments.device)) as processes:
        precision = Precision(arguments.precision, processes.device)
        asked = Asked(arguments, settings, trunk, processes, precision, presets.default)
        if arguments.describe:
            if processes.first:
                print(json.dumps(dataclasses.asdict(describe(asked)), indent=1))
            return processes.leave(0)
        return processes.leave(_train(asked, begin))


def _train(asked: Asked[Chosen], begin: Callable[[Asked[Chosen], contextlib.ExitStack], Begun | None]) -> int:
    arguments, processes = asked.arguments, asked.processes
    with contextlib.ExitStack() as held:
        with processes.together() as facts:
            begun = begin(asked, held)
            facts["finished"] = begun is None
            if begun is not None:
                facts.update(begun.run.shared_facts())
        if begun is None:
            return 0
        if processes.first:
            begun.ready()
        compiled = processes.device.type == "cuda" if arguments.compile is None else arguments.compile
        interrupted = train(begun.run, compiled=compiled, tensorboard=arguments.tensorboard)
        if interrupted:
            return interrupted
        if processes.first:
            begun.finish()
        return 0


def write_final(run: Run, means: dict[str, RunObject], hits: dict[str, SequenceScores]) -> None:
    """Write the final model, the hits question by question, and the history with the scores ``means``."""
    files, facts = run.files, run.history.run
    facts.update(means)
    facts["finished"] = now()
    checkpoint.save(files.final, run.weights())
    fingerprint = facts["dataset"]["fingerprint"]
    scoring = FinalScoring(SCORING_FORMAT, run.settings.seed, fingerprint, run.step, hits["validation"], hits["test"])
    write_final_scoring(final_scoring_beside(files.history), scoring)
    run.history.write(files.history)
