"""Background of a plot of paths: choice of the region of the plane, and contours of the loss."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps  # noqa: F401  (registers the colour maps of contourf before threads use them)
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from service.findings.contours import loss_at
from service.findings.plots.style import Palette
from service.spec.problems.quadratic import Quadratic
from service.spec.problems.surface import Surface

Floats = NDArray[np.float64]
_RESOLUTION = 160
_LEVELS = 16
# Lowest contour above the minimum, as a share of the range of the loss.
_FLOOR = 1e-4


def frame(problem: Surface | Quadratic, starts: Floats, points: Floats, aspect: float) -> tuple[Floats, Floats]:
    """Choose the region of the plane: its ends along x and along y.

    Args:
        problem: Its minima are inside the region, unless they are far from all paths.
        starts: Points inside the region, [S, 2].
        points: Finite points of the paths, [P, 2].
        aspect: Height of the axes over their width.
    """
    fixed = np.concatenate([starts, np.array(problem.minima, dtype=np.float64).reshape(-1, 2)])
    middle, reach = np.median(starts, axis=0), np.ptp(fixed, axis=0).max() or 1.0
    # Points far outside are ignored: those of diverging paths.
    near = points[(np.abs(points - middle) <= 2.0 * reach).all(axis=1)]
    around = np.concatenate([starts, near]) if len(near) else fixed
    low, high = around.min(axis=0), around.max(axis=0)
    span = np.maximum(high - low, 0.04 * max(float((high - low).max()), 1e-9))
    for minimum in problem.minima:
        # A minimum is included if it is nearer to the paths than 0.6 of their extent.
        if (np.abs(np.array(minimum) - np.clip(minimum, low, high)) <= 0.6 * span.max()).all():
            low, high = np.minimum(low, minimum), np.maximum(high, minimum)
    span = np.maximum(high - low, 1e-9)
    # The ratio of the sides is at most 3; otherwise the region around a path along an axis would be a narrow strip.
    least = np.array([span[1] / 3 / aspect, span[0] / 3 * aspect])
    room = np.maximum(span, least) * 0.58
    centre = (low + high) / 2
    return np.array([centre[0] - room[0], centre[0] + room[0]]), np.array([centre[1] - room[1], centre[1] + room[1]])


def draw_ground(
    axes: Axes, problem: Surface | Quadratic, x_ends: Floats, y_ends: Floats, shift: Sequence[float], palette: Palette
) -> None:
    """Draw contours of the loss above its lowest value in the region, evenly spaced on a logarithmic scale."""
    x, y = np.meshgrid(*(np.linspace(ends[0], ends[1], _RESOLUTION) for ends in (x_ends, y_ends)))
    loss = loss_at(problem, x - shift[0], y - shift[1])
    finite = np.isfinite(loss)
    if not finite.any():
        return
    minima = [np.array(minimum) for minimum in problem.minima]
    lowest = float(loss[finite].min())
    for minimum in minima:
        lowest = min(lowest, float(loss_at(problem, minimum[:1], minimum[1:])[0]))
    above = np.where(finite, loss - lowest, np.nan)
    highest = float(np.nanpercentile(above, 99.5)) or 1.0
    height = np.log10(np.clip(above, highest * _FLOOR, None))
    levels = np.linspace(np.log10(highest * _FLOOR), np.log10(highest), _LEVELS)
    colours = LinearSegmentedColormap.from_list("ground", [palette.high, palette.low])
    masked = np.ma.masked_invalid(height)
    axes.contourf(x, y, masked, levels=levels, cmap=colours, extend="both", zorder=0)
    axes.contour(x, y, masked, levels=levels, colors=palette.quiet, linewidths=0.35, alpha=0.55, zorder=1)
