"""Requests a second of the gateway and of a graphql-yoga server that does the same work: same query, same statements, same ClickHouse.

Both ask for a key; the gateway's cache is off, so that each request reads. Clients keep their connections, and take turns: a slice of
time for one server, then for the other.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import httptools
import orjson
from clickhouse_connect.driver.binding import bind_query

from clickhouse.client import connect
from clickhouse.keys import ApiKey, insert_key
from clickhouse.statement import Statement
from gateway.auth import hash_token, new_token
from gateway.database import open_database
from gateway.settings import Settings
from tests.asking import ask
from tests.benchmarks.questions import HOT_PAGE, SITE
from tests.benchmarks.report import table
from tests.benchmarks.side_by_side import PRODUCT, parted
from tests.gateway.processes import is_open, running, wait_for
from tests.servers import PASSWORD, USER, Node

YOGA = Path(__file__).parent / "yoga"
SECRET = "only for the benchmark"
POINTS = (10, 5_000)
CONNECTIONS = (1, 8, 32)
WORKERS = (1, 2)
MAP = """query Map($site: String!, $page: String!, $window: Window!, $first: Int!) {
  site(siteId: $site) { page(key: $page) { insights(window: $window) {
    heatmap(first: $first) { total maxCount points { x y count share } }
  } } }
}"""


@dataclass(slots=True)
class Contender:
    """A running server; `seconds` are those of its requests while `measured_s` passed."""

    name: str
    port: int
    token: str
    seconds: list[float] = field(default_factory=list)
    measured_s: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.measured_s

    @property
    def p50_p99_ms(self) -> tuple[float, float]:
        cuts = quantiles(self.seconds, n=100)
        return cuts[49] * 1000, cuts[98] * 1000

    def request(self, body: bytes) -> bytes:
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Connection(asyncio.Protocol):
    """One kept connection: a request, its whole answer, the next."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[bytes] | None = None
        self._parser: Any = None
        self._parts: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: bytes) -> bytes:
        self._answered = asyncio.get_running_loop().create_future()
        self._parser, self._parts = httptools.HttpResponseParser(self), []
        self._transport.write(request)
        return await self._answered

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        assert self._answered and self._parser.get_status_code() == 200, (self._parser.get_status_code(), b"".join(self._parts)[:500])
        self._answered.set_result(b"".join(self._parts))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("closed by the server"))

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def connections(contender: Contender, count: int) -> AsyncIterator[list[Connection]]:
    loop = asyncio.get_running_loop()
    made = [(await loop.create_connection(Connection, "127.0.0.1", contender.port))[1] for _ in range(count)]
    try:
        yield made
    finally:
        for connection in made:
            connection.close()


def variables(last_day: date, first: int) -> list[dict[str, Any]]:
    """Sixty windows of a month, more than connections, so that the maps asked for at one time differ and single flight does not help."""
    return [
        {"site": SITE, "page": HOT_PAGE, "window": {"between": {"from": str(start), "to": str(start + timedelta(days=29))}}, "first": first}
        for start in (last_day - timedelta(days=29 + shift) for shift in range(60))
    ]


