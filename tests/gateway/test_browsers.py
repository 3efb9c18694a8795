"""What browsers may do: origins, forged requests, the headers of every answer; and compression."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import brotli
import pytest
import zstandard
from httpx import AsyncClient

from gateway.app import create_app
from tests.asking import SCHEMA
from tests.gateway.applications import BROWSER, NOWHERE, post, problem, serving, serving_anybody, small_schema

ORIGIN = "https://app.example.com"
QUERY = {"query": "{ key }"}


@pytest.fixture
async def http() -> AsyncIterator[AsyncClient]:
    async with serving_anybody(environment="production", cors_origins=f"{ORIGIN}, https://other.example.com") as http:
        yield http


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"Apollo-Require-Preflight": "true"},
        {"X-Apollo-Operation-Name": "Q"},
        {"Content-Type": "application/json"},
    ],
)
async def test_requests_no_foreign_page_can_forge(http: AsyncClient, headers: dict[str, str]) -> None:
    assert (await http.get("/graphql", params=QUERY, headers=headers)).json()["data"] == {"key": "guest"}


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Apollo-Require-Preflight": ""}])
async def test_requests_a_foreign_page_can_forge_are_refused(http: AsyncClient, headers: dict[str, str]) -> None:
    status, code, message = problem(await http.get("/graphql", params=QUERY, headers=headers))
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert "Apollo-Require-Preflight" in message


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
async def test_forged_posts(http: AsyncClient, content_type: str) -> None:
    refused = await http.post("/graphql", content=b'{"query": "{ key }"}', headers={"Content-Type": content_type})
    assert problem(refused)[:2] == (400, "BAD_USER_INPUT")
    let_in = await http.post("/graphql", content=b"{}", headers={"Content-Type": content_type, "Apollo-Require-Preflight": "1"})
    assert let_in.status_code == 415, "it is JSON that we read"


async def test_origins_that_may_ask(http: AsyncClient) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = await http.options("/graphql", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
    answer = await http.post("/graphql", json=QUERY, headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "RateLimit-Remaining" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_other_origins_may_ask_whether_a_tag_they_read_still_holds_and_name_a_file_as_we_do(http: AsyncClient) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,if-none-match"}
    preflight = await http.options("/graphql", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
    told = (await http.post("/graphql", json=QUERY, headers={"Origin": ORIGIN})).headers["access-control-expose-headers"]
    assert {"ETag", "Content-Disposition"} <= set(told.split(", "))


async def test_apollo_client_of_another_origin_may_say_its_name_and_version(http: AsyncClient) -> None:
    names = "apollographql-client-name,apollographql-client-version,content-type"
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": names}
    assert (await http.options("/graphql", headers=asked)).status_code == 200


async def test_origins_that_may_not(http: AsyncClient) -> None:
    refused = await http.options("/graphql", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
    assert "access-control-allow-origin" not in refused.headers
    answer = await http.post("/graphql", json=QUERY, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


async def test_no_origin_may_ask_unless_it_is_named() -> None:
    async with serving(create_app(NOWHERE, small_schema())) as http:
        assert (await http.options("/graphql", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})).status_code == 405


@pytest.mark.parametrize("path", ["/graphql", "/health/live", "/nowhere", "/graphiql/heatgraph.js", "/export/nothing.csv", "/metrics"])
async def test_every_answer_has_security_headers(path: str) -> None:
    async with serving(create_app(NOWHERE, small_schema())) as http:
        for accept in ("*/*", BROWSER):
            headers = (await http.get(path, headers={"Accept": accept})).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "server" not in headers and "x-powered-by" not in headers


async def test_nothing_of_the_schema_leaks_through_errors_in_production(http: AsyncClient) -> None:
    for query in (
        "{ numbres }",
        '{ echo(txt: "") }',
        "query ($v: Strin) { echo(text: $v) }",
        "{ ... on Qery { key } }",
        "{ paint(in: RE) }",
    ):
        answer = await post(http, query)
        assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert "Did you mean" not in answer.text
    answer = await post(http, "query ($c: Colour!) { paint(in: $c) }", variables={"c": "RE"})
    assert "Did you mean" not in answer.text and "GREEN" not in answer.text and "RE" in answer.text
    async with serving_anybody() as development:
        assert "Did you mean 'numbers'" in problem(await post(development, "{ numbres }"))[2]
        answer = await post(development, "query ($c: Colour!) { paint(in: $c) }", variables={"c": "RE"})
        assert "Did you mean the enum value 'RED'? Allowed: RED, GREEN." in answer.text


@pytest.mark.parametrize(
    ("environment", "allowed"), [("production", ""), ("development", " Allowed: last, period, between, instants, relative.")]
)
async def test_a_one_of_input_that_is_wrong_inside_a_variable_says_where(environment: str, allowed: str) -> None:
    query = 'query ($l: Lens!) { site(siteId: "s") { compare(baseline: $l, candidate: $l) { __typename } } }'
    async with serving_anybody(SCHEMA, environment=environment) as http:
        answer = await post(http, query, variables={"l": {"window": {"last": "-7d", "period": "D7"}}})
    (error,) = answer.json()["errors"]
    assert error["message"].startswith(
        "Variable '$l' has invalid value at .window: Within OneOf Input Object type 'Window', exactly one field"
    )
    assert error["message"].endswith("must be non-null." + allowed)
    assert error["locations"] == [{"line": 1, "column": 8}]


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ('{ site(siteId: "s") { page(key: "k") { heatmap { total } } } }', " Allowed: id, siteId, key, "),
        ('{ site(siteId: "s") { pages(window: {between: {start: "2026-04-01"}}) { totalCount } } }', " Allowed: from, to."),
    ],
)
async def test_a_name_that_is_none_is_answered_with_those_there_are_in_development_only(query: str, allowed: str) -> None:
    for environment in ("development", "production"):
        async with serving_anybody(SCHEMA, environment=environment) as http:
            answer = await post(http, query)
        assert (allowed in answer.text) == (environment == "development")


# Compression

LONG = {"query": "{ echo(text: $text) }".join(("query ($text: String!) ", "")), "variables": {"text": "heat" * 1000}}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("identity", None),
        ("deflate", None),
    ],
)
async def test_long_answers_are_compressed_for_who_accepts_it(http: AsyncClient, accepted: str, encoding: str | None) -> None:
    headers = {"Accept-Encoding": accepted, "Accept": "application/graphql-response+json"}
    async with http.stream("POST", "/graphql", json=LONG, headers=headers) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == encoding
    decode = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.decompress, None: bytes}[encoding]
    assert b"heatheat" in decode(raw)
    assert encoding is None or (len(raw) < 1000 and "accept-encoding" in answer.headers["vary"].lower())


async def test_short_answers_are_not_compressed(http: AsyncClient) -> None:
    answer = await http.post("/graphql", json=QUERY, headers={"Accept-Encoding": "gzip, br, zstd"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
async def test_compressed_requests_are_refused(http: AsyncClient, encoding: str) -> None:
    bomb = zlib.compress(b" " * 10_000_000)
    refused = await http.post("/graphql", content=bomb, headers={"Content-Type": "application/json", "Content-Encoding": encoding})
    assert problem(refused)[:2] == (415, "BAD_USER_INPUT")
