"""Mark-up outside of templates: links, lines and paragraphs, tags, entities, quotes, what is left in gaps.

Where MediaWiki's own extract of the same wikitext decides, it was asked for it.
"""

import pytest

from pipeline.collect.article import FORMULA
from pipeline.collect.wikitext.plain_text import plain_text

CASES = {
    "links to other languages and namespaces": [
        ("《[[Re:CREATORS]]》、[[NHK:甲]]、[[UN: 乙|丙]]、[[2:00]]", "《Re:CREATORS》、NHK:甲、丙、2:00"),
        ("[[voy:桥]]、[[wikt:橋|橋]]、[[WP:甲]]、[[doi:10.1/2]]", "voy:桥、橋、WP:甲、doi:10.1/2"),
        ("桥[[fr:Pont]][[EN:Bridge]][[zh-min-nan:Kiô]][[be-tarask:Мост]][[simple:Bridge]][[roa-rup:x]]", "桥"),
        ("桥\n[[zh-yue:橋]]\n[[map-bms:x]]\n[[nds-nl:Brogge]]", "桥"),
        ("看[[:fr:Pont]]和[[:ja:橋|日语条目]]", "看fr:Pont和日语条目"),
        ("[[圖像:a.jpg|thumb|甲]][[图片:b.png|乙]][[f:c.svg]][[ File : d.jpg ]]桥", "桥"),
        ("听[[媒體:a.ogg|這裡]]和[[Media:b.ogg]]", "听這裡和Media:b.ogg"),
        ("桥[[CAT:桥]][[分類: 橋|甲]]在[[:分类:桥]]", "桥在分类:桥"),
    ],
    "what a link shows": [
        ("到[[%E5%8D%97%E4%BA%AC]]和[[100%]]和[[%E5%8D%97|南]]和[[%ff]]", "到南京和100%和南和%ff"),
        ("见[HTTP://a.b 甲]、[//c.d 乙]、[ftp://e.f/g 丙]、[mailto:h@i.j 丁]、[irc://k 戊]", "见甲、乙、丙、丁、戊"),
        ("见[https://a.b/c　官网]和[http://a.b/\u00a0网页]", "见官网和网页"),
        ("见[http://a.b 甲[乙]丙]和[http://a.b [丁]]", "见甲[乙丙]和[丁]"),
        ("见[http://a.b 甲[[乙]]丙]和[a.b 丁]", "见甲乙丙和[a.b 丁]"),
    ],
    "definition lists": [
        ("; [[Fate: 夜]]\n: 游戏", "Fate: 夜\n游戏"),
        ("; [http://a.b 甲: 乙] : 丙", "甲: 乙\n丙"),
        ("; {{lang|en|Re: x}}: 甲", "Re: x\n甲"),
        ("*; <nowiki>a:b</nowiki> : 甲：乙", "a:b\n甲：乙"),
        ("; http://a.b : 甲", "http://a.b\n甲"),
    ],
    "lines of a paragraph": [
        ("桥很\n长，\n也很旧。\n\n河很宽。", "桥很长，也很旧。\n\n河很宽。"),
        ("The old\nbridge\n很长", "The old bridge很长"),
        ("甲<ref>x</ref>\n<ref>y</ref>\n乙", "甲乙"),
        (
            "桥很长\n<ref name=a>x</ref>\n。也很旧。\n <ref name=a /> \n{{来源请求}}\n河很宽。",
            "桥很长。也很旧。\n\n河很宽。",
        ),
        ("甲\n* 乙\n丙\n丁\n: 戊\n 己\n 庚", "甲\n乙\n丙丁\n戊\n己\n庚"),
        ("甲\n== 乙 ==\n丙\n丁", "甲\n\n== 乙 ==\n丙丁"),
        ("<blockquote>\n甲\n乙\n</blockquote>\n丙", "甲乙\n\n丙"),
        ("甲<br>乙\n丙", "甲\n乙丙"),
        ("甲\n<!-- x -->\n<!-- y -->\n乙", "甲乙"),
    ],
    "headings": [
        ("= 一 =\n甲", "= 一 =\n甲"),
        ("== 历史<br/>沿革 <br> 甲 ==\n乙", "== 历史沿革甲 ==\n乙"),
        ("=== 甲 ==\n乙\n== 丙 ===", "== = 甲 ==\n乙\n\n== 丙 = =="),
        ("== ''甲'' {{lang|en|x}} ==", "== 甲 x =="),
    ],
    "switches": [
        ("__notoc__甲__NoToc____目录__乙__隐藏分类____DISAMBIG__", "甲乙"),
        ("__INIT__和__main__和__index__和__注意__", "__INIT__和__main__和__index__和__注意__"),
    ],
    "entities": [
        ("x&sup2;、&frac12;、&there4;、&Eacute;", "x²、½、∴、É"),
        ("<nowiki>&#20013;&lt;br&gt;[[甲]]</nowiki>", "中<br>[[甲]]"),
        ("<pre>&amp;nbsp;\n'''甲'''</pre>", "&nbsp;\n'''甲'''"),
        ("<nowiki>&amp;lt;</nowiki>、&amp;lt;", "&lt;、&lt;"),
    ],
    "tags": [
        ("甲</pre>乙</nowiki>丙</ref>丁</math>", "甲乙丙丁"),
        ("甲<quiz display=simple>\n{ 乙 }\n</quiz>丙", "甲丙"),
        ('用<syntaxhighlight lang="c" inline>a[0] = "&lt;";</syntaxhighlight>写', '用a[0] = "&lt;";写'),
        ("甲<SPAN CLASS='noprint'>乙</SPAN>丙", "甲丙"),
        ("<translate>甲<tvar name=x>乙</tvar></translate></center>", "甲乙"),
    ],
    "apostrophes": [
        ("''Nature'''s网站", "Nature's网站"),
        ("'''甲''乙", "'甲乙"),
        ("l'''amour'' 与 '''b'''", "l'amour 与 b"),
        ("''''甲''''和''''''乙''''''", "'甲'和'乙'"),
        ("'''''甲''乙'''丙", "甲乙丙"),
    ],
    "variants": [
        ("-{zh-Hant:軟體;zh-Hans:软件}-、-{ZH-CN:网络;ZH-TW:網路}-", "软件、网络"),
        ("-{A;Q|zh-cn:甲;zh-tw:乙}-、-{甲乙|丙}-、-{简体|zh-cn:丁}-", "甲、丙、丁"),
        ("-{ZH-HANS;zh-cn|甲}-", "甲"),
        ("爲變-{-{徴}-}-之聲，-{zh:蟜;zh-hans:{{!|𫊸|⿰虫乔}};zh-hant:蟜;}-極", "爲變徴之聲，蟜極"),
        ("-{zh-Hans:软件;zh-CN:网络}-和-{ zh-Hant : 軟體 ; zh-Hans : 软件 }-", "软件和软件"),
    ],
    "gaps": [
        ("《{{x}}》好。", f"《{FORMULA}》好。"),
        ("《[[{{x}}]]》和〈''{{x}}''〉和[{{x}}]。", f"《{FORMULA}》和〈{FORMULA}〉和[{FORMULA}]。"),
        (
            "他说：「{{x}}」、『{{x}}{{y}}』、“ {{x}}”、【{{x}}】。",
            f"他说：「{FORMULA}」、『{FORMULA}』、“{FORMULA}”、【{FORMULA}】。",
        ),
        (
            "《{{x}}·{{y}}》、“{{x}}，{{x}}”、「{{x}}、」、[ {{x}}] ",
            f"《{FORMULA}》、“{FORMULA}”、「{FORMULA}」、[{FORMULA}]",
        ),
        ('他说"甲"<ref>x</ref>、"乙"。', '他说"甲"、"乙"。'),
        ("他叫'{{x}}'，(“{{x}}”)。", f"他叫'{FORMULA}'，(“{FORMULA}”)。"),
        ("有甲、{{x}}、乙，{{x}}。", f"有甲、{FORMULA}、乙，{FORMULA}。"),
        ("{{x}}，是桥。{{x}}，也是。", f"{FORMULA}，是桥。{FORMULA}，也是。"),
        ("桥（{{x}}/{{x}}）长（{{x}} - 1900年 · {{x}}）。", "桥长（1900年）。"),
        ("甲，<ref>x</ref>乙。<ref>y</ref>丙<ref>z</ref>，丁", "甲，乙。丙，丁"),
        ("《》和（）和，，", "《》和（）和，，"),
    ],
}


@pytest.mark.parametrize(("wikitext", "text"), [case for cases in CASES.values() for case in cases])
def test_mark_up(wikitext, text):
    assert plain_text(wikitext, "题") == text
