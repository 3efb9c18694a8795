"""Load rows the way a user does, and ask the schema as the gateway does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client as SyncClient
from graphql import ExecutionResult, parse, validate

from clickhouse.client import Client
from clickhouse.keys import ApiKey
from clickhouse.sites import Site, insert_site
from gateway.database import Database
from gateway.load import LoadSummary, load_files
from resolvers.context import Context
from resolvers.sources import Source, Sources
from schema.build import build_schema

SCHEMA = build_schema()
EVERYTHING = ApiKey("k_test", "test", frozenset({"heatmap:read", "replay:read"}), frozenset({"*"}))
NOW = datetime.now(UTC).replace(microsecond=0)
TOO_MANY_EVENTS = "performed: [" + ", ".join(f'{{name: "event {number}"}}' for number in range(21)) + "]"
"""One more than may be named at once."""


def create_site(database: SyncClient, site: Site) -> Site:
    insert = insert_site(site, NOW)
    database.insert(insert.table, insert.rows, column_names=insert.columns)
    return site


def load(database: SyncClient, site: Site, rows: Iterable[dict[str, Any]]) -> LoadSummary:
    """All rows through a file, as `python -m gateway load` takes them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.ndjson"
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        return load_files(Database(database), site, [path])


async def answer(client: Client | Sources, query: str, key: ApiKey = EVERYTHING, now: datetime = NOW, **variables: Any) -> dict[str, Any]:
    """data and errors, as a client reads them."""
    sources = client if isinstance(client, Sources) else Sources([Source("default", client)])
    context = Context(sources, key, now=now)
    invalid = validate(SCHEMA._schema, parse(query))  # as the gateway; Strawberry would say of a oneOf input again what graphql-core does
    result = ExecutionResult(None, invalid) if invalid else await SCHEMA.execute(query, variable_values=variables, context_value=context)
    errors = [
        {
            "message": error.message,
            "path": error.path,
            "code": getattr(error.original_error, "code", None),
            "argument": getattr(error.original_error, "details", {}).get("argument"),
        }
        for error in result.errors or []
    ]
    return {"data": orjson.loads(orjson.dumps(result.data)), "errors": errors}


async def ask(client: Client, query: str, key: ApiKey = EVERYTHING, now: datetime = NOW, **variables: Any) -> Any:
    """The data of an answer without errors."""
    answered = await answer(client, query, key, now, **variables)
    assert not answered["errors"], answered["errors"]
    return answered["data"]
