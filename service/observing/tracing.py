"""How does a trace lead from a request to the shards that it caused?

OpenTelemetry, where a collector is named and the extra `tracing` is installed; else all of this does nothing. The job's
row keeps the W3C traceparent: a message carries it too, but messages may be lost, and the row is the truth.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from service.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

# A process that has to end sends its last spans first, and is killed after five seconds.
_SEND_SECONDS = 1.0

_provider: "TracerProvider | None" = None


class TracingMissing(Exception):
    """A collector is named, but the packages that would send to it are not installed."""


def configure(settings: Settings, part: str) -> None:
    """Send the spans of this process to the collector that the settings name, if they do; ``part`` says who sends.

    Raises:
        TracingMissing: OpenTelemetry is not installed.
    """
    global _provider
    if settings.otlp_endpoint is None or _provider is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingMissing(
            "RAVINE_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: pip install 'ravine[tracing]'"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": f"ravine-{part}"}))
    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=_SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _provider = provider


def close() -> None:
    """Send what has not been sent yet."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
        _provider = None


def carrier() -> dict[str, str]:
    """Give the headers that carry the current span on: `traceparent`, or nothing where nothing is traced."""
    headers: dict[str, str] = {}
    if _provider is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)
        # Its companion may be long and is a vendor's own.
        headers.pop("tracestate", None)
    return headers


class RequestSpan:
    """The span of a request; its name is known once a route has been found."""

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span

    def name_request(self, method: str, route: str, status: int) -> None:
        """Name it as OpenTelemetry's conventions for HTTP servers say."""
        if self._span is not None:
            self._span.update_name(f"{method} {route}")
            self._span.set_attribute("http.request.method", method)
            self._span.set_attribute("http.route", route)
            self._span.set_attribute("http.response.status_code", status)


@contextmanager
def request_span(headers: Mapping[str, str]) -> Iterator[RequestSpan]:
    """Trace a request, as part of the client's trace where it sent a traceparent."""
    with _span("request", {"traceparent": headers.get("traceparent", "")}, "SERVER", {}) as span:
        yield RequestSpan(span)


@contextmanager
def shard_span(traceparent: str | None, **known: str | int) -> Iterator[None]:
    """Trace the training of a shard, as a consequence of the request that made its job."""
    attributes = {f"ravine.{name}": value for name, value in known.items()}
    with _span("train shard", {"traceparent": traceparent or ""}, "CONSUMER", attributes):
        yield


@contextmanager
def _span(name: str, parent: dict[str, str], kind: str, attributes: dict[str, Any]) -> "Iterator[Span | None]":
    if _provider is None:
        yield None
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract(parent)
    tracer = _provider.get_tracer("ravine")
    with tracer.start_as_current_span(name, context, SpanKind[kind], attributes) as span:
        yield span
