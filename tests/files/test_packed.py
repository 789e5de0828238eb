"""Packed files read as their content does, and a damaged one is named."""

import bz2
import errno
import gzip
import lzma

import pytest

from pipeline.files.packed import ENDINGS, read_blocks, read_lines, unpacked_name
from pipeline.stage import InputError

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, "": bytes}
TEXT = "".join(f"第{number}行。\n" for number in range(5_000))
ADVICE = "give another"


def write(path, content=TEXT):
    path.write_bytes(PACK[path.suffix if path.suffix in PACK else ""](content.encode()))
    return path


@pytest.mark.parametrize("ending", PACK)
def test_lines_and_blocks_are_those_of_the_content(tmp_path, ending):
    path = write(tmp_path / f"a.txt{ending}")
    assert list(read_lines(path, ADVICE)) == TEXT.splitlines(keepends=True)
    blocks = list(read_blocks(path, 1000, ADVICE))
    assert b"".join(blocks).decode() == TEXT
    assert {len(block) for block in blocks[:-1]} == {1000}
    assert unpacked_name(path) == "a.txt"


@pytest.mark.parametrize("ending", ENDINGS)
def test_several_packed_parts_one_after_the_other_are_one_file(tmp_path, ending):
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(PACK[ending]("甲\n".encode()) + PACK[ending]("乙\n".encode()))
    assert list(read_lines(path, ADVICE)) == ["甲\n", "乙\n"]


def test_a_byte_order_mark_is_dropped(tmp_path):
    assert list(read_lines(write(tmp_path / "a.txt", "\ufeff甲\n"), ADVICE)) == ["甲\n"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_damaged_file_is_named(tmp_path, ending):
    packed = PACK[ending](TEXT.encode())
    for number, content in enumerate([packed[:-9], packed[:12] + bytes([255]) * 30, TEXT.encode()]):
        path = tmp_path / f"{number}.txt{ending}"
        path.write_bytes(content)
        for read in (lambda path: read_lines(path, ADVICE), lambda path: read_blocks(path, 1000, ADVICE)):
            with pytest.raises(InputError, match=f"{number}.txt{ending}: damaged or cut short {ending[1:]} file"):
                list(read(path))


def test_a_missing_file_gets_the_advice_and_a_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="absent: not found; give another"):
        list(read_lines(tmp_path / "absent", ADVICE))
    with pytest.raises(InputError, match="a folder, not a file"):
        list(read_blocks(tmp_path, 1, ADVICE))
    gbk = tmp_path / "gbk.txt"
    gbk.write_bytes("甲".encode("gbk"))
    with pytest.raises(InputError, match="not UTF-8"):
        list(read_lines(gbk, ADVICE))


def test_an_error_of_the_disk_is_passed_on(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(OSError, match="broken disk"):
        list(read_lines(tmp_path / "a.txt", ADVICE))
