"""`/v1/datasets`: upload, list, get, rows, file, delete, with limits, on both databases."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from service.database.accounts import Dataset, DatasetChunk
from service.database.connection import Database
from service.database.datasets import removing
from service.database.datasets.chunks import CHUNK_BYTES
from service.jobs.owners import create
from service.jobs.upkeep import Upkeep
from service.spec.datasets import builtin
from tests.api.uploads import CSV, HOUSES, api
from tests.queued import count


def numbers(missing: int, distinct: int) -> dict[str, int]:
    return {"missing": missing, "distinct": distinct}


def large() -> bytes:
    """A CSV of three and a half chunks."""
    line = b"%d,0.25,word\n"
    data = b"number,share,word\n" + b"".join(line % number for number in range(10**6, 10**6 + 180_000))
    assert len(data) > 3 * CHUNK_BYTES
    return data


@pytest.mark.slow(after=1)
def test_an_upload_is_described_listed_read_and_deleted(database: Database, database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with api(database_url, tmp_path) as client:
            answer = await client.post("/v1/datasets?name=houses", content=HOUSES, headers=CSV)
            assert answer.status_code == 201
            made = answer.json()
            here = f"/v1/datasets/{made['id']}"
            assert answer.headers["location"] == here
            assert (made["name"], made["rows"], made["bytes"]) == ("houses", 3, len(HOUSES))
            assert made["digest"] == hashlib.sha256(HOUSES).hexdigest()
            assert (made["shape"], made["expires_at"]) == ([3, 2], None)
            area, city = made["columns"]
            assert area == {"name": "area", "kind": "number", **numbers(1, 2), "min": 80, "max": 120.5, "mean": 100.25}
            assert city == {"name": "city", "kind": "category", **numbers(1, 2), "min": None, "max": None, "mean": None}
            assert (await client.get(here)).json() == made
            rows = (await client.get(f"{here}/rows?limit=2")).json()
            assert rows == {"columns": ["area", "city"], "rows": [[120.5, "Aachen"], [80.0, None]]}
            file = await client.get(f"{here}/file")
            assert (file.content, file.headers["content-type"]) == (HOUSES, "text/csv; charset=utf-8")
            assert file.headers["content-disposition"].endswith('.csv"')
            part = await client.get(f"{here}/file", headers={"Range": "bytes=5-8", "Accept-Encoding": "identity"})
            assert (part.status_code, part.content) == (206, HOUSES[5:9])
            assert (await client.get("/v1/datasets?limit=1")).json()["items"] == [made]
            assert (await client.delete(here)).status_code == 204
            for path in (here, f"{here}/rows", f"{here}/file"):
                assert (await client.get(path)).status_code == 404
            assert (await client.delete(here)).status_code == 404

    asyncio.run(scenario())
    Upkeep(database, 1.0).once()
    assert count(database, Dataset) == count(database, DatasetChunk) == 0


@pytest.mark.slow(after=1)
def test_the_same_content_of_an_owner_is_the_same_dataset(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.transaction() as session:
        ann, bob = (create(session, name)[1] for name in ("ann", "bob"))

    async def scenario() -> None:
        async with api(database_url, tmp_path, ann) as client:
            first, again = [
                await client.post(f"/v1/datasets?name={name}", content=HOUSES, headers=CSV) for name in ("a", "b")
            ]
            assert (first.status_code, again.status_code) == (201, 200)
            assert first.json() == again.json()
            other_type = await client.post("/v1/datasets", content=HOUSES, headers={"Content-Type": "text/plain"})
            assert other_type.status_code == 409
            assert first.json()["id"] in other_type.json()["detail"]
            as_bob = {"Authorization": f"Bearer {bob}"}
            here = f"/v1/datasets/{first.json()['id']}"
            for method, path in (("GET", here), ("GET", f"{here}/rows"), ("GET", f"{here}/file"), ("DELETE", here)):
                assert (await client.request(method, path, headers=as_bob)).status_code == 404
            his = await client.post("/v1/datasets", content=HOUSES, headers=CSV | as_bob)
            assert (his.status_code, his.json()["digest"]) == (201, first.json()["digest"])
            assert his.json()["id"] != first.json()["id"]
            mine = (await client.get("/v1/datasets")).json()["items"]
            assert [one["id"] for one in mine] == [first.json()["id"], *builtin.NAMES]

    asyncio.run(scenario())


@pytest.mark.slow(after=1)
def test_uploads_of_the_same_content_at_once_make_one_dataset(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with api(database_url, tmp_path, max_decodings=4) as client:
            answers = await asyncio.gather(
                *(client.post("/v1/datasets", content=HOUSES, headers=CSV) for _ in range(3))
            )
            assert len({one.json()["id"] for one in answers}) == 1
            assert sorted(one.status_code for one in answers) == [200, 200, 201]
            usage = (await client.get("/v1/usage")).json()
            assert usage["datasets"]["stored"] == 1

    asyncio.run(scenario())
    Upkeep(database, 1.0).once()
    assert count(database, Dataset) == count(database, DatasetChunk) == 1


@pytest.mark.slow
def test_a_file_of_several_chunks_comes_back_byte_by_byte(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    data = large()

    async def scenario() -> str:
        async with api(database_url, tmp_path / "a") as client:
            made = (await client.post("/v1/datasets", content=data, headers=CSV)).json()
            assert (await client.get(f"/v1/datasets/{made['id']}/file")).content == data
        # An API on another host decodes the content anew.
        async with api(database_url, tmp_path / "b") as client:
            rows = (await client.get(f"/v1/datasets/{made['id']}/rows?limit=1")).json()
            assert rows["rows"] == [[10**6, 0.25, "word"]]
            assert (await client.delete(f"/v1/datasets/{made['id']}")).status_code == 204
        return made["id"]

    asyncio.run(scenario())
    assert count(database, DatasetChunk) == 4
    chunks = []
    while True:
        with database.transaction() as session:
            removed = removing.remove_chunks(session, 3)
        if removed is None:
            break
        chunks.append(removed)
    assert chunks == [3, 1]
    assert count(database, Dataset) == 0
