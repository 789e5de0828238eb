"""The options that every trainer has beside its settings: where a run is written, and how it is computed."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path

from pipeline.command_line import StageParser
from pipeline.files.checkpoints.names import KeptStates, parse_kept_states
from pipeline.files.run_record import CHANGEABLE
from pipeline.model.device import HELP as DEVICE_HELP
from pipeline.model.device import NAMES as DEVICES
from pipeline.model.precision import NAMES as PRECISIONS
from pipeline.train.settings import Chosen, Presets, add_settings
from pipeline.train.threads import number_of_threads


def trainer_parser(description: str | None, presets: Presets[Chosen]) -> argparse.ArgumentParser:
    """A parser that lists the presets at the end of its help."""
    notes = "\n".join(f"  {name:<12} {note}" for name, note in presets.notes.items())
    return StageParser(description=description, epilog=f"presets:\n{notes}")


def add_trainer_options(
    parser: argparse.ArgumentParser, files: Mapping[str, tuple[Path, str]], presets: Presets[Chosen]
) -> None:
    """``files`` (default and meaning by option), the options of running, and the settings."""
    group = parser.add_argument_group("files")
    for option, (path, meaning) in files.items():
        group.add_argument(
            option,
            type=Path,
            default=path,
            metavar="DIR" if option.endswith("-dir") else "FILE",
            help=f"{meaning} (default: {path})",
        )
    settings = {field.name for field in dataclasses.fields(presets.kind)}
    _add_running(parser.add_argument_group("running"), [name for name in CHANGEABLE if name in settings])
    add_settings(parser, presets)


def _add_running(running: argparse._ArgumentGroup, changeable: list[str]) -> None:
    running.add_argument("--device", choices=DEVICES, default="auto", help=DEVICE_HELP)
    running.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="auto: bf16 or fp16 on CUDA, fp32 on the CPU; fp64 is for tests of exactness (default: %(default)s)",
    )
    running.add_argument(
        "--threads",
        type=number_of_threads,
        metavar="COUNT|auto",
        help="CPU threads; auto finds the fastest number by a trial of seconds and keeps it when the run goes on; the "
        "last digits depend on it (default: what OMP_NUM_THREADS says, else one for each core)",
    )
    running.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="torch.compile the model (default: on CUDA only; on a CPU it needs a C++ compiler)",
    )
    running.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="write the records for TensorBoard too (default: no)"
    )
    running.add_argument(
        "--keep",
        type=int,
        default=0,
        metavar="COUNT",
        help="keep only so many newest weight checkpoints (default: 0, all)",
    )
    running.add_argument(
        "--keep-states",
        type=_kept_states,
        default=KeptStates(),
        metavar="STEPS",
        help="full states, three times as large, that stay besides the newest two, to branch from: 12500,25000 or "
        "every:5000 (default: of a wsd run the one where its rate begins to fall, else none)",
    )
    running.add_argument(
        "--branch-from",
        type=Path,
        metavar="FILE",
        help="begin with a run's full state (state_<N>.pth) of a constant rate and go on to --steps, by default with a "
        "decay over all that is left; settings and records before it are the run's (default: begin with step 1)",
    )
    running.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the newest checkpoint (the default); --no-resume first removes what lies there of a run: its "
        "final model, checkpoints and history",
    )
    running.add_argument(
        "--change-settings",
        action="store_true",
        help=f"go on from the newest checkpoint with other values of {', '.join(changeable)}; batch_size and "
        "accumulation too, where their product stays (default: a run with other settings is refused)",
    )
    running.add_argument(
        "--describe", action="store_true", help="print what the run would be, as JSON, and train nothing (default: no)"
    )


def check_trainer_options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    if arguments.keep < 0:
        parser.error("--keep must not be negative")
    if arguments.branch_from and (arguments.preset or not arguments.steps):
        parser.error("--branch-from needs --steps and takes all other settings from its trunk, no --preset")
    if arguments.change_settings and not arguments.resume:
        parser.error("--change-settings goes on with a run, --no-resume begins a new one: give one of them")


def _kept_states(text: str) -> KeptStates:
    try:
        return parse_kept_states(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
