"""`make load-test`: many clients at once, every answer checked.

A ClickHouse server with the demo's rows, the gateway with two workers, and connections that ask the README's five questions
about changing pages and windows. Each answer must equal, byte for byte, what was answered to the same question before the
load. Bounded in time and loopback only; the result goes into the README.

    python -m tests.benchmarks.load_test --seconds 30 --connections 16
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import aiohttp
import click
import orjson

from clickhouse.migrations import migrate
from clickhouse.sites import Site, insert_site
from gateway.database import Database, open_database
from gateway.demo import load_demo, make_demo_key
from gateway.demo_visits import DEMO_DOMAINS, DEMO_SITE, demo_rows
from gateway.settings import Settings
from tests.benchmarks.readme import write_between
from tests.gateway.processes import Gateway, running
from tests.servers import server

ROOT = Path(__file__).parents[2]
WORKERS = 2
EXAMPLES = sorted((ROOT / "gateway/graphiql/examples").glob("*.graphql"))
PAGES = ("/", "/pricing", "/features", "/blog")
SECRET = "only for the load test"


@dataclass(slots=True)
class Outcome:
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    failed: int = 0
    rss_bytes: list[int] = field(default_factory=list)


def questions(now: datetime) -> list[bytes]:
    """Bodies of requests about days that are over, so that their answers stay."""
    today = now.astimezone(UTC).date()
    bodies = []
    for example in EXAMPLES:
        for page in PAGES:
            for days in (1, 7, 14, 30):
                between = {"from": str(today - timedelta(days=days)), "to": str(today - timedelta(days=1))}
                variables: dict[str, Any] = orjson.loads(example.with_suffix(".json").read_bytes())
                variables |= {"window": {"between": between}} | (
                    {"page": f"https://{DEMO_DOMAINS[0]}{page}"} if "page" in variables else {}
                )
                bodies.append(orjson.dumps({"query": example.read_text(), "variables": variables}))
    return list(dict.fromkeys(bodies))


def resident_bytes(gateway: Gateway) -> int:
    """Of the gateway's processes together."""
    parent = gateway.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in (str(parent), *children)]
    return sum(pages) * 4096


async def load(gateway: Gateway, token: str, bodies: list[bytes], seconds: float, connections: int) -> Outcome:
    outcome = Outcome()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(gateway.address, headers=headers, connector=connector) as session:

        async def ask(body: bytes) -> tuple[int, bytes]:
            """Status and `data` with any errors; what the key has left behind them differs from time to time."""
            async with session.post("/graphql", data=body) as response:
                return response.status, (await response.read()).rpartition(b',"extensions":')[0]

        expected = {}
        for body in bodies:
            status, expected[body] = await ask(body)
            assert status == 200 and b'"errors":' not in expected[body], expected[body]
        until = perf_counter() + seconds

        async def client(number: int) -> None:
            chosen = random.Random(number)
            while (started := perf_counter()) < until:
                body = chosen.choice(bodies)
                status, answer = await ask(body)
                outcome.seconds.append(perf_counter() - started)
                outcome.failed += status != 200
                outcome.wrong += status == 200 and answer != expected[body]

        async def watch() -> None:
            while perf_counter() < until:
                outcome.rss_bytes.append(resident_bytes(gateway))
                await asyncio.sleep(0.5)

        await asyncio.gather(watch(), *(client(number) for number in range(connections)))
    return outcome


def report(outcome: Outcome, seconds: float, connections: int, different: int) -> str:
    cuts = quantiles(outcome.seconds, n=100)
    quarter = len(outcome.rss_bytes) // 4
    first, last = (max(part) / 1e6 for part in (outcome.rss_bytes[: quarter + 1], outcome.rss_bytes[-quarter - 1 :]))
    lines = [
        f"{connections} connections for {seconds:g} s, {different} different questions (the five of the tour, changing pages and windows), "
        f"{WORKERS} workers, ClickHouse and the clients on the same two cores; the windows are over, so that most answers are kept ones:",
        "",
        "| requests | a second | p50 | p99 | failed | wrong answers | memory, first to last quarter |",
        "|---|---|---|---|---|---|---|",
        f"| {len(outcome.seconds)} | {len(outcome.seconds) / seconds:.0f} | {cuts[49] * 1000:.0f} ms | {cuts[98] * 1000:.0f} ms "
        f"| {outcome.failed} | {outcome.wrong} | {first:.0f} → {last:.0f} MB |",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(1, 600))
@click.option("--connections", default=16, show_default=True, type=click.IntRange(1, 256))
@click.option("--readme/--no-readme", default=False, help="Write the result into the README.")
def main(seconds: float, connections: int, readme: bool) -> None:
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as directory, server() as node:
        settings = Settings(clickhouse=node.dsn("load_test"), secret=SECRET)
        with open_database(settings) as database:
            token = make_site(database, now)
        environment = {
            "HEATGRAPH_CLICKHOUSE": settings.clickhouse,
            "HEATGRAPH_SECRET": SECRET,
            "HEATGRAPH_WORKERS": str(WORKERS),
            "HEATGRAPH_MAX_KEY_COST_PER_MINUTE": "0",
        }
        with running(Path(directory), **environment) as gateway:
            bodies = questions(now)
            outcome = asyncio.run(load(gateway, token, bodies, seconds, connections))
    text = report(outcome, seconds, connections, len(bodies))
    click.echo(text)
    if readme:
        write_between("load-test", text)
    if outcome.wrong or outcome.failed:
        raise click.ClickException(f"{outcome.wrong} wrong answers, {outcome.failed} failed requests.")


def make_site(database: Database, now: datetime) -> str:
    migrate(database.client)
    database.insert(insert_site(Site(DEMO_SITE, "Demo", tuple(DEMO_DOMAINS)), now))
    load_demo(database, demo_rows(now))
    return make_demo_key(database, SECRET.encode(), now)


if __name__ == "__main__":
    main()
