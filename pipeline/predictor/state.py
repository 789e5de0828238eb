"""The state of the learner, all in arrays, how large it is and which parts it has: one setting for every stream."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from pipeline.predictor.adaptation import RATES
from pipeline.predictor.prediction import (
    BIAS,
    CHOICES,
    COPIED,
    INPUTS,
    LIMIT,
    SETS,
    STEPS,
    TABLES,
    WEIGHTS,
    Calibration,
    Mixer,
    stretch_table,
)
from pipeline.predictor.representation import (
    CONTEXTS,
    COPIES,
    DELAYS,
    LAGGED,
    LAGS,
    MATCHES,
    NEWEST,
    ORDERS,
    PAST,
    SKIPPED,
    SKIPPED_TWO,
    WORD,
    WORDS,
    Copies,
    Delays,
    Memory,
    Recurrent,
)

SHORTEST, LONGEST = 2.0, 300.0  # time constants of the recurrent state at the start, in symbols
PARTS = ("last bits", "copies", "lag", "state", "traces", "sets", "calibration", "delays")
LAST_BITS, COPY, LAG, STATE, TRACES, MANY_SETS, CALIBRATED, DELAY_LINE = range(len(PARTS))
CONTEXT_PARTS = {"words": (WORD, WORDS), "skips": (SKIPPED, SKIPPED_TWO), "lagged": (LAGGED,)}
REMOVABLE = (*PARTS, *CONTEXT_PARTS)


class Learner(NamedTuple):
    """Everything that the next prediction depends on."""

    memory: Memory
    copies: Copies
    recurrent: Recurrent
    delays: Delays
    mixer: Mixer
    calibration: Calibration
    stretch: np.ndarray  # float64 [4096]: logits of a slot's probability
    rates: np.ndarray  # float64 [RATES]
    parts: np.ndarray  # bool [PARTS]: which parts this learner has
    room: np.ndarray  # float64 [INPUTS], for gradients
    room_state: np.ndarray  # float64 [2, n]


@dataclass(frozen=True)
class Setting:
    """How large the learner is, and which of the ``REMOVABLE`` parts it lacks; nothing of it depends on the stream."""

    units: int = 64  # complex numbers of the recurrent state
    slot_bits: int = 24  # 2^24 slots of the suffix memory
    orders: int = ORDERS - 1  # the longest suffix, in units of text
    without: tuple[str, ...] = ()
    seed: int = 0  # of the embedding and the time constants

    def differences(self) -> dict[str, object]:
        """What is not as by default."""
        mine, usual = asdict(self), asdict(Setting())
        return {name: value for name, value in mine.items() if value != usual[name]}


def new_learner(setting: Setting) -> Learner:
    """A learner that has seen nothing.

    Raises:
        ValueError: a size is out of range, or a part is not one of ``REMOVABLE``.
    """
    unknown = sorted(set(setting.without) - set(REMOVABLE))
    if unknown or not (1 <= setting.units <= 4096 and 8 <= setting.slot_bits <= 28 and 0 <= setting.orders < ORDERS):
        raise ValueError(f"not a setting of the learner: {setting}")
    used = np.arange(CONTEXTS) <= setting.orders
    used[ORDERS:] = True
    for part, contexts in CONTEXT_PARTS.items():
        used[list(contexts)] &= part not in setting.without
    parts = np.array([part not in setting.without for part in PARTS])
    return Learner(
        memory=_new_memory(setting.slot_bits, used),
        copies=_new_copies(),
        recurrent=_new_recurrent(setting.units, np.random.default_rng(setting.seed)),
        delays=_new_delays(),
        mixer=_new_mixer(),
        calibration=_new_calibration(),
        stretch=stretch_table(),
        rates=np.array(list(RATES.values())),
        parts=parts,
        room=np.zeros(INPUTS),
        room_state=np.zeros((2, setting.units)),
    )


def arrays_of(learner: Learner) -> dict[str, np.ndarray]:
    """All arrays by name, as ``memory.slots``."""
    named = {}
    for name, part in learner._asdict().items():
        if isinstance(part, np.ndarray):
            named[name] = part
        else:
            named.update({f"{name}.{field}": array for field, array in part._asdict().items()})
    return named


def _new_memory(slot_bits: int, used: np.ndarray) -> Memory:
    def one_each() -> np.ndarray:
        return np.zeros(CONTEXTS, dtype=np.int64)

    return Memory(
        slots=np.zeros(1 << slot_bits, dtype=np.int64),
        units=np.zeros(ORDERS, dtype=np.int64),
        open=np.zeros(4, dtype=np.int64),
        contexts=one_each(),
        places=one_each(),
        checks=one_each(),
        found=one_each(),
        used=used,
    )


def _new_copies() -> Copies:
    trust = np.zeros((COPIES, 64, 2))
    trust[:, :, 0] = 0.75
    trust[-1, :, 0] = 0.5 + np.arange(64) / 130  # a lag is trusted as far as it agrees
    return Copies(
        past=np.zeros(PAST, dtype=np.uint8),
        time=np.zeros(1, dtype=np.int64),
        newest=np.zeros((len(MATCHES), NEWEST), dtype=np.int64),
        pointer=np.zeros(COPIES, dtype=np.int64),
        length=np.zeros(COPIES, dtype=np.int64),
        agreement=np.zeros(LAGS + 1),
        expected=np.full(COPIES, -1, dtype=np.int64),
        trust=trust,
    )


def _new_recurrent(n: int, random: np.random.Generator) -> Recurrent:
    """Time constants log-uniform, half of the units without rotation, E of variance 1, R zero."""
    return Recurrent(
        nu=-random.uniform(np.log(SHORTEST), np.log(LONGEST), n),
        theta=random.uniform(0, np.pi, n) * random.integers(0, 2, n),
        embedding=random.normal(0, np.sqrt(0.5), (256, 2, n)),
        readout=np.zeros((256, 2, n)),
        h=np.zeros((2, n)),
        trace_nu=np.zeros((2, n)),
        trace_theta=np.zeros((2, n)),
        trace_embedding=np.zeros((256, 2, n)),
        seen=np.zeros(256, dtype=bool),
        power=np.zeros(1),
        turn=np.zeros((3, n)),
        wanted=np.zeros((2, n)),
        squares_rates=np.zeros((2, n)),
        squares_embedding=np.zeros(256),
        squares_readout=np.zeros(256),
    )


def _new_delays() -> Delays:
    return Delays(
        weights=np.zeros(17 * DELAYS * 256 * 16, dtype=np.float32),
        rows=np.zeros(DELAYS, dtype=np.int64),
        squares=np.zeros(256),
    )


def _new_mixer() -> Mixer:
    weights = np.full((SETS, CHOICES, WEIGHTS), 0.15)
    weights[:, :, COPIED:] = 0.2
    weights[:, :, BIAS] = 0.0
    trust = np.full((CONTEXTS, 3, 256), 0.5)
    for last in range(2, 256):
        bits, ones = last.bit_length() - 1, bin(last).count("1") - 1
        trust[:, :, last] = (ones + 0.4) / (bits + 0.8)
    return Mixer(
        weights=weights,
        top=np.full((256, SETS), 1.0 / SETS),
        steps=np.zeros((SETS, CHOICES)),
        chosen=np.zeros(SETS, dtype=np.int64),
        inputs=np.zeros(INPUTS),
        weight=np.zeros(INPUTS, dtype=np.int64),
        logits=np.zeros(SETS),
        mixed=np.zeros(2),
        trust=trust,
        trust_count=np.zeros((CONTEXTS, 3, 256), dtype=np.int64),
    )


def _new_calibration() -> Calibration:
    logits = np.linspace(-LIMIT, LIMIT, STEPS + 1)
    begun = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return Calibration(
        table=np.broadcast_to(begun, (TABLES, 1 << 16, STEPS + 1)).copy(),
        row=np.zeros(TABLES, dtype=np.int64),
        below=np.zeros(1, dtype=np.int64),
        share=np.zeros(1),
    )
