"""SVG pictures of the figures of a lesson: lines and bands."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

# The palette of Okabe and Ito is safe for colour blindness; dashes distinguish lines in print.
STYLES = (
    ("#5b7c99", ""),
    ("#d55e00", ""),
    ("#009e73", "7 3"),
    ("#cc79a7", "2 3"),
    ("#e69f00", "9 3 2 3"),
    ("#333333", "1 2"),
)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 64, 176, 34, 44
# Most decades on a logarithmic axis: smaller values are rounding errors.
DECADES = 9


class _Axis:
    """Maps values to coordinates of the picture."""

    def __init__(self, values: Sequence[float], log: bool, first: float, last: float) -> None:
        finite = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
        # Without finite values the axis has an arbitrary range and the picture stays empty.
        low, high = (min(finite), max(finite)) if finite else (1.0, 10.0)
        self.log = log
        if log:
            low = max(low, high / 10**DECADES)
            low, high = math.log10(low), math.log10(high)
        if high - low < 1e-12:
            low, high = low - 0.5, high + 0.5
        self.low, self.high, self._first, self._last = low, high, first, last

    def at(self, value: float) -> float:
        place = (math.log10(value) if value > 0 else self.low) if self.log else value
        share = min(max((place - self.low) / (self.high - self.low), 0.0), 1.0)
        return self._first + share * (self._last - self._first)

    def ticks(self) -> list[float]:
        if self.log:
            first, last = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
            every = max(1, (last - first) // 5)
            whole = [10.0**power for power in range(first, last + 1, every)]
            if len(whole) > 2:
                return whole
            fine = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in (1, 2, 5)]
            inside = [tick for tick in fine if self.low - 1e-9 <= math.log10(tick) <= self.high + 1e-9]
            return inside if len(inside) > 1 else [10**self.low, 10**self.high]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step *= next(factor for factor in (1, 2, 2.5, 5, 10) if (self.high - self.low) / (step * factor) <= 6)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def svg(figure: Mapping[str, Any]) -> str:
    """Draw a figure of the response of GET /v1/lessons/{id}."""
    curves = figure["curves"]
    y_values = [value for curve in curves for name in ("y", "low", "high") for value in curve[name] or []]
    x = _Axis([value for curve in curves for value in curve["x"]], figure["log_x"], LEFT, WIDTH - RIGHT)
    y = _Axis(y_values, figure["log_y"], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" '
        f'font-size="12" role="img"><title>{escape(figure["title"])}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="16" fill="#333" font-weight="600">{escape(figure["title"])}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle" fill="#333">'
        f"{escape(figure['x'])}</text>",
        f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2:.0f}" text-anchor="middle" fill="#333" '
        f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2:.0f})">{escape(figure["y"])}</text>',
    ]
    for tick in y.ticks():
        parts.append(f'<path d="M{LEFT} {y.at(tick):.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y.at(tick) + 4:.1f}" text-anchor="end" fill="#555">{tick:.3g}</text>')
    for tick in x.ticks():
        parts.append(
            f'<text x="{x.at(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#555">{tick:.4g}</text>'
        )
    for number, curve in enumerate(curves):
        colour, dashes = STYLES[number % len(STYLES)]
        if curve["low"] and curve["high"]:
            there = [f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in zip(curve["x"], curve["low"], strict=True)]
            back = [f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in zip(curve["x"], curve["high"], strict=True)]
            parts.append(f'<polygon points="{" ".join(there + back[::-1])}" fill="{colour}" opacity="0.13"/>')
        line = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in zip(curve["x"], curve["y"], strict=True))
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dashes}"/>'
        )
        top = TOP + 6 + 18 * number
        left = WIDTH - RIGHT + 10
        parts.append(f'<path d="M{left} {top}h18" stroke="{colour}" stroke-width="2.4" stroke-dasharray="{dashes}"/>')
        parts.append(f'<text x="{left + 24}" y="{top + 4}" fill="{colour}">{escape(curve["label"][:24])}</text>')
    return "\n".join([*parts, "</svg>\n"])
