"""Runs on data do not depend on others beyond rounding, resume with the same bits, and learn the built-in datasets."""

import itertools
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.tables import Job
from service.jobs import lifecycle
from service.settings import Settings
from service.spec.price import price
from tests.on_data import planned, resolved, table_of, trained
from tests.queued import count
from tests.worker.engine.training import History
from worker.engine.networks import transformer
from worker.engine.trainer import Trainer
from worker.runner import train_shard

OPTIMIZERS = [{"kind": "momentum", "lr": 0.05}, {"kind": "adam", "lr": [0.01, 0.03]}]
PROBLEMS: dict[str, dict[str, Any]] = {
    "linear": {"dataset": "diabetes", "l2": 0.1},
    "mlp": {"dataset": "iris", "model": {"kind": "mlp", "widths": [7], "activation": "gelu"}, "label_noise": 0.1},
    "cnn": {"dataset": "digits", "model": {"kind": "cnn", "channels": [2, 3]}, "train_size": 70},
    "transformer": {
        "dataset": "zipf",
        "train_size": 24,
        "test_share": 0.002,
        "model": {"kind": "transformer", "width": 6, "heads": 2, "context": 8},
    },
}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("problem", "more"),
    [
        ({"dataset": "diabetes"}, {}),
        ({"dataset": "wine", "l2": 0.1}, {}),
        ({"dataset": "diabetes", "model": {"kind": "mlp", "widths": [7]}}, {}),
        ({"dataset": "iris", "model": {"kind": "mlp", "widths": [5, 3], "activation": "gelu"}}, {"batch_size": 17}),
        ({"dataset": "diabetes", "model": {"kind": "mlp", "widths": [5]}}, {"shuffle": False}),
    ],
)
def test_a_run_of_linear_layers_has_the_same_bits_alone_and_among_others(
    problem: dict[str, Any], more: dict[str, Any], dtype: str
) -> None:
    spec = resolved(problem, optimizers=OPTIMIZERS, seeds={"count": 20}, epochs=2, dtype=dtype, **more)
    table = table_of(problem)

    def rows(first: int, num: int) -> list[Any]:
        trainer = Trainer(planned(spec, first, num, table))
        history = History(trainer, [epoch for epoch in trainer.run() if epoch])
        return [history.of_runs([run]) for run in range(num)]

    together = rows(0, 60)
    assert rows(0, 1) == together[:1]
    assert rows(7, 1) == together[7:8]
    assert rows(11, 17) == together[11:28]
    assert rows(20, 40) == together[20:]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-9)])
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_run_is_the_same_alone_and_among_others(name: str, dtype: str, tolerance: float) -> None:
    spec = resolved(PROBLEMS[name], optimizers=OPTIMIZERS, seeds=[0, 1, 2], epochs=2, dtype=dtype)
    _, together = trained(spec)
    table = table_of(PROBLEMS[name])
    for run in (0, 4, 8):
        trainer = Trainer(planned(spec, run, 1, table))
        alone = History(trainer, [epoch for epoch in trainer.run() if epoch])
        for field in alone.fields:
            np.testing.assert_allclose(
                alone[field][:, 0], together[field][:, run], rtol=tolerance, atol=tolerance, err_msg=field
            )


@pytest.mark.slow
def test_the_number_of_transformers_computed_at_once_changes_rounding_only(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"validation_share": 0.1}
    spec = resolved(PROBLEMS["transformer"] | more, optimizers=OPTIMIZERS, seeds=[0, 1], epochs=2, dtype="float64")
    _, together = trained(spec)
    for at_once in (1, 2 * spec.problem.numbers_per_example * 32):
        monkeypatch.setattr(transformer, "NUMBERS_AT_ONCE", at_once)
        _, found = trained(spec)
        for field in found.fields:
            np.testing.assert_allclose(found[field], together[field], rtol=1e-9, atol=1e-12, err_msg=field)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_run_that_was_interrupted_has_the_bits_of_an_undisturbed_one(name: str) -> None:
    more = {"validation_share": 0.1}
    spec = resolved(PROBLEMS[name] | more, optimizers=OPTIMIZERS, seeds=[0, 1], epochs=3, accumulate=2)
    table = table_of(PROBLEMS[name])
    whole = trained(spec, table)[1]
    first = Trainer(planned(spec, 0, 6, table), poll=lambda: True)
    stop = 4 if spec.batch_size != "full" else 2  # Inside the second epoch, where there are batches.
    before = list(itertools.islice(first.run(), stop))
    again = Trainer(planned(spec, 0, 6, table), first.checkpoint())
    after = [epoch for epoch in again.run() if epoch]
    assert History(again, [*(epoch for epoch in before if epoch), *after]).of_runs(range(6)) == whole.of_runs(range(6))


def test_a_worker_trains_a_stored_job_on_data(database: Database) -> None:
    spec = resolved({"dataset": "wine"}, epochs=3)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, price(spec))
    train_shard(database, Settings(), job.key, 0)
    with database.snapshot() as session:
        stored = session.get_one(Job, job.key)
        assert (stored.status, stored.error_detail) == ("completed", None)
    assert count(database, Metric) == 4


def test_a_dataset_that_is_gone_fails_the_job_with_its_name(database: Database) -> None:
    spec = resolved({"dataset": "wine"}, epochs=3)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, price(spec))
        problem = {**spec.as_dict()["problem"], "dataset": "houses"}
        session.execute(update(Job).values(spec={**spec.as_dict(), "problem": problem}))
    train_shard(database, Settings(), job.key, 0)
    with database.snapshot() as session:
        stored = session.get_one(Job, job.key)
        assert stored.status == "failed"
        assert "houses" in (stored.error_detail or "")


@pytest.mark.parametrize(
    ("dataset", "model", "field", "least"),
    [
        ("iris", {"kind": "linear"}, "test_accuracy", 0.9),
        ("wine", {"kind": "linear"}, "test_accuracy", 0.9),
        ("breast_cancer", {"kind": "mlp", "widths": [16]}, "test_accuracy", 0.93),
        ("diabetes", {"kind": "linear"}, "r2", 0.5),
        ("digits", {"kind": "mlp"}, "test_accuracy", 0.9),
    ],
)
def test_the_built_in_tables_are_learned(dataset: str, model: dict[str, Any], field: str, least: float) -> None:
    epochs = 100 if model["kind"] == "linear" else 10
    adam = [{"kind": "adam", "lr": 0.1 if model["kind"] == "linear" else 0.01}]
    _, history = trained(resolved({"dataset": dataset, "model": model}, optimizers=adam, epochs=epochs))
    assert history[field][-1, 0] > least


@pytest.mark.slow
def test_plain_linear_regression_reaches_the_least_squares_solution() -> None:
    spec = resolved({"dataset": "diabetes"}, optimizers=[{"kind": "momentum", "lr": 0.3}], epochs=3_000)
    trainer, history = trained(spec)
    training = trainer._plan.problem._setup.training
    rows = np.column_stack([training.inputs, np.ones(len(training))])
    solution, squares, _, _ = np.linalg.lstsq(rows, training.labels, rcond=None)
    assert history["loss"][-1, 0] == pytest.approx(squares[0] / len(rows) / 2, rel=1e-9)
    np.testing.assert_allclose(trainer.checkpoint()["weights"][:, 0], solution, rtol=1e-2, atol=1e-3)
