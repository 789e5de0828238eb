"""Every setting of a training run, with its reason, and the named presets."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from pipeline.files.checkpoints.names import EARLY_STEPS
from pipeline.files.history import History
from pipeline.files.run_record import MASKED_LM, OBJECTIVES, objective_of, recorded_config, refuse_other_objective
from pipeline.model.bert import Shape
from pipeline.model.dropout import MOST_DROPPED
from pipeline.stage import InputError
from pipeline.statistics.early_stop import SMALLEST_WINDOW
from pipeline.statistics.schedule import NOTATION, Schedule, parse_schedule


def setting(
    default: Any,
    group: str,
    wanted: str | None,
    why: str,
    choices: tuple[str, ...] | None = None,
    kind: type | None = None,
) -> Any:
    """A field of ``Settings``: its default, the group it is listed under, what it is and why it is so.

    ``wanted`` says what the command line asks for, None where it lists the ``choices``; ``kind`` is the type of its
    values, that of ``default`` where it is None.
    """
    about = {"group": group, "wanted": wanted, "help": why, "choices": choices, "kind": kind or type(default)}
    return dataclasses.field(default=default, metadata=about)


@dataclass(frozen=True)
class RunSettings:
    """What every training run has, whatever its objective. The defaults are those of the published run."""

    objective: ClassVar[str]

    layers: int = setting(12, "model", "COUNT", "encoder layers")
    hidden: int = setting(512, "model", "WIDTH", "width of the residual stream")
    heads: int = setting(8, "model", "COUNT", "attention heads; must divide the width")
    ffn: int = setting(2048, "model", "WIDTH", "width of the feed-forward layer")
    max_positions: int = setting(512, "model", "TOKENS", "learned positions; may exceed the length trained on")
    dropout: float = setting(0.1, "model", "SHARE", "dropout on embeddings, sublayer outputs and pooler")
    attention_dropout: float = setting(0.1, "model", "SHARE", "dropout on attention weights")
    init_std: float = setting(
        0.02, "model", "NUMBER", "standard deviation of the initial weights; narrow models start faster with more"
    )

    length: int = setting(128, "data", "TOKENS", "longest sequence in tokens, [CLS] and [SEP] included")
    held_out: float = setting(0.02, "data", "SHARE", "share of the articles for validation, and again for test")

    steps: int = setting(
        100_000, "optimization", "STEPS", "optimizer steps of the whole run; the schedule ends with them"
    )
    batch_size: int = setting(32, "optimization", "COUNT", "sequences in memory at once")
    accumulation: int = setting(4, "optimization", "COUNT", "micro-batches to one optimizer step")
    optimizer: str = setting(
        "adamw", "optimization", None, "adamw, or muon for the encoder's matrices", ("adamw", "muon")
    )
    lr: float = setting(5e-5, "optimization", "RATE", "peak learning rate")
    schedule: str = setting("cosine", "optimization", "NAME", f"how the rate goes on after the warm-up: {NOTATION}")
    warmup: int = setting(2000, "optimization", "STEPS", "steps of linear warm-up to the peak")
    beta1: float = setting(0.9, "optimization", "SHARE", "AdamW's first moment")
    beta2: float = setting(0.999, "optimization", "SHARE", "AdamW's second moment; lower forgets faster")
    weight_decay: float = setting(0.01, "optimization", "NUMBER", "decoupled decay, on matrices and embeddings only")
    clip: float = setting(1.0, "optimization", "NORM", "largest norm of the gradient")
    seed: int = setting(42, "optimization", "NUMBER", "everything random comes from it and the step number")
    data_seed: int | None = setting(
        None, "optimization", "NUMBER", "of the order of the examples, their pairs and masks; None: the seed", kind=int
    )

    log_interval: int = setting(100, "records", "STEPS", "steps from one record of the history to the next")
    eval_every: int = setting(1, "records", "RECORDS", "records from one held-out scoring to the next; null between")
    eval_targets: int = setting(
        2000, "records", "COUNT", "masked characters scored at least; the same ones in every run on the dataset"
    )
    save_interval: int = setting(2000, "records", "STEPS", "steps from one checkpoint to the next")
    early_checkpoints: bool = setting(
        False,
        "records",
        None,
        f"weights also at steps {', '.join(map(str, EARLY_STEPS[:5]))}, ... 512, 1000, as in Pythia",
    )
    early_stop: int = setting(
        0,
        "records",
        "RECORDS",
        "end the run when held-out accuracy gained too little over so many records, but not while the learning rate "
        "has still to fall; 0: never",
    )

    @property
    def effective_batch(self) -> int:
        """Sequences to one optimizer step."""
        return self.batch_size * self.accumulation

    @property
    def batches_seed(self) -> int:
        """What the training batches are drawn from; initial weights and dropout come from ``seed``."""
        return self.seed if self.data_seed is None else self.data_seed

    @property
    def rates(self) -> Schedule:
        """The learning rate of each step."""
        return parse_schedule(self.schedule, steps=self.steps, peak=self.lr, warmup=self.warmup)

    @property
    def early_steps(self) -> tuple[int, ...]:
        """The steps whose weights are kept beside the grid of ``save_interval``."""
        return EARLY_STEPS if self.early_checkpoints else ()

    def warnings(self) -> list[str]:
        """What can be trained, but hardly as it was meant."""
        if self.warmup < self.steps:
            return []
        return [f"--warmup {self.warmup} does not end before step {self.steps}, the last: the rate rises to the end"]

    def check(self) -> None:
        """Raise an InputError for values that cannot be trained."""
        for name in ("layers", "hidden", "heads", "ffn", "steps", "batch_size", "accumulation", "log_interval",
                     "eval_every", "eval_targets", "save_interval"):  # fmt: skip
            _demand(getattr(self, name) >= 1, name, self, "must be at least 1")
        for name in ("warmup", "seed", "data_seed", "weight_decay", "early_stop"):
            _demand((getattr(self, name) or 0) >= 0, name, self, "must not be negative")
        for name in ("seed", "data_seed"):
            _demand((getattr(self, name) or 0) < 2**64, name, self, "must be less than 2^64")
        for name in ("beta1", "beta2"):
            _demand(0 <= getattr(self, name) < 1, name, self, "must be from 0 to less than 1")
        for name in ("dropout", "attention_dropout"):
            _demand(0 <= getattr(self, name) <= MOST_DROPPED, name, self, f"must be from 0 to {MOST_DROPPED}")
        for name in ("lr", "clip", "init_std"):
            _demand(0 < getattr(self, name) < float("inf"), name, self, "must be positive")
        _demand(self.weight_decay < float("inf"), "weight_decay", self, "must be finite")
        _demand(0 < self.held_out < 0.5, "held_out", self, "must be between 0 and 0.5")
        _demand(self.length >= 8, "length", self, "must be at least 8")
        fewest = f"is too few records to tell a gain from noise; give 0 or at least {SMALLEST_WINDOW}"
        _demand(self.early_stop == 0 or self.early_stop >= SMALLEST_WINDOW, "early_stop", self, fewest)
        _demand(self.length <= self.max_positions, "length", self, f"exceeds --max-positions {self.max_positions}")
        try:
            parse_schedule(self.schedule, steps=self.steps)
        except ValueError as error:
            _demand(False, "schedule", self, str(error))
        _demand(self.hidden % self.heads == 0, "hidden", self, f"is not a multiple of --heads {self.heads}")


def _demand(holds: bool, name: str, settings: RunSettings, complaint: str) -> None:
    if not holds:
        raise InputError(f"--{name.replace('_', '-')} {getattr(settings, name)} {complaint}")


@dataclass(frozen=True)
class Settings(RunSettings):
    """One training run of masked language modelling. The defaults are those of ``paper-100k``, the published run."""

    objective = MASKED_LM

    head: str = setting(
        "bert", "model", None, "bert: transform, tied decoder, pooler; linear: two bare layers", ("bert", "linear")
    )
    mask_rate: float = setting(
        0.15, "data", "SHARE", "share of each training sequence's characters to predict; 0.15 in held-out ones"
    )

    def shape(self, vocab_size: int) -> Shape:
        """The sizes of the model with a vocabulary of so many tokens, special ones included."""
        names = {field.name for field in dataclasses.fields(Shape)} - {"vocab_size"}
        return Shape(vocab_size=vocab_size, **{name: getattr(self, name) for name in names})

    def check(self) -> None:
        super().check()
        _demand(0 < self.mask_rate < 1, "mask_rate", self, "must be between 0 and 1")


Chosen = TypeVar("Chosen", bound=RunSettings)


@dataclass(frozen=True)
class Presets(Generic[Chosen]):
    """The named settings of one objective, with a note on each, and the name that is taken by default."""

    named: Mapping[str, Chosen]
    notes: Mapping[str, str]
    default: str

    @property
    def kind(self) -> type[Chosen]:
        """The class of the settings."""
        return type(self.named[self.default])


_ON_A_CPU = Settings(
    layers=2,
    hidden=128,
    heads=2,
    ffn=512,
    max_positions=128,
    dropout=0.0,
    attention_dropout=0.0,
    init_std=0.04,
    length=64,
    batch_size=4,
    accumulation=1,
    optimizer="muon",
    lr=1e-3,
    warmup=1000,
    beta2=0.99,
    eval_every=5,
)
PRESETS = {
    "quickstart": dataclasses.replace(
        _ON_A_CPU,
        init_std=0.03,
        held_out=0.05,
        steps=4000,
        batch_size=32,
        lr=4e-3,
        warmup=100,
        beta2=0.98,
        log_interval=40,
        eval_every=2,
        save_interval=400,
    ),
    "small": _ON_A_CPU,
    "medium": dataclasses.replace(
        _ON_A_CPU,
        layers=4,
        hidden=192,
        heads=3,
        ffn=768,
        init_std=0.03,
        length=96,
        mask_rate=0.3,
        batch_size=16,
        lr=2e-3,
        warmup=300,
        early_checkpoints=True,
        eval_every=2,
        eval_targets=4000,
    ),
    "paper-100k": Settings(),
    "paper-50k": Settings(steps=50_000),
    # What a sweep over a narrower model found (docs/LOG.md); at the full width only its start has been tried.
    "tuned-100k": Settings(optimizer="muon", lr=1e-3, mask_rate=0.3),
}
DEFAULT_PRESET = "paper-100k"
PRESET_NOTES = {
    "quickstart": "the offline sample in minutes on two CPU cores",
    "small": "100,000 steps on one CPU core, 71 minutes as measured; the study that anyone can repeat",
    "medium": "100,000 steps on one CPU core in a night: a model that is ahead of counting by far",
    "paper-100k": "the published run: 12 x 512, 32 x 4, lr 5e-5, 100,000 steps",
    "paper-50k": "its sibling of 50,000 steps, for the small dataset",
    "tuned-100k": "the published model and steps with the settings of our own sweep: Muon, 30 % masked",
}

MASKED_PRESETS = Presets(PRESETS, PRESET_NOTES, DEFAULT_PRESET)


def add_settings(parser: argparse.ArgumentParser, presets: Presets[Chosen]) -> None:
    """``--preset``, and an option for every setting that overrides the preset's."""
    parser.add_argument_group("preset").add_argument(
        "--preset", choices=presets.named, help=f"see the end of this page (default: {presets.default})"
    )
    groups: dict[str, Any] = {}
    for field in dataclasses.fields(presets.kind):
        name = field.metadata["group"]
        groups[name] = groups.get(name) or parser.add_argument_group(f"{name} (each overrides the preset)")
        values = ", ".join(f"{preset} {getattr(each, field.name)}" for preset, each in presets.named.items())
        kind: dict[str, Any] = {"type": field.metadata["kind"], "choices": field.metadata["choices"]}
        kind["metavar"] = field.metadata["wanted"]
        if isinstance(field.default, bool):
            kind = {"action": argparse.BooleanOptionalAction}
        option = f"--{field.name.replace('_', '-')}"
        groups[name].add_argument(option, help=f"{field.metadata['help']} ({values})", **kind)


