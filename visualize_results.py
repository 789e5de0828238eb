"""Stage 5: the figures of a run, a report page, and one table that sums it up.

    python visualize_results.py                              # your run, else the one that comes with the program
    python visualize_results.py --history runs/quickstart/training_history.json \\
        --analysis runs/quickstart/analysis.json --output-dir runs/quickstart
    python visualize_results.py --baseline results/50k/training_history.json
    python visualize_results.py --history results/training_history_100k.json runs/*/history.json    # and the ladder
    python visualize_results.py --lang both                  # NAME.png and NAME.zh.png
    python visualize_results.py --live                       # curves.html, anew every 30 s while the run goes on

From the history and its analysis alone it draws training_curves, correlation_analysis, comparison_50k_100k and
loss_analysis, each as PNG (300 dpi) and SVG, and writes report.html, one page that needs nothing beside it. With
several histories it adds ladder, the runs side by side, and tables of their settings, results and forecasts; with the
scores of evaluate_checkpoints.py deciles, counting and predictions. The first history is the run that all other figures
are about. Without a baseline run the comparison is of the run's first half with the whole, and says so. A file that
these inputs give no figure for is not written, and not removed.
``--interactive`` adds curves.html: values under the pointer, zoom, logarithmic steps, tokens or seconds, smoothing.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from pipeline.analyse.schema.analysis import Analysis, analysis_of, read_analysis
from pipeline.command_line import StageParser
from pipeline.figures import style
from pipeline.figures.comparison import comparison
from pipeline.figures.contents import Panel, as_text, contents
from pipeline.figures.correlation import correlation_analysis
from pipeline.figures.counting import counting
from pipeline.figures.deciles import deciles
from pipeline.figures.fonts import ADVICE, chinese_font
from pipeline.figures.ladder import Run, ladder
from pipeline.figures.loss import loss_analysis
from pipeline.figures.predictions import predictions
from pipeline.figures.training_curves import counting_marks, training_curves
from pipeline.files import atomic
from pipeline.files.history import (
    COMMITTED_HISTORY,
    DEFAULT_HISTORY,
    History,
    default_baseline,
    history_at_hand,
    output_folder,
)
from pipeline.files.json_object import read_json_object
from pipeline.files.logs.choices import add_log_options, choices_from
from pipeline.files.logs.export import add_csv_option, write_csv
from pipeline.files.logs.read_log import read_groups
from pipeline.files.run_record import SEED, objective_of, run_differences, shown
from pipeline.files.scores import Scores, read_scores, scores_beside
from pipeline.report.answers import answers
from pipeline.report.console.summary import summary, summary_words
from pipeline.report.curves_page import curves_page
from pipeline.report.live import follow
from pipeline.report.page import report_page
from pipeline.report.run_names import run_names
from pipeline.report.seed_ladder import COMMITTED_LADDER, seed_ladder
from pipeline.report.several import several_tables
from pipeline.report.tables import report_tables
from pipeline.report.words import report_words
from pipeline.stage import InputError, run_stage
from pipeline.words import Words, figure_words


def main() -> int:
    arguments = _arguments()
    if arguments.live:
        return _live(arguments)
    baselines = [arguments.baseline] if arguments.baseline else []
    histories, baseline = read_groups(choices_from(arguments), arguments.history, baselines)
    inputs = Inputs(
        path=arguments.history[0],
        history=histories[0],
        runs=[Run(*each) for each in zip(run_names(arguments.history, histories), histories, strict=True)],
        baseline=baseline[0] if baseline else None,
        analysis=read_analysis(arguments.analysis, histories[0]),
        scores=_scores(arguments, histories[0]),
    )
    analysis = inputs.analysis
    languages = ["en", "zh"] if arguments.lang == "both" else [arguments.lang]
    font = chinese_font() if "zh" in languages else None

    beside = several_tables(
        [(run.name, path, run.history) for run, path in zip(inputs.runs, arguments.history, strict=True)],
        analysis,
        [report_words(language) for language in languages],
    )

    # Everything is made before anything is written: bad input leaves what was there as it was.
    files: dict[str, bytes] = {}
    shown_by: dict[str, list[Panel]] = {}
    for language in languages:
        drawn_in = "zh" if language == "zh" and font else "en"
        with style.lettering(font if drawn_in == "zh" else None):
            figures = _figures(inputs, figure_words(drawn_in))
            pictures = _pictures(figures)
        shown_by = shown_by or {name: contents(figure) for name, figure in figures.items()}
        files |= {_file(name, drawn_in, kind): content for (name, kind), content in pictures.items()}
        say = report_words(language)
        page = report_page(
            inputs.history.facts,
            str(inputs.path),
            inputs.history,
            analysis,
            {name: content for (name, kind), content in pictures.items() if kind == "svg"},
            [*beside[language], *report_tables(inputs.history, analysis, say), *answers(inputs.scores, say)],
            say,
            english_figures=drawn_in != language,
            guides=_guides(arguments.output_dir),
        )
        files[_file("report", language, "html")] = page.encode("utf-8")
        if arguments.interactive:
            curves = curves_page([(run.name, run.history) for run in inputs.runs], say)
            files[_file("curves", language, "html")] = curves.encode("utf-8")
    shown = [arguments.output_dir / name for name in files if not name.endswith(".svg")]
    said = summary_words("zh" if arguments.lang == "zh" else "en")
    table = summary(inputs.history, analysis, shown, said)

    for name, content in files.items():
        atomic.write_bytes(arguments.output_dir / name, content)
    if arguments.csv:
        write_csv(arguments.csv, histories)
    if arguments.contents:
        atomic.write_text(arguments.contents, as_text(shown_by))
    for history in histories:
        for note in history.notes:
            print(said("{path}: {note}", path=history.path, note=note.say(said.language)))
    print(table)
    if "zh" in languages:
        print(said("Chinese letters: {font}", font=font) if font else ADVICE)
    return 0


def _live(arguments: argparse.Namespace) -> int:
    """Write the page of the curves again and again while the runs go on."""
    say = report_words("zh" if arguments.lang == "zh" else "en")
    output = arguments.output_dir / _file("curves", say.language, "html")

    def runs() -> list[tuple[str, History]]:
        [histories] = read_groups(choices_from(arguments), arguments.history)
        return list(zip(run_names(arguments.history, histories), histories, strict=True))

    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    told = summary_words(say.language)
    how = "{path}: open it in a browser; it follows the run until that is finished (Ctrl-C ends this)"
    print(told(how, path=output), flush=True)
    follow(arguments.history, runs, output, say, time.sleep)
    print(told("finished: {path}", path=output))
    return 0


@dataclass(frozen=True)
class Inputs:
    """What the figures are drawn from: one run with its analysis, and what it is shown beside."""

    path: Path
    history: History
    runs: list[Run]  # that one first
    baseline: History | None
    analysis: Analysis
    scores: Scores | None


def _pictures(figures: dict[str, Figure]) -> dict[tuple[str, str], bytes]:
    """The figures as files, by name and kind ("png" or "svg")."""
    return {
        (name, kind): content for name, figure in figures.items() for kind, content in style.pictures(figure).items()
    }


def _figures(inputs: Inputs, say: Words) -> dict[str, Figure]:
    history = inputs.history
    drawn = {
        "training_curves": training_curves(history, counting_marks(history.facts), say),
        "correlation_analysis": correlation_analysis(history, inputs.analysis, say),
        "comparison_50k_100k": comparison(history, inputs.baseline, say),
        "loss_analysis": loss_analysis(history, say),
    }
    if len(inputs.runs) > 1:
        drawn["ladder"] = ladder(inputs.runs, say)
    if objective_of(history.run) == SEED and COMMITTED_LADDER.exists():
        found = read_json_object(COMMITTED_LADDER, "the ladder", "study/seed/ladder.py writes one")
        drawn["seed_ladder"] = seed_ladder(found, report_words(say.language))
    if inputs.scores and inputs.scores.validation:
        by_decile = deciles(inputs.scores.validation, say)
        if by_decile:
            drawn["deciles"] = by_decile
        from_counting = counting(inputs.scores.validation, say)
        if from_counting:
            drawn["counting"] = from_counting
        in_the_blank = predictions(inputs.scores.validation, say, chinese_font())
        if in_the_blank:
            drawn["predictions"] = in_the_blank
    return drawn


def _guides(folder: Path) -> str | None:
    """Where the project's docs are, seen from ``folder``; None where that is outside the project."""
    project = Path(__file__).resolve().parent
    if not folder.resolve().is_relative_to(project) or not (project / "docs").is_dir():
        return None
    return Path(os.path.relpath(project / "docs", folder.resolve())).as_posix()


