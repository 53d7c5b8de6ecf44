"""Translation of runs of a spec into a plan of the engine; with worker/data/ the only place that uses both."""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from service.analysis.linear_theory import LinearTheory
from service.spec.datasets.table import Table
from service.spec.job import JobSpec
from service.spec.optimizers.formula import Formula as SpecFormula
from service.spec.plugin import Plugin as SpecPlugin
from service.spec.problems import Data, Digits, FlipNet, Playground, Quadratic, Surface
from service.spec.runs import Runs
from service.spec.schedules import Schedule as SpecSchedule
from worker.data.digits import digits
from worker.data.problem import data_problem
from worker.engine.optimizers.formula import PARAMETER, Formula
from worker.engine.problems import flipnet, playground, quadratic, surface
from worker.engine.protocols import Problem, Shift
from worker.engine.stack.groups import OptimizerRuns, group_runs
from worker.engine.stack.plan import Plan
from worker.engine.stack.schedule import Schedule
from worker.engine.updates.graph import Graph
from worker.plugins.installed import Kinds
from worker.plugins.runs import plugin_runs


def plan(
    spec: JobSpec,
    first_run: int,
    num_runs: int,
    chosen: Sequence[int] | None = None,
    kinds: Kinds = MappingProxyType({}),
    table: Table | None = None,
    theory: LinearTheory | None = None,
) -> Plan:
    """Plan runs ``first_run`` to ``first_run + num_runs − 1`` of a job; ``chosen`` as in ``Runs``.

    Args:
        kinds: The installed classes of this process.
        table: The dataset of a problem on data.
        theory: What is known of a linear model on it; without it there is no distance to the minimum.

    Raises:
        MissingKind: The job has a kind that is not installed here, or whose class has other hyper-parameters.
    """
    runs = Runs(spec, chosen=chosen)
    index_R = np.arange(first_run, first_run + num_runs)
    setting_R, seed_R, start_R = runs.layout.places(index_R)
    all_runs = []
    for first, settings in zip(runs.firsts, runs.entries, strict=False):
        inside_R = np.flatnonzero((setting_R >= first) & (setting_R < first + settings.num))
        if len(inside_R):
            fixed = {**settings.entry.flags(), **settings.entry.clipping()}
            schedules = _schedule(settings.entry.schedule, spec), _schedule(settings.entry.momentum_schedule, spec)
            columns = settings.columns(setting_R[inside_R] - first)
            if isinstance(settings.entry, SpecPlugin):
                pieces = plugin_runs(kinds, settings.entry, columns)
                all_runs += [
                    OptimizerRuns(
                        settings.entry.kind,
                        inside_R[of_piece_R],
                        {**fixed, **{name: column[of_piece_R] for name, column in columns.items()}},
                        schedules,
                        plugin,
                    )
                    for of_piece_R, plugin in pieces
                ]
                continue
            rule = formula_of(settings.entry) if isinstance(settings.entry, SpecFormula) else None
            if rule is not None:
                columns = {name if name == "lr" else PARAMETER + name: column for name, column in columns.items()}
            all_runs.append(OptimizerRuns(settings.entry.kind, inside_R, {**fixed, **columns}, schedules, rule))
    return Plan(
        problem=_problem(spec, runs.seeds(seed_R), start_R, table, theory),
        groups=group_runs(all_runs),
        epochs=spec.epochs,
        record_every=spec.record_every,
        accumulate=spec.accumulate,
        dtype=spec.dtype,
        measure=tuple(spec.measure),
    )


def formula_of(entry: SpecFormula) -> Formula:
    """Translate the update rule of an entry."""
    graph = entry.rule.graph
    states = tuple((name, "weights" if start == "w" else start) for name, start in entry.state.items())
    return Formula(Graph(graph.nodes, graph.outputs), states, tuple(entry.parameters), entry.momentum)


def _schedule(schedule: SpecSchedule, spec: JobSpec) -> Schedule:
    num_steps = spec.epochs if schedule.per == "epoch" else spec.epochs * spec.updates_per_epoch
    parameters = tuple(schedule.parameters(num_steps).items())
    return Schedule(schedule.kind, parameters, schedule.per, **schedule.warmup(num_steps))


def _problem(
    spec: JobSpec,
    seeds_R: NDArray[np.int64],
    start_R: NDArray[np.int64],
    table: Table | None,
    theory: LinearTheory | None,
) -> Problem:
    match spec.problem:
        case FlipNet():
            return flipnet.FlipNet(seeds_R, spec.batch_size, spec.shuffle)
        case Surface() as given:
            return surface.Surface(
                given.landscape,
                given.points(seeds_R, start_R),
                seeds_R,
                noise=given.noise,
                batch_size=spec.batch_size,
                minima=given.minima,
                shift=_shift(given),
            )
        case Quadratic() as given:
            return quadratic.Quadratic(
                np.array(given.eigenvalues),
                given.points(seeds_R, start_R),
                seeds_R,
                angle=given.angle,
                noise=given.noise,
                batch_size=spec.batch_size,
                shift=_shift(given),
            )
        case Digits() as given:
            return digits(
                seeds_R,
                model=given.model,
                hidden=given.hidden,
                batch_size=spec.batch_size,
                shuffle=spec.shuffle,
                train_size=given.train_size,
                label_noise=given.label_noise,
                augment=given.augment,
            )
        case Data() as given:
            if table is None:
                raise ValueError("a problem on data needs its table")
            return data_problem(spec, given, table, seeds_R, theory)
        case Playground() as given:
            return playground.Playground(
                seeds_R,
                dataset=given.dataset,
                noise=given.noise,
                size=given.size,
                test_size=given.test_size,
                data_seed=given.data_seed,
                widths=tuple(given.widths),
                activation=given.activation,
                features=tuple(given.features),
                l1=given.l1,
                l2=given.l2,
                batch_size=spec.batch_size,
                shuffle=spec.shuffle,
            )


def _shift(given: Surface | Quadratic) -> Shift | None:
    return Shift(given.shift_at, np.array(given.shift_by)) if given.shift_at is not None else None
