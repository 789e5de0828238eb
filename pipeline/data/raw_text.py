"""Text files as they are, for a causal model: white space belongs to the text, and nothing is cut out.

A file is a document, but for one of several articles in the form of WikiText, whose headings `` = Title = `` each begin
a document. What is read becomes a ``Dataset`` in memory with one sentence a document and no vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.files.dataset import Dataset, Document
from pipeline.files.packed import read_lines, unpacked_name
from pipeline.stage import InputError

_ARTICLE = re.compile(r"^ = (?!= )[^\n]+ = ?$", re.MULTILINE)  # `` = = Section = = `` begins no article
_ADVICE = "give the path of a text file"
TRAINING, VALIDATION, TEST = "training", "validation", "test"


def read_raw_text(paths: Sequence[Path], held_out: Sequence[Path] = ()) -> Dataset:
    """The documents of ``paths``, their file the source; ``held_out`` are one file for validation and one for test.

    With ``held_out`` the source of each document is the split that it belongs to. Files may be packed.

    Raises:
        InputError: a file is missing, not UTF-8, or holds no visible character.
    """
    texts: list[str] = []
    documents: list[Document] = []
    splits = [TRAINING] * len(paths) + [VALIDATION, TEST][: len(held_out)]
    for path, split in zip((*paths, *held_out), splits, strict=True):
        text = "".join(read_lines(path, _ADVICE))
        if not text.strip():
            raise InputError(f"{path}: is empty; give a text")
        name = unpacked_name(path)
        source = split if held_out else name
        for title, article in _articles(text):
            documents.append(Document(title or name, len(texts), None, None, "", source, len(texts), 1))
            texts.append(article)
    return Dataset(texts, [], documents)


def _articles(text: str) -> list[tuple[str, str]]:
    """(title, text) of each article of WikiText; the whole with no title where there are fewer than two."""
    headings = list(_ARTICLE.finditer(text))
    if len(headings) < 2:
        return [("", text)]
    starts = [0, *(heading.start() for heading in headings[1:]), len(text)]
    titles = [heading[0].strip(" =") for heading in headings]
    return [(title, text[start:end]) for title, start, end in zip(titles, starts, starts[1:], strict=False)]
