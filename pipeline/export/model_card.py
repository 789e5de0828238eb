"""The README of an exported model: what it is, how it was trained, what it scores, and what it is not good for.

A number stands in the card only where the run's history gives it for these very weights: the test is scored at the last
step, so a checkpoint from the middle of a run gets its own validation record and no test.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from pipeline.baselines.counting import GUESSES
from pipeline.export.causal_weights import TrainedCausal
from pipeline.export.weights import TrainedModel
from pipeline.files.history import History
from pipeline.files.run_record import MASKED_LM, Facts, config_at, objective_of, recorded_changes
from pipeline.files.vocabulary import SPECIAL_TOKENS
from pipeline.formatting import NOTHING, count, percent
from pipeline.model.bert import Shape


def run_mismatches(history: History, model: TrainedModel | TrainedCausal) -> list[str]:
    """Why ``history`` belongs to another run than ``model``; empty where it fits."""
    facts = _facts_at(history, model.step)
    steps, interval = facts.count("config", "steps"), facts.count("config", "log_interval")
    if steps is None or interval is None:
        return ["it does not say how it was trained"]
    vocab = facts.count("dataset", "vocab")
    specials = len(SPECIAL_TOKENS) if isinstance(model, TrainedModel) else 0  # an alphabet counts its own
    recorded: dict[str, str | float | None] = {
        "vocab_size": None if vocab is None else vocab + specials,
        "dataset": facts.text("dataset", "fingerprint"),
    }
    expected = {**dataclasses.asdict(model.shape), "seed": model.seed, "dataset": model.dataset}
    for name, value in expected.items():
        if name not in recorded:
            read = facts.text if isinstance(value, str) else facts.number
            recorded[name] = read("config", name)
    different = [
        f"{name}: {recorded[name]} in the history, {value} in the model"
        for name, value in expected.items()
        if recorded[name] != value
    ]
    if different:
        return different
    # A stopped run is saved between two records, and only there a model can be ahead of its history.
    reach = min(history.last_step + interval - 1, steps)
    return [f"step: the history ends before the model's {model.step}"] if model.step > reach else []


def model_card(shape: Shape, step: int, parameters: int, history: History | None, whole_run: Sequence[str] = ()) -> str:
    """The card as Markdown. ``history`` is the run's, or None where nothing is known of it.

    ``whole_run`` are the paragraphs of run_section.py.
    """
    parts = [
        _FRONT,
        f"# Chinese BERT, {shape.layers} x {shape.hidden}, {step:,} steps",
        "BERT for Chinese characters, pretrained from scratch to study how the accuracy of a small model depends on "
        "the number of training steps. It is a specimen of a training run and not a general language model.",
        _USE,
        "## Model",
        table(
            ("", ""),
            [
                ("layers x width", f"{shape.layers} x {shape.hidden}"),
                ("attention heads", shape.heads),
                ("feed-forward width", shape.ffn),
                ("positions", shape.max_positions),
                (
                    "vocabulary",
                    f"{shape.vocab_size - len(SPECIAL_TOKENS):,} characters, {len(SPECIAL_TOKENS)} specials",
                ),
                ("parameters", f"{parameters:,}"),
            ],
        ),
    ]
    if history is None:
        parts += [
            "## Training",
            f"{step:,} optimizer steps. No history of the run was at hand, so no score is claimed.",
        ]
    else:
        parts += ["## Training", *training(history, step), "## Scores", *_scores(history, step), *whole_run]
    return "\n\n".join([*parts, _LIMITS]) + "\n"


def _facts_at(history: History, step: int) -> Facts:
    """What the run records, with the settings that ``step`` was trained with."""
    return Facts(history.path, {**history.run, "config": config_at(history.run, step)})


def training(history: History, step: int) -> list[str]:
    """How the weights of ``step`` were trained, by the run's history."""
    facts = _facts_at(history, step)
    steps, length = facts.count("config", "steps"), facts.count("config", "length")
    optimizer, rate, warmup = (
        facts.text("config", "optimizer"),
        facts.number("config", "lr"),
        facts.count("config", "warmup"),
    )
    batch = [_shown(facts.count("config", name)) for name in ("batch_size", "accumulation")]
    documents = {name: facts.count("dataset", "documents", name) for name in facts.names("dataset", "documents")}
    versions = {name: facts.text("versions", name) for name in facts.names("versions")}
    changes = [
        f"{change['setting']} {change['from']} to {change['to']} after step {change['step']:,}"
        for change in recorded_changes(history.run)
        if change["step"] < step
    ]
    told: list[tuple[str, object]] = [
        ("dataset", PurePath(facts.text("dataset", "path") or "").name),
        ("dataset's SHA-256", facts.text("dataset", "fingerprint")),
        ("sentences", count(facts.count("dataset", "sentences"))),
        ("documents", ", ".join(f"{count(number)} {name}" for name, number in documents.items())),
        ("steps", f"{step:,} of {count(steps)}"),
        ("effective batch", f"{batch[0]} x {batch[1]} sequences"),
        ("longest sequence", f"{_shown(length)} tokens"),
        ("optimizer", f"{_shown(optimizer)}, peak learning rate {_shown(rate)}, warm-up {_shown(warmup)}"),
        ("learning rate after the warm-up", facts.text("config", "schedule")),
        ("mask rate", facts.number("config", "mask_rate")),
        ("changed in mid run", ", ".join(changes)),
        ("seed", facts.count("seed")),
        ("precision", facts.text("precision")),
        ("device", facts.text("device")),
        ("processor", facts.text("processor")),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("started, finished", f"{_shown(facts.text('started'))}, {facts.text('finished') or 'not yet'}"),
    ]
    lines = [
        "From the history of the run, which fits these weights in sizes, vocabulary size and step.",
        table(("", ""), [(name, value) for name, value in told if value not in (None, "")]),
    ]
    positions = facts.count("config", "max_positions")
    if length is not None and positions is not None and length < positions:
        lines.append(
            f"Only positions below {length} were trained: cut longer texts to {length} tokens "
            f"(`truncation=True, max_length={length}`)."
        )
    if steps is not None and step < steps:
        lines.append("These weights are from before the end of the run's learning rate schedule.")
    pairs = history.columns.pairs
    if objective_of(history.run) == MASKED_LM and (pairs is None or not np.nansum(history.series(pairs.count))):
        lines.append("Next sentence prediction was not trained: the two numbers of that head mean nothing.")
    return lines


