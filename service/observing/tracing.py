"""Traces from a request to the shards of its job (OpenTelemetry).

Tracing is on if a collector is configured and the extra `tracing` is installed; else these functions do nothing. The
row of the job stores the W3C traceparent, because messages can be lost.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from service.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

# Limit for sending the last spans at shutdown. A process is killed 5 s after SIGTERM.
_SEND_SECONDS = 1.0

_provider: "TracerProvider | None" = None


class TracingMissing(Exception):
    """A collector is configured, but OpenTelemetry is not installed."""


def configure(settings: Settings, part: str) -> None:
    """Send the spans of this process to the configured collector, if any; ``part`` names the process.

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
            "RAVINE_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install 'ravine[tracing]'"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": f"ravine-{part}"}))
    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=_SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _provider = provider


def close() -> None:
    """Send the remaining spans, and stop tracing."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
        _provider = None


def carrier() -> dict[str, str]:
    """Give the headers that propagate the current span: `traceparent`, or none if tracing is off."""
    headers: dict[str, str] = {}
    if _provider is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)
        # The header tracestate may be long and is specific to a vendor.
        headers.pop("tracestate", None)
    return headers


class RequestSpan:
    """The span of a request. Its name is set when the route is known."""

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span

    def name_request(self, method: str, route: str, status: int) -> None:
        """Name the span by OpenTelemetry's conventions for HTTP servers."""
        if self._span is not None:
            self._span.update_name(f"{method} {route}")
            self._span.set_attribute("http.request.method", method)
            self._span.set_attribute("http.route", route)
            self._span.set_attribute("http.response.status_code", status)


def request_span(headers: Mapping[str, str]) -> AbstractContextManager[RequestSpan]:
    """Trace a request, within the client's trace if it sent a traceparent."""
    return _UNTRACED if _provider is None else _traced_request(headers)


@contextmanager
def _traced_request(headers: Mapping[str, str]) -> Iterator[RequestSpan]:
    with _span("request", {"traceparent": headers.get("traceparent", "")}, "SERVER", {}) as span:
        yield RequestSpan(span)


_UNTRACED = nullcontext(RequestSpan())


@contextmanager
def shard_span(traceparent: str | None, **known: str | int) -> Iterator[None]:
    """Trace the training of a shard, within the trace of the request that created its job."""
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
