"""An API that is killed inside an upload leaves nothing that is visible, and the upload can be repeated."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from sqlalchemy import select, update

from service.database.accounts import Dataset, DatasetChunk
from service.database.connection import Database
from service.database.datasets import stored
from service.database.datasets.chunks import num_chunks
from service.database.statements import lock, seconds_from_now
from service.jobs.upkeep import Upkeep
from service.spec.datasets import builtin
from tests.queued import count
from tests.servers import Api, until
from tests.spec.datasets.bad_files import npz

NO_BROKER = "redis://127.0.0.1:1/0"
NPZ = {"Content-Type": "application/x-npz"}
SIZE = 48


def content() -> bytes:
    """Random images of 48 MB, which no compression makes smaller."""
    drawn = np.random.default_rng(5)
    return npz(x=drawn.random((SIZE, 360, 360)), y=np.arange(SIZE) % 2)


def visible(api: Api) -> list[str]:
    """The ids of all datasets of a list."""
    answer = httpx.get(f"{api.url}/v1/datasets", trust_env=False, timeout=30.0).raise_for_status()
    return [one["id"] for one in answer.json()["items"]]


def send(api: Api, data: bytes) -> httpx.Response:
    return httpx.post(f"{api.url}/v1/datasets", content=data, headers=NPZ, timeout=120.0, trust_env=False)


def kill(api: Api) -> None:
    """Kill the API; its supervisor starts it again."""
    pid = api.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: api.pid != pid, "the API has not ended")


@pytest.mark.slow
def test_an_api_killed_inside_an_upload_leaves_no_dataset_and_the_upload_can_be_repeated(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    data, env = (
        content(),
        {"RAVINE_DATASET_FOLDER": str(tmp_path / "tables"), "RAVINE_SWEEP_SECONDS": "3600", "TMPDIR": str(tmp_path)},
    )
    (tmp_path / "tables").mkdir(mode=0o700)
    (tmp_path / "second").mkdir()
    answers: list[str] = []

    def upload(api: Api) -> None:
        # Without an answer if the API is killed as it should be.
        with suppress(httpx.HTTPError):
            answers.append(send(api, data).text)

    with Api(database_url, NO_BROKER, tmp_path, env=env) as api:
        sending = threading.Thread(target=upload, args=(api,))
        sending.start()
        until(lambda: count(database, DatasetChunk) > 0 or answers, "no chunk is stored")
        # On SQLite no more chunks are stored while this transaction is open; on PostgreSQL the upload cannot end.
        with database.transaction() as session:
            lock(session, "datasets of ")
            assert session.execute(select(Dataset.owner)).scalars().all() == [stored.NOBODY]
            assert visible(api) == [*builtin.NAMES]
            kill(api)
        sending.join()
    assert not answers
    unfinished = count(database, DatasetChunk)
    assert 0 < unfinished <= num_chunks(len(data))
    with Api(database_url, NO_BROKER, tmp_path / "second", env=env) as api:
        assert visible(api) == [*builtin.NAMES]
        again = send(api, data)
        assert again.status_code == 201, again.text
        made = again.json()
        assert visible(api) == [made["id"], *builtin.NAMES]
        assert count(database, DatasetChunk) == unfinished + num_chunks(len(data))
        # An hour after its beginning an upload that has not ended has lost its process.
        with database.transaction() as session:
            session.execute(
                update(Dataset).where(Dataset.owner == stored.NOBODY).values(expires_at=seconds_from_now(-1))
            )
        Upkeep(database, 1.0).once()
        assert (count(database, Dataset), count(database, DatasetChunk)) == (1, num_chunks(len(data)))
        file = httpx.get(f"{api.url}/v1/datasets/{made['id']}/file", timeout=120.0, trust_env=False)
        assert file.content == data


@pytest.mark.slow(after=1)
def test_an_api_killed_while_a_body_arrives_has_stored_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    data = content()
    arrived, killed = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        yield data[: len(data) // 2]
        arrived.set()
        killed.wait(60)
        yield data[len(data) // 2 :]

    def upload() -> None:
        with suppress(httpx.HTTPError):
            httpx.post(f"{api.url}/v1/datasets", content=slowly(), headers=NPZ, timeout=120.0, trust_env=False)

    with Api(database_url, NO_BROKER, tmp_path, env={"TMPDIR": str(tmp_path)}) as api:
        sending = threading.Thread(target=upload)
        sending.start()
        assert arrived.wait(60)
        assert list(tmp_path.glob("ravine-upload-*"))
        kill(api)
        killed.set()
        sending.join()
        until(lambda: not list(tmp_path.glob("ravine-upload-*")), "the next process has left the file of the last one")
    assert (count(database, Dataset), count(database, DatasetChunk)) == (0, 0)
