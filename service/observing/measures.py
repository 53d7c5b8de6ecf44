"""Prometheus metrics of this process: durations of requests and of transactions."""

from prometheus_client import CollectorRegistry, Histogram

# From a poll that shares a read with others to a comparison of thousands of runs.
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TRANSACTION_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Measures:
    """The histograms of one application, in a registry of their own, because tests make several per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "ravine_http_request_duration_seconds",
            "Seconds from a request's headers to the last byte of its answer; event streams last until the job ends.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=_REQUEST_SECONDS,
        )
        self._transactions = Histogram(
            "ravine_database_transaction_duration_seconds",
            "Seconds of a transaction of this process, including the wait for a connection; only `write` commits.",
            ("kind",),
            registry=self.registry,
            buckets=_TRANSACTION_SECONDS,
        )
        for kind in ("read", "write"):
            self._transactions.labels(kind)

    def transaction(self, kind: str, seconds: float) -> None:
        """Record a transaction that has ended, with or without an error."""
        self._transactions.labels(kind).observe(seconds)
