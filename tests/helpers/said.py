"""Numbers in sentences and tables, held to the values that they should be."""

from __future__ import annotations

import re

NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def numbers_in(text: str) -> list[str]:
    """The numbers of a text as they are written, without the commas of the thousands."""
    return [number.replace(",", "").replace("\N{MINUS SIGN}", "-") for number in NUMBER.findall(text)]


def numbers(text: str) -> list[float]:
    return [float(number) for number in numbers_in(text)]


def is_said(written: str, value: float) -> bool:
    """Whether ``written`` is ``value`` rounded to the digits that it has."""
    mantissa, _, power = written.partition("e")
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    return abs(float(written) - value) <= 0.5001 * unit + 1e-12 * abs(value)


def says(text: str, *values: float) -> bool:
    """Whether the numbers of ``text`` are these in this order; numbers that belong to its words may stand between."""
    written = iter(numbers_in(text))
    return all(any(is_said(number, value) for number in written) for value in values)
