"""Rows after a position: each row once, whatever the order in which shards store them."""

import json
import random

import pytest

from service.api.events import news
from service.api.events.news import Interest
from service.api.events.stream_position import StreamPosition, read_position, write_position
from service.database.connection import Database
from service.database.ids import split_run_id
from service.errors import NotFound
from service.histories.chosen import chosen_runs
from service.histories.reading import select_fields
from service.jobs.lifecycle import remove
from service.jobs.owners import ANYBODY
from service.spec.runs import Runs
from tests.stored import Stored

Row = tuple[int, int]


def interest_in(stored: Stored, *, fields: str = "loss", max_points: int | None = None, **chosen: str) -> Interest:
    labels = [chosen["labels"]] if "labels" in chosen else None
    ranges = chosen_runs(stored.id, Runs(stored.spec), labels, chosen.get("runs"))
    return Interest(tuple(ranges), select_fields(stored.spec, fields, max_points=max_points))


def read_on(
    database: Database, stored: Stored, place: StreamPosition, interest: Interest
) -> tuple[list[Row], StreamPosition]:
    """Read all new rows; after each piece, write the position as an id and read it back."""
    sent: list[Row] = []
    while piece := news.next_news(database, stored.job, Runs(stored.spec), place, interest):
        place = read_position(write_position(piece.position, stored.id), stored.id)
        for run in json.loads(piece.data or b'{"runs":[]}')["runs"]:
            sent += [(split_run_id(run["run_id"])[1], epoch) for epoch in run["epoch"]]
    return sent, place


@pytest.mark.slow(after=1)
def test_every_row_is_sent_once_whatever_the_order_of_storage(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "EVENT_ROWS", 5)
    chance = random.Random(4)
    for _ in range(3):
        stored = Stored(database)
        interest, place, sent = interest_in(stored), StreamPosition(), []
        open_shards = list(range(len(stored.claims)))
        while open_shards:
            shard = chance.choice(open_shards)
            if stored.stored[shard] > stored.spec.epochs:
                stored.end(shard)
                open_shards.remove(shard)
            else:
                stored.store(shard, chance.randint(1, 4))
            if chance.random() < 0.7:
                rows, place = read_on(database, stored, place, interest)
                sent += rows
        rows, place = read_on(database, stored, place, interest)
        sent += rows
        assert sorted(sent) == stored.rows()
        assert len(sent) == len(set(sent))
        assert place == StreamPosition(behind=len(stored.claims))


def test_the_row_of_epoch_zero_is_sent_while_epoch_one_is_trained(database: Database) -> None:
    stored = Stored(database)
    interest = interest_in(stored)
    assert read_on(database, stored, StreamPosition(), interest) == ([], StreamPosition())
    stored.store(1, 1)
    sent, place = read_on(database, stored, StreamPosition(), interest)
    assert sent == [(2, 0), (3, 0)]
    stored.store(1, 1)
    assert read_on(database, stored, place, interest)[0] == [(2, 1), (3, 1)]


def test_every_chunk_changes_the_state(database: Database) -> None:
    stored = Stored(database)
    seen = []
    for shard, num_epochs in [(0, 1), (2, 1), (0, 3), (1, 10)]:
        stored.store(shard, num_epochs)
        with database.snapshot() as session:
            seen.append(news.read_state(session, stored.job.key, 0))
    assert len({state.shards for state in seen if state}) == len(seen)
    stored.finish()
    with database.snapshot() as session:
        last = news.read_state(session, stored.job.key, 3)
    assert last is not None
    assert last.has_ended
    assert last.shards == ()


def test_only_the_rows_of_selected_runs_are_sent(database: Database) -> None:
    stored = Stored(database)
    stored.finish()
    sent, place = read_on(database, stored, StreamPosition(), interest_in(stored, labels="b"))
    assert sorted(sent) == [row for row in stored.rows() if row[0] >= 3]
    assert place == StreamPosition(behind=3)
    sent, _ = read_on(database, stored, StreamPosition(), interest_in(stored, runs="5,0"))
    assert sorted(sent) == [row for row in stored.rows() if row[0] in (0, 5)]


