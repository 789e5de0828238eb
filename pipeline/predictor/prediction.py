"""Prediction: the probability of the next bit, mixed in the logistic domain from everything that the memory offers.

Each slot gives two inputs: the logit of its own probability, weighted by how often the slot was used, and the logit of
what followed wherever the same last bits came in a slot of this context. A copy gives the logit of its trust, signed by
the bit it expects; the recurrent state gives z = Re<R[bits so far], h>, the delay line the sum of its weights. The
mixer is a few logistic regressions on the same inputs, each with weights chosen by something else (longest suffix seen,
last symbol, bits so far), and one on top of them. Tables that say what came of such a prediction before (calibration)
are averaged in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.predictor.engine import compiled
from pipeline.predictor.representation import CONTEXTS, COPIES, DELAYS, Copies, Delays, Memory, Recurrent

USES = 9  # classes of how often a slot was used
INDIRECT = CONTEXTS * USES  # the weights: contexts by use, contexts' last bits, copies, state, delays, bias
COPIED = INDIRECT + CONTEXTS
STATE = COPIED + 2 * COPIES
BIAS = STATE + 2
WEIGHTS = BIAS + 1
RECURRENT = 2 * (CONTEXTS + COPIES)  # the place of z among the inputs
DELAYED = RECURRENT + 1
INPUTS = RECURRENT + 3
SETS = 3
CHOICES = 1024  # weight vectors of a set
STEPS = 24  # a calibration table's places between logits of -LIMIT and LIMIT
LIMIT = 12.0
CERTAIN = 1 << 16  # probabilities are coded in 16 bits
TABLES = 2


class Mixer(NamedTuple):
    """Weights, and the last prediction: what went in and what came out of each set."""

    weights: np.ndarray  # float64 [SETS, CHOICES, WEIGHTS]
    top: np.ndarray  # float64 [256, SETS]: weights of the sets by bits so far
    steps: np.ndarray  # float64 [SETS, CHOICES]: how often these weights were moved
    chosen: np.ndarray  # int64 [SETS]: which weights each set has for this bit
    inputs: np.ndarray  # float64 [INPUTS]
    weight: np.ndarray  # int64 [INPUTS]: which weight each input has
    logits: np.ndarray  # float64 [SETS]
    mixed: np.ndarray  # float64 [2]: logit and probability of the mixture
    trust: np.ndarray  # float64 [CONTEXTS, 3, 256]: P(1) after such last bits in a slot of this context
    trust_count: np.ndarray  # int64 [CONTEXTS, 3, 256]


class Calibration(NamedTuple):
    """P(1) by bits so far and last symbol, and by the logit of the mixture, interpolated."""

    table: np.ndarray  # float32 [TABLES, 65536, STEPS + 1]
    row: np.ndarray  # int64 [TABLES]
    below: np.ndarray  # int64 [1]
    share: np.ndarray  # float64 [1]: how far the logit is from ``below`` to the next place


@compiled
def logistic(z: float) -> float:
    return 1.0 / (1.0 + np.exp(-z))


@compiled
def logit(p: float) -> float:
    return np.log(p / (1.0 - p))


@compiled
def use_class(count: int) -> int:
    """0 for a slot that is new, to USES - 1."""
    if count < 4:
        return count
    return 4 if count < 6 else 5 if count < 10 else 6 if count < 20 else 7 if count < 60 else 8


@compiled
def age(count: int) -> int:
    return 0 if count < 8 else 1 if count < 40 else 2


@compiled
def read_state(recurrent: Recurrent, node: int) -> float:
    """z = Re<R[node], h>."""
    h, row = recurrent.h, recurrent.readout[node]
    n = recurrent.nu.size
    one, two, three, four = 0.0, 0.0, 0.0, 0.0  # independent sums, so that additions need not wait for each other
    for i in range(0, n - 1, 2):
        one += row[0, i] * h[0, i]
        two += row[1, i] * h[1, i]
        three += row[0, i + 1] * h[0, i + 1]
        four += row[1, i + 1] * h[1, i + 1]
    if n & 1:
        one += row[0, n - 1] * h[0, n - 1]
        two += row[1, n - 1] * h[1, n - 1]
    return (one + two) + (three + four)


@compiled
def read_delays(delays: Delays, within: int) -> float:
    """z = the sum of D over the delayed symbols; ``within`` is a 1 and the bits so far in this half."""
    weights, rows = delays.weights, delays.rows
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    for i in range(0, DELAYS, 4):
        one += weights[rows[i] + within]
        two += weights[rows[i + 1] + within]
        three += weights[rows[i + 2] + within]
        four += weights[rows[i + 3] + within]
    return (one + two) + (three + four)


@compiled
def gather(memory: Memory, copies: Copies, mixer: Mixer, stretch: np.ndarray, last_bits: bool) -> None:
    """Lay out the inputs of the mixer, but for those of the state and of the delays."""
    inputs, weight = mixer.inputs, mixer.weight
    for context in range(CONTEXTS):
        inputs[2 * context] = 0.0
        inputs[2 * context + 1] = 0.0
        weight[2 * context] = context * USES
        weight[2 * context + 1] = INDIRECT + context
        if memory.used[context]:
            slot = memory.slots[memory.found[context]]
            count = (slot >> 22) & 1023
            if count > 0:
                inputs[2 * context] = stretch[(slot >> 10) & 4095]
                weight[2 * context] = context * USES + use_class(count)
                if last_bits:
                    inputs[2 * context + 1] = logit(mixer.trust[context, age(count), (slot >> 32) & 255])
    at = 2 * CONTEXTS
    for copy in range(COPIES):
        bit = copies.expected[copy]
        inputs[at] = 0.0
        inputs[at + 1] = 0.0
        weight[at] = COPIED + 2 * copy
        weight[at + 1] = COPIED + 2 * copy + 1
        if bit >= 0:
            trust = copies.trust[copy, min(copies.length[copy], 63), 0]
            inputs[at] = logit(trust) if bit else -logit(trust)
            inputs[at + 1] = (trust - 0.5) * (4.0 if bit else -4.0)
        at += 2
    weight[RECURRENT] = STATE
    weight[DELAYED] = STATE + 1
    inputs[INPUTS - 1] = 0.3
    weight[INPUTS - 1] = BIAS


@compiled
def mix(mixer: Mixer, node: int) -> None:
    """The mixture of all inputs: ``logits`` of the sets, ``mixed`` of all."""
    total = 0.0
    for which in range(SETS):
        weights = mixer.weights[which, mixer.chosen[which]]
        z = 0.0
        for place in range(INPUTS):
            z += weights[mixer.weight[place]] * mixer.inputs[place]
        z = min(max(z, -LIMIT), LIMIT)
        mixer.logits[which] = z
        total += mixer.top[node, which] * z
    total = min(max(total, -LIMIT), LIMIT)
    mixer.mixed[0] = total
    mixer.mixed[1] = logistic(total)


@compiled
def calibrate(calibration: Calibration, mixed: np.ndarray, node: int, last: int, before: int) -> float:
    """P(1), averaged over the mixture and what came of such mixtures before."""
    place = (mixed[0] + LIMIT) * (STEPS / (2.0 * LIMIT))
    below = min(int(place), STEPS - 1)
    share = place - below
    calibration.below[0] = below
    calibration.share[0] = share
    calibration.row[0] = node * 256 + last
    calibration.row[1] = (node * 256 + before * 79 + last * 17) & 0xFFFF
    p = 2.0 * mixed[1]
    for which in range(TABLES):
        row = calibration.table[which, calibration.row[which]]
        p += row[below] * (1.0 - share) + row[below + 1] * share
    return p / (2.0 + TABLES)


@compiled
def quantised(p: float) -> int:
    """P(1) in units of 1 / CERTAIN, never 0 nor 1: what is coded, and what is charged."""
    return min(max(int(p * CERTAIN + 0.5), 1), CERTAIN - 1)


def stretch_table() -> np.ndarray:
    """The logits of the 4096 probabilities that a slot's first twelve bits tell apart; float64 [4096]."""
    p = (np.arange(4096) + 0.5) / 4096
    return np.log(p / (1 - p))
