"""Statements asked at once run once; answers about what is over are cached until the site's data changes, and never cross sites."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from clickhouse_connect.driver.exceptions import OperationalError

from clickhouse.client import Client, connect
from clickhouse.data_versions import compile_versions, insert_change
from clickhouse.errors import BusySourceError, HeatgraphError, SourceUnavailableError
from clickhouse.memory_cache import MemoryCache, size_bytes
from clickhouse.reading import Answer, Limits, Row
from clickhouse.shared import SharedClient
from clickhouse.sites import Site, insert_site
from clickhouse.statement import Params, Statement
from gateway.database import Database

SLOW = Statement("SELECT sum(sleepEachRow(0.1)) AS slept FROM numbers(5) SETTINGS max_block_size = 1", {})
NOW = datetime.now(UTC)


@pytest.fixture
def shared(client: Client) -> SharedClient:
    return SharedClient(client, MemoryCache(1_000_000), version_seconds=1.0)


def change(database: SyncClient, *site_ids: str) -> None:
    Database(database).changed(*site_ids)


def rows_of(site_id: str, until: datetime | None = None) -> Statement:
    params = Params()
    statement = Statement.of(["SELECT site_id, name", "FROM sites FINAL", f"WHERE site_id = {params.site(site_id)}"], params)
    params.until = until
    return Statement.of(statement.sql.split("\n"), params)


async def running(client: Client) -> int:
    rows = await client.query(
        Statement(
            "SELECT count() AS running FROM system.processes WHERE query LIKE '%sleepEachRow(0.1)%' AND query NOT LIKE '%system.processes%'",
            {},
        )
    )
    return int(rows[0]["running"])


async def test_what_is_asked_at_once_runs_once(shared: SharedClient, statements: list[Statement]) -> None:
    answers = await asyncio.gather(*(shared.run(SLOW) for _ in range(20)))
    assert len(statements) == 1
    assert all(answer.rows == [{"slept": 0}] for answer in answers)
    assert sorted(answer.shared for answer in answers) == [False] + [True] * 19


async def test_a_stream_that_is_left_ends_at_once() -> None:
    ended = False

    class Endless:
        async def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
            nonlocal ended
            try:
                while True:
                    yield b"chunk"
            finally:
                ended = True

    shared = SharedClient(Endless(), MemoryCache(0), version_seconds=1.0)  # type: ignore[arg-type]
    async with aclosing(shared.stream(Statement("SELECT 1", {}), "CSV")) as chunks:
        assert await anext(chunks) == b"chunk"
    assert ended


async def test_other_values_are_another_question(shared: SharedClient, statements: list[Statement]) -> None:
    asked = [Statement("SELECT {p0:String} AS said", {"p0": said}) for said in ("a", "b", "a")]
    assert [rows[0]["said"] for rows in await asyncio.gather(*map(shared.query, asked))] == ["a", "b", "a"]
    assert len(statements) == 2


async def test_one_that_goes_away_leaves_the_others_their_answer(shared: SharedClient, statements: list[Statement]) -> None:
    first, *others = (asyncio.create_task(shared.query(SLOW)) for _ in range(3))
    await asyncio.sleep(0.1)
    first.cancel()
    assert await asyncio.gather(*others) == [[{"slept": 0}]] * 2
    assert first.cancelled() and len(statements) == 1


async def test_what_the_first_to_ask_does_not_wait_for_is_cached_all_the_same(shared: SharedClient, database: SyncClient) -> None:
    change(database, "left")
    params = Params()
    asked = Statement.of([f"SELECT sum(sleepEachRow(0.1)) AS slept, {params.site('left')} AS site FROM numbers(5)"], params)
    first, second = (asyncio.create_task(shared.run(asked)) for _ in range(2))
    await asyncio.sleep(0.2)
    first.cancel()
    assert not (await second).cached
    assert (await shared.run(asked)).cached


async def test_who_asks_after_a_write_joins_nobody_who_asked_before(
    shared: SharedClient, client: Client, database: SyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the site is being loaded, when it has no version."""
    database.command("INSERT INTO touched_sessions (site_id, session_id, visitor_id, day) VALUES ('joined', 1, 1, today())")
    Database(database).insert(insert_site(Site("joined", "before"), NOW - timedelta(days=1)))
    asked, run, on_its_way, let_go = rows_of("joined"), client.run, asyncio.Event(), asyncio.Event()

    async def slow(statement: Statement) -> Answer:
        answer = await run(statement)
        if statement == asked:
            on_its_way.set()
            await let_go.wait()
        return answer

    monkeypatch.setattr(client, "run", slow)
    before = asyncio.create_task(shared.query(asked))
    await on_its_way.wait()
    await shared.insert(*insert_site(Site("joined", "after"), NOW))
    after = asyncio.create_task(shared.query(asked))
    await asyncio.sleep(0.1)
    let_go.set()
    assert [rows[0]["name"] for rows in await asyncio.gather(before, after)] == ["before", "after"]


