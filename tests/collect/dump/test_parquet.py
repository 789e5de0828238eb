"""Articles from Parquet files, and what is refused."""

import sys

import pyarrow
import pytest
from pyarrow import parquet

from pipeline.collect.dump.parquet import read_parquet
from pipeline.stage import InputError


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"requirements-parquet.txt"):
        list(read_parquet([tmp_path / "train.parquet"]))


def test_parquet(tmp_path):
    rows = {
        "id": ["7", "8"],
        "url": ["https://zh.wikipedia.org/wiki/%E6%A1%A5", "https://zh.wikipedia.org/wiki/%E6%B2%B3"],
        "title": ["桥", "河"],
        "text": ["桥长百米。\n\n它很美。\n", "河水很清。"],
    }
    path = tmp_path / "train.parquet"
    parquet.write_table(pyarrow.table(rows), path)
    bridge, river = read_parquet([path])
    assert (bridge.title, bridge.pageid, bridge.paragraphs) == ("桥", 7, ["桥长百米。", "它很美。"])
    assert (river.source, river.url) == ("zh.wikipedia.org", rows["url"][1])

    (tmp_path / "cut.parquet").write_bytes(path.read_bytes()[:-9])
    parquet.write_table(pyarrow.table({"id": ["7"], "text": ["桥"]}), tmp_path / "other.parquet")
    parquet.write_table(pyarrow.table(rows | {"id": ["七", "八"]}), tmp_path / "ids.parquet")
    parquet.write_table(pyarrow.table(rows | {"text": [None, "河"]}), tmp_path / "null.parquet")
    for name, words in (
        ("cut.parquet", "damaged or not a Parquet file"),
        ("other.parquet", "lacks column url, title"),
        ("ids.parquet", "'七' must be a page number"),
        ("null.parquet", "text must be a string, not None"),
        ("absent.parquet", "not found"),
    ):
        with pytest.raises(InputError, match=f"{name}: .*{words}"):
            list(read_parquet([tmp_path / name]))
