"""`ravine doctor`: what does Ravine need here, is it there, and what can be done where it is not?"""

import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from service.database.connection import Database
from service.database.migrations import current_migration, newest_migration
from service.database.outages import why_unavailable
from service.database.statements import seconds_from_now
from service.jobs.dispatch import QUEUES, Dispatcher
from service.settings import Settings

# A million runs of thirty epochs take three; below this a sweep may not find room.
LOW_DISK_BYTES = 5 * 1024**3
# Leases go by the database's clock alone; times of jobs would look odd beyond this, and TTLs end early or late.
CLOCK_SECONDS = 2.0
# A worker that trains answers from its main process, at once; this waits for the slowest.
PING_SECONDS = 1.0


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is well, what was found, and the way out where it is not."""

    check: str
    is_well: bool
    found: str
    way_out: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; what needs something that is away is said to be unknown, not to be well."""
    database, dispatcher = Database(settings.database_url), Dispatcher(settings)
    try:
        findings = [_database(database)]
        if findings[0].is_well:
            findings += [_migrations(database), _clock(database)]
        else:
            findings += [_unknown(check, "database") for check in ("migrations", "clock")]
        findings.append(_broker(dispatcher))
        findings.append(_workers(dispatcher) if findings[-1].is_well else _unknown("workers", "broker"))
        findings.append(_disk(database))
    finally:
        dispatcher.close()
        database.close()
    return findings


def _database(database: Database) -> Finding:
    where = database.url.render_as_string(hide_password=True)
    if database.file is not None and not database.file.is_file():
        return Finding("database", False, f"{where} is not there", "`ravine up` makes it, or set RAVINE_DATABASE_URL")
    try:
        with database.transaction() as session:
            session.execute(select(1))
    except SQLAlchemyError as error:
        reason = why_unavailable(error) or str(error).partition("\n")[0]
        return Finding(
            "database", False, f"{where} {reason}", "start it, or correct RAVINE_DATABASE_URL and its password"
        )
    return Finding("database", True, f"{where} can be written")


def _migrations(database: Database) -> Finding:
    found, wanted = current_migration(database), newest_migration()
    if found == wanted:
        return Finding("migrations", True, f"the tables are those of this version ({found})")
    return Finding("migrations", False, f"the tables are at {found}, this version needs {wanted}", "`ravine migrate`")


def _clock(database: Database) -> Finding:
    with database.snapshot() as session:
        asked = time.time()
        there: datetime = session.execute(select(seconds_from_now())).scalar_one()
        # The answer was given somewhere between asking and hearing it: the middle is the best guess.
        here = datetime.fromtimestamp((asked + time.time()) / 2, UTC)
    difference = (here - there).total_seconds()
    told = f"this machine is {abs(difference):.2f} s {'ahead of' if difference > 0 else 'behind'} the database"
    return Finding("clock", abs(difference) <= CLOCK_SECONDS, told, "switch on time synchronisation (NTP) on both")


def _broker(dispatcher: Dispatcher) -> Finding:
    try:
        waiting = {queue: dispatcher.depth(queue) for queue in QUEUES}
    except Exception as error:  # Whatever the transport raises, the broker is not to be had.
        return Finding("broker", False, f"cannot be reached: {error}", "start it, or correct RAVINE_BROKER_URL")
    return Finding("broker", True, "answers; waiting: " + ", ".join(f"{num} {name}" for name, num in waiting.items()))


def _workers(dispatcher: Dispatcher) -> Finding:
    workers = dispatcher.workers(PING_SECONDS)
    if workers:
        return Finding("workers", True, f"{len(workers)} answer: {', '.join(workers)}")
    return Finding("workers", False, "none answers, so jobs stay queued", "start `ravine worker`, or `ravine up`")


def _disk(database: Database) -> Finding:
    # The disk of a server is its own matter; here is only that of a file.
    folder = Path.cwd() if database.file is None else database.file.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk", False, f"{folder} cannot be written", "give this user the right, or choose another folder"
        )
    told = f"{free / 1024**3:.1f} GiB are free at {folder.resolve()}"
    return Finding("disk", free >= LOW_DISK_BYTES, told, "delete jobs (DELETE /v1/jobs/{id}), or give ttl_seconds")


def _unknown(check: str, needs: str) -> Finding:
    return Finding(check, False, f"not known while the {needs} is away", f"mend the {needs} first")
