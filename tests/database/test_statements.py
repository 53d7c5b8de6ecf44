"""The contract of both dialects, part two: upserts, locks, the clock, texts, statements and errors."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, literal, select
from sqlalchemy.exc import DBAPIError, OperationalError

from service.database.connection import Database
from service.database.outages import why_unavailable
from service.database.statements import contains, lock, seconds_from_now, upsert
from service.database.tables import Tally


def test_an_upsert_replaces_columns_or_adds_to_them(database: Database) -> None:
    def put(*rows: tuple[str, int], add: tuple[str, ...] = ()) -> None:
        with database.transaction() as session:
            values = [{"name": name, "slot": 0, "value": value} for name, value in rows]
            upsert(session, Tally, values, key=("name", "slot"), add=add)

    put(("a", 1), ("b", 2))
    put(("a", 10), add=("value",))
    put(("b", 20), ("c", 30))
    with database.snapshot() as session:
        found = {tally.name: tally.value for tally in session.execute(select(Tally)).scalars()}
    assert found == {"a": 11, "b": 20, "c": 30}


def test_a_lock_keeps_the_second_transaction_waiting_until_the_first_ends(database: Database) -> None:
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        waits.set()
        with database.transaction() as session:
            lock(session, "owner")
            order.append("second")

    thread = threading.Thread(target=second)
    with database.transaction() as session:
        lock(session, "owner")
        thread.start()
        waits.wait()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_clock_is_in_utc_and_moves_within_a_transaction(database: Database) -> None:
    with database.transaction() as session:
        now, later = session.execute(select(seconds_from_now(), seconds_from_now(90.5))).one()
        until = now + timedelta(milliseconds=2)
        while session.execute(select(seconds_from_now())).scalar_one() < until:
            pass
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=60)
    assert abs(later - now - timedelta(seconds=90.5)) < timedelta(seconds=1)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [("sgd and adam", "adam", True), ("sgd", "adam", False), ("100% sure", "0%", True), ("abc", "a%c", False),
     ("abc", "a_c", False), ("straße", "aß", True), ("Adam", "adam", False), ("abc", "", True)],
)  # fmt: skip
def test_a_text_is_found_as_it_is_written(database: Database, column: str, text: str, expected: bool) -> None:
    with database.snapshot() as session:
        assert bool(session.execute(select(contains(literal(column), text))).scalar_one()) is expected


def test_a_statement_with_parameters_reads_rows(database: Database) -> None:
    assert database.rows("SELECT name FROM tallies WHERE name = ? AND slot = ?", ["a", 1]) == []


def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    with database.snapshot() as session, pytest.raises(DBAPIError) as caught:
        session.execute(select(literal(1)).select_from(func.no_such_function()))
    assert caught.value.orig is not None
    assert database.dialect.has_raised(caught.value.orig)
    assert why_unavailable(caught.value) is None


def test_a_database_that_cannot_be_opened_says_why(database: Database, tmp_path: Any) -> None:
    if database.file:
        missing = Database(f"sqlite:///{tmp_path}")  # A folder.
        reason = "cannot be opened"
    else:
        missing = Database(database.url.set(database="no_such_database").render_as_string(hide_password=False))
        reason = "cannot be reached"
    with pytest.raises(OperationalError) as caught, missing.snapshot() as session:
        session.execute(select(1))
    missing.close()
    assert why_unavailable(caught.value) in {reason, "is not there"}
