"""Numbers for Prometheus, on `/metrics`.

With several workers they are summed up over all of them: `serve` names a directory in PROMETHEUS_MULTIPROC_DIR before it starts them.
What a worker that is gone counted stays; what it was doing does not.
"""

from __future__ import annotations

import hmac
import os
from functools import cache
from pathlib import Path
from typing import TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from clickhouse.reading import Answer

MAX_OPERATIONS = 200
OTHER = "other"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter(
    "heatgraph_requests", "Requests answered, by path, operation name and error code (OK without).", ["path", "operation", "code"]
)
REQUEST_SECONDS = Histogram(
    "heatgraph_request_seconds", "Time to answer, by path and operation name.", ["path", "operation"], buckets=SECONDS
)

COST = Counter("heatgraph_cost", "Estimated cost of the queries answered, by operation name.", ["operation"])
STATEMENT_SECONDS = Histogram("heatgraph_statement_seconds", "Time of a statement, waiting included.", ["source", "kind"], buckets=SECONDS)
ANSWERS = Counter(
    "heatgraph_answers", "Answers of a source: asked, kept in memory, or shared with a request that asked the same.", ["source", "how"]
)
READ_ROWS = Counter("heatgraph_read_rows", "Rows ClickHouse read.", ["source"])
READ_BYTES = Counter("heatgraph_read_bytes", "Bytes ClickHouse read.", ["source"])
RUNNING = Gauge("heatgraph_statements_running", "Statements that run or wait for a connection.", ["source"], multiprocess_mode="livesum")
BREAKER = Gauge(
    "heatgraph_breaker_state", "0: the source answers; 1: it is tried; 2: it is left alone.", ["source"], multiprocess_mode="livemax"
)
BREAKER_STATES = ("closed", "half-open", "open")

_operations: set[str] = set()

M = TypeVar("M", Counter, Gauge, Histogram)


def count_request(path: str, operation: str, code: str, seconds: float) -> None:
    operation = _known(operation)
    path = next((known for known in ("/graphql", "/export", "/health", "/metrics") if path.startswith(known)), OTHER)
    child(REQUESTS, path, operation, code).inc()
    child(REQUEST_SECONDS, path, operation).observe(seconds)


def count_cost(operation: str, cost: int) -> None:
    child(COST, _known(operation)).inc(cost)


def count_statement(source: str, kind: str, seconds: float, breaker: str) -> None:
    child(STATEMENT_SECONDS, source, kind).observe(seconds)
    child(BREAKER, source).set(BREAKER_STATES.index(breaker))


def count_answer(source: str, answer: Answer) -> None:
    """What was read counts once, for the request that had it read."""
    child(ANSWERS, source, "kept" if answer.cached else "shared" if answer.shared else "asked").inc()
    if not answer.cached and not answer.shared:
        child(READ_ROWS, source).inc(answer.read_rows)
        child(READ_BYTES, source).inc(answer.read_bytes)


@cache
def child(metric: M, *labels: str) -> M:
    """One of a metric's numbers, which takes the metric's own look-up longer to find than to change."""
    return metric.labels(*labels)


def _known(operation: str) -> str:
    """Names come from clients, so that only the first MAX_OPERATIONS are kept apart."""
    if operation in _operations or len(_operations) < MAX_OPERATIONS:
        _operations.add(operation)
        return operation
    return OTHER


class Metrics:
    """The endpoint; `token` is what its readers send as `Authorization: Bearer …`, empty for everybody."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}" if token else ""

    def respond(self, request: Request) -> Response:
        sent = request.headers.get("authorization", "")
        if self._expected and not hmac.compare_digest(sent.encode("latin-1"), self._expected.encode()):
            return PlainTextResponse("Send the token of --metrics-token (HEATGRAPH_METRICS_TOKEN) as `Authorization: Bearer …`.\n", 401)
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            _forget_dead_workers(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _forget_dead_workers(directory: Path) -> None:
    """Uvicorn replaces a worker that died and tells nobody, so its gauges would be summed up for ever."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
