"""Databases of generated traffic, one a size, in both layouts and merged; kept in the server's folder from run to run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from queue import SimpleQueue
from time import perf_counter

import click
from clickhouse_connect.driver.client import Client

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from gateway.database import Database
from tests.benchmarks.peer import generate_peer
from tests.benchmarks.questions import SITE
from tests.benchmarks.traffic import Traffic, generate
from tests.servers import Node

INSERT_SETTINGS = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "min_insert_block_size_rows": 2_000_000,
    "min_insert_block_size_bytes": 1_000_000_000,
    "max_partitions_per_insert_block": 1000,
}


def name_of(interactions: int) -> str:
    """Of the database with that many."""
    return f"bench_{interactions}"


def ensure(node: Node, interactions: int) -> str:
    """The name of the database with that many; made if it is not complete."""
    name = name_of(interactions)
    server = open_sync(node.dsn())
    complete = server.query("SELECT 1 FROM system.tables WHERE database = {name:String} AND name = 'complete'", {"name": name}).row_count
    if not complete:
        started = perf_counter()
        server.command(f"DROP DATABASE IF EXISTS {name} SYNC")
        server.command(f"CREATE DATABASE {name}")
        client = open_sync(node.dsn(name))
        migrate(client)
        traffic = Traffic(interactions)
        run(node.dsn(name), chain(generate(client, traffic), generate_peer(client, traffic)))
        run(node.dsn(name), merges(client))
        Database(client).changed(SITE)  # as a load says, without which a gateway keeps nothing of the site
        client.command("CREATE TABLE complete (made DateTime) ENGINE = MergeTree ORDER BY made")
        client.close()
        click.echo(f"{interactions:,} interactions made in {perf_counter() - started:.0f} s.", err=True)
    server.close()
    return name


def run(dsn: str, statements: Iterable[str]) -> None:
    """As many at once as there are processors."""
    clients: SimpleQueue[Client] = SimpleQueue()
    count = os.cpu_count() or 1

    def one(statement: str) -> None:
        client = clients.get()
        client.command(statement, settings=INSERT_SETTINGS)
        clients.put(client)

    with ExitStack() as opened, ThreadPoolExecutor(count) as pool:
        for _ in range(count):
            clients.put(client := open_sync(dsn))
            opened.callback(client.close)
        list(pool.map(one, statements))


def merges(client: Client) -> list[str]:
    """For one part a partition, as in tables that had time, so that both layouts are measured in their best state."""
    parts = client.query(
        "SELECT table, partition_id FROM system.parts WHERE database = currentDatabase() AND active GROUP BY ALL"
        " HAVING count() > 1 ORDER BY sum(rows) DESC"
    )
    return [f"OPTIMIZE TABLE {table} PARTITION ID '{partition}' FINAL" for table, partition in parts.result_rows]


def bytes_by_table(client: Client) -> dict[str, int]:
    """On disk, largest first."""
    rows = client.query(
        "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = currentDatabase() AND active"
        " GROUP BY table ORDER BY bytes DESC"
    ).result_rows
    return {str(table): int(size) for table, size in rows}
