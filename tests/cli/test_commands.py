"""Commands that send requests to a service: text output, JSON output, errors and exit codes."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.cli.commands.sparkline import BARS
from service.client import Ravine
from tests.cli.invoke import SPEC, Command
from tests.lossy_proxy import FINE, HALF, lossy_proxy
from tests.servers import Stack

# The output of a command does not depend on the database of the service.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


def test_submit_prints_the_id_and_nothing_else(ravine: Command, stack: Stack) -> None:
    submitted = ravine("submit", "spec.json", "--name", "named here", "--epochs", "3")
    assert submitted.exit_code == 0
    with Ravine(stack.url) as client:
        job = client.job(submitted.stdout.strip())
    assert job["name"] == "named here"
    assert job["spec"]["epochs"] == 3


def test_submit_reads_standard_input_and_the_same_key_gives_the_same_job(ravine: Command) -> None:
    key = ("--idempotency-key", "the key of this test")
    first = ravine("submit", "-", *key, input=json.dumps(SPEC))
    again = ravine("submit", "spec.json", *key, "--json")
    assert first.exit_code == 0
    assert json.loads(again.stdout)["id"] == first.stdout.strip()


def test_watch_follows_to_the_end_and_shows_a_curve_for_each_label(ravine: Command) -> None:
    watched = ravine("submit", "spec.json", "--watch")
    assert watched.exit_code == 0
    assert "completed: " in watched.stdout
    for label, diverged in {"slow": "0", "wild": "6"}.items():
        assert re.search(rf"^ +{label} +6 +{diverged} .*[{BARS}]+", watched.stdout, re.MULTILINE)


def test_optimizers_stand_in_the_order_of_their_median_losses(ravine: Command) -> None:
    climb = {"kind": "sgd", "maximize": True}
    rates = {"least": 0.001, "most": 0.1, "middle": 0.01}
    spec = {
        "problem": {"kind": "surface", "name": "parabola", "start": [5.0]},
        "optimizers": [{**climb, "label": label, "lr": lr} for label, lr in rates.items()],
        "epochs": 6,
    }
    watched = ravine("submit", "-", "--watch", input=json.dumps(spec))
    assert re.findall("^ +(least|middle|most) ", watched.stdout, re.MULTILINE) == ["most", "middle", "least"]
    falling = {**spec, "optimizers": [{**one, "maximize": False} for one in spec["optimizers"]]}
    watched = ravine("submit", "-", "--watch", input=json.dumps(falling))
    assert re.findall("^ +(least|middle|most) ", watched.stdout, re.MULTILINE) == ["most", "middle", "least"]


def test_watch_with_json_prints_only_json_to_standard_output(ravine: Command) -> None:
    watched = ravine("submit", "spec.json", "--watch", "--json")
    assert json.loads(watched.stdout)["status"] == "completed"
    assert "slow" in watched.stderr


@pytest.mark.slow
def test_on_a_terminal_watch_draws_a_bar(ravine: Command, stack: Stack, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from service.cli.main import main; main()", "submit", "spec.json", "--watch"],
        stdout=terminal,
        stderr=terminal,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(terminal)
    shown = b""
    with open(controller, "rb", buffering=0) as screen:  # noqa: PTH123  (a file descriptor)
        while True:
            try:
                shown += (more := screen.read(4096))
            except OSError:  # Raised by Linux when the other end of a terminal is closed.
                break
            if not more:
                break
    assert process.wait(30) == 0
    assert "━" in shown.decode()
    assert "240/240" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


@pytest.mark.slow
def test_a_job_that_fails_or_is_cancelled_ends_watching_with_1(ravine: Command, stack: Stack) -> None:
    long = {**SPEC, "epochs": 10_000_000, "record_every": 1_000_000, "optimizers": SPEC["optimizers"][:1]}
    process = subprocess.Popen(
        [sys.executable, "-c", "from service.cli.main import main; main()", "submit", "-", "--watch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(long))
    process.stdin.close()
    job = process.stdout.readline().split()[-1]
    assert ravine("cancel", job).exit_code == 0
    process.stdout.read()
    assert process.stderr is not None
    assert "the job is cancelled" in process.stderr.read()
    assert process.wait(60) == 1
    process.stdout.close()
    process.stderr.close()
    assert json.loads(ravine("delete", job, "--json").stdout) == {"id": job, "deleted": True}
    assert ravine("show", job).exit_code == 2


def test_a_dry_run_prints_the_size_of_a_job(ravine: Command) -> None:
    assert ravine("submit", "spec.json", "--dry-run").stdout.startswith("12 runs, 240 epochs, 240 updates")
    assert json.loads(ravine("submit", "spec.json", "--dry-run", "--json").stdout)["runs_total"] == 12


def test_jobs_and_show_print_the_stored_jobs(ravine: Command, job_id: str) -> None:
    listed = ravine("jobs", "--name", SPEC["name"], "--status", "completed", "--limit", "500")
    assert job_id in listed.stdout
    assert job_id in [job["id"] for job in json.loads(ravine("jobs", "--limit", "500", "--json").stdout)]
    assert "No jobs found" in ravine("jobs", "--name", "nobody calls a job like this").stdout
    shown = ravine("show", job_id)
    assert "12 of 12 runs ended, 6 diverged" in shown.stdout
    assert json.loads(ravine("show", job_id, "--json").stdout)["id"] == job_id


def test_a_history_is_the_same_in_all_formats(ravine: Command, job_id: str, stack: Stack) -> None:
    with Ravine(stack.url) as client:
        runs = {label: next(client.runs(job_id, label=label))["id"] for label in ("slow", "wild")}
        losses = client.history(runs["slow"])["loss"].tolist()
    rows = list(csv.DictReader(io.StringIO(ravine("history", runs["slow"], "--format", "csv").stdout)))
    assert [float(row["loss"]) for row in rows] == losses
    assert rows[0]["update_norm"] == ""
    [found] = json.loads(ravine("history", runs["slow"], "--json").stdout)
    assert found["loss"] == losses
    assert found["update_norm"][0] is None
    table = ravine("history", runs["slow"], "--fields", "loss", "--max-points", "3").stdout
    assert f"{losses[-1]:.4g}" in table
    wild = list(
        csv.DictReader(io.StringIO(ravine("history", runs["wild"], "--format", "csv", "--fields", "loss").stdout))
    )
    assert wild[-1]["loss"] in {"inf", "nan"}
    of_job = csv.DictReader(io.StringIO(ravine("history", job_id, "--format", "csv", "--labels", "slow").stdout))
    assert len(list(of_job)) == 6 * 21


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_a_table_has_the_bytes_of_the_service(ravine: Command, job_id: str, stack: Stack, form: str) -> None:
    with stack.client() as http, Ravine(stack.url) as client:
        run_id = next(client.runs(job_id, label="wild"))["id"]
        of_run = http.get(f"/v1/runs/{run_id}/metrics?format={form}").content
        of_job = http.get(f"/v1/jobs/{job_id}/metrics?format={form}&labels=slow&fields=loss&max_points=9").content
    assert ravine("history", run_id, "--format", form).stdout_bytes == of_run
    options = ("--labels", "slow", "--fields", "loss", "--max-points", "9", "--format", form, "-o", "table")
    assert ravine("history", job_id, *options).exit_code == 0
    assert ravine("history", job_id, *options[:-4], "-o", f"table.{form}").exit_code == 0
    assert Path(f"table.{form}").read_bytes() == Path("table").read_bytes()
    assert Path("table").read_bytes() == of_job
    assert not Path("table.part").exists()


def test_an_interrupted_table_leaves_no_file_with_the_final_name(
    ravine: Command, job_id: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lossy_proxy(stack.url) as proxy:
        monkeypatch.setenv("RAVINE_URL", proxy.url)
        with Ravine() as client:
            run_id = next(client.runs(job_id))["id"]
        proxy.faults.extend([FINE, HALF])
        broken = ravine("history", run_id, "--format", "csv", "-o", "table.csv")
    assert broken.exit_code == 3
    assert "closed the connection" in broken.stderr
    assert {path.name for path in Path().iterdir()} == {"spec.json"}


def test_plot_writes_a_file(ravine: Command, job_id: str) -> None:
    assert ravine("plot", job_id, "-o", "loss.png", "--width", "400", "--height", "300").exit_code == 0
    assert Path("loss.png").read_bytes().startswith(b"\x89PNG")
    assert ravine("plot", job_id, "--kind", "paths", "-o", "paths.svg", "--dark", "--labels", "slow").exit_code == 0
    assert "<title>" in Path("paths.svg").read_text()
