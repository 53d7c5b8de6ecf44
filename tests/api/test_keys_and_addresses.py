"""On the loopback address keys are optional until the first one exists; elsewhere nothing starts without a key."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.api.doors.authentication import CACHE_SECONDS, is_loopback
from tests.keyed_api import SETTING, KeyedApi
from tests.servers import Api, Broker, until

RAVINE = str(Path(sys.executable).with_name("ravine"))
SPEC: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}


@pytest.mark.slow
def test_the_loopback_address_requires_no_key_until_one_exists(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    with Api(new_database("sqlite"), broker.new_url(), tmp_path) as api, closing(KeyedApi(api)) as server:
        with server.client() as anonymous:
            job = anonymous.post("/v1/jobs", json=SPEC).json()
            key = server.new_key("first")
            until(lambda: anonymous.get("/v1/jobs").status_code == 401, seconds=CACHE_SECONDS + 10)
        with server.client(key) as owner, server.client(server.new_key(is_admin=True)) as admin:
            assert owner.get(f"/v1/jobs/{job['id']}").status_code == 404
            assert admin.get(f"/v1/jobs/{job['id']}").status_code == 200
            server.revoke("first")
            # After the revocation a key is still required.
            until(lambda: owner.get("/v1/jobs").status_code == 401, seconds=CACHE_SECONDS + 10)
            with server.client() as anonymous:
                assert anonymous.get("/v1/jobs").status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize("command", ["serve", "up"])
def test_on_other_addresses_nothing_starts_without_a_key(
    new_database: Callable[[str], str], tmp_path: Path, command: str
) -> None:
    url = new_database("sqlite") if command == "serve" else ""
    answer = subprocess.run(
        [RAVINE, command, "--host", "0.0.0.0", "--port", "0"],
        cwd=tmp_path,
        env={"RAVINE_DATABASE_URL": url, "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert answer.returncode == 1
    assert "this API has none" in answer.stderr
    assert "ravine keys create" in answer.stderr
    assert "RAVINE_API_KEY" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
def test_a_short_key_in_the_setting_is_refused_without_being_shown(tmp_path: Path) -> None:
    env = {"RAVINE_API_KEY": "hunter2", "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    answer = subprocess.run(
        [RAVINE, "serve", "--port", "0"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert answer.returncode == 2
    assert "RAVINE_API_KEY" in answer.stderr
    assert "32" in answer.stderr
    assert "hunter2" not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_with_a_key_the_api_listens_everywhere_and_rejects_requests_without_one(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    env = {"RAVINE_API_KEY": SETTING}
    with (
        Api(new_database("sqlite"), broker.new_url(), tmp_path, host="0.0.0.0", env=env) as api,
        closing(KeyedApi(api)) as server,
        server.client() as anonymous_client,
        server.client(SETTING) as client,
    ):
        assert anonymous_client.get("/v1/jobs").status_code == 401
        assert client.get("/v1/jobs").status_code == 200


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True), ("localhost", True),
        ("/run/ravine.sock", True), (None, True), ("0.0.0.0", False), ("::", False), ("192.168.1.2", False),
        ("::ffff:10.0.0.1", False), ("fe80::1%eth0", False), ("example.org", False),
    ],
)  # fmt: skip
def test_loopback_addresses_are_recognised(address: str | None, is_local: bool) -> None:
    assert is_loopback(address) is is_local
