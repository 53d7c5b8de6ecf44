"""Theory of a job: the stability and the predicted rate of each setting, with the measured rate.

The theory is exact if the curvature is constant. On other surfaces it holds near the minimum that the runs reached,
with the Hessian there. For networks it gives only the sharpness above which each setting becomes unstable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.analysis import stability
from service.analysis.rates import measured_rate
from service.findings.curvature import eigenvalues_at, is_quadratic, minimum_near
from service.spec.job import JobSpec
from service.spec.problems import Quadratic, Surface
from service.spec.runs import Runs

# Most settings in an answer; a large sweep is not listed completely.
MAX_SETTINGS = 200


@dataclass(frozen=True)
class Reached:
    """The last position of a run and its recorded losses; ``losses[i]`` belongs to ``epochs[i]``."""

    index: int
    epochs: Sequence[int] = ()
    losses: Sequence[float] = ()
    position: Sequence[float] | None = field(default=None)


def job_theory(spec: JobSpec, reached: Iterable[Reached] = ()) -> dict[str, Any]:
    """Give the theory of a job as a dictionary, with one entry for each of the first ``MAX_SETTINGS`` settings.

    The curvature of a setting is that at the minimum which its first run with a position has reached; without
    positions, that at the minimum near its first start. ``reached`` may contain any runs of the job.
    """
    runs = Runs(spec)
    by_setting: dict[int, list[Reached]] = {}
    for one in reached:
        by_setting.setdefault(one.index // runs.per_setting, []).append(one)
    num = min(len(runs) // runs.per_setting, MAX_SETTINGS)
    points = _TheoryPoints(spec)
    settings = []
    for number in range(num):
        run = runs[number * runs.per_setting]
        own = by_setting.get(number, [])
        ends = [one.position for one in own if one.position is not None]
        point = points.near(ends[0] if ends else run.start)
        rates = [rate for one in own if (rate := measured_rate(one.epochs, one.losses, point.value)) is not None]
        entry = setting_theory(run.optimizer, point.eigenvalues, noise=points.noise, batch_size=points.batch_size)
        measured = sorted(rates)[len(rates) // 2] if rates and not points.noise else None
        settings.append({"label": run.label, "minimum": point.position, **entry, "measured_rate": measured})
    return {
        "exact": isinstance(spec.problem, Surface | Quadratic) and is_quadratic(spec.problem),
        "problem": problem_theory(points.near(runs[0].start)),
        "settings": settings,
        "settings_total": len(runs) // runs.per_setting,
    }


@dataclass(frozen=True)
class TheoryPoint:
    """A minimum, or the point used in its place: its curvatures, smallest first, and the loss there."""

    position: list[float] | None
    eigenvalues: list[float] | None
    value: float = 0.0


def problem_theory(point: TheoryPoint) -> dict[str, Any]:
    """Give the condition number at a minimum, and the best setting of each method."""
    if not point.eigenvalues:
        return {"minimum": None, "smallest": None, "largest": None, "condition_number": None, "best": []}
    smallest, largest = point.eigenvalues[0], point.eigenvalues[-1]
    best = []
    if smallest > 0:
        for kind in stability.LINEAR_KINDS:
            if found := stability.best_settings(kind, smallest, largest):
                best.append({"kind": kind, "lr": found.lr, "momentum": found.momentum, "rate": found.rate})
    return {
        "minimum": point.position,
        "smallest": smallest,
        "largest": largest,
        "condition_number": largest / smallest if smallest > 0 else None,
        "best": best,
    }


def setting_theory(
    optimizer: Mapping[str, Any], eigenvalues: Sequence[float] | None, *, noise: float = 0.0, batch_size: int = 1
) -> dict[str, Any]:
    """Give the theory of one setting: always its sharpness ceiling, and the rest if the curvatures are known.

    Values are None if there is no formula: the method is not linear, a schedule changes the learning rate, or the
    curvatures are unknown.
    """
    kind, lr = optimizer["kind"], float(optimizer["lr"])
    found: dict[str, Any] = dict.fromkeys(
        ("lr_limit", "inside", "rate", "oscillates", "critical_momentum", "stationary_loss")
    )
    found = {"kind": kind, "lr": lr, "sharpness_ceiling": stability.sharpness_ceiling(kind, optimizer), **found}
    method = stability.linear_method(kind, optimizer)
    if method is None or not eigenvalues or _changes(optimizer):
        return found
    decay = float(optimizer.get("weight_decay", 0.0))
    curvatures = [value + decay for value in eigenvalues]
    limit = method.lr_limit(curvatures[-1])
    found["lr_limit"] = limit
    found["inside"] = curvatures[0] > 0 and lr < limit
    found["rate"] = method.rate(lr, curvatures)
    found["oscillates"] = any(method.oscillates(lr * value) for value in curvatures)
    # That of the slowest direction, which determines the rate of the run.
    found["critical_momentum"] = stability.critical_momentum(kind, lr * curvatures[0]) if curvatures[0] > 0 else None
    if noise and found["inside"]:
        found["stationary_loss"] = method.stationary_loss(lr, curvatures, noise, batch_size)
    return found


class _TheoryPoints:
    """The minima of the problem of a job; each is computed once."""

    def __init__(self, spec: JobSpec) -> None:
        self._problem = spec.problem
        self.noise = getattr(spec.problem, "noise", 0.0) if isinstance(spec.problem, Surface | Quadratic) else 0.0
        self.batch_size = spec.batch_size if isinstance(spec.batch_size, int) else 1
        if spec.batch_size == "full":
            self.noise = 0.0
        self._found: dict[tuple[float, ...], TheoryPoint] = {}

    def near(self, point: Sequence[float] | None) -> TheoryPoint:
        if point is None or not isinstance(self._problem, Surface | Quadratic):
            return TheoryPoint(None, None)
        key = tuple(float(value) for value in point)
        if key not in self._found:
            self._found[key] = nearest_point(self._problem, key)
        return self._found[key]


def nearest_point(problem: Surface | Quadratic, point: Sequence[float]) -> TheoryPoint:
    """Give the minimum that descent from a point reaches, or the point itself if it reaches none."""
    minimum = minimum_near(problem, point)
    if minimum is None:
        return TheoryPoint(None, eigenvalues_at(problem, point))
    position, value = minimum
    return TheoryPoint(position, eigenvalues_at(problem, position), value)


def _changes(optimizer: Mapping[str, Any]) -> bool:
    """Whether a schedule, clipping or maximisation changes the iteration, so that the theory does not apply."""
    schedules = (optimizer.get("schedule"), optimizer.get("momentum_schedule"))
    scheduled = any(one and (one["kind"] != "constant" or one["warmup_steps"]) for one in schedules)
    clipped = any(optimizer.get(name) is not None for name in ("clip_norm", "clip_value"))
    return bool(scheduled or clipped or optimizer.get("maximize"))
