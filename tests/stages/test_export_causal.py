"""The export of a causal model, read back by the `transformers` library."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported

import pytest
import torch
import transformers

from pipeline.data.alphabet import END
from pipeline.export.causal_weights import read_causal
from pipeline.files.history import read_history
from pipeline.formatting import percent
from tests.helpers.causal import SETTINGS, causal_paths, train_causal, write_tiny_text
from tests.helpers.in_process import run_here, succeeded
from tests.helpers.tiny import write_tiny_dataset

AWKWARD = "the  cat\n\tZé天 \x1c\u3000\u2028🐈 [MASK] ., \ufeff."


@pytest.fixture(scope="module", params=["char", "byte", "dataset"])
def run(request, tmp_path_factory):
    """A finished run: characters and bytes of a text, and the characters of a dataset without white space."""
    folder = tmp_path_factory.mktemp(request.param)
    far = ("--init-std", "0.3", "--max-positions", "40")
    if request.param == "dataset":
        paths = ("--dataset", write_tiny_dataset(folder), *causal_paths(folder))
        succeeded(run_here("train_causal_lm.py", *paths, *SETTINGS, *far))
    else:
        succeeded(train_causal(folder, write_tiny_text(folder), "--level", request.param, *far))
    succeeded(run_here("export_model.py", folder / "final.pth", folder / "out", "--history", folder / "history.json"))
    return folder


def test_logits_agree(run):
    trained = read_causal(run / "final.pth")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(run / "out").eval()
    assert type(theirs).__name__ == "GPT2LMHeadModel"
    symbols = torch.randint(len(trained.alphabet), (3, 40), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = trained.model().eval()(symbols)
        assert torch.allclose(theirs(symbols).logits, ours, rtol=0, atol=1e-5)
    assert ours.std() > 0.1


def test_tokens_agree(run):
    alphabet = read_causal(run / "final.pth").alphabet
    tokenizer = transformers.AutoTokenizer.from_pretrained(run / "out")
    for text in (AWKWARD, "", "the cat sat", "山中的马"):
        ids = tokenizer(text)["input_ids"]
        assert ids == [END, *alphabet.encode([text])[0].tolist()]
        known = alphabet.kept("".join(c for c in text if not alphabet.unknown_in(c)))
        shown = tokenizer.decode(alphabet.encode([known])[0].tolist(), skip_special_tokens=True)
        assert shown == known
    assert len(tokenizer) == len(alphabet)
    assert tokenizer.model_max_length == 40


def test_it_writes_as_our_own_script_does(run):
    alphabet = read_causal(run / "final.pth").alphabet
    prompt = alphabet.kept("the cat" if not alphabet.unknown_in("the cat") else "春天")
    write = transformers.pipeline("text-generation", str(run / "out"), device="cpu")
    [found] = write(prompt, max_new_tokens=12, do_sample=False, eos_token_id=None)
    ours = succeeded(
        run_here("generate_text.py", run / "final.pth", "--prompt", prompt, "--length", "12", "--temperature", "0")
    )
    assert found["generated_text"].startswith(prompt)
    assert found["generated_text"] == ours.removesuffix("\n")


def test_the_card_says_what_the_history_says(run):
    card = (run / "out" / "README.md").read_text(encoding="utf-8")
    test = read_history(run / "history.json").run["test"]
    perplexity = test["word_perplexity"]
    numbers = (
        f"| all of test | {percent(test['next_acc'])} of {test['next_targets']} | {test['bits_per_character']:.3f} | "
        f"{test['bits_per_byte']:.3f} | {'-' if perplexity is None else f'{perplexity:,.1f}'} |"
    )
    assert numbers in card
    assert f"| n-grams (Kneser-Ney) | {test['baselines']['kneser_ney']:.3f} |" in card
    assert "entence prediction" not in card
    assert "40, of which 24 were trained" in card


def test_without_a_history_no_score_is_claimed(run, tmp_path):
    succeeded(run_here("export_model.py", run / "ck" / "step_6.pth", tmp_path / "out"))
    assert "no score is claimed" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_another_runs_history_is_refused(run, tmp_path):
    other = tmp_path / "other"
    succeeded(train_causal(other, write_tiny_text(tmp_path), "--seed", "7"))
    result = run_here("export_model.py", run / "final.pth", tmp_path / "out", "--history", other / "history.json")
    assert result.returncode == 2
    assert "belongs to another model (" in result.stderr
    assert not (tmp_path / "out").exists()
