"""Sessions of browsers: found by their token until sign-out, expiry or the revocation of their key."""

import pytest
from sqlalchemy import select, update

from service.database.accounts import BrowserSession
from service.database.connection import Database
from service.database.statements import seconds_from_now
from service.jobs import browser_sessions, owners
from service.jobs.browser_sessions import MAX_PER_KEY
from service.jobs.owners import Caller

SETTING = owners.caller_of("the key of the setting", is_admin=True)


def new_caller(database: Database, name: str = "ann") -> Caller:
    with database.transaction() as session:
        row, _ = owners.create(session, name)
        return Caller(row.id, row.is_admin)


def begin(database: Database, caller: Caller, seconds: float = 60) -> str:
    with database.transaction() as session:
        return browser_sessions.create(session, caller, seconds=seconds)


def found(database: Database, token: str, setting: Caller | None = SETTING) -> Caller | None:
    with database.snapshot() as session:
        return browser_sessions.find(session, token, setting=setting)


def num_stored(database: Database) -> int:
    with database.snapshot() as session:
        return len(session.execute(select(BrowserSession.id)).all())


def test_a_token_stands_for_its_key_until_its_session_ends(database: Database) -> None:
    caller = new_caller(database)
    one, other = begin(database, caller), begin(database, caller)
    assert found(database, one) == found(database, other) == caller
    assert found(database, one[:-1]) is None
    assert found(database, "") is None
    with database.transaction() as session:
        browser_sessions.end(session, one)
        browser_sessions.end(session, "unknown")
    assert found(database, one) is None
    assert found(database, other) == caller


def test_only_the_hash_of_a_token_is_stored(database: Database) -> None:
    token = begin(database, new_caller(database))
    with database.snapshot() as session:
        stored = session.execute(select(BrowserSession.__table__)).one()
    assert token not in str(stored)
    assert owners.sha256_of(token) in stored


def test_the_sessions_of_a_revoked_key_end(database: Database) -> None:
    token = begin(database, new_caller(database))
    with database.transaction() as session:
        owners.revoke(session, "ann")
    assert found(database, token) is None


def test_the_sessions_of_the_setting_end_with_its_key(database: Database) -> None:
    token = begin(database, SETTING)
    assert found(database, token) == SETTING
    assert found(database, token, setting=owners.caller_of("another key", is_admin=True)) is None
    assert found(database, token, setting=None) is None


def test_an_expired_session_is_unknown_and_then_deleted(database: Database) -> None:
    caller = new_caller(database)
    expired, valid = begin(database, caller), begin(database, caller)
    of_expired = BrowserSession.sha256 == owners.sha256_of(expired)
    with database.transaction() as session:
        session.execute(update(BrowserSession).where(of_expired).values(expires_at=seconds_from_now(-1)))
    assert found(database, expired) is None
    assert num_stored(database) == 2
    with database.transaction() as session:
        browser_sessions.remove_expired(session)
    assert num_stored(database) == 1
    assert found(database, valid) == caller


@pytest.mark.slow(after=1)
def test_a_further_session_ends_the_oldest_one_of_its_key(database: Database) -> None:
    ann, bob = new_caller(database), new_caller(database, "bob")
    of_bob = begin(database, bob)
    oldest, *others = [begin(database, ann, seconds=60 + number) for number in range(MAX_PER_KEY + 1)]
    assert found(database, oldest) is None
    assert {found(database, token) for token in (others[0], others[-1])} == {ann}
    assert found(database, of_bob) == bob
    assert num_stored(database) == MAX_PER_KEY + 1
