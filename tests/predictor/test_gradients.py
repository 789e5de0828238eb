"""Every gradient that the learner goes down, held to finite differences of its code length."""

import numpy as np
import pytest

from pipeline.predictor import adaptation, prediction, representation
from pipeline.predictor.state import Setting, new_learner

STREAM = b"abracadabra, banana!"
STEP, TOLERANCE = 1e-5, 1e-6


def differences(loss, values):
    """Central differences of ``loss()`` by each of ``values``, an array that it reads."""
    found = np.zeros(values.shape)
    for place in np.ndindex(values.shape):
        kept = values[place]
        values[place] = kept + STEP
        above = loss()
        values[place] = kept - STEP
        found[place] = (above - loss()) / (2 * STEP)
        values[place] = kept
    return found


def assert_same(gradient, expected):
    assert np.abs(expected).max() > 1e-3, "nothing to compare"
    assert np.abs(gradient - expected).max() < TOLERANCE * np.abs(expected).max()


@pytest.fixture
def recurrent():
    """Three units with a read-out, time constants from 2 to 12 and rotations, that have seen the STREAM."""
    recurrent = new_learner(Setting(units=3, slot_bits=8)).recurrent
    recurrent.readout[:] = np.random.default_rng(3).normal(size=recurrent.readout.shape)
    recurrent.nu[:] = -np.log([2.0, 5.0, 12.0])
    recurrent.theta[:] = [0.0, 0.7, 2.0]
    see(recurrent)
    return recurrent


def see(recurrent):
    for array in (recurrent.h, recurrent.trace_nu, recurrent.trace_theta, recurrent.trace_embedding):
        array[:] = 0
    for symbol in STREAM:
        representation.move_state(recurrent, symbol)


def nodes_and_bits(symbol):
    return [((256 | symbol) >> (8 - bit), symbol >> (7 - bit) & 1) for bit in range(8)]


NEXT = ord("n")


def nats_of_next(recurrent):
    """The code length of NEXT after the STREAM by the recurrent state alone, from the start."""
    see(recurrent)
    logits = [(prediction.read_state(recurrent, node), bit) for node, bit in nodes_and_bits(NEXT)]
    return sum(np.log1p(np.exp(-z if bit else z)) for z, bit in logits)


@pytest.fixture
def wanting(recurrent):
    """The same, with what the bits of the next symbol want of the state."""
    for node, bit in nodes_and_bits(NEXT):
        error = prediction.logistic(prediction.read_state(recurrent, node)) - bit
        adaptation.want_state(recurrent, node, error)
    return recurrent


def test_time_constants_and_rotations(wanting):
    gradient = np.zeros((2, 3))
    adaptation.rate_gradients(wanting, gradient)
    assert_same(gradient[0], differences(lambda: nats_of_next(wanting), wanting.nu))
    assert_same(gradient[1], differences(lambda: nats_of_next(wanting), wanting.theta))


@pytest.mark.parametrize("symbol", b"ab!")
def test_embedding(wanting, symbol):
    gradient = np.zeros((2, 3))
    adaptation.embedding_gradient(wanting, symbol, gradient)
    assert_same(gradient, differences(lambda: nats_of_next(wanting), wanting.embedding[symbol]))


def test_a_symbol_that_never_came_has_no_gradient(wanting):
    gradient = np.ones((2, 3))
    adaptation.embedding_gradient(wanting, ord("z"), gradient)
    assert not gradient.any()


def test_state(wanting):
    def nats():
        logits = [(prediction.read_state(wanting, node), bit) for node, bit in nodes_and_bits(NEXT)]
        return sum(np.log1p(np.exp(-z if bit else z)) for z, bit in logits)

    assert_same(wanting.wanted, differences(nats, wanting.h))


def test_readout(recurrent):
    node, bit = nodes_and_bits(NEXT)[3]
    error = prediction.logistic(prediction.read_state(recurrent, node)) - bit
    gradient = np.zeros((2, 3))
    adaptation.readout_gradient(recurrent, error, gradient)

    def nats():
        z = prediction.read_state(recurrent, node)
        return np.log1p(np.exp(-z if bit else z))

    assert_same(gradient, differences(nats, recurrent.readout[node]))


