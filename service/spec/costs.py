"""Seconds of training, estimated from the operations that a spec makes: those of a shard, and those of each run.

An operation on arrays takes a fixed time, and a time for each of its numbers. The constants are for one busy core; an
idle one needs about half. `make bench ARGS=price` compares estimates with measured times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from service.spec.entry import Entry
from service.spec.entry_settings import num_settings
from service.spec.formulas.program import Program
from service.spec.job import JobSpec
from service.spec.optimizers.formula import Formula
from service.spec.plugin import Plugin
from service.spec.problems import Data, Quadratic, Surface
from service.spec.seeds import SeedRange

# Claim, plan, and the last transaction of a shard.
SECONDS_PER_SHARD = 0.05
# Gradient and loop of one micro-batch, and the end of an epoch.
SECONDS_PER_BATCH = 1e-4
SECONDS_PER_EPOCH = 3e-5
# An operation of a compiled formula, and an addition of one number to which its cost refers.
SECONDS_PER_OPERATION, SECONDS_PER_ADDITION = 4e-6, 2e-9
# The update of one group of runs: fixed, and for each parameter of a run.
SECONDS_PER_UPDATE = (5e-5, 3e-9)
# An operation of an update rule on matrices.
SECONDS_PER_STEP = 1e-5
# A step of an installed class, whatever the number of runs: one for each setting, or for each run.
SECONDS_PER_OBJECT = 6e-4
# Of methods with more operations: products of matrices, or sums over each tensor.
SECONDS_OF_UPDATES = {
    "muon": (5e-4, 4e-8),
    "adafactor": (5e-4, 1e-8),
    "lamb": (3e-4, 8e-9),
    "lars": (3e-4, 8e-9),
    "rprop": (1.5e-4, 1e-8),
    "schedule_free_adamw": (2e-4, 6e-9),
}
# A normal number of the gradient noise, drawn for each distinct seed.
SECONDS_PER_NORMAL = 6e-8
# The measurement of a row: fixed, and for each run, with its storage.
SECONDS_PER_MEASUREMENT, SECONDS_PER_ROW = 1.5e-4, 8e-6
# A value of the forward pass of a network, with its slope; and, of wide layers, a multiplication with its two slopes.
SECONDS_PER_VALUE, SECONDS_PER_MULTIPLICATION = 2e-8, 3e-10
# Passes over the data for a row: losses of all examples and of the test data, without slopes.
PASSES_PER_ROW = 0.4
PASSES_OF_MEASURES = {"noise_scale": 2.0, "gradient_variance": 2.0, "alpha": 1.0}
# The Lanczos method for one sharpness of a network: products of the Hessian, each two passes with slopes in chunks.
LANCZOS_STEPS, PASSES_PER_STEP, SECONDS_PER_PRODUCT = 30, 0.7, 1.3e-3
# Examples of one evaluation of a network; more would not fit the cache.
CHUNK = 64


@dataclass(frozen=True)
class Seconds:
    """Time of a shard whatever the number of its runs, and time of each run in it."""

    shard: float = 0.0
    run: float = 0.0

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.shard + other.shard, self.run + other.run)

    def __mul__(self, times: float) -> "Seconds":
        return Seconds(self.shard * times, self.run * times)


def training_seconds(spec: JobSpec, distinct_seeds: float) -> Seconds:
    """Estimate the time of a shard with all its epochs; ``distinct_seeds`` is the share of runs with other seeds."""
    updates = spec.epochs * spec.updates_per_epoch
    return (
        Seconds(shard=SECONDS_PER_SHARD)
        + _gradient(spec, distinct_seeds) * (updates * spec.accumulate)
        + _update(spec, distinct_seeds) * updates
        + Seconds(shard=SECONDS_PER_EPOCH) * spec.epochs
        + (Seconds(SECONDS_PER_MEASUREMENT, SECONDS_PER_ROW) + _measures(spec)) * spec.rows_per_run
        + Seconds(run=_pass(spec)) * (spec.epochs + PASSES_PER_ROW * spec.rows_per_run)
    )


def _gradient(spec: JobSpec, distinct_seeds: float) -> Seconds:
    """Estimate one micro-batch; the values of networks are counted by passes over the data."""
    problem = spec.problem
    seconds = Seconds(shard=SECONDS_PER_BATCH)
    if isinstance(problem, Surface):
        seconds += _program(problem.landscape.compile(("value", *problem.landscape.variables)))
    if isinstance(problem, Surface | Quadratic) and problem.noise > 0 and spec.batch_size != "full":
        seconds += Seconds(run=SECONDS_PER_NORMAL * problem.num_parameters * distinct_seeds)
    return seconds


def _update(spec: JobSpec, distinct_seeds: float) -> Seconds:
    """Estimate one update: each kind and each formula is a group; a run has the mean of all settings."""
    costs = [_of_entry(entry, distinct_seeds) for entry in spec.optimizers]
    groups = {
        str(getattr(entry, "update", entry.kind)): cost for entry, cost in zip(spec.optimizers, costs, strict=True)
    }
    settings = [num_settings(entry, spec.search) for entry in spec.optimizers]
    each = _mean([cost.run for cost in costs], settings)
    objects = _mean([_objects_per_run(spec, entry) for entry in spec.optimizers], settings)
    run = spec.problem.num_parameters * each + SECONDS_PER_OBJECT * objects
    return Seconds(sum(cost.shard for cost in groups.values()), run)


def _objects_per_run(spec: JobSpec, entry: Entry) -> float:
    """Count the optimizers of an installed class for each run."""
    if not isinstance(entry, Plugin):
        return 0.0
    num_seeds = spec.seeds.count if isinstance(spec.seeds, SeedRange) else len(spec.seeds)
    return 1.0 if entry.run_by_run else 1.0 / (num_seeds * spec.problem.num_starts)


def _of_entry(entry: Entry, distinct_seeds: float) -> Seconds:
    """Estimate one update of one parameter."""
    if not isinstance(entry, Formula):
        return Seconds(*SECONDS_OF_UPDATES.get(entry.kind, SECONDS_PER_UPDATE))
    load = entry.rule.load
    normal = SECONDS_PER_NORMAL * distinct_seeds * entry.rule.is_random
    fixed = SECONDS_PER_UPDATE[0] + SECONDS_PER_STEP * load.operations
    return Seconds(fixed, SECONDS_PER_ADDITION * load.additions + normal)


def _measures(spec: JobSpec) -> Seconds:
    """Estimate the extra fields of one row."""
    seconds = Seconds(run=_pass(spec)) * sum(PASSES_OF_MEASURES.get(name, 0.0) for name in spec.measure)
    if "sharpness" not in spec.measure:
        return seconds
    problem = spec.problem
    if isinstance(problem, Surface):
        return seconds + _program(problem.landscape.compile(_curvatures(problem)))
    if problem.num_examples is None:
        return seconds
    steps = min(problem.num_parameters, LANCZOS_STEPS)
    chunks = -(-problem.num_examples // CHUNK)
    return seconds + Seconds(chunks * SECONDS_PER_PRODUCT, PASSES_PER_STEP * _pass(spec)) * steps


def _curvatures(problem: Surface) -> tuple[str, ...]:
    return ("xx", "xy", "yy") if problem.dimension == 2 else ("xx",)


def _pass(spec: JobSpec) -> float:
    """Estimate one pass over the data, for one run."""
    problem = spec.problem
    each = problem.numbers_per_example * SECONDS_PER_VALUE
    if isinstance(problem, Data):
        each += problem.model.products_per_example(problem.sizes) * SECONDS_PER_MULTIPLICATION
    return (problem.num_examples or 0) * each


def _program(program: Program) -> Seconds:
    return Seconds(SECONDS_PER_OPERATION * len(program), SECONDS_PER_ADDITION * program.cost)


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
