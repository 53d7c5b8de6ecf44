"""Two APIs behind one address: nginx with deploy/nginx.conf, `ravine serve` twice on PostgreSQL, and workers."""

import os
import secrets
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import httpx
import pytest

from service.cli.local.commands import BATCH, INTERACTIVE, workers_command
from service.cli.local.console import Console
from tests.nginx import HOST, Nginx, find_missing
from tests.servers import Api, Broker, end_now, is_up, until, wait_for_job
from tests.template import TemplateSupervisor

KEY = secrets.token_hex(32)
NUM_CLIENTS = 8
SMALL = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}
# Several seconds of training on one core, with rows every half second.
LONG = {**SMALL, "seeds": {"count": 20}, "epochs": 4_000, "record_every": 20}


class Proxied(NamedTuple):
    """Both APIs, and a client of nginx in front of them."""

    apis: list[Api]
    client: httpx.Client
    nginx: Nginx


@pytest.fixture(scope="module")
def proxied(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    """nginx, two APIs and two training processes."""
    if missing := find_missing():
        if os.environ.get("RAVINE_NEEDS_NGINX"):
            pytest.fail(f"{missing} is not installed, and RAVINE_NEEDS_NGINX is set")
        pytest.skip(f"{missing} is not installed")
    urls = {"RAVINE_DATABASE_URL": new_database("postgresql"), "RAVINE_BROKER_URL": broker.new_url()}
    env = {"RAVINE_API_KEY": KEY, "RAVINE_ALLOWED_HOSTS": HOST, "RAVINE_MAX_CONNECTIONS_PER_ADDRESS": "4096"}
    with ExitStack() as resources:
        apis = [
            resources.enter_context(Api(*urls.values(), tmp_path_factory.mktemp(f"api-{number}"), env=env))
            for number in (1, 2)
        ]
        workers = TemplateSupervisor(tmp_path_factory.mktemp("workers"), Console())
        resources.callback(end_now, workers)
        workers.run("workers", workers_command({"interactive": (INTERACTIVE, 1), "batch": (BATCH, 1)}), env=urls)
        nginx = resources.enter_context(Nginx([api.port for api in apis], tmp_path_factory.mktemp("nginx")))
        yield Proxied(apis, resources.enter_context(nginx.client(KEY)), nginx)


def post(client: httpx.Client, spec: dict[str, Any]) -> str:
    return str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])


@pytest.mark.slow
def test_events_arrive_within_a_second_while_the_job_trains(proxied: Proxied) -> None:
    # Small events: a large one fills a buffer, which is then sent.
    job_id = post(proxied.client, {**LONG, "seeds": [1], "epochs": 12_000, "record_every": 400})
    arrived: dict[str, dict[str, float]] = {"nginx": {}, "API": {}}

    def follow(who: str, client: httpx.Client) -> None:
        with client.stream("GET", f"/v1/jobs/{job_id}/events", params={"fields": "loss"}) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    arrived[who].setdefault(line, time.monotonic())

    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=proxied.apis[0].url, headers=headers, trust_env=False, timeout=60) as direct:
        threads = [
            threading.Thread(target=follow, args=arguments)
            for arguments in (("nginx", proxied.client), ("API", direct))
        ]
        for thread in threads:
            thread.start()
        until(lambda: min(map(len, arrived.values())) >= 5)
        assert proxied.client.get(f"/v1/jobs/{job_id}").json()["status"] == "running"
        proxied.client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
        for thread in threads:
            thread.join(timeout=60)
    both = set(arrived["nginx"]) & set(arrived["API"])
    assert len(both) >= 3
    # A buffer would hold several events back, and release them together.
    assert statistics.median(arrived["nginx"][one] - arrived["API"][one] for one in both) < 1.0


@pytest.mark.slow
def test_no_poll_fails_when_an_api_is_killed_and_the_job_ends(proxied: Proxied) -> None:
    job_id = post(proxied.client, {**LONG, "epochs": 1_500})
    polls, broken = list[int](), list[str]()
    stops = threading.Event()

    def poll() -> None:
        with proxied.nginx.client(KEY) as client:
            while not stops.is_set():
                try:
                    polls.append(client.get(f"/v1/jobs/{job_id}").status_code)
                except httpx.RemoteProtocolError as error:
                    broken.append(str(error))

    victim = proxied.apis[0]
    with ThreadPoolExecutor(NUM_CLIENTS) as pool:
        ended = [pool.submit(poll) for _ in range(NUM_CLIENTS)]
        try:
            until(lambda: len(polls) >= 100)
            assert victim.pid
            os.kill(victim.pid, signal.SIGKILL)
            after = len(polls)
            until(lambda: len(polls) >= after + 200)
            # Its supervisor starts it again, and nginx uses it again.
            until(lambda: is_up(victim.url))
            back = len(polls)
            until(lambda: len(polls) >= back + 200)
        finally:
            stops.set()
        for one in ended:
            one.result()
    assert set(polls) == {200}
    # An answer that was cut off in the middle of its body, which no proxy can repeat.
    assert len(broken) <= 1
    assert wait_for_job(proxied.client, job_id, timeout=120)["status"] == "completed"


@pytest.mark.slow
def test_both_apis_answer_and_know_the_same_jobs_and_keys(proxied: Proxied) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    ids = list[str]()

    def metrics(api: Api) -> str:
        return httpx.get(f"{api.url}/metrics", headers=headers, trust_env=False).text

    def both_have_accepted_jobs() -> bool:
        # An API that did not answer a moment ago is left out for seconds.
        with ThreadPoolExecutor(NUM_CLIENTS) as pool:
            ids.extend(pool.map(lambda _: post(proxied.client, SMALL), range(NUM_CLIENTS)))
        return all('method="POST",route="/v1/jobs",status="202"' in metrics(api) for api in proxied.apis)

    until(both_have_accepted_jobs)
    for job_id in ids:
        assert wait_for_job(proxied.client, job_id)["status"] == "completed"
    for api in proxied.apis:
        with httpx.Client(base_url=api.url, headers=headers, trust_env=False) as direct:
            assert {direct.get(f"/v1/jobs/{job_id}").json()["status"] for job_id in ids} == {"completed"}


def test_requests_without_a_key_or_with_another_host_are_refused(proxied: Proxied) -> None:
    client = proxied.client
    assert client.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/v1/jobs", headers={"Host": "other.example.org"}).status_code == 400
    page = {"Origin": "https://other.example.org", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/v1/jobs", json=SMALL, headers=page).status_code == 403
    assert client.post("/v1/jobs", json=SMALL, headers={"Origin": f"https://{HOST}"}).status_code == 202


def test_limits_are_answered_by_the_api(proxied: Proxied) -> None:
    client = proxied.client
    too_large = client.post("/v1/jobs", content=b" " * 1_500_000, headers={"Content-Type": "application/json"})
    assert (too_large.status_code, too_large.headers["content-type"]) == (413, "application/problem+json")
    long_url = client.get("/v1/jobs", params={"name": "x" * 20_000})
    assert (long_url.status_code, long_url.headers["content-type"]) == (414, "application/problem+json")
    assert client.get("/v1/jobs", params={"name": "x" * 100}).status_code == 200
    assert "max-age" in client.get("/healthz").headers["strict-transport-security"]
