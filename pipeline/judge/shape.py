"""The shape of a dataset: lengths, vocabulary, documents, topics, coverage of the standard table, Zipf's law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import exp, log

import numpy as np

from pipeline.characters.standard_table import SIZES, standard_levels
from pipeline.files.vocabulary import build_vocab
from pipeline.judge.verdict import Finding, Subject

COMMON = 5  # occurrences from which on a character can be learned at all
SHORT = 10  # characters below which a sentence says little
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
ZIPF_RANKS = (10, 2000)  # the law holds between the few commonest characters and the long tail


def sentences(subject: Subject) -> Finding:
    """Number of sentences."""
    return Finding(len(subject.sentences))


def han(subject: Subject) -> Finding:
    """Number of distinct Han characters."""
    return Finding(len(subject.han))


def common_han(subject: Subject) -> Finding:
    """Number of distinct Han characters that occur at least ``COMMON`` times."""
    return Finding(sum(count >= COMMON for count in subject.han.values()))


def mean_length(subject: Subject) -> Finding:
    """Mean length of a sentence in characters; the quantiles are in the details."""
    lengths = np.array(list(map(len, subject.sentences)))
    quantiles = {f"{share:.0%}": int(np.quantile(lengths, share, method="lower")) for share in _QUANTILES}
    details = {"shortest": int(lengths.min()), **quantiles, "longest": int(lengths.max())}
    return Finding(float(lengths.mean()), "characters: " + ", ".join(f"{k} {v}" for k, v in details.items()), details)


def shortest(subject: Subject) -> Finding:
    """Length in characters of the shortest sentence."""
    number = min(range(len(subject.sentences)), key=lambda number: len(subject.sentences[number]))
    return Finding(len(subject.sentences[number]), subject.quote(number))


def longest(subject: Subject) -> Finding:
    """Length in characters of the longest sentence."""
    number = max(range(len(subject.sentences)), key=lambda number: len(subject.sentences[number]))
    return Finding(len(subject.sentences[number]), subject.quote(number))


def short_share(subject: Subject) -> Finding:
    """Share of sentences, 0 to 1, of fewer than ``SHORT`` characters."""
    return subject.share_of_sentences(lambda sentence: len(sentence) < SHORT)


def han_share(subject: Subject) -> Finding:
    """Share of Han characters, 0 to 1, among the visible ones."""
    return Finding(sum(subject.han.values()) / subject.characters)


def vocab_errors(subject: Subject) -> Finding:
    """Characters missing from the vocabulary or wrongly in it; where there are none, entries out of order.

    A dataset whose metadata has ``vocab_of`` (the fingerprint of another one) has that one's vocabulary, so that runs
    on the two can be compared: it may hold more, in another order, but must miss nothing that its own would hold.
    """
    vocab = subject.dataset.vocab
    recorded = subject.dataset.metadata.get("min_freq")
    min_freq = recorded if type(recorded) is int else min(subject.counts[character] for character in vocab)
    expected = build_vocab(subject.counts, min_freq)
    borrowed = "vocab_of" in subject.dataset.metadata
    differing = set(expected) - set(vocab) if borrowed else set(vocab) ^ set(expected)
    if differing:
        some = " ".join(sorted(differing, key=lambda character: -subject.counts[character])[:10])
        return Finding(len(differing), f"at min_freq {min_freq}, missing or not wanted: {some}")
    if borrowed:
        return Finding(0, f"the vocabulary is that of dataset {subject.dataset.metadata['vocab_of']}")
    misplaced = sum(ours != theirs for ours, theirs in zip(vocab, expected, strict=True))
    return Finding(misplaced, "entries out of order" if misplaced else "")


def unknown_share(subject: Subject) -> Finding:
    """Share of visible characters, 0 to 1, that the vocabulary does not have."""
    known = sum(subject.counts[character] for character in subject.dataset.vocab)
    return Finding(1 - known / subject.characters)


def slice_errors(subject: Subject) -> Finding:
    """Slices out of range, out of order or overlapping; articles whose pieces are apart; sentences in no document."""
    documents = subject.dataset.documents
    if not documents:
        return Finding(None, "no documents")
    end, covered, ended = 0, 0, set()
    wrong: list[str] = []
    page = documents[0].page
    for number, document in enumerate(documents):
        stop = document.start + document.count
        if document.count < 1 or document.start < end or stop > len(subject.sentences):
            wrong.append(f"documents[{number}] takes sentences {document.start} to {stop} after {end}")
        if document.page != page:
            ended.add(page)
            page = document.page
            if page in ended:
                wrong.append(f"documents[{number}] goes on with article {page} after others")
        end = max(end, stop)
        covered += document.count
    orphans = max(len(subject.sentences) - covered, 0)
    if orphans:
        wrong.append(f"{orphans} sentences in no document")
    errors = len(wrong) + max(orphans - 1, 0)
    return Finding(errors, "; ".join(wrong[:3]), {"first": wrong[:10]})


def pairs(subject: Subject) -> Finding:
    """Number of pairs of neighbouring sentences; None without documents."""
    documents = subject.dataset.documents
    return Finding(sum(document.count - 1 for document in documents)) if documents else Finding(None, "no documents")


def articles(subject: Subject) -> Finding:
    """Number of articles; None without documents."""
    documents = subject.dataset.documents
    return Finding(len({document.page for document in documents})) if documents else Finding(None, "no documents")


def topics(subject: Subject) -> Finding:
    """How many topics of equal size would be as balanced as these: e to the entropy of their shares of sentences."""
    counts = _topics(subject)
    if not counts:
        return Finding(None, "no documents")
    total = sum(counts.values())
    entropy = -sum(count / total * log(count / total) for count in counts.values())
    shares = {name: count / total for name, count in counts.most_common()}
    largest = ", ".join(f"{name or '(none)'} {share:.1%}" for name, share in list(shares.items())[:5])
    return Finding(exp(entropy), f"{len(counts)} topics, the largest {largest}", {"shares": shares})


def largest_topic(subject: Subject) -> Finding:
    """Share of sentences, 0 to 1, in the largest topic; None without documents."""
    counts = _topics(subject)
    if not counts:
        return Finding(None, "no documents")
    [(name, count)] = counts.most_common(1)
    return Finding(count / sum(counts.values()), name)


def _topics(subject: Subject) -> Counter[str]:
    """Sentences by topic; by source, where no document says its topic."""
    counts: Counter[str] = Counter()
    documents = subject.dataset.documents
    said = any(document.domain for document in documents)
    for document in documents:
        counts[document.domain if said else document.source] += document.count
    return counts


def coverage(level: int) -> Callable[[Subject], Finding]:
    """The measure of one level: which share of its characters occurs at least ``COMMON`` times."""

    def measure(subject: Subject) -> Finding:
        rare = [c for c, its in standard_levels().items() if its == level and subject.counts[c] < COMMON]
        absent = sum(not subject.counts[character] for character in rare)
        note = f"{len(rare)} of {SIZES[level - 1]} are rarer, {absent} of them absent: {''.join(rare[:30])}"
        return Finding(1 - len(rare) / SIZES[level - 1], note, {"rarer": "".join(rare), "absent": absent})

    return measure


def zipf_exponent(subject: Subject) -> Finding:
    """The slope, without its sign, of log frequency against log rank, by least squares over evenly spaced log ranks."""
    counts = np.array(sorted(subject.counts.values(), reverse=True), float)
    first, last = ZIPF_RANKS[0], min(ZIPF_RANKS[1], len(counts))
    if last < 2 * first:
        return Finding(None, f"{len(counts)} distinct characters are too few")
    ranks = np.unique(np.geomspace(first, last, 200).round().astype(int))
    slope, intercept = np.polyfit(np.log(ranks), np.log(counts[ranks - 1]), 1)
    errors = np.log(counts[ranks - 1]) - slope * np.log(ranks) - intercept
    return Finding(
        float(-slope), "", {"ranks": [first, last], "root mean squared error": float((errors**2).mean() ** 0.5)}
    )
