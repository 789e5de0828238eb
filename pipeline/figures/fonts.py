"""Which installed font has Chinese characters.

No font with them comes with matplotlib, and without one every character would be drawn as an empty box.
"""

from __future__ import annotations

from contextlib import suppress

from matplotlib import font_manager

# Simplified forms first; the regional faces of Noto and Source Han have every character too, drawn a little otherwise.
FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Heiti SC",
    "Hiragino Sans GB",
    "STHeiti",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",
    "Noto Sans CJK TC",
    "Noto Serif CJK SC",
    "SimSun",
    "AR PL UMing CN",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)
ADVICE = (
    "no font with Chinese characters is installed, so the figures are in English; to get one: "
    "apt-get install fonts-noto-cjk (Debian, Ubuntu), dnf install google-noto-sans-cjk-fonts (Fedora), "
    "brew install --cask font-noto-sans-cjk (macOS)"
)


def chinese_font() -> str | None:
    """The first family of ``FAMILIES`` that is installed, or None."""
    return _first_installed() or (_first_installed() if _learn_new_fonts() else None)


def _first_installed() -> str | None:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((family for family in FAMILIES if family in installed), None)


def _learn_new_fonts() -> bool:
    """Tell matplotlib of fonts installed since it made its list, which it keeps from run to run; whether there are."""
    known = {font.fname for font in font_manager.fontManager.ttflist}
    new = [path for path in font_manager.findSystemFonts() if path not in known]
    for path in new:
        with suppress(OSError, RuntimeError):  # a file that only looks like a font
            font_manager.fontManager.addfont(path)
    return bool(new)
