"""What a client is told about each kind of error, and what it is not told."""

from __future__ import annotations

import asyncio
import logging

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.schema import Schema

from clickhouse.errors import BadUserInputError, HeatgraphError, NotFoundError
from gateway.errors import HTTP_STATUS, MAX_MESSAGE_CHARACTERS, explain, format_error


def boom() -> int:
    raise RuntimeError("password=hunter2")


def not_there() -> int:
    raise NotFoundError("No such thing; look elsewhere.", siteId="s")


def slow() -> int:
    raise TimeoutError


def out_of_range() -> int:
    return 2**40


@strawberry.type
class Query:
    boom: int = strawberry.field(resolver=boom)
    not_there: int = strawberry.field(resolver=not_there)
    slow: int = strawberry.field(resolver=slow)
    out_of_range: int = strawberry.field(resolver=out_of_range)

    @strawberry.field
    def echo(self, number: int) -> int:
        return number


class QuietSchema(Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """`gateway.errors` logs."""


SCHEMA = QuietSchema(Query)


def ask(query: str, **variables: object) -> dict[str, object]:
    result = asyncio.run(SCHEMA.execute(query, variable_values=variables))
    assert result.errors
    return format_error(result.errors[0], "r1")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{", "Syntax Error"),
        ("{ nope }", "Cannot query field 'nope'"),
        ('{ echo(number: "1") }', "Int cannot represent non-integer value"),
        ("{ echo }", "'Query.echo(number:)'"),
        ("query ($n: Int!) { echo(number: $n) }", "'$n'"),
        ('query ($n: Int! = "1") { echo(number: $n) }', "Int cannot represent"),
    ],
)
def test_the_callers_own_mistakes_are_explained(query: str, said: str) -> None:
    error = ask(query)
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert said in str(error["message"])
    assert "path" not in error


def test_a_bad_variable_is_named_with_its_value() -> None:
    error = ask("query ($n: Int!) { echo(number: $n) }", n="1")
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "'$n'" in str(error["message"])


def test_a_foreseen_error_keeps_code_message_details_and_place() -> None:
    assert ask("{ there: notThere }") == {
        "message": "No such thing; look elsewhere.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["there"],
        "extensions": {"code": "NOT_FOUND", "siteId": "s"},
    }


def test_time_out() -> None:
    assert ask("{ slow }")["extensions"] == {"code": "TIMEOUT"}


@pytest.mark.parametrize("query", ["{ boom }", "{ outOfRange }"])
def test_what_nobody_foresaw_is_masked_and_logged(query: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "heatgraph.gateway"):
        error = ask(query)
    assert error["message"] == "Something went wrong; quote request id r1."
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "r1"}
    (record,) = caplog.records
    assert "r1" in record.getMessage()
    assert record.exc_info
    assert ("hunter2" in caplog.text) == (query == "{ boom }")


def test_a_recursion_is_the_callers() -> None:
    assert explain(RecursionError("maximum recursion depth exceeded"), "r1") == {
        "message": "The document or its variables are nested too deeply.",
        "extensions": {"code": "BAD_USER_INPUT"},
    }


def test_a_quoted_value_does_not_make_the_answer_as_long_as_the_question() -> None:
    error = ask('{ echo(number: "%s") }' % ("x" * 100_000))
    assert len(str(error["message"])) < MAX_MESSAGE_CHARACTERS + 10


def test_every_code_has_a_status() -> None:
    def codes(error: type[HeatgraphError]) -> set[str]:
        return {error.code}.union(*(codes(kind) for kind in error.__subclasses__()))

    assert codes(HeatgraphError) <= HTTP_STATUS.keys()
    assert explain(BadUserInputError("x"), "r1")["extensions"]["code"] in HTTP_STATUS
