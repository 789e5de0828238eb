"""The export, read back by the `transformers` library.

The script runs as a user would once; after that its ``main`` runs in this process, which spares the import of torch.
"""

import dataclasses
import errno
import json
import os
import shutil
import sys

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import export_model
from pipeline.analyse.whole_analysis import analyse
from pipeline.data.masked_pairs import Batch
from pipeline.data.tokenizer import CLS, FIRST_CHARACTER, MASK, PAD, SEP, UNK, Tokenizer
from pipeline.export.tokenizer import tokenizer_json
from pipeline.export.weights import read_weights
from pipeline.files import checkpoint
from pipeline.files.history import read_history
from pipeline.files.vocabulary import SPECIAL_TOKENS, read_vocab_txt
from pipeline.model.bert import Bert, to_device
from pipeline.stage import run_stage
from tests.helpers.checkpoints import weights_content
from tests.helpers.tiny import TINY_SETTINGS, run_script, training_paths, write_tiny_dataset

FILES = [
    *(
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training_curves.png",
    ),
    "vocab.txt",
]
AWKWARD = (
    "Latin Words 123, e\u0301 \u00e9 ﬁ Ａ１！\u3000\u2028\x1c\x00\u200b\u200d\ufe0f \U0001f469\u200d\U0001f467 "
    "\U0001f1e8\U0001f1f3 \U00020bb7 ㍿ \ufeff ### [mask] MASK] \u05d0\u202e"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run, its weights far enough from their small beginnings that a wrong name would show."""
    folder = tmp_path_factory.mktemp("export") / "run"
    paths = ["--dataset", write_tiny_dataset(folder.parent), *training_paths(folder)]
    shape = ["--layers", "2", "--init-std", "0.15", "--max-positions", "48"]
    result = run_script("train_large_100k.py", *paths, *TINY_SETTINGS, *shape)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def exported(run):
    folder = run.parent / "exported"
    result = run_script("export_model.py", run / "final.pth", folder, "--history", run / "history.json")
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def hugging_face(exported):
    return transformers.AutoTokenizer.from_pretrained(exported)


@pytest.fixture(scope="module")
def tokenizer(exported):
    return Tokenizer(read_vocab_txt(exported / "vocab.txt"))


@pytest.fixture
def export(monkeypatch, capsys):
    """Call it with the script's arguments; it gives the exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["export_model.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_stage(export_model.main)
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def refused(export):
    """Call it with what the one line of the complaint must say, and the script's arguments."""

    def call(said, *arguments):
        code, _, complaint = export(*arguments)
        assert code == 2
        assert said in complaint
        assert complaint.count("\n") == 1

    return call


@pytest.fixture
def copied(run, tmp_path):
    """A final model, its sidecar and its vocabulary, to be spoilt."""
    for name in ("final.pth", "final.pth.json", "vocab.txt"):
        shutil.copy(run / name, tmp_path)
    return tmp_path / "final.pth"


def our_ids(tokenizer, text):
    return tokenizer.encode([text])[0].tolist()


# --- the model


def test_every_weight_has_its_place(exported):
    model, report = transformers.AutoModelForPreTraining.from_pretrained(exported, output_loading_info=True)
    assert type(model).__name__ == "BertForPreTraining"
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight
    config = model.config
    assert (config.hidden_act, config.layer_norm_eps, config.pad_token_id) == ("gelu", 1e-12, PAD)
    assert (config.type_vocab_size, config.max_position_embeddings, config.num_hidden_layers) == (2, 48, 2)
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0.1, 0.1)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_same_logits_on_100_padded_batches(run, exported, dtype, tolerance):
    """At every position, through `transformers` with padding and an attention mask, and through ours without.

    Float64 shows that it is the same function; in float32 either differs from it by rounding, more for larger logits.
    """
    theirs = transformers.AutoModelForPreTraining.from_pretrained(exported).eval().to(dtype)
    model = read_weights(run / "final.pth")
    shape, ours = model.shape, Bert(model.shape).eval()
    ours.load_state_dict(model.weights)
    ours.to(dtype)
    rng = np.random.default_rng(5)
    padded = 0
    for _ in range(100):
        lengths = rng.integers(3, shape.max_positions + 1, rng.integers(1, 7))
        tokens = rng.integers(0, shape.vocab_size, lengths.sum())  # [PAD] too: only the mask says what is padding
        positions = np.concatenate([np.arange(length) for length in lengths])
        segments = (positions >= np.repeat(rng.integers(1, lengths), lengths)).astype(np.int64)
        everywhere = np.arange(len(tokens))
        batch = Batch(
            tokens, segments, positions, lengths, everywhere, tokens, np.zeros_like(lengths), np.arange(len(lengths))
        )
        grid = np.zeros((3, len(lengths), lengths.max()), dtype=np.int64)
        grid[:, np.repeat(np.arange(len(lengths)), lengths), positions] = tokens, segments, np.ones_like(tokens)
        ids, types, mask = torch.from_numpy(grid)
        padded += int((mask == 0).sum())
        with torch.no_grad():
            mlm, nsp = ours(to_device(batch, shape.heads, torch.device("cpu")))
            output = theirs(input_ids=ids, token_type_ids=types, attention_mask=mask)
        torch.testing.assert_close(output.prediction_logits[mask.bool()], mlm, atol=tolerance, rtol=0)
        torch.testing.assert_close(output.seq_relationship_logits, nsp, atol=tolerance, rtol=0)
    assert padded > 1000


