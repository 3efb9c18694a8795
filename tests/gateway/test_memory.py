"""A wide answer does not multiply memory: the gateway's peak grows by no more than three times the answer's size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from clickhouse.client import open_sync
from clickhouse.keys import ApiKey, insert_key
from clickhouse.migrations import migrate
from clickhouse.sites import Site, insert_site
from gateway.auth import hash_token, new_token
from gateway.database import Database
from tests.asking import load
from tests.gateway.processes import running
from tests.servers import Node

SITE, PAGE, SECRET = Site("wide", "Wide"), "https://example.com/wide", "only for tests"
COLUMNS, POINTS = 100, 100_000
MOST_GROWTH = 3
TEXT = "Buy 🛒"
NOW = datetime.now(UTC)
MAP = """query ($first: Int!, $window: Window!) {
  site(siteId: "wide") { page(key: "https://example.com/wide") { insights(window: $window) {
    heatmap(first: $first) { points { x y relativeX fixed count share element { text } } }
  } } }
}"""


def memory_bytes(pid: int, name: str) -> int:
    """VmRSS is what a process has now, VmHWM the most it ever had."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1]) * 1024


def clicks() -> list[dict[str, Any]]:
    """One in each cell, the last on an element with a character that would make Python keep each of a text in four bytes."""
    at_ms = int((NOW - timedelta(days=2)).timestamp() * 1000)
    size = {"viewportWidth": 1280, "viewportHeight": 900, "url": PAGE, "type": "click"}
    rows: list[dict[str, Any]] = [
        size
        | {"sessionId": f"s{number % 25_000}", "visitorId": f"v{number % 999}", "timestamp": at_ms + number}
        | {"x": number % COLUMNS * 12.8 + 1, "y": number // COLUMNS * 16 + 1}
        for number in range(POINTS)
    ]
    return [*rows[:-1], rows[-1] | {"selector": "#buy", "text": TEXT}]


def test_100_000_points(node: Node, tmp_path: Path) -> None:
    dsn = node.dsn("test_memory")
    client = open_sync(dsn)
    migrate(client)
    database = Database(client)
    key_id, token = new_token()
    database.insert(insert_site(SITE, NOW))
    scopes = frozenset({"heatmap:read"})
    database.insert(insert_key(ApiKey(key_id, "k", scopes, frozenset({SITE.site_id}), token_hash=hash_token(token, SECRET.encode())), NOW))
    load(client, SITE, clicks())
    client.close()
    settings = {"CLICKHOUSE": dsn, "SECRET": SECRET, "MAX_QUERY_COST": "10000000", "MAX_KEY_COST_PER_MINUTE": "0", "CACHE_BYTES": "0"}
    with running(tmp_path, **{f"HEATGRAPH_{name}": value for name, value in settings.items()}) as gateway:

        def ask(first: int) -> httpx.Response:
            variables = {"first": first, "window": {"last": "-7d"}}
            headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
            body = {"query": MAP, "variables": variables}
            answer = httpx.post(f"{gateway.address}/graphql", json=body, headers=headers, timeout=60)
            assert answer.status_code == 200 and "errors" not in answer.json(), answer.text[:500]
            return answer

        for _ in range(3):
            ask(1)
        before_bytes = memory_bytes(gateway.process.pid, "VmRSS")
        answer = ask(POINTS)
        growth_bytes = memory_bytes(gateway.process.pid, "VmHWM") - before_bytes
    points = answer.json()["data"]["site"]["page"]["insights"]["heatmap"]["points"]
    assert len(points) == POINTS and [point["element"] for point in points if point["element"]] == [{"text": TEXT}]
    assert growth_bytes <= MOST_GROWTH * len(answer.content), growth_bytes / len(answer.content)
