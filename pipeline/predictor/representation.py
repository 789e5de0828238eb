"""Representation: what the learner keeps of the past, as a memory of suffixes, copies and a recurrent state.

**Suffix memory.** A symbol is a byte, decided in eight bits. A unit is a character of UTF-8, and any other byte by
itself. For each context (the last 0 to 6 units, words, what stood one lag ago) a slot at hash(context, bits so far)
holds the probability of a 1, how often the slot was used, and the last seven bits that came there.

**Copies.** The symbol that followed when the last 20 (or 8) bytes stood here before, and the one at the lag that has
agreed best lately.

**Recurrent state.** h in C^n, h <- lambda h + gamma E[x] for the symbol x, with lambda = exp(-exp(nu) + i theta) and
gamma = sqrt(1 - |lambda|^2), so that h has the variance of E[x] whatever its time constant. With h go its exact
derivatives by nu, theta and E (forward traces, RTRL): the recurrence is diagonal, so each costs what h costs.

**Delay line.** The last 64 symbols as they are, each at its distance: what h blurs, as the pixels of an image that
ended, stands here. D gives each symbol at each distance a weight for each bit to come.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.predictor.engine import compiled

ORDERS = 7  # contexts of the last 0 to 6 units
WORD, WORDS, LAGGED, SKIPPED, SKIPPED_TWO = range(ORDERS, ORDERS + 5)
CONTEXTS = ORDERS + 5
MATCHES = (20, 8)  # bytes that must agree before a copy is tried
COPIES = len(MATCHES) + 1  # and the best lag
LAGS = 256
DELAYS = 64  # symbols of the delay line
AGREEMENT = 1 / 32  # how fast the agreement of a lag follows
MASK = 2**31 - 1
HALF = 1 << 21  # a probability of 1/2 in 22 bits
PAST, NEWEST = 1 << 22, 1 << 18
FADED = 1e-30  # a trace below it is zero: numbers near the smallest make a processor slow
MOST_SEEN = 1023  # a slot's count, 10 bits


class Memory(NamedTuple):
    """The suffix memory; ``slots`` packs probability (22 bits), count (10), last bits (8, led by a 1), check (16)."""

    slots: np.ndarray  # int64 [2^b]
    units: np.ndarray  # int64 [ORDERS]: hashes of the last units, newest first
    open: np.ndarray  # int64 [4]: hash of the unit begun, bytes it still lacks, word begun, word before
    contexts: np.ndarray  # int64 [CONTEXTS]: hashes for the symbol to come
    places: np.ndarray  # int64 [CONTEXTS]: the sixteen slots of its half
    checks: np.ndarray  # int64 [CONTEXTS]
    found: np.ndarray  # int64 [CONTEXTS]: the slot for the bit to come
    used: np.ndarray  # bool [CONTEXTS]: which contexts this learner has


class Copies(NamedTuple):
    """What may be copied; the last of the COPIES is the lag."""

    past: np.ndarray  # uint8 [PAST], a ring
    time: np.ndarray  # int64 [1]: symbols so far
    newest: np.ndarray  # int64 [MATCHES, NEWEST]: where the symbol after this suffix stands
    pointer: np.ndarray  # int64 [COPIES]: the symbol that is expected
    length: np.ndarray  # int64 [COPIES]: how far the suffix agrees (of the lag: 0 to 63 for its agreement), 0 for none
    agreement: np.ndarray  # float64 [LAGS + 1]: how often x[t] was x[t - lag] lately
    expected: np.ndarray  # int64 [COPIES]: the bit to come, -1 for none
    trust: np.ndarray  # float64 [COPIES, 64, 2]: how often it was right, at the symbol's first bits and later


class Recurrent(NamedTuple):
    """The recurrent state, its traces, what is learned, and the sums of squares that scale its steps (AdaGrad)."""

    nu: np.ndarray  # float64 [n]
    theta: np.ndarray  # float64 [n]
    embedding: np.ndarray  # float64 [256, 2, n]: E, real and imaginary parts
    readout: np.ndarray  # float64 [256, 2, n]: R by bits so far
    h: np.ndarray  # float64 [2, n]
    trace_nu: np.ndarray  # float64 [2, n]: dh / dnu
    trace_theta: np.ndarray  # float64 [2, n]
    trace_embedding: np.ndarray  # float64 [256, 2, n]: dh / dE.real; dh / dE.imaginary is i times that
    seen: np.ndarray  # bool [256]: symbols whose trace has not faded
    turn: np.ndarray  # float64 [3, n]: lambda, real and imaginary, and gamma, of the last step
    power: np.ndarray  # float64 [1]: |h|^2
    wanted: np.ndarray  # float64 [2, n]: d(bits of this symbol) / dh so far
    squares_rates: np.ndarray  # float64 [2, n]
    squares_embedding: np.ndarray  # float64 [256]
    squares_readout: np.ndarray  # float64 [256]


class Delays(NamedTuple):
    """The read-out of the delay line; D[block, distance, symbol, bits so far in this half of the byte].

    The block is 0 for the first four bits, and 1 + those four for the others.
    """

    weights: np.ndarray  # float32 [17 * DELAYS * 256 * 16]
    rows: np.ndarray  # int64 [DELAYS]: where the sixteen weights of each delayed symbol begin in this half
    squares: np.ndarray  # float64 [256]: sums that scale the steps, by bits so far


@compiled
def joined(one: int, two: int) -> int:
    """A hash of two numbers below 2^31; products stay below 2^62, so that Python's and the machine's integers agree."""
    h = (one * 0x2C1B3C6D + two * 0x297A2D39 + 0x5BD1E995) & MASK
    h ^= h >> 15
    h = (h * 0x1B873593) & MASK
    return h ^ (h >> 13)


@compiled
def sum_of_squares(values: np.ndarray) -> float:
    """Of ``values`` [2, n]; in independent sums, so that additions need not wait for each other."""
    n = values.shape[1]
    one, two, three, four, five, six, seven, eight = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(0, n - 3, 4):
        one += values[0, i] * values[0, i]
        two += values[0, i + 1] * values[0, i + 1]
        three += values[0, i + 2] * values[0, i + 2]
        four += values[0, i + 3] * values[0, i + 3]
        five += values[1, i] * values[1, i]
        six += values[1, i + 1] * values[1, i + 1]
        seven += values[1, i + 2] * values[1, i + 2]
        eight += values[1, i + 3] * values[1, i + 3]
    for i in range(n - n % 4, n):
        one += values[0, i] * values[0, i]
        five += values[1, i] * values[1, i]
    return ((one + two) + (three + four)) + ((five + six) + (seven + eight))


@compiled
def begin_symbol(memory: Memory, copies: Copies) -> None:
    """Hash the contexts of the symbol to come."""
    units, contexts, begun = memory.units, memory.contexts, memory.open
    h = begun[0]
    contexts[0] = h
    for order in range(1, ORDERS):
        h = joined(h, units[order - 1])
        contexts[order] = h
    contexts[WORD] = joined(joined(begun[0], begun[2]), 1)
    contexts[WORDS] = joined(contexts[WORD], begun[3])
    count = copies.time[0]
    lagged, last = int(copies.past[copies.pointer[COPIES - 1] & (PAST - 1)]), int(copies.past[(count - 1) & (PAST - 1)])
    contexts[LAGGED] = joined(joined(lagged, last), 2)
    contexts[SKIPPED] = joined(joined(begun[0], units[1]), 3)
    contexts[SKIPPED_TWO] = joined(contexts[SKIPPED], units[2])


@compiled
def begin_half(memory: Memory, node: int) -> None:
    """Choose the sixteen slots of each context for the next four bits; ``node`` is a 1 and the bits so far."""
    mask = memory.slots.size - 16
    for context in range(CONTEXTS):
        h = joined(memory.contexts[context], context * 256 + node)
        memory.places[context] = h & mask
        memory.checks[context] = 1 + joined(h, memory.contexts[context]) % 0xFFFF


@compiled
def find_slots(memory: Memory, node: int) -> None:
    """Point ``found`` to the slot of each context at ``node`` (1 to 15 in its half), an emptied one where it is new."""
    slots = memory.slots
    for context in range(CONTEXTS):
        if not memory.used[context]:
            continue
        check = memory.checks[context]
        place = memory.places[context] + ((node + check) & 15)
        if slots[place] >> 40 != check:
            other = place ^ 16  # the same place of the next sixteen
            if slots[other] >> 40 == check or (slots[other] >> 22) & 1023 < (slots[place] >> 22) & 1023:
                place = other
            if slots[place] >> 40 != check:
                slots[place] = (check << 40) | (1 << 32) | HALF
        memory.found[context] = place


@compiled
def find_delayed(delays: Delays, copies: Copies, block: int) -> None:
    """Point ``rows`` to the weights of the last symbols in ``block``; before the first symbol stood zeros."""
    last = copies.time[0] - 1
    for distance in range(DELAYS):
        symbol = int(copies.past[(last - distance) & (PAST - 1)])
        delays.rows[distance] = ((block * DELAYS + distance) * 256 + symbol) * 16


@compiled
def find_copies(copies: Copies, node: int, bit: int, matches: bool, lag: bool) -> None:
    """Which bit each copy expects, -1 where it has none or was wrong in this symbol; ``bit`` is 0 to 7.

    ``matches`` and ``lag`` say which of them the learner has.
    """
    for copy in range(COPIES):
        copies.expected[copy] = -1
        if copies.length[copy] > 0 and (lag if copy == COPIES - 1 else matches):
            symbol = int(copies.past[copies.pointer[copy] & (PAST - 1)])
            if (symbol | 256) >> (8 - bit) == node:
                copies.expected[copy] = (symbol >> (7 - bit)) & 1


@compiled
def remember(memory: Memory, copies: Copies, symbol: int) -> None:
    """Take ``symbol`` into the suffixes and find what may be copied next."""
    begun, units = memory.open, memory.units
    if begun[1] > 0 and symbol & 0xC0 == 0x80:
        begun[0] = joined(begun[0], symbol + 1)
        begun[1] -= 1
    else:
        begun[0] = symbol + 1
        begun[1] = 3 if symbol >= 0xF0 else 2 if symbol >= 0xE0 else 1 if symbol >= 0xC2 else 0
    if begun[1] == 0:
        for place in range(ORDERS - 1, 0, -1):
            units[place] = units[place - 1]
        units[0] = begun[0]
        begun[0] = 0
    if 65 <= symbol & 0xDF <= 90:
        begun[2] = joined(begun[2], symbol & 0xDF)
    elif begun[2]:
        begun[3] = begun[2]
        begun[2] = 0

    past, count = copies.past, copies.time[0]
    for match in range(len(MATCHES)):
        if copies.length[match] > 0 and past[copies.pointer[match] & (PAST - 1)] == symbol:
            copies.length[match] += 1
        else:
            copies.length[match] = 0
        copies.pointer[match] += 1
    best = 1
    for lag in range(1, LAGS + 1):
        agrees = 1.0 if lag <= count and past[(count - lag) & (PAST - 1)] == symbol else 0.0
        copies.agreement[lag] += (agrees - copies.agreement[lag]) * AGREEMENT
        if copies.agreement[lag] > copies.agreement[best]:
            best = lag
    past[count & (PAST - 1)] = symbol
    count += 1
    copies.time[0] = count
    copies.pointer[COPIES - 1] = count - best
    copies.length[COPIES - 1] = int(copies.agreement[best] * 63.999) if best <= count else 0
    for match in range(len(MATCHES)):
        suffix = MATCHES[match]
        if count < suffix:
            continue
        h = match
        for back in range(1, suffix + 1):
            h = joined(h, int(past[(count - back) & (PAST - 1)]))
        h &= NEWEST - 1
        if copies.length[match] == 0:
            before = copies.newest[match, h]
            length = 0
            if before > 0 and before > count - PAST + 64:
                while (
                    length < 32
                    and length < before
                    and (past[(before - 1 - length) & (PAST - 1)] == past[(count - 1 - length) & (PAST - 1)])
                ):
                    length += 1
            if length >= suffix:
                copies.pointer[match] = before
                copies.length[match] = length
        copies.newest[match, h] = count


@compiled
def move_state(recurrent: Recurrent, symbol: int) -> None:
    """One step of the recurrence with ``symbol``, and of the traces of its derivatives."""
    h, by_nu, by_theta, by_embedding = (
        recurrent.h,
        recurrent.trace_nu,
        recurrent.trace_theta,
        recurrent.trace_embedding,
    )
    recurrent.seen[symbol] = True
    n = recurrent.nu.size
    real, imaginary, gammas = recurrent.turn[0], recurrent.turn[1], recurrent.turn[2]
    for i in range(n):
        rate = np.exp(recurrent.nu[i])
        modulus = np.exp(-rate)
        a, b = modulus * np.cos(recurrent.theta[i]), modulus * np.sin(recurrent.theta[i])
        gamma = np.sqrt(1.0 - modulus * modulus)
        slope = rate * modulus * modulus / gamma  # dgamma / dnu
        x, y = recurrent.embedding[symbol, 0, i], recurrent.embedding[symbol, 1, i]
        u, v = h[0, i], h[1, i]
        p, q = by_nu[0, i], by_nu[1, i]
        by_nu[0, i] = a * p - b * q - rate * (a * u - b * v) + slope * x
        by_nu[1, i] = a * q + b * p - rate * (a * v + b * u) + slope * y
        p, q = by_theta[0, i], by_theta[1, i]
        by_theta[0, i] = a * p - b * q - (a * v + b * u)
        by_theta[1, i] = a * q + b * p + (a * u - b * v)
        h[0, i] = a * u - b * v + gamma * x
        h[1, i] = a * v + b * u + gamma * y
        real[i], imaginary[i], gammas[i] = a, b, gamma
    recurrent.power[0] = sum_of_squares(h)
    for other in range(256):
        if recurrent.seen[other]:
            row, left = by_embedding[other], 0
            for i in range(n):
                p, q = row[0, i], row[1, i]
                u, v = real[i] * p - imaginary[i] * q, real[i] * q + imaginary[i] * p
                stays = u * u + v * v >= FADED * FADED
                row[0, i] = u if stays else 0.0
                row[1, i] = v if stays else 0.0
                left += stays
            recurrent.seen[other] = left > 0 or other == symbol
    for i in range(n):
        by_embedding[symbol, 0, i] += gammas[i]
