"""A finished model in half precision is the same model: all it says of itself, and its weights to 1 part in 2,048."""

import json

import pytest
import torch
from safetensors.torch import save

from pipeline.export.weights import read_weights
from pipeline.files import checkpoint
from pipeline.model.bert import Bert, Shape
from pipeline.stage import InputError
from tests.helpers.checkpoints import weights_content

SHAPE = {
    **{"vocab_size": 20, "layers": 1, "hidden": 8, "heads": 2, "ffn": 16, "max_positions": 16},
    **{"dropout": 0.0, "attention_dropout": 0.0, "init_std": 0.02, "head": "bert"},
}


@pytest.fixture
def trained(tmp_path):
    torch.manual_seed(1)
    model = Bert(Shape(**SHAPE))
    path = tmp_path / "final.pth"
    checkpoint.save(path, {**weights_content(7, dict(model.state_dict())), "shape": SHAPE})
    return path


def test_it_says_and_weighs_the_same_in_a_third_of_the_room(trained):
    half = trained.with_name("model.safetensors")
    whole = checkpoint.load(trained)
    checkpoint.save_half(half, whole)
    again = checkpoint.load(half)
    assert {**again, "model": None} == {**whole, "model": None}
    assert set(again["model"]) == set(whole["model"])
    for name, tensor in whole["model"].items():
        found = again["model"][name]
        assert found.dtype == torch.float32
        assert torch.equal(found, tensor.half().float())
        assert torch.allclose(found, tensor, rtol=2**-11, atol=2**-24)
    assert again["model"]["decoder.weight"] is again["model"]["token_embedding.weight"]  # tied, stored once
    assert half.stat().st_size < 0.5 * trained.stat().st_size
    assert read_weights(half).step == read_weights(trained).step == 7


def test_a_damaged_file_is_refused(trained):
    half = trained.with_name("model.safetensors")
    checkpoint.save_half(half, checkpoint.load(trained))
    sidecar = json.loads((trained.with_name("model.safetensors.json")).read_text())
    assert (sidecar["file"], sidecar["step"]) == ("model.safetensors", 7)
    data = half.read_bytes()
    for damaged in (b"", data[:100], data[:-1], b"\x00" * 200, trained.read_bytes()):
        half.write_bytes(damaged)
        with pytest.raises(InputError, match="does not match the SHA-256"):
            checkpoint.load(half)
        with pytest.raises(InputError, match="is not a checkpoint"):
            checkpoint.read(half)


def test_a_safetensors_file_of_others_is_refused(trained):
    other = trained.with_name("other.safetensors")
    other.write_bytes(save({"weight": torch.zeros(3)}))
    with pytest.raises(InputError, match="is not a checkpoint"):
        checkpoint.read(other)


def test_a_weight_that_float16_cannot_hold_is_refused(trained):
    whole = checkpoint.load(trained)
    whole["model"]["pooler.bias"] = torch.full((8,), 1e5)
    with pytest.raises(ValueError, match=r"pooler\.bias"):
        checkpoint.save_half(trained.with_name("model.safetensors"), whole)


def test_a_state_is_stored_without_what_resuming_needs(trained):
    whole = {**checkpoint.load(trained), "optimizer": {"state": torch.zeros(3)}, "sums": torch.zeros(2)}
    half = trained.with_name("model.safetensors")
    checkpoint.save_half(half, whole)
    assert not {"optimizer", "sums"} & set(checkpoint.load(half))
