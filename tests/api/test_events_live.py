"""Event streams over HTTP: during the training, after a reconnection, late, slow, and at the end of the process."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

from service.database.connection import Database
from service.database.ids import split_run_id
from tests.api.sockets import ask_for_events, connect, read_until
from tests.servers import PATIENCE, Api, Broker, Stack, until
from tests.stored import Stored

Row = tuple[int, int]


class Event(NamedTuple):
    name: str
    id: str
    data: Any


def events_in(lines: Iterator[str]) -> Iterator[Event]:
    """Parse a stream of server-sent events, as far as this API uses the standard."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "data" in fields:
                yield Event(fields["event"], fields["id"], json.loads(fields["data"], parse_constant=pytest.fail))
            fields = {}


@contextmanager
def watching(client: httpx.Client, job_id: str, last: str | None = None, **query: Any) -> Iterator[Iterator[Event]]:
    headers = {"Last-Event-ID": last} if last else {}
    with client.stream("GET", f"/v1/jobs/{job_id}/events", params=query, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events_in(answer.iter_lines())


def rows_of(event: Event) -> list[Row]:
    return [(split_run_id(run["run_id"])[1], epoch) for run in event.data["runs"] for epoch in run["epoch"]]


def test_a_stream_covers_a_job_from_queued_to_its_end(client: httpx.Client) -> None:
    spec = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.1}], "seeds": [1, 2], "epochs": 30}
    job_id = client.post("/v1/jobs", json=spec).raise_for_status().json()["id"]
    with watching(client, job_id) as stream:
        events = list(stream)
    statuses = [event.data["status"] for event in events if event.name == "status"]
    assert statuses == [one for one in ("queued", "running", "completed") if one in statuses]
    assert statuses[-1] == "completed"
    sent = [row for event in events if event.name == "metrics" for row in rows_of(event)]
    assert sorted(sent) == [(run, epoch) for run in (0, 1) for epoch in range(31)]
    assert [event.data["fraction"] for event in events if event.name == "progress"][-1] == 1.0
    assert events[-1].name == "end"
    assert events[-1].data == client.get(f"/v1/jobs/{job_id}").json()
    history = client.get(f"/v1/jobs/{job_id}/metrics").json()["runs"][0]
    parts = [event.data["runs"][0] for event in events if event.name == "metrics"]
    assert [loss for part in parts for loss in part["loss"]] == history["loss"]
    assert set(parts[0]) == set(history) - {"total_points", "returned_points"}


def test_reconnecting_after_any_event_gives_neither_gap_nor_repeat(
    client: httpx.Client, stack_database: Database
) -> None:
    stored = Stored(stack_database)
    sent: list[Row] = []
    last = ""

    def connect_and_leave_after_rows(**query: str) -> bool:
        """Whether the stream ended before any rows."""
        nonlocal last
        with watching(client, stored.id, None if query else last, fields="loss", **query) as stream:
            for event in stream:
                last = event.id
                if event.name == "metrics":
                    sent.extend(rows_of(event))
                    return False
        return True

    for shard, num_epochs in [(2, 1), (0, 3), (1, 10), (0, 1), (2, 4)]:
        stored.store(shard, num_epochs)
        # Some reconnections use the header, others the query.
        assert not connect_and_leave_after_rows(**({"last_event_id": last} if shard == 0 else {}))
    stored.finish()
    while not connect_and_leave_after_rows():
        pass
    assert sorted(sent) == stored.rows()
    assert len(sent) == len(set(sent))


def test_reconnecting_after_the_event_end_is_answered_204(client: httpx.Client, stack_database: Database) -> None:
    stored = Stored(stack_database)
    stored.finish()
    with watching(client, stored.id) as stream:
        end = list(stream)[-1]
    assert end.name == "end"
    # The status after which a browser does not reconnect.
    answer = client.get(f"/v1/jobs/{stored.id}/events", headers={"Last-Event-ID": end.id})
    assert answer.status_code == 204
    other = Stored(stack_database)
    assert client.get(f"/v1/jobs/{other.id}/events?last_event_id={end.id}").status_code == 400
    other.finish()


@pytest.mark.slow(after=1)
def test_a_late_reader_gets_all_rows_then_the_end(client: httpx.Client, stack_database: Database) -> None:
    stored = Stored(stack_database, epochs=1_500)
    stored.finish()
    with watching(client, stored.id, fields="loss") as stream:
        events = list(stream)
    sent = [row for event in events if event.name == "metrics" for row in rows_of(event)]
    assert sorted(sent) == stored.rows()
    assert len([event for event in events if event.name == "metrics"]) > 2
    assert events[0].data == {"status": "completed"}
    assert [event.name for event in events].index("end") == len(events) - 1


