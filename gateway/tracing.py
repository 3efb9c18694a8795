"""Traces by OpenTelemetry, from the request to its statements; on when an exporter's address is in the environment.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 OTEL_SERVICE_NAME=heatgraph python -m gateway serve

Without it the API hands out spans that do nothing, and a client's `traceparent` still reaches ClickHouse's `log_comment`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace

ADDRESSES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def exported_traces() -> Iterator[None]:
    """Exports spans while it is open, by OpenTelemetry's own variables."""
    if not any(os.environ.get(address) for address in ADDRESSES):
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # costs a tenth of a second
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_SERVICE_NAME", "heatgraph")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
