"""The texts of ``-{…}-`` for a reader of each variant, as MediaWiki's LanguageConverter shows them."""

import pytest

from pipeline.collect.wikitext.variants import choose_variant


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("电脑", ["电脑"] * 3),
        ("zh-hans:电脑;zh-hant:電腦", ["电脑", "电脑", "電腦"]),
        ("zh-cn:博客;zh-tw:部落格;zh-hk:網誌;", ["博客", "博客", "部落格"]),
        ("zh-tw:部落格", ["部落格"] * 3),
        ("A|zh-cn:博客;zh-tw:部落格", ["博客", "博客", "部落格"]),
        ("R|zh-cn:博客", ["zh-cn:博客"] * 3),
        ("T|zh-cn:博客", [""] * 3),
        ("-|zh-cn:博客", [""] * 3),
        ("zh-hant;zh-tw|後", ["後", "", "後"]),
        ("软件=>zh-cn:软件;軟體=>zh-tw:軟體", ["软件", "软件", "軟體"]),
        ("甲|乙", ["乙"] * 3),
        ("zh-cn:a;b", ["a;b", "a;b", "a;b"]),
        ("zh-Hans:电脑;ZH-HANT:電腦", ["电脑", "电脑", "電腦"]),
        ("x;A|zh-cn:博客;zh-tw:部落格", ["博客", "博客", "部落格"]),
        ("|zh-cn:博客;zh-tw:部落格", ["博客", "博客", "部落格"]),
        ("zh-Hant|後", ["後", "", "後"]),
        ("zh-cn:;zh-tw:部落格", ["部落格"] * 3),
        ("zh-xx:甲", ["zh-xx:甲"] * 3),
    ],
)
def test_variants(content, shown):
    assert [choose_variant(content, variant) for variant in ("zh", "zh-cn", "zh-tw")] == shown