def test_events_are_chosen_by_run_label_field_and_thinned(client: httpx.Client, stack_database: Database) -> None:
    stored = Stored(stack_database, epochs=500)
    stored.finish()
    with watching(client, stored.id, fields="loss,momentum", labels="b", runs="1,4", max_points=20) as stream:
        parts = [run for event in stream if event.name == "metrics" for run in event.data["runs"]]
    assert {split_run_id(part["run_id"])[1] for part in parts} == {4}
    assert set(parts[0]) == {"run_id", "label", "seed", "epoch", "loss", "momentum"}
    assert parts[0]["epoch"][0] == 0
    assert parts[-1]["epoch"][-1] == 500
    assert sum(len(part["epoch"]) for part in parts) <= 25
    assert parts[0]["momentum"] == [None] * len(parts[0]["epoch"])
    wrong = client.get(f"/v1/jobs/{stored.id}/events", params={"fields": "hope"})
    assert wrong.status_code == 422
    assert client.get(f"/v1/jobs/{stored.id}/events?runs=99").status_code == 422
    assert client.get("/v1/jobs/01a1fd99-6a5f-75de-861f-50b300000000/events").status_code == 404


def test_nan_infinities_and_minus_zero_are_distinguished(client: httpx.Client, stack_database: Database) -> None:
    values = [1e308, -0.0, None, float("inf"), float("-inf"), float("nan")]
    stored = Stored(stack_database, epochs=5, seeds=[0], loss=lambda run, epoch: values[epoch])
    stored.finish()
    with client.stream("GET", f"/v1/jobs/{stored.id}/events?fields=loss&runs=0") as answer:
        event = next(event for event in events_in(answer.iter_lines()) if event.name == "metrics")
    # Compared as text, because −0 equals 0.
    assert repr(event.data["runs"][0]["loss"]) == "[1e+308, -0.0, None, 'Infinity', '-Infinity', 'NaN']"


def test_a_deleted_job_ends_its_streams(client: httpx.Client, stack_database: Database) -> None:
    spec = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.1}], "epochs": 30}
    stored = Stored(stack_database, **spec)
    with watching(client, stored.id) as stream:
        assert next(stream).data == {"status": "running"}
        with stack_database.transaction() as session:
            # As after a time to live; over HTTP a running job must be cancelled before it is deleted.
            from sqlalchemy import delete

            from service.database.tables import Job

            session.execute(delete(Job).where(Job.key == stored.job.key))
        assert all(event.name != "end" for event in stream)
    assert client.get(f"/v1/jobs/{stored.id}/events").status_code == 404


@pytest.mark.slow
def test_a_client_that_reads_nothing_does_not_delay_others(
    stack: Stack, client: httpx.Client, stack_database: Database
) -> None:
    stored = Stored(stack_database, epochs=15_000)
    api = psutil.Process(stack.processes["api"].pid)
    with ExitStack() as streams:
        idle = [streams.enter_context(closing(connect(stack.url))) for _ in range(20)]
        for reader in idle:
            ask_for_events(reader, stored.id)
        before = api.memory_info().rss
        stored.finish()
        started = time.monotonic()
        with watching(client, stored.id, fields="loss") as stream:
            sent = sum(len(rows_of(event)) for event in stream if event.name == "metrics")
        assert sent == 6 * 15_001
        assert time.monotonic() - started < PATIENCE
        # All rows would be six megabytes for each of them.
        assert api.memory_info().rss - before < 80e6
        # A client that reads again receives all rows.
        with idle[0].makefile("r", encoding="utf-8", newline="\n") as lines:
            rows: list[Row] = []
            for event in events_in(line.rstrip("\r\n") for line in lines if not _is_chunk_size(line)):
                if event.name == "end":
                    break
                rows += rows_of(event) if event.name == "metrics" else []
        assert len(rows) == len(set(rows)) == 6 * 15_001


@pytest.mark.slow
def test_sigterm_ends_a_hundred_streams_and_the_process(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    with Api(new_database("sqlite"), broker.new_url(), tmp_path) as api, ExitStack() as streams:
        database = Database(api.database_url)
        streams.callback(database.close)
        stored = Stored(database)
        readers = [streams.enter_context(closing(connect(api.url))) for _ in range(100)]
        for reader in readers:
            ask_for_events(reader, stored.id)
        stored.store(0, 5)
        for reader in readers:
            read_until(reader, b"event: metrics")
        process = psutil.Process(api.pid)
        process.send_signal(signal.SIGTERM)
        for reader in readers:
            # The end of a chunked body: the stream was closed, not interrupted.
            read_until(reader, b"0\r\n\r\n")
        until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def _is_chunk_size(line: str) -> bool:
    """Whether a line is the size of a chunk, which belongs to the transfer and not to the events."""
    return line.endswith("\r\n")
