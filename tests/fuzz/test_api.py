"""Random requests to the API are answered as documented in its OpenAPI document, and never with 5xx.

By default about a hundred requests on PostgreSQL, which refuses more; `make fuzz` sends thousands on each database
(RAVINE_FUZZ_REQUESTS).
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from service.database.connection import Database
from service.database.ids import split_run_id
from service.database.tables import Job
from service.jobs.owners import create
from service.settings import Settings
from tests.servers import Api, Broker
from worker.runner import train_shard

REQUESTS = int(os.environ.get("RAVINE_FUZZ_REQUESTS", "100"))
# Requests of one round for each operation and phase; few by default, so that a round is short.
EXAMPLES = 5 if REQUESTS < 1_000 else 60
CONFIG = Path(__file__).with_name("schemathesis.toml")
SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}
# Limits the size of random jobs, so that their rows do not fill the disk.
SMALL = {"RAVINE_MAX_RUNS": "2000", "RAVINE_MAX_OPEN_JOBS": "1000000"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.thorough), "postgresql"])
def test_every_answer_is_a_documented_one_and_none_is_5xx(
    kind: str, new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    url = new_database(kind)
    database = Database(url)
    with database.transaction() as session:
        key = create(session, "fuzzer")[1]
    with Api(url, broker.new_url(), tmp_path, env=SMALL) as api:
        header = {"Authorization": f"Bearer {key}"}
        job = httpx.post(f"{api.url}/v1/jobs", json=SPEC, headers=header, trust_env=False).raise_for_status().json()
        with database.snapshot() as session:
            job_key = session.query(Job.key).filter(Job.id == job["id"]).scalar()
        train_shard(database, Settings(), job_key, 0)
        database.close()
        run = httpx.get(f"{api.url}/v1/jobs/{job['id']}/runs", headers=header, trust_env=False).json()["items"][0]
        assert run["status"] == "completed"
        num_requests, seed = 0, 1
        while num_requests < REQUESTS / 2:
            num_requests += run_schemathesis(api.url, key, run["id"], seed, tmp_path)
            seed += 1
        print(f"{kind}: {num_requests:,} requests")
        assert "Traceback" not in api.log()


def run_schemathesis(url: str, key: str, run: str, seed: int, folder: Path) -> int:
    """Run schemathesis once, and give the number of its requests."""
    # The coverage phase sends the same requests each time, and takes the longest.
    phases = "examples,coverage,fuzzing,stateful" if seed == 1 and REQUESTS >= 1_000 else "fuzzing,stateful"
    answer = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG), "run", f"{url}/openapi.json"),
            *("--header", f"Authorization: Bearer {key}", "--phases", phases, "--max-examples", str(EXAMPLES)),
            *("--seed", str(seed), "--no-color", "--suppress-health-check", "all", "--request-timeout", "30"),
        ],
        cwd=folder,
        env={**os.environ, "RAVINE_FUZZ_RUN": run, "RAVINE_FUZZ_JOB": split_run_id(run)[0]},
        capture_output=True,
        text=True,
        timeout=3_000,
        check=False,
    )
    output = "\n".join(line[:300] for line in answer.stdout.splitlines()[-120:])
    assert answer.returncode == 0, output + answer.stderr[-2_000:]
    found = re.search(r"([\d,]+) generated", answer.stdout)
    assert found, answer.stdout[-2_000:]
    return int(found[1].replace(",", ""))
