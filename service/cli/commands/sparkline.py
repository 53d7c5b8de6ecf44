"""Curves of losses as text, for a cell of a table."""

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
COLUMNS = 24
# Losses are limited to this range: lower ones are rounding errors, higher ones have diverged.
_LOWEST, _HIGHEST = 1e-12, 1e12


def evenly(epochs: Sequence[int], values: Sequence[float], last: int, columns: int = COLUMNS) -> list[float]:
    """Sample a curve at evenly spaced epochs from 0 to ``last``, up to its last row."""
    found, at = [], 0
    for column in range(columns):
        epoch = last * column / (columns - 1)
        while at + 1 < len(epochs) and epochs[at + 1] <= epoch:
            at += 1
        if not epochs or epoch > epochs[-1]:
            break
        found.append(values[at])
    return found


def sparkline(losses: Sequence[float], low: float, high: float) -> str:
    """Draw one bar per loss, between ``low`` and ``high`` on a logarithmic scale; NaN has the largest height."""
    full = (_log(high) - _log(low)) or 1.0
    heights = ((min(max(_log(loss) - _log(low), 0.0) / full, 1.0)) for loss in losses)
    return "".join(BARS[round(height * (len(BARS) - 1))] for height in heights)


def _log(loss: float) -> float:
    return math.log10(_HIGHEST if math.isnan(loss) else min(max(loss, _LOWEST), _HIGHEST))
