"""Answers in the formats of files: whole, in chunks, and without a trace of ClickHouse's own text when they fail."""

from __future__ import annotations

import csv
import io
from contextlib import aclosing
from typing import Any

import anyio
import orjson
import pytest

from clickhouse.client import Client, connect
from clickhouse.errors import DeadlineError, HeatgraphError, QueryTooComplexError, SourceUnavailableError
from clickhouse.reading import Limits
from clickhouse.statement import Params, Statement

ROWS = 300_000
QUOTED = "a'b"


async def read(client: Client, sql: str, output_format: str, **params: Any) -> list[bytes]:
    async with aclosing(client.stream(Statement(sql, params), output_format)) as chunks:
        return [chunk async for chunk in chunks]


def numbers() -> Statement:
    params = Params()
    return Statement.of([f"SELECT number, {params.text(QUOTED)} AS text FROM numbers({ROWS})"], params)


async def test_an_answer_is_whole_in_every_format(client: Client, dsn: str) -> None:
    statement = numbers()
    chunks = await read(client, statement.sql, "JSONEachRow", **statement.params)
    assert len(chunks) > 1 or dsn.startswith("chdb")
    rows = [orjson.loads(line) for line in b"".join(chunks).splitlines()]
    assert [row["number"] for row in rows] == list(range(ROWS)) and {row["text"] for row in rows} == {QUOTED}
    table = b"".join(await read(client, statement.sql, "CSVWithNames", **statement.params)).decode()
    assert list(csv.reader(io.StringIO(table)))[:2] == [["number", "text"], ["0", QUOTED]] and table.count("\n") == ROWS + 1
    parquet = b"".join(await read(client, statement.sql, "Parquet", **statement.params))
    assert parquet[:4] == parquet[-4:] == b"PAR1"


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT * FROM no_such_table", SourceUnavailableError),
        ("SELECT throwIf(number = 5) FROM numbers(10)", HeatgraphError),
        ("SELECT number, throwIf(number = 900000) FROM numbers(1000000)", HeatgraphError),
        ("SELECT number FROM numbers(1200000)", (QueryTooComplexError, SourceUnavailableError)),  # or broken off before the reason came
    ],
)
async def test_a_failure_is_an_error_and_leaks_nothing(
    client: Client, sql: str, error: type[HeatgraphError] | tuple[type[HeatgraphError], ...]
) -> None:
    """Also one that comes when half of the answer is out; and the next answer is not mixed up with it."""
    seen = b""
    with pytest.raises(error) as caught:
        async with aclosing(client.stream(Statement(sql, {}), "CSVWithNames")) as chunks:
            async for chunk in chunks:
                seen += chunk
    assert "Exception" not in caught.value.message
    assert b"__exception__" not in seen and b"DB::" not in seen
    for _ in range(8):  # every connection of the pool
        assert await client.query(Statement("SELECT 1 AS one", {})) == [{"one": 1}]


async def test_a_query_that_fails_half_way_does_not_spoil_the_next(dsn: str) -> None:
    """chDB 26.9 puts what a failed statement had put out before the next answer of its connection."""
    client = await connect(dsn, Limits(max_result_rows=100_000), pool_size=1)
    with pytest.raises(QueryTooComplexError):
        await client.query(Statement("SELECT number, toString(number) AS text FROM numbers(300000)", {}))
    assert await client.query(Statement("SELECT 1 AS one", {})) == [{"one": 1}]
    await client.close()


async def test_a_stream_that_is_left_is_killed(dsn: str) -> None:
    client = await connect(dsn, Limits(max_stream_ms=20_000), pool_size=1)
    slow = "SELECT number, sleepEachRow(0.001) AS slept, repeat('x', 1000) AS text FROM numbers(2500)"
    with anyio.move_on_after(0.5):
        await read(client, slow, "JSONEachRow")
    with anyio.fail_after(5):
        assert await client.query(Statement("SELECT 1 AS one", {})) == [{"one": 1}]
        running = Statement("SELECT query FROM system.processes WHERE query LIKE '%AS slept%' AND query NOT LIKE '%processes%'", {})
        while await client.query(running):
            await anyio.sleep(0.05)
    await client.close()


async def test_a_stream_has_a_deadline(dsn: str) -> None:
    client = await connect(dsn, Limits(max_execution_ms=300, max_stream_ms=300), pool_size=1)
    with pytest.raises(DeadlineError):
        await read(client, "SELECT max(cityHash64(repeat(toString(number), 50))) AS found FROM numbers(900000000)", "CSVWithNames")
    await client.close()
