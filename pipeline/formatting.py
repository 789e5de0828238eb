"""How numbers are written, once for every screen, report and table."""

from __future__ import annotations

from datetime import datetime, timezone
from math import isfinite
from unicodedata import east_asian_width

Step = int | float  # a fraction only where a log counts in epochs
NOTHING = "-"  # where a value is not known


def percent(share: float | None, digits: int = 2, missing: str = NOTHING) -> str:
    """``12.34 %`` for a share of one; ``missing`` for None, NaN and infinity."""
    return f"{100 * share:.{digits}f} %" if share is not None and isfinite(share) else missing


def count(number: int | None, missing: str = NOTHING) -> str:
    """``12,345``; ``missing`` for None."""
    return missing if number is None else f"{number:,}"


def step_number(step: float) -> Step:
    """``step`` as it is written: an int where it is whole. The steps of a log in epochs may be fractions."""
    return int(step) if float(step).is_integer() else float(step)


def step_text(step: float) -> str:
    """``12,345``; a fraction to two decimals, ``0.33``, or to three digits where it is smaller than a tenth."""
    if float(step).is_integer():
        return f"{int(step):,}"
    return f"{step:,.2f}".rstrip("0") if abs(step) >= 0.1 else f"{step:.3g}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(number: float) -> str:
    """``7.21 × 10¹³``: three digits of a number too large to be read as it is."""
    digits, power = f"{number:.2e}".split("e")
    return f"{digits} × 10{str(int(power)).translate(_RAISED)}"


_UNITS = {"en": ("s", "min", "h", "d"), "zh": ("秒", "分", "小时", "天")}


def duration(seconds: float, language: str = "en") -> str:
    """``42 s``, ``3 min 05 s``, ``22 h 31 min`` or ``3 d 4 h``; in Chinese ``3 分 05 秒``."""
    whole = round(seconds)
    second, minute, hour, day = _UNITS[language]
    if whole < 60:
        return f"{whole} {second}"
    if whole < 3600:
        return f"{whole // 60} {minute} {whole % 60:02} {second}"
    if whole < 48 * 3600:
        return f"{whole // 3600} {hour} {whole % 3600 // 60:02} {minute}"
    return f"{whole // 86400} {day} {whole % 86400 // 3600} {hour}"


def columns_of(text: str) -> int:
    """The columns of a terminal that ``text`` takes: two for a Chinese character or a full-width sign."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def bytes_text(count: int) -> str:
    """``999 B``, ``3.4 MB``, ``1.2 GB``: powers of ten, as disks are sold."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def minute(time: str | None, missing: str = NOTHING) -> str:
    """``2026-11-26 01:35 UTC`` for an ISO 8601 time with a zone; any other text as it is, ``missing`` for none."""
    try:
        moment = datetime.fromisoformat(time or "").astimezone(timezone.utc)
    except ValueError:
        return time or missing
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
