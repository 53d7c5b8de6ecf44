"""Commands end with 2 after wrong use, and with 3 without a service."""

import json
from pathlib import Path

import pytest

from tests.cli.invoke import SPEC, Command
from tests.servers import free_port


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit", "nowhere.json"], "cannot be read"),
        (["submit", "broken.json"], "is not JSON"),
        (["submit", "wrong.json"], "lr"),
        (["show", "nobody"], "there is no job 'nobody'"),
        (["history", "nobody"], "there is neither a run nor a job 'nobody'"),
        (["history", "{job}", "-o", "a.json"], "must end with .csv, .ndjson or .parquet"),
        (["history", "{job}", "-o", "nowhere/a.csv", "--format", "csv"], "cannot be written"),
        (["history", "{job}", "--fields", "hope", "--format", "csv"], "hope"),
        (["compare", "{job}", "--baseline", "nobody"], "no label of this comparison is 'nobody'; there are slow, wild"),
        (["compare", "{job}", "--criterion", "hope"], "loss_area"),
        (["compare", "{job}", "--criterion", "test_loss"], "this problem has no test_loss"),
        (["plot", "{job}", "-o", "loss.gif"], "must end with .png or .svg"),
        (["plot", "{job}", "-o", "nowhere/loss.png"], "cannot be written"),
        (["plot", "{job}", "-o", "loss.png", "--set", "colour=red"], "colour"),
        (["plot", "{job}", "-o", "loss.png", "--set", "red"], "NAME=VALUE"),
        (["plot", "{job}", "-o", "loss.png", "--set", "kind=loss"], "use the option of this name"),
        (["plot", "{job}", "--kind", "heatmap", "-o", "a.png"], "two hyper-parameters"),
        (["cancel", "{job}"], "has ended already"),
        (["jobs", "--status", "lost"], "'queued'"),
        (["plot", "{job}", "--kind", "pie", "-o", "a.png"], "pie"),
    ],
)
def test_wrong_use_ends_with_2_and_the_message_of_the_service(
    ravine: Command, job_id: str, arguments: list[str], words: str
) -> None:
    Path("broken.json").write_text("{")
    Path("wrong.json").write_text(json.dumps({**SPEC, "optimizers": [{"kind": "sgd", "lr": -1}]}))
    result = ravine(*(argument.format(job=job_id) for argument in arguments))
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("url", ["nonsense", "ftp://host", "http://", "http://host:port", "127.0.0.1:8000"])
@pytest.mark.parametrize("command", [["jobs"], ["lessons", "--only", "parabola-sgd"]])
def test_an_address_that_is_none_ends_with_2(
    ravine: Command, monkeypatch: pytest.MonkeyPatch, url: str, command: list[str]
) -> None:
    monkeypatch.setenv("RAVINE_URL", url)
    result = ravine(*command)
    assert result.exit_code == 2
    assert "is not an address; RAVINE_URL must be like http" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["jobs"], ["lessons", "--only", "parabola-sgd"]])
def test_an_unreachable_service_ends_with_3(
    ravine: Command, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("RAVINE_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("service.client.connection._FIRST_PAUSE_SECONDS", 0.001)
    result = ravine(*command)
    assert result.exit_code == 3
    assert "cannot be reached" in result.stderr
