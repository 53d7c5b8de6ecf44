"""Heat map over two hyper-parameters."""

import textwrap

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.heat_map import HeatMap, Wanted, read_heat_map
from service.findings.comparison.measured import read_table
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import NOT_LOG, nice_values, short
from service.findings.plots.style import DARK, LIGHT, SMALL, TEXT, Palette, Sheet, new_sheet
from service.spec.job import JobSpec

Floats = NDArray[np.float64]
_QUANTITIES = {"final_loss": "final loss", "epochs_to_target": "epochs to target", "diverged": "share of runs diverged"}
_BOTTOM = 52.0
# Most decades of the colour scale; with more, good settings would have the same colour.
_DECADES = 8


def draw_heatmap(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw a heat map of an entry's grid.

    Raises:
        Rejected: There is no such grid, or no row is stored yet.
    """
    selection = Wanted(query.value, query.label, query.x, query.y, query.target)
    grid = read_heat_map(session, job, spec, read_table(session, job, spec), selection)
    if np.isnan(grid.values).all():
        raise Rejected("there is nothing to draw yet: no run of this grid has rows")
    palette = DARK if query.dark else LIGHT
    quantity = _QUANTITIES[query.value]
    if query.value == "epochs_to_target":
        quantity += f" {short(grid.target or 0.0)}"
    norm = _norm(grid.values, query)
    caption = _caption(grid, query, quantity, norm)
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    axes = sheet.axes(left=78.0, right=112.0, bottom=_BOTTOM)
    _draw_cells(axes, grid, norm, palette)
    _ticks(axes, grid)
    axes.set_xlabel(_named(grid.x_name))
    axes.set_ylabel(_named(grid.y_name))
    _colour_bar(sheet, norm, quantity, has_lost=bool(np.isinf(grid.values).any()), value=query.value)
    best = _mark_best(axes, grid, query, palette)
    return Picture(sheet, job.name, f"Heat map of {job.name}: {caption} {best}".strip())


def _caption(grid: HeatMap, query: PlotQuery, quantity: str, norm: Normalize) -> str:
    runs = f"median of {grid.num_runs} runs" if grid.num_runs > 1 else "one run each"
    runs = f"of {grid.num_runs} runs" if query.value == "diverged" else runs
    best = f"; the best over {', '.join(grid.others)}" if grid.others else ""
    finite, end = grid.values[np.isfinite(grid.values)], float(norm.vmax or 1.0)
    clipped = f"; colours end at {short(float(f'{end:.2g}'))}" if finite.size and finite.max() > end * 1.01 else ""
    not_log = f" {NOT_LOG}" if query.log and query.value != "diverged" and not isinstance(norm, LogNorm) else ""
    return f"{grid.label}: {quantity} over {grid.x_name} and {grid.y_name}, {runs}{best}{clipped}.{not_log}"


def _norm(values: Floats, query: PlotQuery) -> Normalize:
    finite = values[np.isfinite(values)]
    if query.value == "diverged":
        return Normalize(0.0, 1.0)
    if not finite.size:
        return Normalize(0.0, 1.0)
    low, high = float(finite.min()), _highest(finite)
    is_log = (query.value == "final_loss" and low > 0) if query.log is None else query.log and low > 0
    if is_log:
        return LogNorm(max(low, high / 10.0**_DECADES), max(high, low * 1.001), clip=True)
    return Normalize(low, max(high, low + 1e-12), clip=True)


def _highest(finite: Floats) -> float:
    """Choose the upper end of the colours, so that a few settings near divergence do not give all others one colour."""
    usual = float(np.quantile(finite, 0.9))
    return min(float(finite.max()), 3.0 * usual) if usual > 0 else float(finite.max())


def _draw_cells(axes: Axes, grid: HeatMap, norm: Normalize, palette: Palette) -> None:
    """Draw one cell per setting, all of equal size; the ticks have the values."""
    height, width = grid.values.shape
    cells = np.ma.masked_invalid(grid.values)
    # viridis is perceptually uniform and monotonic in grey; dark means good on light and dark backgrounds.
    axes.pcolormesh(
        np.arange(width + 1) - 0.5,
        np.arange(height + 1) - 0.5,
        cells,
        cmap=colormaps["viridis"],
        norm=norm,
        edgecolor=palette.ground,
        linewidth=0.6 if width * height < 2_000 else 0.0,
    )
    lost = np.where(np.isinf(grid.values), 1.0, np.nan)
    if np.isfinite(lost).any():
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        marked = np.isfinite(lost)
        size = float(np.clip(0.32 * axes.get_window_extent().width / width, 2.0, 7.0))
        axes.plot(x[marked], y[marked], ls="", marker="x", ms=size, mew=0.8, color=palette.quiet)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(-0.5, height - 0.5)


def _ticks(axes: Axes, grid: HeatMap) -> None:
    """Write as many values beside the cells as fit."""
    extent = axes.get_window_extent()
    for which, values, pixels, each in (("x", grid.x, extent.width, 62.0), ("y", grid.y, extent.height, 24.0)):
        step = max(1, int(np.ceil(len(values) * each / pixels)))
        places = np.arange(0, len(values), step)
        names = [short(float(f"{values[at]:.3g}")) for at in places]
        if which == "x":
            axes.set_xticks(places, names)
        else:
            axes.set_yticks(places, names)
    axes.tick_params(length=0)


def _colour_bar(sheet: Sheet, norm: Normalize, quantity: str, *, has_lost: bool, value: str) -> None:
    palette, left = sheet.palette, sheet.width - 96.0
    foot = _BOTTOM + (26.0 if has_lost else 0.0)
    tall = sheet.height - sheet.top - foot - 26.0  # Below the two lines of its name.
    box = (left / sheet.width, foot / sheet.height, 12 / sheet.width, tall / sheet.height)
    axes = sheet.figure.add_axes(box)
    shades = np.linspace(0.0, 1.0, 256)[:, None]
    axes.imshow(shades, aspect="auto", origin="lower", cmap=colormaps["viridis"], extent=(0, 1, 0, 1))
    if isinstance(norm, LogNorm):
        values = nice_values(float(norm.vmin or 1.0), float(norm.vmax or 1.0))
    else:
        low, high = float(norm.vmin or 0.0), float(norm.vmax or 1.0)
        values = np.array(MaxNLocator(5).tick_values(low, high))
        values = values[(values >= low) & (values <= high)]
    axes.set_xticks([])
    axes.set_yticks([float(norm(one)) for one in values], [short(float(f"{one:.2g}")) for one in values])
    axes.yaxis.tick_right()
    axes.tick_params(colors=palette.quiet, labelsize=SMALL, length=2, width=0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title("\n".join(textwrap.wrap(quantity, 17)), fontsize=SMALL, color=palette.ink, loc="left", pad=5, x=0.0)
    if has_lost:
        sheet.figure.text(
            (left + 1) / sheet.width,
            (_BOTTOM + 4) / sheet.height,
            "×  missed" if value == "epochs_to_target" else "×  diverged",
            fontsize=SMALL,
            color=palette.quiet,
        )


def _mark_best(axes: Axes, grid: HeatMap, query: PlotQuery, palette: Palette) -> str:
    """Mark the best cell with a ring, and describe it in words."""
    if query.value == "diverged" or not np.isfinite(grid.values).any():
        return ""
    row, column = np.unravel_index(
        int(np.where(np.isnan(grid.values), np.inf, grid.values).argmin()), grid.values.shape
    )
    axes.plot(column, row, marker="o", ms=9, mfc="none", mec=palette.ground, mew=2.6)
    axes.plot(column, row, marker="o", ms=9, mfc="none", mec=palette.ink, mew=1.3)
    value, x, y = (short(float(f"{one:.3g}")) for one in (grid.values[row, column], grid.x[column], grid.y[row]))
    right = column < grid.values.shape[1] / 2
    axes.annotate(
        value,
        (column, row),
        xytext=(9 if right else -9, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=TEXT,
        color="#ffffff",
        weight="bold",
    )
    return f"The best is {value} at {grid.x_name} {x}, {grid.y_name} {y}."


def _named(hyper_parameter: str) -> str:
    known = {"lr": "learning rate", "beta1": "β₁", "beta2": "β₂", "eps": "ε"}
    return known.get(hyper_parameter, hyper_parameter.replace("_", " "))
