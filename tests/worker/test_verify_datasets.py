"""`ravine verify` of jobs on uploaded datasets: the file is in the bundle, or is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.database.connection import Database
from service.database.datasets import adding
from service.database.datasets.adding import NewFile
from service.settings import Settings
from service.spec.datasets import builtin
from service.spec.datasets.decoded import DecodedTables
from service.spec.datasets.media import CSV
from tests.bundles import bundle_of, changed, members_of
from tests.on_data import resolved
from tests.trained import trained
from tests.worker.verifying import verified
from worker.verify import NO_BUNDLE, SAME, verify


@pytest.fixture(scope="module")
def upload(shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """A file that was uploaded, a job that has trained on it, and its spec."""
    file = tmp_path_factory.mktemp("upload") / "flowers.csv"
    file.write_bytes(builtin.content("iris"))
    digest, settings = adding.digest_of(file), Settings(dataset_folder=str(file.parent))
    summary = DecodedTables(settings).decode(file, digest, CSV)
    found, _ = adding.add(shared_database, "", NewFile(file, "flowers", CSV, digest, summary), settings)
    problem = {"dataset": found.id, "target": "species", "model": {"kind": "mlp", "widths": [4]}}
    given = resolved({**problem, "dataset": "iris"}, seeds={"count": 2}, epochs=2).as_dict()
    spec = {**given, "problem": {**given["problem"], "dataset": found.id}}
    return file, trained(shared_database, spec), spec


def test_a_bundle_has_the_uploaded_dataset_of_its_job_and_is_trained_with_it(
    shared_database: Database, upload: tuple[Path, str, dict[str, Any]], tmp_path: Path
) -> None:
    file, job_id, _ = upload
    bundle = bundle_of(shared_database, job_id, tmp_path / "flowers.zip")
    members = members_of(bundle)
    assert members["dataset"] == file.read_bytes()
    assert b"the uploaded dataset" in members["README.txt"]
    assert json.loads(members["receipt.json"])["dataset"] == {"media_type": CSV, "bytes": file.stat().st_size}
    assert verify(bundle, anyway=False) == SAME
    # A built-in dataset is on every machine.
    spec = resolved({"dataset": "iris", "target": "species"}, seeds={"count": 2}, epochs=2).as_dict()
    plain = bundle_of(shared_database, trained(shared_database, spec), tmp_path / "iris.zip")
    assert "dataset" not in members_of(plain)
    assert verify(plain, anyway=False) == SAME


def test_a_bundle_without_its_dataset_names_the_option_that_gives_the_file(
    shared_database: Database,
    upload: tuple[Path, str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, job_id, _ = upload
    monkeypatch.setattr("service.database.datasets.bundled.MAX_BYTES", file.stat().st_size - 1)
    bundle = bundle_of(shared_database, job_id, tmp_path / "large.zip")
    assert "dataset" not in members_of(bundle)
    assert verified(monkeypatch, str(bundle)) == NO_BUNDLE
    assert "which it does not contain: name its file with --dataset FILE" in capsys.readouterr().err
    assert verified(monkeypatch, str(bundle), "--dataset", str(file)) == SAME
    other = tmp_path / "other.csv"
    other.write_bytes(file.read_bytes() + b"1,1,1,1,setosa\n")
    assert verified(monkeypatch, str(bundle), "--dataset", str(other)) == NO_BUNDLE
    assert "is another one: its digest is" in capsys.readouterr().err


def test_a_dataset_of_a_bundle_that_was_changed_is_refused(
    shared_database: Database,
    upload: tuple[Path, str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = bundle_of(shared_database, upload[1], tmp_path / "flowers.zip")
    foreign = changed(bundle, tmp_path / "foreign.zip", dataset=b"a,b\n1,2\n")
    assert verified(monkeypatch, str(foreign)) == NO_BUNDLE
    assert "is another one" in capsys.readouterr().err
    monkeypatch.setattr("service.histories.bundle_file.MAX_DATASET_BYTES", 100)
    assert verified(monkeypatch, str(bundle)) == NO_BUNDLE
    assert "dataset has more than 100 bytes" in capsys.readouterr().err
