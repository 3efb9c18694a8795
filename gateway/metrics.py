"""Numbers for Prometheus, on `/metrics`.

With several workers they are summed up over all of them: `serve` names a directory in PROMETHEUS_MULTIPROC_DIR before it starts them.
"""

from __future__ import annotations

import hmac
import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

MAX_OPERATIONS = 200
OTHER = "other"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter(
    "heatgraph_requests", "Requests answered, by path, operation name and error code (OK without).", ["path", "operation", "code"]
)
REQUEST_SECONDS = Histogram(
    "heatgraph_request_seconds", "Time to answer, by path and operation name.", ["path", "operation"], buckets=SECONDS
)

_operations: set[str] = set()


def count_request(path: str, operation: str, code: str, seconds: float) -> None:
    """Names come from clients, so that only the first MAX_OPERATIONS are kept apart."""
    path = next((known for known in ("/graphql", "/export", "/health", "/metrics") if path.startswith(known)), OTHER)
    if operation not in _operations:
        if len(_operations) < MAX_OPERATIONS:
            _operations.add(operation)
        else:
            operation = OTHER
    REQUESTS.labels(path, operation, code).inc()
    REQUEST_SECONDS.labels(path, operation).observe(seconds)


class Metrics:
    """The endpoint; `token` is what its readers send as `Authorization: Bearer …`, empty for everybody."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}" if token else ""

    def respond(self, request: Request) -> Response:
        sent = request.headers.get("authorization", "")
        if self._expected and not hmac.compare_digest(sent.encode(), self._expected.encode()):
            return PlainTextResponse("Send the token of --metrics-token (HEATGRAPH_METRICS_TOKEN) as `Authorization: Bearer …`.\n", 401)
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
