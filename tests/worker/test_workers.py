"""Histories do not depend on the number of workers: identical bytes with one and with three."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.chaos.blows import children
from tests.servers import Broker, Stack, until, wait_for_job

SPECS: list[dict[str, Any]] = [
    {
        "problem": {"kind": "flipnet"},
        "optimizers": [
            {"kind": "momentum", "lr": 0.05, "momentum": {"from": 0.0, "to": 0.99, "num": 1_500}},
            {"kind": "adam", "lr": {"from": 1e-4, "to": 1.0, "num": 1_500, "scale": "log"}},
            {"kind": "rmsprop", "lr": 0.01, "alpha": {"from": 0.5, "to": 0.99, "num": 1_507}},
        ],
        "seeds": [1, 2],
        "epochs": 2,
        "shuffle": True,
    },
    {
        "problem": {"kind": "surface", "expression": "x**2 + sin(3*x)*exp(y) + abs(y)**1.5", "noise": 0.1,
                    "starts": {"x": {"from": -2, "to": 2, "num": 101}, "y": {"from": -1, "to": 1, "num": 101}}},
        "optimizers": [{"kind": "nesterov", "lr": 0.01}, {"kind": "adamw", "lr": 0.05}],
        "epochs": 2,
    },
]  # fmt: skip


def histories(client: httpx.Client, spec: dict[str, Any]) -> str:
    """Run a job and give the bytes of its histories, without the ids."""
    answer = client.post("/v1/jobs", json=spec)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]
    assert wait_for_job(client, job_id)["status"] == "completed"
    return client.get(f"/v1/jobs/{job_id}/metrics?format=csv").raise_for_status().text.replace(job_id[:28], "")


@pytest.fixture(scope="module")
def many(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Three processes for all jobs, each replaced after every shard, because the memory limit is one megabyte."""
    url, folder = new_database("sqlite"), tmp_path_factory.mktemp("many")
    env = {"RAVINE_WORKER_MEMORY_MB": "1"}
    with Stack(url, broker.new_url(), folder, batch_processes=3, env=env) as stack:
        yield stack


@pytest.fixture(scope="module")
def with_three_processes(many: Stack) -> list[str]:
    """The histories of three processes on SQLite."""
    with many.client() as client:
        return [histories(client, spec) for spec in SPECS]


@pytest.mark.slow
def test_a_process_that_grew_too_large_is_replaced_after_its_shard(many: Stack) -> None:
    with many.client() as client:

        def trainers() -> set[int]:
            return set(children([many.processes["workers"].pid]))

        until(lambda: len(trainers()) == 4)
        first = trainers()
        spec = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}

        def one_more_has_replaced_all() -> bool:
            """Small jobs may go to any process."""
            job = client.post("/v1/jobs", json=spec).json()
            assert wait_for_job(client, job["id"])["status"] == "completed"
            return trainers().isdisjoint(first)

        until(one_more_has_replaced_all)


@pytest.mark.slow
def test_neither_the_number_of_workers_nor_the_database_changes_a_byte(
    client: httpx.Client, with_three_processes: list[str]
) -> None:
    assert [histories(client, spec) for spec in SPECS] == with_three_processes
