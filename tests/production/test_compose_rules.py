"""Rules for docker-compose.yml and Dockerfile: versions, secrets, users, confinement, networks, packages."""

import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.production.composed import COMPOSE, DOCKERFILE, OURS, ROOT, SECRETS, SERVICES, STAGES

DIGEST = r"@sha256:[0-9a-f]{64}$"
EXTRAS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
PRODUCTION = (ROOT / "docs" / "how-to" / "production.md").read_text()


def packages(name: str) -> str:
    """The list of packages of an image, with their hashes."""
    return (ROOT / "deploy" / "requirements" / f"{name}.txt").read_text()


def test_every_service_that_compose_needs_is_there() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "api", "worker-interactive", "worker"}


@pytest.mark.parametrize("name", OURS)
def test_images_of_ravine_are_built_from_a_target_of_the_dockerfile(name: str) -> None:
    assert SERVICES[name]["build"]["target"] in STAGES
    assert re.fullmatch(r"ravine-(api|worker):\d+\.\d+\.\d+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_every_other_image_has_a_version_and_a_digest(name: str) -> None:
    assert re.search(rf":\d+(\.\d+)+[^@]*{DIGEST}", SERVICES[name]["image"])


def test_the_base_image_has_a_version_and_a_digest() -> None:
    (base,) = re.findall(r"^ARG BASE_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.search(rf":\d+\.\d+\.\d+-\w+-bookworm{DIGEST}", base)
    assert re.findall(r"^FROM (\S+) ", DOCKERFILE, re.MULTILINE) == ["${BASE_IMAGE}", "base", "base"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name: str) -> None:
    assert SERVICES[name]["user"] not in {"root", "0", 0}


@pytest.mark.parametrize("stage", ["api", "worker"])
def test_no_image_runs_as_root(stage: str) -> None:
    assert [text for word, text in STAGES[stage] if word == "USER"] == ["ravine"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged", False)
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert 0 < service["pids_limit"] <= 256


def test_a_worker_is_replaced_long_before_its_memory_limit() -> None:
    from service.settings import Settings

    default = Settings.model_fields["worker_memory_mb"].default
    assert SERVICES["worker"]["mem_limit"] == "3g"
    assert 2 * default <= 3_000


def test_database_and_broker_share_no_network_and_reach_no_other_host() -> None:
    reached = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert reached["postgres"] == {"database"}
    assert reached["valkey"] == {"broker"}
    assert reached["migrate"] == {"database"}
    assert reached["worker"] == reached["worker-interactive"] == {"database", "broker"}
    internal = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert internal == {"database", "broker"}
    assert {name for name, networks in reached.items() if networks - internal} == {"api"}


def test_only_postgres_knows_the_password_of_the_superuser() -> None:
    knows = [name for name, service in SERVICES.items() if "POSTGRES_PASSWORD" in str(service.get("environment"))]
    assert knows == ["postgres"]
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == "postgres"
    for service in OURS.values():
        assert make_url(service["environment"]["RAVINE_DATABASE_URL"].split("?")[0]).username == "ravine"


def test_the_api_image_has_no_torch_and_the_worker_image_has_what_training_needs() -> None:
    api, worker = ([text for word, text in STAGES[name] if word == "RUN"] for name in ("api", "worker"))
    assert not any("torch" in text for text in api)
    assert any("pip install" in text and "torch" in text for text in worker)
    # The image would have to install other packages too.
    assert [requirement.partition("==")[0] for requirement in EXTRAS["worker"]] == ["torch"]


@pytest.mark.slow
def test_what_the_images_install_is_up_to_date_and_has_hashes() -> None:
    checked = subprocess.run([sys.executable, ROOT / ".ci" / "hashes.py"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for stage in ("base", "worker"):
        installs = [text for word, text in STAGES[stage] if word == "RUN" and "pip install" in text]
        assert any("--require-hashes" in text for text in installs)
    for name in ("api", "worker"):
        lines = packages(name).splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line]
        assert all("--hash=sha256:" in lines[number + 1] for number in pins)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_service_has_a_health_check(name: str) -> None:
    if "healthcheck" in SERVICES[name]:
        assert SERVICES[name]["healthcheck"]["test"]
    else:
        assert any(word == "HEALTHCHECK" for word, _ in STAGES[SERVICES[name]["build"]["target"]])


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_restarted_after_a_crash(name: str) -> None:
    assert SERVICES[name]["restart"] == ("on-failure:3" if name == "migrate" else "unless-stopped")


@pytest.mark.parametrize("name", ["api", "worker", "worker-interactive"])
def test_api_and_workers_start_after_the_migration(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_only_the_api_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in published["api"])


def test_no_secret_is_in_the_files_and_each_is_made_by_the_page() -> None:
    given = rf"\$\{{({'|'.join(SECRETS)}):\?[^}}]+\}}"
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if value is None:
                continue  # Taken from the shell or .env.
            if re.search("PASSWORD|KEY|AUTH", name):
                assert re.fullmatch(given, value)
            if "://" in value:
                assert make_url(re.sub(given, "GIVEN", value)).password in {None, "GIVEN"}
    used = set(re.findall(r"\$\{(\w+):\?", str(SERVICES)))
    assert used == set(SECRETS)
    assert all(name in PRODUCTION for name in SECRETS)
    assert not any(name in DOCKERFILE for name in SECRETS)
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_address_of_a_collector_is_passed_to_api_and_workers() -> None:
    assert re.search(r"^opentelemetry-sdk==", packages("api"), re.MULTILINE)
    for service in OURS.values():
        assert service["environment"].get("RAVINE_OTLP_ENDPOINT", "not passed on") is None


def test_only_the_api_has_the_admin_key() -> None:
    assert [name for name, service in SERVICES.items() if "RAVINE_API_KEY" in service.get("environment", {})] == ["api"]
