"""`/v1/datasets`: upload, list, get, rows, file, delete, with limits, on both databases."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import func, select, update

from service.api.app import create_app
from service.database.accounts import Dataset, DatasetChunk
from service.database.connection import Database
from service.database.datasets import removing, stored
from service.database.datasets.chunks import CHUNK_BYTES
from service.database.statements import seconds_from_now
from service.database.tables import Job
from service.jobs.owners import create
from service.jobs.upkeep import Upkeep
from service.settings import Settings
from service.spec.datasets import builtin
from tests.queued import count
from tests.queued import create as create_job
from tests.spec.datasets.bad_files import bad_file, npz

NO_BROKER = "redis://127.0.0.1:1/0"
HOUSES = b"area,city\n120.5,Aachen\n80,\n,Bonn\n"
CSV = {"Content-Type": "text/csv"}


@asynccontextmanager
async def api(url: str, folder: Path, key: str = "", **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An application whose sweep and upkeep do nothing for an hour."""
    given = {"sweep_seconds": 3_600, "dataset_folder": str(folder), **settings}
    app = create_app(Settings(database_url=url, broker_url=NO_BROKER, **given))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    here = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=here, base_url="http://127.0.0.1", headers=headers, timeout=60.0) as client,
    ):
        yield client


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


@pytest.fixture(scope="module")
def one_api(new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The function that sends requests to an application on SQLite with small limits."""
    here = api(new_database("sqlite"), tmp_path_factory.mktemp("tables"), max_dataset_bytes=3_000_000)
    with asyncio.Runner() as runner:
        client = runner.run(here.__aenter__())
        yield lambda *what, **how: runner.run(client.request(*what, **how))
        runner.run(here.__aexit__(None, None, None))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("name", ["a short row", "a date", "pickled objects", "a picture"])
def test_a_file_that_cannot_be_read_is_422_with_its_place(name: str, one_api: Any) -> None:
    media_type, data, sentence = bad_file(name)
    answer = one_api("POST", "/v1/datasets", content=data, headers={"Content-Type": media_type})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]
    if name == "a short row":
        assert answer.json()["errors"][0]["loc"] == ["body", 3]


@pytest.mark.slow
def test_a_file_above_the_limit_is_413_with_or_without_a_length(one_api: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"1,2\n" * 20_000

    for content in (b"1" * 3_000_001, pieces()):
        answer = one_api("POST", "/v1/datasets", content=content, headers=CSV)
        assert answer.status_code == 413
        assert "3,000,000" in answer.json()["detail"]
    # Other bodies keep their own limit.
    assert one_api("POST", "/v1/jobs", content=b" " * 1_500_000).status_code == 413
    large_file = b"a,b\n" + b"1,2\n" * 600_000
    assert one_api("POST", "/v1/datasets", content=large_file, headers=CSV).status_code == 201


def test_a_request_that_names_no_type_or_another_one_is_422(one_api: Any) -> None:
    for headers, place in (
        ({"Content-Type": "image/png"}, "Content-Type"),
        ({}, "Content-Type"),
        (CSV | {"Content-Encoding": "gzip"}, "Content-Encoding"),
    ):
        answer = one_api("POST", "/v1/datasets", content=HOUSES, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["loc"] == ["header", place]
    assert one_api("POST", "/v1/datasets?name=h.csv", content=HOUSES).status_code == 201
    assert one_api("POST", "/v1/datasets?nome=h", content=HOUSES, headers=CSV).status_code == 422


def test_built_in_datasets_are_read_without_an_upload(one_api: Any) -> None:
    pages, cursor = [], ""
    while cursor is not None:
        page = one_api("GET", f"/v1/datasets?limit=4{cursor and f'&cursor={cursor}'}").json()
        pages += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert pages[-6:] == list(builtin.NAMES)
    iris = one_api("GET", "/v1/datasets/iris").json()
    assert (iris["rows"], iris["created_at"], iris["shape"]) == (150, None, [150, 5])
    assert one_api("GET", "/v1/datasets/iris/rows?limit=1").json()["rows"] == [[5.1, 3.5, 1.4, 0.2, "setosa"]]
    assert one_api("GET", "/v1/datasets/iris/file").content == builtin.content("iris")
    digits = one_api("GET", "/v1/datasets/digits").json()
    assert digits["shape"] == [1797, 8, 8, 1]
    assert [one["kind"] for one in digits["columns"]] == ["image", "category"]
    assert len(one_api("GET", "/v1/datasets/digits/rows?limit=3").json()["rows"][2][0]) == 8
    assert one_api("GET", "/v1/datasets/zipf/rows?limit=2").json()["columns"] == ["text"]
    assert one_api("DELETE", "/v1/datasets/iris").status_code == 409


@pytest.mark.slow
def test_thousands_of_columns_are_left_out_of_the_list(one_api: Any) -> None:
    names = ",".join(f"column {at}" for at in range(3_000))
    data = f"{names}\n{','.join(['1'] * 3_000)}\n".encode()
    made = one_api("POST", "/v1/datasets", content=data, headers=CSV).json()
    assert len(made["columns"]) == 3_000
    (listed,) = (one for one in one_api("GET", "/v1/datasets").json()["items"] if one["id"] == made["id"])
    assert (listed["columns"], listed["shape"]) == (None, [1, 3_000])


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


def test_images_are_uploaded_as_npz(one_api: Any) -> None:
    data = npz(x=np.zeros((4, 5, 6, 3), dtype=np.uint8), y=np.array([0, 1, 2, 1]))
    made = one_api("POST", "/v1/datasets", content=data, headers={"Content-Type": "application/x-npz"}).json()
    assert made["shape"] == [4, 5, 6, 3]
    assert [(one["name"], one["kind"], one["distinct"]) for one in made["columns"]] == [
        ("x", "image", None),
        ("y", "category", 3),
    ]