def given_settings(arguments: argparse.Namespace, kind: type[RunSettings]) -> dict[str, Any]:
    """The settings given on the command line."""
    values = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(kind)}
    return {name: value for name, value in values.items() if value is not None}


def chosen_settings(arguments: argparse.Namespace, presets: Presets[Chosen]) -> Chosen:
    """The preset, with the settings given on the command line in their place."""
    preset = presets.named[arguments.preset or presets.default]
    settings = dataclasses.replace(preset, **given_settings(arguments, presets.kind))
    settings.check()
    return settings


def dropout_seed(seed: int, step: int, number: int) -> int:
    """A seed for micro-batch ``number`` of ``step``, so that dropout does not depend on what ran before."""
    return int(np.random.SeedSequence((seed, step, number)).generate_state(1, np.uint64)[0] >> 1)


def recorded_settings(history: History, kind: type[Chosen]) -> Chosen:
    """The settings that the ``run`` object of ``history`` records.

    Raises:
        InputError: there are none, as in the published history, or they are not of this program, or the run has another
            objective than ``kind``.
    """
    path, config = history.path, recorded_config(history.run)
    if not config:
        script = OBJECTIVES[kind.objective].script
        raise InputError(f"{path}: records no settings ('run' has no 'config'); use a history of {script}")
    refuse_other_objective(path, objective_of(history.run), kind.objective)
    for field in dataclasses.fields(kind):
        if not isinstance(config.get(field.name), (type(field.default), field.metadata["kind"], int)):
            raise InputError(f"{path}: records {field.name} as {config.get(field.name)!r}; use the trainer's history")
    unknown = config.keys() - {field.name for field in dataclasses.fields(kind)}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise InputError(f"{path}: records unknown settings ({names}); use the version of this program that wrote it")
    settings = kind(**config)
    settings.check()
    return settings
