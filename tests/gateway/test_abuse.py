"""Abuse, by every name we know for it: each probe gets a typed error that says what is wrong, and ClickHouse never hears of it.

The data source is an address where nobody listens: a statement that slipped through would show as SOURCE_UNAVAILABLE.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from httpx import AsyncClient, Response

from gateway.app import create_app
from gateway.graphql_http import JSON_TYPE, RESPONSE_TYPE
from schema.build import build_schema
from tests.asking import EVERYTHING
from tests.gateway.applications import NOWHERE, Doorman, serving

SCHEMA = build_schema()
SITE = '{ site(siteId: "s") { %s } }'
PAGE = SITE % 'page(key: "k") { insights { %s } }'


def chain(length: int, body: str, last: str = "siteId") -> str:
    """Fragments F0 to F(length) on Site, each with the next one in it."""
    links = "".join(f" fragment F{i} on Site {{ {body.replace('NEXT', f'F{i + 1}')} }}" for i in range(length))
    return f"{links} fragment F{length} on Site {{ {last} }}"


def many(pattern: str, count: int) -> str:
    return " ".join(pattern.replace("#", str(number)) for number in range(count))


TOO_COMPLEX = {
    # nested
    "site in page in site": '{ site(siteId: "s") ' + "{ page(key: 1) { site " * 30 + "{ siteId }" + "} }" * 30 + " }",
    "listings in listings": SITE % ("pages { nodes { site { " * 4 + "siteId" + " } } }" * 4),
    "six levels of listings": SITE % ("pages(first: 100) { nodes { site { " * 3 + "pages { totalCount }" + " } } }" * 3),
    "a thousand selections deep": "{" + "... {" * 1000 + "__typename" + "}" * 1001,
    "a hundred fields deep": '{ site(siteId: "s") { ' + "page(key: 1) { site { " * 50 + "id" + " } }" * 50 + " } }",
    "inline fragments deep, fields beyond": SITE % ("... { page(key: 1) { site { " * 12 + "id" + " } } }" * 12),
    "depth hidden in fragments": SITE % "...F0" + chain(12, "page(key: 1) { site { ...NEXT } }"),
    "a list value a thousand deep": "{ nodes(ids: " + "[" * 1000 + "]" * 1000 + ") { id } }",
    "an object value a thousand deep": SITE % ("pages(segment: " + "{a: " * 1000 + "1" + "}" * 1000 + ") { totalCount }"),
    "a type a thousand deep": "query ($a: " + "[" * 1000 + "Int" + "]" * 1000 + ") { __typename }",
    # wide
    "1500 times the same field": "{ viewer {" + " name" * 1500 + "} }",
    "1500 times __typename": "{" + " __typename" * 1500 + "}",
    "1500 times the same object": SITE % many("pages { totalCount }", 1500),
    "200 times the same object": SITE % many("pages { totalCount }", 200),
    "500 aliases of __typename": SITE % many("a#: __typename", 500),
    "101 aliases of a page": SITE % many('a#: page(key: "k#") { key }', 101),
    "101 aliases over levels": SITE % ("pages { nodes { " + many("a#: key", 60) + " } edges { node { " + many("b#: key", 60) + " } } }"),
    "21 root fields": "{ " + many("a#: viewer { name }", 21) + " }",
    "21 root fields in fragments": "{ ...A ...A ...A } fragment A on Query { " + many("viewer { name }", 7) + " }",
    "300 inline fragments": SITE % many("... { siteId }", 300),
    "300 spreads of one fragment": SITE % many("...F0", 300) + chain(0, ""),
    "300 fragments": SITE % many("...F#", 300) + many(" fragment F# on Site { siteId }", 300),
    # fragments that multiply
    "fragments doubled 20 times": SITE % "...F0" + chain(20, "...NEXT ...NEXT"),
    "fragments doubled 150 times": SITE % "...F0" + chain(150, "...NEXT ...NEXT"),
    "fragments tripled under aliases": SITE % "...F0"
    + chain(9, "a: page(key: 1) { site { ...NEXT } } b: page(key: 2) { site { ...NEXT } }"),
    "a chain of 400 fragments": SITE % "...F0" + chain(400, "...NEXT"),
    # floods
    "900 directives on a field": "{ viewer { name" + " @skip(if: false)" * 300 + " } }",
    "60 directives": SITE % many("siteId @include(if: true)", 60),
    "60 directives in a fragment": SITE % many("...F0 @include(if: true)", 60) + chain(0, ""),
    "100 000 tokens": "{" + " a" * 100_000 + "}",
    "2000 comments": "#\n" * 2000 + "{ __typename }",
    "a thousand variables": "query (" + many("$a#: Int = 1", 1000) + ") { __typename }",
    "a thousand variables with defaults": "query (" + many('$a#: [ID!] = ["a" "b" "c"]', 1000) + ") { __typename }",
    "a thousand operations": many("query A# { __typename }", 1000),
    "a thousand arguments": SITE % ("pages(" + many("a#: 1", 1000) + ") { totalCount }"),
    "a list of 3000 ids": "{ nodes(ids: [" + '"a" ' * 3000 + "]) { id } }",
    "strings without an end of commas": "{" + "," * 5000 + many("a#: __typename", 800) + "}",
    # dear
    "all points of 100 pages": SITE % "pages(first: 100) { nodes { insights { heatmap(first: 100000) { points { x } } } } }",
    "three full maps": PAGE % many("a#: heatmap(first: 100000) { points { x y } }", 3),
    "all elements of all pages of all sites": "{ sites(first: 100) { nodes { "
    "pages(first: 100) { nodes { insights { elements(first: 100) { nodes { clicks } } } } } } } }",
    "the same through edges": "{ sites(first: 100) { edges { node { "
    "pages(first: 100) { edges { node { insights { replays(first: 100) { edges { node { id } } } } } } } } } } }",
    "all cells of ten comparisons": SITE % many("a#: compare(baseline: {}, candidate: {}) { cells(first: 100000) { x } }", 10),
}

WRONG = {
    "a fragment in itself": SITE % "...A" + " fragment A on Site { ...A }",
    "fragments in each other": SITE % "...A" + " fragment A on Site { ...B } fragment B on Site { ...A siteId }",
    "a fragment in itself, by way of fields": SITE % "...A" + " fragment A on Site { page(key: 1) { site { ...A } } }",
    "a fragment that is nowhere": SITE % "...Nowhere",
    "a fragment nobody spreads": "{ __typename } fragment A on Site { siteId }",
    "the same fragment twice": SITE % "...A" + " fragment A on Site { id } fragment A on Site { name }",
    "100 unknown fields": SITE % many("unknown#", 100),
    "unknown directives": "{ viewer { name @export(as: 1) @live @unknown } }",
    "an integer of 400 digits": SITE % ("pages(first: " + "9" * 400 + ") { totalCount }"),
    "an integer beyond 32 bits": SITE % "pages(first: 99999999999) { totalCount }",
    "a cursor of nothing": '{ sites(after: "\\u0000\\uFFFF") { nodes { id } } }',
    "a cursor of 5000 characters": '{ sites(after: "' + "A" * 5000 + '") { nodes { id } } }',
    "an id of nothing": '{ node(id: "' + "=" * 1000 + '") { id } }',
    "101 ids": "{ nodes(ids: [" + many('"a#"', 101) + "]) { id } }",
    "input objects in circles": SITE % "pages(segment: {cohorts: {cohorts: {cohorts: {}}}}) { totalCount }",
    "introspection in circles": "{ __schema { types { fields { type { fields { type { fields { type { fields { type { fields { name } } } } } } } } } } } }",
    "two rules at once": SITE % 'insights(url: {regex: "a", exact: "b"}) { id }',
    "deferred": "{ viewer { ... @defer { name } } }",
    "streamed": SITE % "domains @stream(initialCount: 0)",
    "a subscription": "subscription { viewer { name } }",
    "a document of directives": "@a @b @c",
    "type definitions": "type Query { a: Int } extend type Site { b: Int }",
    "one brace": "{",
    "one closing brace": "}",
    "a null character": "{ viewer { na\u0000me } }",
    "a byte-order mark within": "{ viewer { na\ufeffme } }",
    "right-to-left marks": "{ viewer { \u202ename\u202c } }",
    "letters that look alike": "{ viewer { n\u0430me } }",
    "an emoji": "{ \U0001f525 }",
    "an unfinished block string": '{ site(siteId: """' + "\n" * 1000,
    "an escape beyond Unicode": '{ site(siteId: "\\u{110000}") { id } }',
    "a lone surrogate, escaped": '{ site(siteId: "\\uD800") { id } }',
}

VARIABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "a variable that is missing": ("query ($a: String!) { site(siteId: $a) { id } }", {}),
    "a variable of another type": ("query ($a: String!) { site(siteId: $a) { id } }", {"a": {"$ne": None}}),
    "a list where one is asked": ("query ($a: String!) { site(siteId: $a) { id } }", {"a": ["s"] * 1000}),
    "an integer beyond 32 bits": ("query ($a: Int) { sites(first: $a) { nodes { id } } }", {"a": 2**53}),
    "unknown keys": ('query ($a: Segment) { site(siteId: "s") { pages(segment: $a) { totalCount } } }', {"a": {"__proto__": {}}}),
    "an object 900 deep": (
        'query ($a: Segment) { site(siteId: "s") { pages(segment: $a) { totalCount } } }',
        {"a": json.loads('{"country": ' * 100 + "1" + "}" * 100)},
    ),
}

DEAR_VARIABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "all points, by variable": (
        'query ($n: Int) { site(siteId: "s") { pages(first: 100) { nodes { insights { heatmap(first: $n) { points { x } } } } } } }',
        {"n": 100_000},
    ),
    "a list reused by 100 aliases": (
        'query ($s: Segment) { site(siteId: "s") { ' + many("a#: pages(segment: $s) { totalCount }", 90) + " } }",
        {"s": {"country": ["DE"] * 10_000}},
    ),
}

