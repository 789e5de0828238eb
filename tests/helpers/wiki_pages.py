"""Pages written for a test wiki: a few with the mark-up that decides what a reader gets, and many plain ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

from pipeline.characters.standard_table import standard_characters

PLACES = ("青溪", "石桥", "白沙", "落霞", "竹林", "望江", "古渡", "云台")
THINGS = ("鱼", "鸟", "昆虫", "瓷器", "青铜器", "乐器", "河流", "山峰", "姓氏", "诗词", "星官", "医学", "数学")
DEEDS = ("记载不多", "十分常见", "已经失传", "流传很广", "见于方志", "曾被误认", "由此得名", "后来改建")


def marked_up_pages() -> Iterator[tuple[str, str]]:
    """Titles and wikitext: sections to drop, redirects, categories, templates, both scripts, rare characters."""
    yield "Template:鱼", "'''{{{1}}}'''是一种鱼类"
    yield "Category:鱼类", "[[Category:动物]]"
    yield "Category:淡水鱼", "[[Category:鱼类]]"
    yield "Category:动物", "这里是各种动物。"
    yield (
        "鳜鱼",
        "{{鱼|鳜鱼}}，生活在淡水里，体侧有褐色的斑块。<ref>《江中的鱼》，第12页。</ref>\n\n"
        "== 习性 ==\n它白天伏在石缝中，夜里出来捕食小鱼。它的口很大，下颌突出！\n\n"
        "== 空的一节 ==\n\n== 食用 ==\n渔民说：“清蒸最好。”也有人把它腌制后再烹煮。\n\n"
        "== 参考文献 ==\n<references />\n* 《江中的鱼》，某书局，这一行不是正文。\n\n"
        "== 保护 ==\n禁渔期内不得捕捞。\n[[Category:淡水鱼]]",
    )
    yield "桂花鱼", "#REDIRECT [[鳜鱼]]\n[[Category:淡水鱼]]"
    yield (
        "鱖屬",
        "'''鱖屬'''是輻鰭魚綱的一屬，為淡水魚類，分佈於東亞的河流和湖泊中。\n\n"
        "== 外部連結 ==\n* [http://127.0.0.1/ 某站]\n[[Category:淡水鱼]]",
    )
    yield "䲟", "'''䲟'''又名印头鱼，头顶有吸盘，常吸附在大鱼身上。“䲟”字罕见。[[Category:鱼类]]"
    yield "鱼类", "'''鱼类'''是终生生活在水中的脊椎动物。水温3.5度时，有的鱼便停止进食……但并不死亡。[[Category:动物]]"
    yield "甗", "'''甗'''（yǎn）是一种蒸食用的青铜器，上部为甑，下部为鬲。\n\n== 注释 ==\n注释里的话不算正文。"
    yield "百家姓", "《百家姓》是一篇关于姓氏的文章，四字一句，便于诵读。百家姓中没有的姓氏也很多。"


def plain_pages(count: int) -> Iterator[tuple[str, str]]:
    """Titles and texts by formula: a thing of the topics, a place, and some characters of the standard table."""
    dice = random.Random(11)
    characters = standard_characters()
    for number in range(count):
        thing, place = dice.choice(THINGS), dice.choice(PLACES)
        paragraphs = []
        for _ in range(dice.randint(1, 4)):
            sentences = [
                f"{place}的{thing}第{number}种在{dice.choice(PLACES)}{dice.choice(DEEDS)}，"
                f"又写作“{''.join(dice.sample(characters, 3))}”。"
                for _ in range(dice.randint(1, 6))
            ]
            paragraphs.append("".join(sentences))
        yield f"{place}{thing}{number}", "\n\n".join(paragraphs)
