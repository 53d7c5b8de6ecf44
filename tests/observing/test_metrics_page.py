"""The metrics at /metrics: bounded labels, and correct numbers for all workers."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from service.api.routes.page import VIEWS
from service.api.work_metrics import WorkMetrics
from service.database.connection import Database
from service.database.tables import Job, Tally
from service.jobs import lifecycle, shards, tallies
from service.jobs.dispatch import QUEUES, Dispatcher, Sweep
from service.jobs.owners import ANYBODY
from service.settings import Settings
from tests.keyed_api import SETTING
from tests.queued import create, expire
from tests.servers import Api, until, wait_for_job
from worker.runner import train_shard

OPTIMIZERS = [{"kind": "sgd", "lr": [0.01, 0.05]}]
SPEC = {"problem": {"kind": "flipnet"}, "optimizers": OPTIMIZERS, "epochs": 5}
Sample = tuple[str, frozenset[tuple[str, str]]]


def parsed(text: str) -> dict[Sample, float]:
    """Parse the text format with the parser of the Prometheus client."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(client: httpx.Client) -> dict[Sample, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return parsed(answer.text)


def value(samples: dict[Sample, float], name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


def of_the_database(database: Database) -> dict[Sample, float]:
    """The metrics of a new process."""
    families = WorkMetrics(database, QUEUES).collect()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.slow(after=1)
def test_what_a_job_trains_is_counted_exactly_once(database: Database) -> None:
    # A database of its own: the shared stack may train jobs of other tests at the same time.
    key = create(database, optimizers=OPTIMIZERS, epochs=5)
    # A chunk after each epoch.
    train_shard(database, Settings(flush_seconds=1e-9), key, 0)
    samples = of_the_database(database)
    assert value(samples, "ravine_jobs", status="completed") == 1
    assert value(samples, "ravine_run_epochs_total") == 10
    # The untrained start of each run is a row too.
    assert value(samples, "ravine_rows_total") == 12
    # The deletion of a job does not change counters.
    with database.transaction() as session:
        lifecycle.remove(session, session.get_one(Job, key).id, ANYBODY)
    assert value(of_the_database(database), "ravine_run_epochs_total") == 10


def test_requests_are_counted_by_template_method_and_status(client: httpx.Client) -> None:
    labels = {"method": "GET", "route": "/v1/jobs/{job_id}", "status": "404"}
    name = "ravine_http_request_duration_seconds_count"
    before = value(scraped(client), name, **labels)
    for number in range(3):
        client.get(f"/v1/jobs/nobody-{number}")
    assert value(scraped(client), name, **labels) == before + 3


@pytest.mark.slow(after=1)
def test_unknown_paths_and_methods_make_no_new_labels(client: httpx.Client) -> None:
    for method in ("PROPFIND", "MKCOL"):
        client.get(f"/invented/{method}")
        client.request(method, "/v1/jobs")
    samples = scraped(client)
    methods = {label for _, labels in samples for name, label in labels if name == "method"}
    routes = {label for _, labels in samples for name, label in labels if name == "route"}
    assert "(other)" in methods
    assert methods <= {"(other)", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    assert "(none)" in routes
    document = client.get("/openapi.json").json()
    page = {"/page/{version}/{name:path}", *VIEWS}
    assert routes <= {"(none)", "/openapi.json", "/docs", "/docs/{name}", *document["paths"], *page}


@pytest.mark.slow(after=1)
def test_transactions_are_timed_by_kind(client: httpx.Client) -> None:
    name = "ravine_database_transaction_duration_seconds_count"
    before = scraped(client)
    # Its end is awaited, so that no other test counts its transactions.
    wait_for_job(client, client.post("/v1/jobs", json=SPEC).json()["id"])
    after = scraped(client)
    for kind in ("read", "write"):
        assert value(after, name, kind=kind) > value(before, name, kind=kind), kind


def test_queues_have_the_number_and_the_age_of_waiting_shards(database: Database) -> None:
    assert value(of_the_database(database), "ravine_oldest_queued_shard_age_seconds", queue="interactive") == 0
    create(database)
    key = create(database)
    with database.transaction() as session:
        shards.claim(session, key, 0, lease_seconds=60, receipt={})
    until(lambda: value(of_the_database(database), "ravine_oldest_queued_shard_age_seconds", queue="interactive") > 0.1)
    samples = of_the_database(database)
    assert value(samples, "ravine_shards", queue="interactive", status="queued") == 1
    assert value(samples, "ravine_shards", queue="interactive", status="running") == 1
    assert value(samples, "ravine_shards", queue="batch", status="queued") == 0
    assert value(samples, "ravine_jobs", status="queued") == 1
    assert value(samples, "ravine_jobs", status="running") == 1
    assert value(samples, "ravine_jobs", status="completed") == 0


def test_lost_leases_and_retries_are_counted_and_stay(database: Database, broker_url: str) -> None:
    key = create(database)
    settings = Settings(broker_url=broker_url)
    dispatcher = Dispatcher(settings)
    with database.transaction() as session:
        shards.claim(session, key, 0, lease_seconds=60, receipt={})
    expire(database)
    Sweep(database, dispatcher, settings).once()
    dispatcher.close()
    with database.transaction() as session:
        shards.claim(session, key, 0, lease_seconds=60, receipt={})
        job_id = session.execute(select(Job.id).where(Job.key == key)).scalar_one()
        lifecycle.cancel(session, job_id, ANYBODY)
    samples = of_the_database(database)
    assert value(samples, "ravine_leases_lost_total") == 1
    assert value(samples, "ravine_shards_retried_total") == 1


def test_processes_with_slots_of_their_own_add_to_one_counter(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slot in (0, 1, 1):
        monkeypatch.setattr(tallies, "SLOT", slot)
        with database.transaction() as session:
            tallies.add(session, rows=2, run_epochs=0)
    with database.snapshot() as session:
        assert session.execute(select(Tally.name, Tally.slot, Tally.value).order_by(Tally.slot)).all() == [
            ("rows", 0, 2), ("rows", 1, 4),
        ]  # fmt: skip
    assert value(of_the_database(database), "ravine_rows_total") == 6


def test_what_is_rolled_back_is_not_counted(database: Database) -> None:
    with suppress(RuntimeError), database.transaction() as session:
        tallies.add(session, rows=7)
        raise RuntimeError
    assert value(of_the_database(database), "ravine_rows_total") == 0


def test_the_tables_are_read_once_a_second_at_most(database: Database) -> None:
    work = WorkMetrics(database, QUEUES)

    def waiting() -> float:
        return next(family.samples[0].value for family in work.collect() if family.name == "ravine_shards")

    assert waiting() == 0
    create(database)
    assert waiting() == 0
    until(lambda: waiting() == 1)


def test_an_unavailable_database_is_a_metric_and_no_error(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    assert of_the_database(database) == {("ravine_database_up", frozenset()): 0.0}
    database.close()


def test_metrics_require_an_admin_key_if_keys_are_required(
    new_database: Callable[[str], str], broker_url: str, tmp_path: Path
) -> None:
    url = new_database("sqlite")
    from service.jobs import owners

    database = Database(url)
    with database.transaction() as session:
        _, owner = owners.create(session, "owner")
    database.close()
    with Api(url, broker_url, tmp_path, env={"RAVINE_API_KEY": SETTING}) as api:
        key_headers = {key: {"Authorization": f"Bearer {key}"} for key in (owner, SETTING)}
        assert httpx.get(f"{api.url}/metrics", trust_env=False).status_code == 401
        refused = httpx.get(f"{api.url}/metrics", headers=key_headers[owner], trust_env=False)
        assert refused.status_code == 403
        assert "admin" in refused.json()["detail"]
        assert httpx.get(f"{api.url}/metrics", headers=key_headers[SETTING], trust_env=False).status_code == 200
