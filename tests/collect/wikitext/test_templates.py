"""Templates that show text, family by family; names in either script, in capitals, with blanks and namespaces."""

import pytest

from pipeline.collect.article import FORMULA
from pipeline.collect.wikitext.plain_text import plain_text
from pipeline.collect.wikitext.templates.forms import shown_by, template_name

CASES = {
    "language": [
        ("{{langx|fr|pont}}、{{Langx|en|[[Bridge|bridge]]}}", "法语：pont、英语：bridge"),
        ("桥（{{langx|grc|γέφυρα|gephyra}}）", "桥（古希腊语：γέφυρα）"),
        ("{{langx|ja|橋|label=none}}、{{langx|ko|다리|label=朝鮮語}}", "橋、朝鮮語：다리"),
        ("{{langx|code=fr|text=pont}}", "法语：pont"),
        ("{{langx|de|Brücke|lit=桥}}", "德语：Brücke，直译：桥"),
        ("{{langx|zh-hant|橋}}、{{langx|en-GB|bridge}}、{{langx|xx|abc}}", "繁体中文：橋、英语：bridge、abc"),
        ("{{lang-cs|most}}、{{Lang-tr|köprü}}、{{lang-yue|橋}}", "捷克语：most、土耳其语：köprü、粤语：橋"),
        ("{{lang | zh-hant | 橋樑 }}和{{Lang_EN}}", "橋樑和"),
        ("{{lang-zh|s=桥|t=橋|p=qiáo}}", "简体：桥，繁体：橋，拼音：qiáo"),
        ("{{zh-ts|秦嶺|秦岭}}、{{zh-stp|s=桥|t=橋|p=qiáo}}", "简体：秦岭，繁体：秦嶺、简体：桥，繁体：橋，拼音：qiáo"),
        ("{{lang-zh|t=秦嶺|w=Ch'in-ling|zhu=ㄑㄧㄣˊ}}", "繁体：秦嶺，注音：ㄑㄧㄣˊ，威妥玛拼音：Ch'in-ling"),
        ("{{zh|c=石橋|labels=no}}、{{lang-zh|石橋}}", "石橋、中文：石橋"),
        ("{{nihongo|玫瑰|薔薇|bara}}、{{Nihongo|甲|乙|丙|丁}}", "玫瑰（薔薇 bara）、甲（乙 丙，丁）"),
        ("{{nihongo2|薔薇}}、{{nihongo3|rose|薔薇|bara}}", "薔薇、bara（薔薇，rose）"),
        ("（{{jpn|j=鬼滅の刃|hg=きめつのやいば|rm=Kimetsu}}）", "（日语：鬼滅の刃／きめつのやいば Kimetsu）"),
        ("{{korean|hangul=조선|hanja=朝鮮}}、{{vie|v=cầu|hn=橋}}", "韩语：조선，汉字：朝鮮、越南语：cầu／橋"),
    ],
    "region": [
        ("{{地區用詞|cn=打印机|tw=印表機}}坏了", "打印机坏了"),
        ("{{地区用词|tw=印表機|hk=打印機}}坏了", "印表機坏了"),
        ("{{地区用词|hans=软件|hant=軟體}}", "软件"),
        ("{{地区用词|臺灣=軟體|大陆=软件}}", "软件"),
    ],
    "links": [
        ("{{ill|甲|fr|A|lt=乙}}、{{Ill|en|丙|C}}、{{illm|丁|en|D|ja|E}}", "乙、丙、丁"),
        ("{{跨语言链接|甲|en|A}}、{{跨語言鏈接|乙|en|B}}", "甲、乙"),
        ("{{跨語言連結|甲|en|A}}、{{ja-link|乙|B}}、{{Liw|zh=丙|lang=en}}、{{the-link|x}}甲", "甲、乙、丙、甲"),
        ("{{lpt|己|F}}、{{Lth|庚|G|辛}}", "己、辛"),
        ("{{lf|甲|A}}、{{LR|乙|B|丙}}、{{Internal link helper/en|丁|D}}、{{link-ja|戊|E}}", "甲、丙、丁、戊"),
        ("{{translink|en|A|甲}}、{{Link-interwiki|zh=甲|zh_text=乙|lang=en|lang_title=A}}", "甲、乙"),
    ],
    "doubt": [
        ("{{Citation needed|桥很旧}}，{{cn}}{{Cn|也很长|date=2010年1月}}。", "桥很旧，也很长。"),
        ("甲{{fact|2009-03-01}}乙{{来源请求|time=2016-12-18T00:00:00+00:00}}丙{{fact|May 2010}}", "甲乙丙"),
        (
            "建于{{fact|2009年3月}}，{{来源请求|1999年}}修，{{Fact|2009年3月塌了}}。",
            "建于2009年3月，1999年修，2009年3月塌了。",
        ),
        ("{{需要出處|橋很舊}}，{{cn-span|很長}}，{{来源?|很宽}}，{{引用请求|很美}}。", "橋很舊，很長，很宽，很美。"),
        ("{{哪裡|某地}}{{多少|許多}}人{{為什麼|不來}}{{when?|近來}}{{語意不明|或許}}", "某地許多人不來近來或許"),
        ("{{請求來源|橋很舊}}，{{可疑|橋很長}}，{{Who|有人}}说{{谁|他们}}来过。", "橋很舊，橋很長，有人说他们来过。"),
        (
            "{{when|近来}}{{Dubious|塌了|date=2020}}，{{需要解釋|原因}}不明，{{clarify span|人們}}猜测。",
            "近来塌了，原因不明，人們猜测。",
        ),
        ("{{citation needed|据说{{langx|en|bridge}}有[[一千]]座}}", "据说英语：bridge有一千座"),
        ("{{fact|1=1900年建成}}", "1900年建成"),
    ],
    "rare characters": [
        ("{{Unihan|20BB7}}、{{unihan|U+2A6A5}}、{{!|{{Unihan|2A6A5}}|四龍}}", "𠮷、𪚥、𪚥"),
        ("{{僻字|𣶯|⿰氵門}}、{{造字|&#x24B62;}}、{{缺字|{{unihan|0x23daf}}}}", "𣶯、𤭢、𣶯"),
        ("{{罕見字|㴱}}、{{Rarechar|𤭢|瓦卒}}、{{冷僻字|1={{Unihan|24B62}}}}", "㴱、𤭢、𤭢"),
        ("{{?|⿰亻鞋}}、{{PUA|甲|乙}}、見{{?}}", f"⿰亻鞋、甲、見{FORMULA}"),
        ("{{Unihan|門}}和{{unihan|D800}}和{{unihan|}}", "門和和"),
    ],
    "together": [
        ("{{linktext|鹿|耳|門}}、{{Linktext|石橋}}、{{linktext|stone|bridge}}", "鹿耳門、石橋、stone bridge"),
        ("{{hlist|甲|[[乙]]|丙}}。", "甲、乙、丙。"),
        ("{{ubl|甲|乙}}", "甲\n乙"),
        ("有\n{{plainlist|\n* 甲\n* [[乙]]\n}}", "有\n\n甲\n乙"),
        ("{{Unbulleted list|甲||乙|class=x}}", "甲\n乙"),
    ],
    "chemistry": [
        ("{{chem|CO|2}}、{{Chem|SO|4|2-}}、{{chem|2|H|2|O}}", "CO2、SO42−、2H2O"),
        ("{{chem2|SO4(2-)}}、{{chem2|CuSO4*5H2O}}、{{Chem2|2H2 + O2 -> 2H2O}}", "SO42−、CuSO4·5H2O、2H2 + O2 → 2H2O"),
        (
            r"{{chem2|^{235}_{92}U}}、{{chem2|CH2\dCH2}}、{{Chem2|HC\tCH}}、{{chem2|a\sb}}",
            "23592U、CH2=CH2、HC≡CH、a–b",
        ),
        ("{{ce|H2O}}和{{CO2}}", "H2O和CO2"),
    ],
    "measures": [
        ("{{convert|1500|m}}、{{convert|12,000|km2}}、{{Convert|5|km|mi|1}}", "1,500米、12,000平方公里、5公里"),
        (
            "{{convert|3|and|5|kg|lb}}、{{convert|2|by|3|by|4|m|ft}}、{{convert|5|±|0.1|mm}}",
            "3和5公斤、2×3×4米、5±0.1毫米",
        ),
        ("{{convert|6|ft|2|in|m}}、{{cvt|10|km/h}}、{{convert|-5|C}}", "6英尺2英寸、10 km/h、−5摄氏度"),
        ("{{convert|10|–|20|ha}}、{{convert|3|到|4|升}}", "10–20公顷、3至4升"),
        ("{{convert|1.5|e6m3}}、{{cvt|2|to|3|e3km2}}、{{convert|5|em}}", "1.5×106立方米、2至3×103 km2、5em"),
        (
            "{{val|1.5|0.2|0.3}}、{{val|1.5|+0.2|-0.1|e=3}}、{{val|1.234|(5)|e=2}}",
            "1.5+0.2−0.3、(1.5+0.2−0.1)×103、1.234(5)×102",
        ),
        (
            "{{val|1|-|2|u=m}}、{{val|3|to|-1}}、{{val|10|u=%}}、{{val|12345|fmt=commas|end=!}}",
            "1–2 m、3至−1、10%、12,345!",
        ),
        ("{{val|1.5|0.2|u=kg}}、{{val|6.02|e=23}}、{{val|3|u=m|up=s}}", "1.5±0.2 kg、6.02×1023、3 m/s"),
        ("{{frac|2|3}}、{{Frac|1|2|3}}、{{frac|4}}、{{sfrac|5|6}}、{{1/2}}{{half}}", "2/3、1+2/3、1/4、5/6、½½"),
    ],
    "dates": [
        ("{{birth date|1900|01|02}}、{{Death date and age|1980|3|4|1900|1|2|df=y}}", "1900年1月2日、1980年3月4日"),
        ("{{start date|2010|5}}、{{end date|2011}}、{{Birth date|1900年1月2日}}", "2010年5月、2011年、1900年1月2日"),
        ("{{birth date|year=1900|month=1|day=2|df=y}}、{{birth date|1900|month=1}}", "1900年1月2日、1900年"),
        ("{{As of|2010|5|6}}，{{as of|2011|alt=到2011年}}。", "截至2010年5月6日，到2011年。"),
        ("（{{bd|1900年|1月2日|1980年|3月4日}}）", "（1900年1月2日－1980年3月4日）"),
        ("（{{BD|1900年|1月2日|catIdx=Z}}）、{{bd|1900年||1980年|}}", "（1900年1月2日）、1900年－1980年"),
    ],
    "Wikisource": [
        ("{{另|于|於}}是{{校|卿|鄉}}來，{{SKchar|12|邦}}{{SKchar2|3|國}}。", "于是卿來，邦國。"),
        ("見{{SKchar|3771}}，", f"見{FORMULA}，"),
        ("{{專|帝顓頊|高陽}}者，{{專|黃帝}}之孫，{{書|札記}}說{{標|徇齊}}。", "帝顓頊高陽者，黃帝之孫，札記說徇齊。"),
        (
            "{{ul|一{{另|大|支}}國}}在東，{{SK anchor|烏梅}}{{SK notes|十枚}}，郭{{參|太|本名泰}}。",
            "一大國在東，烏梅十枚，郭太。",
        ),
        ("{{YL|元年|前722年}}，春。{{*|元年者何？}}", "元年，春。元年者何？"),
        ("{{YL|貞觀元年}}，{{ProperNoun|李世民}}即位。", "貞觀元年，李世民即位。"),
    ],
    "typography": [
        ("{{small|小}}{{Font color|red|yellow|字}}{{不换行|不}}{{Abbr|断|全}}", "小字不断"),
        ("{{〈}}诗{{〉}}甲{{·}}乙{{ndash}}丙{{'}}丁{{snd}}戊{{(}}己{{)}}", "〈诗〉甲 · 乙–丙'丁 – 戊(己)"),
        ("{{臺灣植物|id=1|zh=杜鵑花屬}}是花。", "杜鵑花屬是花。"),
        ("{{quote|桥很长。|某人}}他说。", "桥很长。\n他说。"),
    ],
    "tables": [
        ("{{(!}} class=x\n{{!-}}\n{{!}} 甲 {{!!}} 乙\n{{!)}}\n丙", "丙"),
        ("前\n{{s-start}}\n|-\n| 甲 || 乙\n|}\n后", "前\n\n后"),
    ],
    "parts left out": [
        ("{{Refbegin|2}}\n* 甲\n{{refend}}\n乙", "乙"),
        ("前。\n{{col-begin}}\n* 甲\n{{col end}}\n乙", "前。\n\n乙"),
        ("{{hidden begin|x}}甲{{hidden bottom}}乙", "乙"),
        ("{{div col}}\n* 甲\n</div>\n乙", "乙"),
        ("前。\n{{multicol}}\n* 甲\n=== 子 ===\n乙", "前。\n\n=== 子 ===\n乙"),
        ("前。\n<div class=x>\n甲\n== 子 ==\n乙", "前。\n\n== 子 ==\n乙"),
        ("前。\n{| class=x\n| 甲\n== 子 ==\n乙", "前。\n\n== 子 ==\n乙"),
        ("<span class=noprint>甲\n乙", "乙"),
    ],
    "names": [
        ("{{模板:NOWRAP|甲}}、{{Template:Nowrap|乙}}、{{樣板:nowrap|丙}}、{{:Template:nowrap_|丁}}", "甲、乙、丙、丁"),
        ("{{nowrap<!-- x -->|甲}}、{{ nowrap\n|乙}}", "甲、乙"),
        ("{{頁面名稱}}、{{PAGENAME}}、{{格式化數字:12345}}", "题、题、12,345"),
    ],
}


@pytest.mark.parametrize(("wikitext", "text"), [case for cases in CASES.values() for case in cases])
def test_families_of_templates(wikitext, text):
    assert plain_text(wikitext, "题") == text


@pytest.mark.parametrize(
    ("variant", "text"), [("zh", "硅"), ("zh-cn", "硅"), ("zh-tw", "矽"), ("zh-hk", "矽"), ("zh-hant", "矽")]
)
def test_words_differ_by_region(variant, text):
    assert plain_text("{{地区用词|cn=硅|tw=矽}}", variant=variant) == text


def test_names_are_compared_in_one_form():
    names = ["來源請求", "来源请求", "模板:来源請求", "Template: 來源请求", "来源请求_"]
    assert {template_name(name) for name in names} == {"来源请求"}
    assert template_name("Lang_EN  x") == "lang en x"


def test_a_template_that_is_not_listed_carries_no_text():
    assert shown_by("没有的") is None
    assert shown_by("endnote") is None


def test_a_sentence_with_a_gap_is_marked():
    assert plain_text("看了《{{x}}》，走了。") == f"看了《{FORMULA}》，走了。"
