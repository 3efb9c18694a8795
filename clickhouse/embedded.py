"""The embedded engine (chDB): a pool of synchronous clients, because each serves one statement at a time, and a thread for each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, TypeVar

from clickhouse_connect.driver.binding import format_str
from clickhouse_connect.driver.client import Client as Driver
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse import native
from clickhouse.background import Background
from clickhouse.errors import TOO_LATE, SilentSourceError, from_driver
from clickhouse.reading import Answer, Limits, Listener, Reading, Row, ignore, in_queue
from clickhouse.statement import Statement
from clickhouse.tables import TABLES
from clickhouse.target import Target

KILL_EVERY_S = 0.05
MAX_ANSWER_BYTES = 256_000_000  # of a stream, which the embedded engine holds in memory

T = TypeVar("T")


class EmbeddedClient:
    """See `clickhouse.client.Client`."""

    def __init__(self, target: Target, limits: Limits, pool_size: int) -> None:
        self.on_statement: Listener = ignore
        self._limits = limits
        self._drivers = [target.open() for _ in range(pool_size)]
        self._spare = target.open()  # for what goes ahead
        self._killer = target.open()  # as that may have to be killed, too
        self._idle: asyncio.LifoQueue[Driver] = asyncio.LifoQueue()
        for driver in self._drivers:
            self._idle.put_nowait(driver)
        self._idle_spare: asyncio.LifoQueue[Driver] = asyncio.LifoQueue()
        self._idle_spare.put_nowait(self._spare)
        self._threads = ThreadPoolExecutor(pool_size + 2, "clickhouse")
        self._kills = Background()

    async def query(self, statement: Statement) -> list[Row]:
        return (await self.run(statement)).rows

    async def run(self, statement: Statement) -> Answer:
        reading = Reading.of(statement, self._limits)
        self.on_statement(statement)
        sql = f"{statement.sql}\nSETTINGS {settings_clause(reading.settings)}\nFORMAT Native"

        def ask(driver: Driver) -> Answer:
            started = perf_counter()
            # not the driver's `query`, which says how many rows came back instead of how many were read
            result = driver._backend._run(sql, "Native", native.bound(statement), driver.database)  # type: ignore[attr-defined]
            summary = {"read_rows": result.storage_rows_read(), "read_bytes": result.storage_bytes_read()}
            return Answer.of(native.rows(result.bytes()), summary, started)

        return await self._read(reading, ask, statement.ahead)

    async def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        reading = Reading.streamed(statement, self._limits)
        self.on_statement(statement)
        settings = reading.settings | {"max_result_bytes": MAX_ANSWER_BYTES}
        sql = f"{statement.sql}\nSETTINGS {settings_clause(settings)}\nFORMAT {output_format}"
        yield await self._read(reading, lambda driver: driver.raw_query(sql, statement.params))

    async def _read(self, reading: Reading, ask: Callable[[Driver], T], ahead: bool = False) -> T:
        """What `ask` returns; the statement is killed when nobody waits for it any more."""
        work = await self._start(ask, ahead)
        try:
            async with asyncio.timeout(reading.timeout_s):
                return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._kills.start(self._kill(reading, work))
            raise
        except TimeoutError:
            self._kills.start(self._kill(reading, work))
            raise SilentSourceError(TOO_LATE) from None
        except ClickHouseError as exception:
            raise from_driver(exception) from exception

    async def command(self, statement: Statement) -> None:
        self.on_statement(statement)
        await self._write(lambda driver: driver.command(statement.sql, statement.params))

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        names = [TABLES[table].column(column) for column in columns]
        await self._write(lambda driver: driver.insert(table, rows, names))

    async def close(self) -> None:
        await self._kills.finish()
        self._threads.shutdown()
        for driver in (*self._drivers, self._spare, self._killer):
            driver.close()

    async def _write(self, work: Callable[[Driver], object]) -> None:
        try:
            await asyncio.shield(await self._start(work))
        except ClickHouseError as exception:
            raise from_driver(exception) from exception

    async def _start(self, work: Callable[[Driver], T], ahead: bool = False) -> asyncio.Future[T]:
        """Runs `work` in a thread with a driver of its own, which is idle again when the work is done, whoever still waits for it."""
        idle = self._idle_spare if ahead and self._idle.empty() else self._idle
        async with in_queue(self._limits):
            driver = await idle.get()
        running = asyncio.get_running_loop().run_in_executor(self._threads, _run, work, driver)

        def done(future: asyncio.Future[T]) -> None:
            idle.put_nowait(driver)
            future.exception()  # looked at, so that asyncio does not complain when nobody waits any more

        running.add_done_callback(done)
        return running

    async def _kill(self, reading: Reading, work: asyncio.Future[Any]) -> None:
        """The engine ignores query ids, so the statement is found by its comment; again and again, as it may not have started."""
        sql = f"KILL QUERY WHERE position(Settings['log_comment'], '{reading.statement_id}') > 0 ASYNC"
        while not work.done():
            await asyncio.get_running_loop().run_in_executor(self._threads, self._killer.command, sql)
            await asyncio.wait([work], timeout=KILL_EVERY_S)


def _run(work: Callable[[Driver], T], driver: Driver) -> T:
    """What a failed statement had already put out, the engine (chDB 26.9) would put before the next answer: it is fetched and dropped."""
    try:
        return work(driver)
    except ClickHouseError:
        with contextlib.suppress(ClickHouseError):
            driver.raw_query("SELECT 1")
        raise


def settings_clause(settings: dict[str, Any]) -> str:
    """For a statement whose format is its own: the driver would set its settings for the whole connection, `readonly` for good."""
    return ", ".join(f"{name} = {format_str(str(value))}" for name, value in settings.items())
