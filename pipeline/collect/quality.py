"""The judgement of a dataset: every check measures all sentences and compares one number with one threshold.

``CHECKS`` is the list. A new check is one more entry there: its option, threshold, unit and measure; the table, the
report and the command line follow from it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline.corpus import Dataset, build_vocab, count_characters, is_han

COMMON = 5  # occurrences from which on a character can be learned at all

_MARKUP = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|<!--|-->|<>"  # tags and comments of HTML
    r"|\[\[|\]\]|\{\{|\}\}|\{\||\|\}|\|\||'''|__[A-Z]+__"  # links, templates, tables, bold, switches of wikitext
    r"|-\{|\}-"  # variant conversion
    r"|\b(?:colspan|rowspan|style|align)="
    r"|&(?:[a-z]+|#\d+);|\bformula_\d+\b"  # entities; what an extractor leaves of a formula
)
_BROKEN_CATEGORIES = {"Cc", "Co", "Cs", "Cn"}  # control, private use, half a character, unassigned


@dataclass(frozen=True)
class Finding:
    """What a check measured; None where the dataset does not have what it needs. ``note`` says more, or why."""

    value: float | None
    note: str = ""


class Subject:
    """A dataset under judgement, with the counts that several checks share."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.sentences = dataset.sentences

    @cached_property
    def counts(self) -> Counter[str]:
        """Occurrences of each visible character."""
        return count_characters(self.sentences)

    @cached_property
    def characters(self) -> int:
        """Visible characters in all."""
        return max(sum(self.counts.values()), 1)

    @cached_property
    def han(self) -> dict[str, int]:
        """Occurrences of each Han character."""
        return {character: count for character, count in self.counts.items() if is_han(character)}


@dataclass(frozen=True)
class Check:
    """A number that must be at least (``minimum``) or at most its threshold."""

    name: str  # also the option: --min-<name> or --max-<name>
    minimum: bool
    threshold: float  # of the real study, by default
    explanation: str
    measure: Callable[[Subject], Finding]

    @property
    def option(self) -> str:
        return f"{'min' if self.minimum else 'max'}-{self.name}"


@dataclass(frozen=True)
class Verdict:
    """A check, its threshold in this judgement, and what came out."""

    name: str
    value: float | None
    bound: str  # "at least" or "at most"
    threshold: float
    passed: bool
    explanation: str
    note: str


def judge(dataset: Dataset, thresholds: Mapping[str, float]) -> list[Verdict]:
    """All checks on ``dataset``; ``thresholds`` replaces defaults, by check name. What cannot be measured fails."""
    subject = Subject(dataset)
    verdicts = []
    for check in CHECKS:
        found = check.measure(subject)
        threshold = thresholds.get(check.name, check.threshold)
        if found.value is None:
            passed = False
        else:
            passed = found.value >= threshold if check.minimum else found.value <= threshold
        bound = "at least" if check.minimum else "at most"
        verdicts.append(Verdict(check.name, found.value, bound, threshold, passed, check.explanation, found.note))
    return verdicts


def lacks(dataset: Dataset) -> list[str]:
    """What the published format, or another short one, does not have, and what that costs."""
    missing = []
    if not dataset.documents:
        missing.append("no documents: it can train MLM but not NSP, and is split by sentence, not by article")
    if not dataset.metadata:
        missing.append("no metadata: licence, sources and how it was made are not recorded")
    return missing


def _mean_length(subject: Subject) -> Finding:
    return Finding(sum(map(len, subject.sentences)) / len(subject.sentences))


def _longest(subject: Subject) -> Finding:
    longest = max(range(len(subject.sentences)), key=lambda number: len(subject.sentences[number]))
    return Finding(len(subject.sentences[longest]), f"sentences[{longest}]")


