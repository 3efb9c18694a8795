"""A small schema that does whatever a gateway must cope with, and the application in this process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette
from strawberry.schema import Schema

from clickhouse.errors import NotFoundError
from clickhouse.keys import ApiKey, insert_key
from gateway.app import create_app
from gateway.auth import hash_token, new_token
from gateway.database import open_database
from gateway.graphql_http import JSON_TYPE
from gateway.secret import token_secret
from gateway.settings import Settings
from schema.splice import Spliced, SplicingExecutor

NOWHERE = Settings(clickhouse="http://127.0.0.1:9/none", secret="only for tests")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def numbers() -> list[int]:
    return Spliced(b"[1,2,3]")  # type: ignore[return-value]


def missing() -> int | None:
    raise NotFoundError("No such thing.", siteId="s")


def boom() -> int | None:
    raise RuntimeError("password=hunter2")


async def slow() -> int | None:
    await asyncio.sleep(10)
    return 1


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = "green"


@strawberry.type
class Leaf:
    key: str

    @strawberry.field
    def nodes(self) -> list[Leaf]:
        return [self]


@strawberry.type
class Query:
    @strawberry.field
    def nodes(self) -> list[Leaf]:
        return [Leaf(key="leaf")]

    numbers: list[int] = strawberry.field(resolver=numbers)
    missing: int | None = strawberry.field(resolver=missing)
    boom: int | None = strawberry.field(resolver=boom)
    slow: int | None = strawberry.field(resolver=slow)

    @strawberry.field
    def paint(self, in_: Annotated[Colour, strawberry.argument(name="in")]) -> Colour:
        return in_

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def key(self, info: strawberry.Info) -> str:
        return str(info.context.key.key_id)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> int:
        return 1


def small_schema() -> Schema:
    return Schema(Query, Mutation, execution_context_class=SplicingExecutor)


GUEST = ApiKey("guest", "", frozenset(), frozenset())


class Doorman:
    """Lets everybody in, with the same key."""

    def __init__(self, key: ApiKey = GUEST) -> None:
        self._key = key

    async def authenticate(self, authorization: str | None) -> ApiKey:
        return self._key


def make_token(settings: Settings, *scopes: str, site_ids: tuple[str, ...] = ("*",)) -> str:
    """The token of a new key."""
    key_id, token = new_token()
    key = ApiKey(key_id, "", frozenset(scopes), frozenset(site_ids), token_hash=hash_token(token, token_secret(settings)))
    with open_database(settings) as database:
        database.insert(insert_key(key, datetime.now(UTC)))
    return token


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://heatgraph", follow_redirects=True) as http,
    ):
        yield http


@asynccontextmanager
async def serving_anybody(schema: Schema | None = None, **settings: Any) -> AsyncIterator[AsyncClient]:
    """Without a database and keys; the small schema if none is given."""
    async with serving(app := create_app(replace(NOWHERE, **settings), schema or small_schema())) as http:
        app.state.authenticator = Doorman()
        yield http


async def post(http: AsyncClient, query: str, accept: str = JSON_TYPE, **body: Any) -> Response:
    return await http.post("/graphql", json={"query": query, **body}, headers={"Accept": accept})


def problem(response: Response) -> tuple[int, str, str]:
    """Status, code and message of an answer that is an error and nothing else."""
    assert response.json().keys() == {"errors"}
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


def samples(text: str, name: str) -> dict[str, float]:
    """Of a metric: labels as written -> value."""
    return {labels: float(value) for labels, value in re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.M)}
