"""The price of a job, computed from its spec: runs, epochs, updates, rows, memory, time, and its shards."""

import math
from dataclasses import dataclass

from service.spec.costs import CHUNK, Seconds, training_seconds
from service.spec.entry_settings import num_settings
from service.spec.job import JobSpec
from service.spec.optimizers.formula import Formula
from service.spec.plugin import Plugin
from service.spec.problems import Data
from service.spec.seeds import SeedRange

# Numbers of the weight matrix of a shard: about one block of the trainer in float32. With fewer runs, the fixed cost of
# an operation dominates: on one core, 48 digits networks train a quarter faster each than 16 do.
MATRIX_NUMBERS = 160_000
MAX_SHARD_RUNS = 8_192
# The number of runs is a multiple of the widest vector of the processor, so that no vector is partly used.
LANES = 16

# Largest size of the matrices and activations of a shard, of the 1.5 GB of a worker: 0.5 GB is for Python, torch and
# rows. A shard has as many runs as fit; a job is rejected if one of its runs does not fit.
MAX_SHARD_BYTES = 1024**3
# Matrices [D, R] in memory at once: weights, their start and those before the epoch, the gradient and a part of it, up
# to four matrices of state of the optimizer, and the results that replace them.
MATRICES = 12
# Further ones of an installed class, and the objects of the optimizer of a run.
MATRICES_OF_OBJECTS, BYTES_OF_OBJECTS = 8, 65_536
# Copies of the values of a forward pass in memory at once: the values, their slopes, and intermediate results.
PASSES = 3

# Orders of all examples in memory at once, for each run that shuffles them.
ORDERS = 3

# Additions of the work of a built-in optimizer: a formula counts as one more for each.
ADDITIONS_PER_WORK = 20.0
INTERACTIVE, BATCH = "interactive", "batch"
# A job that takes longer than this on one worker goes to the queue `batch`.
INTERACTIVE_SECONDS = 2.0
# A job for `interactive` that takes longer than this has two shards, because a user waits for it: two workers train it.
HALVED_SECONDS = 0.5
# A shard takes about this time, unless its runs take longer together than apart: what a shard takes whatever the number
# of its runs is at most a fifth of it.
SHARD_SECONDS = 30.0
LARGEST_FIXED_SHARE = 0.2
# Beyond this number the shards of a job are longer, so that creating, reading and cancelling it stay fast.
MAX_SHARDS = 4_096


