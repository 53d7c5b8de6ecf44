"""Bundles of ended jobs: one zip with all that is needed to train the job again and to compare every value.

Members are stored without compression: Parquet is compressed already, and the bytes depend on no library of
compression. Their times are fixed. The same job gives the same bytes.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.histories.drain import Drain

MEDIA_TYPE = "application/zip"
README, SPEC, RECEIPT = "README.txt", "spec.json", "receipt.json"
HISTORIES, COMPARISON = "histories.parquet", "comparison.json"
MEMBERS = (README, SPEC, RECEIPT, COMPARISON, HISTORIES)
# The file of an uploaded dataset, only in the bundle of a job that uses one.
DATASET = "dataset"
# The first time that a zip can hold, and the permissions of a file that everybody may read.
_TIME, _PERMISSIONS, _UNIX = (1980, 1, 1, 0, 0, 0), 0o100644 << 16, 3
_WORDS = """Bundle of job {job_id}: {name}

{spec:18} what was trained: problem, optimizers, seeds, epochs
{receipt:18} with what: digest of the spec, version of torch, processor, data type, status of the job
{histories:18} every recorded epoch of every run
{comparison:18} the answer: verdict, intervals, ranks, warnings
{dataset}
Train the job again on this machine, without a service, and compare every value bit by bit:

    ravine verify bundle.zip

Exit code 0: all values are the same. 1: a value differs; the first one is named. 3: this machine has another version
of torch or another processor, on which the last bits may differ; --anyway trains nevertheless and shows how far apart
the values are. 2: the file is no bundle.

Train it in a service:

    ravine submit spec.json
"""
_WORDS_OF_DATASET = f"{DATASET:18} the uploaded dataset, as its file was\n"


@dataclass(frozen=True)
class Parts:
    """The members of a bundle, without its histories.

    Attributes:
        job_id: Id of the job.
        name: Name of the job, in one line of visible characters.
        spec: The stored spec.
        receipt: Environment of the training, and how the job ended.
        comparison: The answer of the comparison, as JSON.
        dataset: The file of the uploaded dataset; None where there is none, or where it is too large.
    """

    job_id: str
    name: str
    spec: Mapping[str, Any]
    receipt: Mapping[str, Any]
    comparison: bytes
    dataset: bytes | None = None


def write_bundle(parts: Parts, histories: Iterable[bytes]) -> Iterator[bytes]:
    """Write a bundle in pieces; ``histories`` are the pieces of the Parquet file."""
    words = _WORDS.format(
        job_id=parts.job_id,
        name=parts.name,
        spec=SPEC,
        receipt=RECEIPT,
        histories=HISTORIES,
        comparison=COMPARISON,
        dataset="" if parts.dataset is None else _WORDS_OF_DATASET,
    )
    whole = {README: words.encode(), SPEC: _json(parts.spec), RECEIPT: _json(parts.receipt)}
    whole[COMPARISON] = parts.comparison
    if parts.dataset is not None:
        whole[DATASET] = parts.dataset
    drain = Drain()
    with zipfile.ZipFile(drain, "w", zipfile.ZIP_STORED) as bundle:
        for name in (*MEMBERS, *([DATASET] if DATASET in whole else [])):
            # The length of the histories is known at their end only.
            with bundle.open(_info(name), "w", force_zip64=name == HISTORIES) as member:
                for piece in histories if name == HISTORIES else (whole[name],):
                    member.write(piece)
                    yield drain.take()
    yield drain.take()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.external_attr, info.create_system = _PERMISSIONS, _UNIX
    return info


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
