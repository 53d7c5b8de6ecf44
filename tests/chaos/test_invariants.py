"""The check of invariants detects each kind of violation."""

from dataclasses import replace

import pytest

from tests.chaos.invariants import Record, Row, Sighting, violations

ROWS: list[Row] = [(run, epoch, bytes(8), None) for run in range(2) for epoch in range(3)]
RUNS: list[Row] = [(0, "completed", 2), (1, "completed", 2)]
WHOLE = Record("completed", ROWS, RUNS)
SEEN = [Sighting("queued", 0), Sighting("running", 1), Sighting("running", 3), Sighting("completed", 4)]


def test_an_undisturbed_job_has_no_violations() -> None:
    assert violations(WHOLE, WHOLE, SEEN) == []
    assert violations(WHOLE, WHOLE, [SEEN[0], SEEN[3]]) == []


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("lost", None),
        ("lost", replace(WHOLE, status="running")),
        ("lost", replace(WHOLE, status="failed")),
        ("doubled", replace(WHOLE, rows=[*ROWS, ROWS[3]])),
        ("missing", replace(WHOLE, rows=ROWS[:-1])),
        ("unexpected", replace(WHOLE, rows=[*ROWS, (2, 0, bytes(8), None)])),
        ("different", replace(WHOLE, rows=[*ROWS[:5], (1, 2, b"\1" + bytes(7), None)])),
        ("different", replace(WHOLE, rows=[*ROWS[:5], (1, 2, bytes(8), bytes(8))])),
        ("different", replace(WHOLE, runs=[RUNS[0], (1, "diverged", 1)])),
        ("different", replace(WHOLE, runs=RUNS[:1])),
        ("different", replace(WHOLE, decisions=[{"status": "open"}])),
    ],
)
def test_the_record_of_a_job_is_compared_with_the_expected_one(kind: str, found: Record | None) -> None:
    (wrong,) = violations(WHOLE, found, SEEN)
    assert wrong.startswith(f"{kind}:")


@pytest.mark.parametrize(
    "sightings",
    [
        [Sighting("running", 1), Sighting("queued", 1)],
        [Sighting("cancelling", 1), Sighting("running", 1)],
        [Sighting("cancelled", 1), Sighting("completed", 1)],
        [Sighting("running", 3), Sighting("running", 1)],
    ],
)
def test_status_and_progress_never_go_back(sightings: list[Sighting]) -> None:
    (wrong,) = violations(WHOLE, WHOLE, sightings)
    assert wrong.startswith("gone back:")
