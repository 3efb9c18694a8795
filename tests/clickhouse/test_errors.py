"""Whose fault an error of ClickHouse is, and that its own text reaches nobody but the log."""

from __future__ import annotations

import logging

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from clickhouse.client import Client
from clickhouse.errors import HeatgraphError, from_driver, request_tag
from clickhouse.statement import Statement

SECRET = "Code: 1. DB::Exception: near 'SELECT secret' (for url http://db.internal:8123)"
MUTATION = "Code: 341. DB::Exception: Exception happened during execution of mutation 'mutation_5.txt' with part 'all_2_2_0' reason:"


@pytest.mark.parametrize(
    ("exception", "code", "hint"),
    [
        (DatabaseError(SECRET, code=427), "BAD_USER_INPUT", "regular expression is not valid RE2"),
        (DatabaseError(SECRET, code=159), "TIMEOUT", "Ask for a shorter window"),
        (DatabaseError(SECRET, code=394), "TIMEOUT", "Ask for a shorter window"),
        (DatabaseError(SECRET, code=241), "QUERY_TOO_COMPLEX", "Ask for a shorter window"),
        (DatabaseError(SECRET, code=158), "QUERY_TOO_COMPLEX", "Ask for a shorter window"),
        (DatabaseError(SECRET, code=396), "QUERY_TOO_COMPLEX", "Ask for a shorter window"),
        (DatabaseError(SECRET, code=60), "SOURCE_UNAVAILABLE", "python -m gateway migrate"),
        (DatabaseError(SECRET, code=81), "SOURCE_UNAVAILABLE", "python -m gateway migrate"),
        (DatabaseError(SECRET, code=516), "SOURCE_UNAVAILABLE", "Check user, password"),
        (DatabaseError(SECRET, code=497), "SOURCE_UNAVAILABLE", "Check user, password and rights"),
        (DatabaseError(SECRET, code=243), "SOURCE_UNAVAILABLE", "Make room"),
        (DatabaseError(f"{MUTATION} '{SECRET}'", code=341), "INTERNAL", "log"),
        (DatabaseError(f"{MUTATION} 'Code: 243. DB::Exception' {SECRET}", code=341), "SOURCE_UNAVAILABLE", "Make room"),
        (DatabaseError(SECRET, code=285), "SOURCE_UNAVAILABLE", "A replica of the data source is down or behind"),
        (DatabaseError(SECRET, code=319), "SOURCE_UNAVAILABLE", "A replica of the data source is down or behind"),
        (DatabaseError(SECRET, code=341), "SOURCE_UNAVAILABLE", "A replica of the data source is down or behind"),
        (DatabaseError(SECRET, code=210), "SOURCE_UNAVAILABLE", "Try again"),
        (OperationalError(SECRET), "SOURCE_UNAVAILABLE", "Check that it runs"),
        (ConnectionRefusedError(SECRET), "SOURCE_UNAVAILABLE", "Check that it runs"),
        (DatabaseError(SECRET, code=62), "INTERNAL", "log"),
        (RuntimeError(SECRET), "INTERNAL", "log"),
    ],
    ids=lambda value: f"{getattr(value, 'code', type(value).__name__)}" if isinstance(value, Exception) else None,
)
def test_codes_and_what_to_do(exception: Exception, code: str, hint: str, caplog: pytest.LogCaptureFixture) -> None:
    token = request_tag.set({"request": "r7"})
    with caplog.at_level(logging.WARNING):
        error = from_driver(exception)
    request_tag.reset(token)
    assert error.code == code
    assert hint in error.message
    assert "SELECT" not in error.message
    assert "db.internal" not in error.message
    assert SECRET in caplog.text
    assert "r7" in caplog.text


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT match('x', {p0:String})", "BAD_USER_INPUT"),
        ("SELECT no_such_function({p0:String})", "INTERNAL"),
        ("SELECT 1 FROM nowhere.nothing", "SOURCE_UNAVAILABLE"),
    ],
)
async def test_what_clickhouse_really_says(client: Client, sql: str, code: str) -> None:
    with pytest.raises(HeatgraphError) as raised:
        await client.query(Statement(sql, {"p0": "(unclosed"}))
    assert raised.value.code == code
    assert "unclosed" not in raised.value.message
