"""The list of checks. Thresholds are the targets of the real study: 325,000 sentences of encyclopedic Chinese text."""

from __future__ import annotations

from pipeline.judge import repeats, shape, text
from pipeline.judge.repeats import NEAR
from pipeline.judge.shape import COMMON, SHORT, ZIPF_RANKS
from pipeline.judge.verdict import Check

_AT_LEAST, _AT_MOST = True, False
_ZIPF = f"Zipf exponent of the characters, ranks {ZIPF_RANKS[0]} to {ZIPF_RANKS[1]:,}"
_COVERED = f"share of level {{}} of the standard table that occurs at least {COMMON} times"

CHECKS = (
    Check("sentences", _AT_LEAST, 325_000, "sentences", shape.sentences),
    Check("han", _AT_LEAST, 10_000, "distinct Han characters", shape.han),
    Check(
        "common-han",
        _AT_LEAST,
        6_500,
        f"Han characters that occur at least {COMMON} times",
        shape.common_han,
    ),
    Check("shortest", _AT_LEAST, 5, "length of the shortest sentence in characters", shape.shortest),
    Check("mean-length", _AT_LEAST, 15, "mean length of a sentence in characters", shape.mean_length),
    Check("longest", _AT_MOST, 200, "length of the longest sentence in characters", shape.longest),
    Check("short", _AT_MOST, 0.25, f"share of sentences of fewer than {SHORT} characters", shape.short_share),
    Check("duplicates", _AT_MOST, 0, "sentences that repeat an earlier one exactly", repeats.duplicates),
    Check(
        "near-duplicates",
        _AT_MOST,
        0.02,
        f"share of sentences that nearly repeat an earlier one (Jaccard similarity of trigrams from {NEAR})",
        repeats.near_duplicates,
    ),
    Check("han-share", _AT_LEAST, 0.7, "share of Han among the visible characters", shape.han_share),
    Check("markup", _AT_MOST, 0.005, "share of sentences with residue of wikitext or HTML", text.markup),
    Check("mojibake", _AT_MOST, 0.0002, "share of sentences decoded by a wrong encoding", text.mojibake),
    Check(
        "control",
        _AT_MOST,
        0.001,
        "share of sentences with control, unassigned or invisible characters",
        text.control,
    ),
    Check("private-use", _AT_MOST, 0.0005, "share of sentences with private-use characters", text.private_use),
    Check(
        "mixed-script",
        _AT_MOST,
        0.02,
        "share of sentences with both simplified-only and traditional-only characters",
        text.mixed_script,
    ),
    Check("vocab-errors", _AT_MOST, 0, "vocabulary entries that disagree with the sentences", shape.vocab_errors),
    Check("unknown", _AT_MOST, 0.001, "share of characters that the vocabulary makes [UNK]", shape.unknown_share),
    Check(
        "slice-errors",
        _AT_MOST,
        0,
        "documents out of range, order or place, and sentences in none",
        shape.slice_errors,
    ),
    Check("articles", _AT_LEAST, 5_000, "articles", shape.articles),
    Check("pairs", _AT_LEAST, 200_000, "true adjacent pairs of sentences, for NSP", shape.pairs),
    Check("topics", _AT_LEAST, 10, "topics in effect: e to the entropy of their shares", shape.topics),
    Check("largest-topic", _AT_MOST, 0.25, "share of sentences in the largest topic", shape.largest_topic),
    Check("level-1", _AT_LEAST, 0.99, _COVERED.format(1), shape.coverage(1)),
    Check("level-2", _AT_LEAST, 0.7, _COVERED.format(2), shape.coverage(2)),
    Check("level-3", _AT_LEAST, 0.15, _COVERED.format(3), shape.coverage(3)),
    Check("zipf", _AT_LEAST, 0.7, _ZIPF, shape.zipf_exponent),
    Check("zipf", _AT_MOST, 1.6, _ZIPF, shape.zipf_exponent),
)
