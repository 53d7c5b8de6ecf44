"""Datasets are kept within quotas, while jobs use them, and for their time to live."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from service.database.accounts import Dataset
from service.database.connection import Database
from service.database.datasets import removing, stored
from service.database.statements import seconds_from_now
from service.database.tables import Job
from service.jobs.upkeep import Upkeep
from tests.api.uploads import CSV, HOUSES, api
from tests.queued import count
from tests.queued import create as create_job


@pytest.mark.slow(after=1)
def test_a_key_has_a_quota_of_datasets_and_bytes(database: Database, database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        limits = {"max_datasets": 2, "max_stored_dataset_bytes": 100}
        async with api(database_url, tmp_path, **limits) as client:
            assert (await client.post("/v1/datasets", content=HOUSES, headers=CSV)).status_code == 201
            refused = await client.post("/v1/datasets", content=HOUSES * 3, headers=CSV)
            assert (refused.status_code, refused.json()["title"]) == (429, "Storage quota reached")
            assert "100 are allowed" in refused.json()["detail"]
            second = await client.post("/v1/datasets", content=b"a\n1\n", headers=CSV)
            assert second.status_code == 201
            refused = await client.post("/v1/datasets", content=b"a\n2\n", headers=CSV)
            assert "at most 2 are allowed" in refused.json()["detail"]
            usage = (await client.get("/v1/usage")).json()
            assert usage["datasets"] == {"stored": 2, "limit": 2}
            assert usage["dataset_bytes"] == {"stored": len(HOUSES) + 4, "limit": 100}
            await client.delete(f"/v1/datasets/{second.json()['id']}")
            # What is deleted counts no longer.
            assert (await client.post("/v1/datasets", content=b"a\n2\n", headers=CSV)).status_code == 201

    asyncio.run(scenario())


@pytest.mark.slow(after=1)
def test_a_dataset_stays_while_a_job_that_has_not_ended_uses_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    job_key = create_job(database)

    async def scenario() -> None:
        async with api(database_url, tmp_path) as client:
            answer = await client.post("/v1/datasets?ttl_seconds=60", content=HOUSES, headers=CSV)
            made = answer.json()
            assert made["expires_at"] > made["created_at"]
            with database.transaction() as session:
                found = stored.find(session, "", made["id"], keep=True)
                session.execute(update(Job).where(Job.key == job_key).values(dataset_key=found.key))
            refused = await client.delete(f"/v1/datasets/{made['id']}")
            assert refused.status_code == 409
            assert "has not ended" in refused.json()["detail"]
            with database.transaction() as session:
                session.execute(update(Dataset).values(expires_at=seconds_from_now(-1)))
                assert removing.remove_expired(session) == 0
            with database.snapshot() as session:
                job_id = session.get_one(Job, job_key).id
            assert (await client.post(f"/v1/jobs/{job_id}/cancel")).status_code == 202
            with database.transaction() as session:
                assert removing.remove_expired(session) == 1
            assert (await client.get(f"/v1/datasets/{made['id']}")).status_code == 404

    asyncio.run(scenario())


def test_an_upload_without_a_time_to_live_keeps_a_dataset_that_would_expire(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with api(database_url, tmp_path) as client:
            path = "/v1/datasets?ttl_seconds={}"
            ends = [
                (await client.post(one, content=HOUSES, headers=CSV)).json()["expires_at"]
                for one in (path.format(60), path.format(30), path.format(600), "/v1/datasets", path.format(5))
            ]
            assert ends[0] == ends[1] < ends[2]
            assert ends[3:] == [None, None]

    asyncio.run(scenario())


def test_what_an_upload_that_was_killed_has_left_is_removed(database: Database) -> None:
    unfinished = {"owner": stored.NOBODY, "name": "a", "media_type": "text/csv", "digest": "0", "columns": {}}
    times = {"created_at": seconds_from_now(), "expires_at": seconds_from_now(60)}
    with database.transaction() as session:
        session.add(Dataset(id="0" * 36, num_rows=1, num_bytes=1, **unfinished, **times))
    Upkeep(database, 1.0).once()
    assert count(database, Dataset) == 1
    with database.transaction() as session:
        session.execute(update(Dataset).values(expires_at=seconds_from_now(-1)))
    with database.snapshot() as session:
        assert stored.listed(session, None, before=None, limit=1)[0][1].key is None
        assert session.execute(select(func.count()).select_from(Dataset)).scalar_one() == 1
    Upkeep(database, 1.0).once()
    assert count(database, Dataset) == 0
