"""The answers to the fixed sentences along the checkpoints, as a table of the report page."""

from __future__ import annotations

from pipeline.figures.predictions import sentence, with_answers
from pipeline.files.scores import Blank, Filled, Scores
from pipeline.formatting import percent, step_text
from pipeline.report.tables import Table
from pipeline.words import Words


def answers(scores: Scores | None, say: Words) -> list[Table]:
    """One table, or none where no checkpoint filled the blanks."""
    scored = scores.validation if scores else None
    if scored is None or not scored.sentences or not (asked := with_answers(scored)):
        return []
    rows = [
        [sentence(blank), *(_cell(entry.filled[row], blank) for entry in asked if entry.filled)]
        for row, blank in enumerate(scored.sentences)
    ]
    columns = ["", *(say("step {step}", step=step_text(entry.step)) for entry in asked)]
    remark = say("In brackets the probability of the character that stood in the sentence, where it is not the answer.")
    return [Table(say("What stands in the blank"), columns, rows, remark)]


def _cell(filled: Filled, blank: Blank) -> str:
    answer = f"{filled.characters[0]} {percent(filled.probabilities[0], 0)}"
    if filled.characters[0] == blank.right:
        return f"{answer} ✓"
    return answer if filled.right is None else f"{answer} ({blank.right} {percent(filled.right)})"
