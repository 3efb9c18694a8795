"""Loading into two shards: late rows replace what they change on the node that holds it, and the answers are those of one server.

What changes rows needs the addresses of all nodes, and says so before it has begun.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from clickhouse.rollups import ROLLUPS
from clickhouse.sites import Site
from clickhouse.tables import TABLES
from gateway.__main__ import main
from gateway.database import Database
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
            load_files(Database(client, shards), SITE, [file])
    found = stored(here, SITE.site_id)
    assert found == stored(single, SITE.site_id)
    assert all(found[table] for table in ("interactions", "pageviews", "sessions", *ROLLUPS))
    assert here.command("SELECT count() FROM touched_sessions") == 0
    counts = [client.command("SELECT count() FROM interactions_local") for client in (here, there)]
    assert all(counts)
    assert sum(map(int, map(str, counts))) == single.command("SELECT count() FROM interactions")
    for client in (single, here, there):
        client.close()


CHANGES = (
    ("load", "rows.ndjson"),
    ("forget", "--visitor", "v1"),
    ("cohorts", "delete", "--name", "Early"),
    ("sites", "set", "--retention-days", "7"),
)


def test_without_all_nodes_nothing_is_changed(nodes: tuple[Node, Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = f"refused_{uuid.uuid4().hex}"
    dsns = [node.dsn(database) for node in nodes]
    clients = [open_sync(dsn) for dsn in dsns]
    for client in clients:
        migrate(client, CLUSTER)
    create_site(clients[0], SITE)
    monkeypatch.chdir(tmp_path)
    Path("rows.ndjson").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows(3, ("click",))))
    Path("visitors").write_text("v1\n")

    def run(*arguments: str, known: tuple[str, ...] = ()) -> Result:
        return CliRunner().invoke(main, [*arguments, "--site", SITE.site_id, "--clickhouse", dsns[0], *known])

    def counts() -> dict[str, str]:
        return {table: str(clients[0].command(f"SELECT count() FROM {table}")) for table in TABLES}

    assert run("cohorts", "load", "visitors", "--name", "Early").exit_code == 0
    before = counts()
    for command in CHANGES:
        refused = run(*command)
        assert (refused.exit_code, refused.stdout) == (2, ""), command
        assert "--cluster-nodes or HEATGRAPH_CLUSTER_NODES" in refused.stderr, command
        assert "Something went wrong" not in refused.stderr
        for known in (dsns[0], f"{dsns[0]},{dsns[0]}"):
            refused = run(*command, known=("--cluster-nodes", known))
            assert (refused.exit_code, refused.stdout) == (2, ""), command
            assert "1 of 2 nodes are known" in refused.stderr, command
    assert counts() == before
    for command in CHANGES:
        done = run(*command, known=("--cluster-nodes", ", ".join(dsns)))
        assert done.exit_code == 0, done.output
    assert counts()["interactions"] == "2"
    for client in clients:
        client.close()
