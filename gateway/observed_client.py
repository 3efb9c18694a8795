"""Every statement observed: a span of the request's trace, its time, what it read and how its source is, for metrics.

client = ObservedClient("default", GuardedClient(…))
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from time import perf_counter
from typing import Any

from opentelemetry import trace

from clickhouse.breaker import GuardedClient
from clickhouse.client import DelegatingClient
from clickhouse.reading import Answer, Read
from clickhouse.statement import Statement
from gateway import metrics

tracer = trace.get_tracer("heatgraph")


class ObservedClient(DelegatingClient):
    """See `clickhouse.client.Client`; the outermost, so that it sees waiting, cached answers and the breaker."""

    def __init__(self, source: str, client: GuardedClient) -> None:
        self._source = source
        super().__init__(client)
        self._breaker = client.breaker

    async def run(self, statement: Statement) -> Answer:
        with self._observed("read") as span:
            answer = await self._client.run(statement)
            metrics.count_answer(self._source, answer)
            if span.is_recording():
                span.set_attributes({f"heatgraph.{name}": value for name, value in Read(statement, answer).facts().items()})
            return answer

    async def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        with self._observed("stream"):
            async with aclosing(self._client.stream(statement, output_format)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def command(self, statement: Statement) -> None:
        with self._observed("command"):
            await self._client.command(statement)

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        with self._observed("insert"):
            await self._client.insert(table, columns, rows)

    @contextmanager
    def _observed(self, kind: str) -> Iterator[trace.Span]:
        """The span is nobody's parent, so that a stream may be left in another context than it was entered in."""
        attributes = {"db.system.name": "clickhouse", "heatgraph.source": self._source}
        span = tracer.start_span(f"clickhouse {kind}", kind=trace.SpanKind.CLIENT, attributes=attributes)
        started = perf_counter()
        metrics.child(metrics.RUNNING, self._source).inc()
        try:
            yield span
        except Exception as error:
            span.record_exception(error)
            span.set_status(trace.StatusCode.ERROR)
            raise
        finally:
            span.end()
            metrics.child(metrics.RUNNING, self._source).dec()
            metrics.count_statement(self._source, kind, perf_counter() - started, self._breaker.state)
