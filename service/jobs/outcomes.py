"""Values of the criterion of runs that have ended, seed by seed, as a look at a job that decides judges them."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.robust import Floats, capped, medians_at_start
from service.analysis.summaries import median_scores
from service.database.dialects.known import dialect_of
from service.database.reading import first_epochs, read_last, read_points
from service.database.spans import Span
from service.database.states import RunStatus
from service.database.tables import Job
from service.spec.criteria import quantity_of
from service.spec.job import JobSpec
from service.spec.runs import Runs

# The low 52 bits of a digest, which float64, in which SQLite's rows are read, holds exactly.
DIGEST_BITS = 2**52 - 1
# Runs of one query for values at epoch 0.
_TOGETHER = 500


def read_values(session: Session, job_key: int, runs: Runs, settings: list[int], seeds: range) -> Floats:
    """Give the mean over starts of the criterion, on its scale, [settings, seeds].

    The runs of all these seeds must have ended.
    """
    spec, num_starts = runs.spec, runs.num_starts
    setting_SJT, seed_SJT, start_SJT = np.meshgrid(settings, np.array(seeds), np.arange(num_starts), indexing="ij")
    index_SJT = runs.layout.indices(setting_SJT, seed_SJT, start_SJT)
    first, end = int(index_SJT.min()), int(index_SJT.max()) + 1
    quantity = quantity_of(spec.problem, spec.criterion, maximize=spec.maximize)
    value_R, diverged_R = _read(session, job_key, spec, quantity.name, first, end)
    values_SJT = capped(
        value_R[index_SJT - first],
        diverged_R[index_SJT - first],
        _untrained(session, job_key, runs, quantity.name),
        name=quantity.name,
        scale=quantity.scale,
        larger_is_better=quantity.larger_is_better,
        least=quantity.least,
    )
    return np.asarray(values_SJT.mean(axis=2))


def read_digests(session: Session, job_key: int, runs: Runs, settings: list[int], seeds: range) -> NDArray[np.int64]:
    """Give the digests of the histories of runs that have ended, [settings, seeds, starts]; −1 where unknown."""
    of = np.meshgrid(settings, np.array(seeds), np.arange(runs.num_starts), indexing="ij")
    index_SJT = runs.layout.indices(*of)
    first, end = int(index_SJT.min()), int(index_SJT.max()) + 1
    (index_N, digest_N), _, _ = dialect_of(session).read(
        session,
        ['r."index"', f"COALESCE(r.history_digest & {DIGEST_BITS}, -1)"],
        ["r.final_loss"],
        f'FROM runs r WHERE r.job_key = {job_key:d} AND r."index" >= {first:d} AND r."index" < {end:d}',
    )
    digest_R = np.full(end - first, -1)
    digest_R[index_N - first] = digest_N
    return digest_R[index_SJT - first]


def choose_settings(session: Session, job: Job, runs: Runs) -> list[int]:
    """Choose one setting of each label by the first seeds, all of whose runs have ended."""
    spec, num = runs.spec, len(runs)
    value_R, lost_R = _read(session, job.key, spec, "final_loss", 0, num)
    if "validation_loss" in spec.problem.fields:
        value_R = read_last(session, job, ["validation_loss"])["validation_loss"]
        lost_R = lost_R & ~np.isfinite(value_R)
    value_R = np.where(lost_R, -np.inf if spec.maximize else np.inf, value_R)
    of = np.arange(runs.num_settings), np.arange(runs.num_seeds), np.arange(runs.num_starts)
    value_SR = value_R[runs.layout.indices(*np.meshgrid(*of, indexing="ij"))].reshape(runs.num_settings, -1)
    score_S = median_scores(value_SR, larger_is_better=spec.maximize)
    return [first + int(score_S[first:end].argmin()) for first, end in pairwise(runs.firsts)]


def _read(
    session: Session, job_key: int, spec: JobSpec, name: str, first: int, end: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Read the measured values of consecutive runs, and whether they have diverged."""
    column = "final_loss" if name == "epochs_to_target" else name
    (index_N, diverged_N), (final_N, value_N), _ = dialect_of(session).read(
        session,
        ['r."index"', f"CASE WHEN r.status = '{RunStatus.DIVERGED}' THEN 1 ELSE 0 END"],
        ["r.final_loss", f"r.{column}"],
        f'FROM runs r WHERE r.job_key = {job_key:d} AND r."index" >= {first:d} AND r."index" < {end:d}',
    )
    value_R, diverged_R = np.full(end - first, np.nan), np.ones(end - first, dtype=bool)
    value_R[index_N - first] = value_N
    diverged_R[index_N - first] = (diverged_N == 1) | ~np.isfinite(final_N)
    if name == "epochs_to_target":
        assert spec.target_loss is not None
        value_R = first_epochs(session, job_key, Span(first, end), spec.target_loss, above=spec.maximize)
    return value_R, diverged_R


def _untrained(session: Session, job_key: int, runs: Runs, name: str) -> Floats:
    """Give the median value at epoch 0 over the first seeds from each start, [T]. No later seed changes it."""
    spec, num_starts = runs.spec, runs.num_starts
    if name == "epochs_to_target":
        return np.full(num_starts, float(spec.epochs))
    column = name if name in spec.problem.fields else "loss"
    seed_JT, start_JT = np.meshgrid(np.arange(first_seeds(spec)), np.arange(num_starts), indexing="ij")
    index_R = runs.layout.indices(np.zeros_like(seed_JT), seed_JT, start_JT).reshape(-1)
    found = [
        read_points(session, job_key, index_R[at : at + _TOGETHER].tolist(), [0], [column])[column][:, 0]
        for at in range(0, len(index_R), _TOGETHER)
    ]
    return medians_at_start(np.concatenate(found).reshape(seed_JT.shape))


def first_seeds(spec: JobSpec) -> int:
    """Count the seeds before the first look, or those that choose settings."""
    assert not isinstance(spec.seeds, list)
    return spec.seeds.count
