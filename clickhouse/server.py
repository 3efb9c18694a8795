"""A ClickHouse server, over the driver's asynchronous client, which is made when it is first needed.

A server that is down at the start therefore costs its own questions only, and is asked again with the next one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from aiohttp import ClientError, ClientPayloadError
from clickhouse_connect.driver.asyncclient import AsyncClient as Driver
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from clickhouse.background import Background
from clickhouse.errors import TOO_LATE, SilentSourceError, from_driver
from clickhouse.native import Asking
from clickhouse.reading import Answer, Limits, Listener, Reading, Row, comment, ignore, in_queue
from clickhouse.replicas import REPLICA, REPLICATED, written_to_all
from clickhouse.statement import Statement
from clickhouse.tables import TABLES
from clickhouse.target import Target

MAX_EXCEPTION_BYTES = 32_768
EXCEPTION_END = b"__exception__\r\n"
"""What an answer ends in when its statement failed on the way; no row of any format ends so."""

STREAMS_AT_ONCE = 2  # beside the pool, which slow readers must not block
KILL_S = 3.0
QUORUM_MS = 10_000  # for a replica that is behind; somebody waits
SPARE_CONNECTIONS = 2  # a kill must find one when every statement hangs


class ServerClient:
    """See `clickhouse.client.Client`."""

    def __init__(self, target: Target, limits: Limits, pool_size: int) -> None:
        self.on_statement: Listener = ignore
        self._target = target
        self._limits = limits
        self._max_connections = pool_size + STREAMS_AT_ONCE + SPARE_CONNECTIONS
        self._free = asyncio.Semaphore(pool_size)
        self._free_ahead = asyncio.Semaphore(1)
        self._free_streams = asyncio.Semaphore(STREAMS_AT_ONCE)
        self._opening = asyncio.Lock()
        self._opened: Driver | None = None
        self._asking: Asking | None = None
        self._background = Background()

    async def query(self, statement: Statement) -> list[Row]:
        return (await self.run(statement)).rows

    async def run(self, statement: Statement) -> Answer:
        reading = Reading.of(statement, self._limits)
        self.on_statement(statement)
        async with self._turn(self._free_ahead if statement.ahead and self._free.locked() else self._free):
            try:
                async with asyncio.timeout(reading.timeout_s):
                    driver = await self._driver()
                    self._asking = self._asking or Asking(driver, self._limits)
                    return await self._asking.ask(statement, reading)
            except asyncio.CancelledError:
                self._background.start(self._kill(reading))
                raise
            except TimeoutError:
                self._background.start(self._kill(reading))
                raise SilentSourceError(TOO_LATE) from None
            except (ClickHouseError, OSError) as exception:
                raise from_driver(exception) from exception

    async def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        """The last bytes are held back until the end: should the statement fail on the way, they are ClickHouse's own text about it."""
        reading = Reading.streamed(statement, self._limits)
        self.on_statement(statement)
        held_back = b""
        async with self._turn(self._free_streams):
            try:
                driver = await self._driver()
                settings = reading.settings | {"query_id": reading.statement_id}
                answer = await driver.raw_stream(statement.sql, statement.params, settings=settings, fmt=output_format)
                async with answer as chunks:
                    while chunk := await asyncio.wait_for(anext(chunks, b""), reading.timeout_s):
                        held_back += chunk
                        if len(held_back) > MAX_EXCEPTION_BYTES:
                            yield held_back[:-MAX_EXCEPTION_BYTES]
                            held_back = held_back[-MAX_EXCEPTION_BYTES:]
                if held_back.endswith(EXCEPTION_END):
                    raise _failed(held_back)
                yield held_back
            except (asyncio.CancelledError, GeneratorExit):
                self._background.start(self._kill(reading))
                raise
            except TimeoutError:
                self._background.start(self._kill(reading))
                raise SilentSourceError(TOO_LATE) from None
            except ClientPayloadError as exception:  # a server that fails on the way leaves its answer unfinished
                raise from_driver(_failed(held_back)) from exception
            except (ClickHouseError, ClientError, OSError) as exception:
                raise from_driver(exception) from exception

    async def command(self, statement: Statement) -> None:
        self.on_statement(statement)
        settings = {"log_comment": comment()}

        async def run() -> None:
            driver = await self._driver()
            await driver.command(statement.sql, statement.params, settings=settings | await _to_all_replicas(driver))

        await self._write(run())

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        names = [TABLES[table].column(column) for column in columns]

        async def run() -> None:
            driver = await self._driver()
            await driver.insert(table, rows, names, settings=await _to_all_replicas(driver))

        await self._write(run())

    async def close(self) -> None:
        await self._background.finish()
        if self._asking:
            await self._asking.close()
        if self._opened:
            await self._opened.close()

    @asynccontextmanager
    async def _turn(self, free: asyncio.Semaphore) -> AsyncIterator[None]:
        async with in_queue(self._limits) if free.locked() else nullcontext():
            await free.acquire()
        try:
            yield
        finally:
            free.release()

    async def _driver(self) -> Driver:
        if self._opened is None:
            async with self._opening:
                self._opened = self._opened or await self._target.open_async(self._max_connections)
        return self._opened

    async def _write(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await asyncio.shield(self._background.start(work))
        except (ClickHouseError, OSError) as exception:
            raise from_driver(exception) from exception

    async def _kill(self, reading: Reading) -> None:
        """Raises TimeoutError: a server that hangs may never answer."""
        if self._opened:
            async with asyncio.timeout(KILL_S):
                await self._opened.command("KILL QUERY WHERE query_id = {id:String} ASYNC", {"id": reading.statement_id})


async def _to_all_replicas(driver: Driver) -> dict[str, Any]:
    """Settings of an INSERT; asked again with each write, of which there are few: a replica may have been added."""
    if not (await driver.query(REPLICATED.sql)).result_rows:
        return {}
    (place,) = (await driver.query(REPLICA.sql)).named_results()
    return written_to_all(place["replicas"]) | {"insert_quorum_timeout": QUORUM_MS}


def _failed(answer: bytes) -> OperationalError:
    """The exception at the end of an answer, `Code: 159. DB::Exception: …` between two EXCEPTION_ENDs, if it still got here."""
    _, found, text = answer.removesuffix(EXCEPTION_END).rpartition(EXCEPTION_END)
    code = re.search(rb"Code: (\d+)\.", text)
    if not found or not code:
        return OperationalError("the answer broke off")
    return OperationalError(text.decode(errors="replace"), code=int(code[1]))
