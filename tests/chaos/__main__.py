"""A long fault-injection test: ``python -m tests.chaos --database sqlite --seed 1 --jobs 200 --blows 50``."""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from service.database.connection import Database
from service.database.migrations import migrate
from tests.chaos.blows import KINDS, Hands, schedule
from tests.chaos.specs import SPECS
from tests.chaos.storm import ENV, LEASE_SECONDS, Report, storm, undisturbed
from tests.postgres import Postgres
from tests.servers import Broker, Stack

DEADLINE_SECONDS = 1_800.0


def main() -> int:
    """Run it on the chosen database, and print the injected faults and the violations."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="repeats the schedule of the blows")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--blows", type=int, default=50)
    parser.add_argument("--pause", type=float, default=4.0, help="seconds between two blows, on average")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.database}")
    report = _run(options.database, options.seed, options.jobs, options.blows, options.pause)
    table = Table("measure", "value")
    for what, value in (report.figures | report.blows).items():
        table.add_row(what, f"{value:,.0f}")
    table.add_row("violations", str(len(report.violations)))
    Console().print(table)
    for wrong in report.violations:
        print(wrong)
    found = {"seed": options.seed, "database": options.database, "violations": report.violations}
    print(json.dumps(found | report.figures | report.blows))
    return 1 if report.violations else 0


def _run(kind: str, seed: int, num_jobs: int, num_blows: int, pause_seconds: float) -> Report:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = Postgres() if kind == "postgresql" else None
        urls = [
            postgres.create_database() if postgres else f"sqlite:///{folder / f'{use}.db'}"
            for use in ("quiet", "storm")
        ]
        for url in urls:
            migrate(url)
        quiet = Database(urls[0])
        expected = [undisturbed(quiet, spec) for spec in SPECS]
        quiet.close()
        broker = Broker(folder)
        kinds = [each for each in KINDS if postgres or each != "restart database"]
        blows = schedule(seed, num_blows, kinds, pause_seconds=pause_seconds, lease_seconds=LEASE_SECONDS)
        stack = Stack(urls[1], broker.new_url(), folder, batch_workers={"batch": {}, "batch-2": {}}, env=ENV)
        try:
            with stack, Hands(stack, broker, postgres) as hands:
                return storm(stack, hands, blows, SPECS, expected, num_jobs=num_jobs, deadline_seconds=DEADLINE_SECONDS)
        finally:
            broker.stop()
            if postgres:
                postgres.stop()


if __name__ == "__main__":
    sys.exit(main())
