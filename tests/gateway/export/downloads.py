"""Exports and what GraphQL answers beside them, of one site."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import orjson
from httpx import AsyncClient, Response

from clickhouse.sites import Site
from tests.reference.rows import DataSet

REPLAYS = "https://replay.example/{sessionId}?who={visitorId}&t={offsetSeconds}&day={date}"
SITE = Site("site_export", "Export", time_zone="Europe/Berlin", replay_url_template=REPLAYS)
PAGE = "https://example.com/pricing"
RATE = "{ value numerator denominator basis low high }"


async def export(http: AsyncClient, file: str, **parameters: Any) -> Response:
    """Words as they are, everything else as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return await http.get(f"/export/{file}", params={"siteId": SITE.site_id} | texts)


async def rows(http: AsyncClient, name: str, **parameters: Any) -> list[dict[str, Any]]:
    response = await export(http, f"{name}.ndjson", **parameters)
    assert response.status_code == 200, response.text
    return [orjson.loads(line) for line in response.content.splitlines()]


async def graphql(http: AsyncClient, selection: str, **variables: Any) -> Any:
    query = f'query ($w: Window, $s: Segment, $url: UrlMatch!) {{ site(siteId: "{SITE.site_id}") {{ {selection} }} }}'
    answer = (await http.post("/graphql", json={"query": query, "variables": {"url": {"prefix": "https"}} | variables})).json()
    assert "errors" not in answer, answer
    return answer["data"]["site"]


def flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested names joined; a null element is null in all its parts."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        key = prefix + name[0].upper() + name[1:] if prefix else name
        if name == "element" and value is None:
            value = dict.fromkeys(("selector", "label", "text", "tag"))
        found |= flat(value, key) if isinstance(value, dict) else {key: value}
    return found


def window(data: DataSet) -> dict[str, Any]:
    return {"between": {"from": str(data.first_day), "to": str(data.first_day + timedelta(days=2))}}
