"""ClickHouse for commands: one synchronous connection that is closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.client import open_sync
from clickhouse.errors import from_driver
from clickhouse.insert import Insert
from clickhouse.statement import Statement
from gateway.settings import Settings


class Database:
    def __init__(self, client: Client) -> None:
        self.client = client

    def query(self, statement: Statement) -> list[dict[str, Any]]:
        return list(self.client.query(statement.sql, statement.params).named_results())

    def command(self, statement: Statement) -> None:
        self.client.command(statement.sql, statement.params)

    def insert(self, insert: Insert) -> None:
        self.client.insert(insert.table, insert.rows, column_names=insert.columns)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Raises HeatgraphError that says what to do: a path that is in use, a server that does not answer, tables that are not there."""
    client = open_sync(settings.clickhouse)
    try:
        yield Database(client)
    except (ClickHouseError, OSError) as error:
        raise from_driver(error) from error
    finally:
        client.close()
