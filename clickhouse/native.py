"""A server's answer in ClickHouse's own format, Native, read in one go.

    answer = await ask(driver, statement, reading)      -> Answer(rows=[{"one": 1}], read_rows=1, …)

The driver's `query` reads it in a thread, through a queue and compressed: with the few rows of an answer, one of them wide, that took
longer than the reading itself. What it would do with the request (retries, errors, values too long for an address) it does here, too.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from clickhouse_connect.driver._backend.http_async import release_lease
from clickhouse_connect.driver._backend.httpcommon import summary_from_headers
from clickhouse_connect.driver.asyncclient import AsyncClient, BytesSource
from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.query import QueryContext, QueryResult
from clickhouse_connect.driver.transform import NativeTransform

from clickhouse.reading import Answer, Reading, Row, answered
from clickhouse.statement import Statement

UTC = QueryContext(query_tz="UTC")


async def ask(driver: AsyncClient, statement: Statement, reading: Reading) -> Answer:
    """Raises what the driver raises."""
    started = perf_counter()
    # ClickHouse waits for the end, so that the summary is complete and a statement that fails late is no half answer
    settings = reading.settings | {"query_id": reading.statement_id, "wait_end_of_query": "1"}
    sql, values, runtime = driver._prep_raw_query_runtime(statement.sql, statement.params, settings, "Native", use_database=True)
    response = await driver._backend.execute_raw_stream(sql, values, None, runtime, None)
    try:
        body = await driver._backend._read_body(response)
    finally:
        release_lease(response)
    return replace(answered(rows(body), summary_from_headers(response.headers), started), native=body)


def rows(body: bytes) -> list[Row]:
    """Of an answer in this format."""
    result = NativeTransform.parse_response(RespBuffCls(BytesSource(body)), UTC)  # type: ignore[no-untyped-call]
    assert isinstance(result, QueryResult)
    return list(result.named_results())