@dataclass(frozen=True)
class Price:
    """The price of a job, computed without running or listing it."""

    runs_total: int
    epochs_total: int
    updates_total: int
    rows_total: int
    num_parameters: int
    # Time of a shard whatever the number of its runs, and time of each run in it.
    training: Seconds
    run_bytes: int
    shard_runs: int
    # Additions of formulas on numbers, over the whole job.
    additions_total: float = 0.0

    @property
    def work(self) -> float:
        """Count the updated numbers: updates × parameters, more for formulas of many operations."""
        return float(self.updates_total) * self.num_parameters + self.additions_total / ADDITIONS_PER_WORK

    @property
    def seconds(self) -> float:
        """Estimate the training time with one worker."""
        return self.num_shards * self.training.shard + self.runs_total * self.training.run

    @property
    def queue(self) -> str:
        """Choose the queue, so that a small job never waits for a large one."""
        return INTERACTIVE if self.seconds <= INTERACTIVE_SECONDS else BATCH

    @property
    def shard_size(self) -> int:
        """Count the runs of each shard but the last, which may have fewer.

        Several shards are of an even number, so that two workers end at the same time.
        """
        num_shards = -(-self.runs_total // self.shard_runs)
        num_shards += num_shards % 2 if num_shards > 1 else 0
        size = -(-self.runs_total // num_shards)
        return min(self.shard_runs, -(-size // LANES) * LANES)

    @property
    def num_shards(self) -> int:
        """Count the shards."""
        return -(-self.runs_total // self.shard_size)

    def shards(self) -> list[tuple[int, int]]:
        """Divide the runs into shards: (first run, number of runs) of each."""
        size = self.shard_size
        return [(first, min(size, self.runs_total - first)) for first in range(0, self.runs_total, size)]


def price(spec: JobSpec, num_runs: int | None = None) -> Price:
    """Compute the price of a job from its spec, or of a number of its runs; by default of all, or of the first seeds.

    A job that decides begins with ``seeds.count`` seeds; batches.py counts the runs of more.
    """
    num = sum(num_settings(entry, spec.search) for entry in spec.optimizers)
    num_seeds = spec.seeds.count if isinstance(spec.seeds, SeedRange) else len(spec.seeds)
    runs = num * num_seeds * spec.problem.num_starts if num_runs is None else num_runs
    epochs = runs * spec.epochs
    rows_per_run = spec.rows_per_run
    rows = runs * rows_per_run
    run_bytes = bytes_per_run(spec)
    fits = max(LANES, min(MAX_SHARD_RUNS, MATRIX_NUMBERS // spec.problem.num_parameters))
    fits = max(1, min(fits, (MAX_SHARD_BYTES - _shared_bytes(spec)) // run_bytes))
    training = training_seconds(spec, distinct_seeds=min(1.0, num_seeds / min(fits, runs)))
    fits = min(fits, max(_shard_runs(training, runs), LANES * math.ceil(runs / MAX_SHARDS / LANES)))
    return Price(
        runs_total=runs,
        epochs_total=epochs,
        updates_total=epochs * spec.updates_per_epoch,
        rows_total=rows,
        num_parameters=spec.problem.num_parameters,
        training=training,
        run_bytes=run_bytes,
        shard_runs=fits // LANES * LANES or fits,
        additions_total=_additions(spec, num_seeds * spec.problem.num_starts),
    )


def _shard_runs(training: Seconds, runs: int) -> int:
    """Count the runs that a shard has time for, and with fewer of which the time would be wasted."""
    in_time = (SHARD_SECONDS - training.shard) / training.run
    if HALVED_SECONDS <= training.shard + runs * training.run <= INTERACTIVE_SECONDS:
        in_time = runs / 2
    efficient = training.shard * (1 / LARGEST_FIXED_SHARE - 1) / training.run
    return LANES * max(1, math.floor(in_time / LANES), math.ceil(efficient / LANES))


def _additions(spec: JobSpec, runs_per_setting: int) -> float:
    """Count the additions of all formulas over the whole job."""
    formulas = [entry for entry in spec.optimizers if isinstance(entry, Formula)]
    each = sum(entry.rule.load.additions * num_settings(entry, spec.search) for entry in formulas)
    return each * runs_per_setting * spec.epochs * spec.updates_per_epoch * spec.problem.num_parameters


def bytes_per_run(spec: JobSpec) -> int:
    """Give an upper bound of the memory of one run in training: its matrices, and the activations of one batch.

    An evaluation over all data works in chunks, so the larger of a batch and a chunk counts.
    """
    examples = spec.problem.num_examples or 0
    batch = CHUNK if isinstance(spec.batch_size, str) else spec.batch_size
    portion = min(examples, max(batch, CHUNK))
    of_formulas = (
        2 * len(entry.state) + entry.rule.load.matrices for entry in spec.optimizers if isinstance(entry, Formula)
    )
    has_objects = any(isinstance(entry, Plugin) for entry in spec.optimizers)
    matrices = MATRICES + max(of_formulas, default=0) + MATRICES_OF_OBJECTS * has_objects
    numbers = matrices * spec.problem.num_parameters + PASSES * portion * spec.problem.numbers_per_example
    orders = ORDERS * 8 * examples if isinstance(spec.problem, Data) and spec.shuffle else 0
    return numbers * (8 if spec.dtype == "float64" else 4) + BYTES_OF_OBJECTS * has_objects + orders


def _shared_bytes(spec: JobSpec) -> int:
    """Count the bytes of the examples, which all runs of a shard share: in float64, and in the dtype of the runs."""
    if not isinstance(spec.problem, Data) or spec.problem.resolved is None:
        return 0
    return 16 * spec.problem.num_windows * spec.problem.sizes.inputs
