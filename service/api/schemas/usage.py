"""Models of the answer about the usage of a key."""

from service.api.schemas.answers import Answer


class Bounded(Answer):
    """A stored quantity, the part of open jobs, and the limit."""

    stored: int
    """What is stored. Rows and bytes include deleted jobs whose rows are not removed yet; bytes are estimates."""
    open: int
    """Jobs, runs: of the jobs that wait or run. Rows, bytes: what these jobs may still store."""
    limit: int | None
    """Jobs, runs: limit of `open`. Rows, bytes: limit of the sum of `stored` and `open`. Null: no limit."""


class Kept(Answer):
    """A stored quantity and its limit."""

    stored: int
    """What is stored."""
    limit: int
    """Its limit."""


class OpenWork(Answer):
    """The work of the jobs that wait or run."""

    open: float
    """Updates × parameters."""
    limit: float
    """Limit of `open`."""


class UsageAnswer(Answer):
    """What the jobs and datasets of a key store, and what its jobs have open."""

    jobs: Bounded
    """Jobs, ended ones included."""
    runs: Bounded
    """Runs of these jobs."""
    rows: Bounded
    """Metric rows."""
    bytes: Bounded
    """Bytes of metric rows, runs and decision maps."""
    work: OpenWork
    """Open work."""
    datasets: Kept
    """Uploaded datasets."""
    dataset_bytes: Kept
    """Bytes of their files."""
