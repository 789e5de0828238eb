"""How the rows of an embedding depend on how often their tokens were seen (docs/derivations/08)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from pipeline.probe.whitening import mean_cosine, unit

TENTHS = 10


@dataclass(frozen=True)
class Tenth:
    """A tenth of the tokens that were seen, the rarest first: means over them."""

    count: float  # how often a token was seen
    norm: float  # length of its row
    cosine: float  # of its row with the mean row of all tokens


@dataclass(frozen=True)
class Embeddings:
    """``unseen`` are the tokens that the text does not hold; the others are in ``tenths``."""

    mean_norm: float
    mean_cosine: float  # of all pairs of rows
    rank_correlation: float | None  # of norm and count (Spearman), over tokens that were seen; None where undefined
    tenths: list[Tenth]
    unseen: Tenth | None


def embeddings(rows: np.ndarray, counts: np.ndarray) -> Embeddings:
    """Of ``rows`` [V, d], whose tokens were seen ``counts`` [V] times."""
    rows = rows.astype(np.float64)
    norms, cosines = np.linalg.norm(rows, axis=1), unit(rows) @ unit(rows.mean(0)[None])[0]

    def means(some: np.ndarray) -> Tenth:
        return Tenth(float(counts[some].mean()), float(norms[some].mean()), float(cosines[some].mean()))

    seen = np.flatnonzero(counts)
    ordered = seen[np.argsort(counts[seen], kind="stable")]
    unseen = np.flatnonzero(counts == 0)
    return Embeddings(
        mean_norm=float(norms.mean()),
        mean_cosine=mean_cosine(rows),
        rank_correlation=_spearman(norms[seen], counts[seen]),
        tenths=[means(some) for some in np.array_split(ordered, TENTHS) if len(some)],
        unseen=means(unseen) if len(unseen) else None,
    )


def _spearman(a: np.ndarray, b: np.ndarray) -> float | None:
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
