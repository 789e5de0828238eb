"""The two sentences about the headline's probe state what the file of probe_model.py holds."""

import json

import pytest

from pipeline.stage import InputError
from study.words import probed

LAYER = {"stream": 1.0, "attention": 1.0, "feed_forward": 1.0, "stream_gradient": 1.0, "weight_gradient": 1.0}
PROBE = {
    "model": "runs/study/medium/checkpoints/step_500.pth",
    "objective": "masked_lm",
    "step": 500,
    "parameters": 9,
    "predictability": {"tokens": 1234, "never": 3, "undecided": 0, "by_programme": 0, "examples": ["一"]},
    "embeddings": {
        "mean_norm": 1.0,
        "mean_cosine": 0.1,
        "rank_correlation": -0.4,
        "tenths": [{"count": 1.0, "norm": 1.0, "cosine": 0.91}, {"count": 9.0, "norm": 1.0, "cosine": 0.17}],
        "unseen": None,
    },
    "vectors": {
        "sentences": 80,
        "width": 64,
        "mean_cosine": 0.613,
        "effective_rank": 21.4,
        "candidates": 40,
        "retrieval": [
            {"beta": 0.0, "gamma": 0.0, "share": 0.055},
            {"beta": 1.0, "gamma": 1.0, "share": 0.085},
        ],
    },
    "layers": [LAYER],
    "attention_entropy": [0.52, 0.75, 0.81],
    "half_precision": [
        {"scale": 1.0, "lost": 0.125, "coarse": 0.25, "overflowed": 0.0},
        {"scale": 4096.0, "lost": 0.0, "coarse": 0.0123, "overflowed": 0.0},
        {"scale": 65536.0, "lost": 0.0, "coarse": 0.0, "overflowed": 0.5},
    ],
    "cost": None,
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes probes, and lets the sentences read them."""
    monkeypatch.setattr(probed, "PROBED", tmp_path / "probe.json")
    return lambda *probes: (tmp_path / "probe.json").write_text(json.dumps({"probes": probes}))


def test_the_sentences_state_the_last_probe(write):
    write({**PROBE, "step": 100, "vectors": None}, PROBE)
    for text in probed.probed():
        for stated in ("500", "1,234", "3", "0.61", "21", "64", "40", "5.5 %", "8.5 %", "0.91", "0.17"):
            assert stated in text
        for stated in ("37.50 %", "4,096", "1.23 %", "0.52", "0.81"):
            assert stated in text
        assert text.count("。") + text.count(". ") + text.endswith(".") == 2


def test_a_probe_without_text_is_refused(write):
    write({**PROBE, "half_precision": None})
    with pytest.raises(InputError, match="was measured without text; write it again"):
        probed.probed()
