"""Answers shared through a real Redis by gateways that ask one real ClickHouse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from redis.asyncio import Redis

from clickhouse.client import connect, open_sync
from clickhouse.memory_cache import MemoryCache
from clickhouse.migrations import migrate
from clickhouse.redis_cache import MAX_ANSWER_BYTES, RedisCache
from clickhouse.shared import SharedClient
from clickhouse.statement import Params, Statement
from gateway.database import Database
from tests.no_redis import REPLIES, no_redis
from tests.servers import Node

NOW = datetime.now(UTC)
SECONDS = 60

Worker = Callable[..., Any]


@pytest.fixture(scope="module")
def dsn(node: Node) -> str:
    """The embedded engine serves one process, which has nobody to share with."""
    dsn = node.dsn("test_redis_cache")
    client = open_sync(dsn)
    migrate(client)
    client.close()
    return dsn


@pytest.fixture
def versioned(database: SyncClient) -> None:
    Database(database).changed("shop", "other")


@pytest.fixture
async def worker(dsn: str, versioned: None, redis: str) -> AsyncIterator[Worker]:
    """A gateway's client with a memory of its own."""
    made = []

    async def make(source: str = "default", address: str = redis) -> SharedClient:
        made.append(
            SharedClient(await connect(dsn), MemoryCache(1_000_000), version_seconds=0, elsewhere=RedisCache(address, source, SECONDS))
        )
        return made[-1]

    yield make
    for client in made:
        await client.close()


def question(site_id: str = "shop", columns: str = "rand64() AS number", until: datetime = NOW - timedelta(days=1)) -> Statement:
    params = Params(until=until)
    return Statement.of([f"SELECT {columns}, {params.site(site_id)} AS site"], params)


async def settled(client: SharedClient) -> None:
    """What it caches elsewhere is there."""
    await client._background.finish()


async def test_a_worker_finds_what_another_was_answered(worker: Worker) -> None:
    first, second = await worker(), await worker()
    asked = await first.run(question())
    await settled(first)
    found = await second.run(question())
    assert (asked.cached, found.cached) == (False, True)
    assert found.rows == asked.rows and found.read_rows == asked.read_rows
    assert (await second.run(question())).rows == asked.rows


async def test_values_are_the_same_as_those_of_clickhouse(worker: Worker) -> None:
    columns = (
        "toUInt64(18446744073709551615) AS big, toInt128(-170141183460469231731687303715884105728) AS huge, 'ä€😀' AS text, NULL AS nothing,"
        " toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC') AS at, toDate('2026-01-02') AS day, [1, 2] AS numbers,"
        " (1, true, 'x') AS place, 0.1 AS tenth, toJSONString(map('a', 'say \"€\"')) AS json, toJSONString(['😀']) AS points"
    )
    first, second = await worker(), await worker()
    asked = await first.run(question(columns=columns))
    await settled(first)
    found = await second.run(question(columns=columns))
    assert found.cached and found.rows == asked.rows
    assert [type(value) for value in found.rows[0].values()] == [type(value) for value in asked.rows[0].values()]


async def test_a_change_of_the_site_is_another_question(worker: Worker, database: SyncClient) -> None:
    first, second = await worker(), await worker()
    before = await first.run(question())
    await settled(first)
    Database(database).changed("shop")
    after = await second.run(question())
    assert not after.cached and after.rows != before.rows


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(question("other"), id="another site"),
        pytest.param(question(columns="rand64() AS  number"), id="another statement"),
        pytest.param(question("unknown"), id="a site without a version"),
        pytest.param(question(until=NOW + timedelta(days=1)), id="a window that is not over"),
    ],
)
async def test_nothing_else_is_answered_from_it(worker: Worker, other: Statement) -> None:
    first, second = await worker(), await worker()
    await first.run(question())
    await settled(first)
    assert not (await second.run(other)).cached


async def test_sources_are_kept_apart(worker: Worker) -> None:
    first, second = await worker(), await worker("europe")
    await first.run(question())
    await settled(first)
    assert not (await second.run(question())).cached


async def test_what_is_not_over_is_not_put_there(worker: Worker, redis: str) -> None:
    first, store = await worker(), Redis.from_url(redis)
    await store.flushall()
    await first.run(question(until=NOW + timedelta(days=1)))
    await first.run(Statement("SELECT 1 AS one", {}))
    await settled(first)
    assert await store.dbsize() == 0
    await store.aclose()


