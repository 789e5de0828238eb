"""The README of an exported model: what it is, how it was trained, what it scores, and what it is not good for.

A number stands in the card only where the run's history gives it for these very weights: the test is scored at the last
step, so a checkpoint from the middle of a run gets its own validation record and no test.
"""

from __future__ import annotations

import dataclasses
from pathlib import PurePath
from typing import Any

from pipeline.baselines.counting import GUESSES
from pipeline.files.history import History
from pipeline.files.vocabulary import SPECIAL_TOKENS
from pipeline.formatting import count, percent
from pipeline.model.bert import Shape


def run_mismatches(history: History, shape: Shape, step: int, origin: dict[str, Any]) -> list[str]:
    """Why ``history`` is not of the run that made the model of ``shape`` at ``step``; empty where it is.

    ``origin`` holds the ``seed`` and the fingerprint of the ``dataset`` that the checkpoint names.
    """
    config, dataset = history.run.get("config"), history.run.get("dataset")
    if not isinstance(config, dict) or not isinstance(dataset, dict):
        return ["it says nothing of its run"]
    vocab_size = _plus(dataset.get("vocab"), len(SPECIAL_TOKENS))
    recorded = {**config, "vocab_size": vocab_size, "dataset": dataset.get("fingerprint")}
    different = [
        f"{name}: {recorded.get(name)} in the history, {value} in the model"
        for name, value in {**dataclasses.asdict(shape), **origin}.items()
        if recorded.get(name) != value
    ]
    if different:
        return different
    # A stopped run is saved between two records, and only there a model can be ahead of its history.
    reach = min((history.records["steps"] or [0])[-1] + config["log_interval"] - 1, config["steps"])
    return [f"step: the history ends before the model's {step}"] if step > reach else []


def model_card(shape: Shape, step: int, parameters: int, history: History | None) -> str:
    """The card as Markdown. ``history`` is the run's, or None where nothing is known of it."""
    parts = [
        _FRONT,
        f"# Chinese BERT, {shape.layers} x {shape.hidden}, {step:,} steps",
        "BERT for Chinese characters, pretrained from scratch to study how the accuracy of a small model depends on "
        "the number of training steps. It is a specimen of a training run and not a general language model.",
        _USE,
        "## Model",
        _table(
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
        parts += ["## Training", *_training(history, step), "## Scores", *_scores(history, step)]
    return "\n\n".join([*parts, _LIMITS]) + "\n"


def _training(history: History, step: int) -> list[str]:
    run, config = history.run, history.run["config"]
    dataset = run["dataset"]
    documents = dataset.get("documents")
    facts = [
        ("dataset", PurePath(str(dataset.get("path"))).name),
        ("dataset's SHA-256", dataset.get("fingerprint")),
        ("sentences", count(dataset.get("sentences"))),
        ("documents", ", ".join(f"{n:,} {name}" for name, n in documents.items()) if documents else None),
        ("steps", f"{step:,} of {config['steps']:,}"),
        ("effective batch", f"{config.get('batch_size')} x {config.get('accumulation')} sequences"),
        ("longest sequence", f"{config.get('length')} tokens"),
        (
            "optimizer",
            f"{config.get('optimizer')}, peak learning rate {config.get('lr')}, warm-up {config.get('warmup')}",
        ),
        ("mask rate", config.get("mask_rate")),
        ("seed", run.get("seed")),
        ("precision", run.get("precision")),
        ("device", run.get("device")),
        ("processor", run.get("processor")),
        ("versions", ", ".join(f"{name} {version}" for name, version in (run.get("versions") or {}).items())),
        ("started, finished", f"{run.get('started')}, {run.get('finished') or 'not yet'}"),
    ]
    lines = [
        "From the history of the run, which fits these weights in sizes, vocabulary size and step.",
        _table(("", ""), [(name, value) for name, value in facts if value not in (None, "")]),
    ]
    if _never_reached(config):
        lines.append(
            f"Only positions below {config['length']} were trained: cut longer texts to {config['length']} tokens "
            f"(`truncation=True, max_length={config['length']}`)."
        )
    if step < config["steps"]:
        lines.append("These weights are from before the end of the run's learning rate schedule.")
    if not any(history.records.get("nsp_pairs", [])):
        lines.append("Next sentence prediction was not trained: the two numbers of that head mean nothing.")
    return lines


def _scores(history: History, step: int) -> list[str]:
    """Validation and test of a finished run's last weights; of others the record of their step, if there is one."""
    run = history.run
    if isinstance(run.get("test"), dict) and step == history.records["steps"][-1]:
        rows, guesses = [], []
        for name in ("validation", "test"):
            scored = run.get(name)
            if not isinstance(scored, dict):
                continue
            rows.append(
                (
                    f"all of {name}",
                    f"{percent(scored.get('mlm_acc'))} of {count(scored.get('mlm_targets'))}",
                    f"{percent(scored.get('mlm_acc_han'))} of {count(scored.get('mlm_targets_han'))}",
                    f"{percent(scored.get('nsp_acc'))} of {count(scored.get('nsp_pairs'))}",
                )
            )
            for guess in GUESSES:
                shares = (scored.get("guesses") or {}).get(guess, {})
                guesses.append((f"{name}: {guess}", percent(shares.get("all")), percent(shares.get("han"))))
        return [
            "Held out by article, dropout off. The test articles were scored once, after the last step.",
            _table(("", "MLM", "MLM, Han characters only", "NSP"), rows),
            "Three guesses by counting, fitted on the training text, at the same masked positions: the commonest "
            "character, the commonest after the left neighbour, the commonest between both.",
            _table(("guess", "MLM", "MLM, Han characters only"), guesses),
        ]
    if step in history.records["steps"] and history.has("eval_mlm_acc"):
        place = history.records["steps"].index(step)
        now = {key: values[place] for key, values in history.records.items()}
        return [
            f"On the run's fixed validation subset at step {step:,}, dropout off. The test articles are scored at the "
            "end of a run only.",
            _table(
                ("MLM", "MLM, Han characters only", "NSP"),
                [tuple(percent(now.get(f"eval_{key}")) for key in ("mlm_acc", "mlm_acc_han", "nsp_acc"))],
            ),
        ]
    return ["The history has no held-out score of this step, so none is claimed."]


def _never_reached(config: dict[str, Any]) -> bool:
    length, positions = config.get("length"), config.get("max_positions")
    return isinstance(length, int) and isinstance(positions, int) and length < positions


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _plus(count: Any, more: int) -> int | None:
    return count + more if isinstance(count, int) else None


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
