"""NSP accuracy against two kinds of strangers.

``same_source``  B comes from another article of the same source, as in training;
``any_source``   B comes from any other article, as in BERT, so that register alone gives some of them away.

Both have the same true pairs and the same first sentences; only the strangers differ. The gap between the two is what
a difference of register is worth; where there is one source, it is noise.
"""

from __future__ import annotations

import numpy as np

from pipeline.files.scores import PairScore


def pair_score(next_right: np.ndarray, stranger_right: np.ndarray) -> PairScore:
    """Counts and accuracies from which true pairs (bool [P]) and which strangers (bool [N]) were told right."""
    counts = (int(next_right.sum()), len(next_right), int(stranger_right.sum()), len(stranger_right))
    on_next, on_strangers = _share(*counts[:2]), _share(*counts[2:])
    balanced = None if on_next is None or on_strangers is None else (on_next + on_strangers) / 2
    return PairScore(
        pairs=counts[1] + counts[3],
        accuracy=_share(counts[0] + counts[2], counts[1] + counts[3]),
        balanced_accuracy=balanced,
        is_next=counts[1],
        is_next_accuracy=on_next,
        not_next=counts[3],
        not_next_accuracy=on_strangers,
    )


def _share(right: int, count: int) -> float | None:
    return right / count if count else None
