"""The client: everything that the API can do, as one call each."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote

import httpx

from service.client.answers import ENDED, Job, Json, Run, read_run
from service.client.connection import Connection
from service.client.errors import WaitTimeout
from service.client.histories import History, read_history
from service.client.pictures import Picture
from service.client.specs import Spec, read_spec

_FIRST_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 1.0


class Ravine:
    """A Ravine service.

    Example:
        >>> with Ravine() as ravine:
        ...     job = ravine.submit({"problem": {"kind": "flipnet"}, "epochs": 30,
        ...                          "optimizers": [{"kind": "sgd", "lr": 0.05}]})
        ...     job = ravine.wait(job["id"], progress=print)
        ...     losses = [history["loss"] for history in ravine.metrics(job["id"], fields=["loss"])]

    Every method may raise a RavineError: what the API says (``status``, ``title``, ``detail``, ``errors``), or
    NotReachable. Arguments are those of ``Connection``: url, api_key, timeout_seconds, retries.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None, **options: Any) -> None:
        self._connection = Connection(url, api_key, **options)

    @property
    def url(self) -> str:
        """Where the service is."""
        return self._connection.url

    def close(self) -> None:
        """Close the connections; ``with Ravine() as ravine:`` does it too."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, spec: Spec, *, idempotency_key: str | None = None, **changes: Any) -> Job:
        """Submit a job and give it as accepted.

        Args:
            spec: The spec itself, a file of JSON (a Path, or a text that ends with .json), or the name of a preset.
            idempotency_key: The same key and spec give the same job again. Without one each call has a new key, so
                that a request whose answer got lost is sent again without a second job.
            changes: Fields that take the place of the spec's: ``submit("ravine-large-lr", epochs=500)``.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._post("/v1/jobs", json={**read_spec(spec), **changes}, headers=headers)  # type: ignore[return-value]

    def dry_run(self, spec: Spec, **changes: Any) -> Json:
        """Tell what would run: numbers of runs, epochs, updates and rows, and the first 20 runs; stores nothing."""
        return self._post("/v1/jobs", json={**read_spec(spec), **changes}, params={"dry_run": True})

    def job(self, job_id: str) -> Job:
        """Give a job as it is now."""
        return self._get(f"/v1/jobs/{_part(job_id)}")  # type: ignore[return-value]

    def jobs(self, *, status: str | None = None, name: str | None = None, problem: str | None = None) -> Iterator[Job]:
        """Give all jobs, newest first, page after page: ``itertools.islice(ravine.jobs(), 10)`` asks for one page."""
        return self._pages("/v1/jobs", "items", status=status, name=name, problem=problem)

    def versions(self, job_id: str, *, timeout_seconds: float | None = None) -> Iterator[Job]:
        """Give a job each time that it has changed, the last time when it has ended.

        Raises:
            WaitTimeout: It has not ended in this time.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        etag, pause = "", _FIRST_POLL_SECONDS
        while True:
            known = {"If-None-Match": etag} if etag else {}
            answer = self._request("GET", f"/v1/jobs/{_part(job_id)}", headers=known, accept={httpx.codes.NOT_MODIFIED})
            # 304: nothing has changed since the version that carried this tag, and no body was sent.
            if answer.status_code != httpx.codes.NOT_MODIFIED:
                etag = answer.headers.get("ETag", "")
                job: Job = answer.json()
                yield job
                if job["status"] in ENDED:
                    return
            if deadline is not None and time.monotonic() + pause > deadline:
                sentence = f"after {timeout_seconds:g} s job {job_id} is {job['status']}; it goes on"
                raise WaitTimeout("Not ended in time", sentence)
            time.sleep(pause)
            # Small jobs end within a tenth of a second; long ones need not be asked ten times a second.
            pause = min(_LONGEST_POLL_SECONDS, pause * 1.3)

    def wait(
        self, job_id: str, *, progress: Callable[[Job], object] | None = None, timeout_seconds: float | None = None
    ) -> Job:
        """Wait until a job has ended, whatever its end is, and give it.

        ``progress`` is called with the job each time that it has changed; ``service.client.bar.bar`` draws one.

        Raises:
            WaitTimeout: It has not ended in this time.
        """
        for job in self.versions(job_id, timeout_seconds=timeout_seconds):
            if progress is not None:
                progress(job)
        return job

    def runs(
        self, job_id: str, *, sort: str | None = None, status: str | None = None, label: str | None = None
    ) -> Iterator[Run]:
        """Give the runs of a job, by index, or the best first: ``sort="final_loss"``."""
        pages = self._pages(f"/v1/jobs/{_part(job_id)}/runs", "items", sort=sort, status=status, label=label)
        return (read_run(run) for run in pages)

    def run(self, run_id: str) -> Run:
        """Give one run."""
        return read_run(self._get(f"/v1/runs/{_part(run_id)}"))

    def history(
        self,
        run_id: str,
        *,
        fields: Iterable[str] | None = None,
        from_epoch: int | None = None,
        to_epoch: int | None = None,
        max_points: int | None = None,
    ) -> History:
        """Give a run's history; ``max_points`` thins it without losing extremes."""
        wanted = _history_query(fields, from_epoch, to_epoch, max_points)
        return read_history(self._get(f"/v1/runs/{_part(run_id)}/metrics", **wanted))

    def metrics(
        self,
        job_id: str,
        *,
        fields: Iterable[str] | None = None,
        labels: Iterable[str] | None = None,
        runs: Iterable[str | int] | None = None,
        from_epoch: int | None = None,
        to_epoch: int | None = None,
        max_points: int | None = None,
    ) -> Iterator[History]:
        """Give the histories of many runs of a job, of these labels or runs (ids or indices), page after page."""
        wanted = _history_query(fields, from_epoch, to_epoch, max_points)
        chosen = {"labels": _joined(labels), "runs": _joined(runs)}
        pages = self._pages(f"/v1/jobs/{_part(job_id)}/metrics", "runs", **wanted, **chosen)
        return (read_history(history) for history in pages)

    def tables(
        self,
        *,
        run_id: str | None = None,
        job_id: str | None = None,
        format: str,  # noqa: A002
        **query: Any,
    ) -> Iterator[bytes]:
        """Give the history of a run, or those of a job, as the service's "csv", "ndjson" or "parquet", piece by piece.

        What may be asked besides is what ``history`` and ``metrics`` take:
        ``tables(job_id=id, format="csv", fields=["loss"])``.
        """
        of = f"jobs/{_part(job_id)}" if job_id is not None else f"runs/{_part(run_id or '')}"
        wanted = {name: value if isinstance(value, int) else _joined(value) for name, value in query.items()}
        return self._connection.pieces(f"/v1/{of}/metrics", params=_given({"format": format, **wanted}))

    def comparison(self, job_id: str, **query: Any) -> Json:
        """Tell who won, by how much and how sure: ``comparison(id, baseline="sgd", target=0.1)``."""
        return self._get(f"/v1/jobs/{_part(job_id)}/comparison", **query)

    def plot(self, job_id: str, kind: str, *, format: str = "png", **query: Any) -> Picture:  # noqa: A002
        """Give a picture, PNG or SVG: ``plot(id, "loss", dark=True, width=900)``."""
        path = f"/v1/jobs/{_part(job_id)}/plot.{_part(format)}"
        return Picture(self._request("GET", path, params=_given({"kind": kind, **query})).content)

    def cancel(self, job_id: str) -> Job:
        """Stop a job; what was recorded stays."""
        answer = self._connection.request("POST", f"/v1/jobs/{_part(job_id)}/cancel", repeatable=False)
        return answer.json()  # type: ignore[no-any-return]

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, and all its rows."""
        self._connection.request("DELETE", f"/v1/jobs/{_part(job_id)}", repeatable=False)

    def catalogue(self, of: str) -> list[Json]:
        """List what may be asked for: "problems", "optimizers", "schedules" or "presets"; or the "lessons"."""
        return list(self._pages(f"/v1/{_part(of)}", "items"))

    def lesson(self, lesson_id: str) -> Json:
        """Show a lesson with its numbers and its verdict."""
        return self._get(f"/v1/lessons/{_part(lesson_id)}")

    def preset(self, name: str) -> Json:
        """Show a preset and the spec that it stands for."""
        return self._get(f"/v1/presets/{_part(name)}")

    def _pages(self, path: str, key: str, **query: Any) -> Iterator[Any]:
        cursor = None
        while True:
            page = self._get(path, **query, cursor=cursor)
            yield from page[key]
            if (cursor := page.get("next")) is None:
                return

    def _get(self, path: str, **query: Any) -> Json:
        return self._request("GET", path, params=_given(query)).json()  # type: ignore[no-any-return]

    def _post(self, path: str, **how: Any) -> Json:
        # Both kinds of POST may arrive twice: one carries an Idempotency-Key, the other stores nothing.
        return self._request("POST", path, **how).json()  # type: ignore[no-any-return]

    def _request(self, method: str, path: str, **how: Any) -> httpx.Response:
        return self._connection.request(method, path, repeatable=True, **how)


def _history_query(
    fields: Iterable[str] | None, from_epoch: int | None, to_epoch: int | None, max_points: int | None
) -> Json:
    return {"fields": _joined(fields), "from_epoch": from_epoch, "to_epoch": to_epoch, "max_points": max_points}


def _joined(names: Iterable[Any] | None) -> str | None:
    if names is None:
        return None
    return names if isinstance(names, str) else ",".join(map(str, names))


def _given(query: Mapping[str, Any]) -> Json:
    return {name: value for name, value in query.items() if value is not None}


def _part(name: str) -> str:
    """Write a name as one part of a path, whatever is in it."""
    return quote(name, safe="")
