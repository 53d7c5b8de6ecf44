"""A short storm on each database, with other faults and other jobs; ``make chaos`` runs long ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.database.migrations import migrate
from tests.chaos.blows import KINDS, Hands, children, schedule
from tests.chaos.invariants import Record
from tests.chaos.specs import SPECS
from tests.chaos.storm import ENV, LEASE_SECONDS, storm
from tests.postgres import Postgres
from tests.servers import Broker, Stack, until

PAUSE_SECONDS = 1.5
# Each database has every second of the faults and of the specs. SQLite has no server to restart, the last fault.
SHARES = {"sqlite": slice(1, None, 2), "postgresql": slice(0, None, 2)}
# A timeout for a busy machine; an idle one takes a tenth of it.
DEADLINE_SECONDS = 400.0


def test_the_same_seed_gives_the_same_blows() -> None:
    once, twice, other = (schedule(seed, 50, KINDS, pause_seconds=1.0, lease_seconds=1.0) for seed in (3, 3, 4))
    assert once == twice != other
    assert {blow.kind for blow in once} == set(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_jobs_end_with_the_records_of_undisturbed_ones(
    kind: str, quietly: Callable[[dict[str, Any]], Record], tmp_path: Path
) -> None:
    specs = SPECS[:8][SHARES[kind]]
    expected = [quietly(spec) for spec in specs]
    postgres = Postgres() if kind == "postgresql" else None
    broker = Broker(tmp_path)
    try:
        url = postgres.create_database() if postgres else f"sqlite:///{tmp_path / 'storm.db'}"
        migrate(url)
        kinds = KINDS[SHARES[kind]]
        blows = schedule(11, len(kinds), kinds, pause_seconds=PAUSE_SECONDS, lease_seconds=LEASE_SECONDS)
        stack = Stack(url, broker.new_url(), tmp_path, batch_workers={"batch": {}, "batch-2": {}}, env=ENV)
        with stack, Hands(stack, broker, postgres) as hands:
            # On a busy machine all faults would be over before there is a process to kill.
            until(lambda: len(children([stack.processes[name].pid for name in ("batch", "batch-2")])) == 2)
            report = storm(stack, hands, blows, specs, expected, num_jobs=len(specs), deadline_seconds=DEADLINE_SECONDS)
    finally:
        broker.stop()
        if postgres:
            postgres.stop()
    assert report.violations == []
    assert report.blows.total() >= len(blows) - 1
