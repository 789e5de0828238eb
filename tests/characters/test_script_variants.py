"""Which characters belong to one script only."""

import bz2

import pytest

from pipeline.characters.script_variants import SCRIPTS, read_unihan, script_characters, script_numbers
from pipeline.characters.standard_table import standard_levels
from pipeline.stage import InputError

UNIHAN = """# some lines of Unihan_Variants.txt
U+4E91\tkSimplifiedVariant\tU+4E91
U+4E91\tkTraditionalVariant\tU+4E91 U+96F2
U+4EEC\tkTraditionalVariant\tU+5011
U+5011\tkSimplifiedVariant\tU+4EEC
U+5011\tkZVariant\tU+4EEC
U+5E72\tkTraditionalVariant\tU+4E7E U+5E72 U+5E79
U+5F8C\tkSimplifiedVariant\tU+540E
U+20000\tkSimplifiedVariant\tU+20001
"""


def test_characters_of_one_script_and_of_both():
    simplified, traditional = script_characters()
    assert set("们来说东车马鸟鱼") <= simplified
    assert set("們來說東車馬鳥魚後") <= traditional
    assert not set("后云台著山水，a") & (simplified | traditional)
    assert not simplified & traditional
    assert not traditional & standard_levels().keys()
    assert len(simplified) > 5_000
    assert len(traditional) > 5_000


def test_the_lists_are_made_from_unihan(tmp_path):
    path = tmp_path / "Unihan_Variants.txt"
    path.write_text(UNIHAN, encoding="utf-8")
    packed = tmp_path / "Unihan_Variants.txt.bz2"
    packed.write_bytes(bz2.compress(path.read_bytes()))
    assert read_unihan(path) == read_unihan(packed) == (["们"], ["們", "後", "\U00020000"])


def test_another_file_is_refused(tmp_path):
    (tmp_path / "other.txt").write_text("U+4E91\tkTGH\t2013:1\n", encoding="utf-8")
    for name, words in (("other.txt", "kSimplifiedVariant"), ("absent.txt", "unicode-data")):
        with pytest.raises(InputError, match=words):
            read_unihan(tmp_path / name)


def test_a_token_belongs_to_one_script_to_both_or_is_not_han():
    tokens = ["[PAD]", "们", "們", "的", "，", "A", "あ", "国", "國", "\U00020000"]
    names = [None if number < 0 else SCRIPTS[number] for number in script_numbers(tokens)]
    assert names == [None, "simplified only", "traditional only", "shared", None, None, None, "simplified only",
                     "traditional only", "shared"]  # fmt: skip
