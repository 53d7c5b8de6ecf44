"""Rate and p99 of reads with one and with two API processes behind nginx, on PostgreSQL.

nginx runs with deploy/nginx.conf, without TLS. The clients, nginx, the APIs and PostgreSQL share the machine, so a
second API uses what the others leave idle.
"""

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from benchmarks import stored
from service.database.connection import Database
from service.database.migrations import migrate
from tests.nginx import Nginx, find_missing
from tests.postgres import Postgres
from tests.servers import Api, Broker

NUM_CLIENTS = 64
# Rounds of each number of APIs; they alternate, so that other load of the machine affects both.
ROUNDS, ROUND_SECONDS = 3, 4.0


def measure() -> dict[str, Any]:
    """Poll the status and read the histories of a small job through nginx."""
    if missing := find_missing():
        return {f"behind nginx: not measured, because it is not installed: {missing}": 0}
    key = secrets.token_hex(32)
    environment = {"RAVINE_API_KEY": key, "RAVINE_MAX_CONNECTIONS_PER_ADDRESS": "4096"}
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="ravine-bench-")))
        postgres, broker = Postgres(), Broker(folder)
        resources.callback(postgres.stop)
        resources.callback(broker.stop)
        url = postgres.create_database()
        migrate(url)
        with closing(Database(url)) as database:
            job = stored.write(database, stored.draw(31, 2)).job
        folders = [folder / name for name in ("api-1", "api-2", "nginx-1", "nginx-2")]
        for one in folders:
            one.mkdir()
        apis = [resources.enter_context(Api(url, broker.new_url(), one, env=environment)) for one in folders[:2]]
        proxies = {
            num: resources.enter_context(Nginx([api.port for api in apis[:num]], one, has_tls=False))
            for num, one in enumerate(folders[2:], 1)
        }
        urls = {num: proxy.url for num, proxy in proxies.items()}
        return _compare(urls, "a status", f"/v1/jobs/{job.id}", key) | _compare(
            urls, "histories of 62 rows", f"/v1/jobs/{job.id}/metrics", key
        )


def _compare(urls: Mapping[int, str], what: str, path: str, key: str) -> dict[str, Any]:
    """Read a path from many clients in rounds, in turn with each number of APIs; give medians over the rounds."""
    polled: dict[int, list[dict[str, Any]]] = {num: [] for num in urls}
    for _ in range(ROUNDS):
        for num, url in urls.items():
            polled[num].append(_poll(url, path, key))
    figures: dict[str, Any] = {}
    for num, rounds in polled.items():
        name = f"{what}, {NUM_CLIENTS} clients, {num} API{'s' if num > 1 else ''} behind nginx"
        figures[f"{name}: answers per second"] = statistics.median(one["per_second"] for one in rounds)
        figures[f"{name}: p99 (ms)"] = statistics.median(one["p99"] for one in rounds)
    ratios = [two["per_second"] / one["per_second"] for one, two in zip(polled[1], polled[2], strict=True)]
    figures[f"{what}: rate of two APIs, share of one's (%)"] = 100 * statistics.median(ratios)
    return figures


def _poll(url: str, path: str, key: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.poller", url, str(NUM_CLIENTS), str(ROUND_SECONDS), "0", path]
    environment = {**os.environ, "RAVINE_API_KEY": key}
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    polled = json.loads(ended.stdout)
    assert set(polled["answers"]) == {"200"}, polled["answers"]
    return dict(polled)
