"""An answer in ClickHouse's own format, Native, read in one go, and how a server is asked for it.

    asking = Asking(driver)
    answer = await asking.ask(statement, reading)      -> Answer(rows=[{"one": 1}], read_rows=1, …)

The driver's `query` asks through aiohttp and reads in a thread, through a queue and compressed: for the few rows of an answer, one of
them wide, that takes longer than the reading itself. So statements go over connections of our own, with the driver's bound values,
settings, errors and second tries; those with values too long for an address, or through a proxy, go over the driver's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from urllib.parse import quote, urlencode

from clickhouse_connect.driver._backend.http_async import release_lease
from clickhouse_connect.driver._backend.httpcommon import build_http_error, ex_header, retryable_http_statuses, summary_from_headers
from clickhouse_connect.driver.asyncclient import AsyncClient, BytesSource
from clickhouse_connect.driver.binding import MAX_URL_BIND_PARAM_LENGTH, format_bind_value
from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.exceptions import OperationalError
from clickhouse_connect.driver.query import QueryContext, QueryResult
from clickhouse_connect.driver.transform import NativeTransform

from clickhouse.connections import Connections
from clickhouse.reading import Answer, Limits, Reading, Row
from clickhouse.selection import WIDE
from clickhouse.statement import Statement
from clickhouse.target import SUMMARY

TRIES = 3
PAUSE_S = 0.1
WAITING = {"wait_end_of_query": "1", "buffer_size": str(16 << 20)}
"""ClickHouse waits for the end, so that the summary is complete and a statement that fails late is no half answer; it does so in memory, and
in a file only from that many bytes on."""


class Asking:
    """`limits` are those of each statement's `reading`."""

    def __init__(self, driver: AsyncClient, limits: Limits) -> None:
        self._driver = driver
        self._connections = Connections(driver._backend.url, driver._backend.headers, driver._backend.ssl_context)
        settings = driver._client_settings | driver._validate_settings(limits.settings() | WAITING)
        self._settings = _encoded(settings | ({"database": driver.database} if driver.database else {}))

    async def ask(self, statement: Statement, reading: Reading) -> Answer:
        """Raises what the driver raises, and OSError."""
        started = perf_counter()
        values = _encoded({f"param_{name}": value for name, value in bound(statement).items()})
        if self._driver._backend.proxy_url or len(values) > MAX_URL_BIND_PARAM_LENGTH:
            body, summary = await self._ask_driver(statement, reading)
        else:
            own = _encoded({"query_id": reading.statement_id, "log_comment": reading.settings["log_comment"]})
            body, summary = await self._ask(f"{self._settings}&{own}&{values}", f"{statement.sql}\nFORMAT Native".encode())
        return replace(Answer.of(rows(body), summary, started), native=body)

    async def _ask_driver(self, statement: Statement, reading: Reading) -> tuple[bytes, dict[str, Any]]:
        settings = reading.settings | {"query_id": reading.statement_id} | WAITING
        sql, values, runtime = self._driver._prep_raw_query_runtime(statement.sql, statement.params, settings, "Native", use_database=True)
        response = await self._driver._backend.execute_raw_stream(sql, values, None, runtime, None)
        try:
            return await self._driver._backend._read_body(response), summary_from_headers(response.headers)
        finally:
            release_lease(response)

    async def _ask(self, parameters: str, sql: bytes) -> tuple[bytes, dict[str, Any]]:
        for failures in range(TRIES):
            answer = await self._connections.post(parameters, sql)
            code = answer.headers.get(ex_header.lower())
            if answer.status == 200 and not code:
                if SUMMARY.lower() not in answer.headers:
                    raise OperationalError("the answer is not ClickHouse's")
                return answer.body, summary_from_headers({SUMMARY: answer.headers[SUMMARY.lower()]})
            retried = answer.status in retryable_http_statuses
            if not retried or failures == TRIES - 1:
                break
            await asyncio.sleep(PAUSE_S * (failures + 1))
        raise build_http_error(answer.status, code, answer.body.decode(errors="backslashreplace"), True, self._driver.url, retried)

    async def close(self) -> None:
        await self._connections.close()


class _Context(QueryContext):
    """Of reading: wide JSON stays as it came. As a str, a single 😀 would make it four times as large, to be copied into UTF-8 again."""

    def active_fmt(self, ch_type: Any) -> str | None:
        return "bytes" if WIDE.fullmatch(self.column_name or "") else super().active_fmt(ch_type)  # type: ignore[no-untyped-call]


IN_UTC = _Context(query_tz="UTC")


def rows(body: bytes) -> list[Row]:
    """Of an answer in this format; columns of WIDE as bytes. May be called in any thread."""
    result = NativeTransform.parse_response(RespBuffCls(BytesSource(body)), copy(IN_UTC))  # type: ignore[no-untyped-call]
    assert isinstance(result, QueryResult)
    return list(result.named_results())


def bound(statement: Statement) -> dict[str, str]:
    """The statement's values as ClickHouse reads them."""
    return {name: _text(value) for name, value in statement.params.items()}


def _text(value: Any) -> str:
    """As the driver writes a bound value; an instant is always one of milliseconds (`Params.bind`)."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "milliseconds")
    return str(format_bind_value(value))


def _encoded(parameters: Mapping[str, Any]) -> str:
    """For an address."""
    return urlencode(parameters, quote_via=quote)