def _duplicates(subject: Subject) -> Finding:
    repeated = len(subject.sentences) - len(set(subject.sentences))
    if not repeated:
        return Finding(0)
    sentence, count = Counter(subject.sentences).most_common(1)[0]
    return Finding(repeated, f"most often, {count} times: {_short(sentence)}")


def _markup(subject: Subject) -> Finding:
    return _share_of_sentences(subject, lambda sentence: bool(_MARKUP.search(sentence)))


def _broken(subject: Subject) -> Finding:
    broken = {character for character in subject.counts if _is_broken(character)}
    return _share_of_sentences(subject, lambda sentence: not broken.isdisjoint(sentence))


def _is_broken(character: str) -> bool:
    return character == "\N{REPLACEMENT CHARACTER}" or unicodedata.category(character) in _BROKEN_CATEGORIES


def _share_of_sentences(subject: Subject, is_bad: Callable[[str], bool]) -> Finding:
    bad = [number for number, sentence in enumerate(subject.sentences) if is_bad(sentence)]
    note = f"{len(bad)} sentences, first sentences[{bad[0]}]: {_short(subject.sentences[bad[0]])}" if bad else ""
    return Finding(len(bad) / len(subject.sentences), note)


def _vocab_errors(subject: Subject) -> Finding:
    """Characters missing from the vocabulary or wrongly in it; where there are none, entries out of order."""
    vocab = subject.dataset.vocab
    recorded = subject.dataset.metadata.get("min_freq")
    min_freq = recorded if type(recorded) is int else min(subject.counts[character] for character in vocab)
    expected = build_vocab(subject.counts, min_freq)
    differing = set(vocab) ^ set(expected)
    if differing:
        some = " ".join(sorted(differing, key=lambda character: -subject.counts[character])[:10])
        return Finding(len(differing), f"at min_freq {min_freq}, missing or not wanted: {some}")
    misplaced = sum(ours != theirs for ours, theirs in zip(vocab, expected, strict=True))
    return Finding(misplaced, "entries out of order" if misplaced else "")


def _unknown_share(subject: Subject) -> Finding:
    known = sum(subject.counts[character] for character in subject.dataset.vocab)
    return Finding(1 - known / subject.characters)


def _pairs(subject: Subject) -> Finding:
    documents = subject.dataset.documents
    return Finding(sum(document.count - 1 for document in documents)) if documents else Finding(None, "no documents")


def _articles(subject: Subject) -> Finding:
    documents = subject.dataset.documents
    return Finding(len({document.page for document in documents})) if documents else Finding(None, "no documents")


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= 30 else sentence[:29] + "…"


CHECKS = (
    Check("sentences", True, 325_000, "sentences", lambda subject: Finding(len(subject.sentences))),
    Check("han", True, 10_000, "distinct Han characters", lambda subject: Finding(len(subject.han))),
    Check(
        "common-han",
        True,
        6_500,
        f"Han characters that occur at least {COMMON} times",
        lambda subject: Finding(sum(count >= COMMON for count in subject.han.values())),
    ),
    Check("mean-length", True, 15, "mean length of a sentence in characters", _mean_length),
    Check("longest", False, 200, "length of the longest sentence in characters", _longest),
    Check("duplicates", False, 0, "sentences that repeat an earlier one exactly", _duplicates),
    Check(
        "han-share",
        True,
        0.7,
        "share of Han among the characters that are not white space",
        lambda subject: Finding(sum(subject.han.values()) / subject.characters),
    ),
    Check("markup", False, 0.005, "share of sentences with residue of wikitext or HTML", _markup),
    Check("broken", False, 0.0005, "share of sentences with control, private-use or replacement characters", _broken),
    Check("vocab-errors", False, 0, "vocabulary entries that disagree with the sentences", _vocab_errors),
    Check("unknown", False, 0.001, "share of characters that the vocabulary makes [UNK]", _unknown_share),
    Check("articles", True, 5_000, "articles", _articles),
    Check("pairs", True, 200_000, "true adjacent pairs of sentences, for NSP", _pairs),
)
