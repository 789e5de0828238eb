"""Articles from Parquet files in the layout of ``wikimedia/wikipedia``: columns id, url, title, text.

Rows are read a batch at a time, so memory does not grow with the file. The text there is already plain, its paragraphs
are lines. pyarrow is an optional extra (requirements-parquet.txt); no other source needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.collect.article import Article
from pipeline.collect.dump.articles import LICENSE
from pipeline.stage import InputError

_COLUMNS = ("id", "url", "title", "text")
_ROWS = 500  # read at once


def read_parquet(paths: list[Path]) -> Iterator[Article]:
    """The articles of the files, in their order.

    Raises:
        InputError: pyarrow is not installed, or a file is missing, not Parquet, or without these columns.
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
                        f"{path}: lacks column {', '.join(missing)}; the layout is that of wikimedia/wikipedia "
                        "(id, url, title, text)"
                    )
                for batch in file.iter_batches(_ROWS, columns=list(_COLUMNS)):
                    for row in batch.to_pylist():
                        yield _article(row, path)
        except FileNotFoundError:
            raise InputError(f"{path}: not found; give the path of a Parquet file") from None
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
            raise InputError(f"{path}: damaged or not a Parquet file ({error}); fetch it again") from None


def _article(row: Mapping[str, object], path: Path) -> Article:
    title, url, text = (_text(row, name, path) for name in ("title", "url", "text"))
    pageid = str(row["id"])
    if not pageid.isdecimal():
        raise InputError(f"{path}: id {row['id']!r} must be a page number; fetch the file again")
    return Article(
        title=title,
        paragraphs=[line for line in (line.strip() for line in text.split("\n")) if line],
        source=urlsplit(url).hostname or path.name.split(".")[0],
        license=LICENSE,
        pageid=int(pageid),
        url=url,
    )


def _text(row: Mapping[str, object], name: str, path: Path) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise InputError(f"{path}: row {row['id']!r}: {name} must be a string, not {value!r}; fetch the file again")
    return value
