"""A gateway that runs, with a shop's few clicks behind it: what clients and other gateways talk to.

Two pages, /pricing with two clicks on #signup of the session `s1`, and /contact with none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clickhouse.client import open_sync
from clickhouse.keys import ApiKey, insert_key
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from gateway.auth import hash_token, new_token
from tests.asking import NOW, create_site, load
from tests.gateway.processes import running

SITE = Site("site_abc123", "Shop", ("example.com",))
SECRET = "only for tests"


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    token: str


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    database = open_sync(f"chdb://{folder / 'data'}")
    migrate(database)
    load(database, create_site(database, SITE), _rows())
    key_id, token = new_token()
    scopes = frozenset({"heatmap:read", "replay:read"})
    key = ApiKey(key_id, "tests", scopes, frozenset({SITE.site_id}), token_hash=hash_token(token, SECRET.encode()))
    insert = insert_key(key, datetime.now(UTC))
    database.insert(insert.table, insert.rows, column_names=insert.columns)
    database.close()
    with running(folder, HEATGRAPH_SECRET=SECRET) as gateway:
        yield Served(f"{gateway.address}/graphql", token)


def _rows() -> list[dict[str, Any]]:
    at = int(NOW.timestamp() * 1000) - 3_600_000
    shared = {"sessionId": "s1", "visitorId": "v1", "viewportWidth": 1280, "viewportHeight": 800}
    pricing, contact = shared | {"url": "https://example.com/pricing"}, shared | {"url": "https://example.com/contact"}
    click = {"type": "click", "x": 128, "y": 160, "selector": "#signup", "tag": "button", "text": "Sign up"}
    return [
        pricing | {"type": "pageview", "timestamp": at},
        pricing | click | {"timestamp": at + 1000},
        pricing | click | {"timestamp": at + 60_000},
        contact | {"type": "pageview", "timestamp": at + 120_000},
    ]
