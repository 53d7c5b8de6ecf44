"""`ravine verify`: a bundle trained again is the same, different, or of another machine."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import worker.retraining
from service.database.connection import Database
from service.database.states import ShardStatus
from service.jobs import lifecycle, shards
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.bundles import bundle_of, changed, members_of, table_of, with_receipt, with_table, with_value
from tests.deciding import TUNED
from tests.trained import trained
from tests.worker.verifying import verified
from worker.engine.trainer import Trainer
from worker.plan import plan
from worker.receipt import receipt
from worker.recorder import Recorder
from worker.verify import DIFFERENT, ELSEWHERE, NO_BUNDLE, SAME, verify

SURFACE: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
    "optimizers": [
        {"label": "a", "kind": "sgd", "lr": 0.01},
        {"label": "wild", "kind": "momentum", "lr": [0.02, 1e200]},
    ],
    "seeds": {"first": 3, "count": 6},
    "epochs": 7,
    "record_every": 2,
}
SEARCH: dict[str, Any] = {
    "problem": {"kind": "flipnet"},
    "optimizers": ["sgd", "adam"],
    "search": {"trials": 5},
    "seeds": {"count": 4},
    "epochs": 2,
    "measure": ["sharpness"],
}
DIGITS: dict[str, Any] = {
    "problem": {"kind": "digits", "model": "mlp", "train_size": 64},
    "optimizers": [{"kind": "adam", "lr": 0.01}],
    "seeds": [0, 1],
    "epochs": 1,
}
SPECS = {"surface": SURFACE, "search": SEARCH, "digits": DIGITS, "decided": TUNED}


@pytest.fixture(scope="module")
def bundles(shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return {
        name: bundle_of(shared_database, trained(shared_database, spec), folder / f"{name}.zip")
        for name, spec in SPECS.items()
    }


@pytest.mark.parametrize("name", SPECS)
def test_a_bundle_trained_again_is_the_same_bit_by_bit(
    bundles: dict[str, Path], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(bundles[name], anyway=False) == SAME
    assert capsys.readouterr().out.startswith("Same: every value is that of the bundle, bit by bit (")


def test_blocks_and_chunks_of_any_size_give_the_same(bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.retraining, "BLOCK_ROWS", 17)
    monkeypatch.setattr(worker.retraining, "CHUNK_ROWS", 1)
    assert verify(bundles["surface"], anyway=False) == SAME


@pytest.mark.parametrize(
    ("field", "row", "value"),
    [
        ("loss", 4, lambda old: math.nextafter(old, math.inf)),
        ("loss", 4, lambda _: math.nan),
        ("grad_norm", 4, lambda _: None),
        ("train_loss", 0, lambda _: 0.0),
        ("seed", 4, lambda old: old + 1),
        ("label", 0, lambda _: "other\x1b"),
    ],
)
def test_a_value_that_differs_is_named(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, row: int, value: Any
) -> None:
    table = table_of(bundles["surface"])
    old = table[field].to_pylist()[row]
    path = with_table(bundles["surface"], tmp_path / "b.zip", with_value(table, field, row, value(old)))
    if field == "seed":
        # The first row of a run stands for its seed.
        path = with_table(bundles["surface"], tmp_path / "b.zip", with_value(table, field, 0, value(old)))
        row = 0
    assert verify(path, anyway=False) == DIFFERENT
    said = capsys.readouterr().out
    keys = [table[name].to_pylist()[row] for name in ("index", "epoch")]
    assert said.startswith(f"Different: run {keys[0]}, epoch {keys[1]}, {field}: "), said
    assert "in the bundle, " in said
    assert "\x1b" not in said


def test_rows_that_are_missing_or_too_many_are_named(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = table_of(bundles["surface"])
    keys = zip(table["index"].to_pylist(), table["epoch"].to_pylist(), strict=True)
    less = table.filter([key != (2, 4) for key in keys])
    assert verify(with_table(bundles["surface"], tmp_path / "less.zip", less), anyway=False) == DIFFERENT
    assert "Different: run 2, epoch 4: the bundle has no row." in capsys.readouterr().out
    other = with_table(bundles["surface"], tmp_path / "more.zip", with_value(table, "epoch", 3, 5))
    assert verify(other, anyway=False) == DIFFERENT
    assert "this machine has no row" in capsys.readouterr().out


@pytest.mark.parametrize("field", ["torch", "processor"])
def test_another_torch_or_processor_ends_before_the_training_unless_anyway(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str
) -> None:
    path = with_receipt(bundles["surface"], tmp_path / "else.zip", **{field: "1.0 of another machine"})
    assert verify(path, anyway=False) == ELSEWHERE
    said = capsys.readouterr()
    assert f"Another {field}: 1.0 of another machine in the receipt, {receipt()[field]} here." in said.err
    assert "--anyway" in said.err
    assert said.out == ""
    assert verify(path, anyway=True) == SAME
    table = table_of(path)
    for row in (4, 5):
        table = with_value(table, "loss", row, table["loss"].to_pylist()[row] * 1.5)
    assert verify(with_table(path, tmp_path / "apart.zip", table), anyway=True) == ELSEWHERE
    said = capsys.readouterr()
    assert "2 of " in said.out
    assert "the largest relative difference is 0.333" in said.out


def test_a_receipt_of_an_earlier_version_names_no_processor(bundles: dict[str, Path], tmp_path: Path) -> None:
    content = json.loads(members_of(bundles["surface"])["receipt.json"])
    del content["processor"]
    path = changed(bundles["surface"], tmp_path / "old.zip", receipt=json.dumps(content).encode())
    assert verify(path, anyway=False) == SAME


def test_a_job_that_ended_early_is_trained_as_far_as_its_rows_go(shared_database: Database, tmp_path: Path) -> None:
    spec = JobSpec.model_validate({**SURFACE, "epochs": 1_000_000, "record_every": 1})
    with shared_database.transaction() as session:
        job, _ = lifecycle.create(session, spec, price(spec))
        claim = shards.claim(session, job.key, 0, lease_seconds=60, receipt=receipt())
        assert claim is not None
    trainer = Trainer(plan(spec, claim.first_run, claim.num_runs))
    recorder = Recorder(trainer.fields, claim.first_run, claim.num_runs, spec.epochs)
    for epoch in trainer.run():
        assert epoch is not None
        recorder.add(epoch)
        if trainer.epoch == 5:
            break
    with shared_database.transaction() as session:
        shards.record(session, claim, recorder.take(None), lease_seconds=60)
        shards.end(session, claim, ShardStatus.FAILED, reason="timeout", detail="over")
    assert verify(bundle_of(shared_database, job.id, tmp_path / "early.zip"), anyway=False) == SAME


def test_files_that_are_no_bundle_have_an_exit_code_and_a_reason(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(monkeypatch, str(tmp_path / "nowhere.zip")) == NO_BUNDLE
    assert "cannot be read: No such file" in capsys.readouterr().err
    path = tmp_path / "text.zip"
    path.write_text("no zip, but long enough to be one")
    assert verified(monkeypatch, str(path)) == NO_BUNDLE
    assert "is no bundle: it is no zip" in capsys.readouterr().err
    empty = with_table(bundles["surface"], tmp_path / "empty.zip", table_of(bundles["surface"]).slice(0, 0))
    assert verified(monkeypatch, str(empty)) == NO_BUNDLE
    assert "has no rows" in capsys.readouterr().err
    monkeypatch.setenv("RAVINE_MAX_RUNS", "3")
    monkeypatch.setattr("worker.verify.get_settings", Settings)
    assert verified(monkeypatch, str(bundles["surface"])) == NO_BUNDLE
    assert "exceeds a limit of this machine: the job has 18 runs" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_line_trains_without_a_service(bundles: dict[str, Path]) -> None:
    ravine = str(Path(sys.executable).with_name("ravine"))
    done = subprocess.run([ravine, "verify", str(bundles["surface"])], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:5]) == (SAME, "Same:"), done.stderr
