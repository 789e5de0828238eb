"""The standard table of Chinese characters: whole, in order, and what Unihan says."""

from pathlib import Path

import pytest

from pipeline.characters.han import is_han
from pipeline.characters.standard_table import SIZES, read_unihan, standard_characters, standard_levels
from pipeline.stage import InputError

UNIHAN = Path("/usr/share/unicode/Unihan_OtherMappings.txt.bz2")  # Debian's unicode-data


def test_it_is_whole():
    characters = standard_characters()
    assert len(characters) == len(set(characters)) == sum(SIZES) == 8_105
    assert all(map(is_han, characters))
    assert [list(standard_levels().values()).count(level) for level in (1, 2, 3)] == list(SIZES)


def test_the_ends_of_the_levels():
    characters = standard_characters()
    assert (characters[0], characters[3499], characters[3500], characters[6499]) == ("一", "矗", "乂", "齉")
    assert (characters[6500], characters[-1]) == ("亍", "蠼")
    assert [standard_levels()[character] for character in "矗乂亍"] == [1, 2, 3]


def entries(numbers):
    return "".join(f"U+{0x4E00 + number:X}\tkTGH\t2013:{number}\n" for number in numbers)


def test_a_unihan_file_is_read_in_the_order_of_the_table(tmp_path):
    """As on any machine; where Debian's unicode-data is there, the committed table must be what it says."""
    path = tmp_path / "Unihan.txt"
    path.write_text("# kTGH\nU+4E00\tkBigFive\tA440\n" + entries(range(8105, 0, -1)), encoding="utf-8")
    assert read_unihan(path) == "".join(chr(0x4E00 + number) for number in range(1, 8106))
    if UNIHAN.exists():
        assert read_unihan(UNIHAN) == "".join(standard_characters())


@pytest.mark.parametrize("numbers", [range(1, 8105), range(2, 8107), [*range(1, 8105), 1], [*range(1, 8106), 1]])
def test_a_unihan_file_that_lacks_or_repeats_a_number_is_refused(tmp_path, numbers):
    path = tmp_path / "Unihan.txt"
    path.write_text(entries(numbers), encoding="utf-8")
    with pytest.raises(InputError, match="kTGH"):
        read_unihan(path)
    with pytest.raises(InputError, match="unicode-data"):
        read_unihan(tmp_path / "absent")
