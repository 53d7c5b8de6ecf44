"""`ravine verify`: a bundle trained again is the same, different, or of another machine."""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import worker.retraining
from service.database.connection import Database
from service.database.datasets import adding
from service.database.datasets.adding import NewFile
from service.database.states import ShardStatus
from service.jobs import lifecycle, shards
from service.settings import Settings
from service.spec.datasets import builtin
from service.spec.datasets.decoded import DecodedTables
from service.spec.datasets.media import CSV
from service.spec.job import JobSpec
from service.spec.price import price
from tests.bundles import bundle_of, changed, members_of, table_of, with_receipt, with_table, with_value
from tests.deciding import TUNED
from tests.on_data import resolved
from tests.trained import trained
from worker.engine.trainer import Trainer
from worker.plan import plan
from worker.receipt import receipt
from worker.recorder import Recorder
from worker.verify import DIFFERENT, ELSEWHERE, NO_BUNDLE, SAME, main, verify

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
def database(new_database: Callable[[str], str]) -> Iterator[Database]:
    with closing(Database(new_database("sqlite"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def bundles(database: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return {name: bundle_of(database, trained(database, spec), folder / f"{name}.zip") for name, spec in SPECS.items()}


def verified(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["verify", *arguments])
    return main()


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


def test_a_job_that_ended_early_is_trained_as_far_as_its_rows_go(database: Database, tmp_path: Path) -> None:
    spec = JobSpec.model_validate({**SURFACE, "epochs": 1_000_000, "record_every": 1})
    with database.transaction() as session:
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
    with database.transaction() as session:
        shards.record(session, claim, recorder.take(None), lease_seconds=60)
        shards.end(session, claim, ShardStatus.FAILED, reason="timeout", detail="over")
    assert verify(bundle_of(database, job.id, tmp_path / "early.zip"), anyway=False) == SAME


@pytest.fixture(scope="module")
def upload(database: Database, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """A file that was uploaded, a job that has trained on it, and its spec."""
    file = tmp_path_factory.mktemp("upload") / "flowers.csv"
    file.write_bytes(builtin.content("iris"))
    digest, settings = adding.digest_of(file), Settings(dataset_folder=str(file.parent))
    summary = DecodedTables(settings).decode(file, digest, CSV)
    found, _ = adding.add(database, "", NewFile(file, "flowers", CSV, digest, summary), settings)
    problem = {"dataset": found.id, "target": "species", "model": {"kind": "mlp", "widths": [4]}}
    given = resolved({**problem, "dataset": "iris"}, seeds={"count": 2}, epochs=2).as_dict()
    spec = {**given, "problem": {**given["problem"], "dataset": found.id}}
    return file, trained(database, spec), spec


def test_a_bundle_has_the_uploaded_dataset_of_its_job_and_is_trained_with_it(
    database: Database, upload: tuple[Path, str, dict[str, Any]], tmp_path: Path
) -> None:
    file, job_id, _ = upload
    bundle = bundle_of(database, job_id, tmp_path / "flowers.zip")
    members = members_of(bundle)
    assert members["dataset"] == file.read_bytes()
    assert b"the uploaded dataset" in members["README.txt"]
    assert json.loads(members["receipt.json"])["dataset"] == {"media_type": CSV, "bytes": file.stat().st_size}
    assert verify(bundle, anyway=False) == SAME
    # A built-in dataset is on every machine.
    spec = resolved({"dataset": "iris", "target": "species"}, seeds={"count": 2}, epochs=2).as_dict()
    plain = bundle_of(database, trained(database, spec), tmp_path / "iris.zip")
    assert "dataset" not in members_of(plain)
    assert verify(plain, anyway=False) == SAME


def test_a_bundle_without_its_dataset_names_the_option_that_gives_the_file(
    database: Database,
    upload: tuple[Path, str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, job_id, _ = upload
    monkeypatch.setattr("service.database.datasets.bundled.MAX_BYTES", file.stat().st_size - 1)
    bundle = bundle_of(database, job_id, tmp_path / "large.zip")
    assert "dataset" not in members_of(bundle)
    assert verified(monkeypatch, str(bundle)) == NO_BUNDLE
    assert "which it does not contain: name its file with --dataset FILE" in capsys.readouterr().err
    assert verified(monkeypatch, str(bundle), "--dataset", str(file)) == SAME
    other = tmp_path / "other.csv"
    other.write_bytes(file.read_bytes() + b"1,1,1,1,setosa\n")
    assert verified(monkeypatch, str(bundle), "--dataset", str(other)) == NO_BUNDLE
    assert "is another one: its digest is" in capsys.readouterr().err


def test_a_dataset_of_a_bundle_that_was_changed_is_refused(
    database: Database,
    upload: tuple[Path, str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = bundle_of(database, upload[1], tmp_path / "flowers.zip")
    foreign = changed(bundle, tmp_path / "foreign.zip", dataset=b"a,b\n1,2\n")
    assert verified(monkeypatch, str(foreign)) == NO_BUNDLE
    assert "is another one" in capsys.readouterr().err
    monkeypatch.setattr("service.histories.bundle_file.MAX_DATASET_BYTES", 100)
    assert verified(monkeypatch, str(bundle)) == NO_BUNDLE
    assert "dataset has more than 100 bytes" in capsys.readouterr().err


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
