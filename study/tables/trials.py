"""The trials at equal cost: what was asked of sentence pairs, and of masking whole words.

The files are those that study/trials/ writes. Every trial is told beside the first of its file, the one with nothing
changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipeline.files.json_object import parse_json, read_text
from pipeline.files.typed_json import from_json
from pipeline.formatting import percent
from study.runs import RESULTS
from study.tables import Row, Table

T = TypeVar("T")
PAIRS = RESULTS / "benchmarks" / "nsp_trials.json"
WORDS = RESULTS / "benchmarks" / "whole_word.json"
NAMES = {
    "unchanged": "不变 · unchanged",
    "NSP loss x 4": "NSP 损失 × 4 · NSP loss x 4",
    "128 tokens": "128 个词元 · 128 tokens",
    "segments, 128 tokens": "段，128 个词元 · segments, 128 tokens",
    "characters": "单字 · characters",
    "words": "整词 · whole words",
}


@dataclass(frozen=True)
class PairTrial:
    """One trial of sentence pairs: annealed from one checkpoint, asked the same held-out pairs as all others."""

    trial: str
    steps: int
    mlm_acc: float
    nsp_acc: float
    nsp_wikipedia: float
    nsp_books: float
    own_nsp_acc: float  # on pairs as the trial trained on


@dataclass(frozen=True)
class WordTrial:
    """One way of masking, asked for single masked characters."""

    masking: str
    steps: int
    mlm_acc: float
    mlm_acc_han: float
    mlm_loss: float
    nsp_acc: float


def pair_trials() -> list[PairTrial]:
    return read(list[PairTrial], PAIRS, "study/trials/nsp.py writes it")


def word_trials() -> list[WordTrial]:
    return read(list[WordTrial], WORDS, "study/trials/whole_word.py writes it")


def read(kind: type[T], path: Path, advice: str) -> T:
    """The trials in ``path``.

    Raises:
        InputError: the file is missing, or is not a ``kind``.
    """
    what = "the trials"
    return from_json(kind, parse_json(read_text(path, what, advice), path, what, advice), path, advice=advice)


def tables() -> list[Table]:
    """Both kinds of trials."""
    pairs: list[Row] = [
        (
            NAMES[each.trial],
            [
                f"{each.steps:,}",
                *(percent(share, 1) for share in (each.mlm_acc, each.nsp_acc, each.nsp_wikipedia, each.nsp_books)),
                percent(each.own_nsp_acc, 1),
            ],
        )
        for each in pair_trials()
    ]
    words: list[Row] = [
        (
            NAMES[each.masking],
            [
                f"{each.steps:,}",
                *(percent(share, 1) for share in (each.mlm_acc, each.mlm_acc_han)),
                f"{each.mlm_loss:.3f}",
                percent(each.nsp_acc, 1),
            ],
        )
        for each in word_trials()
    ]
    registers = ["维基 · Wikipedia", "古籍 · books"]
    return [
        (
            "句对的试验，费用相同 · Trials of sentence pairs at equal cost",
            ["步 · steps", "MLM", "NSP", *(f"NSP，{name}" for name in registers), "NSP，自己的句对 · own pairs"],
            pairs,
        ),
        (
            "整词掩码的试验 · A trial of whole-word masking",
            ["步 · steps", "MLM", "Han", "MLM 损失 · loss", "NSP"],
            words,
        ),
    ]
