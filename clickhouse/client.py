"""The only I/O of the project: statements to ClickHouse and rows back, over one seam for two backends.

    client = await connect("./data")                              # embedded; http(s)://user:password@host:8123/db is a server
    rows = await client.query(Statement("SELECT 1 AS one", {}))   # [{"one": 1}]

Every statement of `query` is read-only, has a deadline and caps, and is killed in ClickHouse when the task that waits for it
is cancelled. Errors are those of `clickhouse.errors`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client as SyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError, ProgrammingError

from clickhouse.errors import DeadlineError, HeatgraphError, SourceUnavailableError, from_driver, request_tag
from clickhouse.statement import Statement
from clickhouse.tables import TABLES

Row = dict[str, Any]
T = TypeVar("T")

SETTINGS = {
    "session_timezone": "UTC",
    "date_time_output_format": "iso",
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_named_tuples_as_objects": 1,
    "allow_experimental_nullable_tuple_type": 1,
    "distributed_product_mode": "global",
    "distributed_foreground_insert": 1,  # a row is on its shard when its insert returns
    "join_use_nulls": 0,
    "max_query_size": 10_000_000,
}
"""What the meaning of our SQL relies on, the same for every statement."""

KILL_EVERY_S = 0.05
DEADLINE_GRACE_MS = 1_000  # ClickHouse looks at its deadline between blocks, so it is given this long before it is killed


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement of `query` may cost."""

    max_execution_ms: int = 10_000
    max_memory_bytes: int = 2_000_000_000
    max_rows_to_read: int = 1_000_000_000
    max_result_rows: int = 1_000_000

    def settings(self) -> dict[str, Any]:
        return {
            "prefer_column_name_to_alias": 1,  # an aggregate may carry its column's name
            "readonly": 2,  # 1 would forbid the settings that come with the statement
            "max_execution_time": self.max_execution_ms / 1000,
            "max_memory_usage": self.max_memory_bytes,
            "max_rows_to_read": self.max_rows_to_read,
            "max_result_rows": self.max_result_rows,
            "result_overflow_mode": "throw",
        }


class Client(Protocol):
    on_statement: Callable[[Statement], None]
    """Called with each statement before it runs; for tests and traces."""

    async def query(self, statement: Statement) -> list[Row]:
        """Runs a SELECT; one dict a row, JSON columns as str, times as naive UTC."""

    async def command(self, statement: Statement) -> None:
        """Runs INSERT … SELECT, DELETE or DDL; it completes even if the caller goes away."""

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Inserts a few rows (administration; never the load path)."""

    async def close(self) -> None: ...


async def connect(dsn: str, limits: Limits = Limits(), pool_size: int = 4) -> Client:
    """The client for a DSN; at most `pool_size` statements run at once. A server is first asked when it is needed."""
    target = Target.parse(dsn)
    return EmbeddedClient(target, limits, pool_size) if target.is_embedded else ServerClient(target, limits, pool_size)


def open_sync(dsn: str) -> SyncClient:
    """The driver's own client, for commands and `load`; raises SourceUnavailableError. The database need not exist yet."""
    return Target.parse(dsn).open()


