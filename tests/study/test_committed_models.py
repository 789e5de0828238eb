"""The models that are committed can be exported and asked in a clone, without any training."""

import pytest
from transformers import pipeline

from study.runs import HEADLINE, RESULTS, history_path
from tests.helpers.in_process import run_here

MODELS = sorted((RESULTS / "study").glob("*/model.safetensors"))


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.parent.name)
def test_a_committed_model_is_exported_and_fills_a_blank(model, tmp_path):
    name = f"study/{model.parent.name}"
    done = run_here("export_model.py", model, tmp_path / "exported", "--history", history_path(name))
    assert (done.returncode, done.stderr) == (0, "")
    answers = pipeline("fill-mask", str(tmp_path / "exported"))("中华人民共和[MASK]成立了。")
    assert answers[0]["token_str"] == "国"


def test_the_headlines_model_is_among_them_and_small():
    assert RESULTS / HEADLINE / "model.safetensors" in MODELS
    assert all(path.stat().st_size < 16_000_000 for path in MODELS)
