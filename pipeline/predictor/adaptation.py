"""Adaptation: after every bit, and after every symbol, the error moves what made the prediction.

Slots and tables are counts. Everything else goes down the gradient of its code length: each set of the mixer and the
top by its own, and the read-out R, nu, theta and E by that of the recurrent state's own prediction, the last three
through the forward traces, with no way back through time. Steps of the recurrent part are scaled by AdaGrad.
"""

from __future__ import annotations

import numpy as np

from pipeline.predictor.engine import compiled
from pipeline.predictor.prediction import INPUTS, SETS, TABLES, Calibration, Mixer, age, logistic
from pipeline.predictor.representation import (
    CONTEXTS,
    COPIES,
    DELAYS,
    MOST_SEEN,
    Copies,
    Delays,
    Memory,
    Recurrent,
    sum_of_squares,
)

# The rates; no stream chooses its own.
RATES = {
    "slot memory": 400.0,  # a slot's probability is a mean over about so many of its last bits
    "trust memory": 400.0,  # and so is what its last bits are trusted for
    "mixer": 0.04,  # the first step of a weight vector
    "mixer decay": 0.01,  # falls as 1 / sqrt(1 + decay * steps)
    "mixer least": 0.002,
    "top": 0.002,
    "calibration": 0.02,
    "readout": 0.5,
    "time constants": 0.003,
    "embedding": 0.1,
    "delays": 0.4,
}
SLOTS, TRUST, MIXING, DECAY, LEAST, TOP, CALIBRATING, READING, TIMING, EMBEDDING, DELAYING = range(len(RATES))


@compiled
def adapt_slots(memory: Memory, mixer: Mixer, bit: int, rates: np.ndarray) -> None:
    """Move each slot's probability, and what its last bits are trusted for, to ``bit``."""
    for context in range(CONTEXTS):
        if not memory.used[context]:
            continue
        place = memory.found[context]
        slot = memory.slots[place]
        p, count, last = slot & 0x3FFFFF, (slot >> 22) & 1023, (slot >> 32) & 255
        if count > 0:
            old = age(count)
            seen = mixer.trust_count[context, old, last]
            trust = mixer.trust[context, old, last]
            mixer.trust[context, old, last] = min(max(trust + (bit - trust) / (seen + 1.5), 1e-4), 1 - 1e-4)
            if seen < rates[TRUST]:
                mixer.trust_count[context, old, last] = seen + 1
        share = 1.0 / min(count + 1.5, rates[SLOTS])
        p += int(((0x3FFFFF if bit else 0) - p) * share)
        last = (last << 1) | bit
        if last > 255:
            last = 128 | (last & 127)
        memory.slots[place] = ((slot >> 40) << 40) | (last << 32) | (min(count + 1, MOST_SEEN) << 22) | p


@compiled
def adapt_copies(copies: Copies, bit: int) -> None:
    """Count whether each copy was right."""
    for copy in range(COPIES):
        if copies.expected[copy] >= 0:
            length = min(copies.length[copy], 63)
            right = 1.0 if copies.expected[copy] == bit else 0.0
            seen = copies.trust[copy, length, 1]
            copies.trust[copy, length, 0] += (right - copies.trust[copy, length, 0]) / (seen + 1.5)
            copies.trust[copy, length, 0] = min(max(copies.trust[copy, length, 0], 1e-5), 1 - 1e-5)
            copies.trust[copy, length, 1] = min(seen + 1.0, 250.0)


@compiled
def set_gradient(mixer: Mixer, which: int, bit: int, gradient: np.ndarray) -> None:
    """d(nats of the set's own prediction) / d(weight of each input), into ``gradient`` [INPUTS]."""
    error = logistic(mixer.logits[which]) - bit
    for place in range(INPUTS):
        gradient[place] = error * mixer.inputs[place]


@compiled
def top_gradient(mixer: Mixer, bit: int, gradient: np.ndarray) -> None:
    """d(nats of the mixture) / d(weight of each set), into ``gradient`` [SETS]."""
    for which in range(SETS):
        gradient[which] = (mixer.mixed[1] - bit) * mixer.logits[which]


@compiled
def adapt_mixer(mixer: Mixer, node: int, bit: int, rates: np.ndarray, room: np.ndarray) -> None:
    """A step down both gradients; ``room`` [INPUTS] is where they are laid out."""
    for which in range(SETS):
        chosen = mixer.chosen[which]
        set_gradient(mixer, which, bit, room)
        step = max(rates[LEAST], rates[MIXING] / np.sqrt(1.0 + mixer.steps[which, chosen] * rates[DECAY]))
        mixer.steps[which, chosen] += 1.0
        weights = mixer.weights[which, chosen]
        for place in range(INPUTS):
            weights[mixer.weight[place]] -= step * room[place]
    top_gradient(mixer, bit, room)
    for which in range(SETS):
        mixer.top[node, which] -= rates[TOP] * room[which]