async def test_it_is_killed_when_all_are_gone(shared: SharedClient, client: Client) -> None:
    long = Statement(SLOW.sql.replace("numbers(5)", "numbers(80)"), {})
    waiting = [asyncio.create_task(shared.query(long)) for _ in range(3)]
    until = time.monotonic() + 5
    while not await running(client):
        assert time.monotonic() < until
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    until = time.monotonic() + 5
    while await running(client):
        assert time.monotonic() < until


async def test_an_error_reaches_all_and_is_not_cached(shared: SharedClient, statements: list[Statement]) -> None:
    bad = Statement("SELECT throwIf(sum(sleepEachRow(0.1)) = 0) AS never FROM numbers(2)", {})
    found = await asyncio.gather(*(shared.query(bad) for _ in range(3)), return_exceptions=True)
    assert len(statements) == 1 and all(isinstance(one, HeatgraphError) for one in found)
    with pytest.raises(HeatgraphError):
        await shared.query(bad)
    assert len(statements) == 2


async def test_an_answer_is_cached_until_the_sites_data_changes(
    shared: SharedClient, statements: list[Statement], database: SyncClient
) -> None:
    Database(database).insert(insert_site(Site("cached", "before"), NOW))
    Database(database).insert(insert_site(Site("other", "other"), NOW))
    asked = rows_of("cached", NOW - timedelta(days=1))
    assert [(await shared.run(asked)).cached for _ in range(3)] == [False, True, True]
    assert [statement for statement in statements if statement == asked] == [asked]
    await shared.insert(*insert_site(Site("other", "another"), NOW + timedelta(seconds=1)))
    assert (await shared.run(asked)).cached
    await shared.insert(*insert_site(Site("cached", "after"), NOW + timedelta(seconds=1)))
    answer = await shared.run(asked)
    assert not answer.cached and answer.rows == [{"site_id": "cached", "name": "after"}]


async def test_a_change_of_another_process_shows_when_versions_are_read_again(client: Client, database: SyncClient) -> None:
    now = 0.0
    shared = SharedClient(client, MemoryCache(1_000_000), version_seconds=1.0, clock=lambda: now)
    Database(database).insert(insert_site(Site("afar", "before"), NOW))
    asked = rows_of("afar")
    assert (await shared.query(asked))[0]["name"] == "before"
    Database(database).insert(insert_site(Site("afar", "after"), NOW + timedelta(seconds=1)))
    now = 0.9
    assert (await shared.query(asked))[0]["name"] == "before"
    now = 1.0
    assert (await shared.query(asked))[0]["name"] == "after"


async def test_what_is_cached_does_not_wait_for_a_busy_pool(dsn: str, client: Client, database: SyncClient) -> None:
    change(database, "patient")
    narrow = await connect(dsn, Limits(max_queue_ms=100), pool_size=1)
    shared, asked = SharedClient(narrow, MemoryCache(1_000_000), version_seconds=0), rows_of("patient")
    await shared.run(asked)
    slow = asyncio.create_task(shared.run(SLOW))
    while not await running(client):
        await asyncio.sleep(0.01)
    assert (await shared.run(asked)).cached
    assert not slow.done()
    await slow
    await shared.close()


