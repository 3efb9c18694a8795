"""A shard or a server that dies and comes back: typed errors in between, never a part for the whole, and no restart of ours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from clickhouse.client import Client, connect, open_sync
from clickhouse.errors import SourceUnavailableError
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from clickhouse.statement import Statement
from clickhouse.tables import TABLES
from gateway.demo_visits import DEMO_SITE, demo_rows
from gateway.settings import Settings
from gateway.sources import open_sources
from resolvers.sources import Sources
from tests.asking import NOW, answer, create_site, load
from tests.conftest import require
from tests.servers import CLUSTER, LIBRARY, Node, cluster

RECOVERY_S = 30
QUERY = f"""{{ site(siteId: "{DEMO_SITE}") {{ insights(url: {{prefix: "https://"}}, window: {{last: "-2d"}}) {{
  meta {{ sessions truncated partial warnings }} totals {{ clicks visitors }} heatmap {{ total }} }} }} }}"""


@pytest.fixture(scope="module")
def shards() -> Iterator[tuple[Node, Node]]:
    """The demo in the database `demo`, on two servers of their own, because one is killed."""
    require(LIBRARY.exists(), "ClickHouse from npm; run the tests with: make test")
    with cluster() as nodes:
        one, *sharded = open_sync(nodes[0].dsn("one")), *(open_sync(node.dsn("demo")) for node in nodes)
        migrate(one)
        for database in sharded:
            migrate(database, CLUSTER)
        load(one, create_site(one, Site(DEMO_SITE, "Demo")), map(orjson.loads, demo_rows(NOW - timedelta(days=1), days=1)))
        for table in TABLES:
            sharded[0].command(f"INSERT INTO {table} SELECT * FROM one.{table}")
        for database in (one, *sharded):
            database.close()
        yield nodes


@asynccontextmanager
async def source(node: Node, folder: Path, more: str = "") -> AsyncIterator[Sources]:
    """As the gateway opens it."""
    file = folder / "sources.toml"
    file.write_text(f'[[sources]]\nname = "shards"\ndsn = "{node.dsn("demo")}"\n{more}')
    sources = await open_sources(Settings(clickhouse="chdb://memory", sources=str(file), cache_bytes=0))
    try:
        yield Sources(sources.all[1:])
    finally:
        await sources.close()


async def whole(client: Client | Sources) -> dict[str, object]:
    """The answer when there is no error any more."""
    deadline = time.monotonic() + RECOVERY_S
    while (answered := await answer(client, QUERY))["errors"] and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert answered["errors"] == []
    return answered["data"]["site"]["insights"]  # type: ignore[no-any-return]


def few(sessions: int) -> str:
    return f"{sessions} sessions: 1000 are the usual minimum before a conclusion; widen the window or the segment."


async def test_a_shard_that_is_down_is_an_error_and_no_smaller_number(shards: tuple[Node, Node], tmp_path: Path) -> None:
    async with source(shards[0], tmp_path) as sources:
        before = await whole(sources)
        meta: Any = before["meta"]
        assert meta == {"sessions": meta["sessions"], "truncated": False, "partial": False, "warnings": [few(meta["sessions"])]}
        shards[1].kill()
        try:
            answered = await answer(sources, QUERY)
        finally:
            shards[1].start()
        shown = answered["data"]["site"]["insights"]
        assert shown is None or shown["totals"] is shown["heatmap"] is None
        assert {error["code"] for error in answered["errors"]} == {"SOURCE_UNAVAILABLE"}
        assert await whole(sources) == before


async def test_a_shard_that_dies_in_mid_query_is_an_error_too(shards: tuple[Node, Node]) -> None:
    client = await connect(shards[0].dsn("demo"))
    slow = "SELECT count() AS rows FROM interactions WHERE NOT sleepEachRow(0.05) SETTINGS function_sleep_max_microseconds_per_block = 0"
    running = asyncio.create_task(client.query(Statement(slow, {})))
    watching = await connect(shards[1].dsn())
    active = "SELECT count() AS n FROM system.processes WHERE query LIKE '%sleepEachRow%' AND NOT is_initial_query"
    while not (await watching.query(Statement(active, {})))[0]["n"]:
        assert not running.done()
    shards[1].kill()
    try:
        with pytest.raises(SourceUnavailableError):
            await running
    finally:
        shards[1].start()
    await whole(client)
    await watching.close()
    await client.close()


async def test_a_part_is_answered_where_it_is_allowed_and_says_so(shards: tuple[Node, Node], tmp_path: Path) -> None:
    async with source(shards[0], tmp_path, "allow_partial = true") as sources:
        before = await whole(sources)
        shards[1].kill()
        try:
            part = await whole(sources)
        finally:
            shards[1].start()
        meta, totals = part["meta"], part["totals"]
        assert (meta["partial"], meta["truncated"]) == (True, True)  # type: ignore[index]
        assert meta["warnings"][0].startswith("Some shards") and meta["warnings"][1:] == [few(meta["sessions"])]  # type: ignore[index]
        assert 0 < totals["clicks"] < before["totals"]["clicks"]  # type: ignore[index]
        assert await whole(sources) == before


async def test_a_server_that_is_restarted_answers_again(shards: tuple[Node, Node], tmp_path: Path) -> None:
    """While it is under load."""
    async with source(shards[0], tmp_path) as sources:
        before = await whole(sources)
        answers = []

        async def ask() -> None:
            answers.append(await answer(sources, QUERY))

        async with asyncio.TaskGroup() as load_:
            for _ in range(8):
                load_.create_task(ask())
            await asyncio.sleep(0)
            await asyncio.to_thread(shards[0].kill)
            for _ in range(8):
                load_.create_task(ask())
        await asyncio.to_thread(shards[0].start)
        assert {error["code"] for answered in answers for error in answered["errors"]} == {"SOURCE_UNAVAILABLE"}
        assert await whole(sources) == before
