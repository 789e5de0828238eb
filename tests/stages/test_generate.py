"""generate_text.py as a user runs it."""

import pytest
import torch

from pipeline.data.alphabet import END
from pipeline.export.causal_weights import read_causal
from pipeline.files import checkpoint
from tests.helpers.causal import train_causal, write_tiny_text
from tests.helpers.checkpoints import weights_content
from tests.helpers.in_process import run_here, succeeded


@pytest.fixture(scope="module", params=["char", "byte"])
def final(request, tmp_path_factory):
    """A finished model, of characters and of bytes."""
    folder = tmp_path_factory.mktemp(request.param)
    succeeded(train_causal(folder, write_tiny_text(folder), "--level", request.param))
    return folder / "final.pth"


def written(final, *more):
    return succeeded(run_here("generate_text.py", final, *more, "--device", "cpu"))


def test_the_likeliest_text_is_that_of_the_model(final):
    """Within the context of 24, without the cache."""
    trained = read_causal(final)
    model, alphabet = trained.model().eval(), trained.alphabet
    symbols = alphabet.read_prompt("the cat", 24)
    with torch.no_grad():
        while len(symbols) < 20:
            symbols.append(int(model(torch.tensor([symbols]))[0, -1].argmax()))
    assert END not in symbols[1:]
    text = written(final, "--prompt", "the cat", "--temperature", "0", "--length", len(symbols) - 8)
    assert text == alphabet.decode(symbols) + "\n"


def test_the_seed_decides_and_the_text_outgrows_the_context(final):
    one, two, three = (
        written(final, "--prompt", "a dog", "--length", "90", "--temperature", "2", "--seed", s) for s in (1, 1, 2)
    )
    assert one == two != three
    assert one.startswith("a dog")
    assert written(final, "--length", "0", "--prompt", "a dog") == "a dog\n"


def test_a_text_ends_with_its_document(final, monkeypatch):
    alphabet = read_causal(final).alphabet
    symbols = alphabet.encode([" cat"])[0].tolist()
    monkeypatch.setattr("pipeline.model.sampling.generate", lambda *_: iter([*symbols, END, *symbols]))
    assert written(final, "--prompt", "the") == "the cat\n"


def test_a_character_of_several_bytes_is_shown_when_it_is_whole(final, monkeypatch):
    alphabet = read_causal(final).alphabet
    symbols, cut = alphabet.encode(["the"])[0].tolist(), []
    if alphabet.level == "byte":
        symbols = [byte + 1 for byte in "天".encode()]
        cut = symbols[:2]
    monkeypatch.setattr("pipeline.model.sampling.generate", lambda *_: iter([*symbols, *cut, END]))
    assert written(final, "--prompt", "a") == f"a{alphabet.decode(symbols)}{alphabet.decode(cut)}\n"


def refused(said, *arguments):
    result = run_here("generate_text.py", *arguments)
    assert result.returncode == 2, result.stderr
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()[-1:]) == 1
    assert "Traceback" not in result.stderr


def test_bad_input(final, tmp_path):
    refused("the context has room for 23", final, "--prompt", "a" * 24)
    if read_causal(final).alphabet.level == "char":
        refused("--prompt: the model does not know 'Q', '天'", final, "--prompt", "Q天")
    for option, value in (("--temperature", "-1"), ("--temperature", "inf"), ("--top-p", "0"), ("--top-p", "1.5"),
                          ("--top-k", "-1"), ("--length", "-1"), ("--seed", "-1")):  # fmt: skip
        refused(option, final, option, value)
    refused("not there", tmp_path / "none.pth")


def test_other_checkpoints(final, tmp_path):
    checkpoint.save(tmp_path / "bert.pth", weights_content(3, {}))
    refused("is of a masked language model (train_large_100k.py)", tmp_path / "bert.pth")
    content = {name: value for name, value in checkpoint.load(final).items() if name != "format"}
    damaged = {
        "its alphabet is damaged": {"alphabet": {**content["alphabet"], "white_space": False}},
        "does not hold a model": {"shape": {**content["shape"], "heads": 0, "more": 1}},
        "do not fit the sizes in the file, such as final_norm.bias": {"shape": {**content["shape"], "hidden": 18}},
    }
    for said, changes in damaged.items():
        checkpoint.save(tmp_path / "damaged.pth", {**content, **changes})
        refused(said, tmp_path / "damaged.pth")