def _scores(history: History, step: int) -> list[str]:
    """Validation and test of a finished run's last weights; of others the record of their step, if there is one."""
    if history.facts.names("test") and step == history.last_step:
        return _final_scores(history.facts)
    columns, place = history.columns, {step: place for place, step in enumerate(history.steps)}.get(step)
    if place is not None and history.held_out:
        pairs = columns.pairs.held_out if columns.pairs else None
        keys = (columns.accuracy.held_out, columns.accuracy.held_out_han, pairs)
        return [
            f"On the run's fixed validation subset at step {step:,}, dropout off. The test articles are scored at the "
            "end of a run only.",
            table(
                ("MLM", "MLM, Han characters only", "NSP"),
                [tuple(percent(history.series(key)[place]) for key in keys)],
            ),
        ]
    return ["The history lacks a held-out score of this step, so none is claimed."]


def _final_scores(facts: Facts) -> list[str]:
    """The scores of the splits in the ``run`` object, and the guesses by counting beside them."""
    rows, guesses = [], []
    for split in ("validation", "test"):
        if not facts.names(split):
            continue
        parts = (("mlm_acc", "mlm_targets"), ("mlm_acc_han", "mlm_targets_han"), ("nsp_acc", "nsp_pairs"))
        cells = [f"{percent(facts.number(split, share))} of {count(facts.count(split, of))}" for share, of in parts]
        rows.append((f"all of {split}", *cells))
        for guess in GUESSES:
            shares = [percent(facts.number(split, "guesses", guess, key)) for key in ("all", "han")]
            guesses.append((f"{split}: {guess}", *shares))
    return [
        "Held out by article, dropout off. The test articles were scored once, after the last step.",
        table(("", "MLM", "MLM, Han characters only", "NSP"), rows),
        "Three guesses by counting, fitted on the training text, at the same masked positions: the commonest "
        "character, the commonest after the left neighbour, the commonest between both.",
        table(("guess", "MLM", "MLM, Han characters only"), guesses),
    ]


def table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _shown(value: str | float | None) -> str:
    return NOTHING if value is None else str(value)


_FRONT = """---
language: zh
library_name: transformers
pipeline_tag: fill-mask
tags:
- bert
- pretraining
---"""

_USE = """## Use

```python
from transformers import AutoModelForPreTraining, AutoTokenizer, pipeline

fill = pipeline("fill-mask", "DIR")  # DIR: this folder
for guess in fill("今天天气很[MASK]。"):
    print(guess["token_str"], round(guess["score"], 3))

tokenizer = AutoTokenizer.from_pretrained("DIR")
model = AutoModelForPreTraining.from_pretrained("DIR")  # seq_relationship_logits: 0 is next, 1 is another text
```

One token is one character; white space is dropped, case is kept, and a character outside the vocabulary is `[UNK]`. Use
`AutoTokenizer`: `BertTokenizer` reads `vocab.txt` by other rules. Special tokens such as `[MASK]` are recognised in a
text."""

_LIMITS = """## Limits

It repeats what its training text says, prejudice and error included, and its probabilities are of characters, not of
facts. This card states no licence: whoever publishes the weights chooses one that the training text allows."""
