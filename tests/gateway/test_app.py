"""The application as clients meet it: what each request is answered, and with which status."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from httpx import AsyncClient

from clickhouse.statement import Statement
from gateway.app import create_app
from gateway.auth import new_token
from gateway.graphql_http import RESPONSE_TYPE
from gateway.settings import Settings
from tests.gateway.applications import BROWSER, make_token, post, problem, serving, small_schema
from tests.gateway.processes import ROOT, running


@pytest.fixture
def token(settings: Settings) -> str:
    return make_token(settings, "heatmap:read")


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[AsyncClient]:
    """Without a key."""
    async with serving(create_app(settings, small_schema())) as http:
        yield http


@pytest.fixture
async def keyed(http: AsyncClient, token: str) -> AsyncClient:
    http.headers["Authorization"] = f"Bearer {token}"
    return http


# Health, ids, pages


async def test_live_and_ready(http: AsyncClient) -> None:
    assert (await http.get("/health/live")).json() == {"status": "live"}
    ready = await http.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_not_ready_without_tables() -> None:
    async with serving(create_app(Settings(clickhouse="chdb://memory/never_migrated", secret="x", pool_size=1))) as http:
        ready = await http.get("/health/ready")
    assert ready.status_code == 503
    assert "python -m gateway migrate" in ready.json()["problem"]


async def test_not_ready_without_a_server() -> None:
    async with serving(create_app(Settings(clickhouse="http://127.0.0.1:9/db", secret="x", pool_size=1))) as http:
        assert (await http.get("/health/live")).status_code == 200
        ready = await http.get("/health/ready")
        asked = await http.post("/graphql", json={"query": "{ viewer { scopes } }"}, headers={"Authorization": f"Bearer {new_token()[1]}"})
    assert ready.status_code == 503
    assert problem(asked)[:2] == (503, "SOURCE_UNAVAILABLE")
    assert "127.0.0.1" not in ready.text + asked.text


async def test_not_ready_without_an_answer() -> None:
    """A server that hangs takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        down = Settings(clickhouse=f"http://127.0.0.1:{silent.getsockname()[1]}/db", secret="x", pool_size=1)
        async with serving(create_app(down)) as http, asyncio.timeout(6):
            for _ in range(2):
                ready = await http.get("/health/ready")
                assert (ready.status_code, ready.json()["problem"]) == (503, "The data source did not answer within 2 s.")


async def test_a_busy_gateway_is_ready(settings: Settings) -> None:
    app = create_app(replace(settings, pool_size=1))
    async with serving(app) as http:
        slow = asyncio.create_task(app.state.sources.first.client.query(Statement("SELECT sleep(3) AS slept", {})))
        await asyncio.sleep(0.2)
        assert (await http.get("/health/ready")).status_code == 200 and not slow.done()
        await slow


async def test_request_ids(http: AsyncClient) -> None:
    assert (await http.get("/health/live", headers={"x-request-id": "abc-1"})).headers["x-request-id"] == "abc-1"
    made = [(await http.get("/health/live", headers={"x-request-id": insane})).headers["x-request-id"] for insane in ("a b", "x" * 65, "")]
    assert len(set(made)) == 3
    assert all(len(request_id) == 32 for request_id in made)


async def test_browsers_get_graphiql_in_development(http: AsyncClient) -> None:
    page = await http.get("/", headers={"Accept": BROWSER})
    assert page.url.path == "/graphql"
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert (await http.get("/graphiql/heatgraph.js")).status_code == 200
    answer = await http.get("/graphql", params={"query": "{ __typename }"}, headers={"Accept": BROWSER})
    assert answer.json()["data"] == {"__typename": "Query"}


async def test_production_serves_no_page_and_no_introspection(settings: Settings, token: str) -> None:
    async with serving(create_app(replace(settings, environment="production"), small_schema())) as http:
        assert (await http.get("/", headers={"Accept": BROWSER})).status_code == 404
        assert (await http.get("/graphiql/heatgraph.js")).status_code == 404
        assert problem(await http.get("/graphql", headers={"Accept": BROWSER}))[:2] == (401, "UNAUTHENTICATED")
        assert problem(await post(http, "{ __schema { queryType { name } } }"))[:2] == (401, "UNAUTHENTICATED")
        http.headers["Authorization"] = f"Bearer {token}"
        status, code, message = problem(await post(http, "{ __schema { __typename } }", RESPONSE_TYPE))
        assert (status, code) == (400, "BAD_USER_INPUT")
        assert "introspection" in message.lower()
        assert (await post(http, '{ echo(text: "hi") __typename }')).json()["data"] == {"echo": "hi", "__typename": "Query"}


# Keys


async def test_the_schema_explains_itself_without_a_key_and_nothing_else_does(http: AsyncClient) -> None:
    free = """
        query Both { ...Names }
        fragment Names on Query { ... on Query { __typename t: __type(name: "Query") { name } } ...Schema }
        fragment Schema on Query { __schema { __typename } }
    """
    assert (await post(http, free)).json()["data"]["t"] == {"name": "Query"}
    for asked in ('{ echo(text: "") }', '{ __typename ...E } fragment E on Query { echo(text: "") }', "mutation { __typename }"):
        response = await post(http, asked)
        assert problem(response)[:2] == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert problem(await post(http, asked, RESPONSE_TYPE))[:2] == (401, "UNAUTHENTICATED")


async def test_a_wrong_key_is_refused_even_for_introspection(http: AsyncClient) -> None:
    http.headers["Authorization"] = "Bearer nonsense"
    assert problem(await post(http, "{ __typename }"))[:2] == (401, "UNAUTHENTICATED")


async def test_resolvers_see_the_key(keyed: AsyncClient, token: str) -> None:
    assert (await post(keyed, "{ key }")).json()["data"] == {"key": token.split("_")[1]}


# A real server process


def test_a_server_process_answers_holds_its_path_and_stops_when_told(tmp_path: Path) -> None:
    def create_site() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway", "sites", "create", "shop", "--clickhouse", str(tmp_path / "data")]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    with running(tmp_path) as gateway:
        assert httpx.get(f"{gateway.address}/health/ready").json() == {"status": "ready"}
        answer = httpx.post(f"{gateway.address}/graphql", json={"query": "{ __typename }"})
        assert answer.json()["data"] == {"__typename": "Query"}
        assert "server" not in answer.headers
        refused = create_site()
        assert refused.returncode == 2
        assert "is in use by another process" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert "Traceback" not in gateway.log()
    assert create_site().returncode == 0, "the path is free again"
