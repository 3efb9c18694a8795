"""GraphQL over HTTP: which requests are read, what each other one is told, and the shape of answers. No database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from httpx import AsyncClient
from starlette.requests import ClientDisconnect, Request

from gateway.disconnection import unless_disconnected
from gateway.graphql_http import JSON_TYPE, RESPONSE_TYPE, negotiate
from schema.build import build_schema
from tests.gateway.applications import BROWSER, post, problem, serving_anybody


@pytest.fixture
async def http() -> AsyncIterator[AsyncClient]:
    async with serving_anybody() as http:
        yield http


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON_TYPE),
        ("*/*", JSON_TYPE),
        ("application/*", JSON_TYPE),
        (JSON_TYPE, JSON_TYPE),
        ("Application/JSON; charset=UTF-8", JSON_TYPE),
        (RESPONSE_TYPE, RESPONSE_TYPE),
        (f"{RESPONSE_TYPE}, {JSON_TYPE};q=0.9", RESPONSE_TYPE),
        (f"{RESPONSE_TYPE};q=0.5, {JSON_TYPE};q=0.9", JSON_TYPE),
        (f"{RESPONSE_TYPE}, application/graphql+json, {JSON_TYPE}, text/event-stream, multipart/mixed", RESPONSE_TYPE),
        (BROWSER, JSON_TYPE),
        (f"{JSON_TYPE}, text/plain, */*", JSON_TYPE),
        (f"*/*, {JSON_TYPE};q=0", RESPONSE_TYPE),
        (f"{JSON_TYPE};q=0.5, */*", RESPONSE_TYPE),
        (f"{RESPONSE_TYPE};q=0, application/*", JSON_TYPE),
        ("text/html", None),
        (f"{JSON_TYPE};q=0", None),
        (f"{JSON_TYPE};charset=utf-16", None),
        (f"{JSON_TYPE};q=x", None),
    ],
)
def test_negotiation(accept: str | None, media_type: str | None) -> None:
    assert negotiate(accept) == media_type


async def test_an_accept_header_we_cannot_serve(http: AsyncClient) -> None:
    assert problem(await post(http, "{ key }", "text/csv"))[:2] == (406, "BAD_USER_INPUT")


@pytest.mark.parametrize("accept", [JSON_TYPE, RESPONSE_TYPE])
async def test_an_answer(http: AsyncClient, accept: str) -> None:
    answer = await post(
        http, "query A($t: String!) { echo(text: $t) } query B { numbers }", accept, operationName="A", variables={"t": "é"}
    )
    assert (answer.status_code, answer.json()["data"]) == (200, {"echo": "é"})
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"


async def test_json_written_by_clickhouse_is_passed_on(http: AsyncClient) -> None:
    assert (await post(http, "{ n: numbers key }")).json()["data"]["n"] == [1, 2, 3]


@pytest.mark.parametrize("accept", [JSON_TYPE, RESPONSE_TYPE])
async def test_a_field_that_fails_costs_itself(http: AsyncClient, accept: str) -> None:
    answer = await post(http, "{ missing numbers }", accept)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"missing": None, "numbers": [1, 2, 3]}
    (error,) = answer.json()["errors"]
    assert (error["path"], error["extensions"]) == (["missing"], {"code": "NOT_FOUND", "siteId": "s"})


async def test_an_unforeseen_error_is_masked_and_logged_by_request_id(http: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "heatgraph.gateway"):
        answer = await http.post("/graphql", json={"query": "{ boom }"}, headers={"x-request-id": "find-me"})
    assert answer.json()["errors"][0]["message"] == "Something went wrong; quote request id find-me."
    assert "hunter2" not in answer.text
    assert "find-me" in caplog.text and "hunter2" in caplog.text


@pytest.mark.parametrize(
    "query", ["{", "{ nope }", "query ($t: String!) { echo(text: $t) }", "query A { key } query B { key }", "fragment F on Query { key }"]
)
async def test_a_request_that_was_not_executed_has_no_data(http: AsyncClient, query: str) -> None:
    assert problem(await post(http, query, JSON_TYPE))[:2] == (200, "BAD_USER_INPUT")
    assert problem(await post(http, query, RESPONSE_TYPE))[:2] == (400, "BAD_USER_INPUT")


async def test_an_operation_must_be_one_of_the_document(http: AsyncClient) -> None:
    assert "'C'" in problem(await post(http, "query A { key } query B { key }", operationName="C"))[2]
    assert (await post(http, "query A { key }", operationName="")).status_code == 200


async def test_get(http: AsyncClient) -> None:
    answer = await http.get(
        "/graphql", params={"query": "query ($t: String!) { echo(text: $t) }", "variables": '{"t": "+ &"}', "extensions": "{}"}
    )
    assert answer.json()["data"] == {"echo": "+ &"}


async def test_get_never_changes_anything(http: AsyncClient) -> None:
    refused = await http.get("/graphql", params={"query": "query A { key } mutation B { change }", "operationName": "B"})
    assert problem(refused)[:2] == (405, "BAD_USER_INPUT")
    assert refused.headers["allow"] == "POST"
    assert (await post(http, "mutation { change }")).json()["data"] == {"change": 1}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods(http: AsyncClient, method: str) -> None:
    refused = await http.request(method, "/graphql")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")


GOOD = b'{"query": "{ key }"}'


@pytest.mark.parametrize(
    ("content_type", "body", "status", "said"),
    [
        pytest.param(JSON_TYPE, b"", 400, "not valid JSON", id="empty"),
        pytest.param(JSON_TYPE, b"{", 400, "not valid JSON", id="cut off"),
        pytest.param(JSON_TYPE, b'"{ key }"', 400, "must be a JSON object", id="string"),
        pytest.param(JSON_TYPE, b"null", 400, "must be a JSON object", id="null"),
        pytest.param(JSON_TYPE, b"[" + GOOD + b"]", 400, "Batches", id="batch"),
        pytest.param(JSON_TYPE, b"{}", 400, "`query`", id="no query"),
        pytest.param(JSON_TYPE, b'{"query": " "}', 400, "`query`", id="blank query"),
        pytest.param(JSON_TYPE, b'{"query": 1}', 400, "`query`", id="query a number"),
        pytest.param(JSON_TYPE, b'{"query": "{ key }", "operationName": {}}', 400, "`operationName`", id="operationName an object"),
        pytest.param(JSON_TYPE, b'{"query": "{ key }", "variables": "{}"}', 400, "`variables`", id="variables a string"),
        pytest.param(JSON_TYPE, b'{"query": "{ key }", "variables": []}', 400, "`variables`", id="variables a list"),
        pytest.param(JSON_TYPE, b'{"query": "{ key }", "extensions": 1}', 400, "`extensions`", id="extensions a number"),
        pytest.param(JSON_TYPE, b'{"query": "{ key } # \xff"}', 400, "not valid JSON", id="invalid UTF-8"),
        pytest.param(JSON_TYPE, b'{"query": "{ key }", "variables": {"t": "\\ud800"}}', 400, "not valid JSON", id="lone surrogate"),
        pytest.param(JSON_TYPE, b'{"query": "{ key }", "variables": {"t": NaN}}', 400, "not valid JSON", id="NaN"),
        pytest.param(
            JSON_TYPE, b'{"query": "{ key }", "variables": {"t": ' + b"[" * 5000 + b"]" * 5000 + b"}}", 400, "not valid JSON", id="deep"
        ),
        pytest.param(JSON_TYPE, b'{"query": "' + b"#" * 1_000_001 + b'"}', 413, "1000000 bytes", id="long"),
        pytest.param("text/plain", GOOD, 415, JSON_TYPE, id="text"),
        pytest.param("", GOOD, 415, JSON_TYPE, id="no type"),
        pytest.param("application/json; charset=utf-16", GOOD, 415, "UTF-8", id="UTF-16"),
    ],
)
async def test_bodies_that_are_no_request(http: AsyncClient, content_type: str, body: bytes, status: int, said: str) -> None:
    refused = await http.post("/graphql", content=body, headers={"Content-Type": content_type})
    assert problem(refused)[:2] == (status, "BAD_USER_INPUT")
    assert said in problem(refused)[2]


async def test_a_compressed_body_is_refused(http: AsyncClient) -> None:
    refused = await http.post("/graphql", content=GOOD, headers={"Content-Type": JSON_TYPE, "Content-Encoding": "gzip"})
    assert refused.status_code == 415


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("query=%FF", "UTF-8"),
        ("query=a&query=b", "twice"),
        ("query=%7Bkey%7D&variables=%5B", "`variables`"),
        ("", "`query`"),
        ("&".join("abcdefghijklmnopqrstuvw"), "many"),
    ],
)
async def test_urls_that_are_no_request(http: AsyncClient, parameters: str, said: str) -> None:
    refused = await http.get(f"/graphql?{parameters}")
    assert problem(refused)[:2] == (400, "BAD_USER_INPUT")
    assert said in problem(refused)[2]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param("{ __type(name: " + "[" * 1000 + "]" * 1000 + ") { name } }", "nested too deeply", id="deep value"),
        pytest.param("{" + "... {" * 1000 + "key" + "}" * 1001, "nested too deeply", id="deep selection"),
        pytest.param("{" + " key" * 3_000 + "}", "more than 3000 tokens", id="tokens"),
        pytest.param("#\n" * 1001 + "{ key }", "more than 1000 comments", id="comments"),
        pytest.param("{" + " key" * 100 + "}", "100 of at most 20 root fields", id="root fields"),
        pytest.param('{ __type(name: "") {' + " name" * 150 + "} }", "repeats fields", id="repetition"),
    ],
)
async def test_documents_beyond_a_limit(http: AsyncClient, document: str, said: str) -> None:
    status, code, message = problem(await post(http, document, RESPONSE_TYPE))
    assert (status, code) == (400, "QUERY_TOO_COMPLEX")
    assert said in message


async def test_a_long_document_is_quoted_in_part(http: AsyncClient) -> None:
    assert len(problem(await post(http, "{ " + "x" * 100_000 + " }"))[2]) < 2000


async def test_a_request_has_a_deadline() -> None:
    async with serving_anybody(max_request_ms=50) as http:
        started = time.monotonic()
        assert problem(await post(http, "{ slow }"))[:2] == (504, "TIMEOUT")
        assert time.monotonic() - started < 5


async def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(10)

    async with serving_anybody(max_request_ms=50) as http:
        refused = await http.post("/graphql", content=trickle(), headers={"Content-Type": JSON_TYPE})
    assert problem(refused)[:2] == (504, "TIMEOUT")


async def test_a_client_that_goes_away_cancels_the_execution() -> None:
    cancelled = asyncio.Event()

    async def execution() -> Any:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def receive() -> dict[str, str]:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await unless_disconnected(Request({"type": "http"}, receive), execution())
    assert cancelled.is_set()


@pytest.mark.parametrize("environment", ["development", "production"])
async def test_the_sdl_follows_introspection(environment: Literal["development", "production"]) -> None:
    async with serving_anybody(build_schema(), environment=environment) as http:
        for query in ("{ _service { __typename } }", "{ __schema { __typename } }"):
            answered = await post(http, query)
            if environment == "development":
                assert "errors" not in answered.json()
            else:
                status, code, message = problem(answered)
                assert (status, code) == (200, "BAD_USER_INPUT")
                assert "python -m gateway schema" in message
