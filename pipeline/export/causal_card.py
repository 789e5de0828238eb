"""The README of an exported causal model; its numbers are those of the run's history, as in model_card.py."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.data.alphabet import Alphabet
from pipeline.export.causal_weights import TrainedCausal
from pipeline.export.model_card import table, training
from pipeline.files.history import History
from pipeline.formatting import NOTHING, count, percent
from pipeline.report.text_scores import BASELINES


def causal_card(model: TrainedCausal, parameters: int, history: History | None, whole_run: Sequence[str] = ()) -> str:
    """The card as Markdown. ``history`` is the run's, or None where nothing is known of it.

    ``whole_run`` are the paragraphs of run_section.py.
    """
    shape, step, alphabet = model.shape, model.step, model.alphabet
    sizes = [
        ("layers x width", f"{shape.layers} x {shape.hidden}"),
        ("attention heads", shape.heads),
        ("feed-forward width", shape.ffn),
        ("positions", f"{shape.max_positions}, of which {model.context} were trained"),
        ("symbols", f"{len(alphabet):,} ({alphabet.unit} and the end of a document)"),
        ("parameters", f"{parameters:,}"),
    ]
    parts = [
        _FRONT,
        f"# Causal language model of {alphabet.unit}, {shape.layers} x {shape.hidden}, {step:,} steps",
        "A GPT-2-style model, pretrained from scratch to study how the accuracy of a small model depends on the number "
        "of training steps. It is a specimen of a training run and not a general language model.",
        _USE.replace("SYMBOLS", _symbols(alphabet)),
        "## Model",
        table(("", ""), sizes),
    ]
    if history is None:
        told = f"{step:,} optimizer steps. No history of the run was at hand, so no score is claimed."
        parts += ["## Training", told]
    else:
        parts += ["## Training", *training(history, step), "## Scores", *_scores(history, step), *whole_run]
    return "\n\n".join([*parts, _LIMITS]) + "\n"


def _symbols(alphabet: Alphabet) -> str:
    if alphabet.level == "byte":
        return "One token is one byte of UTF-8."
    white = "white space is a character as any other" if alphabet.white_space else "white space is dropped"
    return f"One token is one character; {white}, and one outside the vocabulary is `<|unknown|>`."


def _scores(history: History, step: int) -> list[str]:
    """The numbers of both held-out texts for a finished run's last weights; else the record of the step."""
    facts = history.facts
    if facts.names("test") and step == history.last_step:
        rows = []
        for split in ("validation", "test"):
            perplexity = facts.number(split, "word_perplexity")
            rows.append(
                (
                    f"all of {split}",
                    f"{percent(facts.number(split, 'next_acc'))} of {count(facts.count(split, 'next_targets'))}",
                    f"{facts.number(split, 'bits_per_character') or 0:.3f}",
                    f"{facts.number(split, 'bits_per_byte') or 0:.3f}",
                    NOTHING if perplexity is None else f"{perplexity:,.1f}",
                )
            )
        baselines = [
            (text, f"{value:.3f}")
            for name, text in BASELINES.items()
            if (value := facts.number("test", "baselines", name)) is not None
        ]
        return [
            "Held out by document, dropout off, each symbol scored once from at least "
            f"{count(facts.count('context', 'at_least'))} symbols of context.",
            table(("", "next symbol", "bits per character", "bits per byte", "perplexity per word"), rows),
            "Fitted on the same training text, on the same test text:",
            table(("", "bits per character"), baselines),
        ]
    place = {step: place for place, step in enumerate(history.steps)}.get(step)
    if place is not None and history.held_out:
        accuracy = history.series(history.columns.accuracy.held_out)[place]
        loss = history.series(history.columns.loss.held_out)[place]
        return [
            f"On the run's fixed validation windows at step {step:,}, dropout off; the test is scored at the end only.",
            table(("next symbol", "nats a symbol"), [(percent(accuracy), f"{loss:.3f}")]),
        ]
    return ["The history lacks a held-out score of this step, so none is claimed."]


_FRONT = """---
library_name: transformers
pipeline_tag: text-generation
tags:
- gpt2
- pretraining
---"""

_USE = """## Use

```python
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

write = pipeline("text-generation", "DIR")  # DIR: this folder
print(write("PROMPT", max_new_tokens=100)[0]["generated_text"])

tokenizer = AutoTokenizer.from_pretrained("DIR")
model = AutoModelForCausalLM.from_pretrained("DIR")
```

SYMBOLS A text begins with `<|endoftext|>`, which the tokenizer puts there, and ends with it."""

_LIMITS = """## Limits

It repeats what its training text says, prejudice and error included, and its probabilities are of characters, not of
facts. This card states no licence: whoever publishes the weights chooses one that the training text allows."""
