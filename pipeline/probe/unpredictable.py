"""Tokens that can never be the unique arg max of an output layer, whatever the model computes before it.

Token k is out of reach if no hidden vector h gives ``w_k h + b_k`` more than every other token's score (Demeter et al.
2020; Grivas et al. 2022; docs/derivations/03). First a witness is searched for, a vector that predicts k; only for
tokens without one a linear programme decides.

Behind a LayerNorm h is ``gain * z + shift`` with z of mean 0 and squared length d. That is the same question with other
weights and biases (``behind_norm``) about vectors z on a sphere. No programme is linear on a sphere, so it asks about
the box around it: what is out of reach in the box is so on the sphere, and a few tokens may stay undecided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

AT_ONCE = 1024  # tokens searched for together
CUTS = 64  # rivals that a programme takes up at once
TOLERANCE = 1e-9  # of a margin


@dataclass(frozen=True)
class Reach:
    """Which tokens an output layer can predict: ids, rising."""

    never: np.ndarray  # int64, out of reach
    undecided: np.ndarray  # int64, no witness found, and the programme leaves room for one
    by_programme: int  # tokens that the search left to a programme


def behind_norm(
    weights: np.ndarray, bias: np.ndarray, gain: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights [V, d] and biases [V] on a LayerNorm's output as such on its normalized vector z, which has mean 0."""
    scaled = weights * gain
    return scaled - scaled.mean(1, keepdims=True), bias + weights @ shift


def reach(weights: np.ndarray, bias: np.ndarray, radius: float | None = None, rounds: int = 100) -> Reach:
    """Which of the tokens with ``weights`` [V, d] and ``bias`` [V] can be predicted.

    Args:
        radius: length of the hidden vectors, sqrt(d) behind a LayerNorm; None: any vector.
        rounds: steps of the search for a witness.
    """
    weights, bias = weights.astype(np.float64), bias.astype(np.float64)
    left = np.flatnonzero(~witnessed(weights, bias, radius, rounds))
    # No coordinate of a vector of mean 0 and squared length d exceeds sqrt(d - 1).
    box = None if radius is None else radius * math.sqrt(1 - 1 / weights.shape[1])
    margins = np.array([best_margin(weights, bias, int(token), box) for token in left])
    never = left[margins <= TOLERANCE] if len(left) else left
    undecided = np.setdiff1d(left, never) if radius is not None else left[:0]
    return Reach(never, undecided, len(left))


def witnessed(weights: np.ndarray, bias: np.ndarray, radius: float | None, rounds: int) -> np.ndarray:
    """For which tokens a hidden vector was found that predicts them, bool [V].

    Each token's vector starts at its own weights, seen from their mean, and steps away from the rival that wins
    (a perceptron; without bias the steps of Frank and Wolfe, up to their length).
    """
    found = np.zeros(len(weights), dtype=bool)
    typical = np.linalg.norm(weights - weights.mean(0), axis=1).mean()
    for start in range(0, len(weights), AT_ONCE):
        left = np.arange(start, min(start + AT_ONCE, len(weights)))
        directions = weights[left] - weights.mean(0)
        for _ in range(rounds):
            hidden = directions if radius is None else _with_length(directions, radius)
            scores = hidden @ weights.T + bias
            own = scores[np.arange(len(left)), left].copy()
            scores[np.arange(len(left)), left] = -np.inf
            rival = scores.argmax(1)
            beaten = own <= scores.max(1) + TOLERANCE
            found[left[~beaten]] = True
            left, rival, directions = left[beaten], rival[beaten], directions[beaten]
            if not len(left):
                break
            directions = directions + 0.5 * _with_length(weights[left] - weights[rival], typical)
    return found


def best_margin(weights: np.ndarray, bias: np.ndarray, token: int, box: float | None = None) -> float:
    """The largest lead, at most 1, that ``token`` can have over all others; over 0 if it can be predicted.

    Args:
        box: the largest coordinate of the hidden vector, whose mean is then 0; None: any vector.

    The rivals come in as they are needed: a programme with some of them bounds the one with all from above.
    """
    leads, offsets = weights[token] - weights, bias[token] - bias
    others = np.arange(len(weights)) != token
    width = weights.shape[1]
    active = np.argsort(np.where(others, (leads**2).sum(1), np.inf))[: min(CUTS, len(weights) - 1)]
    while True:
        # Variables: the hidden vector and the margin t, to be as large as may be.
        solved = linprog(
            np.append(np.zeros(width), -1.0),
            A_ub=np.column_stack((-leads[active], np.ones(len(active)))),
            b_ub=offsets[active],
            A_eq=None if box is None else np.append(np.ones(width), 0.0)[None],
            b_eq=None if box is None else [0.0],
            bounds=[(None, None) if box is None else (-box, box)] * width + [(None, 1.0)],
            method="highs",
        )
        if solved.status != 0:
            raise ArithmeticError(f"the programme of token {token} was not solved: {solved.message}")
        hidden, margin = solved.x[:width], float(solved.x[width])
        reached = np.where(others, leads @ hidden + offsets, np.inf)
        violated = np.setdiff1d(np.flatnonzero(reached < margin - TOLERANCE), active)
        if margin <= TOLERANCE or not len(violated):
            return margin
        worst = violated[np.argsort(reached[violated])[:CUTS]]
        active = np.union1d(active, worst)


def _with_length(vectors: np.ndarray, length: float) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors * (length / np.maximum(norms, np.finfo(vectors.dtype).tiny))