def test_rows_beyond_the_window_are_sent_after_earlier_shards(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "WINDOW", 4)
    stored = Stored(database, shard_runs=1, epochs=1)
    last = len(stored.claims) - 1
    assert last == 5
    interest = interest_in(stored)
    stored.store(last, 2)
    stored.end(last)
    assert read_on(database, stored, StreamPosition(), interest) == ([], StreamPosition())
    for shard in range(last):
        if shard != 1:
            stored.store(shard, 2)
            stored.end(shard)
    sent, place = read_on(database, stored, StreamPosition(), interest)
    assert place.behind == 1
    assert (last, 0) not in sent
    stored.store(1, 2)
    stored.end(1)
    rest, place = read_on(database, stored, place, interest)
    assert sorted(sent + rest) == stored.rows()
    assert place == StreamPosition(behind=last + 1)


def test_thinned_events_keep_first_last_and_extremes(database: Database) -> None:
    stored = Stored(database, epochs=2_000, loss=lambda run, epoch: -5.0 if epoch == 777 else float(epoch % 100))
    stored.finish()
    sent, _ = read_on(database, stored, StreamPosition(), interest_in(stored, runs="4", max_points=50))
    epochs = [epoch for _, epoch in sent]
    assert epochs == sorted(set(epochs))
    assert {0, 99, 777, 2_000} <= set(epochs)
    assert len(epochs) <= 60


@pytest.mark.slow(after=1)
def test_thinned_events_have_the_same_points_whatever_the_chunks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "THINNED_EVENT_ROWS", 150)
    chance = random.Random(7)
    noise = [chance.gauss(0, 1) for _ in range(407)]
    noise[33] = float("nan")
    noise[34] = float("inf")
    answers = []
    for sizes in ([407], [9], None):
        stored = Stored(database, shard_runs=4, epochs=406, loss=lambda run, epoch: noise[epoch] + run)
        interest, place, sent = interest_in(stored, max_points=40), StreamPosition(), []
        for shard in (1, 0):
            while stored.stored[shard] <= 406:
                stored.store(shard, sizes[0] if sizes else chance.randint(1, 70))
                more, place = read_on(database, stored, place, interest)
                sent += more
            stored.end(shard)
        more, place = read_on(database, stored, place, interest)
        assert place == StreamPosition(behind=2)
        sent += more
        assert len(sent) == len(set(sent))
        answers.append(sorted(sent))
    assert answers[0] == answers[1] == answers[2]
    of_run = [epoch for run, epoch in answers[0] if run == 5]
    extremes = {noise.index(choose(one for one in noise if abs(one) < 9)) for choose in (min, max)}
    assert {0, 33, 34, 406} | extremes <= set(of_run)
    assert 30 <= len(of_run) <= 42


def test_thinned_rows_are_sent_before_the_end(database: Database) -> None:
    stored = Stored(database, epochs=999)
    interest = interest_in(stored, runs="0", max_points=100)
    stored.store(0, 39)
    assert read_on(database, stored, StreamPosition(), interest) == ([], StreamPosition())
    stored.store(0, 42)
    sent, place = read_on(database, stored, StreamPosition(), interest)
    assert place == StreamPosition(epochs=(80,))
    assert [epoch for _, epoch in sent] == [0, 39, 40, 79]
    # The remaining stored rows, without thinning.
    sent, _ = read_on(database, stored, place, interest_in(stored, runs="0"))
    assert sent == [(0, 80)]


def test_an_export_and_the_position_after_it_have_neither_gap_nor_repeat(database: Database) -> None:
    stored = Stored(database)
    stored.store(0, 4)
    stored.store(2, 10)
    stored.end(2)
    with database.snapshot() as session:
        known, place = news.everything(session, stored.job.key, StreamPosition())
    exported = {
        (run, epoch)
        for shard in known
        for run in range(shard.first_run, shard.first_run + shard.num_runs)
        for epoch in range(shard.end_epoch)
    }
    assert place == StreamPosition(epochs=(4, 0, 10))
    stored.store(0, 20)
    stored.store(1, 20)
    rest, _ = read_on(database, stored, place, interest_in(stored))
    assert sorted([*exported, *rest]) == stored.rows()


def test_a_job_deleted_during_a_read_is_an_error(database: Database) -> None:
    stored = Stored(database)
    stored.finish()
    runs, interest = Runs(stored.spec), interest_in(stored)
    with database.transaction() as session:
        shard = next(news.shard_states(session, stored.job.key, 0))
        remove(session, stored.id, ANYBODY)
    assert shard.end_epoch == 10
    with database.snapshot() as session:
        assert news.read_state(session, stored.job.key, 0) is None
    with pytest.raises(NotFound):
        news.next_news(database, stored.job, runs, StreamPosition(), interest)
