"""What does this process measure itself, for Prometheus: the requests it answers and its transactions."""

from prometheus_client import CollectorRegistry, Histogram

# From a poll that another one has read for already to a comparison of thousands of runs.
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TRANSACTION_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Measures:
    """The histograms of one application, in a registry of their own: tests make many in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "ravine_http_request_duration_seconds",
            "Time from a request's headers to the last byte of its answer; streams of events last as long as jobs do.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=_REQUEST_SECONDS,
        )
        self._transactions = Histogram(
            "ravine_database_transaction_duration_seconds",
            "Time of a transaction of this API process, with the wait for a connection: `write` commits, `read` never.",
            ("kind",),
            registry=self.registry,
            buckets=_TRANSACTION_SECONDS,
        )
        for kind in ("read", "write"):
            self._transactions.labels(kind)

    def transaction(self, kind: str, seconds: float) -> None:
        """Note a transaction that has ended, well or not."""
        self._transactions.labels(kind).observe(seconds)
