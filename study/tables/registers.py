"""Wikipedia and books: masked characters and pairs of sentences of each, along the checkpoints.

Strangers of a pair are of the same source; of a book, they are of another chapter of it. A source's name begins with
``study.datasets.BOOK`` where it is a book.
"""

from __future__ import annotations

from pipeline.files.scores import CheckpointScore, SplitScores, spaced
from pipeline.formatting import percent
from study.datasets import BOOK
from study.tables import Row, Table
from study.tables.committed import of_register

SHOWN = 6  # checkpoints at most
NAMES = {False: "维基 · Wikipedia", True: "古籍 · books"}


def registers(scores: SplitScores) -> Table:
    """One row a checkpoint: both kinds of question, each by register."""
    heads = [f"{kind}，{name}" for kind in ("MLM", "NSP") for name in NAMES.values()]
    rows: list[Row] = []
    for entry in spaced(scores.checkpoints, SHOWN):
        masked = [of_register(entry.mlm, books)[1] for books in NAMES]
        pairs = [pairs_of(entry, books)[1] for books in NAMES]
        rows.append((f"{entry.step:,}", [percent(share, 1) for share in (*masked, *pairs)]))
    last = scores.checkpoints[-1]
    counts = [of_register(last.mlm, books)[0] for books in NAMES] + [pairs_of(last, books)[0] for books in NAMES]
    rows.append(("目标或句对 · targets or pairs", [f"{count:,}" for count in counts]))
    return "文体 · Register", heads, rows


def pairs_of(entry: CheckpointScore, books: bool) -> tuple[int, float | None]:
    """Pairs of all sources that are books, or of all that are not, and the accuracy on them."""
    sources = entry.nsp.by_source if entry.nsp else {}
    chosen = [
        (score.pairs, score.accuracy)
        for source, score in sources.items()
        if source.startswith(BOOK) == books and score.accuracy is not None
    ]
    pairs = sum(count for count, _ in chosen)
    return pairs, sum(count * accuracy for count, accuracy in chosen) / pairs if pairs else None
