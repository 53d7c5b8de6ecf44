"""`ravine doctor`: checks of database, migrations, clock, broker, workers, packages and disk, with corrections."""

import os
import shlex
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from service.cli.local.preconditions import DataDir
from service.database.connection import Database
from service.database.outages import why_unavailable
from service.database.revisions import compare, current_revision
from service.database.statements import seconds_from_now
from service.jobs.dispatch import QUEUES, Dispatcher
from service.settings import Settings
from service.spec.problems import PROBLEM_KINDS

# A job of a million runs and thirty epochs needs about 3 GB.
LOW_DISK_BYTES = 5 * 1024**3
# Largest clock difference. Leases use the database's clock; a difference shifts times of jobs and the end of TTLs.
CLOCK_SECONDS = 2.0
# Workers respond at once, also while they train; this is the time for the slowest.
PING_SECONDS = 1.0


@dataclass(frozen=True)
class Finding:
    """One check: whether it passed, what was found, and how to correct it."""

    check: str
    is_well: bool
    found: str
    way_out: str = ""


def examine(settings: Settings, folder: DataDir | None = None) -> list[Finding]:
    """Run all checks, of a folder of `ravine up` or of the database and broker of the settings.

    A check whose precondition fails counts as failed, with the reason.
    """
    is_stopped = folder is not None and folder.owner() is None
    if folder is not None:
        settings = _of_the_folder(settings, folder, is_stopped=is_stopped)
    database, dispatcher = Database(settings.database_url), Dispatcher(settings)
    try:
        findings = [_database(database)]
        if findings[0].is_well:
            findings += [_migrations(database), _clock(database)]
        else:
            findings += [_unknown(check, "database") for check in ("migrations", "clock")]
        findings.append(_stopped(folder) if folder is not None and is_stopped else _broker(dispatcher))
        findings.append(_workers(dispatcher) if findings[-1].is_well else _unknown("workers", "broker"))
        findings += [_packages(), _disk(database)]
    finally:
        dispatcher.close()
        database.close()
    return findings


def _of_the_folder(settings: Settings, folder: DataDir, *, is_stopped: bool) -> Settings:
    urls = {"database_url": folder.database_url}
    if not is_stopped:
        folder.find_scratch()
        urls["broker_url"] = f"redis+socket://{folder.broker_socket}"
    return settings.model_copy(update=urls)


def _stopped(folder: DataDir) -> Finding:
    start = f"ravine up --data-dir {shlex.quote(str(folder.path))}"
    return Finding("broker", False, f"no Ravine runs on {folder.path}", f"run `{start}`")


def _database(database: Database) -> Finding:
    where = database.url.render_as_string(hide_password=True)
    if database.file is not None and not database.file.is_file():
        return Finding("database", False, f"{where} does not exist", "run `ravine up`, or set RAVINE_DATABASE_URL")
    try:
        with database.transaction() as session:
            session.execute(select(1))
    except SQLAlchemyError as error:
        reason = why_unavailable(error) or str(error).partition("\n")[0]
        return Finding(
            "database", False, f"{where} {reason}", "start it, or correct RAVINE_DATABASE_URL and its password"
        )
    return Finding("database", True, f"{where} is writable")


def _migrations(database: Database) -> Finding:
    found = current_revision(database)
    if (mismatch := compare(found)) is None:
        return Finding("migrations", True, f"the tables have the version of this program ({found})")
    return Finding("migrations", False, mismatch.found, mismatch.way_out)


def _clock(database: Database) -> Finding:
    with database.snapshot() as session:
        before = time.time()
        there: datetime = session.execute(select(seconds_from_now())).scalar_one()
        # The database read its clock between request and response: compare with the middle.
        here = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    difference = (here - there).total_seconds()
    found = f"this machine is {abs(difference):.2f} s {'ahead of' if difference > 0 else 'behind'} the database"
    return Finding("clock", abs(difference) <= CLOCK_SECONDS, found, "enable time synchronisation (NTP) on both")


def _broker(dispatcher: Dispatcher) -> Finding:
    try:
        waiting = {queue: dispatcher.depth(queue) for queue in QUEUES}
    except Exception as error:  # The transport may raise any exception.
        return Finding("broker", False, f"cannot be reached: {error}", "start it, or correct RAVINE_BROKER_URL")
    return Finding("broker", True, "reachable; waiting: " + ", ".join(f"{num} {name}" for name, num in waiting.items()))


def _workers(dispatcher: Dispatcher) -> Finding:
    workers = dispatcher.workers(PING_SECONDS)
    if workers:
        return Finding("workers", True, f"{len(workers)} responded: {', '.join(workers)}")
    return Finding("workers", False, "none responded; jobs stay queued", "start `ravine worker` or `ravine up`")


def _packages() -> Finding:
    if find_spec("torch") is None:
        # Not a fault: the machine of the API trains nothing.
        return Finding("packages", True, "torch is missing: no problem can be trained on this machine")
    return Finding("packages", True, f"all problems can be trained on this machine: {', '.join(PROBLEM_KINDS)}")


def _disk(database: Database) -> Finding:
    # The disk of a database server cannot be checked from here.
    folder = Path.cwd() if database.file is None else database.file.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk", False, f"{folder} is not writable", "grant this user write access, or choose another folder"
        )
    found = f"{free / 1024**3:.1f} GiB free at {folder.resolve()}"
    return Finding("disk", free >= LOW_DISK_BYTES, found, "delete jobs (DELETE /v1/jobs/{id}), or set ttl_seconds")


def _unknown(check: str, needs: str) -> Finding:
    return Finding(check, False, f"unknown while the {needs} is unavailable", f"correct the {needs} first")
