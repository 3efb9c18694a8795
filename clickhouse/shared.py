"""Statements that are asked at the same time run once, and answers about windows that are over are cached while the data stays as it is.

    client = SharedClient(await connect(dsn), MemoryCache(max_bytes=64_000_000), version_seconds=1.0)

An answer is told apart by its statement, its values, which name the site, and the version of the site's data. Versions are read again
after `version_seconds`, all in one statement; a change made through this client is seen at once. `elsewhere` is a cache that workers share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from clickhouse.background import Background
from clickhouse.client import Client, DelegatingClient
from clickhouse.data_versions import changed_sites, compile_versions, insert_change
from clickhouse.errors import HeatgraphError
from clickhouse.memory_cache import MemoryCache
from clickhouse.reading import Answer, note
from clickhouse.redis_cache import RedisCache
from clickhouse.statement import Statement

READ_S = 2.0  # a source that hangs lets questions wait no longer than that, beside their own time

CLOSED_AFTER = timedelta(minutes=1)
"""A window is over when its end is this long ago, so that no clock of a writer is still in it."""

Key = tuple[str, str, tuple[int | None, ...]]


@dataclass(slots=True, eq=False)
class Flight:
    task: asyncio.Task[Answer]
    site_ids: frozenset[str]
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Versions:
    """Of all sites at rest; `reading` is repeated `until` then, by the client's clock."""

    until: float
    reading: asyncio.Task[Mapping[str, int]]


class SharedClient(DelegatingClient):
    """See `clickhouse.client.Client`."""

    def __init__(
        self,
        client: Client,
        cache: MemoryCache,
        version_seconds: float,
        clock: Callable[[], float] = monotonic,
        elsewhere: RedisCache | None = None,
    ) -> None:
        super().__init__(client)
        self._cache = cache
        self._elsewhere = elsewhere
        self._version_seconds = version_seconds
        self._clock = clock
        self._flights: dict[Key, Flight] = {}
        self._versions: Versions | None = None
        self._background = Background()

    async def run(self, statement: Statement) -> Answer:
        versions = await self._versions_of(statement)
        key = (statement.sql, repr(statement.params), versions)
        cacheable = bool(versions) and None not in versions and is_closed(statement)
        answer = self._cache.get((id(self), key)) if cacheable else None
        if answer is None:
            answer = await self._together(key, statement, cacheable)
        note(statement, answer)
        return answer

    async def command(self, statement: Statement) -> None:
        await self._write(lambda: self._client.command(statement), statement.site_ids)

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        await self._write(lambda: self._client.insert(table, columns, rows), changed_sites(columns, rows))

    async def close(self) -> None:
        await self._background.finish()
        if self._elsewhere:
            await self._elsewhere.close()
        await self._client.close()

    async def _together(self, key: Key, statement: Statement, cacheable: bool) -> Answer:
        """The answer of the statement that runs already, or of a new one, which is cancelled when nobody waits for it any more."""
        flight = self._flights.get(key)
        shared = flight is not None
        if flight is None:
            flight = self._flights[key] = Flight(asyncio.create_task(self._ask(key, statement, cacheable)), statement.site_ids)
            flight.task.add_done_callback(lambda task: self._land(key, task))
        flight.waiting += 1
        try:
            return replace(await asyncio.shield(flight.task), shared=shared)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                if self._flights.get(key) is flight:
                    del self._flights[key]  # who comes now must not join what is being cancelled
                flight.task.cancel()

    async def _ask(self, key: Key, statement: Statement, cacheable: bool) -> Answer:
        """What another worker has cached, or ClickHouse's answer; cached here, whoever still waits for it."""
        elsewhere = self._elsewhere if cacheable else None
        if elsewhere and (cached := await elsewhere.get(key)):
            answer = replace(cached, cached=True)
        else:
            answer = await self._client.run(statement)
            if elsewhere:
                self._background.start(elsewhere.put(key, answer))
            answer = replace(answer, native=b"")
        if cacheable:
            self._cache.put((id(self), key), replace(answer, ms=0.0, cached=True))
        return answer

    def _land(self, key: Key, task: asyncio.Task[Answer]) -> None:
        if key in self._flights and self._flights[key].task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # looked at, whoever still waits for it

    async def _versions_of(self, statement: Statement) -> tuple[int | None, ...]:
        """Of the sites the statement is about, None for one without."""
        if not statement.site_ids:
            return ()
        versions, now = self._versions, self._clock()
        if versions is None or versions.until <= now:
            reading = asyncio.create_task(self._read_versions())
            versions = self._versions = Versions(now + self._version_seconds, reading)
        known = await asyncio.shield(versions.reading)
        return tuple(known.get(site_id) for site_id in sorted(statement.site_ids))

    async def _read_versions(self) -> Mapping[str, int]:
        """None of any site if the source does not answer in time. Those read before would not do: a site may be being loaded by now."""
        try:
            async with asyncio.timeout(READ_S):
                return {row["site_id"]: row["version"] for row in await self._client.query(compile_versions())}
        except (HeatgraphError, TimeoutError):
            return {}

    async def _write(self, work: Callable[[], Awaitable[None]], site_ids: Collection[str]) -> None:
        """To its end, even if the caller goes away. A change before it too: it may be done though its answer was lost."""

        async def note_change() -> None:
            if site_ids:
                await self._client.insert(*insert_change(site_ids))

        async def write() -> None:
            try:
                await note_change()
                try:
                    await work()
                finally:
                    await note_change()
            finally:
                self._forget(site_ids)

        await asyncio.shield(self._background.start(write()))

    def _forget(self, site_ids: Collection[str]) -> None:
        """Who asks from now on sees the change: by new versions, and joining nobody who asked before. Without `site_ids` any site changed."""
        self._versions = None
        for key, flight in list(self._flights.items()):
            if not site_ids or not flight.site_ids or not flight.site_ids.isdisjoint(site_ids):
                del self._flights[key]


def is_closed(statement: Statement) -> bool:
    return statement.until is None or statement.until < datetime.now(UTC) - CLOSED_AFTER
