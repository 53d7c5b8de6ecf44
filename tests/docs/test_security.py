"""docs/security.md names existing tests and the actual settings; service and worker exchange data only."""

import re
from pathlib import Path

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import dumps, loads

from service.jobs.dispatch import celery_settings
from service.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)


def test_every_test_that_the_page_on_security_names_exists() -> None:
    assert len(NAMED) > 15
    files = {path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    assert [(file, test) for file, test in NAMED if f"def {test}(" not in files.get(file, "")] == []


def test_every_listed_attack_has_a_test() -> None:
    attempts = PAGE.partition("## Attacks and tests")[2].partition("##")[0]
    rows = [line for line in attempts.splitlines() if line.startswith("|")][2:]
    assert rows
    assert [row for row in rows if "::test_" not in row] == []


def test_the_page_has_the_settings_with_their_defaults() -> None:
    for name in re.findall(r"`RAVINE_(\w+)`", PAGE):
        assert name.lower() in Settings.model_fields
    assert f"{Settings().max_open_jobs:,}" in PAGE
    assert f"{Settings().max_body_bytes:,}" in PAGE


def test_service_and_worker_exchange_json_only() -> None:
    settings = celery_settings(Settings())
    assert settings["accept_content"] == ["json"]
    assert settings["task_serializer"] == "json"
    content_type, encoding, body = dumps({"job": 1}, serializer="pickle")
    with pytest.raises(ContentDisallowed):
        loads(body, content_type, encoding, accept=settings["accept_content"])
