"""Stage 5: the figures of a run, and one table that sums it up.

    python visualize_results.py                              # the real study, after analyze_100k.py
    python visualize_results.py --history runs/quickstart/training_history.json \\
        --analysis runs/quickstart/analysis.json --output-dir runs/quickstart
    python visualize_results.py --baseline results/training_history_50k.json

It draws training_curves.png, correlation_analysis.png, comparison_50k_100k.png and loss_analysis.png from the history
and its analysis alone. Without a baseline run the comparison is of the run's first half with the whole, and says so.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.analyse import drawing, figure_style
from pipeline.analyse.facts import Facts
from pipeline.analyse.result import DEFAULT_ANALYSIS, read_trends
from pipeline.analyse.summary import summary
from pipeline.history import DEFAULT_HISTORY, History, read_history
from pipeline.stage import InputError, run_stage


def main() -> int:
    arguments = _arguments()
    history = _read(arguments.history)
    baseline = _read(arguments.baseline) if arguments.baseline else None
    training, held_out = read_trends(arguments.analysis, history)
    guesses = _guesses(Facts(arguments.history, history.run))
    figures = {
        "training_curves.png": drawing.training_curves(history, guesses),
        "correlation_analysis.png": drawing.correlation_analysis(history, training, held_out),
        "comparison_50k_100k.png": drawing.comparison(history, baseline),
        "loss_analysis.png": drawing.loss_analysis(history),
    }
    paths = [arguments.output_dir / name for name in figures]
    table = summary(arguments.history, history, training, held_out, paths)  # before writing: it checks its input too
    for path, figure in zip(paths, figures.values(), strict=True):
        figure_style.save(figure, path)
    print(table)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--history", type=Path, default=DEFAULT_HISTORY, metavar="F", help="the run's history (default: %(default)s)"
    )
    inputs.add_argument(
        "--analysis",
        type=Path,
        default=DEFAULT_ANALYSIS,
        metavar="J",
        help="what analyze_100k.py wrote about that history (default: %(default)s)",
    )
    inputs.add_argument(
        "--baseline", type=Path, metavar="F50", help="history of a shorter run to draw beside it (default: none)"
    )
    outputs = parser.add_argument_group("output")
    outputs.add_argument(
        "--output-dir",
        type=Path,
        default=Path("results"),
        metavar="D",
        help="folder for the figures (default: %(default)s)",
    )
    return parser.parse_args()


def _read(path: Path) -> History:
    history = read_history(path)
    if not len(history):
        raise InputError(f"{path}: holds no records yet; wait for the first one of train_large_100k.py")
    return history


def _guesses(facts: Facts) -> dict[str, float]:
    """The two stronger guesses by counting, on the validation subset that the held-out curve is measured on."""
    names = {"left": "left neighbour", "both": "both neighbours"}
    found = {name: facts.number("guesses", key, "all") for key, name in names.items()}
    return {name: value for name, value in found.items() if value is not None}


if __name__ == "__main__":
    run_stage(main)
