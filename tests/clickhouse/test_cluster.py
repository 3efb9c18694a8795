"""Two shards: each node has every table, sees every row, and joins of a visitor's rows stay on its shard."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import connect, open_sync
from clickhouse.migrations import migrate, steps
from clickhouse.statement import Statement
from clickhouse.tables import DDL, TABLES
from tests.servers import CLUSTER, Node

Nodes = tuple[Node, Node]


@pytest.fixture(scope="module")
def dsns(nodes: Nodes) -> tuple[str, str]:
    database = f"test_{uuid.uuid4().hex}"
    first, second = (node.dsn(database) for node in nodes)
    return first, second


@pytest.fixture(scope="module")
def shards(dsns: tuple[str, str]) -> Iterator[tuple[SyncClient, SyncClient]]:
    first, second = (open_sync(dsn) for dsn in dsns)
    for client in (first, second):
        assert [step.number for step in migrate(client, CLUSTER)] == [step.number for step in steps()]
        assert migrate(client, CLUSTER) == []
    first.command(
        "INSERT INTO sessions (site_id, session_id, visitor_id, expires_on) "
        "SELECT 's', number, number % 500, today() + 30 FROM numbers(1000)"
    )
    first.command("INSERT INTO cohort_members SELECT 's', 'c', number FROM numbers(100)")
    first.command("INSERT INTO sites (site_id, name, updated_at) SELECT 's' || toString(number), 'old', now64(3) - 1 FROM numbers(20)")
    second.command("INSERT INTO sites (site_id, name, updated_at) SELECT 's' || toString(number), 'new', now64(3) FROM numbers(10)")
    yield first, second
    for client in (first, second):
        client.close()


def test_a_later_step_reaches_every_node(nodes: Nodes, tmp_path: Path) -> None:
    """From tables as they were before it, with rows on both."""
    for file in sorted(DDL.glob("*.sql"))[:8]:
        shutil.copy(file, tmp_path)
    database = f"test_{uuid.uuid4().hex}"
    clients = [open_sync(node.dsn(database)) for node in nodes]
    for client in clients:
        migrate(client, CLUSTER, folder=tmp_path)
    clients[0].command(
        "INSERT INTO sessions (site_id, session_id, visitor_id, expires_on) SELECT 's', number, number, today() + 9 FROM numbers(100)"
    )
    clients[0].command(
        "INSERT INTO events (site_id, session_id, visitor_id, conversion, expires_on)"
        " SELECT 's', number, number + 1000, number % 2, today() + 9 FROM numbers(100)"  # by whoever logged in on the way
    )
    for client in clients:
        migrate(client, CLUSTER)
    for client in clients:
        assert count(client, "sessions FINAL WHERE conversions = session_id % 2") == count(client, "sessions FINAL") == 100
        client.close()


def count(client: SyncClient, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


def test_every_table_is_there_twice_on_each_node(shards: tuple[SyncClient, SyncClient]) -> None:
    expected = {"migrations"} | {name + suffix for name in TABLES for suffix in ("", "_local")}
    views = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'"
    for shard in shards:
        assert {name for (name,) in shard.query(f"SHOW TABLES WHERE name NOT IN ({views})").result_rows} == expected


def test_rows_are_spread_and_each_node_sees_all(shards: tuple[SyncClient, SyncClient]) -> None:
    parts = [count(shard, "sessions_local") for shard in shards]
    assert sum(parts) == 1000
    assert min(parts) > 300
    assert [count(shard, "sessions") for shard in shards] == [1000, 1000]


def test_rows_of_a_visitor_are_on_one_shard(shards: tuple[SyncClient, SyncClient]) -> None:
    first, second = ({row[0] for row in shard.query("SELECT DISTINCT visitor_id FROM sessions_local").result_rows} for shard in shards)
    assert not first & second
    assert len(first | second) == 500


def test_the_newest_row_counts_whichever_node_it_was_sent_to(shards: tuple[SyncClient, SyncClient]) -> None:
    for shard in shards:
        names = shard.query("SELECT name, count() FROM sites FINAL GROUP BY name ORDER BY name").result_rows
        assert names == [("new", 10), ("old", 10)]


async def test_subqueries_see_every_shard(dsns: tuple[str, str], shards: tuple[SyncClient, SyncClient]) -> None:
    in_cohort = Statement(
        "SELECT count() AS n FROM sessions FINAL WHERE visitor_id IN (SELECT visitor_id FROM cohort_members WHERE site_id = 's')", {}
    )
    for dsn in dsns:
        client = await connect(dsn)
        assert await client.query(in_cohort) == [{"n": 200}]
        await client.close()
