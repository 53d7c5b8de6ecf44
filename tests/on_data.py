"""Specs on data with everything filled in, as POST stores them, and their training."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from service.jobs.resolved_data import with_resolved
from service.spec.datasets import builtin
from service.spec.datasets.resolution import resolve
from service.spec.datasets.table import Column, Table
from service.spec.job import JobSpec
from service.spec.price import price
from tests.worker.engine.training import History
from worker.data.known import known_of
from worker.engine.trainer import Plan, Trainer
from worker.plan import plan

SGD = ({"kind": "sgd", "lr": 0.05},)


def table_of(problem: dict[str, Any]) -> Table:
    """The table of a built-in dataset."""
    return builtin.table(problem["dataset"])


def resolved(
    problem: dict[str, Any], table: Table | None = None, optimizers: Sequence[Any] = SGD, **more: Any
) -> JobSpec:
    """A spec on a built-in dataset, or on a table of the test."""
    body = {"problem": {"kind": "data", "dataset": "own", **problem}, "optimizers": list(optimizers), **more}
    spec = JobSpec.model_validate(body)
    digest = "0" * 64 if table is not None else builtin.digest(problem["dataset"])
    found = resolve(spec.problem, digest, table or table_of(problem))  # type: ignore[arg-type]
    return JobSpec.model_validate(with_resolved(spec, found))


def planned(spec: JobSpec, first: int, num: int, table: Table) -> Plan:
    """The plan of some runs, as a worker makes it."""
    return plan(spec, first, num, table=table, theory=known_of(spec, table, None))


def trained(spec: JobSpec, table: Table | None = None) -> tuple[Trainer, History]:
    """All runs of a spec, trained to the end."""
    table = table or table_of(spec.problem.model_dump())
    trainer = Trainer(planned(spec, 0, price(spec).runs_total, table))
    return trainer, History(trainer, [epoch for epoch in trainer.run() if epoch])


def numbers(name: str, values: Sequence[float]) -> Column:
    """A column of numbers; NaN is missing."""
    return Column(name, "number", np.array(values, dtype=np.float64))


def categories(name: str, values: Sequence[str | None]) -> Column:
    """A column of categories; None is missing."""
    known = tuple(sorted({value for value in values if value is not None}))
    codes = [-1 if value is None else known.index(value) for value in values]
    return Column(name, "category", np.array(codes, dtype=np.int32), known)


def images(name: str, shape: tuple[int, int, int, int], seed: int = 0) -> Column:
    """A column of random images [N, height, width, channels]."""
    return Column(name, "image", np.random.default_rng(seed).random(shape).astype(np.float32))