def test_fill_mask(exported, tokenizer):
    fill = transformers.pipeline("fill-mask", str(exported), device="cpu")
    for text in ("春天第1次，山中的[MASK]看听了3回。", "山 中 的 [MASK] ， 看了。"):
        guesses = fill(text)
        assert len(guesses) == 5
        for guess in guesses:
            assert tokenizer.tokens[guess["token"]] == guess["token_str"]
            if guess["token"] >= FIRST_CHARACTER:
                assert guess["sequence"] == text.replace(" ", "").replace("[MASK]", guess["token_str"])


# --- the tokenizer


def test_special_tokens_and_pairs(hugging_face, tokenizer):
    assert len(hugging_face) == len(tokenizer)
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    assert tuple(getattr(hugging_face, name) for name in names) == SPECIAL_TOKENS
    assert hugging_face.model_max_length == 48
    a, b = our_ids(tokenizer, "山中的马，"), our_ids(tokenizer, "看了3回。")
    assert UNK not in a + b
    pair = hugging_face("山中的马，", "看了3回。")
    assert pair["input_ids"] == [CLS, *a, SEP, *b, SEP]
    assert pair["token_type_ids"] == [0] * (len(a) + 2) + [1] * (len(b) + 1)
    assert hugging_face("山[MASK]的")["input_ids"] == [
        CLS,
        *our_ids(tokenizer, "山"),
        MASK,
        *our_ids(tokenizer, "的"),
        SEP,
    ]
    batch = hugging_face(["山", "山中的"], padding=True)
    assert batch["input_ids"][0][-2:] == [PAD, PAD]
    assert batch["attention_mask"][0] == [1, 1, 1, 0, 0]
    assert hugging_face.decode(pair["input_ids"], skip_special_tokens=True) == "山中的马，看了3回。"


texts = st.lists(st.one_of(st.text(), st.sampled_from([*"山中的马，。 1回", AWKWARD, "\n", "\u3000"]))).map("".join)


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_same_ids_for_any_text(hugging_face, tokenizer, a, b):
    """Special tokens written in the text are the one thing that `transformers` reads in its own way unless told."""
    assert hugging_face(a, split_special_tokens=True)["input_ids"] == [CLS, *our_ids(tokenizer, a), SEP]
    if b and not any(token in a + b for token in SPECIAL_TOKENS):  # an empty second text is none to transformers
        ours = [CLS, *our_ids(tokenizer, a), SEP, *our_ids(tokenizer, b), SEP]
        assert hugging_face(a, b)["input_ids"] == ours


