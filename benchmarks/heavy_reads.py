"""Status and POST of one key, and peak memory of the API, while another key sends 60 heavy reads at once, on SQLite.

The greedy key has a job of 100,000 runs of 30 epochs, one of 500 runs of 1,000 epochs, and a run of 1,000,000 epochs.
Each attack has an API process of its own, without workers, so that the figures are those of the API alone.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks import stored
from benchmarks.jobs import SMALL
from benchmarks.timing import Timer
from service.database.connection import Database
from service.jobs.owners import caller_of, create
from service.spec.job import JobSpec
from service.spec.runs import Runs

NUM_CLIENTS, SECONDS = 60, 20.0
STATUS_PAUSE_SECONDS, POST_PAUSE_SECONDS = 0.02, 1.0
RATES = {"from": 0.01, "to": 0.1, "num": 2_500, "scale": "log"}
BIG = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "sgd", "lr": RATES}, {"kind": "momentum", "lr": RATES}],
    "seeds": {"count": 20},
    "epochs": 30,
}
SURFACE = {"problem": {"kind": "surface", "name": "ravine"}, "optimizers": [{"kind": "sgd", "lr": 0.001}]}
MANY = {**SURFACE, "seeds": {"count": 500}, "epochs": 999}
LONG = {**SURFACE, "epochs": 999_999}


@dataclass(frozen=True)
class Owned:
    """The keys of the greedy and of the other caller, and the ids of their jobs."""

    greedy: str
    other: str
    big: str
    many: str
    long: str
    small: str


def measure() -> dict[str, Any]:
    """Measure each kind of read, then all together."""
    with stored.sqlite() as database:
        owned = fill(database)
        figures: dict[str, Any] = {}
        for name, paths in attacks(owned).items():
            with stored.api(database) as (client, pid):
                figures |= {f"{name}, {what}": value for what, value in under(client, pid, owned, paths).items()}
    return figures


def fill(database: Database) -> Owned:
    """Store the keys and the jobs of both callers."""
    with database.transaction() as session:
        greedy, other = (create(session, name)[1] for name in ("greedy", "other"))
    ids = []
    for owner, spec in ((greedy, BIG), (greedy, MANY), (greedy, LONG), (other, {**SURFACE, "epochs": 30})):
        checked = JobSpec.model_validate(spec)
        num_runs = len(Runs(checked))
        values = stored.draw(checked.epochs + 1, num_runs)
        owner_id = caller_of(owner, is_admin=False).id
        ids.append(stored.write(database, values, spec=checked, owner=owner_id).job.id)
    return Owned(greedy, other, *ids)


def attacks(owned: Owned) -> dict[str, list[str]]:
    """Give the paths of each attack, one for each client. A path that begins with a minus is read slowly."""
    big, many, long = (f"/v1/jobs/{job_id}" for job_id in (owned.big, owned.many, owned.long))
    kinds = {
        "comparisons": [f"{big}/comparison?target=0.{{n}}"],
        "plots": [f"{big}/plot.png?kind={kind}&width=1{{n}}" for kind in ("loss", "comparison", "heatmap")],
        "the same comparison": [f"{big}/comparison"],
        "Parquet": [f"{one}/metrics?format=parquet" for one in (big, many, long)],
        "JSON histories": [f"{many}/metrics?limit=500", f"{long}/metrics"],
        "slow readers": [f"-{big}/metrics?format=csv", f"-{long}/metrics", f"-{many}/metrics?format=parquet"],
    }
    kinds["all together"] = [path for paths in kinds.values() for path in paths]
    return {f"{NUM_CLIENTS} × {name}": _repeated(paths) for name, paths in kinds.items()}


def _repeated(paths: list[str]) -> list[str]:
    return [paths[number % len(paths)] for number in range(NUM_CLIENTS)]


def under(client: httpx.Client, pid: int, owned: Owned, paths: list[str]) -> dict[str, Any]:
    """Measure the requests of the other key during an attack."""
    client.headers["Authorization"] = f"Bearer {owned.other}"
    statuses, posts = list[float](), list[float]()
    with _greedy(client, owned.greedy, paths) as answers, Timer() as timer:
        comparison = _seconds(client, f"/v1/jobs/{owned.small}/comparison")
        while timer.seconds < SECONDS:
            statuses.append(_seconds(client, f"/v1/jobs/{owned.small}"))
            if timer.seconds > len(posts) * POST_PAUSE_SECONDS:
                posts.append(_seconds(client, "/v1/jobs", SMALL))
            time.sleep(STATUS_PAUSE_SECONDS)
    return {
        "GET status of another key, median (ms)": 1_000 * statistics.median(statuses),
        "GET status of another key, p99 (ms)": 1_000 * statistics.quantiles(statuses, n=100)[-1],
        "POST of another key, slowest (s)": max(posts),
        "small comparison of another key (s)": comparison,
        "answers to the greedy key, 200": answers.get("200", 0),
        "answers to the greedy key, others": sum(answers.values()) - answers.get("200", 0),
        "peak memory of the API (MB)": _peak_mb(pid),
    }


def _seconds(client: httpx.Client, path: str, body: Any = None) -> float:
    with Timer() as timer:
        answer = client.get(path) if body is None else client.post(path, json=body)
    answer.raise_for_status()
    return timer.seconds


@contextmanager
def _greedy(client: httpx.Client, key: str, paths: list[str]) -> Iterator[dict[str, int]]:
    """Run the clients of the greedy key; the answers are counted at the end."""
    answers: dict[str, int] = {}
    groups = {"0": [path for path in paths if path[0] != "-"], "1": [path[1:] for path in paths if path[0] == "-"]}
    address = client.base_url.netloc.decode()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.greedy", address, key, slow, *some],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for slow, some in groups.items()
        if some
    ]
    time.sleep(1.0)
    try:
        yield answers
    finally:
        for process in processes:
            for status, num in json.loads(process.communicate("")[0]).items():
                answers[status] = answers.get(status, 0) + num


def _peak_mb(pid: int) -> float:
    """Give the largest resident memory of a process so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
