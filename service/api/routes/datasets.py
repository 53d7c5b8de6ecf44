"""Routes of datasets: upload, list, get, rows, file, delete."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from service.api.http.body_limits import DATASETS
from service.api.http.cursors import read_cursor, write_cursor
from service.api.http.files import answer_file
from service.api.http.json_answers import answer
from service.api.http.uploads import Upload, Uploads
from service.api.routes.dependencies import (
    Documented,
    PageQuery,
    TheCaller,
    TheDatabase,
    TheSettings,
    TheWork,
    guarded,
)
from service.api.schemas.answers import Page, Problem
from service.api.schemas.datasets import DatasetAnswer, RowsAnswer, dataset_answer
from service.api.turns.routes import TurnRoute, in_turn
from service.api.turns.streams import Pieces
from service.api.turns.work import Kind
from service.database.connection import Database
from service.database.datasets import adding, removing, stored
from service.database.datasets.adding import NewFile
from service.errors import Rejected
from service.jobs.owners import Caller
from service.settings import Settings
from service.spec.datasets import builtin
from service.spec.datasets.decoded import DecodedTables
from service.spec.datasets.first_rows import first_rows
from service.spec.datasets.media import ENDINGS, MEDIA_TYPES, media_type_of
from service.spec.fields import NO_ZERO_CHARACTER

router = guarded(DATASETS, "datasets", TurnRoute)
# The bodies of these routes are files, which wait for no turn while they arrive.
uploads = guarded(DATASETS, "datasets")
NO_DATASET: Documented = {404: {"model": Problem, "description": "There is no such dataset."}}
_FILES = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES}
_ANY_FILE: dict[str, Any] = {media_type: {} for media_type in MEDIA_TYPES}


class UploadQuery(BaseModel):
    """Name and life of a dataset; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        "dataset", min_length=1, max_length=200, pattern=NO_ZERO_CHARACTER, description="Name of the dataset."
    )
    ttl_seconds: int | None = Field(
        None,
        ge=1,
        le=10 * 365 * 86_400,
        description="The dataset is deleted this long after the upload, once no open job uses it.",
    )


class RowsQuery(BaseModel):
    """Number of rows; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=500, description="Largest number of rows; fewer if rows have thousands of values.")


@uploads.post(
    "",
    status_code=201,
    operation_id="create_dataset",
    responses={
        201: {"model": DatasetAnswer},
        200: {"model": DatasetAnswer, "description": "The same content was uploaded before: that dataset."},
        409: {"model": Problem, "description": "The same bytes are stored with another media type."},
        422: {"model": Problem, "description": "The file cannot be read; the place is its line and column."},
        429: {"model": Problem, "description": "The caller has too many datasets or bytes, or too many requests wait."},
    },
    openapi_extra={"requestBody": {"required": True, "content": _FILES}},
)
async def create(
    query: Annotated[UploadQuery, Query()],
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    settings: TheSettings,
    work: TheWork,
) -> Response:
    """Upload a file: a CSV, a Parquet file, an NPZ with `x` and `y`, or a text."""
    media_type = media_type_of(request.headers.get("content-type", ""), query.name)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Rejected.at("header", "Content-Encoding", "send the file as it is, without Content-Encoding")
    database.require_space()
    received: Uploads = request.app.state.uploads
    tables: DecodedTables = request.app.state.tables
    async with received.receive(request, caller.id) as upload, work.turns(Kind.DECODE).take(caller.id, request):
        found, is_new = await run_in_threadpool(
            _store, upload, query, media_type, caller, database, tables, settings
        )  # fmt: skip
    return answer(dataset_answer(found), 201 if is_new else 200, {"Location": f"{DATASETS}/{found.id}"})


def _store(
    upload: Upload,
    query: UploadQuery,
    media_type: str,
    caller: Caller,
    database: Database,
    tables: DecodedTables,
    settings: Settings,
) -> tuple[stored.Found, bool]:
    new = NewFile(upload.path, query.name, media_type, upload.digest, {}, query.ttl_seconds)
    with database.transaction() as session:
        if (known := adding.known_content(session, caller.id, new)) is not None:
            return known, False
        adding.check_quota(session, caller.id, upload.num_bytes, settings)
    summary = tables.decode(upload.path, upload.digest, media_type)
    return adding.add(database, caller.id, new.described(summary), settings)


@router.get("", operation_id="list_datasets", responses={200: {"model": Page[DatasetAnswer]}})
def list_datasets(query: Annotated[PageQuery, Query()], caller: TheCaller, database: TheDatabase) -> Response:
    """List datasets, newest first, then built-in ones."""
    with database.snapshot() as session:
        before = read_cursor("datasets", query.cursor)
        found = stored.listed(session, _owner(caller), before=before, limit=query.limit + 1)
    shown = found[: query.limit]
    next_cursor = write_cursor("datasets", shown[-1][0]) if len(found) > query.limit else None
    return answer({"items": [dataset_answer(one) for _, one in shown], "next": next_cursor})


@router.get("/{dataset_id}", operation_id="get_dataset", responses={200: {"model": DatasetAnswer}, **NO_DATASET})
def get(dataset_id: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Get a dataset."""
    return answer(dataset_answer(_find(database, caller, dataset_id)))


