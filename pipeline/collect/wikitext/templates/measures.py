"""Templates of numbers: measures with their units, values with their errors, fractions, chemical formulas.

A measure is not converted: what was put in is shown, the number with its thousands set apart and the unit in Chinese.
"""

from __future__ import annotations

import re

from pipeline.collect.wikitext.templates.arguments import Arguments

_BETWEEN = {
    **dict.fromkeys(("-", "–", "—", "to(-)"), "–"),
    **dict.fromkeys(("to", "to-", "至", "到"), "至"),
    **dict.fromkeys(("x", "×", "*", "by", "by(x)", "xx"), "×"),
    **dict.fromkeys(("and", "&", "and(-)", "和"), "和"),
    **dict.fromkeys(("or", "或"), "或"),
    **dict.fromkeys(("+/-", "±", "+-", "+"), "±"),
    **dict.fromkeys((",", "，", "、"), "、"),
    "to about": "至约",
    "/": "/",
}

# code, or codes, of a unit: its name, and its symbol where that is not the first code
_UNITS = """
m 米 | km 公里 | cm 厘米 | mm 毫米 | μm,um 微米 | nm 纳米 | dm 分米 | li 里 | chi 尺 | zhang 丈
ft,foot,feet 英尺 | in,inch 英寸 | mi,mile 英里 | yd 码 | nmi 海里 | fathom 英寻 | furlong 弗隆 | chain 链
ly 光年 | AU,au 天文单位 | pc 秒差距
km2,sqkm 平方公里 | m2,sqm 平方米 | cm2,sqcm 平方厘米 | mm2,sqmm 平方毫米 | ha 公顷 | acre,acres 英亩 | mu 亩
sqmi,mi2 平方英里 | sqft,ft2 平方英尺 | sqyd 平方码 | sqin 平方英寸
kg 公斤 | g 克 | mg 毫克 | t,tonne,MT 公吨 | lb,lbs 磅 | oz 盎司 | st 英石 | LT 长吨 | ST 短吨 | ozt 金衡盎司
tael 两 | catty 斤
L,l 升 | mL,ml 毫升 | m3 立方米 | km3 立方公里 | cm3,cc 立方厘米 | gal,USgal,impgal 加仑 | cuft,ft3 立方英尺
bbl,oilbbl 桶
km/h 公里每小时 | mph 英里每小时 | m/s 米每秒 | km/s 公里每秒 | kn,knot 节 | ft/s 英尺每秒
°C,C 摄氏度 °C | °F,F 华氏度 °F | K 开尔文 | W 瓦特 | kW 千瓦 | MW 兆瓦 | GW 吉瓦 | hp 马力 | PS 公制马力
kWh 千瓦时 | Pa 帕斯卡 | kPa 千帕 | MPa 兆帕 | bar 巴 | atm 大气压 | psi 磅每平方英寸
N 牛顿 | kN 千牛 | Nm 牛顿米 | J 焦耳 | kJ 千焦 | Hz 赫兹 | kHz 千赫 | MHz 兆赫 | GHz 吉赫 | s 秒 | min 分钟 | h 小时
/km2,/sqkm,PD/km2,PD/sqkm 人每平方公里 | m3/s 立方米每秒 | cuft/s 立方英尺每秒 | kg/m3 千克每立方米 | g/cm3 克每立方厘米
"""


def _read_units(table: str) -> dict[str, tuple[str, str]]:
    units: dict[str, tuple[str, str]] = {}
    for entry in table.replace("\n", "|").split("|"):
        if entry.strip():
            codes, name, *symbol = entry.split()
            units |= {code: (name, symbol[0] if symbol else codes.split(",")[0]) for code in codes.split(",")}
    return units


_NAMES = _read_units(_UNITS)
_WHOLE = re.compile(r"([-−]?)(\d{4,39})(\.\d+)?")
_NUMBER = re.compile(r"[-−+±]?[\d.,/⁄+ ]+")
_POWER = re.compile(r"e(\d{1,2})(?=\D)")
_CHARGE = re.compile(r"\d*[+-]")


