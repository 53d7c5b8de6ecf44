"""Files of the API: tables, pictures, reports and bundles."""

from collections.abc import Iterator
from typing import Any

from service.client.connection import Connection
from service.client.pictures import Picture
from service.client.queries import given, joined, part, repeated


class Files:
    """The operations whose answers are files."""

    _connection: Connection

    def tables(
        self,
        *,
        run_id: str | None = None,
        job_id: str | None = None,
        format: str,  # noqa: A002
        **query: Any,
    ) -> Iterator[bytes]:
        """Get the history of a run, or the histories of a job, as "csv", "ndjson" or "parquet", in pieces.

        Further arguments are those of ``history`` and ``metrics``:
        ``tables(job_id=id, format="csv", fields=["loss"])``. ``excel=True`` is CSV for spreadsheet programs.
        """
        of = f"jobs/{part(job_id)}" if job_id is not None else f"runs/{part(run_id or '')}"
        labels = repeated(query.pop("labels", None))
        parameters = {name: value if isinstance(value, int) else joined(value) for name, value in query.items()}
        params = given({"format": format, "labels": labels, **parameters})
        return self._connection.pieces(f"/v1/{of}/metrics", params=params)

    def plot(self, job_id: str, kind: str, *, format: str = "png", **query: Any) -> Picture:  # noqa: A002
        """Get a plot as PNG or SVG: ``plot(id, "loss", dark=True, width=900)``."""
        path = f"/v1/jobs/{part(job_id)}/plot.{part(format)}"
        return Picture(
            self._connection.request("GET", path, repeatable=True, params=given({"kind": kind, **query})).content
        )

    def report(self, job_id: str, *, format: str = "html") -> bytes:  # noqa: A002
        """Get the report of a job as "html", "md" or "tex": ``Path("report.html").write_bytes(report(id))``."""
        path = f"/v1/jobs/{part(job_id)}/report"
        return self._connection.request("GET", path, repeatable=True, params={"format": format}).content

    def bundle(self, job_id: str) -> Iterator[bytes]:
        """Get the bundle of an ended job, a zip, in pieces; ``ravine verify`` trains it again."""
        return self._connection.pieces(f"/v1/jobs/{part(job_id)}/bundle")
