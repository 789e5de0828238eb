"""The learner's pass over a stream: predict a bit, pay for it, adapt; once over every symbol, in order.

The cost of a symbol is the sum of -log2 p over its eight bits, with the quantised p that the coder uses. The same loop
learns, encodes and decodes, so the three cannot differ in a digit.
"""

from __future__ import annotations

import numpy as np

from pipeline.predictor.adaptation import (
    CALIBRATING,
    DELAYING,
    READING,
    adapt_calibration,
    adapt_copies,
    adapt_delays,
    adapt_mixer,
    adapt_readout,
    adapt_recurrence,
    adapt_slots,
    want_state,
)
from pipeline.predictor.coder import decode_bit, encode_bit
from pipeline.predictor.engine import compiled
from pipeline.predictor.prediction import (
    CERTAIN,
    DELAYED,
    RECURRENT,
    calibrate,
    gather,
    logistic,
    mix,
    quantised,
    read_delays,
    read_state,
)
from pipeline.predictor.representation import (
    COPIES,
    ORDERS,
    PAST,
    begin_half,
    begin_symbol,
    find_copies,
    find_delayed,
    find_slots,
    move_state,
    remember,
)
from pipeline.predictor.state import CALIBRATED, COPY, DELAY_LINE, LAG, LAST_BITS, MANY_SETS, STATE, TRACES, Learner

LEARN, ENCODE, DECODE = range(3)


@compiled
def in_half(node: int, bit: int) -> int:
    """A 1 and the bits so far in this half of the byte: 1 to 15."""
    return node if bit < 4 else (1 << (bit - 4)) | (node & ((1 << (bit - 4)) - 1))


@compiled
def choose_sets(learner: Learner, node: int) -> None:
    """The weights of each set: by the longest suffix seen and what may be copied, by the last symbol, by node."""
    memory, copies, chosen = learner.memory, learner.copies, learner.mixer.chosen
    if not learner.parts[MANY_SETS]:
        chosen[:] = 0
        return
    longest = 0
    for order in range(1, ORDERS):
        if memory.used[order] and (memory.slots[memory.found[order]] >> 22) & 1023 > 0:
            longest = order
    match = 0
    for copy in range(COPIES - 1):
        if match == 0 and copies.expected[copy] >= 0:
            match = 1 if copies.length[copy] < 16 else 2 if copies.length[copy] < 32 else 3
    lag = 1 + (copies.length[COPIES - 1] >> 4) if copies.expected[COPIES - 1] >= 0 else 0
    chosen[0] = (longest * 4 + match) * 5 + lag
    chosen[1] = copies.past[(copies.time[0] - 1) & (PAST - 1)]
    chosen[2] = node


@compiled
def predict_bit(learner: Learner, node: int, bit: int) -> int:
    """P(1) of bit 0 to 7 in units of 1 / CERTAIN; ``node`` is a 1 and the bits before it."""
    memory, copies, mixer, parts = learner.memory, learner.copies, learner.mixer, learner.parts
    if bit == 0 or bit == 4:
        begin_half(memory, node)
        if parts[DELAY_LINE]:
            find_delayed(learner.delays, copies, 0 if bit == 0 else 1 + (node & 15))
    within = in_half(node, bit)
    find_slots(memory, within)
    find_copies(copies, node, bit, parts[COPY], parts[LAG])
    gather(memory, copies, mixer, learner.stretch, parts[LAST_BITS])
    if parts[STATE]:
        mixer.inputs[RECURRENT] = read_state(learner.recurrent, node)
    if parts[DELAY_LINE]:
        mixer.inputs[DELAYED] = read_delays(learner.delays, within)
    choose_sets(learner, node)
    mix(mixer, node)
    if not parts[CALIBRATED]:
        return quantised(mixer.mixed[1])
    count = copies.time[0]
    last, before = int(copies.past[(count - 1) & (PAST - 1)]), int(copies.past[(count - 2) & (PAST - 1)])
    return quantised(calibrate(learner.calibration, mixer.mixed, node, last, before))


@compiled
def adapt_bit(learner: Learner, node: int, within: int, bit: int) -> None:
    """Learn from the ``bit`` that came at ``node``, ``within`` its half."""
    rates = learner.rates
    if learner.parts[STATE]:
        error = logistic(learner.mixer.inputs[RECURRENT]) - bit
        want_state(learner.recurrent, node, error)
        adapt_readout(learner.recurrent, node, error, rates[READING], learner.room_state)
    if learner.parts[DELAY_LINE]:
        error = logistic(learner.mixer.inputs[DELAYED]) - bit
        adapt_delays(learner.delays, node, within, error, rates[DELAYING])
    adapt_slots(learner.memory, learner.mixer, bit, rates)
    adapt_copies(learner.copies, bit)
    adapt_mixer(learner.mixer, node, bit, rates, learner.room)
    if learner.parts[CALIBRATED]:
        adapt_calibration(learner.calibration, bit, rates[CALIBRATING])


@compiled
def end_symbol(learner: Learner, symbol: int) -> None:
    """Learn from the whole ``symbol`` and take it into the past."""
    if learner.parts[STATE]:
        if learner.parts[TRACES]:
            adapt_recurrence(learner.recurrent, learner.rates, learner.room_state)
        move_state(learner.recurrent, symbol)
    remember(learner.memory, learner.copies, symbol)
    begin_symbol(learner.memory, learner.copies)


@compiled
def pass_over(
    learner: Learner,
    symbols: np.ndarray,
    bits: np.ndarray,
    hits: np.ndarray,
    coder: np.ndarray,
    code: np.ndarray,
    task: int,
) -> None:
    """Learn ``symbols`` (uint8 [N]), and encode them to ``code`` or decode them from it where ``task`` says so.

    ``bits`` (float64 [N]) takes the cost of each symbol, ``hits`` (bool [N]) whether all eight bits of it were held the
    likelier ones, ``coder`` the coder's registers (coder.py).
    """
    for place in range(symbols.size):
        symbol, node, cost, hit = int(symbols[place]), 1, 0.0, True
        for bit in range(8):
            p = predict_bit(learner, node, bit)
            if task == DECODE:
                value = decode_bit(coder, code, p)
            else:
                value = (symbol >> (7 - bit)) & 1
                if task == ENCODE:
                    encode_bit(coder, code, p, value)
            cost -= np.log2((p if value else CERTAIN - p) / CERTAIN)
            hit = hit and (2 * p >= CERTAIN) == (value == 1)
            adapt_bit(learner, node, in_half(node, bit), value)
            node = 2 * node + value
        symbol = node - 256
        symbols[place], bits[place], hits[place] = symbol, cost, hit
        end_symbol(learner, symbol)


def learn(learner: Learner, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Learn ``symbols`` (uint8 [N]); their costs in bits (float64 [N]), and which were guessed (bool [N])."""
    bits, hits = np.zeros(symbols.size), np.zeros(symbols.size, dtype=bool)
    pass_over(learner, symbols.copy(), bits, hits, np.zeros(4, dtype=np.int64), np.zeros(1, dtype=np.uint8), LEARN)
    return bits, hits
