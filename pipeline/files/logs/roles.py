"""Which column of a log is the accuracy, the loss, the learning rate: what the user named, else by the names."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, log

from pipeline.files.logs.choices import ROLES, Choices
from pipeline.files.logs.names import Meaning, Part, meaning_of
from pipeline.files.logs.notes import Note
from pipeline.files.logs.table import Table, is_numeric, number
from pipeline.stage import InputError

# The parts of the data that a role is looked for in, the best first.
TRAINING: tuple[Part, ...] = ("train", None)
HELD_OUT: tuple[Part, ...] = ("held_out", "test")
LOOKED_FOR = {
    "accuracy": ("accuracy", TRAINING),
    "held_out": ("accuracy", HELD_OUT),
    "loss": ("loss", TRAINING),
    "held_out_loss": ("loss", HELD_OUT),
    "lr": ("rate", (None, "train")),
}
MEASURED = ("accuracy", "held_out", "loss", "held_out_loss")  # at least one of them must be there
UNUSED_SHOWN = 6
NEARLY = 0.02  # how near a perplexity must be to the power of the loss beside it


@dataclass(frozen=True)
class Candidate:
    """A column that could fill a role."""

    name: str
    meaning: Meaning
    values: int
    place: int  # in the file


def roles_of(table: Table, choices: Choices) -> dict[str, str]:
    """The column of each role that was found; the step is found apart (steps.py). Notes are added to ``table``.

    Raises:
        InputError: nothing to analyse was found, or several runs share the file.
    """
    names = table.names()
    found = {role: name for role, name in choices.columns.items() if role != "step"}
    taken = set(choices.columns.values())
    candidates = [
        Candidate(name, meaning, sum(cell is not None for cell in table.cells(name)), place)
        for place, name in enumerate(names)
        if name not in taken
        and (meaning := meaning_of(name))
        and any(number(cell) is not None for cell in table.cells(name))
    ]
    unused: list[str] = []
    for role in LOOKED_FOR:
        fitting = [] if role in found else _fitting(table, role, candidates)
        if fitting:
            _refuse_several_runs(table, role, fitting)
            found[role] = fitting[0].name
            unused += [each.name for each in fitting[1:] if role in MEASURED]
    if not any(role in found for role in MEASURED):
        raise InputError(
            f"{table.path}: read as {table.format}; none of its columns is known as an accuracy or a loss: it has "
            f"{table.named()}; name them, as in --columns loss={_example(table)} (roles: {', '.join(ROLES)})"
        )
    if unused:
        shown = ", ".join(unused[:UNUSED_SHOWN]) + (", ..." if unused[UNUSED_SHOWN:] else "")
        table.notes.append(Note("also found, not used: {names}; --columns takes another", {"names": shown}))
    return found


def _fitting(table: Table, role: str, candidates: list[Candidate]) -> list[Candidate]:
    """The columns that could fill ``role``, the best first: by the part of the data, then by how plain the name is,
    then the one with most values. A perplexity does where there is no loss."""
    measure, parts = LOOKED_FOR[role]

    def of(wanted: str) -> list[Candidate]:
        return [each for each in candidates if each.meaning.measure == wanted and each.meaning.part in parts]

    fitting = of(measure) or (_logarithms(table, of("perplexity")) if measure == "loss" else [])
    return sorted(
        fitting, key=lambda each: (parts.index(each.meaning.part), each.meaning.rank, -each.values, each.place)
    )


def loss_unit(table: Table, loss: str | None) -> str:
    """ "bits" where a perplexity stands beside the loss and is two to the power of it, else "nats"."""
    meaning = meaning_of(loss) if loss else None
    if loss is None or meaning is None:
        return "nats"
    for name in table.names():
        other = meaning_of(name)
        if not other or other.measure != "perplexity" or other.part != meaning.part:
            continue
        pairs = [(number(row[loss]), number(row[name])) for row in table.rows if loss in row and name in row]
        known = [(value, power) for value, power in pairs if value and power and 1 < power < 1e6]
        if known and all(abs(log(power) / log(2) / value - 1) < NEARLY for value, power in known):
            table.notes.append(Note("{name}: in bits, as the perplexity beside it tells", {"name": loss}))
            return "bits"
    return "nats"


def _logarithms(table: Table, perplexities: list[Candidate]) -> list[Candidate]:
    """The logarithms of columns that are perplexities, as new columns of ``table``."""
    found = []
    for each in perplexities:
        name = f"log {each.name}"
        for row in table.rows:
            value = number(row.get(each.name))
            if value is not None:
                row[name] = log(value) if value > 0 and isfinite(value) else float("nan")
        table.notes.append(Note("{name}: a perplexity; its logarithm is the loss", {"name": each.name}))
        found.append(Candidate(name, each.meaning, each.values, each.place))
    return found


def _refuse_several_runs(table: Table, role: str, fitting: list[Candidate]) -> None:
    runs = list(dict.fromkeys(each.meaning.run for each in fitting))
    if len(runs) > 1:
        raise InputError(
            f"{table.path}: holds {len(runs)} runs ({', '.join(runs)[:200]}); name the columns of one, as in --columns "
            f"{role}={fitting[0].name!r}"
        )


def _example(table: Table) -> str:
    """A column that could be meant."""
    known = [name for name in table.names() if meaning_of(name) is None and is_numeric(table, name)]
    return repr((known or table.names() or ["NAME"])[-1])