@compiled
def adapt_calibration(calibration: Calibration, bit: int, step: float) -> None:
    """Move the two places around the last prediction to ``bit``."""
    below, share = calibration.below[0], calibration.share[0]
    for which in range(TABLES):
        row = calibration.table[which, calibration.row[which]]
        row[below] += (bit - row[below]) * (step * (1.0 - share))
        row[below + 1] += (bit - row[below + 1]) * (step * share)


@compiled
def readout_gradient(recurrent: Recurrent, error: float, gradient: np.ndarray) -> None:
    """d(nats) / dR[node], into ``gradient`` [2, n], where ``error`` is d(nats) / dz."""
    for part in range(2):
        for i in range(recurrent.nu.size):
            gradient[part, i] = error * recurrent.h[part, i]


@compiled
def want_state(recurrent: Recurrent, node: int, error: float) -> None:
    """Add d(nats of this bit) / dh to what the symbol's bits want of the state."""
    for part in range(2):
        for i in range(recurrent.nu.size):
            recurrent.wanted[part, i] += error * recurrent.readout[node, part, i]


@compiled
def adapt_readout(recurrent: Recurrent, node: int, error: float, rate: float, room: np.ndarray) -> None:
    """A step down the gradient of R[node]."""
    readout_gradient(recurrent, error, room)
    n = recurrent.nu.size
    recurrent.squares_readout[node] += error * error * recurrent.power[0]
    step = rate / np.sqrt(recurrent.squares_readout[node] + 1e-8)
    for part in range(2):
        for i in range(n):
            recurrent.readout[node, part, i] -= step * room[part, i]


@compiled
def adapt_delays(delays: Delays, node: int, within: int, error: float, rate: float) -> None:
    """A step down the gradient of D, which is ``error`` = d(nats) / dz for each delayed symbol's weight."""
    delays.squares[node] += error * error
    step = rate * error / np.sqrt(1.0 + delays.squares[node])
    for distance in range(DELAYS):
        delays.weights[delays.rows[distance] + within] -= step


@compiled
def rate_gradients(recurrent: Recurrent, gradient: np.ndarray) -> None:
    """d(nats of the symbol) / dnu and / dtheta, into ``gradient`` [2, n]."""
    g, by_nu, by_theta = recurrent.wanted, recurrent.trace_nu, recurrent.trace_theta
    for i in range(recurrent.nu.size):
        gradient[0, i] = g[0, i] * by_nu[0, i] + g[1, i] * by_nu[1, i]
        gradient[1, i] = g[0, i] * by_theta[0, i] + g[1, i] * by_theta[1, i]


@compiled
def embedding_gradient(recurrent: Recurrent, symbol: int, gradient: np.ndarray) -> None:
    """d(nats of the symbol) / dE[symbol], real and imaginary, into ``gradient`` [2, n]."""
    g, trace = recurrent.wanted, recurrent.trace_embedding[symbol]
    for i in range(recurrent.nu.size):
        gradient[0, i] = g[0, i] * trace[0, i] + g[1, i] * trace[1, i]
        gradient[1, i] = g[1, i] * trace[0, i] - g[0, i] * trace[1, i]


@compiled
def adapt_recurrence(recurrent: Recurrent, rates: np.ndarray, room: np.ndarray) -> None:
    """A step down the gradients of nu, theta and E by what the last symbol wanted; ``wanted`` is then zero."""
    n = recurrent.nu.size
    rate_gradients(recurrent, room)
    for part in range(2):
        for i in range(n):
            recurrent.squares_rates[part, i] += room[part, i] * room[part, i]
            step = rates[TIMING] * room[part, i] / np.sqrt(recurrent.squares_rates[part, i] + 1e-8)
            if part == 0:
                recurrent.nu[i] -= step
            else:
                recurrent.theta[i] -= step
    for symbol in range(256):
        if not recurrent.seen[symbol]:
            continue
        embedding_gradient(recurrent, symbol, room)
        recurrent.squares_embedding[symbol] += sum_of_squares(room)
        scale = rates[EMBEDDING] / np.sqrt(recurrent.squares_embedding[symbol] + 1e-8)
        for part in range(2):
            for i in range(n):
                recurrent.embedding[symbol, part, i] -= scale * room[part, i]
    for part in range(2):
        for i in range(n):
            recurrent.wanted[part, i] = 0.0
