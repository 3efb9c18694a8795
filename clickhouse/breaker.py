"""A source that does not answer is left alone for a while, so that it costs its own fields only, and those at once.

    client = GuardedClient("europe", await connect(dsn))
    await client.query(statement)     # DeadlineError after `answer_by`; SourceUnavailableError at once while the breaker is open

The breaker opens after some failures in a row; later one statement at a time is let through to try, and an answer closes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

from clickhouse.client import Client, DelegatingClient
from clickhouse.errors import TOO_LATE, BusySourceError, DeadlineError, SilentSourceError, SourceUnavailableError
from clickhouse.reading import Answer
from clickhouse.rollups import ROLLUPS
from clickhouse.statement import Statement
from clickhouse.tables import TABLES, tables_read

FAILURES_TO_OPEN = 5
OPEN_S = 2.0
NO_ANSWER = "The data source does not answer. Try again in a moment."

answer_by: ContextVar[float | None] = ContextVar("answer_by", default=None)
"""When the request must have its answers, by `time.monotonic`; what is late until then fails alone instead of the whole request."""

incomplete_sources: ContextVar[set[str] | None] = ContextVar("incomplete_sources", default=None)
"""Names of the sources of which the request has numbers without those of some shards."""

Rewrite = Callable[[Statement], Statement]


class Breaker:
    """closed: everything passes; open: nothing does; half-open, after `open_s`: one at a time passes to try."""

    def __init__(self, failures_to_open: int = FAILURES_TO_OPEN, open_s: float = OPEN_S, clock: Callable[[], float] = monotonic) -> None:
        self._failures_to_open = failures_to_open
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._opened_at = 0.0
        self._why = ""

    @property
    def state(self) -> str:
        if self._failures < self._failures_to_open:
            return "closed"
        return "open" if self._clock() < self._opened_at + self._open_s else "half-open"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Raises SourceUnavailableError while open. Only silence and refusals count as failures: any answer shows that the source lives."""
        if self.state == "open":
            raise SourceUnavailableError(self._why)
        if self.state == "half-open":
            self._opened_at = self._clock()
        try:
            yield
        except (SourceUnavailableError, SilentSourceError) as error:
            self._failures += 1
            self._opened_at = self._clock()
            self._why = error.message if isinstance(error, SourceUnavailableError) else NO_ANSWER
            raise
        except (asyncio.CancelledError, GeneratorExit, BusySourceError):
            raise  # it was not asked, or nobody waited for it: that says nothing about the source
        except BaseException:
            self._failures = 0
            raise
        self._failures = 0


class GuardedClient(DelegatingClient):
    """See `clickhouse.client.Client`: one with the request's deadline and a breaker. How long its statements may take the client knows,
    which alone can tell a source that is silent from a wait for a free connection.

    `remaining` asks the shards that are left of a cluster when the whole of it does not answer, and the request is told. Only about
    rows of visitors: of what lies on one shard as a whole (sites, keys, marks), a part would be all or nothing.
    `rewrite` makes a statement about our tables one about those of the source.
    """

    def __init__(self, name: str, client: Client, remaining: Client | None = None, rewrite: Rewrite = lambda statement: statement) -> None:
        self.breaker = Breaker()
        self._rewrite = rewrite
        self._name = name
        super().__init__(client)
        self._remaining = remaining

    async def run(self, statement: Statement) -> Answer:
        statement = self._rewrite(statement)
        deadline = answer_by.get()
        try:
            async with asyncio.timeout(deadline and deadline - monotonic()):
                with self.breaker.watching():
                    return await self._run(statement)
        except TimeoutError:
            raise DeadlineError(TOO_LATE) from None

    async def _run(self, statement: Statement) -> Answer:
        try:
            return await self._client.run(statement)
        except SourceUnavailableError:
            if not self._remaining or not _is_of_visitors(statement):
                raise
            answer = await self._remaining.run(statement)
            if (incomplete := incomplete_sources.get()) is not None:
                incomplete.add(self._name)
            return answer

    async def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        statement = self._rewrite(statement)
        with self.breaker.watching():
            async with aclosing(self._client.stream(statement, output_format)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def command(self, statement: Statement) -> None:
        statement = self._rewrite(statement)
        with self.breaker.watching():
            await self._client.command(statement)

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self._rewrite(Statement(f"INSERT INTO {table}", {}))
        with self.breaker.watching():
            await self._client.insert(table, columns, rows)

    async def close(self) -> None:
        await self._client.close()
        if self._remaining:
            await self._remaining.close()


def _is_of_visitors(statement: Statement) -> bool:
    """Whether every table it reads is sharded by visitor, or sums up what is."""
    read = tables_read(statement.sql)
    return bool(read) and all("visitor_id" in TABLES[table].columns or table in ROLLUPS for table in read)
