"""What others make of the endpoint: the audits of GraphQL over HTTP, and clients as they come."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError

from tests.conftest import require
from tests.gateway.processes import ROOT
from tests.javascript import passed
from tests.served import Served

ARIADNE = ROOT / ".venv/ariadne-codegen/bin"
QUESTION = """
    query Pricing($window: Window!) {
      site(siteId: "site_abc123") { pages(window: $window, first: 1) { edges { node { key } totals { clicks rageRate { value } } } } }
    }
"""
ANSWER = {"node": {"key": "https://example.com/pricing"}, "totals": {"clicks": 2, "rageRate": {"value": 0.0}}}


def test_graphql_over_http(shop: Served) -> None:
    assert passed("audits.mjs", HEATGRAPH=shop.url, TOKEN=shop.token) == 61


def test_clients_in_javascript(shop: Served) -> None:
    assert passed("clients.mjs", HEATGRAPH=shop.url, TOKEN=shop.token) == 5


def test_tools_that_read_the_schema(shop: Served) -> None:
    assert passed("tools.mjs", HEATGRAPH=shop.url, TOKEN=shop.token) == 3


async def test_gql(shop: Served) -> None:
    transport = AIOHTTPTransport(shop.url, headers={"Authorization": f"Bearer {shop.token}"})
    async with Client(transport=transport, fetch_schema_from_transport=True) as client:
        answer = await client.execute(GraphQLRequest(QUESTION, variable_values={"window": {"last": "-7d"}}))
        assert answer["site"]["pages"]["edges"] == [ANSWER]
        with pytest.raises(TransportQueryError, match="absolute URL"):
            await client.execute(gql('{ site(siteId: "site_abc123") { page(key: "no url") { key } } }'))


def test_ariadne_codegen(shop: Served, tmp_path: Path) -> None:
    require(ARIADNE.exists(), "ariadne-codegen in an environment of its own; run the tests with: make test")
    (tmp_path / "pricing.graphql").write_text(QUESTION)
    (tmp_path / "pyproject.toml").write_text(
        f"""
        [tool.ariadne-codegen]
        remote_schema_url = "{shop.url}"
        queries_path = "pricing.graphql"
        """
    )
    (tmp_path / "ask.py").write_text(
        f"""
import asyncio
from graphql_client import Client, Window

async def ask():
    client = Client("{shop.url}", {{"Authorization": "Bearer {shop.token}"}})
    print((await client.pricing(window=Window(last="-7d"))).site.pages.edges[0].model_dump_json(by_alias=True))

asyncio.run(ask())
        """
    )
    for command in (("ariadne-codegen",), ("python", "ask.py")):
        ran = subprocess.run([ARIADNE / command[0], *command[1:]], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"clicks":2' in ran.stdout
