"""From counting to context: how much of what a model says along its checkpoints is what counting says.

A model that has learned how often each character occurs answers as ``commonest`` does; one that has learned what
follows what, as ``left`` does; one that reads both neighbours, as ``both``. Agreement is the share of the held-out
targets where model and counting answer the same character; the divergence, KL(counting || model) in nats, is small
while the model's probabilities are those of counting, and grows again once it knows better.
"""

from __future__ import annotations

import numpy as np

from pipeline.files.scores import CheckpointScore, SplitScores
from pipeline.formatting import NOTHING, percent
from study.tables import Row, Table

GUESSES = ("commonest", "left", "both")
RATIO = 4.0  # from one step shown to the next


def counting_to_context(scores: SplitScores) -> Table:
    """Accuracy, agreement and divergence at steps that rise by a factor, and at the last."""
    heads = ["MLM", *(f"同 {name} · as {name}" for name in GUESSES), *(f"KL {name}" for name in GUESSES)]
    rows = [row(entry) for entry in spaced(scores.checkpoints) if entry.counting]
    return "从频次基线到语境 · From counting to context", heads, rows


def row(entry: CheckpointScore) -> Row:
    counting = entry.counting
    assert counting is not None
    agreement = [percent(counting.agreement[name], 1) for name in GUESSES]
    divergence = [NOTHING if (kl := counting.divergence[name]) is None else f"{kl:.2f}" for name in GUESSES]
    return f"{entry.step:,}", [percent(entry.mlm.accuracy, 1), *agreement, *divergence]


def spaced(checkpoints: list[CheckpointScore]) -> list[CheckpointScore]:
    """Those nearest in log step to 1, 4, 16, ...; the untrained model and the last checkpoint as well."""
    trained = [entry for entry in checkpoints if entry.step > 0]
    if not trained:
        return checkpoints
    places = np.log([entry.step for entry in trained])
    wanted = np.arange(0.0, places[-1], np.log(RATIO))
    chosen = {int(np.abs(places - place).argmin()) for place in wanted} | {len(trained) - 1}
    return [entry for entry in checkpoints if entry.step == 0] + [trained[n] for n in sorted(chosen)]
