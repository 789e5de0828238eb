"""What the model card says of the whole run: its analysis in a few lines, and the picture of its curves."""

from __future__ import annotations

from pipeline.analyse.whole_analysis import analyse
from pipeline.export.model_card import table
from pipeline.figures import style
from pipeline.figures.training_curves import counting_marks, training_curves
from pipeline.files.history import History
from pipeline.report.tables import report_tables
from pipeline.statistics.correlation import Correlation
from pipeline.words import Words

FIGURE = "training_curves.png"
FINDINGS = "Findings"  # title of a table of the report
ENGLISH = Words("en", {})


def run_section(history: History) -> tuple[list[str], bytes]:
    """The paragraphs of the section, and the PNG that they show as ``FIGURE``."""
    analysis = analyse(history, None, "")
    rows = [
        (f"Pearson r of step and {name} accuracy", _correlation(curve.pearson))
        for name, curve in (("training", analysis.training), ("held-out", analysis.held_out))
        if curve and curve.pearson.r is not None
    ]
    findings = [found for found in report_tables(history, analysis, ENGLISH) if found.title == FINDINGS]
    rows += [(name, value) for found in findings for name, value in found.rows]
    picture = style.pictures(training_curves(history, counting_marks(history.facts), ENGLISH))["png"]
    parts = [
        "## The run",
        f"All {len(history):,} records up to step {history.last_step:,}, as `analyze_100k.py` judges them. r says how "
        "straight a curve is, not how much was learned.",
        *([table(("", ""), rows)] if rows else []),
        f"![Accuracy, loss and learning rate over the run]({FIGURE})",
    ]
    return parts, picture


def _correlation(pearson: Correlation) -> str:
    told = f"{pearson.r:.3f}"
    if pearson.interval_autocorrelation is None:
        return told
    low, high = pearson.interval_autocorrelation
    return f"{told}, 95 % interval {low:.3f} to {high:.3f} with autocorrelation"
