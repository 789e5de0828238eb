"""A finding in words, and what its sentences are made of."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.analyse.schema.analysis import Analysis, read_analysis
from pipeline.formatting import percent
from study.runs import HEADLINE, RESULTS
from study.tables.committed import history

COUNTING = ("频次基线（左右邻字）", "counting (both neighbours)")


@dataclass(frozen=True)
class Finding:
    """A title, a paragraph and, where there is one, a picture in results/, its name without a suffix."""

    title: tuple[str, str]  # Chinese, English
    text: tuple[str, str]
    picture: str | None = None
    shows: tuple[str, str] = ("", "")  # what the picture shows, for who does not see it


def analysis(name: str = HEADLINE) -> Analysis:
    path = RESULTS / ("analysis_100k_result.json" if name == HEADLINE else f"{name}/analysis.json")
    return read_analysis(path, history(name))


def share(value: float | None) -> str:
    return percent(value, 1)


def number(cell: str) -> float:
    """The number of a cell such as ``12.3 %``."""
    return float(cell.removesuffix(" %"))


def listed(items: list[str] | tuple[str, ...], language: int = 0) -> str:
    """The items in a row: 一、二、三 or one, two and three."""
    return "、".join(items) if language == 0 else f"{', '.join(items[:-1])} and {items[-1]}"
