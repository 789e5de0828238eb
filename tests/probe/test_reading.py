"""Checkpoints, exported folders and foreign folders become the same subject."""

import json
import shutil

import numpy as np
import pytest
import safetensors.torch
import torch
import transformers

from pipeline.probe.reading import read_subject
from pipeline.stage import InputError
from tests.helpers.in_process import run_here, succeeded

SENTENCES = ["春天第0次，山中的马看听了3回。", "晚上，海", "夏天第1次，桥中的金种采造画了7回。"]


@pytest.fixture(scope="module")
def folders(masked_run, causal_run):
    made = {}
    for name, run in (("masked", masked_run), ("causal", causal_run)):
        made[name] = run / "exported"
        succeeded(run_here("export_model.py", run / "final.pth", made[name], "--history", run / "history.json"))
    return made


def vectors_by_transformers(folder, sentences):
    """Mean last hidden state of each sentence, one at a time, by the library."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        hidden = [model(**tokenizer(sentence, return_tensors="pt")).last_hidden_state[0] for sentence in sentences]
    return torch.stack([each.mean(0) for each in hidden]).numpy()


@pytest.mark.parametrize("name", ["masked", "causal"])
def test_a_checkpoint_and_its_export_are_one_model(name, folders, masked_run, causal_run):
    run = {"masked": masked_run, "causal": causal_run}[name]
    ours, exported = read_subject(run / "final.pth"), read_subject(folders[name])
    assert (ours.step, exported.step) == (8, None)
    assert ours.objective == exported.objective == f"{name}_lm"
    assert ours.tokens == exported.tokens
    assert ours.parameters == exported.parameters
    expected = vectors_by_transformers(folders[name], SENTENCES)
    assert expected.std(0).mean() > 0.01
    for subject in (ours, exported):
        np.testing.assert_allclose(subject.sentence_vectors(SENTENCES), expected, atol=1e-5)
        np.testing.assert_array_equal(subject.rows(), ours.rows())
        np.testing.assert_array_equal(subject.counts(SENTENCES), ours.counts(SENTENCES))
    assert ours.counts(SENTENCES)[ours.tokens.index("中")] == 2


def test_a_foreign_vocabulary_in_another_order(folders, tmp_path):
    """As in Google's models: special tokens elsewhere, pieces of words among the characters."""
    folder = shutil.copytree(folders["masked"], tmp_path / "foreign")
    names = (folder / "vocab.txt").read_text().split("\n")[:-1]
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    order = np.random.default_rng(0).permutation(len(names))
    shuffled = ["##ing" if names[n] == "画" else names[n] for n in order]
    for key in ("bert.embeddings.word_embeddings.weight", "cls.predictions.bias"):
        tensors[key] = tensors[key][order].contiguous()
    for key in [key for key in tensors if "pooler" in key or "seq_relationship" in key]:
        del tensors[key]  # as BertForMaskedLM has it
    safetensors.torch.save_file(tensors, folder / "model.safetensors")
    (folder / "vocab.txt").write_text("".join(f"{name}\n" for name in shuffled))
    ours, foreign = read_subject(folders["masked"]), read_subject(folder)
    sentences = [SENTENCES[0], SENTENCES[1]]  # without the character that became a piece
    np.testing.assert_allclose(foreign.sentence_vectors(sentences), ours.sentence_vectors(sentences), atol=1e-6)
    assert foreign.tokens[-1] == "##ing"
    for token in ("[MASK]", "山", "马"):
        place, other = ours.tokens.index(token), foreign.tokens.index(token)
        np.testing.assert_array_equal(foreign.rows()[other], ours.rows()[place])
        assert foreign.output().bias[other] == ours.output().bias[place]


@pytest.mark.parametrize(
    ("name", "file", "change", "said"),
    [
        ("masked", "config.json", {"model_type": "t5"}, "its model_type is 't5'"),
        ("masked", "config.json", {"hidden_act": "relu"}, "another activation"),
        ("masked", "config.json", {"hidden_size": 24}, "is missing or does not fit config.json"),
        ("masked", "config.json", {"num_hidden_layers": None}, "does not give the sizes of a BERT"),
        ("masked", "config.json", {"vocab_size": 7}, "does not fit config.json"),
        ("masked", "vocab.txt", None, "vocab.txt: is missing"),
        ("masked", "vocab.txt", "[PAD]\n", "must hold the"),
        ("masked", "model.safetensors", None, "model.safetensors: is missing"),
        ("masked", "model.safetensors", "nothing", "is damaged"),
        ("causal", "config.json", {"n_embd": 24}, "does not fit config.json"),
        ("causal", "config.json", {"n_layer": "two"}, "does not give the sizes of a GPT-2"),
        (
            "causal",
            "tokenizer.json",
            {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}},
            "is not a tokenizer of",
        ),
    ],
)
def test_folders_that_do_not_fit_are_refused(name, file, change, said, folders, tmp_path):
    folder = shutil.copytree(folders[name], tmp_path / "odd")
    path = folder / file
    if change is None:
        path.unlink()
    elif isinstance(change, str):
        path.write_text(change)
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=said):
        read_subject(folder)


def test_a_checkpoint_with_another_vocabulary_is_refused(masked_run, tmp_path):
    for file in ("final.pth", "final.pth.json", "vocab.txt"):
        shutil.copy(masked_run / file, tmp_path / file)
    with (tmp_path / "vocab.txt").open("a") as vocab:
        vocab.write("龙\n")
    with pytest.raises(InputError, match="vocabulary of another model"):
        read_subject(tmp_path / "final.pth")


def test_a_model_that_diverged_is_refused(folders, tmp_path):
    folder = shutil.copytree(folders["masked"], tmp_path / "diverged")
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    tensors["cls.predictions.bias"][3] = float("nan")
    safetensors.torch.save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError, match="not finite"):
        read_subject(folder)
