"""What every checkpoint of a run is asked, and how its answers are scored.

The sequences, masks and pairs are those that the trainer scores at the end of the run, so that the numbers agree with
the history's. Only the order differs: batches hold sequences of like length, which pad each other little.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from pipeline.baselines.counting import GUESSES, CountingGuesses
from pipeline.characters.script_variants import SCRIPTS, script_numbers
from pipeline.characters.token_classes import CLASSES, class_numbers
from pipeline.data.corpora import Encoding
from pipeline.data.held_out_questions import SEQUENCES, HeldOutQuestions, digest
from pipeline.data.masked_pairs import Batch, split_batch, take
from pipeline.data.pairing import IS_NEXT, NOT_NEXT
from pipeline.files.dataset import Document
from pipeline.files.scores import CountingComparison, GroupKind, GroupSize, MlmScore, NspScore, SplitScores
from pipeline.model.bert import Bert
from pipeline.model.precision import Precision
from pipeline.score import frequency_deciles as deciles
from pipeline.score.breakdown import Breakdown, Grouping
from pipeline.score.counting_comparison import CountingReference
from pipeline.score.pair_scores import pair_score
from pipeline.score.predictions import predict
from pipeline.score.transformers_model import TransformersModel


class Evaluator:
    """The questions of one held-out split.

    Args:
        documents: those of the split.
        train: the training documents, which frequencies and counting guesses are taken from.
        examples: sequences to ask about, the first of a fixed order; None is all.
    """

    def __init__(
        self, encoding: Encoding, documents: list[Document], train: list[Document], examples: int | None
    ) -> None:
        tokenizer = encoding.tokenizer
        corpus, self._train = encoding.corpus(documents), encoding.corpus(train)
        self._available = len(corpus)
        questions = HeldOutQuestions(corpus, examples)
        batches = questions.batches()
        self.questions = digest(batches)
        self._batches = _by_length(batches)
        self._first_batches = batches
        self._strangers = _by_length([_false_pairs(batch) for batch in questions.strangers()])
        self._han = tokenizer.han_ids()
        self._sources = corpus.sources
        self._next_labels = _all(self._batches, "next_labels")
        self._source_of_sequence = corpus.source[corpus.first[_all(self._batches, "examples")]]

        labels = _all(self._batches, "labels")
        targets_of_sequence = np.concatenate([_targets_of_sequence(batch) for batch in self._batches])
        counts = np.bincount(self._train.tokens, minlength=len(tokenizer))
        self._counts = counts
        self._deciles: dict[GroupKind, np.ndarray] = {
            "by_text_decile": deciles.text_deciles(counts, self._han),
            "by_character_decile": deciles.character_deciles(counts, self._han),
        }
        self._breakdown = Breakdown(
            labels,
            self._han,
            {
                "by_class": Grouping(list(CLASSES), class_numbers(tokenizer.tokens)[labels]),
                "by_script": Grouping(list(SCRIPTS), script_numbers(tokenizer.tokens)[labels]),
                "by_source": Grouping(corpus.sources, np.repeat(self._source_of_sequence, targets_of_sequence)),
                **{kind: Grouping(list(deciles.NAMES), group[labels]) for kind, group in self._deciles.items()},
            },
        )

    @property
    def sequences(self) -> int:
        return len(self._next_labels)

    @property
    def batches(self) -> int:
        """How often ``done`` is called for one model."""
        return len(self._batches) + len(self._strangers)

    def unanswered(self) -> SplitScores:
        """The scores of this split before any checkpoint is scored: the groups and the counting guesses."""
        return SplitScores(self.sequences, self.groups(), self.score_guesses(), [], self._available, self.questions)

    def groups(self) -> dict[str, dict[str, GroupSize]]:
        """Every group with its size, by kind and name; deciles also with their frequencies in training."""
        described = self._breakdown.describe()
        for kind, group in self._deciles.items():
            for number, name in enumerate(deciles.NAMES):
                frequencies = self._counts[group == number]
                described[kind][name] = dataclasses.replace(
                    described[kind][name],
                    training_characters=len(frequencies),
                    lowest_frequency=int(frequencies.min()) if len(frequencies) else None,
                    highest_frequency=int(frequencies.max()) if len(frequencies) else None,
                )
        return described

    @functools.cached_property
    def _guessed(self) -> dict[str, np.ndarray]:
        """The answers of the counting guesses by name, int64 [M], fitted on the training sentences."""
        guesses = CountingGuesses(self._train)
        answers = [guesses.guess(batch) for batch in self._batches]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in GUESSES}

    @functools.cached_property
    def _counting(self) -> CountingReference:
        return CountingReference(self._guessed, self._first_batches, self._train)

    def score_guesses(self) -> dict[str, MlmScore]:
        """The scores of the counting guesses by name."""
        return {name: self._breakdown.score(answers) for name, answers in self._guessed.items()}

    def score_transformers(self, model: TransformersModel, done: Callable[[], object]) -> MlmScore:
        """MLM of a model of the `transformers` library; ``done`` is called after each batch."""
        return self._breakdown.score(model.predict(self._batches, done))

    def score_model(
        self, model: Bert, precision: Precision, done: Callable[[], object]
    ) -> tuple[MlmScore, NspScore | None, CountingComparison]:
        """MLM, NSP (None without pairs) and closeness to counting of one model; ``done`` is called after each batch."""
        answers = predict(model, self._batches, self._han, precision, done)
        mlm = self._breakdown.score(answers.tokens, answers.losses, answers.not_han)
        nsp = self._pair_score(model, precision, answers.next_labels, done)
        return mlm, nsp, self._counting.compare(model, precision, answers.tokens)

    def _pair_score(
        self, model: Bert, precision: Precision, told: np.ndarray, done: Callable[[], object]
    ) -> NspScore | None:
        """NSP from what the model ``told`` of the sequences, int64 [B], and of strangers of any source."""
        told_strangers = predict(model, self._strangers, self._han, precision, done).next_labels == NOT_NEXT
        right = told == self._next_labels
        is_next, is_stranger = self._next_labels == IS_NEXT, self._next_labels == NOT_NEXT
        if not (is_next | is_stranger).any():
            return None
        by_source = {}
        for number, name in enumerate(self._sources):
            of_source = self._source_of_sequence == number
            by_source[name] = pair_score(right[is_next & of_source], right[is_stranger & of_source])
        return NspScore(
            same_source=pair_score(right[is_next], right[is_stranger]),
            any_source=pair_score(right[is_next], told_strangers),
            by_source=by_source,
        )


def _false_pairs(batch: Batch) -> Batch:
    """The false pairs of ``batch``, without targets."""
    false = take(batch, np.flatnonzero(batch.next_labels == NOT_NEXT))
    none = np.empty(0, dtype=np.int64)
    return dataclasses.replace(false, targets=none, labels=none)


def _by_length(batches: list[Batch]) -> list[Batch]:
    """The same sequences in as many batches of like length."""
    sequences = sum(len(batch.lengths) for batch in batches)
    if not sequences:
        return []
    columns = {field.name: _all(batches, field.name) for field in dataclasses.fields(Batch)}
    starts = np.cumsum([0, *(len(batch.tokens) for batch in batches[:-1])])
    columns["targets"] = np.concatenate([batch.targets + s for batch, s in zip(batches, starts, strict=True)])
    return split_batch(Batch(**columns), -(-sequences // SEQUENCES))


def _all(batches: list[Batch], name: str) -> np.ndarray:
    """The column ``name`` of all ``batches``, one after the other."""
    return np.concatenate([getattr(batch, name) for batch in batches])


def _targets_of_sequence(batch: Batch) -> np.ndarray:
    """The number of targets in each sequence, int64 [B]."""
    ends = np.cumsum(batch.lengths)
    return np.diff(np.searchsorted(batch.targets, np.concatenate([[0], ends])))
