"""Datasets of the API: upload of files, frames and arrays, list, delete."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from service.client.answers import Dataset, Json
from service.client.connection import Connection
from service.client.errors import NotAccepted
from service.client.queries import given, part

PARQUET, NPZ, CSV = "application/vnd.apache.parquet", "application/x-npz", "text/csv"
ENDINGS = {".csv": CSV, ".tsv": CSV, ".parquet": PARQUET, ".npz": NPZ, ".txt": "text/plain"}
_PIECE_BYTES = 65_536
# The service decodes the file before it answers.
_TIMEOUT = httpx.Timeout(600.0, connect=5.0)

Progress = Callable[[int, int], object]


class Datasets:
    """The operations on datasets."""

    _connection: Connection

    def upload(
        self,
        data: Any,
        *,
        name: str | None = None,
        ttl_seconds: int | None = None,
        progress: Progress | None = None,
    ) -> Dataset:
        """Upload a dataset. The same content again gives the same dataset.

        Args:
            data: A path, a frame of pandas or polars, or a mapping of arrays with ``x`` and ``y``. The ending of a path
                names the format: .csv, .tsv, .parquet, .npz or .txt. The index of a frame of pandas is left out.
            name: By default the name of the file.
            ttl_seconds: The dataset is deleted this long after the upload, once no open job uses it.
            progress: Is called with the bytes sent and the bytes of the file.

        Raises:
            NotAccepted: The file cannot be read, here or by the service.
        """
        body = _body_of(data, progress)
        query = given({"name": name or body.name, "ttl_seconds": ttl_seconds})
        headers = {"Content-Type": body.media_type, "Content-Length": str(body.size)}
        answer = self._connection.request(
            "POST", "/v1/datasets", repeatable=True, params=query, headers=headers, content=body, timeout=_TIMEOUT
        )
        return answer.json()  # type: ignore[no-any-return]

    def dataset(self, dataset_id: str) -> Dataset:
        """Get a dataset by its id, or a built-in one by its name."""
        return self._get_json(f"/v1/datasets/{part(dataset_id)}")  # type: ignore[return-value]

    def datasets(self) -> Iterator[Dataset]:
        """List datasets, newest first, then built-in ones. Columns are None where there are more than about 200."""
        cursor = None
        while True:
            page = self._get_json("/v1/datasets", cursor=cursor)
            yield from page["items"]
            if (cursor := page.get("next")) is None:
                return

    def dataset_rows(self, dataset_id: str, *, limit: int | None = None) -> Json:
        """Get the first rows of a dataset: ``{"columns": […], "rows": [[…], …]}``."""
        return self._get_json(f"/v1/datasets/{part(dataset_id)}/rows", limit=limit)

    def delete_dataset(self, dataset_id: str) -> None:
        """Delete a dataset that no open job uses."""
        self._connection.request("DELETE", f"/v1/datasets/{part(dataset_id)}", repeatable=False)

    def _get_json(self, path: str, **query: Any) -> Json:
        return self._connection.request("GET", path, repeatable=True, params=given(query)).json()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Body:
    """A file in pieces, from its beginning each time that a request is sent."""

    name: str
    media_type: str
    size: int
    open: Callable[[], IO[bytes]]
    progress: Progress | None

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        with self.open() as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
                sent += len(piece)
                if self.progress is not None:
                    self.progress(sent, self.size)


def _body_of(data: Any, progress: Progress | None) -> _Body:
    if isinstance(data, str | Path):
        return _file(Path(data), progress)
    media_type, content = _written(data)
    return _Body("arrays" if media_type == NPZ else "frame", media_type, len(content), lambda: io.BytesIO(content),
                 progress)  # fmt: skip


def _file(path: Path, progress: Progress | None) -> _Body:
    media_type = ENDINGS.get(path.suffix.lower())
    if media_type is None:
        raise NotAccepted("Not a dataset", f"the name of {path} must end with one of {', '.join(ENDINGS)}")
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as error:
        raise NotAccepted("Not readable", f"{path} cannot be read: {error.strerror}") from error
    return _Body(path.name, media_type, size, lambda: path.open("rb"), progress)


def _written(data: Any) -> tuple[str, bytes]:
    """Write a frame as Parquet, where that is not possible as CSV, and arrays as NPZ."""
    file = io.BytesIO()
    if isinstance(data, Mapping):
        import numpy as np

        np.savez_compressed(file, **data)
        return NPZ, file.getvalue()
    if hasattr(data, "write_parquet"):  # polars
        data.write_parquet(file)
        return PARQUET, file.getvalue()
    if not (hasattr(data, "to_parquet") and hasattr(data, "to_csv")):
        raise NotAccepted("Not a dataset", f"a {type(data).__name__} is neither a path nor a frame nor a mapping")
    frame = data.rename(columns=str)
    try:
        frame.to_parquet(file, index=False)
    except (ImportError, ValueError, TypeError):
        # No package for Parquet is installed, or a column has values of several types.
        return CSV, frame.to_csv(index=False).encode()
    return PARQUET, file.getvalue()
