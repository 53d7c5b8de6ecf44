"""Each file that is no dataset gets a sentence that says why and where, within bounds of memory and time."""

import resource
import time
from contextlib import suppress
from pathlib import Path

import pytest

from service.errors import Rejected
from service.spec.datasets.decoding import Limits, decode_apart
from service.spec.datasets.media import CSV, NPZ, PARQUET
from service.spec.datasets.reading import read
from tests.spec.datasets.bad_files import BAD_FILES, bad_file, parquet

MEMORY_MB = 400
# A gigabyte of zeros takes ten seconds to compress.
BOMB = "a zip bomb"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == BOMB else []) for name in BAD_FILES]
)
def test_a_bad_file_gets_its_sentence(name: str) -> None:
    media_type, data, sentence = bad_file(name)
    began = time.thread_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Rejected) as refused:
        read(data, media_type)
    assert sentence in refused.value.detail
    (error,) = refused.value.errors
    assert error["msg"] == refused.value.detail
    assert error["loc"][0] == "body"
    assert time.thread_time() - began < 5.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_MB * 1_024


def test_there_are_at_least_thirty_bad_files() -> None:
    assert len(BAD_FILES) >= 30


@pytest.mark.slow
def test_a_file_that_takes_too_much_memory_ends_its_own_process(tmp_path: Path) -> None:
    source, output = tmp_path / "big.csv", tmp_path / "output"
    source.write_bytes(b"a,b\n" + b"1,2\n" * 12_000_000)
    with pytest.raises(Rejected, match="decoding the file takes more than 256 MB"):
        decode_apart(source, CSV, output, Limits(256, 30))


@pytest.mark.slow
def test_a_file_that_takes_too_long_ends_its_own_process(tmp_path: Path) -> None:
    source, output = tmp_path / "slow.csv", tmp_path / "output"
    source.write_text("name\nx" + "\nx".join(map(str, range(3_000_000))))
    with pytest.raises(Rejected, match="takes longer than 1 s"):
        decode_apart(source, CSV, output, Limits(2_048, 1))


def test_a_page_that_lies_about_its_size_takes_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    data = parquet({"a": list(range(1_000))}, use_dictionary=False, compression="snappy")
    for at in range(4, 60):
        lying = bytearray(data)
        # Somewhere here is the uncompressed size of the page, written with 7 bits in each byte.
        lying[at : at + 5] = b"\xfe\xff\xff\xff\x0f"
        with suppress(Rejected, MemoryError):
            read(bytes(lying), PARQUET)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_MB * 1_024


@pytest.mark.slow
def test_the_error_of_a_process_is_that_of_the_file(tmp_path: Path) -> None:
    media_type, data, sentence = bad_file(BOMB)
    assert media_type == NPZ
    source = tmp_path / "bomb.npz"
    source.write_bytes(data)
    with pytest.raises(Rejected) as refused:
        decode_apart(source, media_type, tmp_path / "output", Limits(2_048, 30))
    assert sentence in refused.value.detail
    assert not (tmp_path / "output").exists()