def _file(name: str, language: str, kind: str) -> str:
    return f"{name}.zh.{kind}" if language == "zh" else f"{name}.{kind}"


def _arguments() -> argparse.Namespace:
    parser = StageParser(description=__doc__)
    inputs = parser.add_argument_group("input")
    inputs.add_argument(
        "--history",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=f"the run's history, and those of runs to draw beside it (default: {DEFAULT_HISTORY}, else the run that "
        f"comes with the program, {COMMITTED_HISTORY})",
    )
    inputs.add_argument(
        "--analysis",
        type=Path,
        metavar="FILE",
        help="what analyze_100k.py wrote about the first history (default: where it writes that)",
    )
    inputs.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="history of a shorter run to draw beside it (default: training_history_50k.json beside a single history, "
        "if it is there)",
    )
    inputs.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="what evaluate_checkpoints.py wrote about the run, for the figure of the frequency deciles (default: "
        "checkpoint_evaluation_X.json beside training_history_X.json, where it is)",
    )
    add_log_options(parser)
    outputs = parser.add_argument_group("output")
    add_csv_option(outputs)
    outputs.add_argument(
        "--output-dir",
        type=Path,
        metavar="DIR",
        help="folder for the figures and the report (default: that of the history; runs/committed for results)",
    )
    outputs.add_argument(
        "--lang",
        choices=("en", "zh", "both"),
        default="en",
        help="language of figures and report; Chinese files are NAME.zh.png and so on (default: %(default)s)",
    )
    outputs.add_argument(
        "--interactive",
        action="store_true",
        help="also write curves.html, the curves to be read off in a browser (needs requirements-interactive.txt)",
    )
    outputs.add_argument(
        "--live",
        action="store_true",
        help="write curves.html alone, anew at most every 30 s while the run goes on; the page reloads itself",
    )
    outputs.add_argument(
        "--contents",
        type=Path,
        metavar="FILE",
        help="also write what the figures show as JSON: the numbers of their lines, dots and bars, and their texts, in "
        "the language that is drawn first (default: not written)",
    )
    arguments = parser.parse_args()
    if arguments.history is None:
        arguments.history = [history_at_hand()]
        if arguments.history == [COMMITTED_HISTORY]:
            told = "{path} is not here; this is the run that comes with the program, {committed}"
            said = summary_words("zh" if arguments.lang == "zh" else "en")
            print(said(told, path=DEFAULT_HISTORY, committed=COMMITTED_HISTORY))
    first = arguments.history[0]
    if len(arguments.history) == 1:
        arguments.baseline = arguments.baseline or default_baseline(first)
    arguments.analysis = arguments.analysis or analysis_of(first)
    arguments.output_dir = arguments.output_dir or output_folder(first)
    return arguments


def _scores(arguments: argparse.Namespace, history: History) -> Scores | None:
    """The scores of the checkpoints of this very run."""
    path = arguments.scores or scores_beside(arguments.history[0])
    if not arguments.scores and not path.exists():
        return None
    scores = read_scores(path)
    different = run_differences(scores.run, history.run)
    if different:
        raise InputError(f"{path}: scores another run ({shown(different)}); give the scores of the first --history")
    return scores


if __name__ == "__main__":
    run_stage(main)
