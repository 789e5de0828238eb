"""The learner's pass: causal, a probability, and each part doing what it is named for."""

import numpy as np
import pytest

from pipeline.predictor import representation
from pipeline.predictor.adaptation import RATES
from pipeline.predictor.learner import learn
from pipeline.predictor.representation import COPIES, LAGS, ORDERS
from pipeline.predictor.state import CONTEXT_PARTS, PARTS, Setting, arrays_of, new_learner

SMALL = {"units": 4, "slot_bits": 12}


def symbols(data):
    return np.frombuffer(data, dtype=np.uint8)


def costs(data, **setting):
    return learn(new_learner(Setting(**{**SMALL, **setting})), symbols(data))[0]


def random_letters(size, seed=1):
    return bytes(97 + value for value in np.random.default_rng(seed).integers(0, 8, size))


def test_nothing_is_known_before_it_is_seen():
    data = random_letters(200)
    other = data[:150] + random_letters(50, seed=2)
    assert costs(data)[:150].tolist() == costs(other)[:150].tolist()
    assert costs(data)[150:].tolist() != costs(other)[150:].tolist()


def test_the_first_symbol_costs_eight_bits():
    assert costs(b"a")[0] == pytest.approx(8, abs=0.01)


def test_a_pass_in_pieces_is_the_same_pass():
    data = random_letters(200)
    learner = new_learner(Setting(**SMALL))
    pieces = [learn(learner, symbols(data[at : at + 67]))[0] for at in range(0, 200, 67)]
    assert np.concatenate(pieces).tolist() == costs(data).tolist()


def test_a_hit_is_a_symbol_that_was_held_likelier():
    data = b"abcd" * 40
    bits, hits = learn(new_learner(Setting(**SMALL)), symbols(data))
    assert hits[-40:].all()
    assert not hits[bits > 8].any()
    assert hits[bits < 1].all()


def test_noise_costs_no_more_than_its_entropy_and_a_tenth():
    assert costs(random_letters(4000))[1000:].mean() == pytest.approx(3, abs=0.3)


def test_a_lag_is_found():
    """Letters that repeat 23 back, nine in ten: their own suffixes hardly ever come again."""
    random, data = np.random.default_rng(1), list(random_letters(23))
    while len(data) < 3000:
        data.append(data[-23] if random.random() < 0.9 else 97 + int(random.integers(0, 8)))
    learner = new_learner(Setting(**SMALL))
    bits, _ = learn(learner, symbols(bytes(data)))
    assert learner.copies.agreement[: LAGS + 1].argmax() == 23
    assert learner.copies.time[0] - learner.copies.pointer[COPIES - 1] == 23
    assert bits[1500:].mean() < 1.0 < costs(bytes(data), without=("lag", "lagged", "delays"))[1500:].mean()


def test_a_long_repeat_is_copied():
    data = random_letters(600)
    again = costs(data * 2)[600 + 40 :].mean()
    assert again < 0.1
    assert again < costs(data * 2, without=("copies",), orders=2)[640:].mean() / 4


def test_what_stood_at_a_distance_is_read():
    """Random letters, ``=``, and a digit that says what the second of them was: no suffix comes again."""
    records = 97 + np.random.default_rng(1).integers(0, 8, (250, 42))
    records[:, 40] = ord("=")
    records[:, 41] = records[:, 1] - 97 + 48
    data = bytes(records.astype(np.uint8).ravel())
    last = [costs(data, without=without)[41::42][150:].mean() for without in ((), ("delays",))]
    assert last[0] < 2.5 < 2.9 < last[1]


def test_a_character_is_one_unit():
    """After 天地天地 the suffix of two units is 天地, six bytes; after abab it is ab."""
    learners = []
    for data in ("天地天地".encode(), "地天天地".encode(), b"abab", b"baab"):
        learner = new_learner(Setting(**SMALL))
        learn(learner, symbols(data))
        learners.append(learner.memory.contexts[:ORDERS].tolist())
    one, two, three, four = learners
    assert one[:3] == two[:3]
    assert one[3] != two[3]
    assert three[:3] == four[:3]
    assert three[3] != four[3]


def test_the_state_follows_the_recurrence():
    learner = new_learner(Setting(**SMALL, without=("traces",)))
    data = b"a rather short text"
    learn(learner, symbols(data))
    r = learner.recurrent
    modulus = np.exp(-np.exp(r.nu))
    h = np.zeros(4, dtype=complex)
    for symbol in data:
        embedded = r.embedding[symbol, 0] + 1j * r.embedding[symbol, 1]
        h = modulus * np.exp(1j * r.theta) * h + np.sqrt(1 - modulus**2) * embedded
    assert r.h == pytest.approx(np.stack([h.real, h.imag]))


def test_a_faded_trace_is_zero_and_comes_back():
    recurrent = new_learner(Setting(**SMALL)).recurrent
    recurrent.nu[:] = 0.0  # a time constant of one symbol
    for symbol in b"a" + b"b" * 80:
        representation.move_state(recurrent, symbol)
    assert not recurrent.trace_embedding[97].any()
    assert recurrent.seen.nonzero()[0].tolist() == [98]
    representation.move_state(recurrent, 97)
    assert recurrent.trace_embedding[97, 0] == pytest.approx(np.full(4, np.sqrt(1 - np.exp(-2))))


@pytest.mark.parametrize("part", [*PARTS, *CONTEXT_PARTS])
def test_every_part_changes_what_is_predicted(part):
    data = "The cat and the hat; 天地玄黄，the cat and the hat. 天地玄黄，".encode() * 4
    assert costs(data).tolist() != costs(data, without=(part,)).tolist()


def test_the_setting_decides_what_is_there():
    learner = new_learner(Setting(units=5, slot_bits=9, orders=3, without=("words", "state")))
    assert learner.recurrent.nu.size == 5
    assert learner.memory.slots.size == 512
    assert learner.memory.used.tolist() == [True] * 4 + [False] * 3 + [False, False, True, True, True]
    assert learner.rates.tolist() == list(RATES.values())
    assert {"memory.slots", "recurrent.h", "mixer.weights", "calibration.table", "rates"} <= arrays_of(learner).keys()
    learn(learner, symbols(b"abc"))
    assert not learner.recurrent.h.any()
    for odd in ({"units": 0}, {"slot_bits": 40}, {"orders": 7}, {"without": ("all",)}):
        with pytest.raises(ValueError, match="not a setting"):
            new_learner(Setting(**odd))


def test_time_constants_are_spread_at_the_start():
    logs = -new_learner(Setting(units=1000, slot_bits=8)).recurrent.nu
    assert logs.min() > np.log(2)
    assert logs.max() < np.log(300)
    assert logs.mean() == pytest.approx(np.log(np.sqrt(2 * 300)), abs=0.15)
