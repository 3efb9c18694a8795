"""Rows stored a second of processor time, the client's and the server's, and a second one waits: files through `load`, and plain INSERTs
into the tables questions are answered from, with every view on. Merges that happen meanwhile count too."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter, process_time

from clickhouse_connect.driver.client import Client

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from gateway.database import Database, open_database
from gateway.load import load_files
from gateway.settings import Settings
from tests.benchmarks.bench_load import write
from tests.benchmarks.datasets import bytes_by_table, merges, run
from tests.benchmarks.peer import DDL
from tests.benchmarks.report import table
from tests.servers import Node

ONE_THREAD = {"max_threads": 1, "max_insert_threads": 1, "max_partitions_per_insert_block": 1000}
COPIED = ("interactions", "pageviews", "heatmaps")


def ingest(node: Node, source: str, folder: Path, rows: int) -> str:
    """`rows` of each file, and of each table of the database `source`."""
    name = "bench_ingest"
    open_sync(node.dsn()).command(f"DROP DATABASE IF EXISTS {name} SYNC")
    open_sync(node.dsn()).command(f"CREATE DATABASE {name}")
    client = open_sync(node.dsn(name))
    migrate(client)
    for ddl in DDL:
        client.command(ddl)
    with open_database(Settings(clickhouse=node.dsn(name)), two_sessions=True) as database:
        lines = [_load(node, database, file, rows) for file in write(folder, rows)]
    run(node.dsn(name), merges(client))
    loaded = sum(size for stored, size in bytes_by_table(client).items() if stored != "heatmaps")
    lines += [[f"INSERT into `{stored}`, one thread", _rate(*_copy(node, client, source, stored, rows)), ""] for stored in COPIED]
    client.close()
    text = table(["", "rows a second of one processor", "a second of waiting"], lines)
    return f"{text}\n\nA row that was loaded takes {loaded / (2 * rows):.0f} bytes in all tables together, the row as it was sent included."


def _rate(rows: int, seconds: float) -> str:
    return f"{rows / seconds:,.0f}"


def _cpu_s(node: Node) -> float:
    return node.cpu_s() + process_time()


def _load(node: Node, database: Database, file: Path, rows: int) -> list[str]:
    kind = file.suffix.removeprefix(".")
    started, started_cpu_s = perf_counter(), _cpu_s(node)
    summary = load_files(database, Site(f"loaded_{kind}", "Benchmark"), [file])
    assert summary.stored_rows and not summary.rejected, summary
    return [f"`load` of {kind}", _rate(rows, _cpu_s(node) - started_cpu_s), _rate(rows, perf_counter() - started)]


def _copy(node: Node, client: Client, source: str, stored: str, rows: int) -> tuple[int, float]:
    """Rows and seconds of an INSERT by one thread; reading them back is measured alone and taken off."""
    rows = min(rows, client.query(f"SELECT count() FROM {source}.{stored}").result_rows[0][0])
    read = f"SELECT * FROM {source}.{stored} LIMIT {rows}"
    started = _cpu_s(node)
    client.command(f"{read} FORMAT Null", settings=ONE_THREAD)
    read_s = _cpu_s(node) - started
    client.command(f"INSERT INTO {stored} {read}", settings=ONE_THREAD)
    return rows, max(_cpu_s(node) - started - 2 * read_s, 1e-9)
