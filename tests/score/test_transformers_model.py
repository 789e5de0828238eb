"""A model of the `transformers` library answers our questions in its own vocabulary."""

import json

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from pipeline.data.masked_pairs import Batch
from pipeline.data.tokenizer import CLS, MASK, SEP, Tokenizer
from pipeline.score.transformers_model import TransformersModel
from pipeline.stage import InputError

CPU = torch.device("cpu")
OURS = Tokenizer(list("甲乙Aa丙"))  # ids 5 to 9
THEIRS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "乙", "甲", "丁"]  # lower case, without 丙


@pytest.fixture
def folder(tmp_path):
    """A model that answers by its bias alone: 丁 before a before 乙 before 甲."""
    (tmp_path / "vocab.txt").write_text("\n".join(THEIRS), encoding="utf-8")
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=len(THEIRS), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():
        model.cls.predictions.bias.copy_(torch.tensor([0, 50.0, 0, 0, 0, 30, 20, 10, 40]))
    model.save_pretrained(tmp_path)
    return tmp_path


def batch(labels):
    """One sequence of masked places."""
    count = len(labels)
    tokens = np.array([CLS, *[MASK] * count, SEP])
    zeros = np.zeros(count + 2, dtype=np.int64)
    places = np.arange(count + 2)
    none = np.zeros(1, dtype=np.int64)
    return Batch(tokens, zeros, places, np.array([count + 2]), places[1:-1], np.array(labels), none, none)


def test_answers_are_among_the_characters_that_both_have(folder):
    """丁 and [UNK] are likelier, but not ours; A and a are one token there, and 丙 none."""
    model = TransformersModel(folder, OURS.tokens, CPU)
    assert model.shared_characters == 4
    assert model.predict([batch([5, 6, 7, 8, 9])], lambda: None).tolist() == [7, 7, 7, 8, 7]
    assert model.predict([], lambda: None).tolist() == []


def test_what_is_masked_padded_and_unknown_is_so_there(folder):
    model = TransformersModel(folder, OURS.tokens, CPU)
    seen = []
    model._model.register_forward_pre_hook(lambda _, __, given: seen.append(given), with_kwargs=True)
    two = batch([5, 5])
    both = Batch(
        tokens=np.concatenate([[CLS, 9, 6, 7, SEP], two.tokens]),
        segments=np.array([0, 0, 0, 1, 1, 0, 0, 0, 0]),
        positions=np.array([0, 1, 2, 3, 4, 0, 1, 2, 3]),
        lengths=np.array([5, 4]),
        targets=np.array([6, 7]),
        labels=np.array([5, 5]),
        next_labels=np.zeros(2, dtype=np.int64),
        examples=np.arange(2),
    )
    model.predict([both], lambda: None)
    assert seen[0]["input_ids"].tolist() == [[2, 1, 6, 5, 3], [2, 4, 4, 3, 0]]
    assert seen[0]["attention_mask"].tolist() == [[1] * 5, [1, 1, 1, 1, 0]]
    assert seen[0]["token_type_ids"].tolist() == [[0, 0, 0, 1, 1], [0] * 5]


def test_other_folders_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match=r"config\.json is missing"):
        TransformersModel(tmp_path / "nowhere", OURS.tokens, CPU)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "vit"}))
    with pytest.raises(InputError, match="not a masked language model of transformers"):
        TransformersModel(folder, OURS.tokens, CPU)
    (folder / "config.json").write_text("{")
    with pytest.raises(InputError, match="not a masked language model of transformers"):
        TransformersModel(folder, OURS.tokens, CPU)
