"""What a job will cost, known before anything runs: runs, epochs, updates, rows, and how it is cut into shards."""

from dataclasses import dataclass
from math import prod

from service.spec.fields import Range
from service.spec.job import JobSpec, SeedRange

# A shard's weight matrix is about one block of the trainer in float32. Fewer runs would not pay for the fixed cost of
# an operation: on one core, 48 digits networks train a quarter faster each than 16 do.
MATRIX_NUMBERS = 160_000
MAX_SHARD_RUNS = 8_192
# Runs come in multiples of the widest vector the processor works on, so that no shard has ragged lanes.
LANES = 16

# What a shard's matrices and activations may take, of the 1.5 GB that a worker may grow to: half a gigabyte is for
# Python, torch and rows on their way. A shard has as many runs as fit; a job of which one run does not fit is refused.
MAX_SHARD_BYTES = 1024**3
# Matrices [D, R] that are alive at once: weights, their start and those before the epoch, the gradient and a part of
# it, up to four of an optimizer's state, and the results that replace them.
MATRICES = 12
# Values of a forward pass that are alive at once: they themselves, their slopes, and results on the way.
PASSES = 3
# Examples that a network is evaluated on at once, where more would not stay in cache.
CHUNK = 64

# Seconds per update of one shard: the fixed cost of its tensor operations, and what a number of the matrix adds.
# Measured with FlipNet and momentum on one core; the choice of the queue and the guess of a dry run depend on them.
SECONDS_PER_UPDATE = 1.2e-4
SECONDS_PER_NUMBER = 2e-9
SECONDS_PER_ROW = 3e-6
# Seconds per value of a network's forward pass and its slope; measured from 5e-9 (digits, mlp) to 2e-8 (cnn).
SECONDS_PER_VALUE = 1.5e-8
# Lanczos looks at all of the data about this often for one row of sharpness.
LANCZOS_PASSES = 40
# A job that takes longer than this on one worker is a sweep: it may be shared by several, and nobody watches it.
INTERACTIVE_SECONDS = 1.0


@dataclass(frozen=True)
class Price:
    """The size of a job, without running or listing it."""

    runs_total: int
    epochs_total: int
    updates_total: int
    rows_total: int
    num_parameters: int
    # Values that networks compute over the whole job: examples × values of a forward pass × passes.
    values_total: float
    run_bytes: int
    shard_runs: int

    @property
    def work(self) -> float:
        """Count the numbers that will be updated: updates × parameters."""
        return float(self.updates_total) * self.num_parameters

    @property
    def seconds(self) -> float:
        """Estimate the time that one worker needs."""
        num_shards = -(-self.runs_total // self.shard_runs)
        updates_per_run = self.updates_total / self.runs_total
        return (
            num_shards * updates_per_run * SECONDS_PER_UPDATE
            + self.work * SECONDS_PER_NUMBER
            + self.rows_total * SECONDS_PER_ROW
            + self.values_total * SECONDS_PER_VALUE
        )

    @property
    def queue(self) -> str:
        """Choose the queue: a small job never waits behind a sweep."""
        return "interactive" if self.seconds <= INTERACTIVE_SECONDS else "batch"

    def shards(self) -> list[tuple[int, int]]:
        """Cut the runs into shards: (first run, number of runs) of each.

        Shards are of one size and, where there are several, of an even number, so that two workers end together.
        """
        num_shards = -(-self.runs_total // self.shard_runs)
        num_shards += num_shards % 2 if num_shards > 1 else 0
        size = -(-self.runs_total // num_shards)
        size = min(self.shard_runs, -(-size // LANES) * LANES)
        return [(first, min(size, self.runs_total - first)) for first in range(0, self.runs_total, size)]


def price(spec: JobSpec) -> Price:
    """Compute the size of a job from its spec alone."""
    num_settings = sum(
        prod(grid.num if isinstance(grid, Range) else len(grid) if isinstance(grid, list) else 1 for grid in grids)
        for grids in (entry.grids().values() for entry in spec.optimizers)
    )
    num_seeds = spec.seeds.count if isinstance(spec.seeds, SeedRange) else len(spec.seeds)
    runs = num_settings * num_seeds * spec.problem.num_starts
    epochs = runs * spec.epochs
    rows_per_run = spec.rows_per_run
    rows = runs * rows_per_run
    run_bytes = bytes_per_run(spec)
    passes = epochs + (LANCZOS_PASSES * rows if "sharpness" in spec.measure else 0)
    fits = max(LANES, min(MAX_SHARD_RUNS, MATRIX_NUMBERS // spec.problem.num_parameters))
    fits = max(1, min(fits, MAX_SHARD_BYTES // run_bytes))
    return Price(
        runs_total=runs,
        epochs_total=epochs,
        updates_total=epochs * spec.updates_per_epoch,
        rows_total=rows,
        num_parameters=spec.problem.num_parameters,
        values_total=float(passes) * (spec.problem.num_examples or 0) * spec.problem.numbers_per_example,
        run_bytes=run_bytes,
        shard_runs=fits // LANES * LANES or fits,
    )


def bytes_per_run(spec: JobSpec) -> int:
    """Bound from above what one run takes while it trains: its matrices, and the activations of one batch.

    The whole data go through a network in chunks, so that a batch or a chunk is the largest portion there is.
    """
    examples = spec.problem.num_examples or 0
    batch = CHUNK if isinstance(spec.batch_size, str) else spec.batch_size
    portion = min(examples, max(batch, CHUNK))
    numbers = MATRICES * spec.problem.num_parameters + PASSES * portion * spec.problem.numbers_per_example
    return numbers * (8 if spec.dtype == "float64" else 4)
