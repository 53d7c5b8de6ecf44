"""Paths of runs through the plane, on contours of the loss."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.database.reading import read_points
from service.database.tables import Job
from service.errors import Rejected
from service.findings.plots.ground import draw_ground, frame
from service.findings.plots.labels import SAMPLE_PIXELS, fits, legend, legend_room, list_beside, room_for
from service.findings.plots.names import short_names
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import set_scale
from service.findings.plots.selection import choose, diverged_epochs, epochs_to_read
from service.findings.plots.style import DARK, LIGHT, LineStyle, Palette, line_styles, new_sheet
from service.spec.job import JobSpec
from service.spec.starts import RandomStarts

Floats = NDArray[np.float64]
# Most paths of one setting; more would hide the contours.
MAX_PATHS = 12
_BOTTOM = 50.0


def draw_paths(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw paths on contours.

    Raises:
        Rejected: The problem does not have two dimensions, or no row is stored yet.
    """
    problem: Any = spec.problem
    if problem.kind not in {"surface", "quadratic"} or problem.dimension != 2:
        what = f"{problem.kind} has {problem.num_parameters} parameters"
        sentence = (
            f"paths need a surface or a quadratic of two dimensions, and {what}; loss and comparison fit every job"
        )
        raise Rejected.at("query", "kind", sentence)
    chosen = choose(session, job, spec, query.labels, max_runs=MAX_PATHS)
    epochs = epochs_to_read(spec, early=True)
    paths, stays = [], []
    for one in chosen.series:
        found = read_points(session, job.key, one.runs, epochs, ["x", "y"])
        paths.append(np.stack([found["x"], found["y"]], axis=-1))
        # Diverged runs do not affect the choice of the region.
        stays.append(paths[-1][np.isinf(diverged_epochs(session, job, one.runs))].reshape(-1, 2))
    every = np.concatenate(stays)
    every = every[np.isfinite(every).all(axis=1)]
    if not any(np.isfinite(path).any() for path in paths):
        raise Rejected("there is nothing to draw yet: none of the selected runs has a position")
    palette = DARK if query.dark else LIGHT
    caption = f"Paths of {chosen.num_runs} runs each" if chosen.num_runs > 1 else "Path of one run each"
    moves = problem.shift_by is not None and (problem.shift_at or 0) <= spec.epochs
    others = ["contours of log loss", "○ start", *(["✛ minimum"] if problem.minima else []), "● end"]
    others += ["drawn where it lies after its shift"] if moves else []
    caption = "; ".join([caption, *filter(None, [chosen.left_out]), *others]) + "."
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    labels = short_names([one.label for one in chosen.series])
    styles = line_styles([one.kind for one in chosen.series], palette)
    direct = fits(sheet, len(labels), _BOTTOM)
    right, above = (room_for(sheet, labels) + SAMPLE_PIXELS, 0.0) if direct else (24.0, legend_room(sheet, labels))
    axes = sheet.axes(left=66.0, right=right, bottom=_BOTTOM, above=above)
    inside = axes.get_window_extent()
    runs = chosen.table.runs
    starts = runs.starts(np.concatenate([one.runs for one in chosen.series]))
    # All starts of a list or a grid are in the picture; of random ones those of the paths.
    around = starts if isinstance(problem.starts, RandomStarts) else runs.starts(np.arange(runs.num_starts))
    x_ends, y_ends = frame(problem, around, every, inside.height / inside.width)
    shift = problem.shift_by if moves else [0.0, 0.0]
    draw_ground(axes, problem, x_ends, y_ends, shift, palette)
    set_scale(axes, "x", (float(x_ends[0]), float(x_ends[1])), log=False)
    set_scale(axes, "y", (float(y_ends[0]), float(y_ends[1])), log=False)
    names = ("x", "y") if problem.kind == "surface" else ("w₁", "w₂")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1], rotation=0, ha="right", va="center")
    for path, style in zip(paths, styles, strict=True):
        _draw(axes, path, style, palette)
    for minimum in problem.minima:
        there = np.asarray(minimum) + np.asarray(shift)
        axes.plot(*there, marker="+", ms=11, mew=1.6, color=palette.ink, zorder=6)
    axes.plot(
        *np.unique(starts, axis=0).T, ls="", marker="o", ms=6, mfc=palette.ground, mec=palette.ink, mew=1.2, zorder=6
    )
    if direct:
        list_beside(axes, sheet, labels, styles)
    else:
        legend(axes, sheet, labels, styles)
    return Picture(sheet, job.name, _words(job, caption, labels, paths))


def _draw(axes: Axes, path_REX: Floats, style: LineStyle, palette: Palette) -> None:
    """Draw the paths of a setting; the path of its first run is thicker."""
    for number, points in enumerate(path_REX):
        known = points[np.isfinite(points).all(axis=1)]
        if not len(known):
            continue
        bold = number == 0
        axes.plot(
            *known.T,
            color=style.colour,
            lw=1.7 if bold else 0.8,
            alpha=1.0 if bold else 0.6,
            ls=style.line if bold else "-",
            zorder=4 if bold else 3,
            path_effects=[withStroke(linewidth=2.8, foreground=palette.ground, alpha=0.5)] if bold else None,
        )
        axes.plot(
            *known[-1], marker="o", ms=5 if bold else 3, color=style.colour, mec=palette.ground, mew=0.8, zorder=5
        )


def _words(job: Job, caption: str, labels: list[str], paths: list[Floats]) -> str:
    ends = []
    for label, path in zip(labels, paths, strict=True):
        known = path[0][np.isfinite(path[0]).all(axis=1)]
        if len(known):
            (x0, y0), (x1, y1) = known[0], known[-1]
            ends.append(f"{label} goes from ({x0:.3g}, {y0:.3g}) to ({x1:.3g}, {y1:.3g})")
    return f"Paths through the plane of {job.name}. {caption} First runs: {'; '.join(ends)}."
