"""Scales, limits and ticks of axes; ticks of a logarithmic scale are powers of ten."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Most decades of a logarithmic axis; smaller values are rounding errors.
MAX_DECADES = 14
# Ends of axes stay between these sizes, so that a margin neither overflows nor vanishes.
_SMALLEST, _LARGEST = 1e-250, 1e250
NOT_LOG = "The scale is linear: values at or below 0 have no logarithm."


def power_of_ten(exponent: int) -> str:
    """Write a power of 10 with superscript digits."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def short(value: float) -> str:
    """Write a number briefly."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.2e}".split("e")
    power = power_of_ten(int(exponent))
    return power if mantissa == "1.00" else f"{float(mantissa):g}·{power}"


def _power(value: float) -> str:
    exponent = round(math.log10(value))
    return "1" if exponent == 0 else power_of_ten(exponent)


def nice_values(low: float, high: float) -> NDArray[np.float64]:
    """Give 1, 2 and 5 times powers of ten between two positive numbers; over many decades only the powers."""
    exponents = np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
    values = np.array([step * 10.0**exponent for exponent in exponents for step in steps])
    inside = values[(values >= low * 0.999) & (values <= high * 1.001)]
    return inside if len(inside) > 1 else np.array([low, high])


def limits(values: NDArray[np.float64], *, log: bool) -> tuple[float, float]:
    """Choose the ends of an axis: around all finite values, with a margin."""
    finite = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not finite.size:
        return (0.1, 10.0) if log else (0.0, 1.0)
    low, high = (min(max(float(end), -_LARGEST), _LARGEST) for end in (finite.min(), finite.max()))
    if log:
        high = max(high, _SMALLEST)
        low = max(low, high / 10.0**MAX_DECADES, _SMALLEST)
        room = max((high / low) ** 0.05, 1.05)
        return low / room, high * room
    # A spread of rounding errors is none.
    spread = high - low if high - low > 1e-12 * max(abs(low), abs(high)) else 0.0
    room = 0.05 * spread or 0.05 * abs(high)
    room = room if room > _SMALLEST else 0.5
    return low - room, high + room


def set_scale(axes: Axes, which: str, bounds: tuple[float, float], *, log: bool) -> None:
    """Set the scale, the ends and the ticks of an axis."""
    axis: Any = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(*bounds)
    if not log:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(round(value, 12)).replace("-", "−")))
        return
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(*bounds)
    decades = math.log10(bounds[1] / bounds[0])
    if decades < 1.0:
        # Less than a decade may contain no power of ten.
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(LogLocator(base=10, subs=()))
    else:
        subs = (1.0, 2.0, 5.0) if decades < 2.2 else (1.0,)
        axis.set_major_locator(LogLocator(base=10, subs=subs, numticks=8))
        axis.set_minor_locator(LogLocator(base=10, subs=tuple(range(1, 10)) if decades < 8 else (1.0,), numticks=100))
    # All labels are powers of ten, or none is.
    plain = bounds[0] >= 1e-4 and bounds[1] <= 1e5
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value) if plain else _power(value)))
    axis.set_minor_formatter(NullFormatter())
