"""What does theory say of a job: is each setting stable, how fast should it be, and how fast was it?

Exact where the curvature is constant. On other surfaces it holds near the minimum that the runs reached, whose Hessian
stands for the surface there. Of networks only the sharpness is known at which each setting would become unstable.
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

# What a page or a person reads; a sweep of a million settings is not listed.
MAX_SETTINGS = 200


@dataclass(frozen=True)
class Reached:
    """Where a run is by now, and how its loss went; ``losses[i]`` is that of ``epochs[i]``."""

    index: int
    epochs: Sequence[int] = ()
    losses: Sequence[float] = ()
    position: Sequence[float] | None = field(default=None)


def job_theory(spec: JobSpec, reached: Iterable[Reached] = ()) -> dict[str, Any]:
    """Give the theory of a job as a plain structure, one entry for each setting (the first ``MAX_SETTINGS``).

    A setting is judged at the minimum that its first run with a position has reached, or, where none has one,
    at the minimum nearest to its first start. ``reached`` may hold any runs of the job, or none.
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
    """A minimum, or the point that stands for one: its curvatures, the smallest first, and the loss there."""

    position: list[float] | None
    eigenvalues: list[float] | None
    value: float = 0.0


def problem_theory(point: TheoryPoint) -> dict[str, Any]:
    """Give what the curvatures of a minimum allow: the condition number, and the best settings of each method."""
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
    """Give what theory says of one setting where the curvatures are known, and its sharpness ceiling in any case.

    ``null`` where theory has no word: a method that is not linear, a rate that a schedule changes, no curvatures.
    """
    kind, lr = optimizer["kind"], float(optimizer["lr"])
    told: dict[str, Any] = dict.fromkeys(
        ("lr_limit", "inside", "rate", "oscillates", "critical_momentum", "stationary_loss")
    )
    told = {"kind": kind, "lr": lr, "sharpness_ceiling": stability.sharpness_ceiling(kind, optimizer), **told}
    method = stability.linear_method(kind, optimizer)
    if method is None or not eigenvalues or _changes(optimizer):
        return told
    decay = float(optimizer.get("weight_decay", 0.0))
    curvatures = [value + decay for value in eigenvalues]
    limit = method.lr_limit(curvatures[-1])
    told["lr_limit"] = limit
    told["inside"] = curvatures[0] > 0 and lr < limit
    told["rate"] = method.rate(lr, curvatures)
    told["oscillates"] = any(method.oscillates(lr * value) for value in curvatures)
    # The slowest direction decides how fast a run is, so its critical momentum is the one worth choosing.
    told["critical_momentum"] = stability.critical_momentum(kind, lr * curvatures[0]) if curvatures[0] > 0 else None
    if noise and told["inside"]:
        told["stationary_loss"] = method.stationary_loss(lr, curvatures, noise, batch_size)
    return told


class _TheoryPoints:
    """The minima of a job's problem, each looked for once."""

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
    """Give the minimum that descent from a point leads to, or the point itself where it leads to none."""
    minimum = minimum_near(problem, point)
    if minimum is None:
        return TheoryPoint(None, eigenvalues_at(problem, point))
    position, value = minimum
    return TheoryPoint(position, eigenvalues_at(problem, position), value)


def _changes(optimizer: Mapping[str, Any]) -> bool:
    """Whether a schedule or a limit of the gradient makes the iteration another one than theory's."""
    schedules = (optimizer.get("schedule"), optimizer.get("momentum_schedule"))
    scheduled = any(one and (one["kind"] != "constant" or one["warmup_steps"]) for one in schedules)
    clipped = any(optimizer.get(name) is not None for name in ("clip_norm", "clip_value"))
    return bool(scheduled or clipped or optimizer.get("maximize"))