@dataclass(frozen=True, slots=True)
class Target:
    """Where the data is. `address` is the driver's DSN without the database; `path` the embedded engine's directory, None in memory."""

    address: str
    database: str = ""
    path: Path | None = None

    @property
    def is_embedded(self) -> bool:
        return self.address.startswith("chdb:")

    @classmethod
    def parse(cls, dsn: str) -> Target:
        """From `chdb:///path[?database=db]`, `chdb://memory[/db]`, `http(s)://user:password@host:8123/db` or a directory; raises ValueError."""
        if "://" not in dsn:
            return cls.parse(f"chdb://{Path(dsn).absolute()}")
        parts = urlsplit(dsn)
        if parts.scheme in ("http", "https") and parts.hostname:
            return cls(parts._replace(path="").geturl(), unquote(parts.path.strip("/")))
        if parts.scheme == "chdb" and parts.netloc == "memory":
            return cls("chdb://memory", parts.path.strip("/"))
        if parts.scheme == "chdb" and not parts.netloc and parts.path.strip("/"):
            return cls(f"chdb://{parts.path}", parse_qs(parts.query).get("database", [""])[0], Path(parts.path))
        raise ValueError("not a data source; give a directory, chdb:///path, chdb://memory or http(s)://user:password@host:8123/database")

    def open(self) -> SyncClient:
        """A synchronous client; raises SourceUnavailableError."""
        try:
            client = clickhouse_connect.get_client(dsn=self.address, settings=dict(SETTINGS))
        except ClickHouseError as exception:
            if self.path and isinstance(exception, ProgrammingError):
                raise _not_opened(self.path) from exception
            raise from_driver(exception) from exception
        client.database = self.database or client.database
        return client


def _not_opened(path: Path) -> SourceUnavailableError:
    """Why the embedded engine did not open its directory."""
    try:
        with (path / "status").open() as status:
            fcntl.flock(status, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return SourceUnavailableError(
            f"{path} is in use by another process, and the embedded engine allows one at a time. "
            "Stop the other one (a running `serve`?) and try again, or keep the data in a ClickHouse server: --clickhouse http://…"
        )
    except OSError:
        pass
    return SourceUnavailableError(
        f"{path} cannot be opened as the embedded engine's directory. Check that it is one and that it is writable."
    )


class EmbeddedClient:
    """The embedded engine: a pool of synchronous clients, because each serves one statement at a time, and a thread for each."""

    def __init__(self, target: Target, limits: Limits, pool_size: int) -> None:
        self.on_statement: Callable[[Statement], None] = lambda statement: None
        self._limits = limits
        self._clients = [target.open() for _ in range(pool_size)]
        self._killer = target.open()
        self._threads = ThreadPoolExecutor(pool_size + 1, "clickhouse")
        self._idle: asyncio.LifoQueue[SyncClient] = asyncio.LifoQueue()
        for client in self._clients:
            self._idle.put_nowait(client)
        self._kills = Background()

    async def query(self, statement: Statement) -> list[Row]:
        _require_select(statement)
        self.on_statement(statement)
        statement_id, comment = _tagged()
        settings = self._limits.settings() | {"log_comment": comment}
        future = await self._start(lambda client: list(client.query(statement.sql, statement.params, settings=settings).named_results()))
        try:
            async with asyncio.timeout((self._limits.max_execution_ms + DEADLINE_GRACE_MS) / 1000):
                return await asyncio.shield(future)
        except (asyncio.CancelledError, TimeoutError) as exception:
            self._kills.start(self._kill(statement_id, future))
            raise _deadline_or(exception) from exception
        except ClickHouseError as exception:
            raise from_driver(exception) from exception

    async def command(self, statement: Statement) -> None:
        self.on_statement(statement)
        await self._write(lambda client: client.command(statement.sql, statement.params))

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        names = [TABLES[table].column(column) for column in columns]
        await self._write(lambda client: client.insert(table, rows, names))

    async def close(self) -> None:
        await self._kills.finish()
        self._threads.shutdown()
        for client in (*self._clients, self._killer):
            client.close()

    async def _start(self, work: Callable[[SyncClient], T]) -> asyncio.Future[T]:
        """Runs `work` in a thread with a client of its own; the client is idle again when the work is done, whoever still waits."""
        client = await self._idle.get()
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, client)

        def done(finished: asyncio.Future[T]) -> None:
            self._idle.put_nowait(client)
            finished.exception()  # seen, even if nobody waits any more

        future.add_done_callback(done)
        return future

    async def _write(self, work: Callable[[SyncClient], object]) -> None:
        try:
            await asyncio.shield(await self._start(work))
        except ClickHouseError as exception:
            raise from_driver(exception) from exception

    async def _kill(self, statement_id: str, future: asyncio.Future[Any]) -> None:
        """The engine ignores query ids, so the statement is found by its comment; again and again, as it may not have started."""
        sql = f"KILL QUERY WHERE position(Settings['log_comment'], '{statement_id}') > 0 ASYNC"
        while not future.done():
            await asyncio.get_running_loop().run_in_executor(self._threads, self._killer.command, sql)
            await asyncio.wait([future], timeout=KILL_EVERY_S)


