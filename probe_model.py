"""What the derivations (docs/derivations) predict of a trained model, measured on one.

    python probe_model.py stage4_large_100k_final.pth                    # with the default dataset, where it is there
    python probe_model.py runs/quickstart/final.pth --dataset runs/quickstart/dataset.json
    python probe_model.py --checkpoint-dir runs/quickstart/checkpoints --dataset runs/quickstart/dataset.json

It says which tokens can never be predicted, how isotropic sentence vectors are and what whitening does for finding the
next sentence, how lengths of embedding rows go with frequency, how strong branches and gradients are by depth, how
spread attention is, what float16 would lose of the gradient at each loss scale, and operations against time. Along the
checkpoints of a run these become training dynamics.

CHECKPOINT is a .pth of train_large_100k.py (with its vocab.txt beside it) or of train_causal_lm.py, a folder of
export_model.py, or the folder of any BERT with vocab.txt and model.safetensors. All of it runs on the CPU in float32,
dropout off. It writes JSON and a figure, and prints a report.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from pipeline.command_line import StageParser
from pipeline.figures import style
from pipeline.figures.fonts import ADVICE, chinese_font
from pipeline.files import atomic, checkpoint
from pipeline.files.dataset import DEFAULT_DATASET, Dataset, read_dataset
from pipeline.probe.measures import Probe, ProbeText, probe, probe_text
from pipeline.probe.pictures import figure
from pipeline.probe.reading import read_subject
from pipeline.probe.report import report
from pipeline.probe.words import probe_words
from pipeline.stage import InputError, run_stage
from pipeline.words import LANGUAGES


def main() -> int:
    arguments = parse_arguments()
    atomic.refuse_unwritable(arguments.output)
    paths = models(arguments)
    text = text_at_hand(arguments)
    found: list[Probe] = []
    for path in tqdm(paths, unit="model", disable=len(paths) < 2 or not sys.stdout.isatty(), file=sys.stdout):
        found.append(probe(str(path), read_subject(path), text))
        if len(paths) > 1 and not sys.stdout.isatty():
            print(f"probed {path.name} ({len(found)} of {len(paths)})", flush=True)

    font = chinese_font() if arguments.lang == "zh" else None
    drawn_in = "zh" if font else "en"
    with style.lettering(font):
        drawn = figure(found, probe_words(drawn_in))
        pictures = style.pictures(drawn) if drawn else {}
    content = json.dumps({"probes": [each.to_json() for each in found]}, ensure_ascii=False, indent=1) + "\n"
    atomic.write_text(arguments.output, content)
    written = [arguments.output]
    for kind, picture in pictures.items():
        written.append(arguments.output.with_suffix(f".{kind}"))
        atomic.write_bytes(written[-1], picture)

    say = probe_words(arguments.lang)
    print("\n".join(report(found[-1], say)))
    print("\n".join(f"written: {path}" for path in written))
    if arguments.lang == "zh" and not font:
        print(ADVICE)
    return 0


def models(arguments: argparse.Namespace) -> list[Path]:
    """What is to be probed: the one model, or all weights of a run by step."""
    if arguments.checkpoint is not None:
        return [arguments.checkpoint]
    files = checkpoint.weight_files(arguments.checkpoint_dir)
    if not files:
        raise InputError(f"{arguments.checkpoint_dir}: checkpoints (step_<N>.pth) are missing; give a run's folder")
    chosen = files[:: arguments.every]
    return [path for _, path in (chosen if chosen[-1] == files[-1] else [*chosen, files[-1]])]


def text_at_hand(arguments: argparse.Namespace) -> ProbeText | None:
    """The text of --dataset, or of the default one where it is there."""
    path: Path = arguments.dataset or DEFAULT_DATASET
    if arguments.dataset is None and not path.exists():
        print(f"{path} is not here: what needs text is not measured")
        return None
    dataset: Dataset = read_dataset(path)
    return probe_text(dataset)


def parse_arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    inputs = parser.add_argument_group("input")
    inputs.add_argument("checkpoint", type=Path, nargs="?", metavar="CHECKPOINT", help="a .pth, or a folder")
    inputs.add_argument(
        "--checkpoint-dir", type=Path, metavar="DIR", help="probe every step_<N>.pth of this folder instead"
    )
    inputs.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="COUNT",
        help="every so many-th of them, and the last (default: %(default)s)",
    )
    inputs.add_argument(
        "--dataset",
        type=Path,
        metavar="FILE",
        help=f"text to measure on, best the one trained on (default: {DEFAULT_DATASET} where it is there; without text "
        "only what the weights tell is measured)",
    )
    outputs = parser.add_argument_group("output")
    outputs.add_argument(
        "--output",
        type=Path,
        default=Path("runs/probe.json"),
        metavar="FILE",
        help="JSON with all measures; the figure goes beside it as .png and .svg (default: %(default)s)",
    )
    outputs.add_argument(
        "--lang", choices=LANGUAGES, default="en", help="language of report and figure (default: %(default)s)"
    )
    arguments = parser.parse_args()
    if (arguments.checkpoint is None) == (arguments.checkpoint_dir is None):
        parser.error("give either CHECKPOINT or --checkpoint-dir")
    if arguments.every < 1:
        parser.error("--every must be at least 1")
    return arguments


if __name__ == "__main__":
    run_stage(main)
