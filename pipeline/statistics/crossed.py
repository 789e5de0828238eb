"""Two settings, each trained with one or several seeds, on the same questions: how far apart, and how sure that is.

A table of right answers has two sources of chance that cross: which seeds were trained, and which articles were asked
about. The variance of a difference of two settings is estimated for each source (crossed random effects, Searle,
Casella & McCulloch 1992, chapter 5): over the seeds of each setting, over the articles, whose targets are resampled
as a whole (ratio estimator), less once what seeds and articles make together, which both of them hold. Student's t
with the freedom of Satterthwaite (1946) gives the interval. With one seed in a setting the articles alone count.

Beside it stands the multibootstrap of MultiBERTs (Sellam et al. 2022), which draws seeds and articles again at once.
Of few seeds it makes too little: their scatter in the sample is smaller than the true one by (n - 1) / n, and its
quantiles know no Student's t. Measured, 95 % asked for, 600 comparisons each: where seeds make most of the scatter (a
standard deviation of 2 points, 200 articles), the crossed interval holds the truth in 97, 96 and 96 % with 2, 3 and 5
seeds, the multibootstrap in 77, 86 and 91; where articles do (1 point, 60 articles), 98, 96 and 97 against 95, 96 and
98 %. benchmarks/error_rates.py prints both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

LEVEL = 0.95
REPLICATES = 2_000
SEED = 42


@dataclass(frozen=True)
class Apart:
    """A difference of two accuracies, shares of one, second - first."""

    difference: float
    interval: tuple[float, float] | None  # 95 %; None for a single article
    freedom: float | None  # of Student's t
    multibootstrap: tuple[float, float] | None  # 95 %; None where a setting has one seed


def crossed_difference(first: np.ndarray, second: np.ndarray, targets: np.ndarray) -> Apart:
    """How far two settings are apart.

    Args:
        first: right answers of the first setting by seed and article, float [S, A].
        second: those of the second, float [T, A].
        targets: questions of each article, float [A], in all more than none.
    """
    total = float(targets.sum())
    groups = [np.asarray(group, dtype=float) for group in (first, second)]
    means = [group.mean(axis=0) for group in groups]
    difference = float((means[1] - means[0]).sum()) / total
    articles = int((targets > 0).sum())
    if articles < 2:
        return Apart(difference, None, None, None)
    left = means[1] - means[0] - difference * targets
    of_articles = articles / (articles - 1) * float(left @ left) / total**2
    parts = [(of_articles, articles - 1)]
    together = 0.0
    for group, mean in zip(groups, means, strict=True):
        seeds = len(group)
        if min(map(len, groups)) < 2:
            continue
        accuracies = group.sum(axis=1) / total
        parts.append((float(accuracies.var(ddof=1)) / seeds, seeds - 1))
        rest = group - mean - (accuracies - accuracies.mean())[:, None] * targets
        together += float((rest**2).sum()) / (seeds - 1) / seeds / total**2
    each = np.array([variance for variance, _ in parts])
    variance = max(float(each.sum()) - together, float(each.max()))
    freedom = variance**2 / sum(part**2 / free for part, free in parts) if variance else float(articles - 1)
    half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, freedom)) * float(np.sqrt(variance))
    both = _multibootstrap(groups[0], groups[1], targets) if len(parts) > 1 else None
    return Apart(difference, (difference - half, difference + half), float(freedom), both)


def _multibootstrap(first: np.ndarray, second: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of differences with seeds and articles drawn again; arguments as above."""
    generator = np.random.default_rng(SEED)
    articles = len(targets)
    drawn = generator.multinomial(articles, np.full(articles, 1 / articles), REPLICATES).astype(float)  # [R, A]
    asked = drawn @ targets
    accuracies = []
    for group in (first, second):
        seeds = len(group)
        chosen = generator.multinomial(seeds, np.full(seeds, 1 / seeds), REPLICATES) / seeds  # [R, S]
        accuracies.append(((drawn @ group.T) * chosen).sum(axis=1) / asked)
    low, high = np.quantile(accuracies[1] - accuracies[0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
