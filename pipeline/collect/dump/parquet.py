"""Articles from Parquet files in the layout of ``wikimedia/wikipedia``: columns id, url, title, text.

Rows are read a batch at a time, so memory does not grow with the file. The text there is already plain, its paragraphs
are lines. pyarrow is an optional extra (requirements-parquet.txt); no other source needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.collect.article import Article
from pipeline.collect.dump.articles import LICENSE
from pipeline.stage import InputError

_COLUMNS = ("id", "url", "title", "text")
_ROWS = 500  # read at once


def read_parquet(paths: list[Path]) -> Iterator[Article]:
    """The articles of the files, in their order.

    Raises:
        InputError: pyarrow is not installed, or a file is missing, no Parquet, or has no such columns.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            "--source parquet needs pyarrow, which is not installed; pip install -r requirements-parquet.txt"
        ) from None
    for path in paths:
        try:
            with parquet.ParquetFile(path) as file:
                missing = [name for name in _COLUMNS if name not in file.schema_arrow.names]
                if missing:
                    raise InputError(
                        f"{path}: has no column {', '.join(missing)}; the layout is that of wikimedia/wikipedia "
                        "(id, url, title, text)"
                    )
                for batch in file.iter_batches(_ROWS, columns=list(_COLUMNS)):
                    for row in batch.to_pylist():
                        yield _article(row, path)
        except FileNotFoundError:
            raise InputError(f"{path}: is not there; give the path of a Parquet file") from None
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
            raise InputError(f"{path}: is no whole Parquet file ({error}); fetch it again") from None


def _article(row: dict[str, Any], path: Path) -> Article:
    for name in ("url", "title", "text"):
        if not isinstance(row[name], str):
            raise InputError(f"{path}: row {row['id']!r} has {name} {row[name]!r}, not a string; fetch the file again")
    try:
        pageid = int(row["id"])
    except (TypeError, ValueError):
        raise InputError(f"{path}: id {row['id']!r} is no page number; fetch the file again") from None
    return Article(
        title=row["title"],
        paragraphs=[line for line in (line.strip() for line in row["text"].split("\n")) if line],
        source=urlsplit(row["url"]).hostname or path.name.split(".")[0],
        license=LICENSE,
        pageid=pageid,
        url=row["url"],
    )
