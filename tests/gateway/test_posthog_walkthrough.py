"""The README's way from PostHog's ClickHouse to GraphQL, as it is written there, on a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import httpx

from clickhouse.client import open_sync
from tests.gateway.processes import ROOT, running
from tests.servers import Node
from tests.test_posthog import DDL

SECTION = (ROOT / "README.md").read_text().split("## PostHog's ClickHouse")[1].split("\n## ")[0]
ROWS = """
    INSERT INTO heatmaps
    SELECT concat('s', toString(number % 4)), 1, concat('v', toString(number % 3)), now64(6) - 3600, 20, 30, 16, 80, 50, false,
        'https://shop.example/cart', ['click', 'click', 'click', 'scrolldepth'][1 + number % 4]
    FROM numbers(40)
"""


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found
    return found[1]


def test_the_walk_through_of_the_readme(node: Node, tmp_path: Path) -> None:
    dsn = node.dsn(f"posthog_{uuid.uuid4().hex}")
    database = open_sync(dsn)
    database.command(f"CREATE DATABASE `{database.database}`", use_database=False)
    database.command(DDL[0])
    database.command(ROWS)
    database.close()
    configuration = tmp_path / "posthog.toml"
    configuration.write_text(block("toml"))
    export, migrate, create, serve = block("sh").splitlines()
    assert (export, migrate.split("#")[0].split()[1:], serve.split("#")[0].split()[1:]) == (
        "export HEATGRAPH_SOURCES=posthog.toml",
        ["-m", "gateway", "migrate"],
        ["-m", "gateway", "serve"],
    )  # `running` runs these two
    settings = {"HEATGRAPH_SOURCES": str(configuration), "POSTHOG_CLICKHOUSE": dsn, "HEATGRAPH_SECRET": "only for tests"}
    own = {"HEATGRAPH_CLICKHOUSE": str(tmp_path / "data")}
    subprocess.run([sys.executable, *migrate.split("#")[0].split()[1:]], cwd=ROOT, env=os.environ | settings | own, check=True)
    made = subprocess.run(
        [sys.executable, *create.split()[1:]], cwd=ROOT, env=os.environ | settings | own, check=True, capture_output=True, text=True
    )
    with running(tmp_path, **settings) as gateway:
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        answer = httpx.post(f"{gateway.address}/graphql", json={"query": block("graphql")}, headers=headers, timeout=60).json()
    assert "errors" not in answer, answer
    site = answer["data"]["site"]
    (page,) = site["pages"]["edges"]
    assert page == {"node": {"key": "https://shop.example/cart"}, "totals": {"clicks": 30, "rageClicks": 0, "visitors": 3}}
    assert site["insights"]["heatmap"] == {"total": 30, "points": [{"x": 320.0, "y": 480, "count": 30}]}
    assert site["insights"]["scroll"]["buckets"][-1] == {"depth": 1200, "visitors": 3}
    assert site["insights"]["fold"] == {"belowFold": {"value": 0.0}}
    assert {one["field"] for one in site["capabilities"]["fields"] if one["available"]} >= {"totals", "heatmap", "scroll"}
