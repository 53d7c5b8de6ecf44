"""Batches of seeds of a job that decides: how many runs a number of seeds has, and which seeds a look uses."""

from dataclasses import dataclass

from service.spec.decide import Decide
from service.spec.entry_settings import num_settings
from service.spec.job import JobSpec
from service.spec.price import Price, price
from service.spec.seeds import SeedRange


@dataclass(frozen=True)
class Batches:
    """The seeds of a job that decides. After the first ``first_seeds``, each batch ends at a look.

    Attributes:
        max_seeds: Most seeds; the last look, whether or not it ends a whole batch.
        first_runs: Runs of each of the first seeds: all settings × starts.
        later_runs: Runs of each later seed: labels × starts.
        choosing_seeds: Seeds that choose a setting of each label; no look uses them.
    """

    first_seeds: int
    batch: int
    max_seeds: int
    first_runs: int
    later_runs: int
    choosing_seeds: int

    def runs(self, num_seeds: int) -> int:
        """Count the runs of the first seeds of the job, at least ``first_seeds``."""
        return self.first_seeds * self.first_runs + (num_seeds - self.first_seeds) * self.later_runs

    def seeds(self, num_runs: int) -> int:
        """Count the seeds of the first runs of the job."""
        return self.first_seeds + (num_runs - self.first_seeds * self.first_runs) // self.later_runs

    def next_look(self, num_seeds: int) -> int:
        """Give the number of seeds of the look after one at a number of seeds."""
        behind = (num_seeds - self.first_seeds) // self.batch + 1
        return min(self.first_seeds + behind * self.batch, self.max_seeds)

    @property
    def first_look(self) -> int:
        """Number of judging seeds of the first look."""
        return self.batch if self.choosing_seeds else self.first_seeds


def batches_of(spec: JobSpec, max_seeds: int | None = None) -> Batches:
    """Give the batches of a job that decides, up to ``max_seeds``, by default those of the spec."""
    assert isinstance(spec.decide, Decide)
    assert isinstance(spec.seeds, SeedRange)
    first = spec.seeds.count
    settings = sum(num_settings(entry, spec.search) for entry in spec.optimizers)
    labels, starts = len(spec.optimizers), spec.problem.num_starts
    most = spec.decide.max_seeds if max_seeds is None else max_seeds
    return Batches(
        first_seeds=first,
        batch=spec.decide.batch,
        max_seeds=most,
        first_runs=settings * starts,
        later_runs=labels * starts,
        choosing_seeds=first if settings > labels else 0,
    )


def price_at_most(spec: JobSpec) -> Price:
    """Compute the price of a job that trains as many seeds as it may."""
    if spec.decide is None:
        return price(spec)
    batches = batches_of(spec)
    return price(spec, batches.runs(batches.max_seeds))
