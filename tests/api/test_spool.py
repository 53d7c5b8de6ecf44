"""Temporary files of exports: bounded bytes and number, made once, deleted when nobody uses them."""

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from service.api.http.spool import MAX_FILES, Spool, SpooledFile
from tests.servers import until


def whole(file: SpooledFile) -> bytes:
    return b"".join(file.read(0, file.length))


def num_open(spool: Spool) -> int:
    """Count the open files of this process that were deleted and are those of exports."""
    gc.collect()
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # The folder itself was open.
            found += "ravine-export-" in str(link.readlink())
    return found


def test_files_used_longest_ago_make_room() -> None:
    spool = Spool(max_bytes=100, keep_seconds=60)
    for tag in "abc":
        content = [tag.encode() * 30]
        spool.find_or_make(tag, content.copy)
    assert spool.find("a") is not None
    spool.find_or_make("d", lambda: [b"d" * 30])
    assert spool.find("b") is None
    assert [tag for tag in "acd" if spool.find(tag)] == ["a", "c", "d"]
    assert spool.num_bytes == 90
    spool.close()
    assert spool.num_bytes == 0


def test_a_file_that_does_not_fit_has_a_length_only() -> None:
    spool = Spool(max_bytes=100, keep_seconds=60)
    made = spool.find_or_make("large", lambda: [b"x" * 60, b"y" * 60])
    assert (made.length, made.has_bytes, spool.num_bytes) == (120, False, 0)
    assert spool.find("large") is made


def test_a_file_that_is_read_counts_until_it_is_read() -> None:
    spool = Spool(max_bytes=100, keep_seconds=60)
    reading = spool.find_or_make("a", lambda: [b"a" * 80]).read(0, 80)
    spool.close()
    assert spool.num_bytes == 80
    assert not spool.find_or_make("b", lambda: [b"b" * 80]).has_bytes
    assert b"".join(reading) == b"a" * 80
    del reading
    assert spool.num_bytes == 0


def test_the_number_of_files_is_limited() -> None:
    spool = Spool(max_bytes=1_000_000, keep_seconds=60)
    before = num_open(spool)
    for number in range(MAX_FILES + 10):
        spool.find_or_make(str(number), lambda: [b"x"])
    assert num_open(spool) == before + MAX_FILES
    spool.close()
    assert num_open(spool) == before


def test_a_file_is_deleted_after_its_last_use() -> None:
    spool = Spool(max_bytes=100, keep_seconds=0.05)
    spool.find_or_make("a", lambda: [b"a" * 80])
    until(lambda: spool.num_bytes == 0)
    assert spool.find("a") is None


def test_a_file_is_made_once_for_those_who_ask_at_the_same_time() -> None:
    spool = Spool(max_bytes=1_000, keep_seconds=60)
    num_made, is_begun, may_end = 0, threading.Event(), threading.Event()

    def make() -> Iterator[bytes]:
        nonlocal num_made
        num_made += 1
        is_begun.set()
        assert may_end.wait(10)
        yield b"content"

    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(whole(spool.find_or_make("a", make)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert is_begun.wait(10)
    may_end.set()
    for thread in threads:
        thread.join()
    assert found == [b"content"] * 8
    assert num_made == 1


def test_a_file_that_fails_leaves_nothing() -> None:
    spool = Spool(max_bytes=1_000, keep_seconds=60)

    def make() -> Iterator[bytes]:
        yield b"x" * 100
        raise ValueError("deleted meanwhile")

    with pytest.raises(ValueError, match="deleted meanwhile"):
        spool.find_or_make("a", make)
    gc.collect()
    assert spool.num_bytes == 0
    assert whole(spool.find_or_make("a", lambda: [b"again"])) == b"again"


def test_a_full_disk_leaves_the_length(monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(max_bytes=1_000_000, keep_seconds=60)
    monkeypatch.setattr("service.api.http.spool._open_nameless", lambda: os.open("/dev/full", os.O_RDWR))
    made = spool.find_or_make("a", lambda: [b"x" * 100, b"y" * 100])
    assert (made.length, made.has_bytes, spool.num_bytes) == (200, False, 0)
