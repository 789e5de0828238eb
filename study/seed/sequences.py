"""Streams of known entropy rate, and for each symbol what a predictor that knows the source would be charged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LETTERS = 8


@dataclass(frozen=True)
class Sequence:
    """``data`` and its floor: the bits of each symbol (float64 [N]) for whoever knows the source but not its dice.

    ``parameters`` is how many free numbers the source has, for its parametric cost of k / 2 log2 N bits; None where it
    has a rule rather than numbers.
    """

    data: bytes
    floor: np.ndarray
    parameters: int | None = None

    @property
    def parametric_cost(self) -> float | None:
        """k / 2 log2 N, in bits per symbol."""
        size = len(self.data)
        return None if self.parameters is None else self.parameters / 2 * np.log2(size) / size


def letters(values: np.ndarray | list[int]) -> bytes:
    return bytes(97 + int(value) for value in values)


def markov(random: np.random.Generator, size: int) -> Sequence:
    """Order 3 over four symbols; each row is drawn from Dirichlet(1/2)."""
    table = random.dirichlet(np.full(4, 0.5), size=(4, 4, 4))
    values, floor = [0, 0, 0], []
    for _ in range(size):
        row = table[values[-3], values[-2], values[-1]]
        value = int(random.choice(4, p=row))
        values.append(value)
        floor.append(-np.log2(row[value]))
    return Sequence(letters(values[3:]), np.array(floor), 4**3 * 3)


def periodic(random: np.random.Generator, size: int) -> Sequence:
    """A period of 37 random letters; only the first one costs anything."""
    period = random.integers(0, LETTERS, 37)
    floor = np.zeros(size)
    floor[:37] = np.log2(LETTERS)
    return Sequence(letters(np.resize(period, size)), floor)


def copies(random: np.random.Generator, size: int) -> Sequence:
    """``w|w`` and a line break, w of 5 to 29 random letters."""
    data, floor = bytearray(), []
    while len(data) < size:
        length = int(random.integers(5, 30))
        word = letters(random.integers(0, LETTERS, length))
        data += word + b"|" + word + b"\n"
        floor += [stop(at, 5, 29, ends=False) + np.log2(LETTERS) for at in range(length)]
        floor += [stop(length, 5, 29, ends=True)] + [0.0] * (length + 1)
    return Sequence(bytes(data[:size]), np.array(floor[:size]))


def stop(at: int, shortest: int, longest: int, *, ends: bool) -> float:
    """Bits of hearing that a run, its length uniform from ``shortest`` to ``longest``, ends at ``at`` or does not."""
    hazard = 0.0 if at < shortest else 1.0 / (longest - at + 1)
    return float(-np.log2(hazard if ends else 1.0 - hazard))


def lag_copy(random: np.random.Generator, size: int) -> Sequence:
    """Each letter is the one 23 back, or with 10 % a random one."""
    values = [int(value) for value in random.integers(0, LETTERS, 23)]
    floor = [np.log2(LETTERS)] * 23
    same = 0.9 + 0.1 / LETTERS
    while len(values) < size:
        values.append(values[-23] if random.random() < 0.9 else int(random.integers(0, LETTERS)))
        floor.append(-np.log2(same if values[-1] == values[-24] else 0.1 / LETTERS))
    return Sequence(letters(values), np.array(floor))


def equal_runs(random: np.random.Generator, size: int) -> Sequence:
    """a^n b^n, n uniform from 1 to 20."""
    data, floor = bytearray(), []
    while len(data) < size:
        n = int(random.integers(1, 21))
        data += b"a" * n + b"b" * n
        floor += [0.0] + [stop(at, 1, 20, ends=False) for at in range(1, n)] + [stop(n, 1, 20, ends=True)]
        floor += [0.0] * (n - 1)
    return Sequence(bytes(data[:size]), np.array(floor[:size]))


def counting(random: np.random.Generator, size: int) -> Sequence:
    """The numbers from a random start on, each after a blank."""
    start = int(random.integers(100, 1000))
    data = " ".join(str(number) for number in range(start, start + size // 4))[:size].encode()
    return Sequence(data, np.zeros(size))


def sums(random: np.random.Generator, size: int) -> Sequence:
    """``a+b=c;`` with c the sum's last digit."""
    pairs = random.integers(0, 10, (size // 6 + 1, 2))
    data = b"".join(b"%d+%d=%d;" % (a, b, (a + b) % 10) for a, b in pairs)[:size]
    return Sequence(data, np.resize(np.log2([10.0, 1, 10, 1, 1, 1]), size))


def brackets(random: np.random.Generator, size: int) -> Sequence:
    """Nested brackets of three kinds, at most ten deep: opened or closed with 1/2 each."""
    opened: list[int] = []
    data, floor = bytearray(), []
    for _ in range(size):
        opens = not opened or (len(opened) < 10 and random.random() < 0.5)
        free = 1.0 if opened and len(opened) < 10 else 0.0
        if opens:
            opened.append(int(random.integers(0, 3)))
            data += b"([{"[opened[-1] :][:1]
            floor.append(free + np.log2(3))
        else:
            data += b")]}"[opened.pop() :][:1]
            floor.append(free)
    return Sequence(bytes(data), np.array(floor))


def depths(data: bytes) -> np.ndarray:
    """How many brackets are open after each symbol; int64 [N]."""
    return np.cumsum([1 if symbol in b"([{" else -1 for symbol in data])


def switching(random: np.random.Generator, size: int) -> Sequence:
    """Four sources of order 1 over eight letters that take turns, 500 symbols each on average."""
    tables = random.dirichlet(np.full(LETTERS, 0.25), size=(4, LETTERS))
    belief, source, before = np.full(4, 0.25), int(random.integers(0, 4)), 0
    values, floor = [], []
    for _ in range(size):
        if random.random() < 1 / 500:
            source = int(random.integers(0, 4))
        value = int(random.choice(LETTERS, p=tables[source, before]))
        belief = belief * (1 - 1 / 500) + 0.25 / 500  # the exact filter of somebody who knows the sources
        likely = belief * tables[:, before, value]
        floor.append(-np.log2(likely.sum()))
        belief = likely / likely.sum()
        values.append(value)
        before = value
    return Sequence(letters(values), np.array(floor), 4 * LETTERS * (LETTERS - 1))


SOURCES: dict[str, Callable[[np.random.Generator, int], Sequence]] = {
    "markov": markov,
    "periodic": periodic,
    "copies": copies,
    "lag copy": lag_copy,
    "a^n b^n": equal_runs,
    "counting": counting,
    "sums mod 10": sums,
    "brackets": brackets,
    "switching": switching,
}
