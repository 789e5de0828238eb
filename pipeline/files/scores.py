"""The scores of a run's checkpoints between the stages: accuracy along the steps, broken down.

The file is JSON with the keys of ``Scores``. Accuracies are shares of one, losses cross-entropies in nats; both are
null over nothing. Every checkpoint is scored on the same sequences with the same masks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import log
from pathlib import Path
from typing import Any, Literal, get_args

from pipeline.files import atomic
from pipeline.files.history import beside
from pipeline.files.json_object import read_json_object
from pipeline.files.run_record import run_differences, shown
from pipeline.files.typed_json import from_json, to_json
from pipeline.stage import InputError

FORMAT: Literal[1] = 1
Split = Literal["validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
GroupKind = Literal["by_class", "by_source", "by_text_decile", "by_character_decile", "by_script"]
GROUP_KINDS: tuple[GroupKind, ...] = get_args(GroupKind)


@dataclass(frozen=True)
class GroupSize:
    """What a group holds. The last three are of deciles only, and null for other kinds of group."""

    targets: int
    characters: int  # distinct ones among the targets
    training_characters: int | None = None  # distinct characters of the decile in training
    lowest_frequency: int | None = None  # occurrences in training of its rarest character; null for an empty decile
    highest_frequency: int | None = None  # and of its most frequent one


@dataclass(frozen=True)
class GroupScore:
    """Accuracy and mean loss (nats; null for a guess) over the ``targets`` of one group."""

    targets: int
    accuracy: float | None
    loss: float | None = None


@dataclass(frozen=True)
class PublishedRule:
    """Accuracy when all that is not Han is one class, as in the published run; see pipeline/score/breakdown.py."""

    targets: int
    accuracy: float | None  # of the likeliest token
    targets_not_han: int
    accuracy_summed: float | None = None  # of the likeliest class, its probabilities summed; null for a guess


@dataclass(frozen=True)
class MlmScore:
    """Masked language modelling of one checkpoint or guess, over all targets and by group.

    A guess is scored without losses.
    """

    targets: int
    accuracy: float | None
    by_class: dict[str, GroupScore]  # by the name of a class in pipeline/characters/token_classes.py
    by_source: dict[str, GroupScore]  # by the name of the source of the text
    by_text_decile: dict[str, GroupScore]  # "1" (rarest) to "10", "unseen in training"; equal shares of the Han text
    by_character_decile: dict[str, GroupScore]  # the same names; equally many distinct Han characters
    published_rule: PublishedRule
    loss: float | None = None  # nats
    perplexity: float | None = None  # exp(loss); null where that is too large for a float
    bits_per_character: float | None = None
    # By the script that a Han character belongs to, SCRIPTS of pipeline/characters/script_variants.py; files of before
    # lack it.
    by_script: dict[str, GroupScore] | None = field(default=None, metadata={"omit_none": True})

    def by(self, kind: GroupKind) -> dict[str, GroupScore]:
        """The groups of ``kind`` by name; empty where they were not scored."""
        groups: dict[str, GroupScore] | None = getattr(self, kind)
        return groups or {}


@dataclass(frozen=True)
class PairScore:
    """Next sentence prediction on true pairs (``is_next``) and strangers (``not_next``)."""

    pairs: int  # is_next + not_next
    accuracy: float | None
    balanced_accuracy: float | None  # mean of the next two accuracies: one answer for all pairs scores one half
    is_next: int
    is_next_accuracy: float | None
    not_next: int
    not_next_accuracy: float | None


@dataclass(frozen=True)
class NspScore:
    """Next sentence prediction by kind of stranger; see pipeline/score/pair_scores.py."""

    same_source: PairScore  # strangers of the same source, as in training
    any_source: PairScore
    by_source: dict[str, PairScore]  # same_source by the name of the source


@dataclass(frozen=True)
class CountingComparison:
    """How much of what a model answers is what counting answers; see pipeline/score/counting_comparison.py."""

    targets: int
    agreement: dict[str, float | None]  # by guess: share of the targets where both answer the same character
    divergence: dict[str, float | None]  # by guess: mean KL(counting || model) in nats, over ``divergence_targets``
    divergence_targets: int


@dataclass(frozen=True)
class Filled:
    """What a model puts into a blank: the likeliest characters, and the probability of each and of the right one."""

    characters: list[str]
    probabilities: list[float]
    right: float | None = None  # null where the sentence does not say what is right, or the model does not know it


@dataclass(frozen=True)
class CheckpointScore:
    """What one checkpoint scores."""

    step: int
    file: str
    sha256: str  # of the file
    precision: str  # computed in: "fp32", "bf16", ...
    mlm: MlmScore
    nsp: NspScore | None  # null where the split is without pairs
    # Files of before lack these two.
    counting: CountingComparison | None = field(default=None, metadata={"omit_none": True})
    filled: list[Filled] | None = field(default=None, metadata={"omit_none": True})  # one a sentence of ``sentences``


@dataclass(frozen=True)
class Blank:
    """A sentence with one character left out."""

    before: str
    after: str
    right: str | None = None  # the character that stood there


@dataclass(frozen=True)
class SplitScores:
    """One split: its questions, the counting guesses and the checkpoints."""

    sequences: int  # held-out sequences scored
    groups: dict[str, dict[str, GroupSize]]  # by GroupKind and name
    guesses: dict[str, MlmScore]  # "commonest", "left", "both": the counting guesses on the same targets
    checkpoints: list[CheckpointScore]  # by step
    # Sequences that the split has in all; files of before lack it.
    available: int | None = field(default=None, metadata={"omit_none": True})
    # SHA-256 of the sequences, masks, pairs and right answers, as in the final scoring; files of before lack it.
    questions: str | None = field(default=None, metadata={"omit_none": True})
    sentences: list[Blank] | None = field(default=None, metadata={"omit_none": True})  # those that ``filled`` is about
    # Masked language models of others on the same questions, by the name of their folder.
    others: dict[str, MlmScore] | None = field(default=None, metadata={"omit_none": True})

    def refuse_other_questions(self, path: Path, sequences: int, questions: str) -> None:
        """Raise an InputError where these scores, in the file ``path``, answer other questions."""
        self.refuse_other_examples(path, sequences)
        if self.questions != questions:
            raise InputError(
                f"{path}: was scored on other sequences or masks, by another version of this program; move it away and "
                "score again, or give another --output"
            )

    def refuse_other_sentences(self, path: Path, blanks: list[Blank]) -> None:
        """Raise an InputError where other blanks were filled in these scores, in the file ``path``."""
        if self.sentences != blanks:
            raise InputError(f"{path}: has other sentences with blanks; give the same --sentences, or another --output")

    def refuse_other_examples(self, path: Path, asked: int) -> None:
        """Raise an InputError where these scores, in the file ``path``, are on another number of sequences."""
        if self.sequences != asked:
            raise InputError(
                f"{path}: was scored on {self.sequences} sequences, not {asked}; give the same --examples, or another "
                "--output"
            )

    def with_checkpoint(self, scored: CheckpointScore) -> SplitScores:
        """These scores with one more checkpoint, which replaces an earlier one of its step."""
        others = [other for other in self.checkpoints if other.step != scored.step]
        return replace(self, checkpoints=sorted([*others, scored], key=lambda one: one.step))

    def digests(self) -> dict[int, str]:
        """The SHA-256 of the scored checkpoints by step."""
        return {scored.step: scored.sha256 for scored in self.checkpoints}


@dataclass(frozen=True)
class Scores:
    """The file. A split that was not scored is left out of it."""

    format: Literal[1]
    run: dict[str, Any]  # the ``run`` object of the history when scoring began
    validation: SplitScores | None = field(default=None, metadata={"omit_none": True})
    test: SplitScores | None = field(default=None, metadata={"omit_none": True})  # the final model only

    def split(self, name: Split) -> SplitScores | None:
        """The scores of one split, None where it was not scored."""
        return self.validation if name == "validation" else self.test

    def with_split(self, name: Split, scored: SplitScores) -> Scores:
        """These scores with ``scored`` as those of the split."""
        return replace(self, validation=scored) if name == "validation" else replace(self, test=scored)


def spaced(checkpoints: list[CheckpointScore], most: int) -> list[CheckpointScore]:
    """At most so many of the checkpoints, by step, as evenly as may be by the logarithm of their steps.

    The first and the last trained ones are among them, and the untrained one where it is there.
    """
    trained = [entry for entry in checkpoints if entry.step > 0]
    untrained = [entry for entry in checkpoints if entry.step == 0]
    if len(trained) + len(untrained) <= most:
        return checkpoints
    places = [log(entry.step) for entry in trained]
    count = most - len(untrained)
    wanted = [places[0] + (places[-1] - places[0]) * n / (count - 1) for n in range(count)]
    chosen = {min(range(len(trained)), key=lambda n: abs(places[n] - place)) for place in wanted}
    return untrained + [trained[n] for n in sorted(chosen)]


def scores_beside(history: Path) -> Path:
    """Where the scores of a history's checkpoints are looked for."""
    return beside(history, "checkpoint_evaluation")


def read_scores(path: Path) -> Scores:
    """Read a file of scores.

    Raises:
        InputError: missing file, broken JSON, another format, a value that is missing or of another type.
    """
    value = read_json_object(path, "the checkpoint scores", "evaluate_checkpoints.py writes them")
    if value.get("format") != FORMAT:
        raise InputError(f"{path}: not a file of checkpoint scores of format {FORMAT}; give another path")
    return from_json(Scores, value, path, advice="move the file away and score again")


def read_scores_of(path: Path, run: dict[str, Any]) -> Scores:
    """The scores in ``path`` with the newest facts of their ``run``; empty ones where the file does not exist yet.

    Raises:
        InputError: the file holds the scores of another run, or is damaged.
    """
    if not path.exists():
        return Scores(FORMAT, run)
    scores = read_scores(path)
    different = run_differences(scores.run, run)
    if different:
        raise InputError(f"{path}: holds scores of another run ({shown(different)}); give another --output")
    return replace(scores, run=run)


def write_scores(path: Path, scores: Scores) -> None:
    """Replace ``path`` by ``scores``."""
    atomic.write_json(path, to_json(scores), indent=1)
