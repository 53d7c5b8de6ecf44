"""Bundles made by a test: of trained jobs, changed ones, and files that are none."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.api.routes.exports import all_histories
from service.api.routes.reports import receipt_of_bundle
from service.api.routes.stored import find_job
from service.database.connection import Database
from service.database.datasets.bundled import bundled
from service.histories.bundle import DATASET, HISTORIES, MEMBERS, RECEIPT, Parts, write_bundle
from service.jobs.owners import ANYBODY


def bundle_of(database: Database, job_id: str, path: Path) -> Path:
    """Write the bundle of a job."""
    with database.snapshot() as session:
        job, runs = find_job(session, job_id, ANYBODY)
    dataset = bundled(database, job.spec)
    content = None if dataset is None else dataset.content
    parts = Parts(job.id, job.name, job.spec, receipt_of_bundle(job, dataset), b"{}", content)
    path.write_bytes(b"".join(write_bundle(parts, all_histories(database, job, runs))))
    return path


def members_of(path: Path) -> dict[str, bytes]:
    """Read all members."""
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def rewrite(
    path: Path,
    members: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """Write a zip with these members."""
    with zipfile.ZipFile(path, "w", compression) as bundle:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            bundle.writestr(name, content)
    return path


def changed(source: Path, target: Path, **contents: bytes) -> Path:
    """Copy a bundle with other members, named without their suffix."""
    members = members_of(source)
    by_stem = {name.partition(".")[0]: name for name in (*MEMBERS, DATASET)}
    return rewrite(target, members | {by_stem[stem]: content for stem, content in contents.items()})


def with_receipt(source: Path, target: Path, **fields: Any) -> Path:
    """Copy a bundle with other fields of its receipt."""
    receipt = json.loads(members_of(source)[RECEIPT])
    return changed(source, target, receipt=json.dumps(receipt | fields).encode())


def with_table(source: Path, target: Path, table: pa.Table, **options: Any) -> Path:
    """Copy a bundle with other histories."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return changed(source, target, histories=buffer.getvalue())


def table_of(path: Path) -> pa.Table:
    """Read the histories of a bundle."""
    return pq.read_table(io.BytesIO(members_of(path)[HISTORIES]))


def with_value(table: pa.Table, name: str, row: int, value: Any) -> pa.Table:
    """Copy a table with another value in a row."""
    values = table[name].to_pylist()
    values[row] = value
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))
