"""The client: one method per operation of the API."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Self

import httpx

from service.client.answers import ENDED, Comparison, Job, Json, Run, read_run
from service.client.connection import Connection
from service.client.datasets import Datasets
from service.client.errors import WaitTimeout
from service.client.files import Files
from service.client.histories import History, read_history
from service.client.queries import batches, given, history_query, part, repeated
from service.client.specs import Spec, read_spec

_FIRST_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 1.0


class Ravine(Files, Datasets):
    """A Ravine service.

    Example:
        >>> with Ravine() as ravine:
        ...     job = ravine.submit({"problem": {"kind": "flipnet"}, "epochs": 30,
        ...                          "optimizers": [{"kind": "sgd", "lr": 0.05}]})
        ...     job = ravine.wait(job["id"], progress=print)
        ...     losses = [history["loss"] for history in ravine.metrics(job["id"], fields=["loss"])]

    Every method may raise a RavineError: an error of the API (``status``, ``title``, ``detail``, ``errors``), or
    NotReachable. Arguments are those of ``Connection``: url, api_key, timeout_seconds, retries.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None, **options: Any) -> None:
        self._connection = Connection(url, api_key, **options)

    @property
    def url(self) -> str:
        """Address of the service."""
        return self._connection.url

    def close(self) -> None:
        """Close the connections, as the end of ``with Ravine() as ravine:`` does."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, spec: Spec, *, idempotency_key: str | None = None, **changes: Any) -> Job:
        """Create a job.

        Args:
            spec: The spec, a JSON file (a Path, or a text that ends with .json), or the name of a preset.
            idempotency_key: The same key and spec give the same job. By default each call has a new key, so that a
                repeated request does not create a second job.
            changes: Fields that replace those of the spec: ``submit("ravine-large-lr", epochs=500)``.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._post("/v1/jobs", json={**read_spec(spec), **changes}, headers=headers)  # type: ignore[return-value]

    def dry_run(self, spec: Spec, **changes: Any) -> Json:
        """Get the size of a job without storing it: counts of runs, epochs, updates and rows, and the first 20 runs."""
        return self._post("/v1/jobs", json={**read_spec(spec), **changes}, params={"dry_run": True})

    def job(self, job_id: str) -> Job:
        """Get a job."""
        return self._get(f"/v1/jobs/{part(job_id)}")  # type: ignore[return-value]

    def jobs(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        problem: str | None = None,
        tag: str | None = None,
        sort: Literal["created", "name", "longest", "runs"] = "created",
    ) -> Iterator[Job]:
        """List jobs, newest first unless ``sort`` is given, fetching pages as needed.

        ``itertools.islice(ravine.jobs(), 10)`` fetches one page.
        """
        return self._pages("/v1/jobs", "items", status=status, name=name, problem=problem, tag=tag, sort=sort)

    def versions(self, job_id: str, *, timeout_seconds: float | None = None) -> Iterator[Job]:
        """Poll a job, and give it after each change until it has ended.

        Raises:
            WaitTimeout: The job has not ended within the timeout.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        etag, pause = "", _FIRST_POLL_SECONDS
        while True:
            known = {"If-None-Match": etag} if etag else {}
            answer = self._request("GET", f"/v1/jobs/{part(job_id)}", headers=known, accept={httpx.codes.NOT_MODIFIED})
            # 304: the job has not changed since the version with this tag.
            if answer.status_code != httpx.codes.NOT_MODIFIED:
                etag = answer.headers.get("ETag", "")
                job: Job = answer.json()
                yield job
                if job["status"] in ENDED:
                    return
            if deadline is not None and time.monotonic() + pause > deadline:
                sentence = f"after {timeout_seconds:g} s job {job_id} is {job['status']}; it continues"
                raise WaitTimeout("Not ended in time", sentence)
            time.sleep(pause)
            # Small jobs end within 0.1 s; long jobs are polled at growing intervals.
            pause = min(_LONGEST_POLL_SECONDS, pause * 1.3)

    def wait(
        self, job_id: str, *, progress: Callable[[Job], object] | None = None, timeout_seconds: float | None = None
    ) -> Job:
        """Wait until a job has ended, with any status, and give it.

        ``progress`` is called with the job after each change; ``service.client.bar.bar`` makes a progress bar.

        Raises:
            WaitTimeout: The job has not ended within the timeout.
        """
        for job in self.versions(job_id, timeout_seconds=timeout_seconds):
            if progress is not None:
                progress(job)
        return job

    def runs(
        self, job_id: str, *, sort: str | None = None, status: str | None = None, label: str | None = None
    ) -> Iterator[Run]:
        """List the runs of a job by index, or by loss, the best first: ``sort="final_loss"``."""
        pages = self._pages(f"/v1/jobs/{part(job_id)}/runs", "items", sort=sort, status=status, label=label)
        return (read_run(run) for run in pages)

    def run(self, run_id: str) -> Run:
        """Get a run."""
        return read_run(self._get(f"/v1/runs/{part(run_id)}"))

    def history(
        self,
        run_id: str,
        *,
        fields: Iterable[str] | None = None,
        from_epoch: int | None = None,
        to_epoch: int | None = None,
        max_points: int | None = None,
    ) -> History:
        """Get the history of a run; ``max_points`` thins it and keeps extremes."""
        parameters = history_query(fields, from_epoch, to_epoch, max_points)
        return read_history(self._get(f"/v1/runs/{part(run_id)}/metrics", **parameters))

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
        """Get the histories of a job, optionally of some labels or runs (ids or indices), fetching pages as needed.

        They are sorted by index; if more than 300 runs are given, those of each 300.
        """
        parameters = history_query(fields, from_epoch, to_epoch, max_points)
        parameters["labels"] = repeated(labels)
        path = f"/v1/jobs/{part(job_id)}/metrics"
        for some in [None] if runs is None else batches(runs):
            yield from map(read_history, self._pages(path, "runs", **parameters, runs=some))

    def comparison(
        self,
        job_id: str,
        *,
        baseline: str | None = None,
        target: float | None = None,
        tuned: bool | None = None,
        criterion: str | None = None,
    ) -> Comparison:
        """Get the comparison of a job: ``comparison(id, criterion="epochs_to_target", target=0.1)``.

        ``tuned`` chooses one setting of each label by half of the seeds, and False compares every setting; by default
        it is true where a label has several settings.
        """
        query = {"baseline": baseline, "target": target, "tuned": tuned, "criterion": criterion}
        return self._get(f"/v1/jobs/{part(job_id)}/comparison", **query)  # type: ignore[return-value]

    def cancel(self, job_id: str) -> Job:
        """Cancel a job; recorded rows are kept."""
        return self._once("POST", f"/v1/jobs/{part(job_id)}/cancel").json()  # type: ignore[no-any-return]

    def continue_job(self, job_id: str, max_seeds: int) -> Job:
        """Continue a job that ended undecided, up to this many seeds."""
        return self._post(f"/v1/jobs/{part(job_id)}/continue", json={"max_seeds": max_seeds})  # type: ignore[return-value]

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, and all its rows."""
        self._once("DELETE", f"/v1/jobs/{part(job_id)}")

    def usage(self) -> Json:
        """Get what the key stores and what its jobs have open, with the limits: jobs, rows, bytes, work, datasets."""
        return self._get("/v1/usage")

    def catalogue(self, of: str) -> list[Json]:
        """List the "problems", "optimizers", "schedules", "presets" or "lessons" of the service."""
        return list(self._pages(f"/v1/{part(of)}", "items"))

    def lesson(self, lesson_id: str) -> Json:
        """Get a lesson with its numbers and its verdict."""
        return self._get(f"/v1/lessons/{part(lesson_id)}")

    def run_lesson(self, lesson_id: str) -> Json:
        """Submit the jobs of a lesson, and get the lesson; where keys are required, with the key of an admin."""
        return self._once("POST", f"/v1/lessons/{part(lesson_id)}/jobs").json()  # type: ignore[no-any-return]

    def preset(self, name: str) -> Json:
        """Get a preset with its spec."""
        return self._get(f"/v1/presets/{part(name)}")

    def _pages(self, path: str, key: str, **query: Any) -> Iterator[Any]:
        cursor = None
        while True:
            page = self._get(path, **query, cursor=cursor)
            yield from page[key]
            if (cursor := page.get("next")) is None:
                return

    def _get(self, path: str, **query: Any) -> Json:
        return self._request("GET", path, params=given(query)).json()  # type: ignore[no-any-return]

    def _post(self, path: str, **how: Any) -> Json:
        # These POST requests are repeatable: they have an effect once, or none.
        return self._request("POST", path, **how).json()  # type: ignore[no-any-return]

    def _once(self, method: str, path: str) -> httpx.Response:
        return self._connection.request(method, path, repeatable=False)

    def _request(self, method: str, path: str, **how: Any) -> httpx.Response:
        return self._connection.request(method, path, repeatable=True, **how)
