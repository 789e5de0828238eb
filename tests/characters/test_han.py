"""What counts as a Chinese character."""

from pipeline.characters.han import is_han


def test_han_characters():
    assert all(map(is_han, "一龥㐀𠀀𰀀〇豈"))
    assert not any(map(is_han, "aあア。，1　가々"))