BODIES = {
    "nothing": (b"", 400),
    "not JSON": (b"query { viewer }", 400),
    "a JSON text": (b'"{ __typename }"', 400),
    "a number": (b"1" * 5000, 400),
    "a batch": (b'[{"query": "{ __typename }"}]', 400),
    "a batch of a thousand": (json.dumps([{"query": "{ __typename }"}] * 1000).encode(), 400),
    "an object of nothing": (b"{}", 400),
    "a query that is a list": (b'{"query": ["{ __typename }"]}', 400),
    "variables that are a list": (b'{"query": "{ __typename }", "variables": []}', 400),
    "variables that are a text": (b'{"query": "{ __typename }", "variables": "{}"}', 400),
    "an operation name that is an object": (b'{"query": "{ __typename }", "operationName": {}}', 400),
    "extensions that are a text": (b'{"query": "{ __typename }", "extensions": "x"}', 400),
    "a hash that is none": (b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "../../etc/passwd"}}}', 400),
    "invalid UTF-8": (b'{"query": "\xff\xfe"}', 400),
    "overlong UTF-8": (b'{"query": "\xc0\xaf"}', 400),
    "a lone surrogate": (b'{"query": "\\ud800"}', 400),
    "UTF-16": ('{"query": "{ __typename }"}'.encode("utf-16"), 400),
    "a byte-order mark": (b'\xef\xbb\xbf{"query": "{ __typename }"}', 400),
    "not a number": (b'{"query": "{ __typename }", "variables": {"a": NaN}}', 400),
    "JSON 100 000 deep": (b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", 400),
    "two megabytes": (b'{"query": "{ __typename }", "variables": {"a": "' + b"a" * 2_000_000 + b'"}}', 413),
    "two megabytes of nothing": (b" " * 2_000_000, 413),
}


@pytest.fixture
async def http() -> AsyncIterator[AsyncClient]:
    app = create_app(replace(NOWHERE, max_request_ms=5000), SCHEMA)
    async with serving(app) as http:
        app.state.authenticator = Doorman(EVERYTHING)
        yield http


async def ask(http: AsyncClient, query: str, variables: dict[str, Any] | None = None) -> Response:
    return await http.post("/graphql", json={"query": query, "variables": variables}, headers={"Accept": RESPONSE_TYPE})


