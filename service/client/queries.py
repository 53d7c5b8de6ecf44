"""Query parameters and paths of requests."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from service.client.answers import Json

# With their commas percent-encoded, the ids of so many runs take 12 KB of the 16 KiB of a URL.
_RUNS_OF_A_REQUEST = 300


def history_query(
    fields: Iterable[str] | None, from_epoch: int | None, to_epoch: int | None, max_points: int | None
) -> Json:
    """Give the parameters of a history; those that are None are omitted later."""
    return {"fields": joined(fields), "from_epoch": from_epoch, "to_epoch": to_epoch, "max_points": max_points}


def joined(names: Iterable[Any] | None) -> str | None:
    """Join names with commas; a text is joined already."""
    if names is None:
        return None
    return names if isinstance(names, str) else ",".join(map(str, names))


def batches(runs: Iterable[str | int]) -> Iterator[str]:
    """Join runs, each once, in batches that fit into a URL."""
    if isinstance(runs, str):
        runs = runs.split(",")
    named = list(dict.fromkeys(str(run).strip() for run in runs))
    for at in range(0, max(1, len(named)), _RUNS_OF_A_REQUEST):
        yield ",".join(named[at : at + _RUNS_OF_A_REQUEST])


def repeated(labels: Iterable[str] | None) -> list[str] | None:
    """Give labels as repeated parameters, because a label may contain commas. No label is an empty one, not all."""
    if labels is None:
        return None
    return [labels] if isinstance(labels, str) else list(labels) or [""]


def given(query: Mapping[str, Any]) -> Json:
    """Omit the parameters that are None."""
    return {name: value for name, value in query.items() if value is not None}


def part(name: str) -> str:
    """Percent-encode a name as one segment of a path."""
    return quote(name, safe="")