def test_the_read_out_is_scaled_by_the_sum_of_its_squared_gradients(recurrent):
    gradient, node, error = np.zeros((2, 3)), 5, -0.7
    adaptation.readout_gradient(recurrent, error, gradient)
    adaptation.adapt_readout(recurrent, node, error, 0.5, np.zeros((2, 3)))
    assert recurrent.squares_readout[node] == pytest.approx((gradient**2).sum(), rel=1e-12)


@pytest.mark.parametrize("units", [1, 3, 4, 7, 64])
def test_sums_of_squares(units):
    values = np.random.default_rng(units).normal(size=(2, units))
    assert representation.sum_of_squares(values) == pytest.approx((values**2).sum(), rel=1e-12)


@pytest.mark.parametrize("bit", [0, 1])
def test_delays(bit):
    """The step that is taken, without its scale, is the gradient by each delayed symbol's weight."""
    learner = new_learner(Setting(units=1, slot_bits=8))
    learner.copies.past[:80] = np.random.default_rng(2).integers(0, 256, 80)
    learner.copies.time[0] = 80
    random = np.random.default_rng(5)
    delays = learner.delays._replace(weights=random.normal(0, 0.1, 17 * representation.DELAYS * 256 * 16))
    representation.find_delayed(delays, learner.copies, 3)
    places, node, within = delays.rows + 6, 38, 6
    expected_rows = [((3 * 64 + back) * 256 + int(learner.copies.past[79 - back])) * 16 for back in range(64)]
    assert delays.rows.tolist() == expected_rows

    def nats():
        z = prediction.read_delays(delays, within)
        return np.log1p(np.exp(-z if bit else z))

    expected = np.zeros(places.size)
    for at, place in enumerate(places):
        kept = delays.weights[place]
        delays.weights[place] = kept + STEP
        above = nats()
        delays.weights[place] = kept - STEP
        expected[at] = (above - nats()) / (2 * STEP)
        delays.weights[place] = kept
    error = prediction.logistic(prediction.read_delays(delays, within)) - bit
    before = delays.weights.copy()
    adaptation.adapt_delays(delays, node, within, error, 0.1)
    steps = (before - delays.weights) * np.sqrt(1 + error**2) / 0.1
    assert_same(steps[places], expected)
    assert np.count_nonzero(steps) == places.size
    assert delays.squares[node] == pytest.approx(error**2)


@pytest.fixture
def mixer():
    """A mixer with inputs and weights of its own in each set."""
    mixer = new_learner(Setting(units=1, slot_bits=8)).mixer
    random = np.random.default_rng(4)
    mixer.inputs[:] = random.normal(size=mixer.inputs.shape)
    mixer.weight[:] = np.arange(prediction.INPUTS) + 5
    mixer.weights[:] = random.normal(0, 0.3, size=mixer.weights.shape)
    mixer.top[:] = random.normal(0.3, 0.2, size=mixer.top.shape)
    mixer.chosen[:] = [7, 300, 9]
    prediction.mix(mixer, 9)
    return mixer


@pytest.mark.parametrize("bit", [0, 1])
@pytest.mark.parametrize("which", range(prediction.SETS))
def test_weights_of_a_set(mixer, which, bit):
    gradient = np.zeros(prediction.INPUTS)
    adaptation.set_gradient(mixer, which, bit, gradient)

    def nats():
        prediction.mix(mixer, 9)
        z = mixer.logits[which]
        return np.log1p(np.exp(-z if bit else z))

    weights = mixer.weights[which, mixer.chosen[which]]
    expected = differences(nats, weights)
    assert_same(gradient, expected[mixer.weight])
    assert np.count_nonzero(expected) == prediction.INPUTS


@pytest.mark.parametrize("bit", [0, 1])
def test_weights_of_the_sets(mixer, bit):
    gradient = np.zeros(prediction.SETS)
    adaptation.top_gradient(mixer, bit, gradient)

    def nats():
        prediction.mix(mixer, 9)
        return -np.log(mixer.mixed[1] if bit else 1 - mixer.mixed[1])

    assert_same(gradient, differences(nats, mixer.top[9]))
