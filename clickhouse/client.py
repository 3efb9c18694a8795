"""The only door to I/O of the project: statements to ClickHouse and rows back, over one seam for two backends.

    client = await connect("./data")                              # embedded; http(s)://user:password@host:8123/db is a server
    rows = await client.query(Statement("SELECT 1 AS one", {}))   # [{"one": 1}]

Every statement of `query` is read-only, has a deadline and caps, and is killed in ClickHouse when the task that waits for it
is cancelled. Errors are those of `clickhouse.errors`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.embedded import EmbeddedClient
from clickhouse.reading import Answer, Limits, Listener, Row
from clickhouse.server import ServerClient
from clickhouse.statement import Statement
from clickhouse.target import Target


class Client(Protocol):
    on_statement: Listener
    """Called with each statement before it runs; for tests and traces."""

    async def query(self, statement: Statement) -> list[Row]:
        """Runs a SELECT; one dict a row, texts as str but those of `selection.WIDE` as bytes, times as naive UTC."""

    async def run(self, statement: Statement) -> Answer:
        """The same with what it cost."""

    def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        """Runs a SELECT; its answer in a format of ClickHouse's (JSONEachRow, CSVWithNames, Parquet), in chunks. Close it when it is left early.

        An embedded engine answers in one chunk, of at most `embedded.MAX_ANSWER_BYTES`.
        """

    async def command(self, statement: Statement) -> None:
        """Runs INSERT … SELECT, DELETE or DDL; it completes even if the caller goes away."""

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Inserts a few rows (administration; never the load path); it completes even if the caller goes away."""

    async def close(self) -> None: ...


class DelegatingClient:
    """Asks another one; the base of those that add something to some of it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def on_statement(self) -> Listener:
        return self._client.on_statement

    @on_statement.setter
    def on_statement(self, listener: Listener) -> None:
        self._client.on_statement = listener

    async def query(self, statement: Statement) -> list[Row]:
        return (await self.run(statement)).rows

    async def run(self, statement: Statement) -> Answer:
        return await self._client.run(statement)

    def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        return self._client.stream(statement, output_format)

    async def close(self) -> None:
        await self._client.close()


async def connect(dsn: str, limits: Limits = Limits(), pool_size: int = 4) -> Client:
    """The client for a DSN; at most `pool_size` statements run at once. Raises ValueError for a DSN that is none.

    The embedded engine is opened here and raises SourceUnavailableError; a server is first asked when it is needed.
    """
    target = Target.parse(dsn)
    return EmbeddedClient(target, limits, pool_size) if target.is_embedded else ServerClient(target, limits, pool_size)


def open_sync(dsn: str) -> SyncClient:
    """The driver's own client, for commands and `load`; raises SourceUnavailableError, ValueError. The database need not exist yet."""
    return Target.parse(dsn).open()
