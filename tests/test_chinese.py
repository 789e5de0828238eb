"""The Chinese of the product: one term for each thing, full-width punctuation, the same values as the English."""

import ast
import re
from pathlib import Path

import pytest

from pipeline.files.logs.notes import CHINESE as NOTES
from pipeline.monitor.words import CHINESE as SCREEN
from pipeline.probe.words import CHINESE as PROBE
from pipeline.report.console.names import name_in
from pipeline.report.console.summary import CHINESE as SUMMARY
from pipeline.report.console.texts import _CHINESE as CONSOLE
from pipeline.report.console.texts import TEXTS
from pipeline.report.words import REPORT
from pipeline.words import CHINESE as FIGURES
from tests.helpers.tiny import ROOT

TABLES = {"screen": SCREEN, "notes": NOTES, "probe": PROBE, "report": REPORT, "summary": SUMMARY, "figures": FIGURES,
          "console": {TEXTS[name]: text for name, text in CONSOLE.items()}}  # fmt: skip
# The term, and what has stood for the same thing.
TERMS = {
    "频次基线": r"计数基线|计数猜测|(?<!参)数数|频率基线|词频基线",
    "根据左邻字猜测": r"看左邻|据左邻猜|猜测：左邻|左邻猜",
    "根据左右邻字猜测": r"看两邻|两邻",
    "被掩码的字": r"遮住|遮掉|被遮|遮盖|被掩(?!码)|掩掉",
    "提前停止": r"早停|提早停止|提前终止",
    "正常的运行": r"健康的运行|无误的运行|没有毛病的运行",
    "没有提升": r"未提升|无提升|没有增益",
    "机会水平": r"随机水平|偶然水平|瞎猜水平",
    "留出": r"保留集|留存",
    "词元": r"标记数|令牌",
    "检查点": r"存档点|快照",
    "学习率计划": r"学习率安排|学习率调度|学习率日程",
}
HAN = "[\u4e00-\u9fff]"
# A comma, colon and the like beside a Chinese character; an opening bracket before, a closing one after one.
HALF_WIDTH = re.compile(rf"{HAN} ?[,;!?]|{HAN}:|[,;!?:] ?{HAN}|{HAN}\.(?![\w/])|\({HAN}|{HAN}\)|\"{HAN}|{HAN}\"")
CODE = re.compile(
    r"```[\s\S]*?```|`[^`]*`|^ {4}[^\n]*$|\$\$[\s\S]*?\$\$|\$[^$\n]*\$|\]\([^)]*\)|<[^>]*>|[A-Za-z·]\([^()]*\)",
    re.MULTILINE,
)
REFERENCE = re.compile(r"^\[\d+\]")  # a list of literature is set as the field sets it
DOCS = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "derivations").glob("*.md")])
NOT_SCANNED = {"LOG.md", "README.md"}


def chinese_of(path: Path) -> str:
    """The Chinese half of a page, without code, formulas and addresses; of a page that has no halves all."""
    text = CODE.sub("·", path.read_text(encoding="utf-8").partition("\n## English")[0])
    return "\n".join(line for line in text.splitlines() if re.search(HAN, line) and not REFERENCE.match(line))


def in_code() -> dict[str, str]:
    """Every string with Chinese of the scripts, of the study and of what is exported, by place."""
    found = {}
    for path in [*ROOT.glob("*.py"), *(ROOT / "study").rglob("*.py"), *(ROOT / "pipeline" / "export").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(HAN, node.value):
                found[f"{path.relative_to(ROOT)}:{node.lineno}"] = node.value
    return found


@pytest.mark.parametrize("table", TABLES)
def test_a_thing_has_one_name_in_the_tables(table):
    for english, chinese in TABLES[table].items():
        for term, banned in TERMS.items():
            assert not re.search(banned, chinese), f"{english!r}: {chinese!r} should say {term}"


def test_a_thing_has_one_name_in_scripts_and_docs():
    texts = {str(path.relative_to(ROOT)): chinese_of(path) for path in DOCS if path.name not in NOT_SCANNED} | in_code()
    assert len(texts) > 20
    wrong = [f"{place}: {found[0]} should be {term}" for place, text in texts.items()
             for term, banned in TERMS.items() for found in re.finditer(banned, text)]  # fmt: skip
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("table", TABLES)
def test_punctuation_beside_chinese_is_full_width_in_the_tables(table):
    for english, chinese in TABLES[table].items():
        plain = CODE.sub("·", re.sub(r"{[^}]*}", "0", chinese))
        assert not HALF_WIDTH.search(plain), f"{english!r}: {chinese!r}"


def test_punctuation_beside_chinese_is_full_width_in_docs():
    texts = {path.name: chinese_of(path) for path in DOCS if path.name not in NOT_SCANNED}
    wrong = [f"{name}: …{text[max(0, found.start() - 15) : found.end() + 10]}…" for name, text in texts.items()
             for found in HALF_WIDTH.finditer(text)]  # fmt: skip
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "notes"])
def test_both_languages_put_in_the_same_values(table):
    for english, chinese in TABLES[table].items():
        values = [
            sorted(name.partition(":")[0] for name in re.findall(r"{([^}]*)}", text)) for text in (english, chinese)
        ]
        assert values[0] == values[1], english


def test_names_of_the_analysis_in_chinese():
    assert name_in("en", "the same value 10 times or more") == "the same value 10 times or more"
    expected = {
        "log": "对数",
        "masked language model": "掩码语言模型",
        "spike": "突升",
        "the same value 10 times or more": "同一个值重复 10 次以上",
        "loss 9.000 over the last 8 records, 4.612 around step 3700": (
            "最近 8 条记录的平均损失 9.000，第 3700 步前后曾是 4.612"
        ),
        "+1.20 points from the reference around step 4,000, measured by the scatter of 3 reference runs": (
            "第 4,000 步前后与参照相差 +1.20 个百分点，衡量的尺度是3 次参照运行之间的差异"
        ),
        "DRCD dev": "DRCD dev",
    }
    assert {text: name_in("zh", text) for text in expected} == expected
