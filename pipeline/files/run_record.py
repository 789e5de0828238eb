"""The ``run`` object of a history, read: its facts, and what makes two runs different."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from pipeline.stage import InputError

RunObject = dict[str, Any]  # ``run`` of a history, as it stands in the JSON
MASKED_LM, CAUSAL_LM, SEED = "masked_lm", "causal_lm", "seed"


@dataclass(frozen=True)
class ObjectiveName:
    """What runs of one objective are called in messages, and the script that makes them."""

    model: str
    script: str


OBJECTIVES = {
    MASKED_LM: ObjectiveName("a masked language model", "train_large_100k.py"),
    CAUSAL_LM: ObjectiveName("a causal language model", "train_causal_lm.py"),
    SEED: ObjectiveName("the seed predictor", "run_seed_predictor.py"),
}

# Settings that came after the first histories were written, and what the runs of before had in their place.
LATER_SETTINGS = {"schedule": "cosine", "early_checkpoints": False, "data_seed": None}

# Settings that a run may change when it is resumed: how it steps and saves. The model's sizes, the order of the text
# and the held-out questions stay.
CHANGEABLE = (
    *("lr", "warmup", "beta1", "beta2", "weight_decay", "clip"),
    *("dropout", "attention_dropout", "mask_rate", "save_interval", "early_stop"),
)
CUTS_OF_A_STEP = ("batch_size", "accumulation")  # changeable too as long as the step has as many sequences


@dataclass(frozen=True)
class Branch:
    """The trunk that a run began from: its records up to ``step`` come first in the run's own history."""

    history: str  # the path of the trunk's, as its trainer was told it
    step: int
    sha256: str  # of the state file that was taken up


@dataclass(frozen=True)
class Resume:
    """A process that took the run up after ``step``, at the time ``at`` (ISO 8601)."""

    step: int
    at: str


LARGEST_COUNT = 2**63 - 1
LARGEST = 1e100  # what is beyond it is no measurement, and its square would overflow


class Facts:
    """The ``run`` object of the history in ``path``; a fact is named by the keys that lead to it.

    A fact that is absent is None; one of a wrong type is an InputError.
    """

    def __init__(self, path: Path, run: RunObject) -> None:
        self._path = path
        self._run = run

    def number(self, *keys: str) -> float | None:
        """A finite number, in size at most ``LARGEST``."""
        value = self._value(keys)
        if value is None or (isinstance(value, float) and not isfinite(value)):
            return None
        if type(value) not in (int, float) or abs(value) > LARGEST:
            raise self._wrong(keys, "a number", value)
        return value

    def count(self, *keys: str) -> int | None:
        """A whole number from 0 to ``LARGEST_COUNT``."""
        value = self._value(keys)
        if value is not None and (type(value) is not int or not 0 <= value <= LARGEST_COUNT):
            raise self._wrong(keys, "a whole number", value)
        return value

    def text(self, *keys: str) -> str | None:
        """A string."""
        value = self._value(keys)
        if value is not None and not isinstance(value, str):
            raise self._wrong(keys, "a string", value)
        return value

    def branch(self) -> Branch | None:
        """Where the run began; None for one that began with its first step."""
        history, step, digest = (
            self.text("branch", "history"),
            self.count("branch", "step"),
            self.text("branch", "sha256"),
        )
        return None if history is None or step is None else Branch(history, step, digest or "")

    def names(self, *keys: str) -> list[str]:
        """The keys of an object, none where it is absent."""
        value = self._value(keys)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(keys, "an object", value)
        return list(value or {})

    def _value(self, keys: tuple[str, ...]) -> Any:
        value: Any = self._run
        for depth, key in enumerate(keys):
            if value is None:
                return None
            if not isinstance(value, dict):
                raise self._wrong(keys[:depth], "an object", value)
            value = value.get(key)
        return value

    def _wrong(self, keys: tuple[str, ...], expected: str, value: Any) -> InputError:
        return InputError(f"{self._path}: run.{'.'.join(keys)} must be {expected}, not {str(value)[:40]!r}")


def objective_of(recorded: RunObject) -> str:
    """The objective that a ``run`` object or a checkpoint names; where it names none, masked language modelling."""
    named = recorded.get("objective", MASKED_LM)
    return named if named in OBJECTIVES else "unknown"


def refuse_other_objective(path: Path, found: str, wanted: str) -> None:
    """Raise an InputError where what is in ``path`` is of another objective than the ``wanted`` one."""
    if found != wanted:
        kind = OBJECTIVES[found] if found in OBJECTIVES else ObjectiveName("an unknown objective", "another program")
        needed = OBJECTIVES[wanted]
        raise InputError(
            f"{path}: is of {kind.model} ({kind.script}), and what is asked for needs {needed.model}; give one of "
            f"{needed.script}"
        )


