"""How steps are written: whole numbers with commas, fractions of epochs to a few digits, the same in every text."""

import pytest

from pipeline.formatting import duration, minute, power_of_ten, step_number, step_text
from pipeline.words import Words


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (0, "0"),
        (12_345, "12,345"),
        (12_345.0, "12,345"),
        (1 / 3, "0.33"),
        (1234.5, "1,234.5"),
        (0.0123456, "0.0123"),
        (2**53, "9,007,199,254,740,992"),
    ],
)
def test_steps_are_written_without_a_tail(step, text):
    assert step_text(step) == text
    assert Words("en", {})("step {step:,}", step=step) == f"step {text}"
    assert Words("en", {})("step {step:>26,}", step=float(step)) == f"step {text:>26}"


def test_a_whole_step_is_a_whole_number():
    assert [(type(step), step) for step in map(step_number, (3, 3.0, 3.5))] == [(int, 3), (int, 3), (float, 3.5)]


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (42.4, "42 s", "42 秒"),
        (185, "3 min 05 s", "3 分 05 秒"),
        (81_060, "22 h 31 min", "22 小时 31 分"),
        (273_600, "3 d 4 h", "3 天 4 小时"),
    ],
)
def test_durations_in_both_languages(seconds, english, chinese):
    assert (duration(seconds), duration(seconds, "zh")) == (english, chinese)


def test_large_numbers_as_powers_of_ten():
    assert [power_of_ten(number) for number in (7.214e13, 9.996e9, 0.0)] == ["7.21 × 10¹³", "1.00 × 10¹⁰", "0.00 × 10⁰"]


def test_times_to_the_minute_in_utc():
    assert minute("2026-11-26T03:35:32+02:00") == "2026-11-26 01:35 UTC"
    assert (minute("yesterday"), minute(None)) == ("yesterday", "-")
