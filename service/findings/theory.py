"""Theory of a job: the stability and the predicted rate of each setting, with the measured rate.

The theory is exact if the curvature is constant. On other surfaces it holds near the minimum that the runs reached,
with the Hessian there. Coupled weight decay is part of the loss: it moves the minimum and adds to the curvature. For
networks theory gives only the sharpness above which each setting becomes unstable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.analysis.linear_theory import LinearTheory
from service.analysis.rates import measured_rate
from service.analysis.stability import LINEAR_KINDS
from service.findings.curvature import NO_PENALTY, Penalty, is_quadratic
from service.findings.theory_of_data import data_point
from service.findings.theory_parts import coupled_decay, problem_theory, setting_theory
from service.findings.theory_points import NOWHERE, TheoryPoint, nearest_point
from service.spec.job import JobSpec
from service.spec.models import Linear
from service.spec.problems import Data, Quadratic, Surface
from service.spec.runs import Runs

# Most settings in an answer; a large sweep is not listed completely.
MAX_SETTINGS = 200


@dataclass(frozen=True)
class Reached:
    """The last position of a run and its recorded losses; ``losses[i]`` belongs to ``epochs[i]`` and ``path[i]``.

    Positions are coordinates on the landscape as it was drawn; ``shift`` is its move before the last position.
    """

    index: int
    epochs: Sequence[int] = ()
    losses: Sequence[float] = ()
    position: Sequence[float] | None = None
    path: Sequence[Sequence[float]] | None = None
    shift: Sequence[float] | None = None


def job_theory(spec: JobSpec, reached: Iterable[Reached] = (), known: LinearTheory | None = None) -> dict[str, Any]:
    """Give the theory of a job as a dictionary, with one entry for each of the first ``MAX_SETTINGS`` settings.

    The curvature of a setting is that at the minimum which its first run with a position has reached; without
    positions, that at the minimum near its first start. ``reached`` may contain any runs of the job. ``known`` is what
    a worker has computed of a linear model on data.
    """
    runs = Runs(spec)
    by_setting: dict[int, list[Reached]] = {}
    for one in reached:
        by_setting.setdefault(runs.setting_of(one.index), []).append(one)
    num = min(runs.num_settings, MAX_SETTINGS)
    points = _TheoryPoints(spec, known)
    settings, decays = [], set()
    for number in range(num):
        run = runs[runs.first_run(number)]
        own = by_setting.get(number, [])
        ended = next((one for one in own if one.position is not None), None)
        decay = coupled_decay(run.optimizer)
        decays.add(decay)
        if ended is None:
            point = points.near(run.start, Penalty(decay))
        else:
            shift = ended.shift
            centre = None if shift is None else tuple(-float(value) for value in shift)
            point = points.near(ended.position, Penalty(decay, centre), origin="the end of the first run")
        entry = setting_theory(
            run.optimizer, point, noise=points.noise, batch_size=points.batch_size, accumulate=spec.accumulate
        )
        minimum = None if run.optimizer.get("maximize") else point.position
        if points.has_batches:
            entry["notes"].append("Batches add noise to gradients: the numbers are those of all rows at once.")
        measured = None if points.noise or points.has_batches else _measured(run.optimizer, point, own, entry["notes"])
        settings.append({"label": run.label, "minimum": minimum, **entry, "measured_rate": measured})
    return {
        "exact": points.is_exact,
        "problem": _problem(points, runs[0].start, runs[0].optimizer, decays),
        "settings": settings,
        "settings_total": runs.num_settings,
    }


def _problem(
    points: "_TheoryPoints", start: Sequence[float] | None, optimizer: Mapping[str, Any], decays: set[float]
) -> dict[str, Any]:
    """Give the theory of the problem with the weight decay of the settings, or without if they differ in it."""
    found = problem_theory(points.near(start, Penalty(min(decays)) if len(decays) == 1 else NO_PENALTY))
    if optimizer.get("maximize"):
        return {**problem_theory(NOWHERE), "notes": ["The job maximises the loss; theory is that of minimisation."]}
    if len(decays) > 1:
        found["notes"].append("Settings differ in weight decay: the numbers of the problem are those without it.")
    return found


def _measured(
    optimizer: Mapping[str, Any], point: TheoryPoint, runs: Sequence[Reached], notes: list[str]
) -> float | None:
    """Give the median measured rate of the runs of a setting; appends the reason to ``notes`` if it has no value."""
    if not point.is_minimum or optimizer.get("maximize") or not runs:
        return None
    other_decay = optimizer["kind"] not in LINEAR_KINDS and optimizer.get("weight_decay")
    if other_decay and point.is_pulled:
        notes.append("The rate is not measured, because weight decay moves the point that runs approach.")
        return None
    rates = []
    for run in runs:
        losses, least = np.asarray(run.losses, dtype=np.float64), point.loss
        if point.is_pulled and point.penalty.decay:
            # The recorded loss is not flat at the minimum with weight decay; the loss with its penalty is.
            if run.path is None or point.position is None:
                continue
            losses = losses + [point.penalty.value(position) for position in run.path]
            least += point.penalty.value(point.position)
        rates.append(measured_rate(run.epochs, losses, least))
    known = sorted(rate for rate in rates if rate is not None)
    return known[len(known) // 2] if known else None


class _TheoryPoints:
    """The minima of the problem of a job; each is computed once."""

    def __init__(self, spec: JobSpec, known: LinearTheory | None) -> None:
        self._problem, self._known = spec.problem, known
        self.has_batches = isinstance(spec.problem, Data) and spec.updates_per_epoch > 1
        self.noise = getattr(spec.problem, "noise", 0.0) if isinstance(spec.problem, Surface | Quadratic) else 0.0
        self.batch_size = spec.batch_size if isinstance(spec.batch_size, int) else 1
        if spec.batch_size == "full":
            self.noise = 0.0
        self._found: dict[tuple[tuple[float, ...], Penalty], TheoryPoint] = {}

    @property
    def is_exact(self) -> bool:
        """Whether the curvature is the same everywhere."""
        problem = self._problem
        if isinstance(problem, Data):
            return isinstance(problem.model, Linear) and not problem.is_classification
        return isinstance(problem, Surface | Quadratic) and is_quadratic(problem)

    def near(self, point: Sequence[float] | None, penalty: Penalty, origin: str = "the start") -> TheoryPoint:
        if isinstance(self._problem, Data):
            return data_point(self._problem, self._known, penalty.decay)
        if point is None or not isinstance(self._problem, Surface | Quadratic):
            return NOWHERE
        key = tuple(float(value) for value in point), penalty
        if key not in self._found:
            self._found[key] = nearest_point(self._problem, key[0], penalty, origin=origin)
        return self._found[key]
