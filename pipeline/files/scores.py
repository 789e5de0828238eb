"""The scores of a run's checkpoints between the stages: accuracy along the steps, broken down.

JSON, UTF-8::

    format        1
    run           the ``run`` object of the history, as it was when scoring began
    validation    one section a split, present once it was scored; ``test`` holds the final model only
      sequences   held-out sequences scored, the same ones with the same masks for every checkpoint
      groups      by kind of group and name: ``targets`` in it, ``characters`` (distinct ones among them), and for the
                  deciles ``lowest_frequency, highest_frequency`` (occurrences in training) and ``training_characters``
      guesses     ``commonest, left, both``: the counting guesses on the same targets, each a score without losses
      checkpoints list of {step, file, sha256, mlm, nsp}, by step

A score (``mlm``) is ``{targets, accuracy, loss, perplexity, bits_per_character}`` over all targets (loss in nats),
``by_class, by_source, by_text_decile, by_character_decile`` (by name ``{targets, accuracy, loss}``) and
``published_rule``; see pipeline/score/breakdown.py. ``nsp`` is, by kind of negative, ``{pairs, accuracy,
balanced_accuracy, is_next, is_next_accuracy, not_next, not_next_accuracy}``, and ``by_source``; see
pipeline/score/pair_scores.py. An accuracy over nothing is null.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.files import atomic
from pipeline.files.json_object import read_json_object
from pipeline.stage import InputError

FORMAT = 1
DEFAULT_SCORES = Path("results/checkpoint_evaluation_100k.json")
SPLITS = ("validation", "test")


def scores_beside(history: Path) -> Path:
    """Where the scores of a history's checkpoints are looked for: ``checkpoint_evaluation_X.json`` beside
    ``training_history_X.json``, ``checkpoint_evaluation.json`` beside any other name."""
    name = history.stem
    end = name.removeprefix("training_history") if name.startswith("training_history") else ""
    return history.with_name(f"checkpoint_evaluation{end}.json")


def read_scores(path: Path) -> dict[str, Any]:
    """Read a file of scores and check what its sections are built of.

    Raises:
        InputError: missing file, broken JSON, another format, a section without its parts.
    """
    scores = read_json_object(path, "the checkpoint scores", "evaluate_checkpoints.py writes them")
    if scores.get("format") != FORMAT or not isinstance(scores.get("run"), dict):
        raise InputError(f"{path}: holds no checkpoint scores of format {FORMAT}; give another path")
    for split in SPLITS:
        if split in scores:
            _check_section(f"{path}: {split!r}", scores[split])
    return scores


def write_scores(path: Path, scores: dict[str, Any]) -> None:
    """Replace ``path`` by ``scores``."""
    atomic.write_json(path, scores, indent=1)


def _check_section(where: str, section: Any) -> None:
    parts = {"sequences": int, "groups": dict, "guesses": dict, "checkpoints": list}
    if not isinstance(section, dict):
        raise InputError(f"{where} must be an object; move the file away and score again")
    for key, kind in parts.items():
        if not isinstance(section.get(key), kind):
            raise InputError(f"{where} needs {key!r} as {kind.__name__}; move the file away and score again")
    for entry in section["checkpoints"]:
        if not isinstance(entry, dict) or type(entry.get("step")) is not int or "mlm" not in entry:
            raise InputError(f"{where} holds a checkpoint without its step and scores; move the file away")
