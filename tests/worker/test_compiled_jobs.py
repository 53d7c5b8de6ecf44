"""A job has the same histories whichever engine trains it, and its receipt names what its worker may use."""

from typing import Any

import pytest
from sqlalchemy import select

from service.database.connection import Database
from service.database.tables import Job, Run
from service.settings import Settings
from tests.queued import create
from worker.engine.trainer import Trainer
from worker.receipt import receipt
from worker.runner import train_shard

LRS = {"from": 1e-4, "to": 1.0, "num": 40, "scale": "log"}
JOB: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "rosenbrock"},
    "optimizers": [{"kind": "momentum", "lr": LRS}, {"kind": "adam", "lr": LRS}],
    "epochs": 300,
    "record_every": 3,
}


def histories(database: Database, monkeypatch: pytest.MonkeyPatch, engine: str) -> tuple[list[Any], dict[str, Any]]:
    trainers = []

    def make(*args: Any) -> Trainer:
        trainers.append(Trainer(*args, engine=engine))  # type: ignore[arg-type]
        return trainers[-1]

    monkeypatch.setattr("worker.training.Trainer", make)
    # A chunk, and so a checkpoint, after each epoch that is yielded for some time.
    key = create(database, **JOB)
    train_shard(database, Settings(flush_seconds=0.01), key, 0)
    assert (trainers[0].num_compiled_epochs > 0) == (engine == "compiled")
    with database.snapshot() as session:
        runs = select(Run.status, Run.epochs_done, Run.final_loss, Run.best_epoch, Run.history_digest)
        found = session.execute(runs.where(Run.job_key == key).order_by(Run.index)).all()
        return [tuple(row) for row in found], session.get_one(Job, key).receipt or {}


@pytest.mark.slow(after=1)
def test_a_job_has_the_same_histories_with_both_engines(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    compiled, of_job = histories(database, monkeypatch, "compiled")
    of_torch, _ = histories(database, monkeypatch, "torch")
    assert compiled == of_torch
    assert len({status for status, *_ in compiled}) == 2, "some runs diverge"
    assert of_job["engine"] == "compiled"


def test_the_receipt_of_a_worker_without_programs_names_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.engine.fused.programs.Service.is_available", lambda self: False)
    assert receipt()["engine"] == "torch"
