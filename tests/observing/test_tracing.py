"""Traces, sent to a collector on the loopback address: one trace covers the POST and the shards."""

import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service.database.connection import Database
from service.jobs import lifecycle
from service.observing import tracing
from service.settings import Settings
from tests.queued import create
from tests.servers import PATIENCE, Broker, Stack, until, wait_for_job

SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}


class Collector:
    """Receives spans as OTLP over HTTP, as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
                        process = next(
                            one.value.string_value for one in sent.resource.attributes if one.key == "service.name"
                        )
                        spans.extend((process, span) for scope in sent.scope_spans for span in scope.spans)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def of_trace(self, trace_id: str) -> dict[str, tuple[str, Span]]:
        """The spans of a trace by name, each with the name of the process that sent it."""
        return {span.name: (process, span) for process, span in list(self.spans) if span.trace_id.hex() == trace_id}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with closing(Collector()) as collector:
        yield collector


@pytest.fixture(scope="module")
def traced(
    collector: Collector, new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack that sends its spans ten times a second."""
    env = {"RAVINE_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100", "RAVINE_SWEEP_SECONDS": "0.2"}
    folder = tmp_path_factory.mktemp("traced")
    with Stack(new_database("sqlite"), broker.new_url(), folder, has_interactive=False, env=env) as stack:
        yield stack


def traceparent() -> tuple[str, str]:
    """A trace id of a client, and its header traceparent."""
    trace_id = secrets.token_hex(16)
    return trace_id, f"00-{trace_id}-{secrets.token_hex(8)}-01"


@pytest.mark.slow
def test_one_trace_covers_the_post_and_the_shard(traced: Stack, collector: Collector) -> None:
    trace_id, sent = traceparent()
    with traced.client() as client:
        job = client.post("/v1/jobs", json=SPEC, headers={"traceparent": sent}).json()
        wait_for_job(client, job["id"])
    until(lambda: len(collector.of_trace(trace_id)) == 2)
    spans = collector.of_trace(trace_id)
    api, request = spans["POST /v1/jobs"]
    worker, shard = spans["train shard"]
    assert (api, worker) == ("ravine-api", "ravine-worker")
    assert shard.parent_span_id == request.span_id
    assert request.parent_span_id.hex() == sent.split("-")[2]
    known = {one.key: one.value.string_value or one.value.int_value for one in shard.attributes}
    assert known["ravine.job"] == job["id"]
    assert known["ravine.attempt"] == 1


def test_the_trace_survives_a_lost_message(traced: Stack, collector: Collector) -> None:
    trace_id, sent = traceparent()
    database = Database(traced.database_url)
    with traced.client() as client:
        # As after a POST whose message was lost.
        key = create(database)
        with database.transaction() as session:
            job = session.get_one(lifecycle.Job, key)
            job.traceparent = sent
            job_id = job.id
        wait_for_job(client, job_id)
    database.close()
    until(lambda: "train shard" in collector.of_trace(trace_id))
    _, shard = collector.of_trace(trace_id)["train shard"]
    assert shard.parent_span_id.hex() == sent.split("-")[2]


def test_without_a_collector_nothing_is_traced() -> None:
    tracing.configure(Settings(), "api")
    with tracing.request_span({"traceparent": traceparent()[1]}):
        assert tracing.carrier() == {}


def test_a_missing_extra_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(tracing.TracingMissing, match=r"ravine\[tracing\]"):
        tracing.configure(Settings(otlp_endpoint="http://127.0.0.1:4318"), "api")


@pytest.mark.slow
def test_processes_stop_soon_although_the_collector_is_unavailable(
    traced: Stack, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last test of this file, because it ends processes that the others share.
    collector.close()
    with traced.client() as client:
        wait_for_job(client, client.post("/v1/jobs", json=SPEC).json()["id"])
    # No process has to be killed, also on a busy machine.
    monkeypatch.setattr("service.cli.local.supervisor.STOP_SECONDS", PATIENCE)
    began = time.monotonic()
    traced.stop()
    assert time.monotonic() - began < PATIENCE / 3
