"""Sentences that repeat others: exactly, or nearly, by MinHash in time linear in the text.

A sentence is the set of its character trigrams. Each of 30 hash functions keeps the least hash of the set; sentences
that agree on three such minima in one of ten bands are candidates, and the Jaccard similarity of their sets is then
computed exactly. At a similarity of 0.8 a pair is missed with a chance of 0.08 %. Within a bucket each sentence is
compared with the one before it and with the first, so that a bucket of a thousand sentences takes two thousand
comparisons, not half a million.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from pipeline.judge.verdict import Finding, Subject

NEAR = 0.8  # Jaccard similarity of the trigrams from which on two sentences nearly repeat each other
_BANDS, _ROWS = 10, 3
_SHINGLE = 3


def duplicates(subject: Subject) -> Finding:
    """How many sentences repeat an earlier one exactly."""
    repeated = len(subject.sentences) - len(set(subject.sentences))
    if not repeated:
        return Finding(0)
    sentence, count = Counter(subject.sentences).most_common(1)[0]
    return Finding(repeated, f"most often, {count} times: {subject.quote(subject.sentences.index(sentence))}")


def near_duplicates(subject: Subject) -> Finding:
    """Share of sentences that nearly repeat an earlier, different one."""
    sentences = subject.sentences
    near: dict[int, tuple[int, float]] = {}
    for first, second in sorted(_candidates(sentences)):
        if second not in near and sentences[first] != sentences[second]:
            alike = _similarity(sentences[first], sentences[second])
            if alike >= NEAR:
                near[second] = (first, alike)
    pairs = [
        {"similarity": alike, "earlier": subject.quote(first), "later": subject.quote(second)}
        for second, (first, alike) in sorted(near.items())[:10]
    ]
    note = f"{len(near)} sentences, first {pairs[0]['later']}, like {pairs[0]['earlier']}" if pairs else ""
    return Finding(len(near) / len(sentences), note, {"sentences": len(near), "first": pairs})


def _candidates(sentences: list[str]) -> set[tuple[int, int]]:
    """Pairs (earlier, later) worth comparing."""
    hashes, starts = _shingle_hashes(sentences)
    odd = np.random.default_rng(1).integers(1, 2**63, _BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    pairs: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        key = np.zeros(len(sentences), np.uint64)
        for factor in odd[band * _ROWS : (band + 1) * _ROWS]:
            least = np.minimum.reduceat(hashes * factor, starts)
            key = (key ^ least) * np.uint64(0x9E3779B97F4A7C15)
        order = np.argsort(key, kind="stable")  # within a bucket sentences stay in their order
        same = key[order][1:] == key[order][:-1]
        positions = np.flatnonzero(same)
        heads = np.flatnonzero(np.concatenate([[True], ~same]))
        first = order[heads[np.searchsorted(heads, positions, side="right") - 1]]
        before, after = order[positions], order[positions + 1]
        pairs.update(zip(before.tolist(), after.tolist(), strict=True))
        pairs.update(zip(first.tolist(), after.tolist(), strict=True))
    return pairs


def _shingle_hashes(sentences: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mixed hashes of all trigrams, sentence by sentence (uint64 [N]), and where each sentence's begin (int64 [S]).

    A sentence is padded by two characters, so that it has as many trigrams as characters, and at least one.
    """
    padding = "\0" * (_SHINGLE - 1)
    text = "".join((sentence or "\0") + padding for sentence in sentences)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    count = len(codes) - _SHINGLE + 1
    packed = np.zeros(count, np.uint64)
    for offset in range(_SHINGLE):  # 21 bits a character: three fit into 64, so different trigrams never collide
        packed = (packed << np.uint64(21)) | codes[offset : offset + count]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # the finalizer of SplitMix64
        packed = (packed ^ (packed >> np.uint64(shift))) * np.uint64(factor)
    packed ^= packed >> np.uint64(31)
    lengths = np.array([max(len(sentence), 1) for sentence in sentences], np.int64)
    starts = np.cumsum(lengths) - lengths
    sentence_of = np.repeat(np.arange(len(sentences)), lengths)
    return packed[np.arange(len(sentence_of)) + len(padding) * sentence_of], starts


def _similarity(one: str, other: str) -> float:
    """Jaccard similarity of the trigrams."""
    first, second = _trigrams(one), _trigrams(other)
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def _trigrams(sentence: str) -> set[str]:
    padded = sentence + "\0" * (_SHINGLE - 1)
    return {padded[start : start + _SHINGLE] for start in range(len(padded) - _SHINGLE + 1)}