async def statements_of(dsn: str, asked: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Variables -> what the gateway asks ClickHouse for site, page and map, with the values as texts."""
    found = {}
    client = await connect(dsn)
    for values in asked:
        ran: list[Statement] = []
        client.on_statement = ran.append
        await ask(client, MAP, **values)
        lookups, answers = parted(ran)
        chosen = [next(one for one in lookups if f"FROM {name}" in one.sql) for name in ("sites", "pages")] + [answers[-1]]
        found[orjson.dumps(values).decode()] = [_as_texts(statement) for statement in chosen]
    await client.close()
    return found


def _as_texts(statement: Statement) -> dict[str, Any]:
    sql, bound = bind_query(statement.sql, statement.params)
    assert isinstance(sql, str)
    lists = {f"param_{name}" for name, value in statement.params.items() if isinstance(value, list | tuple)}
    params = {name.removeprefix("param_"): value for name, value in bound.items() if name not in lists}
    return {"sql": sql, "params": params | {name.removeprefix("param_"): statement.params[name.removeprefix("param_")] for name in lists}}


def install_yoga() -> None:
    if not (YOGA / "node_modules").exists():
        npm = shutil.which("npm")
        assert npm, "needs Node.js with npm"
        subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=YOGA, check=True)


@contextmanager
def yoga(node: Node, database: str, token: str, workers: int, statements: Path) -> Iterator[Contender]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "NODE_ENV": "production",
        "PORT": str(port),
        "WORKERS": str(workers),
        "SECRET": SECRET,
        "TOKEN_HASH": hash_token(token, SECRET.encode()),
        "CLICKHOUSE_URL": f"http://127.0.0.1:{node.http_port}",
        "CLICKHOUSE_DATABASE": database,
        "CLICKHOUSE_USER": USER,
        "CLICKHOUSE_PASSWORD": PASSWORD,
        "STATEMENTS": str(statements),
    }
    process = subprocess.Popen(["node", "server.mjs"], cwd=YOGA, env=os.environ | environment)
    try:
        wait_for(lambda: process.poll() is not None or is_open(port))
        yield Contender("graphql-yoga", port, token)
    finally:
        process.terminate()
        process.wait()


def make_key(dsn: str) -> str:
    key_id, token = new_token()
    key = ApiKey(key_id, "benchmark", frozenset({"heatmap:read"}), frozenset({"*"}), token_hash=hash_token(token, SECRET.encode()))
    with open_database(Settings(clickhouse=dsn)) as opened:
        opened.insert(insert_key(key, datetime.now(UTC)))
    return token


async def load(contender: Contender, requests: Sequence[bytes], count: int, slice_s: float) -> None:
    """As many clients as connections, each asking as fast as it is answered, for a slice of time."""
    async with connections(contender, count) as opened:
        started = perf_counter()

        async def client(number: int, connection: Connection) -> None:
            turn = number
            while (asked := perf_counter()) < started + slice_s:
                await connection.ask(requests[turn % len(requests)])
                contender.seconds.append(perf_counter() - asked)
                turn += 1

        await asyncio.gather(*(client(number, connection) for number, connection in enumerate(opened)))
        contender.measured_s += perf_counter() - started


async def answers(contender: Contender, bodies: Sequence[bytes]) -> list[Any]:
    async with connections(contender, 1) as (connection,):
        return [orjson.loads(await connection.ask(contender.request(body)))["data"] for body in bodies]


async def compare(contenders: Sequence[Contender], bodies: Sequence[bytes], count: int, slices: int, slice_s: float) -> None:
    """In turn; every answer was compared before."""
    requests = {contender.name: [contender.request(body) for body in bodies] for contender in contenders}
    for number in range(slices + 1):
        for contender in contenders:
            if number == 1:  # the first slice was to warm up
                contender.seconds, contender.measured_s = [], 0.0
            await load(contender, requests[contender.name], count, slice_s)


def throughput(
    node: Node,
    database: str,
    last_day: date,
    folder: Path,
    workers: Sequence[int] = WORKERS,
    connection_counts: Sequence[int] = CONNECTIONS,
    slices: int = 3,
    slice_s: float = 1.0,
) -> str:
    """Raises AssertionError when the two servers answer differently."""
    install_yoga()
    dsn = node.dsn(database)
    token = make_key(dsn)
    asked = [values for first in POINTS for values in variables(last_day, first)]
    statements = folder / "statements.json"
    statements.write_bytes(orjson.dumps({"settings": PRODUCT, "of": asyncio.run(statements_of(dsn, asked))}, default=str))
    ours = {"CLICKHOUSE": dsn, "SECRET": SECRET, "ENVIRONMENT": "production", "LOG_LEVEL": "warning", "CACHE_BYTES": "0"}
    environment = {f"HEATGRAPH_{name}": value for name, value in ours.items()} | {"HEATGRAPH_MAX_KEY_COST_PER_MINUTE": "0"}
    rows = []
    for processes in workers:
        with ExitStack() as stack:
            gateway = stack.enter_context(running(folder, **environment, HEATGRAPH_WORKERS=str(processes)))
            contenders = [
                Contender("gateway", gateway.port, token),
                stack.enter_context(yoga(node, database, token, processes, statements)),
            ]
            for first, count in product(POINTS, connection_counts):
                bodies = [orjson.dumps({"query": MAP, "variables": values}) for values in asked if values["first"] == first]
                found, expected = (asyncio.run(answers(contender, bodies[:2])) for contender in contenders)
                assert found == expected, next((pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]), None)
                asyncio.run(compare(contenders, bodies, count, slices, slice_s))
                rows.append(_row(contenders, processes, first, count))
    head = [
        "points",
        "workers",
        "connections",
        "gateway, requests/s",
        "p50 / p99, ms",
        "graphql-yoga, requests/s",
        "p50 / p99, ms",
        "ratio",
    ]
    return table(head, rows)


def _row(contenders: Sequence[Contender], workers: int, first: int, count: int) -> list[str]:
    cells = [f"{first:,}", str(workers), str(count)]
    for contender in contenders:
        p50, p99 = contender.p50_p99_ms
        cells += [f"{contender.rate:.0f}", f"{p50:.1f} / {p99:.1f}"]
    ours, theirs = contenders
    return [*cells, f"{ours.rate / theirs.rate:.2f}×"]