class ServerClient:
    """A ClickHouse server over the driver's asynchronous client, which is made when it is first needed, so that a server that is down costs only its own questions."""

    def __init__(self, target: Target, limits: Limits, pool_size: int) -> None:
        self.on_statement: Callable[[Statement], None] = lambda statement: None
        self._target = target
        self._limits = limits
        self._pool_size = pool_size
        self._free = asyncio.Semaphore(pool_size)
        self._opening = asyncio.Lock()
        self._opened: AsyncClient | None = None
        self._background = Background()

    async def query(self, statement: Statement) -> list[Row]:
        _require_select(statement)
        self.on_statement(statement)
        statement_id, comment = _tagged()
        settings = self._limits.settings() | {"log_comment": comment, "query_id": statement_id}
        try:
            async with self._free:
                driver = await self._driver()
                async with asyncio.timeout((self._limits.max_execution_ms + DEADLINE_GRACE_MS) / 1000):
                    result = await driver.query(statement.sql, statement.params, settings=settings)
            return list(result.named_results())
        except (asyncio.CancelledError, TimeoutError) as exception:
            self._background.start(self._kill(statement_id))
            raise _deadline_or(exception) from exception
        except (ClickHouseError, OSError) as exception:
            raise from_driver(exception) from exception

    async def command(self, statement: Statement) -> None:
        self.on_statement(statement)
        _, comment = _tagged()

        async def run() -> None:
            await (await self._driver()).command(statement.sql, statement.params, settings={"log_comment": comment})

        await self._write(run())

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        names = [TABLES[table].column(column) for column in columns]

        async def run() -> None:
            await (await self._driver()).insert(table, rows, names)

        await self._write(run())

    async def close(self) -> None:
        await self._background.finish()
        if self._opened:
            await self._opened.close()

    async def _driver(self) -> AsyncClient:
        async with self._opening:
            if self._opened is None:
                client = await clickhouse_connect.get_async_client(
                    dsn=self._target.address,
                    settings=dict(SETTINGS),
                    connector_limit=self._pool_size + 2,  # a kill must find a connection when every statement hangs
                    connector_limit_per_host=self._pool_size + 2,
                )
                client.database = self._target.database or client.database
                self._opened = client
            return self._opened

    async def _write(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await asyncio.shield(self._background.start(work))
        except (ClickHouseError, OSError) as exception:
            raise from_driver(exception) from exception

    async def _kill(self, statement_id: str) -> None:
        if self._opened:
            await self._opened.command("KILL QUERY WHERE query_id = {id:String} ASYNC", {"id": statement_id})


class Background:
    """Tasks that outlive the request that started them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _require_select(statement: Statement) -> None:
    """Anything else would leave the embedded client read-only for good."""
    if not statement.sql.lstrip().startswith(("SELECT", "WITH")):
        raise ValueError(f"query() takes a SELECT, not {statement.sql[:20]!r}…; use command()")


def _tagged() -> tuple[str, str]:
    """A new statement's id, and its comment, which holds the id and the request's tag."""
    statement_id = uuid.uuid4().hex
    return statement_id, json.dumps(dict(request_tag.get()) | {"statement": statement_id})


def _deadline_or(exception: BaseException) -> BaseException:
    """A cancellation stays one; our own timeout becomes the caller's."""
    if isinstance(exception, TimeoutError):
        return DeadlineError("The answer took too long. Ask for a shorter window, fewer pages or fewer fields.")
    return exception
