"""A burst belongs to the element most of its clicks were on, also where a lens or the tracker left these clicks out."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.sites import Site
from tests.asking import ask, create_site, load

SITE = Site("site_bursts", "Bursts")
ROOT = "https://example.com/"
PAGE = f"{ROOT}pricing"


@pytest.fixture(autouse=True)
def loaded(database: SyncClient) -> None:
    """On one page a burst over midnight, first on #logo, then on #buy; on another one that the tracker labelled, and no click of it."""
    place = {"visitorId": "v", "viewportWidth": 1280, "viewportHeight": 800, "x": 100, "y": 100}
    burst = {"type": "click", "sessionId": "s", "url": ROOT} | place
    rows: list[dict[str, Any]] = [{"timestamp": "2026-11-10T23:59:59.900Z", "selector": "#logo"} | burst]
    rows += [{"timestamp": f"2026-11-11T00:00:00.{tenth}00Z", "selector": "#buy"} | burst for tenth in range(5)]
    rows += [{"type": "rage", "timestamp": "2026-11-10T12:00:00Z", "sessionId": "t", "url": PAGE, "selector": "#buy", "count": 7} | place]
    rows += [{"type": "click", "timestamp": "2026-11-10T09:00:00Z", "sessionId": "u", "url": PAGE, "selector": "#menu"} | place]
    assert not load(database, create_site(database, SITE), rows).rejected


@pytest.mark.parametrize("url", [ROOT, PAGE, "*"])
async def test_elements_and_rage_spots_name_the_same_bursts(client: Client, url: str) -> None:
    fields = """unattributed totals { clicks rageClicks }
        elements(orderBy: {field: RAGE_CLICKS}) { nodes { key clicks rageClicks } } element(selector: "#buy") { rageClicks }
        rageClicks { nodes { count element { selector } } }"""
    lens = f'insights(url: {{wildcard: "{url}"}}, window: {{between: {{from: "2026-11-10", to: "2026-11-10"}}}})'
    insights = (await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {lens} {{ {fields} }} }} }}'))["site"]["insights"]
    bursts = 2 if url == "*" else 1
    assert insights["rageClicks"]["nodes"] == [{"count": bursts, "element": {"selector": "#buy"}}]
    assert insights["elements"]["nodes"][0] == {"key": "#buy", "clicks": 0, "rageClicks": bursts}
    assert insights["element"] == {"rageClicks": bursts}
    rows = insights["elements"]["nodes"]
    assert insights["totals"] == {"clicks": sum(row["clicks"] for row in rows) + insights["unattributed"], "rageClicks": bursts}
