"""What the gateway adds to ClickHouse: `python -m tests.benchmarks.bench_splice [--seconds 20]`, a minute and a half in all.

A click map of 10 to 50 000 points over GraphQL, and the very same statement sent to ClickHouse over plain HTTP in the format the gateway
reads, each over one kept connection, in turn; medians. Beside it the same gateway with every point made into a Python object.
The windows end now, so that the gateway keeps of the answers nothing but the site and that it has the page; but for the last line,
of a window that is over: what the same client waits for a map from the cache, which is time in the gateway and on the wire.
The pages of the table hold hardly more clicks than points, so that ClickHouse has least to do; `make bench` adds the hot page of its own sites.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import click
import orjson
from clickhouse_connect.driver.binding import bind_query
from starlette.applications import Starlette

from clickhouse.client import connect
from clickhouse.migrations import migrate
from clickhouse.reading import Limits
from clickhouse.sites import Site, insert_site
from clickhouse.statement import Statement
from clickhouse.target import SETTINGS
from gateway.app import create_app
from gateway.database import open_database
from gateway.load import load_files
from gateway.settings import Settings
from schema.build import Subgraph, build_schema
from schema.heatmap import HeatmapPoint
from schema.splice import Spliced, SplicingExecutor
from tests.asking import ask
from tests.benchmarks.questions import HOT_PAGE
from tests.benchmarks.questions import SITE as GENERATED_SITE
from tests.benchmarks.report import millions, table
from tests.benchmarks.throughput import MAP, SECRET, make_key
from tests.gateway.processes import ROOT, free_port, is_open, running, wait_for
from tests.servers import PASSWORD, USER, Node, server

SITE, PAGES = "bench", "https://bench.example/"
COLUMNS = 100
HEAD = ("points", "SQL over HTTP", "GraphQL", "ratio", "object by object", "ratio")
SIZES = (10, 500, 5_000, 50_000)
KEPT_POINTS = 5_000
ROLLING = {"last": "-7d"}


class ObjectByObject(SplicingExecutor):
    """What a gateway does that knows nothing of splicing."""

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        if isinstance(result, Spliced):
            points = orjson.loads(result.json)
            result = [HeatmapPoint(**point, relative_x=0.0, fixed=False, element=None) for point in points]
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)


def object_by_object() -> Starlette:
    schema: Subgraph = build_schema()
    schema.execution_context_class = ObjectByObject
    return create_app(Settings.from_environment(), schema)


def clicks(now: datetime) -> Iterator[bytes]:
    """A page of each size, with a click in each cell and as many again in some."""
    at_ms = int((now - timedelta(days=2)).timestamp() * 1000)
    for size in SIZES:
        for number in range(size):
            visit = {
                "sessionId": f"s{number % 20_000}",
                "visitorId": f"v{number % 999}",
                "url": f"{PAGES}{size}",
                "timestamp": at_ms + number,
            }
            viewport = {"viewportWidth": 1280, "viewportHeight": 900, "pageHeight": max(SIZES) // COLUMNS * 16}
            place = {"x": number % COLUMNS * 12.8 + 1, "y": number // COLUMNS * 16 + 1}
            for again in range(1 + (number % 7 == 0)):
                yield orjson.dumps(visit | viewport | place | {"type": "click", "eventId": f"{size}.{number}.{again}"}) + b"\n"


def make_site(settings: Settings, directory: Path) -> str:
    """Loads it and returns a token for it."""
    now, site = datetime.now(UTC), Site(SITE, "Benchmark")
    with open_database(settings) as database:
        migrate(database.client)
        database.insert(insert_site(site, now))
        file = directory / "clicks.ndjson"
        with file.open("wb") as rows:
            rows.writelines(clicks(now))
        load_files(database, site, [file])
    return make_key(settings.clickhouse)


def variables(first: int, window: dict[str, Any] = ROLLING) -> dict[str, Any]:
    return {"site": SITE, "page": f"{PAGES}{first}", "window": window, "first": first}


def of_hot_page(interactions: int) -> dict[str, Any]:
    """The last month of the generated site's; of few interactions fewer points, as it has no more."""
    return {"site": GENERATED_SITE, "page": HOT_PAGE, "window": {"last": "-30d"}, "first": min(5_000, interactions // 1_000)}


async def statement_of(dsn: str, values: dict[str, Any]) -> Statement:
    """What the gateway asks ClickHouse for the points."""
    ran: list[Statement] = []
    client = await connect(dsn)
    client.on_statement = ran.append
    await ask(client, MAP, **values)
    await client.close()
    return ran[-1]


class Asked:
    """One request over one kept connection, again and again."""

    def __init__(self, port: int, path: str, body: bytes, headers: dict[str, str]) -> None:
        self._connection = HTTPConnection("127.0.0.1", port)
        self._request = ("POST", path, body, headers)
        self.ms: list[float] = []

    def ask(self) -> bytes:
        try:
            return self._ask()
        except ConnectionError:  # idle for too long: servers close such connections
            self._connection.close()
            return self._ask()

    def _ask(self) -> bytes:
        started = perf_counter()
        self._connection.request(*self._request)
        response = self._connection.getresponse()
        answer = response.read()
        self.ms.append((perf_counter() - started) * 1000)
        assert response.status == 200, answer[:1000]
        return answer

    def close(self) -> None:
        self._connection.close()


def plain(node: Node, dsn: str, statement: Statement) -> Asked:
    """The statement itself, in the format the driver reads."""
    sql, bound = bind_query(statement.sql, statement.params)
    login = {"X-ClickHouse-User": USER, "X-ClickHouse-Key": PASSWORD, "X-ClickHouse-Database": dsn.rpartition("/")[2]}
    settings = {**SETTINGS, **Limits().settings(), "default_format": "Native"}
    return Asked(node.http_port, "/?" + urlencode({**settings, **bound}), sql if isinstance(sql, bytes) else sql.encode(), login)


def graphql(port: int, token: str, values: dict[str, Any], **headers: str) -> Asked:
    body = orjson.dumps({"query": MAP, "variables": values})
    headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = Asked(port, "/graphql", body, headers)
    text = asked.ask()
    answer = orjson.loads(gzip.decompress(text) if "Accept-Encoding" in headers else text)
    assert len(answer["data"]["site"]["page"]["insights"]["heatmap"]["points"]) == values["first"], answer
    return asked


@contextmanager
def other_gateway(environment: dict[str, str]) -> Iterator[int]:
    """The same without splicing."""
    port = free_port()
    factory = "tests.benchmarks.bench_splice:object_by_object"
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        wait_for(lambda: is_open(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def measure(of_size: list[Asked], seconds: float) -> None:
    for asked in of_size:
        for _ in range(3):
            asked.ask()
        asked.ms.clear()
    until = perf_counter() + seconds
    while perf_counter() < until:
        for asked in of_size:
            asked.ask()


def from_cache(port: int, token: str, seconds: float) -> str:
    """One line; raises AssertionError if an answer was not kept."""
    today = datetime.now(UTC).date()
    over = {"between": {"from": str(today - timedelta(days=7)), "to": str(today - timedelta(days=1))}}
    values = variables(KEPT_POINTS, over)
    both = [graphql(port, token, values), graphql(port, token, values, **{"Accept-Encoding": "gzip"})]
    measure(both, seconds)
    told = graphql(port, token, values, **{"X-Heatgraph-Reads": "1"})
    reads = orjson.loads(told.ask())["extensions"]["reads"]
    assert all(read["cached"] for read in reads), reads
    for asked in (*both, told):
        asked.close()
    identity_ms, gzip_ms = (median(asked.ms) for asked in both)
    return f"{KEPT_POINTS:,} points from the cache: {identity_ms:.1f} ms, compressed with gzip {gzip_ms:.1f} ms."


def compared(node: Node, dsn: str, ports: Sequence[int], token: str, values: dict[str, Any], seconds: float) -> list[str]:
    """Plain SQL, the gateway and the one without splicing, in turn: cells of ms and of how many times what plain SQL took."""
    sides = [plain(node, dsn, asyncio.run(statement_of(dsn, values))), *(graphql(port, token, values) for port in ports)]
    measure(sides, seconds)
    for side in sides:
        side.close()
    sql_ms, *over_graphql_ms = (median(side.ms) for side in sides)
    return [f"{sql_ms:.1f} ms", *chain.from_iterable((f"{ms:.1f} ms", f"{ms / sql_ms:.2f}") for ms in over_graphql_ms)]


@contextmanager
def gateways(directory: Path, dsn: str) -> Iterator[list[int]]:
    """Their ports: of one as it is, and of one without splicing."""
    named = {"CLICKHOUSE": dsn, "SECRET": SECRET, "LOG_LEVEL": "warning", "MAX_KEY_COST_PER_MINUTE": "0"}
    environment = {f"HEATGRAPH_{name}": value for name, value in named.items()}
    with running(directory, **environment) as gateway, other_gateway(environment) as objects_port:
        yield [gateway.port, objects_port]


def splice(node: Node, directory: Path, seconds: float) -> tuple[list[list[str]], str]:
    """Rows of the table, and a line about the cache; `seconds` are for each of them."""
    dsn = node.dsn("bench_splice")
    token = make_site(Settings(clickhouse=dsn, secret=SECRET), directory)
    with gateways(directory, dsn) as ports:
        rows = [[f"{first:,}", *compared(node, dsn, ports, token, variables(first), seconds)] for first in SIZES]
        return rows, from_cache(ports[0], token, seconds)


def splice_hot_page(node: Node, database: str, interactions: int, directory: Path, seconds: float) -> list[str]:
    """A row of the table."""
    dsn, values = node.dsn(database), of_hot_page(interactions)
    with gateways(directory, dsn) as ports:
        cells = compared(node, dsn, ports, make_key(dsn), values, seconds)
    return [f"{values['first']:,} of the hot page of {millions(interactions)}", *cells]


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="For each number of points.")
def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as directory, server() as node:
        rows, kept = splice(node, Path(directory), seconds)
        click.echo(f"{table(HEAD, rows)}\n\n{kept}")


if __name__ == "__main__":
    main()
