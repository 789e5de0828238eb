"""What the source expects of its algorithm at scale, one experiment each; an expectation that fails is a result too."""

from __future__ import annotations

import numpy as np

from pipeline.predictor.learner import learn
from pipeline.predictor.state import Setting, new_learner
from study.seed.grid_world import walk
from study.seed.rungs import Measured, costs, dice
from study.seed.sequences import SOURCES, depths

RIDGE = 1e-3
UNITS = (8, 16, 32, 64)


def abstraction(size: int) -> Measured:
    """How much of depth (nested brackets) and phase (a period) a linear probe of h explains, by units.

    Beside it: the same state with its time constants and embedding left as they were drawn.
    """
    streams = {
        "depth": SOURCES["brackets"](dice(101), size).data,
        "phase": SOURCES["periodic"](dice(101), size).data,
    }
    angle = np.arange(size) * 2 * np.pi / 37
    wanted = {"depth": depths(streams["depth"])[:, None], "phase": np.stack([np.cos(angle), np.sin(angle)], axis=1)}
    found: Measured = {}
    for name, data in streams.items():
        for units in UNITS:
            states = {
                kind: states_of(data, Setting(units=units, slot_bits=16, without=without))
                for kind, without in (("learned", ()), ("as drawn", ("traces",)))
            }
            found.setdefault(name, {})[str(units)] = {
                kind: explained(state, wanted[name]) for kind, state in states.items()
            }
    return found


def states_of(data: bytes, setting: Setting) -> np.ndarray:
    """h after each symbol, real and imaginary parts; float64 [N, 2 n]."""
    learner, symbols = new_learner(setting), np.frombuffer(data, np.uint8)
    states = np.zeros((symbols.size, 2 * setting.units))
    for place in range(symbols.size):
        learn(learner, symbols[place : place + 1])
        states[place] = learner.recurrent.h.ravel()
    return states


def explained(states: np.ndarray, wanted: np.ndarray) -> float:
    """R^2 on the last third of a ridge regression fitted to the second third."""
    third = len(states) // 3
    features = np.concatenate([states, np.ones((len(states), 1))], axis=1)
    train, test = slice(third, 2 * third), slice(2 * third, None)
    gram = features[train].T @ features[train] + RIDGE * third * np.eye(features.shape[1])
    guess = features[test] @ np.linalg.solve(gram, features[train].T @ wanted[train])
    rest = wanted[test] - wanted[train].mean(axis=0)
    return float(1 - ((wanted[test] - guess) ** 2).sum() / (rest**2).sum())


def composition(size: int) -> dict[str, float]:
    """Bits of the answer to a + b for pairs that never came, after many that did; a guess would cost log2 10 = 3.32."""
    random = dice(101)
    held_out = {divmod(int(pair), 10) for pair in random.permutation(100)[:10]}
    trained = [(a, b) for a in range(10) for b in range(10) if (a, b) not in held_out]
    pairs = [trained[int(place)] for place in random.integers(0, len(trained), size // 6)]
    known = len(pairs)
    tests = [*sorted(held_out)]
    line = [b"%d+%d=%d;" % (a, b, (a + b) % 10) for a, b in pairs + tests]
    bits = costs(b"".join(line))[4::6]
    return {"trained_pairs": float(bits[known - 200 : known].mean()), "held_out_pairs": float(bits[known:].mean())}


def meta_learning(sources: int, length: int) -> Measured:
    """Regret on the n-th new source of one family (order 1 over eight letters), in bits per symbol.

    ``fresh`` is a learner that saw nothing before, on the same sources. The slope is that of regret against log2 n,
    from the second source on.
    """
    random = dice(101)
    parts, floors = [], []
    for _ in range(sources):
        table = random.dirichlet(np.full(8, 0.25), size=8)
        value, values, floor = 0, [], 0.0
        for _ in range(length):
            row = table[value]
            value = int(random.choice(8, p=row))
            floor -= np.log2(row[value])
            values.append(value)
        parts.append(bytes(97 + value for value in values))
        floors.append(floor / length)
    bits = costs(b"".join(parts)).reshape(sources, length).mean(axis=1)
    regret = bits - np.array(floors)
    fresh = [float(costs(part).mean() - floor) for part, floor in zip(parts, floors, strict=True)]
    x, y = np.log2(np.arange(2, sources + 1)), regret[1:]
    x = x - x.mean()
    slope = float((x * y).sum() / (x**2).sum())
    rest = y - y.mean() - slope * x
    error = float(np.sqrt((rest**2).sum() / (len(y) - 2) / (x**2).sum()))
    quarter = sources // 4
    return {
        "regret": [float(value) for value in regret],
        "first_quarter": float(regret[1:quarter].mean()),
        "last_quarter": float(regret[-quarter:].mean()),
        "fresh": float(np.mean(fresh)),
        "slope_per_doubling": slope,
        "slope_standard_error": error,
    }


def causes(length: int) -> dict[str, float]:
    """A grid with a wind that the walker knows and follows: what watching is worth when actions are set.

    Bits per window in the first 500 steps with actions set from outside, by a learner that had watched the walker, and
    by one that had seen as many set actions; and in the last 500 steps of what each learned from.
    """
    watched = walk(dice(101), length, follows=0.9, slip=0.5)
    acted = walk(dice(101), length, follows=0.25, slip=0.5)  # the same world: it is drawn first
    tested = walk(dice(101), length + 500, follows=0.25, slip=0.5).data[2 * length :]
    found = {}
    for name, made in (("watched", watched), ("acted", acted)):
        bits = costs(made.data + tested)[1::2]
        found[f"{name}_before"] = float(bits[length - 500 : length].mean())
        found[f"{name}_then_set"] = float(bits[length:].mean())
    found["penalty"] = found["watched_then_set"] - found["acted_then_set"]
    return found
