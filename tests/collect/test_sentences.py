"""The splitter: where it cuts, where it must not, and that it loses nothing."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.collect.sentences import LONGEST, split_sentences

MARKS = "。！？!?…．.，、；：“”‘’「」『』（）()《》【】\"'一二3aB \u3000\n的等和天地人山水"
paragraphs = st.one_of(st.text(alphabet=MARKS, max_size=80), st.text(max_size=40))


@pytest.mark.parametrize(
    "pieces",
    [
        ["天亮了。", "鸡叫了！", "你醒了吗？", "醒了"],
        ["真的吗？！", "是真的！！！", "好。"],
        ["他想了想……\n", "没有说话。"],
        ["话没说完……门就开了。"],  # an ellipsis inside a sentence is a pause
        ["她说：“我不知道……”", "然后走了。"],
        ["旧事不必再提。……", "今年收成很好。"],
        ["老人说：“下雨了。”", "孩子跑回了家。"],
        ["老人说：「快跑！」", "孩子跑回了家。"],
        ["他写道：『山高。水长。』", "这是全文。"],
        ["“好！”，他说。", "大家笑了。"],
        ["“去哪里？”的问题没有人回答。"],
        ["他说“走吧。”", "的士来了。"],
        ["信里问“你好吗？”和“冷不冷？”等两句话。"],
        ["信里问“你好吗？”", "和尚没有回答。"],
        ["他怕“主人将怒。”。", "于是他走了。"],  # a second end mark belongs to the first
        ["他说“走吧。 ”", "大家走了。"],  # a blank before the closing quote
        ['他说"走吧。"', "大家走了。"],
        ["他走了。", '"再见"是最后的话。'],  # the straight quote opens here
        ["水深3.14米，宽2.5米。", "桥长１．５里。"],
        ["第一．天要亮。", "第二．人要起。"],
        ["一．先洗米。", "二．再生火。"],
        ["一．先洗米．", "第二．再生火．", "三. 吃饭."],
        ["分两步：一．先洗米；二．再生火。"],
        ["他见过马丁．路德的画像。", "画像很旧。"],  # a middle dot, for the paragraph ends its sentences with 。
        ["先洗米．", "再生火．", "后吃饭．"],  # here the full stop is all there is
        ["See p. 12. 见第十二页."],
        ["他常用Yahoo! 知识查资料。", "Hello! Project很有名。"],
        ["这（真的！）很好。", "是吗？"],
        ["他读《你是谁？》这本书。", "书很薄。"],
        ["他睡了(很晚。）才睡着。"],  # a bracket closed by one of the other width
        ["（本表如下。）", "其后各行从略。"],
        ["（未完。", "他放下了笔。"],
        ["天亮了。\n", "鸡叫了\n\n", "人起了"],
        ["天亮了。 　", "鸡叫了。"],
        ["    "],
        [],
        # quotations and their speakers
        ["“天要亮了。”老人说。", "孩子醒了。"],
        ["「天亮了嗎？」她輕聲問道，「亮了。」", "門開了。"],
        ["『走吧！』他喊。", "没有人动。"],
        ["老人说：“天亮了。”", "孩子说。"],  # the speaker was named before
        ["“天亮了。”", "他不知道天亮了。"],
        ["“天亮了。”然后门开了。"],
        ["老人说：“天亮了。”", "然后门开了。"],
        ["他写了“春风。”和“秋雨。”三首诗。", "诗很短。"],
        ["“天亮。”", "这种说法很旧。"],
        ["电影“你好！”上映了。", "人很多。"],
        ["他大喊“救命！”", "没有人来。"],
        ["『来了。』『走吧。』", "门关上了。"],
        # ends inside quotations and brackets
        ["他写道：“山高。水长。『路远。』都是好景。”", "他睡了。"],
        ["她说：「你听过『道可道。』吗？我听过。」", "他笑了。"],
        ['他说："山高。水长。"', "他睡了。"],
        ["甲桥很长（如图1。）", "乙桥很短。"],
        ["甲桥很长（如图1。），乙桥很短。"],
        ["甲桥（建于1900年。）是石桥。"],
        ["（甲桥很长。）", "乙桥很短。"],
        # a quotation mark without its partner
        ["下一段才说完。”", "他走了。"],
        ['这台电视机有15"的屏幕。', '他说"很好。"', "她走了。"],
        ["It's old，很旧。", "他说'好。'", "她走了。"],
        ['他买了"苹果。', *["他吃了。"] * 60, '她说"好。"', "走了。"],
        # marks
        ["真的吗⁈", "是真的‼", "何时⁇", "现在⁉"],
        ["天亮了︒", "鸡叫了︕", "你醒了吗︖", "醒了﹗"],
        ["他走了……", "“站住！”", "有人来了。"],
        ["来呀~", "走吧～", "水深3～5米。", "约~3米。"],
        ["甲桥很长。[1]", "乙桥很短。[注 2][3]", "丙桥很旧。¹²", "丁桥很新。"],
        ["甲桥很长。", "[新]乙桥很短。"],
        ["“学而时习之。”——《论语》", "他很高兴。"],
        ["人生自古谁无死。——文天祥\n", "他死了。"],
        ["请看https://a.b/桥?id=1！", "好。"],
        ["写信给a@b.c!", "好。"],
        ["早安少女組。很有名。", "她们是モーニング娘。"],
    ],
)
def test_pieces(pieces):
    assert split_sentences("".join(pieces)) == pieces


def test_a_bracket_that_is_never_closed_in_reach_does_not_swallow_the_paragraph():
    text = "天亮了。"
    many = text * (LONGEST // len(text) + 1)
    assert split_sentences(f"（{many}）好。")[1] == text
    few = text * (LONGEST // len(text) - 2)
    assert split_sentences(f"他（{few}人起）好。") == [f"他（{few}人起）好。"]


@given(paragraphs)
def test_joined_pieces_give_the_paragraph(paragraph):
    pieces = split_sentences(paragraph)
    assert "".join(pieces) == paragraph
    assert all(pieces)


@given(paragraphs)
def test_no_piece_begins_with_a_closing_quote_or_comma_or_blank(paragraph):
    pieces = split_sentences(paragraph)
    for before, piece in itertools.pairwise(pieces):
        assert not piece[0].isspace()
        if "\n" not in before:
            assert piece[0] not in "”’」』，、；："


@given(st.text(alphabet="天地人山水，、；：“”《》ab12 ", max_size=60))
def test_text_without_an_end_mark_is_one_piece(paragraph):
    assert split_sentences(paragraph) == ([paragraph] if paragraph else [])


@given(st.lists(st.text(alphabet="天地人山水，ab12", min_size=1, max_size=8), min_size=1), st.sampled_from("。！？"))
def test_plain_sentences_come_back_one_by_one(bodies, mark):
    # A comma after an end mark would join the two.
    sentences = [body.strip("，") + "人" + mark for body in bodies]
    assert split_sentences("".join(sentences)) == sentences


@pytest.mark.parametrize(
    "unit", ["（", "（。", "…", "一．", '"。', "。，", "「！」等", "（（（））） ", "。　", "\n", "甲．"]
)
def test_time_grows_with_the_length_only(unit):
    began = time.perf_counter()
    split_sentences(unit * (100_000 // len(unit)))
    assert time.perf_counter() - began < 3  # it takes about 0.1 s; quadratic work takes minutes


# What a sentence may hold without ending, and ways to end one.
PARTS = [
    "水深3.14米",
    "宽１．５里",
    "共1,000人",
    "《你是谁？》这本书",
    "（真的！）",
    "（见第3.2节。）还有",
    "马丁．路德",
    "Yahoo! 知识",
]
PARTS += [
    "他想了想……又说",
    "分两步：一．洗米；二．生火",
    "“好！”，他说",
    "“去哪里？”的问题",
    "天地",
    "，山水",
    "[注1]",
    "「雪」",
]
SHAPES = [
    "{}。",
    "{}！",
    "{}？",
    "{}？！",
    "{}！！！",
    "{}……\n",
    "老人说：“{}。”",
    "老人说：「{}？！」",
    "他写道：『{}……』",
    "（{}。）",
]


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4), st.sampled_from(SHAPES)),
        min_size=1,
        max_size=6,
    )
)
def test_ten_thousand_paragraphs_of_known_sentences(plan):
    """Sentences made of decimals, enumerations, brackets, quotes and pauses come back one by one."""
    sentences = [shape.format("人" + "".join(parts) + "人") for parts, shape in plan]
    # A paragraph that ends nothing with 。 takes every full stop for an end.
    sentences.append("这是末句。")
    assert split_sentences("".join(sentences)) == sentences


@pytest.mark.slow
@settings(max_examples=10_000, deadline=10_000)
@given(paragraphs)
def test_ten_thousand_paragraphs_of_anything(paragraph):
    """Nothing is lost, invented or put elsewhere; no crash; no hang (10 s for one example is one)."""
    pieces = split_sentences(paragraph)
    assert "".join(pieces) == paragraph
    assert all(pieces)