def grouped(number: str) -> str:
    """``number`` with commas between groups of three digits, and a true minus before it."""
    match = _WHOLE.fullmatch(number)
    if match:
        number = match[1] + re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", match[2]) + (match[3] or "")
    return "−" + number[1:] if number.startswith("-") else number


def measure(arguments: Arguments, name: str) -> str:
    """``{{convert|5|to|10|m}}``: 5至10米; ``{{cvt|5|m}}``: 5 m; ``{{convert|6|ft|2|in}}``: 6英尺2英寸."""
    parts = arguments.numbered()
    short = name == "cvt" or arguments.get("abbr") in ("on", "in")
    shown = ""
    while parts:
        number, parts = grouped(parts[0]), parts[1:]
        while len(parts) > 1 and parts[0] in _BETWEEN:
            number += _BETWEEN[parts[0]] + grouped(parts[1])
            parts = parts[2:]
        power, unit, symbol = _unit(parts[0]) if parts else ("", "", "")
        shown += number + power + (f" {symbol}" if short and symbol else unit)
        parts = parts[1:]
        if len(parts) < 2 or not _NUMBER.fullmatch(parts[0]) or parts[1] not in _NAMES:
            break  # what follows is what to convert to
        shown += " " if short else ""
    return shown


def _unit(code: str) -> tuple[str, str, str]:
    """Power of ten, name and symbol of a unit: ``e6km2`` is ×106, 平方公里, km2."""
    power = _POWER.match(code)
    if power and code not in _NAMES:
        code = code[power.end() :]
    name, symbol = _NAMES.get(code, (code, code))
    return f"×10{power[1]}" if power and power.string != code else "", name, symbol


def value(arguments: Arguments, _: str) -> str:
    """``{{val|1.5|0.2|e=6|u=kg}}``: (1.5±0.2)×106 kg, the exponent being raised; ``{{val|1|-|2}}``: 1–2."""
    number, plus, minus = (arguments.get(key) for key in "123")
    shown = grouped(number) if arguments.get("fmt") == "commas" else number.replace("-", "−")
    if plus in _BETWEEN and minus:
        shown += _BETWEEN[plus] + minus.replace("-", "−")
    elif plus and minus:
        shown += f"+{plus.lstrip('+')}−{minus.lstrip('-−')}"
    elif plus.startswith("("):
        shown += plus
    elif plus:
        shown += f"±{plus.removeprefix('±')}"
    if exponent := arguments.get("e"):
        shown = f"({shown})" if plus and not plus.startswith("(") else shown
        shown += f"×10{exponent.replace('-', '−')}"
    unit, per = arguments.get("u", "ul"), arguments.get("up", "upl")
    unit += f"/{per}" if per else ""
    unit = unit if not unit or unit[0] in "%‰°′″" else f" {unit}"
    return arguments.get("p") + shown + arguments.get("s", "end") + (unit if shown else "")


def fraction(arguments: Arguments, _: str) -> str:
    """``{{frac|1|2|3}}``: 1+2/3; ``{{frac|2|3}}``: 2/3; ``{{frac|3}}``: 1/3."""
    parts = [part for part in arguments.numbered() if part]
    if len(parts) > 2:
        return f"{parts[0]}+{parts[1]}/{parts[2]}"
    return "/".join(parts if len(parts) == 2 else ["1", *parts]) if parts else ""


def formula(arguments: Arguments, _: str) -> str:
    """``{{chem|H|2|SO|4}}``: H2SO4; ``{{chem2|SO4(2-)}}``: SO42−."""
    text = "".join(part.replace("-", "−") if _CHARGE.fullmatch(part) else part for part in arguments.numbered())
    text = re.sub(r"\((\d*)([+-])\)", lambda charge: charge[1] + charge[2].replace("-", "−"), text)
    text = re.sub(r"[\^_]\{([^{}]*)\}", r"\1", text)
    for sign, shown in (("<->", "⇌"), ("->", "→"), ("*", "·"), (r"\s", "–"), (r"\d", "="), (r"\t", "≡")):
        text = text.replace(sign, shown)
    return re.sub(r"(?<=[A-Za-z0-9\)\]])-(?=\s|$)", "−", text)