def test_same_ids_with_every_character_of_unicode_in_the_vocabulary(tmp_path, exported):
    """Each visible code point is its own token; each white one is none."""
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    vocab = [chr(code) for code in codes[::20] if not chr(code).isspace()]
    ours = Tokenizer(vocab)
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json(ours.tokens)), encoding="utf-8")
    shutil.copy(exported / "tokenizer_config.json", tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    rows = ["".join(map(chr, codes[start : start + 4096])) for start in range(0, len(codes), 4096)]
    for row, ids in zip(rows, theirs(rows, add_special_tokens=False)["input_ids"], strict=True):
        assert ids == our_ids(ours, row)


# --- the folder


def card_of(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_folder_and_the_card(run, exported):
    assert sorted(path.name for path in exported.iterdir()) == FILES
    history, card = read_history(run / "history.json"), card_of(exported)
    test = history.run["test"]
    assert f"{100 * test['mlm_acc']:.2f} % of {test['mlm_targets']}" in card
    assert f"{history.run['parameters']:,}" in card
    assert history.run["dataset"]["fingerprint"] in card
    assert "Only positions below 32 were trained" in card
    assert str(run.parent) not in card
    assert (exported / "vocab.txt").read_bytes() == (run / "vocab.txt").read_bytes()


def test_the_card_says_how_the_run_went(run, exported):
    card, history = card_of(exported), read_history(run / "history.json")
    analysis = analyse(history, None, "now")
    assert f"| Pearson r of step and training accuracy | {analysis.training.pearson.r:.3f}" in card
    assert f"All {len(history)} records up to step {history.last_step}" in card
    assert "| early stopping | too few records to decide |" in card
    assert "![Accuracy, loss and learning rate over the run](training_curves.png)" in card
    assert (exported / "training_curves.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_history_there_is_neither_analysis_nor_picture(run, export, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export(run / "final.pth", "none")
    assert "## The run" not in card_of(tmp_path / "none")
    assert not (tmp_path / "none" / "training_curves.png").exists()


def test_same_bytes_again(run, exported, export, tmp_path):
    folder = tmp_path / "deep" / "again"
    assert export(run / "final.pth", folder, "--history", run / "history.json")[0] == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in exported.iterdir()
    }
    assert [path.name for path in folder.parent.iterdir()] == ["again"]


@pytest.mark.parametrize(
    ("name", "said"), [("step_8", "lacks a held-out score of this step"), ("state_12", "all of test")]
)
def test_only_the_last_weights_claim_a_test(run, export, tmp_path, name, said):
    """step_8 lies between the records 6 and 9. An empty folder will do."""
    code, output, _ = export(run / "ck" / f"{name}.pth", tmp_path, "--history", run / "history.json")
    assert code == 0
    assert "facts of the run" in output
    assert said in card_of(tmp_path)
    assert ("all of test" in card_of(tmp_path)) == (name == "state_12")


def test_a_checkpoint_on_a_record_gets_its_validation_record(run, export, copied, tmp_path):
    checkpoint.save(copied, {**checkpoint.load(copied), "step": 9})
    assert export(copied, tmp_path / "new", "--history", run / "history.json")[0] == 0
    record = read_history(run / "history.json").records["eval_mlm_acc"][2]
    assert f"| {100 * record:.2f} % |" in card_of(tmp_path / "new")
    assert "all of test" not in card_of(tmp_path / "new")


def test_the_default_history_is_used_only_where_it_fits(run, export, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "give its --history" in export(run / "final.pth", "none")[1]
    assert "no score is claimed" in card_of(tmp_path / "none")
    default = tmp_path / "training_history_100k.json"
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    history["run"]["config"]["layers"] = 12
    default.write_text(json.dumps(history), encoding="utf-8")
    assert "layers: 12 in the history, 2 in the model" in export(run / "final.pth", "other")[1]
    assert "no score is claimed" in card_of(tmp_path / "other")
    default.write_text("{", encoding="utf-8")
    assert "broken JSON" in export(run / "final.pth", "broken")[1]
    shutil.copy(run / "history.json", default)
    assert "facts of the run" in export(run / "final.pth", "own")[1]
    assert "all of test" in card_of(tmp_path / "own")


# --- bad input


def test_bad_checkpoints(run, refused, copied, tmp_path):
    new = tmp_path / "new"
    refused("not there", tmp_path / "absent.pth", new)
    copied.write_bytes(copied.read_bytes()[:-1])
    refused("does not match the SHA-256", copied, new)
    for content, said in (({"step": 1}, "'shape' is missing"), (weights_content(1, {}), "does not hold a model")):
        checkpoint.save(copied, content)
        refused(said, copied, new)
    whole = checkpoint.load(run / "final.pth")
    del whole["model"]["pooler.bias"]
    checkpoint.save(copied, whole)
    refused("pooler.bias", copied, new)
    assert not new.exists()


def test_the_linear_head_is_refused(run, refused, copied, tmp_path):
    shape = dataclasses.replace(read_weights(run / "final.pth").shape, head="linear")
    checkpoint.save(copied, weights_content(1, Bert(shape).state_dict(), shape=dataclasses.asdict(shape)))
    refused("train with --head bert", copied, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tokens: tokens[:-1], "is the vocabulary of another model"),
        (lambda tokens: [*tokens[:-2], tokens[-1], tokens[-2]], "is the vocabulary of another model"),
        (lambda tokens: tokens[1:], "must begin with [PAD]"),
        (lambda tokens: [*tokens[:-1], tokens[-2]], "repeats a character"),
        (lambda tokens: [*tokens[:-1], "##甲"], "not one visible character"),
    ],
)
def test_bad_vocabularies(refused, copied, tmp_path, change, said):
    path = tmp_path / "vocab.txt"
    tokens = change(path.read_text(encoding="utf-8").splitlines())
    path.write_text("".join(token + "\n" for token in tokens), encoding="utf-8")
    refused(said, copied, tmp_path / "new")
    path.unlink()
    refused("the vocabulary is not there", copied, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_bad_histories(run, refused, tmp_path):
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    path = tmp_path / "history.json"

    def refuse(said):
        refused(said, run / "final.pth", tmp_path / "new", "--history", path)

    refuse("is not there")
    bare = {key: history[key] for key in ("steps", "mlm_acc", "nsp_acc", "loss", "lr")}
    path.write_text(json.dumps(bare), encoding="utf-8")
    refuse("does not say how it was trained")
    short = {key: values[:2] for key, values in history.items() if key != "run"}
    path.write_text(json.dumps({**short, "run": history["run"]}), encoding="utf-8")
    refuse("ends before the model's 12")
    history["run"]["config"]["seed"] = 43
    path.write_text(json.dumps(history), encoding="utf-8")
    refuse("seed: 43 in the history, 42 in the model")
    assert not (tmp_path / "new").exists()


def test_an_occupied_folder_is_left_alone(run, exported, refused, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    refused("is a file", run / "final.pth", file)
    refused("Not a directory", run / "final.pth", file / "below")
    refused("is not empty", run / "final.pth", tmp_path)
    refused("is not empty", run / "final.pth", exported)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_failed_write_leaves_nothing(run, refused, tmp_path, monkeypatch):
    write = export_model.atomic.write_bytes

    def full(path, data):
        if path.name == "tokenizer.json":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(export_model.atomic, "write_bytes", full)
    refused("No space left", run / "final.pth", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