async def test_it_is_cached_for_a_while_under_a_name_that_tells_nothing(worker: Worker, redis: str) -> None:
    first, store = await worker(), Redis.from_url(redis)
    await store.flushall()
    await first.run(question())
    await settled(first)
    (name,) = await store.keys()
    assert b"shop" not in name and len(name) == len("heatgraph:answer:") + 64
    assert 0 < await store.ttl(name) <= SECONDS
    await store.aclose()


async def test_what_is_too_large_is_not_put_there(worker: Worker, redis: str) -> None:
    first, store = await worker(), Redis.from_url(redis)
    await store.flushall()
    for thousands in (MAX_ANSWER_BYTES // 1000 - 1, MAX_ANSWER_BYTES // 1000):
        await first.run(question(columns=f"repeat(repeat('x', 1000), {thousands}) AS text"))
    await settled(first)
    assert await store.dbsize() == 1
    await store.aclose()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda cached: b"nonsense",
    "other facts": lambda cached: b'{"rows": 1}' + cached[cached.index(b"\n") :],
    "facts of another version": lambda cached: b'{"read_rows": 1, "read_bytes": 1}' + cached[cached.index(b"\n") :],
    "no object": lambda cached: b"7" + cached[cached.index(b"\n") :],
    "cut off": lambda cached: cached[:-5],
    "cut off in front": lambda cached: cached[: cached.index(b"\n") + 1],
    "another type": lambda cached: cached.replace(b"UInt64", b"Uint64"),
    "too many rows": lambda cached: cached.replace(b"\n\x02\x01", b"\n\x02\xff\xff\xff\x7f"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_answer_is_none(worker: Worker, redis: str, damage: str) -> None:
    first, second, store = await worker(), await worker(), Redis.from_url(redis)
    await store.flushall()
    await first.run(question())
    await settled(first)
    (name,) = await store.keys()
    cached = await store.get(name)
    damaged = DAMAGES[damage](cached)
    assert damaged != cached
    await store.set(name, damaged)
    answer = await second.run(question())
    assert not answer.cached and answer.rows[0].keys() == {"number", "site"}
    await settled(second)
    assert await store.get(name) != damaged
    await store.aclose()


async def test_the_answer_to_another_question_is_none(worker: Worker, redis: str) -> None:
    """As on a connection of Redis whose replies are one too many."""
    first, second, store = await worker(), await worker(), Redis.from_url(redis)
    await store.flushall()
    await first.run(question(columns="1 AS number, site"))
    await first.run(question(columns="2 AS number, site"))
    await settled(first)
    one, other = await store.keys()
    kept = {one: await store.get(other), other: await store.get(one)}
    await store.mset(kept)
    for number in (1, 2):
        answer = await second.run(question(columns=f"{number} AS number, site"))
        assert not answer.cached and {row["number"] for row in answer.rows} == {number}
    await store.aclose()


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
async def test_what_is_no_redis_answers_nothing(worker: Worker, reply: bytes) -> None:
    async with no_redis(reply) as address:
        client = await worker(address=address)
        assert [(await client.run(question())).cached for _ in range(2)] == [False, True]
        await settled(client)
        await client.close()


async def test_without_redis_each_worker_goes_on_alone(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    first, second = await worker(address="redis://127.0.0.1:9/0"), await worker(address="redis://127.0.0.1:9/0")
    with caplog.at_level(logging.WARNING):
        assert [(await client.run(question())).cached for client in (first, first, second)] == [False, True, False]
        await settled(first)
    assert caplog.text.count("Redis did not answer") == 2  # once each, though each would have read and written


async def test_a_redis_that_hangs_is_waited_for_once(worker: Worker) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    address = f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}/0"
    commands = 0

    client = await worker(address=address)
    ask = client._elsewhere._redis.execute_command

    async def counted(*args: Any, **options: Any) -> Any:
        nonlocal commands
        commands += 1
        return await ask(*args, **options)

    client._elsewhere._redis.execute_command = counted
    for number in range(4):
        assert not (await client.run(question(columns=f"{number} AS number"))).cached
    await settled(client)
    assert commands == 1
    silent.close()
