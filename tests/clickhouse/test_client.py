"""One seam, two backends: what both must do alike, and what happens when things go wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse.client import Client, connect, open_sync
from clickhouse.errors import (
    BadUserInputError,
    BusySourceError,
    DeadlineError,
    HeatgraphError,
    QueryTooComplexError,
    SourceUnavailableError,
    request_tag,
)
from clickhouse.reading import Limits
from clickhouse.statement import Params, Statement
from clickhouse.target import Target
from tests.servers import Node

ROOT = Path(__file__).parents[2]
LONG = Statement("SELECT sum(sipHash64(number, number + 1, number + 2)) AS total FROM numbers(900000000) SETTINGS max_threads = 1", {})
ONE = Statement("SELECT 1 AS one", {})


def select(*columns: str, params: Params | None = None) -> Statement:
    return Statement("SELECT " + ", ".join(columns), params.values if params else {})


async def test_rows_are_dicts_of_plain_values(client: Client) -> None:
    statement = select(
        "'ä' AS text", "toUInt64(18446744073709551615) AS big", "toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC') AS at",
        "[1, 2] AS numbers", "NULL AS nothing", "toJSONString([tuple(1 AS x, toInt64(2) AS y)]::Array(Tuple(x UInt8, y Int64))) AS json",
    )  # fmt: skip
    assert await client.query(statement) == [
        {
            "text": "ä",
            "big": 2**64 - 1,
            "at": datetime(2026, 1, 2, 3, 4, 5, 678_000),
            "numbers": [1, 2],
            "nothing": None,
            "json": '[{"x":1,"y":2}]',
        }
    ]


async def test_wide_json_comes_as_the_bytes_it_is(client: Client) -> None:
    lists = ("rows", "values", "points", "points_wide", "buckets_wide", "bands_wide")
    (row,) = await client.query(select(*(f"toJSONString(['Buy 🛒']) AS {name}" for name in lists), "'🛒' AS text"))
    assert row == dict.fromkeys(lists, '["Buy 🛒"]'.encode()) | {"text": "🛒"}


async def test_no_rows_are_an_empty_list(client: Client) -> None:
    for end in ("WHERE number > 1", "LIMIT 0"):
        assert await client.query(Statement(f"SELECT number FROM numbers(1) {end}", {})) == []


async def test_what_was_read_is_told_however_little_comes_back(client: Client) -> None:
    answer = await client.run(Statement("SELECT max(number) AS most FROM numbers(1000)", {}))
    assert (answer.rows, answer.read_rows, answer.read_bytes) == ([{"most": 999}], 1000, 8000)


async def test_times_are_utc_wherever_the_process_runs(client: Client) -> None:
    params = Params()
    at = datetime(2026, 7, 1, 12, 30, 0, 250_000, tzinfo=UTC)
    statement = select(
        f"toUnixTimestamp64Milli({params.utc(at)}) AS ms", "timezone() AS zone", "toJSONString(now64(3)) AS iso", params=params
    )
    (row,) = await client.query(statement)
    assert row["ms"] == 1_782_909_000_250
    assert row["zone"] == "UTC"
    assert row["iso"].endswith('Z"')


@given(text=st.text())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_bound_text_comes_back_unchanged(client: Client, text: str) -> None:
    params = Params()
    both = select(f"{params.text(text)} AS one", f"{params.texts((text, 'x'))} AS many", params=params)
    assert await client.query(both) == [{"one": text, "many": [text, "x"]}]


async def test_writes_are_seen_at_once(client: Client) -> None:
    await client.insert("cohort_members", ["site_id", "cohort_id", "visitor_id"], [["s", "c", 2**64 - 1], ["s", "c", 1]])
    await client.command(Statement("INSERT INTO cohort_members SELECT 's', 'c', arrayJoin({p0:Array(UInt64)})", {"p0": [1, 5]}))
    seen = Statement("SELECT visitor_id FROM cohort_members FINAL WHERE site_id = 's' ORDER BY visitor_id", {})
    assert [row["visitor_id"] for row in await client.query(seen)] == [1, 5, 2**64 - 1]
    await client.command(Statement("DELETE FROM cohort_members WHERE site_id = 's'", {}))
    assert await client.query(seen) == []


async def test_inserts_only_into_known_columns(client: Client) -> None:
    with pytest.raises(KeyError, match="cohort_members has no column 'visitor'"):
        await client.insert("cohort_members", ["visitor"], [[1]])


async def test_statements_can_be_listened_to(client: Client, statements: list[Statement]) -> None:
    await client.query(ONE)
    await client.query(Statement("SELECT 2", {}))
    assert [statement.sql for statement in statements] == ["SELECT 1 AS one", "SELECT 2"]


async def test_every_reading_is_limited_and_tagged(dsn: str) -> None:
    client = await connect(dsn, Limits(max_execution_ms=1500, max_memory_bytes=300_000_000, max_rows_to_read=77, max_result_rows=7))
    token = request_tag.set({"request": "r1", "operation": "Pricing", "key": "k1"})
    names = ("readonly", "max_execution_time", "max_memory_usage", "max_rows_to_read", "max_result_rows", "distributed_product_mode")
    (row,) = await client.query(
        select(*(f"toString(getSetting('{name}')) AS {name}" for name in names), "getSetting('log_comment') AS tag")
    )
    request_tag.reset(token)
    await client.close()
    tag = json.loads(row.pop("tag"))
    assert {name: tag[name] for name in ("request", "operation", "key")} == {"request": "r1", "operation": "Pricing", "key": "k1"}
    assert len(tag["statement"]) == 32
    assert row == {
        "readonly": "2",
        "max_execution_time": "1.5",
        "max_memory_usage": "300000000",
        "max_rows_to_read": "77",
        "max_result_rows": "7",
        "distributed_product_mode": "global",
    }


async def test_query_never_writes_and_leaves_the_client_able_to(client: Client) -> None:
    for sql in ("INSERT INTO cohorts (site_id) VALUES ('x')", "DROP TABLE cohorts", "DELETE FROM cohorts WHERE 1"):
        with pytest.raises(ValueError, match="takes a SELECT"):
            await client.query(Statement(sql, {}))
    for _ in range(8):  # more than there are pooled clients
        await client.query(ONE)
        await client.command(Statement("INSERT INTO cohort_members VALUES ('w', 'w', 1)", {}))


@pytest.mark.parametrize(
    ("limits", "sql", "error"),
    [
        (Limits(max_execution_ms=200), LONG.sql, DeadlineError),
        (Limits(max_memory_bytes=10_000_000), "SELECT groupArray(number) FROM numbers(10000000)", QueryTooComplexError),
        (Limits(max_rows_to_read=1000), "SELECT count() FROM numbers(100000) WHERE number % 7 = 1", QueryTooComplexError),
        (Limits(max_result_rows=10), "SELECT number FROM numbers(1000)", QueryTooComplexError),
    ],
)
async def test_limits_hold(dsn: str, limits: Limits, sql: str, error: type[HeatgraphError]) -> None:
    client = await connect(dsn, limits)
    with pytest.raises(error):
        await client.query(Statement(sql, {}))
    assert await client.query(ONE) == [{"one": 1}]
    await client.close()


async def running(client: Client) -> int:
    sql = "SELECT count() AS n FROM system.processes WHERE position(query, 'sum(sipHash64') > 0 AND position(query, 'system.processes') = 0"
    return int((await client.query(Statement(sql, {})))[0]["n"])


async def test_a_cancelled_statement_is_killed(client: Client) -> None:
    task = asyncio.create_task(client.query(LONG))
    while await running(client) == 0:
        await asyncio.sleep(0.01)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 0.5  # the caller does not wait for the kill
    while await running(client):
        await asyncio.sleep(0.01)
    assert time.monotonic() - started < 2  # alone it would take far longer


async def test_a_statement_cancelled_before_it_ran_leaves_nothing_behind(client: Client) -> None:
    tasks = [asyncio.create_task(client.query(LONG)) for _ in range(12)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    assert all(isinstance(result, asyncio.CancelledError) for result in await asyncio.gather(*tasks, return_exceptions=True))
    async with asyncio.timeout(5):
        while await running(client):
            await asyncio.sleep(0.01)


async def test_what_goes_ahead_is_killed_too(dsn: str) -> None:
    client = await connect(dsn, pool_size=1)
    nap = asyncio.create_task(client.query(Statement("SELECT sleep(1)", {})))
    await asyncio.sleep(0.2)
    ahead = asyncio.create_task(client.query(replace(LONG, ahead=True)))
    await asyncio.sleep(0.5)
    ahead.cancel()
    await asyncio.wait([nap, ahead])
    async with asyncio.timeout(2):  # alone it would take far longer
        while await running(client):
            await asyncio.sleep(0.01)
    await client.close()


async def test_a_write_completes_when_its_caller_goes_away(client: Client) -> None:
    write = Statement("INSERT INTO cohort_members SELECT 'late', 'c', number FROM numbers(5) WHERE NOT sleepEachRow(0.05)", {})
    task = asyncio.create_task(client.command(write))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    count = Statement("SELECT count() AS n FROM cohort_members WHERE site_id = 'late'", {})
    async with asyncio.timeout(5):
        while (await client.query(count))[0]["n"] != 5:
            await asyncio.sleep(0.02)


async def test_nothing_waits_for_ever_for_a_server_that_hangs(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickhouse.server.KILL_S", 0.2)
    monkeypatch.setattr("clickhouse.background.FINISH_S", 0.5)
    client = await connect(node.dsn())
    await client.query(ONE)
    node.hang()
    try:
        killed = asyncio.create_task(client.query(ONE))
        await asyncio.sleep(0.1)
        killed.cancel()
        await asyncio.wait([killed])
        async with asyncio.timeout(3):
            while client._background._tasks:  # type: ignore[attr-defined]
                await asyncio.sleep(0.02)
        write = asyncio.create_task(client.command(Statement("SELECT 1", {})))
        await asyncio.sleep(0.1)
        write.cancel()
        async with asyncio.timeout(3):
            await client.close()
    finally:
        node.wake()


async def test_statements_run_side_by_side_up_to_the_pool(dsn: str) -> None:
    client = await connect(dsn, pool_size=2)
    nap = Statement("SELECT sleep(0.3)", {})
    started = time.monotonic()
    await asyncio.gather(*(client.query(nap) for _ in range(4)))
    took = time.monotonic() - started
    await client.close()
    assert 0.6 <= took < 1.1


async def test_what_goes_ahead_has_the_pool_and_one_connection_more(dsn: str) -> None:
    client = await connect(dsn, Limits(max_queue_ms=200), pool_size=1)
    naps = (client.query(Statement(f"SELECT sleep(1) + {number} AS n", {}, ahead=True)) for number in range(3))
    first, second, third = await asyncio.gather(*naps, return_exceptions=True)
    assert (first, second) == ([{"n": 0}], [{"n": 1}]) and isinstance(third, BusySourceError)
    await client.close()


async def test_errors_never_carry_clickhouses_text(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    token = request_tag.set({"request": "r42"})
    with pytest.raises(SourceUnavailableError) as raised:
        await client.query(Statement("SELECT secret_column FROM no_such_table", {}))
    request_tag.reset(token)
    assert raised.value.message == "The data source has no tables yet. Create them with: python -m gateway migrate"
    assert "no_such_table" in caplog.text
    assert "r42" in caplog.text


async def test_a_wrong_password_and_a_dead_server_are_unavailable(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    for dsn, message in ((node.dsn(password="wrong"), "refused its user"), ("http://u:p@127.0.0.1:9/db", "cannot be reached")):
        client = await connect(dsn)  # opens nothing yet
        with pytest.raises(SourceUnavailableError, match=message) as raised:
            await client.query(ONE)
        await client.close()
        assert "127.0.0.1" not in raised.value.message
        with pytest.raises(SourceUnavailableError, match=message):
            open_sync(dsn)


@pytest.mark.parametrize("option", ["tls=1", "query_limit=many"])
async def test_an_option_that_the_driver_does_not_know(option: str) -> None:
    dsn = f"http://u:p@127.0.0.1:9/db?{option}"
    with pytest.raises(BadUserInputError, match="option after its `\\?`"):
        open_sync(dsn)
    client = await connect(dsn)  # opens nothing yet
    with pytest.raises(SourceUnavailableError, match="option after its `\\?`"):
        await client.query(ONE)
    await client.close()


async def test_a_server_that_comes_up_later_is_found(node: Node) -> None:
    client = await connect("http://heatgraph:x@127.0.0.1:9/")
    with pytest.raises(SourceUnavailableError):
        await client.query(ONE)
    client._target = Target.parse(node.dsn())  # type: ignore[attr-defined]
    assert await client.query(ONE) == [{"one": 1}]
    await client.close()


def test_a_path_in_use_by_another_process_says_so(tmp_path: Path) -> None:
    hold = f"from clickhouse.client import open_sync; c = open_sync({str(tmp_path)!r}); print('open', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", hold], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == "open\n"
        with pytest.raises(SourceUnavailableError, match=r"is in use by another process.*Stop the other one"):
            open_sync(str(tmp_path))
        process.communicate("\n", timeout=30)
    finally:
        process.kill()
        process.communicate()
    client = open_sync(str(tmp_path))  # nothing is lost, and it is free again
    assert client.query("SELECT 1").first_row == (1,)
    client.close()


def test_a_path_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceUnavailableError, match="cannot be opened as the embedded engine's directory"):
        open_sync(f"chdb://{tmp_path}/file")


@pytest.mark.parametrize(
    ("dsn", "target"),
    [
        ("chdb:///a/b", Target("chdb:///a/b", "", Path("/a/b"))),
        ("chdb:///a/b?database=d", Target("chdb:///a/b", "d", Path("/a/b"))),
        ("chdb://memory", Target("chdb://memory")),
        ("chdb://memory/d", Target("chdb://memory", "d")),
        ("http://u:p%2F@h:8123/d", Target("http://u:p%2F@h:8123", "d")),
        ("https://h?verify=false", Target("https://h?verify=false")),
        ("./data", Target(f"chdb://{Path.cwd()}/data", "", Path.cwd() / "data")),
    ],
)
def test_addresses(dsn: str, target: Target) -> None:
    assert Target.parse(dsn) == target


@pytest.mark.parametrize("dsn", ["ftp://x/y", "chdb://", "chdb://relative/path", "http:///db", "clickhouse://h"])
def test_an_address_that_is_none_says_what_is_allowed(dsn: str) -> None:
    with pytest.raises(ValueError, match="not a data source; give a directory, chdb:///path"):
        Target.parse(dsn)
