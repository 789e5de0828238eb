"""From counting to context: how much of what a model says along its checkpoints is what counting says.

A model that has learned how often each character occurs answers as ``commonest`` does; one that has learned what
follows what, as ``left`` does; one that reads both neighbours, as ``both``. Agreement is the share of the held-out
targets where model and counting answer the same character; the divergence, KL(counting || model) in nats, is small
while the model's probabilities are those of counting, and grows again once it knows better.
"""

from __future__ import annotations

from pipeline.files.scores import CheckpointScore, SplitScores, spaced
from pipeline.formatting import NOTHING, percent
from study.tables import Row, Table

GUESSES = ("commonest", "left", "both")
SHOWN = 10  # checkpoints at most


def counting_to_context(scores: SplitScores) -> Table:
    """Accuracy, agreement and divergence at steps that are even by their logarithm."""
    heads = ["MLM", *(f"同 {name} · as {name}" for name in GUESSES), *(f"KL {name}" for name in GUESSES)]
    rows = [row(entry) for entry in spaced(scores.checkpoints, SHOWN) if entry.counting]
    return "从频次基线到语境 · From counting to context", heads, rows


def row(entry: CheckpointScore) -> Row:
    counting = entry.counting
    assert counting is not None
    agreement = [percent(counting.agreement[name], 1) for name in GUESSES]
    divergence = [NOTHING if (kl := counting.divergence[name]) is None else f"{kl:.2f}" for name in GUESSES]
    return f"{entry.step:,}", [percent(entry.mlm.accuracy, 1), *agreement, *divergence]
