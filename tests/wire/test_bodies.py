"""Bodies that no client sends by accident: each is a 4xx with a message that says what is wrong, and nothing of Python's in it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import orjson
import pytest
from httpx import AsyncClient

from gateway.graphql_http import JSON_TYPE, RESPONSE_TYPE
from schema.build import build_schema
from tests.gateway.applications import serving_anybody

PYTHON = re.compile(r"None|Traceback|Error\(|isoformat|sys\.|digits|<class|object at|\bdict\b|\bstr\b|\bTrue\b")
SITES = "query ($first: Int!) { sites(first: $first) { totalCount } }"
SITE = "query ($id: String!) { site(siteId: $id) { name } }"
PAGES = 'query ($w: Window!) { site(siteId: "s") { pages(window: $w) { totalCount } } }'
ENTITIES = "query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }"
KEY = "{ viewer { keyId } }"


@pytest.fixture(scope="module")
async def http(anyio_backend: str) -> AsyncIterator[AsyncClient]:
    async with serving_anybody(build_schema()) as http:
        yield http


def body(query: str, variables: str = "null", rest: str = "") -> bytes:
    return b'{"query": ' + orjson.dumps(query) + b', "variables": ' + variables.encode() + rest.encode() + b"}"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(body(SITES, f'{{"first": 1{"0" * 400}}}'), id="integer beyond every number"),
        pytest.param(body(SITES, '{"first": 1e999}'), id="float beyond every number"),
        pytest.param(body(SITES, '{"first": 99999999999999999999}'), id="integer of 67 bits"),
        pytest.param(body(SITES, '{"first": 2147483648}'), id="integer of 33 bits"),
        pytest.param(body(SITES, '{"first": 1.5}'), id="fraction"),
        pytest.param(body(SITES, '{"first": true}'), id="truth for a number"),
        pytest.param(body(SITES, '{"first": null}'), id="null for a number"),
        pytest.param(body(SITES, '{"first": NaN}'), id="NaN"),
        pytest.param(body(SITES, '{"first": -Infinity}'), id="infinity"),
        pytest.param(body(SITES), id="no variables"),
        pytest.param(body(SITE, '{"id": {"a": 1}}'), id="object for text"),
        pytest.param(body(SITE, '{"id": ["s"]}'), id="list for text"),
        pytest.param(body(SITE, r'{"id": "\ud800"}'), id="lone surrogate"),
        pytest.param(body(SITE, r'{"id": "\udc00\ud800"}'), id="surrogates in the wrong order"),
        pytest.param(body(SITE, f'{{"id": {"[" * 900}{"]" * 900}}}'), id="deep list"),
        pytest.param(body(ENTITIES, f'{{"of": [{{"a": {"[" * 900}{"]" * 900}}}]}}'), id="deep representation"),
        pytest.param(body(ENTITIES, '{"of": [null]}'), id="null representation"),
        pytest.param(body(ENTITIES, '{"of": null}'), id="null representations"),
        pytest.param(body(PAGES, '{"w": {}}'), id="oneOf without a field"),
        pytest.param(body(PAGES, '{"w": {"last": "-7d", "period": "D7"}}'), id="oneOf with two"),
        pytest.param(body(PAGES, '{"w": {"last": null}}'), id="oneOf with null"),
        pytest.param(body(PAGES, '{"w": {"nope": 1}}'), id="unknown input field"),
        pytest.param(body(PAGES, '{"w": {"between": {"from": "2026-02-30", "to": "x"}}}'), id="no days"),
        pytest.param(body(PAGES, '{"w": {"instants": {"from": "x", "to": 7}}}'), id="no instants"),
        pytest.param(body(PAGES, '{"w": {"period": "D8"}}'), id="unknown enum value"),
        pytest.param(body("{ sites(first: " + "9" * 5000 + ") { totalCount } }"), id="literal of 5000 digits"),
        pytest.param(body("{ sites(first: 1e999999) { totalCount } }"), id="literal float beyond every number"),
        pytest.param(body(r'{ site(siteId: "\ud800") { name } }'), id="lone surrogate in the document"),
        pytest.param(body(r'{ site(siteId: "\u{110000}") { name } }'), id="beyond Unicode"),
        pytest.param(body("{ viewer\0 { keyId } }"), id="NUL in the document"),
        pytest.param(body("query A { viewer { keyId } } query B { viewer { keyId } }"), id="two operations, none named"),
        pytest.param(body("query A { viewer { keyId } }", rest=', "operationName": "B"'), id="an operation that is not there"),
        pytest.param(body(KEY, rest=', "operationName": 7'), id="operationName a number"),
        pytest.param(body("subscription { viewer { keyId } }"), id="subscription"),
        pytest.param(body("{ viewer @nope { keyId } }"), id="unknown directive"),
        pytest.param(body("{ viewer { ... @defer { keyId } } }"), id="defer"),
        pytest.param(b"\xef\xbb\xbf" + body(KEY), id="byte order mark"),
        pytest.param(body(KEY).decode().encode("utf-16"), id="UTF-16"),
        pytest.param(body(KEY) + b" x", id="more behind the body"),
        pytest.param(b'{"query": "\x00"}', id="control character"),
        pytest.param(b"7", id="number"),
        pytest.param(b"true", id="truth"),
        pytest.param(b'{"query": ["{ viewer { keyId } }"]}', id="query a list"),
        pytest.param(b"{'query': 'x'}", id="Python's quotes"),
    ],
)
async def test_a_body_is_refused_with_a_message(http: AsyncClient, sent: bytes) -> None:
    refused = await http.post("/graphql", content=sent, headers={"Content-Type": JSON_TYPE, "Accept": RESPONSE_TYPE})
    assert refused.status_code == 400
    assert refused.json().keys() == {"errors"}
    for error in refused.json()["errors"]:
        assert error["extensions"]["code"] in ("BAD_USER_INPUT", "QUERY_TOO_COMPLEX")
        assert len(error["message"]) > 10
        assert not PYTHON.search(error["message"])


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/graphql",
        f"{JSON_TYPE}, text/html",
    ],
)
async def test_a_content_type_is_refused(http: AsyncClient, content_type: str) -> None:
    refused = await http.post("/graphql", content=body(KEY), headers={"Content-Type": content_type})
    assert refused.status_code == 415
    assert JSON_TYPE in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "parameters", ["variables=" + "%5B" * 3000, "variables=%22%5Cud800%22", "query=%ED%A0%80", "operationName=%00", "variables=NaN"]
)
async def test_a_url_is_refused(http: AsyncClient, parameters: str) -> None:
    headers = {"Accept": RESPONSE_TYPE, "X-Apollo-Operation-Name": "x"}
    refused = await http.get(f"/graphql?query=%7B__typename%7D&{parameters}", headers=headers)
    assert refused.status_code == 400
    assert not PYTHON.search(refused.json()["errors"][0]["message"])
