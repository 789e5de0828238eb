"""Names in either script compare as one."""

import bz2

import pytest

from pipeline.characters.script_folding import folded, read_unihan
from pipeline.stage import InputError


@pytest.mark.parametrize(
    "names",
    [
        ["外部连结", "外部連結", "外部連结", "外部连結"],
        ["参考文献", "參考文獻", "参考文獻"],
        ["脚注", "腳註", "脚註"],
        ["说明", "說明", "説明"],
        ["乾", "干", "幹"],
        ["著", "着"],
        ["Lang-EN", "lang-en"],
    ],
)
def test_spellings_of_one_name_are_one(names):
    assert len(set(map(folded, names))) == 1


def test_other_names_stay_apart_and_a_folded_name_stays_as_it_is():
    names = ["注释", "注音", "参考", "参见", "ａ", "𣶯"]
    assert list(map(folded, names)) == names
    assert folded(folded("後裡臺戶乾著說")) == folded("後裡臺戶乾著說")
    assert folded("") == ""


ENTRIES = """
# a comment
U+5F8C	kSimplifiedVariant	U+540E
U+8457	kSimplifiedVariant	U+7740 U+8457
U+8AAC	kZVariant	U+8AAA<kFenn
U+8AAA	kSimplifiedVariant	U+8BF4
U+540E	kTraditionalVariant	U+540E U+5F8C
U+21000	kSimplifiedVariant	U+5000
"""


@pytest.mark.parametrize("packed", [False, True])
def test_pairs_are_read_from_unihan(tmp_path, packed):
    path = tmp_path / ("Unihan_Variants.txt" + ".bz2" * packed)
    path.write_bytes((bz2.compress if packed else bytes)(ENTRIES.encode()))
    assert read_unihan(path) == {"後": "后", "著": "着", "說": "说", "説": "说"}


def test_a_file_without_variants_is_refused(tmp_path):
    path = tmp_path / "Unihan.txt"
    path.write_text("U+5F8C\tkMandarin\thòu\n", encoding="utf-8")
    with pytest.raises(InputError, match="lacks kSimplifiedVariant"):
        read_unihan(path)
    with pytest.raises(InputError, match="unicode-data"):
        read_unihan(tmp_path / "absent")
