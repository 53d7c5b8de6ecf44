"""The id of an event is short and valid for one job only."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.events.stream_position import WINDOW, StreamPosition, read_position, write_position
from service.errors import BadCursor

JOB = "01a1fd99-6a5f-75de-861f-50b300000000"
OTHER = "01a1fd99-6a5f-75de-861f-50b400000000"
PLACES = st.builds(
    StreamPosition,
    status=st.sampled_from(["", "queued", "running", "completed", "end"]),
    behind=st.integers(0, 2**31),
    epochs=st.lists(st.integers(0, 2**31), max_size=WINDOW).map(tuple),
)


# Drawing positions may be slow on a busy machine.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(PLACES)
def test_a_position_is_read_back_from_its_id(place: StreamPosition) -> None:
    assert read_position(write_position(place, JOB), JOB) == place


def test_without_an_id_the_position_is_the_start() -> None:
    assert read_position(None, JOB) == read_position("", JOB) == StreamPosition()


def test_an_id_stays_short_however_many_shards_a_job_has() -> None:
    longest = StreamPosition("cancelling", 2**31, (2**31,) * WINDOW)
    assert len(write_position(longest, JOB)) < 2_000
    assert len(write_position(StreamPosition("running", 60_000, (1_000, 0, 7)), JOB)) < 24


@pytest.mark.parametrize(
    "text", ["hello", "é", "AAAA", "!", "A" * 3_000, write_position(StreamPosition("running", 3, (5,)), OTHER)]
)
def test_a_text_that_is_no_id_of_this_job_is_rejected(text: str) -> None:
    with pytest.raises(BadCursor):
        read_position(text, JOB)


@given(PLACES, st.data())
def test_a_changed_id_is_refused(place: StreamPosition, data: st.DataObject) -> None:
    text = write_position(place, JOB)
    at = data.draw(st.integers(0, len(text) - 2))
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    with pytest.raises(BadCursor):
        read_position(changed, JOB)
