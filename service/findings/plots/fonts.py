"""Fonts of pictures: DejaVu Sans, which comes with matplotlib, and installed fonts with characters that it lacks."""

import logging

from matplotlib.font_manager import fontManager

FONT = "DejaVu Sans"
# Chinese, Japanese and Korean, then symbols and emoji. Fonts of coloured bitmaps are left out: matplotlib cannot draw
# them. The last font, which newer versions of matplotlib bring, draws a box for every character.
_MORE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "IPAexGothic",
    "IPAGothic",
    "NanumGothic",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Emoji",
    "Symbola",
    "Segoe UI Emoji",
    "Unifont",
    "Last Resort High-Efficiency",
)
# Fonts without bold letters are used as they are; matplotlib would log each of them as a warning.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def families() -> list[str]:
    """List the installed fonts in the order in which a character is looked up."""
    installed = {font.name for font in fontManager.ttflist}
    return [FONT, *(name for name in _MORE_FONTS if name in installed)]