def refused(answer: Response) -> tuple[int, str]:
    """Status and code of the only kind of error there is; its message is for the one who asked, and short."""
    errors = answer.json()["errors"]
    assert errors and all(1 < len(error["message"]) < 1100 for error in errors)
    assert not any(secret in answer.text for secret in ("Traceback", "127.0.0.1", "site-packages", "DB::Exception"))
    assert answer.json().get("data") in (None, {"node": None}, {"nodes": None}, {"sites": None})
    (code,) = {error["extensions"]["code"] for error in errors}
    return answer.status_code, code


@pytest.mark.parametrize("query", TOO_COMPLEX.values(), ids=TOO_COMPLEX)
async def test_what_asks_too_much(http: AsyncClient, query: str) -> None:
    assert refused(await ask(http, query)) == (400, "QUERY_TOO_COMPLEX")


@pytest.mark.parametrize("query", WRONG.values(), ids=WRONG)
async def test_what_is_no_question(http: AsyncClient, query: str) -> None:
    status, code = refused(await ask(http, query))
    assert code == "BAD_USER_INPUT"
    assert status == (200 if "after" in query or "node" in query else 400)  # an argument of a field is the field's error


@pytest.mark.parametrize(("query", "variables"), VARIABLES.values(), ids=VARIABLES)
async def test_variables_that_do_not_fit(http: AsyncClient, query: str, variables: dict[str, Any]) -> None:
    assert refused(await ask(http, query, variables)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(("query", "variables"), DEAR_VARIABLES.values(), ids=DEAR_VARIABLES)
async def test_variables_that_make_a_query_dear(http: AsyncClient, query: str, variables: dict[str, Any]) -> None:
    assert refused(await ask(http, query, variables)) == (400, "QUERY_TOO_COMPLEX")


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
async def test_bodies(http: AsyncClient, body: bytes, status: int) -> None:
    answer = await http.post("/graphql", content=body, headers={"Content-Type": JSON_TYPE})
    assert refused(answer) == (status, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("method", "url", "headers", "status"),
    [
        pytest.param("GET", "/graphql?query=mutation{__typename}", {}, 405, id="a mutation by GET"),
        pytest.param("GET", "/graphql?query={__typename}&query={viewer{name}}", {}, 400, id="a parameter twice"),
        pytest.param("GET", "/graphql?" + "&".join(f"a{i}=1" for i in range(1000)), {}, 400, id="a thousand parameters"),
        pytest.param("GET", "/graphql?query=%ff%fe", {}, 400, id="bytes that are no UTF-8"),
        pytest.param("GET", "/graphql?query={__typename}&variables=[[[[", {}, 400, id="variables that are no JSON"),
        pytest.param("GET", "/graphql?query={__typename}", {"Accept": "text/csv"}, 406, id="a type we do not write"),
        pytest.param("PUT", "/graphql", {}, 405, id="PUT"),
        pytest.param("TRACE", "/graphql", {}, 405, id="TRACE"),
        pytest.param("POST", "/graphql", {"Content-Type": "multipart/form-data; boundary=x"}, 415, id="an upload"),
        pytest.param("POST", "/graphql", {"Content-Type": JSON_TYPE, "Content-Encoding": "gzip"}, 415, id="a compressed bomb"),
        pytest.param("POST", "/graphql", {"Content-Type": "application/json; charset=utf-7"}, 415, id="UTF-7"),
        pytest.param("POST", "/graphql", {"Content-Type": "application/graphql"}, 415, id="a bare document"),
    ],
)
async def test_requests(http: AsyncClient, method: str, url: str, headers: dict[str, str], status: int) -> None:
    body = gzip.compress(b" " * 10_000_000) if method == "POST" else None
    assert refused(await http.request(method, url, headers=headers, content=body)) == (status, "BAD_USER_INPUT")


async def test_a_body_that_comes_byte_by_byte() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    app = create_app(replace(NOWHERE, max_request_ms=300), SCHEMA)
    async with serving(app) as http:
        app.state.authenticator = Doorman(EVERYTHING)
        answer = await http.post("/graphql", content=drip(), headers={"Content-Type": JSON_TYPE})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (504, "TIMEOUT")


def test_there_are_as_many_probes_as_promised() -> None:
    assert len(TOO_COMPLEX) + len(WRONG) + len(VARIABLES) + len(DEAR_VARIABLES) + len(BODIES) >= 100
