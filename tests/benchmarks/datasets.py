"""Databases of generated traffic, one a size, in both layouts and merged; kept in the server's folder from run to run."""

from __future__ import annotations

from time import perf_counter

import click
from clickhouse_connect.driver.client import Client

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from tests.benchmarks.peer import generate_peer
from tests.benchmarks.traffic import Traffic, generate
from tests.servers import Node


def ensure(node: Node, interactions: int) -> str:
    """The name of the database with that many; made if it is not complete."""
    name = f"bench_{interactions}"
    server = open_sync(node.dsn())
    complete = server.query("SELECT 1 FROM system.tables WHERE database = {name:String} AND name = 'complete'", {"name": name}).row_count
    if not complete:
        started = perf_counter()
        server.command(f"DROP DATABASE IF EXISTS {name} SYNC")
        server.command(f"CREATE DATABASE {name}")
        client = open_sync(node.dsn(name))
        migrate(client)
        generate(client, Traffic(interactions))
        generate_peer(client, Traffic(interactions))
        merge(client)
        client.command("CREATE TABLE complete (made DateTime) ENGINE = MergeTree ORDER BY made")
        client.close()
        click.echo(f"{interactions:,} interactions made in {perf_counter() - started:.0f} s.", err=True)
    server.close()
    return name


def merge(client: Client) -> None:
    """One part a partition, as in tables that had time, so that both layouts are measured in their best state."""
    parts = client.query(
        "SELECT table, partition_id FROM system.parts WHERE database = currentDatabase() AND active GROUP BY ALL HAVING count() > 1"
    )
    for table, partition in parts.result_rows:
        client.command(f"OPTIMIZE TABLE {table} PARTITION ID '{partition}' FINAL")


def bytes_by_table(client: Client) -> dict[str, int]:
    """On disk, largest first."""
    rows = client.query(
        "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = currentDatabase() AND active"
        " GROUP BY table ORDER BY bytes DESC"
    ).result_rows
    return {str(table): int(size) for table, size in rows}
