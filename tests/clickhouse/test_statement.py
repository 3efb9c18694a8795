"""Bound values of any length: each fits into an address, and together they say the same; there are not more than fit."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.client import Client as AsyncClient
from clickhouse.errors import BadUserInputError
from clickhouse.native import bound
from clickhouse.statement import MAX_BOUND_VALUES, Params, Statement, portions

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


def of_values(count: int) -> Statement:
    params = Params()
    return Statement.of([f"SELECT [{', '.join(params.bind(number, 'UInt64') for number in range(count))}] AS numbers"], params)


async def test_as_many_values_as_may_be_bound_are_taken(client: AsyncClient) -> None:
    most = of_values(MAX_BOUND_VALUES)
    assert await client.query(most) == [{"numbers": list(range(MAX_BOUND_VALUES))}]
    assert b"".join([chunk async for chunk in client.stream(most, "JSONEachRow")]).startswith(b'{"numbers":[')
    await client.command(Statement(f"CREATE TEMPORARY TABLE IF NOT EXISTS numbers AS {most.sql}", most.params))


def test_more_values_than_may_be_bound_are_refused() -> None:
    half = of_values(MAX_BOUND_VALUES // 2)
    assert len(Statement.union([half, half]).params) == MAX_BOUND_VALUES
    with pytest.raises(BadUserInputError, match=f"more than the {MAX_BOUND_VALUES} values"):
        of_values(MAX_BOUND_VALUES + 1)
    with pytest.raises(BadUserInputError, match=f"more than the {MAX_BOUND_VALUES} values"):
        Statement.union([half, half, half])
