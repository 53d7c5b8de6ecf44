"""Reading of rows in bulk: windows, plans of queries, and sizes of pieces."""

import io
import re

import httpx
import pytest
from pyarrow import parquet

from service.database import reading
from service.database.connection import Database
from service.database.reading import PIECE_ROWS, stream
from service.database.spans import Span, joined, windows
from service.histories.parquet import ROW_GROUP_ROWS
from tests.stored import Stored


def test_windows_cover_a_span_once_and_stay_small() -> None:
    for span, record_every in [(Span(3, 50, 0, 100), 1), (Span(0, 3, 7, 5_000), 1), (Span(0, 3, 0, 5_000), 10)]:
        seen: dict[tuple[int, int], int] = {}
        for window in windows(span, record_every, max_rows=300):
            kept = [
                (run, epoch)
                for run in range(window.first_run, window.end_run)
                for epoch in range(window.first_epoch, window.end_epoch)
                if epoch % record_every == 0
            ]
            assert len(kept) <= 300
            seen |= dict.fromkeys(kept, 1)
        assert list(seen) == sorted(seen)
        assert len(seen) == (span.end_run - span.first_run) * len(
            [epoch for epoch in range(span.first_epoch, span.end_epoch) if epoch % record_every == 0]
        )
    assert list(joined([Span(0, 2, 0, 9), Span(2, 4, 0, 9), Span(4, 4, 0, 9), Span(4, 6, 0, 3)])) == [
        Span(0, 4, 0, 9),
        Span(4, 6, 0, 3),
    ]


def test_a_few_epochs_of_many_runs_are_looked_up_run_by_run(stack_database: Database) -> None:
    stored = Stored(stack_database)
    stored.finish()
    span = Span(1, 5, 4, 6)
    read = [
        row
        for rows in stream(stack_database, stored.job, [span], ["loss"], 1)
        for row in zip(rows.index_N, rows.epoch_N, strict=True)
    ]
    assert read == [(run, epoch) for run in range(1, 5) for epoch in (4, 5)]
    _, rest = reading._query(stack_database.dialect, stored.job.key, span)
    with stack_database.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN" if stack_database.file else "EXPLAIN"
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} SELECT m.loss {rest}"))
    # The search uses all three columns of the primary key.
    if stack_database.file:
        assert "SEARCH m USING PRIMARY KEY (job_key=? AND run_index=? AND epoch>? AND epoch<?)" in plan
    else:
        assert re.search(r"Index Cond: .*job_key.*run_index = .*r\.index.*epoch", plan), plan


@pytest.mark.slow
def test_blocks_stay_small_and_row_groups_too(
    client: httpx.Client, stack_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Stored(
        stack_database, epochs=40_000, seeds=[0], optimizers=[{"kind": "sgd", "lr": 0.1}, {"kind": "adam", "lr": 0.1}]
    )
    stored.finish()
    sizes = [len(rows) for rows in stream(stack_database, stored.job, [Span(0, 2, 0, 40_001)], ["loss"], 1)]
    assert sum(sizes) == 80_002
    assert max(sizes) <= PIECE_ROWS
    answer = client.get(f"/v1/jobs/{stored.id}/metrics?format=parquet")
    file = parquet.ParquetFile(io.BytesIO(answer.content))
    groups = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert sum(groups) == 80_002
    assert len(groups) > 1
    assert max(groups) <= ROW_GROUP_ROWS
