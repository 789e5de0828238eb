"""The judgement of a dataset: every check measures all sentences and compares one number with one threshold.

``checks.CHECKS`` is the list. A new check is one more entry there: its option, threshold and measure; the
table, the report and the command line follow from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.characters.han import is_han
from pipeline.files.dataset import Dataset
from pipeline.files.vocabulary import count_characters

# What a dataset should say of itself.
_METADATA = {
    "license": "what use the text allows",
    "sources": "where it is from",
    "domains": "its topics",
    "created": "when it was made",
    "deduplication_rate": "how much was repeated",
    "min_freq": "which characters the vocabulary takes",
}


@dataclass(frozen=True)
class Finding:
    """What a check measured; None where the dataset does not have what it needs.

    ``note`` says more, or why, in one line; ``details`` (JSON values) go into the report only.
    """

    value: float | None
    note: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


class Subject:
    """A dataset under judgement, with the counts that several checks share."""

    def __init__(self, dataset: Dataset, with_text: bool = True) -> None:
        self.dataset = dataset
        self.sentences = dataset.sentences
        self.with_text = with_text  # whether findings quote the sentences that they name

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

    def share_of_sentences(self, is_bad: Callable[[str], bool]) -> Finding:
        """Share of the sentences that ``is_bad`` tells; the first ten go into the details."""
        bad = [number for number, sentence in enumerate(self.sentences) if is_bad(sentence)]
        note = f"{len(bad)} sentences, first {self.quote(bad[0])}" if bad else ""
        details = {"sentences": len(bad), "first": [self.quote(number) for number in bad[:10]]}
        return Finding(len(bad) / len(self.sentences), note, details)

    def quote(self, number: int) -> str:
        """A sentence with its number, short enough for one line; what cannot be seen is escaped."""
        if not self.with_text:
            return f"sentences[{number}]"
        sentence = self.sentences[number]
        short = sentence if len(sentence) <= 30 else sentence[:29] + "…"
        visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
        return f"sentences[{number}]: {visible}"


@dataclass(frozen=True)
class Check:
    """A number that must be at least (``minimum``) or at most its threshold."""

    name: str
    minimum: bool
    threshold: float  # of the real study, by default
    explanation: str
    measure: Callable[[Subject], Finding]

    @property
    def option(self) -> str:
        """Names the check on the command line and in ``thresholds``; a number with two bounds is two checks."""
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
    details: Mapping[str, object]


def judge(
    dataset: Dataset, checks: Sequence[Check], thresholds: Mapping[str, float], with_text: bool = True
) -> list[Verdict]:
    """All ``checks`` on ``dataset``; ``thresholds`` replaces defaults, by option. What cannot be measured fails.

    Without ``with_text`` sentences are named by their number and not quoted.
    """
    subject = Subject(dataset, with_text)
    found: dict[Callable[[Subject], Finding], Finding] = {}
    verdicts = []
    for check in checks:
        finding = found.get(check.measure) or found.setdefault(check.measure, check.measure(subject))
        threshold = thresholds.get(check.option, check.threshold)
        if finding.value is None:
            passed = False
        else:
            passed = finding.value >= threshold if check.minimum else finding.value <= threshold
        bound = "at least" if check.minimum else "at most"
        verdicts.append(
            Verdict(
                check.name, finding.value, bound, threshold, passed, check.explanation, finding.note, finding.details
            )
        )
    return verdicts


def lacks(dataset: Dataset) -> list[str]:
    """What the published format, or another short one, does not have, and what that costs."""
    missing = []
    if not dataset.documents:
        missing.append("no documents: it can train MLM but not NSP, and is split by sentence, not by article")
    elif not any(document.pageid is not None and document.revid is not None for document in dataset.documents):
        missing.append("no page and revision ids: its sentences cannot be traced to their articles")
    absent = [f"{key} ({what})" for key, what in _METADATA.items() if dataset.metadata.get(key) in (None, "", [])]
    if absent:
        missing.append(f"not in its metadata: {', '.join(absent)}")
    if all(map(is_han, dataset.vocab)):
        missing.append("no punctuation, digits or Latin in the vocabulary: they all become [UNK]")
    return missing
