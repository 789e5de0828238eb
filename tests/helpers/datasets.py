"""Whether two runs of the fetcher made the same files."""

from __future__ import annotations

import json
from pathlib import Path


def files_of(dataset: Path) -> tuple[str, bytes, bytes]:
    """The dataset without the date of its making, and the lists beside it, byte by byte."""
    text = dataset.read_text(encoding="utf-8")
    created = json.loads(text)["metadata"]["created"]
    assert text.count(created) == 1
    sources, vocab = (dataset.with_name(name).read_bytes() for name in ("sources.jsonl", "vocab.txt"))
    return text.replace(created, ""), sources, vocab
