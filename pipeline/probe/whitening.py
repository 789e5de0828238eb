"""Sentence vectors made isotropic by degrees, and how isotropic they are (docs/derivations/06).

``x -> (x - beta * mean) U Lambda^(-gamma / 2)``, where ``U Lambda U^T`` is the covariance: at (0, 0) a rotation, at
(1, 1) the whitening of Su et al. 2021, between them the hyperparameters of 苏剑林 2022 (kexue.fm/archives/9079).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST_SHARE = 1e-9  # of the largest variance; directions with less of it hold rounding noise alone


@dataclass(frozen=True)
class Spectrum:
    """Mean [d], variances [k] falling and their directions [d, k] of some vectors; k is their rank, at most d."""

    mean: np.ndarray
    variances: np.ndarray
    directions: np.ndarray

    def transform(self, vectors: np.ndarray, beta: float, gamma: float, keep: int | None = None) -> np.ndarray:
        """``vectors`` [n, d] to [n, keep]: along the ``keep`` directions of most variance (None: all)."""
        kept = slice(None, keep)
        turned = (vectors - beta * self.mean) @ self.directions[:, kept]
        return turned * self.variances[kept] ** (-gamma / 2)


def spectrum(vectors: np.ndarray) -> Spectrum:
    """Of ``vectors`` [n, d].

    Raises:
        ValueError: they are all the same.
    """
    vectors = vectors.astype(np.float64)
    mean = vectors.mean(0)
    variances, directions = np.linalg.eigh(np.cov(vectors.T, bias=True).reshape(len(mean), len(mean)))
    variances, directions = variances[::-1], directions[:, ::-1]
    rank = int((variances > SMALLEST_SHARE * max(variances[0], np.finfo(float).tiny)).sum())
    if not rank:
        raise ValueError("the vectors are all the same: they have no variance")
    return Spectrum(mean, variances[:rank], directions[:, :rank])


def mean_cosine(vectors: np.ndarray) -> float:
    """Of all pairs of different ``vectors`` [n, d]."""
    count = len(vectors)
    return float((count * (unit(vectors).mean(0) ** 2).sum() - 1) / (count - 1))


def effective_rank(variances: np.ndarray) -> float:
    """The exponential of the entropy of the shares of ``variances`` (Roy and Vetterli 2007, of eigenvalues)."""
    shares = variances[variances > 0] / variances.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def retrieved(queries: np.ndarray, keys: np.ndarray) -> float:
    """Share of ``queries`` [n, d] to which, of all ``keys`` [n, d], their own has the largest cosine."""
    cosines = unit(queries) @ unit(keys).T
    own = cosines.diagonal().copy()
    np.fill_diagonal(cosines, -np.inf)
    return float((own > cosines.max(1)).mean())


def unit(vectors: np.ndarray) -> np.ndarray:
    """``vectors`` [n, d] with length 1, zeros as they are."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(float).tiny)