async def test_while_versions_cannot_be_told_nothing_cached_is_taken_for_true(
    client: Client, database: SyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(statement: Statement) -> list[Row]:
        raise BusySourceError("busy")

    now, asked = 0.0, rows_of("untold")
    shared = SharedClient(client, MemoryCache(1_000_000), version_seconds=1.0, clock=lambda: now)
    Database(database).insert(insert_site(Site("untold", "before"), NOW - timedelta(days=1)))
    await shared.run(asked)
    with monkeypatch.context() as patched:
        patched.setattr(client, "query", busy)
        assert (await shared.run(asked)).cached
        now = 1.0
        assert not (await shared.run(asked)).cached
    now = 2.0
    assert (await shared.run(asked)).cached


@pytest.mark.parametrize(
    ("site_id", "until"),
    [
        pytest.param("", None, id="of no site"),
        pytest.param("unknown", None, id="of a site without a version"),
        pytest.param("loading", None, id="of a site that is being loaded"),
        pytest.param("open", NOW + timedelta(days=1), id="of a window that is not over"),
    ],
)
async def test_other_answers_are_not_cached(shared: SharedClient, database: SyncClient, site_id: str, until: datetime | None) -> None:
    change(database, "loading", "open")
    database.command("INSERT INTO touched_sessions (site_id, session_id, visitor_id, day) VALUES ('loading', 1, 1, today())")
    asked = rows_of(site_id, until) if site_id else Statement("SELECT 1 AS one", {})
    assert [(await shared.run(asked)).cached for _ in range(2)] == [False, False]


async def test_a_command_about_a_site_changes_its_version(shared: SharedClient, statements: list[Statement], database: SyncClient) -> None:
    change(database, "commanded")
    asked = rows_of("commanded")
    assert [(await shared.run(asked)).cached for _ in range(2)] == [False, True]
    params = Params()
    await shared.command(
        Statement.of(["INSERT INTO cohort_members (site_id, cohort_id, visitor_id)", f"SELECT {params.site('commanded')}, 'c', 1"], params)
    )
    assert not (await shared.run(asked)).cached


@pytest.mark.parametrize("lost", ["answer", "answer and connection"])
async def test_a_write_whose_answer_is_lost_is_a_change(
    client: Client, database: SyncClient, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    Database(database).insert(insert_site(Site(lost, "before"), NOW - timedelta(days=1)))
    shared, asked = SharedClient(client, MemoryCache(1_000_000), version_seconds=60.0), rows_of(lost)
    assert [(await shared.run(asked)).cached for _ in range(2)] == [False, True]
    insert, written = client.insert, False

    async def losing(table: str, *what: Any) -> None:
        nonlocal written
        if not written or lost == "answer":
            await insert(table, *what)
        written = written or table == "sites"
        if table == "sites" or (written and lost != "answer"):
            raise SourceUnavailableError("lost")

    monkeypatch.setattr(client, "insert", losing)
    with pytest.raises(SourceUnavailableError):
        await shared.insert(*insert_site(Site(lost, "after"), NOW))
    assert (await shared.run(asked)).rows[0]["name"] == "after"


def test_a_command_is_a_change_before_it_runs_and_even_when_it_fails(database: SyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def version() -> int:
        return sum(row["version"] for row in Database(database).query(compile_versions()) if row["site_id"] == "broken")

    def breaking(*_: Any, **__: Any) -> None:
        versions.append(version())
        raise OperationalError("broken off")

    versions = [version()]
    monkeypatch.setattr(database, "command", breaking)
    monkeypatch.setattr(database, "insert", breaking)
    with pytest.raises(OperationalError):
        Database(database).command(Statement("DELETE", {}, site_ids=frozenset({"broken"})))
    versions.append(version())
    with pytest.raises(OperationalError):
        Database(database).insert(insert_site(Site("broken", "broken"), NOW))
    assert len({*versions, version()}) == 5


async def test_the_version_is_another_after_each_change(client: Client, database: SyncClient) -> None:
    seen = set()
    for _ in range(3):
        await client.insert(*insert_change(["versioned"]))
        (version,) = [row["version"] for row in await client.query(compile_versions()) if row["site_id"] == "versioned"]
        seen.add(version)
    assert len(seen) == 3


def answer_of(text: str) -> Answer:
    return Answer([{"text": text}])


def test_memory_is_bounded_and_what_is_used_stays() -> None:
    cache = MemoryCache(20_000)
    for number in range(100):
        cache.put(number, answer_of("x" * 1000))
        assert cache.get(0)
        assert cache.used_bytes <= 20_000
    assert cache.get(99) and not cache.get(1)


def test_an_answer_too_large_for_the_memory_is_not_cached() -> None:
    cache = MemoryCache(20_000)
    cache.put("large", answer_of("x" * 10_000))
    assert cache.get("large") is None and cache.used_bytes == 0


def test_the_same_answer_again_takes_no_more_memory() -> None:
    cache = MemoryCache(20_000)
    cache.put("a", answer_of("x"))
    before = cache.used_bytes
    cache.put("a", answer_of("x"))
    assert cache.used_bytes == before


@pytest.mark.parametrize("character", "xü€🛒")
def test_sizes_of_texts_are_those_of_python(character: str) -> None:
    text = f"Buy {character}" * 1000
    counted = size_bytes(text)
    orjson.dumps(text)
    assert sys.getsizeof(text) <= counted < 1.1 * sys.getsizeof(text)


@pytest.mark.parametrize("value", ["x" * 5000, [1] * 500, [{"a": "x" * 100}] * 50, ("x",) * 100, b"x" * 1000])
def test_sizes_are_no_less_than_the_text(value: Any) -> None:
    assert size_bytes(value) >= len(repr(value)) * 0.4
