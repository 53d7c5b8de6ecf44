"""Hyper-parameters of entries in words: fixed values, grids, and intervals that are searched."""

from collections.abc import Iterator
from typing import Any

from service.findings.comparison.words import plural
from service.spec.entry import Entry
from service.spec.fields import Interval, Range
from service.spec.optimizers.formula import Formula
from service.spec.schedules import Constant

# Values of a list that are written out.
MAX_LISTED = 6
_SCALES = {"linear": "uniform", "log": "log-uniform", "one_minus_log": "1 − x log-uniform"}
_STEPS = {"linear": "evenly spaced", "log": "in equal ratios", "one_minus_log": "in equal ratios of 1 − x"}


def space_of(entry: Entry) -> str:
    """Write the learning rate and everything that differs from the defaults of the kind."""
    return "; ".join(_parts(entry))


def _parts(entry: Entry) -> Iterator[str]:
    defaults = type(entry).model_fields
    for name, grid in entry.grids().items():
        # The parameters of a formula or of an installed class are no fields of the kind.
        if name == "lr" or name not in defaults or grid != defaults[name].default:
            yield f"{name} {_grid(grid)}"
    if isinstance(entry, Formula):
        yield from (
            f"{name} = {start if start == 'w' else _number(start)} at the start" for name, start in entry.state.items()
        )
        yield from entry.update
    for name, flag in entry.flags().items():
        if name not in defaults or flag != defaults[name].default:
            yield name if flag else f"no {name}"
    for name, limit in entry.clipping().items():
        yield f"{name} {limit:g}"
    for name in ("schedule", "momentum_schedule"):
        schedule = getattr(entry, name)
        if schedule != Constant():
            given = schedule.model_dump(exclude={"kind"}, exclude_defaults=True)
            settings = ", ".join(f"{key} {value}" for key, value in given.items())
            yield f"{name.replace('_', ' ')} {schedule.kind}" + (f" ({settings})" if settings else "")


def _grid(grid: Any) -> str:
    if isinstance(grid, Interval):
        return f"{_SCALES[grid.scale]} in {_number(grid.from_)} to {_number(grid.to)}"
    if isinstance(grid, Range):
        values = f"{_number(grid.from_)} to {_number(grid.to)}"
        return f"{plural(grid.num, 'value')} from {values} {_STEPS[grid.scale]}"
    if isinstance(grid, list):
        shown = ", ".join(map(_number, grid[:MAX_LISTED]))
        return f"in {{{shown}{', …' if len(grid) > MAX_LISTED else ''}}}"
    return _number(grid)


def _number(value: float) -> str:
    return f"{value:.12g}".replace("-", "−")
