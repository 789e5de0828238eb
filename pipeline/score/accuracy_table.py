"""The table of a split's checkpoints that evaluate_checkpoints.py prints."""

from __future__ import annotations

from pipeline.characters.script_variants import SCRIPTS
from pipeline.files.scores import CheckpointScore, MlmScore, SplitScores
from pipeline.formatting import percent

ROWS = 12
HEADS = (
    "step",
    "MLM",
    "Han",
    "decile 1",
    "decile 5",
    "decile 10",
    "simpl.",
    "trad.",
    "punct.",
    "NSP",
    "NSP any",
    "published",
)


def accuracy_table(scored: SplitScores) -> list[str]:
    """Lines of step against accuracy by a few groups, in percent; other models, and the best counting guess, behind."""
    apart = max(-(-len(scored.checkpoints) // ROWS), 1)
    shown = scored.checkpoints[::-1][::apart][::-1]  # every so many, the last among them
    lines: list[tuple[str, ...]] = [HEADS, *(_checkpoint(entry) for entry in shown)]
    lines += [_row(name[:10], mlm, None, None, None) for name, mlm in (scored.others or {}).items()]
    guess = scored.guesses["both"]
    lines.append(_row("counting", guess, None, None, guess.published_rule.accuracy))
    return [
        "accuracy on held-out text; deciles of the running Han text by training frequency, 1 the rarest; "
        "simpl., trad.: characters of that script only",
        *("".join(f"{cell:>11}" for cell in line) for line in lines),
    ]


def _checkpoint(entry: CheckpointScore) -> tuple[str, ...]:
    same, anyone = (entry.nsp.same_source.accuracy, entry.nsp.any_source.accuracy) if entry.nsp else (None, None)
    return _row(f"{entry.step:,}", entry.mlm, same, anyone, entry.mlm.published_rule.accuracy_summed)


def _row(
    label: str, mlm: MlmScore, same_source: float | None, any_source: float | None, published: float | None
) -> tuple[str, ...]:
    tenths = mlm.by_text_decile
    scripts = [mlm.by("by_script").get(name) for name in SCRIPTS[:2]]
    groups = (mlm.by_class["han"], tenths["1"], tenths["5"], tenths["10"], *scripts, mlm.by_class["punctuation"])
    accuracies = [None if group is None else group.accuracy for group in groups]
    shares = (mlm.accuracy, *accuracies, same_source, any_source, published)
    return (label, *(percent(share, 1) for share in shares))
