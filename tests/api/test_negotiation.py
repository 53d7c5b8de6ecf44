"""Content negotiation and conditional requests: one parser of Accept and one of If-None-Match for every route."""

import httpx
import pytest
from fastapi import Request

from service.api.http.conditional import not_modified, tag_of
from service.api.http.negotiation import preferred
from service.database.connection import Database
from service.histories.formats import TABLE_FORMATS
from tests.stored import Stored

pytestmark = pytest.mark.databases("sqlite")

JSON = "application/json"
OFFERED = [JSON, *(form.media_type for form in TABLE_FORMATS.values())]


@pytest.fixture
def stored(stack_database: Database) -> Stored:
    stored = Stored(stack_database)
    stored.finish()
    return stored


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        (" , ", JSON),
        ("*/*", JSON),
        ("*", JSON),
        ("*;q=0.1", JSON),
        ("*, application/json;q=0", "text/csv"),
        ("text/*", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/csv;charset=utf-8", "text/csv"),
        ('text/csv;title="a, b; q=0";q=0.5', "text/csv"),
        ("text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("text/csv ; Q=0.5 , application/x-ndjson ; q=0.4", "text/csv"),
        ("application/vnd.apache.parquet, */*;q=0.1", "application/vnd.apache.parquet"),
        ("application/*;q=0.2, application/json;q=0", "application/x-ndjson"),
        ("text/csv;q=0, text/*", None),
        ("application/json;q=2, text/csv", JSON),
        ("application/json;q=nan, text/csv;q=0.9", JSON),
        ("application/json;q=x, text/csv;q=0.9", JSON),
        ("text/csv;q=-1", None),
        ("*/*;q=0", None),
        ("text/html, image/png", None),
        ("nonsense", None),
    ],
)
def test_the_most_specific_range_gives_the_weight_and_the_highest_weight_wins(accept: str, chosen: str | None) -> None:
    assert preferred(accept, OFFERED) == chosen


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("accept", ["*", "*/*", "*;q=0.5", "text/html, *;q=0.1", ""])
def test_a_wildcard_is_accepted_by_every_kind_of_route(client: httpx.Client, stored: Stored, accept: str) -> None:
    here = f"/v1/jobs/{stored.id}"
    run = client.get(f"{here}/runs").json()["items"][0]["id"]
    json_routes = [
        "/v1/jobs", here, f"{here}/runs", f"{here}/metrics", f"{here}/comparison", f"/v1/comparison?jobs={stored.id}",
        f"/v1/runs/{run}", f"/v1/runs/{run}/metrics", "/v1/problems", "/v1/presets", "/v1/lessons",
    ]  # fmt: skip
    other_routes = {f"{here}/plot.png": "image/png", f"{here}/plot.svg": "image/svg+xml"}
    for path, media_type in {**dict.fromkeys(json_routes, JSON), **other_routes}.items():
        answer = client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), path
    with client.stream("GET", f"{here}/events", headers={"Accept": accept}) as events:
        assert events.headers["content-type"].startswith("text/event-stream")


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("name", TABLE_FORMATS)
def test_every_format_is_chosen_by_query_or_accept_and_names_its_file(
    client: httpx.Client, stored: Stored, name: str
) -> None:
    media_type = TABLE_FORMATS[name].media_type
    for table in ("metrics", "runs"):
        path = f"/v1/jobs/{stored.id}/{table}"
        by_query, by_header = (
            client.get(path, params={"format": name}),
            client.get(path, headers={"Accept": media_type}),
        )
        assert by_query.content == by_header.content
        for answer in (by_query, by_header):
            assert answer.headers["content-type"].partition(";")[0] == media_type
            assert answer.headers["content-disposition"].endswith(f'-{table}.{name}"')


def is_known(if_none_match: str, tag: str) -> bool:
    headers = [(b"if-none-match", line.encode()) for line in if_none_match.splitlines()]
    answer = not_modified(Request({"type": "http", "headers": headers}), tag)
    assert answer is None or (answer.status_code, answer.headers["etag"]) == (304, tag)
    return answer is not None


def test_if_none_match_is_compared_weakly_and_may_be_a_list_or_a_star() -> None:
    tag = tag_of("content")
    for known in (tag, f"W/{tag}", f'"other", {tag}', f'W/"a,b" , W/{tag}', f'"other"\n{tag}', "*", " * "):
        assert is_known(known, tag), known
    for unknown in ("", '"other"', tag.strip('"'), f'"{tag[1:-2]}"', f'"*", "{tag[1:5]}"', '"*"'):
        assert not is_known(unknown, tag), unknown


def test_every_route_with_a_tag_answers_304_to_it_in_each_form(client: httpx.Client, stored: Stored) -> None:
    here = f"/v1/jobs/{stored.id}"
    for path in (here, f"{here}/comparison", f"{here}/plot.png", f"{here}/plot.svg", "/v1/problems", "/v1/optimizers"):
        first = client.get(path)
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "private, no-cache"
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            answer = client.get(path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag), (path, known)
        # The star names no form: the tag of the one that is not compressed.
        plain = tag.replace("-gzip", "")
        answer = client.get(path, headers={"If-None-Match": "*", "Accept-Encoding": "identity"})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", plain), path
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
