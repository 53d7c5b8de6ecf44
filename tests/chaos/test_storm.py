"""A short storm, once on each database; ``make chaos`` runs long ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.database.migrations import migrate
from tests.chaos.blows import KINDS, Hands, schedule
from tests.chaos.invariants import Record
from tests.chaos.specs import SPECS
from tests.chaos.storm import ENV, LEASE_SECONDS, storm
from tests.servers import Broker, Postgres, Stack

JOBS, BLOWS, PAUSE_SECONDS = 7, 6, 1.5
# A timeout for a busy machine; an idle one takes a tenth of it.
DEADLINE_SECONDS = 400.0


def test_the_same_seed_gives_the_same_blows() -> None:
    once, twice, other = (schedule(seed, 50, KINDS, pause_seconds=1.0, lease_seconds=1.0) for seed in (3, 3, 4))
    assert once == twice != other
    assert {blow.kind for blow in once} == set(KINDS)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_jobs_end_with_the_records_of_undisturbed_ones(
    kind: str, quietly: Callable[[dict[str, Any]], Record], tmp_path: Path
) -> None:
    specs = SPECS[:JOBS]
    expected = [quietly(spec) for spec in specs]
    postgres = Postgres() if kind == "postgresql" else None
    broker = Broker(tmp_path)
    try:
        url = postgres.create_database() if postgres else f"sqlite:///{tmp_path / 'storm.db'}"
        migrate(url)
        kinds = [each for each in KINDS if postgres or each != "restart database"]
        blows = schedule(11, BLOWS, kinds, pause_seconds=PAUSE_SECONDS, lease_seconds=LEASE_SECONDS)
        stack = Stack(url, broker.new_url(), tmp_path, batch_workers={"batch": {}, "batch-2": {}}, env=ENV)
        with stack, Hands(stack, broker, postgres) as hands:
            report = storm(stack, hands, blows, specs, expected, num_jobs=JOBS, deadline_seconds=DEADLINE_SECONDS)
    finally:
        broker.stop()
        if postgres:
            postgres.stop()
    assert report.violations == []
    assert report.blows.total() >= BLOWS - 2
