"""Runs with known truth: curves, noise with memory, and a history of the published shape made from them."""

from __future__ import annotations

import numpy as np
from scipy import signal

from pipeline.files.history import PUBLISHED_KEYS, History

STEPS = np.arange(1, 301) * 100.0
CURVES = {
    "linear": 0.1 + 0.3 * STEPS / STEPS[-1],
    "log": -0.3 + 0.08 * np.log(STEPS),
    "exponential": 0.57 - 0.42 * np.exp(-STEPS / 5000),
    "power": 0.65 - 0.6 * (1 + STEPS / 2000) ** -0.8,
}


def ar_noise(generator, size, phi, sigma):
    """Stationary first-order autoregressive noise with standard deviation ``sigma``, float64 [size]."""
    shocks = generator.normal(0, sigma * np.sqrt(1 - phi**2), size + 200)
    return signal.lfilter([1], [1, -phi], shocks)[200:]


def true_r(steps, curve, sigma):
    """r of ``steps`` and ``curve`` plus noise of ``sigma``, were the records without number."""
    return np.cov(steps, curve, ddof=0)[0, 1] / (steps.std() * np.hypot(curve.std(), sigma))


def published_share(steps):
    """The noise-free accuracy of ``published_like`` at ``steps``."""
    return 0.575 - 0.42 * np.exp(-steps / 16_400)


def published_like(seed=11, records=1000, targets=384, pairs=32):
    """Five lists as the published run wrote them: one micro-batch a record, NSP at chance, the rate annealed to 0."""
    generator = np.random.default_rng(seed)
    steps = np.arange(1, records + 1) * (100_000 // records)
    share = published_share(steps)
    counts = generator.integers(targets - targets // 8, targets + targets // 8, records)
    single = np.float32(generator.binomial(counts, share) / counts)
    lists = {
        "steps": steps.tolist(),
        "mlm_acc": [float(value) for value in single],
        "nsp_acc": (generator.binomial(pairs, 0.5, records) / pairs).tolist(),
        "loss": (2.9 + 6 * np.exp(-steps / 9_000) + generator.normal(0, 0.08, records)).tolist(),
        "lr": (5e-5 * np.minimum(steps / 2000, 0.5 + 0.5 * np.cos(np.pi * steps / 100_000))).tolist(),
    }
    assert tuple(lists) == PUBLISHED_KEYS
    return History(lists, {})
