"""What a user says about a log whose column names do not say it: ``--columns`` and ``--percent``."""

from __future__ import annotations

import argparse
from collections.abc import Container
from dataclasses import dataclass, field

ROLES = {
    "accuracy": "training accuracy",
    "held_out": "held-out accuracy",
    "loss": "training loss",
    "held_out_loss": "held-out loss",
    "lr": "learning rate",
    "step": "step",
}


@dataclass(frozen=True)
class Choices:
    """``columns``: name of a column by role (a key of ROLES). ``percent``: columns that are in percent; an empty tuple
    means every accuracy above 1, None that nothing was said."""

    columns: dict[str, str] = field(default_factory=dict)
    percent: tuple[str, ...] | None = None

    def within(self, names: Container[str]) -> Choices:
        """What is said of columns with these ``names``."""
        columns = {role: name for role, name in self.columns.items() if name in names}
        percent = None if self.percent is None else tuple(name for name in self.percent if name in names)
        nothing_here = self.percent and not percent
        return Choices(columns, None if nothing_here else percent)

    def named(self) -> dict[str, str]:
        """Every column that is named, by the option that names it."""
        return {f"--columns {role}=": name for role, name in self.columns.items()} | {
            f"--percent {name}": name for name in self.percent or ()
        }


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """The options of every script that reads a history."""
    log = parser.add_argument_group('a log of another program (docs/ANALYSIS.md, "Your own log")')
    log.add_argument(
        "--columns",
        type=_named,
        nargs="+",
        default=[],
        metavar="ROLE=NAME",
        help=f"which column is what, where its name does not say so; roles: {', '.join(ROLES)} (default: by their "
        "names)",
    )
    log.add_argument(
        "--percent",
        nargs="*",
        metavar="NAME",
        help="columns whose accuracies are in percent; without a NAME all accuracies above 1 (default: those that are "
        "by convention, as acc1 and top1)",
    )


def choices_from(arguments: argparse.Namespace) -> Choices:
    """What was said by the options of ``add_log_options``."""
    return Choices(dict(arguments.columns), None if arguments.percent is None else tuple(arguments.percent))


def _named(text: str) -> tuple[str, str]:
    role, found, name = text.partition("=")
    if not found or not name or role not in ROLES:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROLE=NAME; the roles are {', '.join(ROLES)}")
    return role, name
