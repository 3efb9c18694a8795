"""What others make of the endpoint: the audits of GraphQL over HTTP, and clients as they come."""

from __future__ import annotations

from tests.javascript import passed
from tests.served import Served


def test_graphql_over_http(shop: Served) -> None:
    assert passed("audits.mjs", HEATGRAPH=shop.url, TOKEN=shop.token) == 61
