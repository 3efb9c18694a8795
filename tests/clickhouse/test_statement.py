"""Bound values of any length: each fits into an address, and together they say the same."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.native import bound
from clickhouse.statement import Params, Statement, portions

SERVER_TAKES = 128 * 1024
"""A value; a whole address may be eight times as long."""

TEXTS = [pytest.param(tuple(f"{number} {character * 400}" for number in range(200)), id=repr(character)) for character in "aé漢😀'\"\\\n"]


@pytest.mark.parametrize("texts", TEXTS)
def test_a_long_list_is_bound_as_several_values(database: Client, texts: tuple[str, ...]) -> None:
    params = Params()
    statement = Statement(f"SELECT groupArray(text) FROM (SELECT arrayJoin({params.texts(texts)}) AS text)", params.values)
    assert max(len(quote(value)) for value in bound(statement).values()) <= SERVER_TAKES
    assert database.query(statement.sql, statement.params).result_rows == [(list(texts),)]
    database.command(f"CREATE TEMPORARY TABLE IF NOT EXISTS texts AS {statement.sql}", statement.params)  # bound in the address


@pytest.mark.parametrize("texts", TEXTS)
def test_a_portion_is_bound_as_one_value(texts: tuple[str, ...]) -> None:
    found = list(portions(texts))
    assert 1 < len(found) < len(texts)
    assert tuple(text for portion in found for text in portion) == texts
    for portion in found:
        params = Params()
        params.texts(portion)
        assert len(params.values) == 1
