"""Jobs that decide, from the command line: size, progress, verdict, continuation."""

import json
from pathlib import Path

import pytest

from tests.cli.invoke import Command
from tests.deciding import CLOSE, NOISY

# The output of a command does not depend on the database of the service.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


def test_the_size_of_a_job_is_a_range(ravine: Command) -> None:
    shown = ravine("submit", "-", "--dry-run", input=json.dumps(NOISY)).stdout
    assert shown.startswith("8 to 100 seeds, 16 to 200 runs, 192 to 2,400 epochs")
    assert ravine("submit", "-", "--dry-run", input=json.dumps({**NOISY, "decide": None})).stdout.startswith("2 runs, ")


@pytest.mark.slow
def test_progress_tells_the_seeds_and_the_verdicts_so_far(ravine: Command) -> None:
    watched = ravine("submit", "-", "--watch", input=json.dumps(NOISY))
    assert watched.exit_code == 0
    assert "completed: 384 epochs, 16 seeds, fast better" in watched.stdout
    Path("close.json").write_text(json.dumps(CLOSE))
    job_id = json.loads(ravine("submit", "close.json", "--watch", "--json").stdout)["id"]
    assert "decision: 20 seeds, b undecided" in ravine("show", job_id).stdout
    assert f"ravine continue {job_id} --max-seeds 40 --watch" in ravine("compare", job_id).stdout
    continued = ravine("continue", job_id, "--max-seeds", "28", "--watch", "--json")
    assert continued.exit_code == 0
    assert json.loads(continued.stdout)["decision"]["seeds_used"] == 28
    refused = ravine("continue", job_id, "--max-seeds", "28")
    assert refused.exit_code == 2
    assert "must be more than 28" in refused.output


def test_one_line_asks_until_sure(ravine: Command) -> None:
    question = ("flipnet", "sgd", "adam", "--decide", "--trials", "2", "--max-seeds", "30", "--epochs", "2")
    found = json.loads(ravine("compare", *question, "--margin", "3", "--json").stdout)
    assert found["tuned"]
    assert found["decision"]["max_seeds"] == 30
    assert found["decision"]["labels"][0]["label"] == "adam"
    assert ravine("compare", "flipnet", "sgd", "adam", "--margin", "0.1").exit_code == 2
