"""Every request observed: its id, its trace and how it ended, for the log, for metrics and for traces.

The id is the client's `x-request-id` if it sent a sane one, else a new one; it is sent back. What is known of a request is
its tag, which the log line of the request carries, and every statement in its `log_comment`:

    observe(operation="Pricing", key="a1B2c3")
"""

from __future__ import annotations

import logging
import re
from time import perf_counter
from urllib.parse import quote
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clickhouse.errors import request_tag
from gateway.metrics import count_request

logger = logging.getLogger("heatgraph.request")
tracer = trace.get_tracer("heatgraph")
trace_context = TraceContextTextMapPropagator()  # alone: a client's baggage is nobody's here

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET = ("/health/", "/metrics", "/graphiql/")
"""What is asked too often to be worth a line."""


def observe(**known: str | int) -> None:
    """Adds to the tag of the request that is being answered."""
    request_tag.set({**request_tag.get(), **known})


class Observation:
    """ASGI middleware; sets scope["request_id"]."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        sent = headers.get("x-request-id", "")
        request_id = scope["request_id"] = sent if SANE.fullmatch(sent) else uuid4().hex
        started, status = perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with tracer.start_as_current_span("request", trace_context.extract(headers), trace.SpanKind.SERVER) as span:
            carried: dict[str, str] = {}
            trace_context.inject(carried)
            token = request_tag.set({"request": request_id, **carried})
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                _finish(scope, status, perf_counter() - started, span)
                request_tag.reset(token)


def _finish(scope: Scope, status: int, seconds: float, span: trace.Span) -> None:
    tag = request_tag.get()
    path, operation = quote(scope["path"]), str(tag.get("operation", ""))  # decoded it may hold a line break, and so a line of its own
    count_request(path, operation, str(tag.get("code", "")) or ("OK" if status < 400 else str(status)), seconds)
    span.update_name(f"{scope['method']} {path} {operation}".strip())
    span.set_attributes({"http.request.method": scope["method"], "url.path": path, "http.response.status_code": status})
    span.set_attributes({f"heatgraph.{name}": value for name, value in tag.items() if name != "traceparent"})
    level = logging.DEBUG if path.startswith(QUIET) else logging.INFO
    if logger.isEnabledFor(level):
        facts = {"method": scope["method"], "path": path, "status": status, "ms": round(seconds * 1000, 1)}
        known = " ".join(f"{name}={value}" for name, value in tag.items())
        logger.log(level, "%s %s %d in %.1f ms %s", *facts.values(), known, extra=facts)