@router.get("/{dataset_id}/rows", operation_id="get_rows", responses={200: {"model": RowsAnswer}, **NO_DATASET})
@in_turn(Kind.DECODE)
def get_rows(
    dataset_id: str, query: Annotated[RowsQuery, Query()], request: Request, caller: TheCaller, database: TheDatabase
) -> Response:
    """Get the first rows of a dataset as they are read."""
    found = _find(database, caller, dataset_id)
    if found.key is None:
        table = builtin.table(found.id)
    else:
        tables: DecodedTables = request.app.state.tables
        table = tables.find_or_make(
            found.digest, found.media_type, lambda: b"".join(stored.content(database, found))
        )  # fmt: skip
    columns, rows = first_rows(table, query.limit)
    return answer({"columns": columns, "rows": rows})


@router.get(
    "/{dataset_id}/file",
    operation_id="get_dataset_file",
    response_class=Response,
    responses={
        200: {"content": _ANY_FILE, "description": "The uploaded file."},
        206: {"content": _ANY_FILE, "description": "The bytes that the header Range names."},
        304: {"description": "The client has the file with this ETag."},
        416: {"model": Problem, "description": "The file has none of the bytes that the header Range names."},
        **NO_DATASET,
    },
)
async def get_file(
    dataset_id: str, request: Request, caller: TheCaller, database: TheDatabase, work: TheWork
) -> Response:
    """Get the uploaded file, byte by byte."""
    found = await run_in_threadpool(_find, database, caller, dataset_id)
    media_type = found.media_type.partition(";")[0]
    ending = next(ending for ending, known in ENDINGS.items() if known == media_type)
    headers = {"Content-Disposition": f'attachment; filename="{found.id}{ending}"'}

    def make() -> Iterator[bytes]:
        return stored.content(database, found)

    def answer_it() -> Response | Pieces:
        return answer_file(request, make, f'"{found.digest}"', media_type, headers)

    return await work.streams.answer(request, caller.id, answer_it)


@router.delete(
    "/{dataset_id}",
    status_code=204,
    operation_id="delete_dataset",
    responses={**NO_DATASET, 409: {"model": Problem, "description": "A job that has not ended uses the dataset."}},
)
def delete(dataset_id: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Delete a dataset that no open job uses. Built-in datasets stay."""
    with database.transaction() as session:
        removing.remove(session, _owner(caller), dataset_id)
    return Response(status_code=204)


def _find(database: Database, caller: Caller, dataset_id: str) -> stored.Found:
    with database.snapshot() as session:
        return stored.find(session, _owner(caller), dataset_id)


def _owner(caller: Caller) -> str | None:
    return None if caller.is_admin else caller.id
