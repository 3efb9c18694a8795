"""No statement outlives its request, on both backends: the client goes away, a deadline passes, or every connection is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
import strawberry
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from strawberry.schema import Schema

from clickhouse.statement import Statement
from gateway.app import create_app
from gateway.settings import Settings
from schema.splice import SplicingExecutor
from tests.gateway.applications import Doorman, post

SLOW = "SELECT sum(sleepEachRow(0.1)) + {key} AS n FROM numbers(300) SETTINGS max_block_size = 1"
RUNNING = "SELECT count() FROM system.processes WHERE position(query, 'sum(sleepEachRow') > 0 AND position(query, 'system.processes') = 0"


@strawberry.type
class Query:
    @strawberry.field
    async def slow(self, info: strawberry.Info, key: int = 0) -> int | None:
        (row,) = await info.context.sources.first.client.query(Statement(SLOW.format(key=key), {}))
        return int(row["n"])


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Starlette]:
    """Alone the slow statement takes 30 s, which is longer than anything here waits."""
    app = create_app(settings, Schema(Query, execution_context_class=SplicingExecutor))
    async with app.router.lifespan_context(app):
        app.state.authenticator = Doorman()
        yield app


def client_of(app: Starlette) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://heatgraph")


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(reached):
            await asyncio.sleep(0.02)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, max_execution_ms=60_000)


@pytest.fixture
def running(database: SyncClient) -> Callable[[], int]:
    """Slow statements that the engine is working on."""
    return lambda: int(database.query(RUNNING).result_rows[0][0])


async def test_a_client_that_goes_away_takes_its_statements_along(settings: Settings, running: Callable[[], int]) -> None:
    gone, sent = asyncio.Event(), list[Any]()
    waiting = [{"type": "http.request", "body": orjson.dumps({"query": "{ a: slow(key: 1) b: slow(key: 2) }"}), "more_body": False}]

    async def receive() -> Any:
        if waiting:
            return waiting.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": [(b"content-type", b"application/json")]}
    async with gateway(settings) as app:
        request = asyncio.create_task(app(scope, receive, send))
        await until(lambda: running() == 2)
        gone.set()
        await request
        assert sent[0]["status"] == 499
        await until(lambda: running() == 0)


@pytest.mark.parametrize("limit", [{"max_execution_ms": 300}, {"max_request_ms": 500}])
async def test_a_deadline_ends_the_statement_too(settings: Settings, running: Callable[[], int], limit: dict[str, Any]) -> None:
    async with gateway(replace(settings, **limit)) as app, client_of(app) as http:
        answer = (await post(http, "{ slow }")).json()
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["TIMEOUT"]
        await until(lambda: running() == 0)


async def test_who_waits_for_a_connection_does_not_wait_for_ever(settings: Settings, running: Callable[[], int]) -> None:
    async with gateway(replace(settings, pool_size=1, max_queue_ms=200)) as app, client_of(app) as http:
        first = asyncio.create_task(post(http, "{ slow(key: 1) }"))
        await until(lambda: running() == 1)
        answer = (await post(http, "{ slow(key: 2) }")).json()
        assert answer["data"] == {"slow": None}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["SOURCE_UNAVAILABLE"]
        assert "busy" in answer["errors"][0]["message"] and "Try again" in answer["errors"][0]["message"]
        assert running() == 1
        first.cancel()
        await until(lambda: running() == 0)


async def test_waiting_for_a_connection_is_no_silence_of_the_source(settings: Settings) -> None:
    """The last one has its answer long after a statement that ran so long would have been given up."""
    async with gateway(replace(settings, pool_size=1, max_execution_ms=2_000)) as app:
        client = app.state.sources.first.client
        naps = [Statement(f"SELECT sleep(1.2) + {key} AS n", {}) for key in range(3)]
        assert await asyncio.gather(*map(client.query, naps)) == [[{"n": key}] for key in range(3)]