def recorded_config(run: RunObject) -> RunObject:
    """The settings that a ``run`` object records, with those that its version did not have yet; empty without any."""
    config = run.get("config")
    return {**LATER_SETTINGS, **config} if config and isinstance(config, dict) else {}


def recorded_changes(run: RunObject) -> list[RunObject]:
    """What was changed when the run was resumed, in order: ``run.changes``, objects {step, setting, from, to}.

    ``setting`` is one of the settings, or a fact of the machine such as ``threads``; it holds after ``step``.
    """
    changes = run.get("changes")
    return changes if isinstance(changes, list) and all(map(_is_change, changes)) else []


def _is_change(value: Any) -> bool:
    named = isinstance(value, dict) and {"step", "setting", "from", "to"} <= value.keys()
    return named and isinstance(value["step"], int) and isinstance(value["setting"], str)


def note_resume(run: RunObject, resume: Resume) -> None:
    """Enter in ``run.resumed`` that a process goes on from here: what is timed before says little of its speed."""
    run["resumed"] = [*_resumed(run), asdict(resume)]


def newest_resume(run: RunObject) -> Resume | None:
    """The last process that took the run up; None where the first is still at it, or the record does not say."""
    return Resume(**_resumed(run)[-1]) if _resumed(run) else None


def _resumed(run: RunObject) -> list[RunObject]:
    resumed = run.get("resumed")
    return resumed if isinstance(resumed, list) and resumed and all(map(_is_resume, resumed)) else []


def _is_resume(value: Any) -> bool:
    known = isinstance(value, dict) and value.keys() == {"step", "at"}
    return known and type(value["step"]) is int and isinstance(value["at"], str)


def config_at(run: RunObject, step: int) -> RunObject:
    """The settings that step ``step`` of a ``run`` object was trained with; ``recorded_config`` has the latest."""
    return _before(recorded_config(run), [change for change in recorded_changes(run) if change["step"] >= step])


def _before(config: RunObject, changes: list[RunObject]) -> RunObject:
    """``config`` as it was before the ``changes``."""
    earlier = dict(config)
    for change in reversed(changes):
        if change["setting"] in earlier:
            earlier[change["setting"]] = change["from"]
    return earlier


def run_differences(
    recorded: RunObject, planned: RunObject, passing_over: tuple[str, ...] = ()
) -> dict[str, tuple[Any, Any]]:
    """What makes two runs different, by name: (recorded, planned).

    That is settings, dataset, device, precision and the state that a branch began from; of runs of two objectives the
    objective alone. Where ``planned`` is a later record of the same run, what was changed in between makes no
    difference.
    """
    objectives = objective_of(recorded), objective_of(planned)
    if objectives[0] != objectives[1]:
        return {"objective": objectives}

    def identity(run: RunObject) -> RunObject:
        dataset = run.get("dataset")
        fingerprint = dataset.get("fingerprint") if isinstance(dataset, dict) else None
        machine = {key: run.get(key) for key in ("device", "precision")}
        branch = run.get("branch")
        state = branch.get("sha256") if isinstance(branch, dict) else None
        return {**recorded_config(run), "dataset": fingerprint, **machine, "branch": state}

    known, changes = recorded_changes(recorded), recorded_changes(planned)
    later = changes[len(known) :] if changes[: len(known)] == known else []
    before, after = identity(recorded), _before(identity(planned), later)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name) and name not in passing_over]
    return {name: (before.get(name), after.get(name)) for name in names}


def shown(differences: dict[str, tuple[Any, Any]]) -> str:
    """``differences`` of two runs in words."""
    return "; ".join(f"{name}: {before} -> {after}" for name, (before, after) in differences.items())


def refuse_other_run(place: Path, recorded: RunObject, planned: RunObject, *, changing: bool = False) -> None:
    """Refuse ``place``, which holds the ``recorded`` run, where that is not the ``planned`` one.

    With ``changing`` it may differ in what can be changed in mid run.

    Raises:
        InputError: as above; it names what differs.
    """
    different = run_differences(recorded, planned)
    fixed = {name: pair for name, pair in different.items() if not _is_changeable(name, recorded, planned)}
    if fixed or (different and not changing):
        ways = "give other paths, or --no-resume to replace it"
        if not fixed:
            ways = "give other paths, --change-settings to go on with these, or --no-resume to replace it"
        raise InputError(f"{place}: belongs to another run ({shown(fixed if changing else different)}); {ways}")


def _is_changeable(name: str, recorded: RunObject, planned: RunObject) -> bool:
    """Whether a run can go on with another value of the setting ``name``."""
    if name not in CUTS_OF_A_STEP:
        return name in CHANGEABLE
    before, after = (_effective_batch(recorded_config(run)) for run in (recorded, planned))
    return before is not None and before == after


def _effective_batch(config: RunObject) -> int | None:
    batch, cuts = (config.get(name) for name in CUTS_OF_A_STEP)
    return batch * cuts if isinstance(batch, int) and isinstance(cuts, int) else None
