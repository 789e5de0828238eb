"""Bits against the size of the learner and of the data, and what each part of it is worth."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import special

from pipeline.predictor.state import Setting
from study.seed.rungs import SETTING, Measured, costs

UNITS = (2, 6, 20, 60, 200)
SLOT_BITS = (12, 14, 16, 18, 20, 22, 24)
ORDERS = range(7)
BLOCKS = 50
LEVEL = 0.95
Stream = tuple[bytes, slice]  # symbols, and which of them are charged


def scaling(texts: dict[str, bytes]) -> Measured:
    """Bits per byte of each text against units of the state, slots, longest suffix, and data; slopes per doubling."""
    found: Measured = {}
    for name, data in texts.items():
        usual = costs(data)
        units = {n: costs(data, Setting(units=n)) for n in UNITS}
        slots = {b: usual if b == SETTING.slot_bits else costs(data, Setting(slot_bits=b)) for b in SLOT_BITS}
        orders = {k: usual if k == SETTING.orders else costs(data, Setting(orders=k)) for k in ORDERS}
        found[name] = {
            **{
                what: {str(size): float(bits.mean()) for size, bits in rows.items()}
                for what, rows in (("units", units), ("slot_bits", slots), ("orders", orders))
            },
            "slopes": {
                "units": slope_of_sizes(np.log2(UNITS), np.stack(list(units.values()))),
                "slot_bits": slope_of_sizes(np.array(SLOT_BITS, dtype=float), np.stack(list(slots.values()))),
            },
            "data": data_slope(usual),
        }
    return found


def slope_of_sizes(doublings: np.ndarray, bits: np.ndarray) -> Measured:
    """The slope of ``bits`` (float64 [S, N], each row a learner's) by ``doublings`` (float64 [S]) of its size.

    The range is Student's 95 % interval of the mean of the slopes within BLOCKS equal parts of the stream.
    """
    whole = bits.shape[1] // BLOCKS * BLOCKS
    means = bits[:, :whole].reshape(len(bits), BLOCKS, -1).mean(axis=2)
    x = doublings - doublings.mean()
    slopes = x @ means / (x @ x)
    half = student(BLOCKS - 1) * float(slopes.std(ddof=1)) / BLOCKS**0.5
    return with_range(float(slopes.mean()), half)


def data_slope(bits: np.ndarray) -> Measured:
    """Bits per byte within seven ranges of the stream, each twice the one before, and the slope per doubling.

    The range is Student's 95 % interval of the slope, from what a straight line against log2 of the place leaves.
    """
    ends = [len(bits) >> k for k in range(7, -1, -1)]
    means = [float(bits[a:b].mean()) for a, b in itertools.pairwise(ends)]
    x = np.arange(len(means)) - (len(means) - 1) / 2
    y = np.array(means)
    slope = float((x * y).sum() / (x**2).sum())
    rest = y - y.mean() - slope * x
    error = float(np.sqrt((rest**2).sum() / (len(y) - 2) / (x**2).sum()))
    return {"ends": ends[1:], "bits": means, **with_range(slope, student(len(y) - 2) * error)}


def student(freedom: int) -> float:
    """How many standard errors reach to the ends of the interval."""
    return float(special.stdtrit(freedom, (1 + LEVEL) / 2))


def with_range(slope: float, half: float) -> Measured:
    return {"slope_per_doubling": slope, "range": [slope - half, slope + half]}


def ablation(streams: dict[str, Stream], parts: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Bits of the whole learner per charged symbol of each stream, and what leaving out each part costs, in percent."""

    def paid(setting: Setting) -> dict[str, float]:
        return {name: float(costs(data, setting)[charged].mean()) for name, (data, charged) in streams.items()}

    whole = paid(SETTING)
    found = {"whole": whole}
    for part in parts:
        found[part] = {name: 100 * (bits / whole[name] - 1) for name, bits in paid(Setting(without=(part,))).items()}
    return found
