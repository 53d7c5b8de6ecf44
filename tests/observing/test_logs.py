"""The log: one JSON object per line, with the context of the request or shard, and without secrets."""

import io
import itertools
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from service.cli.local.console import Console
from service.observing import logs
from service.settings import Settings
from tests.servers import Stack, until, wait_for_job

SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def same_root() -> Iterator[None]:
    """Restore the root logger, which has handlers of pytest."""
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, logging.getLogger("ravine").level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("ravine").setLevel(ours)


@pytest.fixture
def folder(stack: Stack) -> Path:
    """Folder of the log files of the shared stack."""
    return stack.log_dir


def lines(folder: Path, process: str) -> list[dict[str, Any]]:
    """Read the log of a process from the first JSON line on; Celery may print a warning before it."""
    printed = (folder / f"{process}.log").read_text().splitlines(keepends=True)
    ours = itertools.dropwhile(lambda line: not line.startswith("{"), printed)
    return [json.loads(line) for line in ours if line.endswith("\n")]


def test_lines_of_other_libraries_are_json_with_the_bound_context() -> None:
    stream = io.StringIO()
    logs.configure(Settings(), stream)
    with bound_contextvars(job="j", shard=3):
        logging.getLogger("somebody.else").warning("%s is slow", "the disk")
    said = json.loads(stream.getvalue())
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "event": "the disk is slow", "level": "warning", "logger": "somebody.else", "job": "j", "shard": 3,
    }  # fmt: skip


def test_a_traceback_is_one_line_of_json() -> None:
    stream = io.StringIO()
    logs.configure(Settings(log_format="json"), stream)
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("ravine.test").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: first\nsecond" in json.loads(line)["exception"]


@pytest.mark.parametrize(
    ("log_format", "stream", "is_json"),
    [
        ("auto", Terminal(), False),
        ("auto", io.StringIO(), True),
        ("json", Terminal(), True),
        ("console", io.StringIO(), False),
    ],
)
def test_a_terminal_gets_readable_text(log_format: Any, stream: io.StringIO, is_json: bool) -> None:
    logs.configure(Settings(log_format=log_format), stream)
    logging.getLogger("ravine.test").info("hello")
    assert "hello" in stream.getvalue()
    assert stream.getvalue().startswith("{") is is_json


def test_the_level_is_that_of_the_setting() -> None:
    stream = io.StringIO()
    logs.configure(Settings(log_level="WARNING"), stream)
    logging.getLogger("ravine.test").info("not wanted")
    logging.getLogger("ravine.test").warning("wanted")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["wanted"]


def test_the_migration_library_logs_warnings_only() -> None:
    stream = io.StringIO()
    logs.configure(Settings(log_format="json"), stream)
    logging.getLogger("alembic.runtime.migration").info("Context impl SQLiteImpl.")
    assert stream.getvalue() == ""


def test_checks_of_readiness_log_nothing(stack: Stack, folder: Path) -> None:
    sent = f"after-the-checks.{id(stack)}"
    with stack.client() as client:
        num_before = len(lines(folder, "api"))
        for _ in range(3):
            client.get("/readyz").raise_for_status()
        # The line of this request follows all lines of those before.
        client.get("/v1/jobs/nobody", headers={"X-Request-ID": sent})
    until(lambda: any(line.get("request_id") == sent for line in lines(folder, "api")))
    new = lines(folder, "api")[num_before:]
    assert [line for line in new if line.get("route") == "/readyz" or "alembic" in line["logger"]] == []


def test_a_request_is_logged_by_its_template_and_its_id_comes_back(stack: Stack, folder: Path) -> None:
    with stack.client() as client:
        answer = client.post("/v1/jobs/no-such-job/cancel", headers={"X-Request-ID": f"mine.{id(stack)}"})
    request_id = answer.headers["x-request-id"]
    assert request_id == f"mine.{id(stack)}"
    until(lambda: any(line.get("request_id") == request_id for line in lines(folder, "api")))
    (noted,) = [line for line in lines(folder, "api") if line.get("request_id") == request_id]
    assert noted["event"] == "request"
    assert (noted["method"], noted["route"], noted["status"]) == ("POST", "/v1/jobs/{job_id}/cancel", 404)
    assert 0 < noted["seconds"] < 30


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, "naïve"])
def test_an_invalid_request_id_is_replaced(stack: Stack, sent: str) -> None:
    with stack.client() as client:
        made = client.get("/healthz", headers={"X-Request-ID": sent.encode()}).headers["x-request-id"]
    assert made != sent
    assert len(made) == 32


def test_a_worker_logs_job_shard_attempt_and_its_name(stack: Stack, folder: Path) -> None:
    with stack.client() as client:
        job = client.post("/v1/jobs", json=SPEC).json()
        wait_for_job(client, job["id"])

    def claims() -> list[dict[str, Any]]:
        return [line for line in lines(folder, "workers") if line.get("job") == job["id"]]

    until(lambda: bool(claims()))
    claimed = claims()[0]
    assert (claimed["shard"], claimed["attempt"]) == (0, 1)
    assert claimed["worker"].split("@")[0] in {"interactive", "batch"}


def test_neither_bodies_nor_query_strings_are_logged(stack: Stack, folder: Path) -> None:
    with stack.client() as client:
        client.post("/v1/jobs", json={"hush": "secret-body"})
        answer = client.post("/v1/jobs?hush=secret-query", content=b"secret-body")
    request_id = answer.headers["x-request-id"]
    until(lambda: any(line.get("request_id") == request_id for line in lines(folder, "api")))
    assert "secret" not in (folder / "api.log").read_text()


def test_the_console_of_the_stack_shows_json_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.line("api", logs.line("info", "all is well"))
    console.line("api", logs.line("error", "it broke", job="abc", exception="Traceback:\n  here"))
    shown = capsys.readouterr().err
    assert "all is well" not in shown
    assert "ERROR: it broke job=abc\nTraceback:\n  here" in shown
