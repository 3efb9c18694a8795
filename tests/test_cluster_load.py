"""Loading into two shards: late rows replace what they change on the node that holds it, and the answers are those of one server."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from clickhouse.rollups import ROLLUPS
from clickhouse.sites import Site
from gateway.load import load_files
from tests.asking import NOW, create_site
from tests.clickhouse.stored import stored
from tests.servers import CLUSTER, Node

SITE = Site("site_cluster", "Cluster")


def rows(sessions: int, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    at_ms = int((NOW - timedelta(days=1)).timestamp() * 1000)
    fields: dict[str, dict[str, Any]] = {
        "click": {"x": 10, "y": 20, "selector": "#buy"},
        "scroll": {"scrollY": 500},
        "pageview": {"country": "DE"},
    }
    return [
        {"type": kind, "timestamp": at_ms + 1000 * session + step, "sessionId": f"s{session}", "visitorId": f"v{session % 11}"}
        | {"url": "https://example.com/", "viewportWidth": 1280, "viewportHeight": 800, "pageHeight": 2000}
        | fields[kind]
        for session in range(sessions)
        for step, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize("twice", [False, True], ids=["late rows", "the same rows again"])
def test_late_rows(nodes: tuple[Node, Node], tmp_path: Path, twice: bool) -> None:
    first, second = nodes
    one, sharded = f"one_{uuid.uuid4().hex}", f"sharded_{uuid.uuid4().hex}"
    single, here, there = open_sync(first.dsn(one)), open_sync(first.dsn(sharded)), open_sync(second.dsn(sharded))
    migrate(single)
    migrate(here, CLUSTER)
    migrate(there, CLUSTER)
    files = []
    for number, kinds in enumerate([("click", "scroll"), ("pageview", "click", "scroll")]):
        file = tmp_path / f"{number}.ndjson"
        file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows(40, kinds)))
        files.append(file)
    for client, shards in ((single, []), (here, [here, there])):
        create_site(client, SITE)
        for file in [*files, *(files if twice else [])]:
            load_files(client, SITE, [file], nodes=shards)
    found = stored(here, SITE.site_id)
    assert found == stored(single, SITE.site_id)
    assert all(found[table] for table in ("interactions", "pageviews", "sessions", *ROLLUPS))
    assert here.command("SELECT count() FROM touched_sessions") == 0
    counts = [client.command("SELECT count() FROM interactions_local") for client in (here, there)]
    assert all(counts)
    assert sum(map(int, map(str, counts))) == single.command("SELECT count() FROM interactions")
    for client in (single, here, there):
        client.close()
