"""Clicks at (0, 0), as a keyboard makes them: they count, and say nothing of where their element or spot is."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.sites import Site
from tests.asking import NOW, ask, create_site, load

SITE = Site("site_origin", "Origin")
PAGE = "https://example.com/"
AT = int(NOW.timestamp() * 1000) - 3_600_000
STATS = "x y displays clicks clickRate { numerator denominator } element { top left }"


def row(kind: str, session: int, ms: int = 0, width: int = 1280, **own: Any) -> dict[str, Any]:
    sizes = {"viewportWidth": width, "viewportHeight": 800, "pageHeight": 3000}
    return {"type": kind, "timestamp": AT + 60_000 * session + ms, "sessionId": f"s{session}", "visitorId": "v", "url": PAGE} | sizes | own


def keyboard(kind: str, session: int, ms: int, selector: str) -> dict[str, Any]:
    return row(kind, session, ms, selector=selector, x=0, y=0)


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient) -> None:
    rows = [row("pageview", session) for session in range(10)]
    rows += [row("scroll", session, 1, scrollY=1800) for session in range(3)]
    rows += [row("click", 0, 10, selector="#send", x=640, y=2000), keyboard("click", 1, 10, "#send"), keyboard("click", 2, 10, "#send")]
    rows += [row("dead", 0, 20, selector="h2", x=200, y=900), keyboard("dead", 1, 20, "h2"), keyboard("dead", 2, 20, "h2")]
    rows += [keyboard("dead", 3, 20, "#skip")]
    rows += [row("element", 4, 1, 375, selector="#menu", x=75, y=1500), keyboard("click", 4, 20, "#menu")]
    rows += [row("click", 5, 3000 + number, selector="#go", x=320, y=1000) for number in range(5)]
    rows += [keyboard("click", 6, 3000 + number, "#go") for number in range(5)]
    rows += [keyboard("click", 7, 3000 + number, "#go") for number in range(6)]
    assert not load(database, create_site(database, SITE), rows).rejected


async def insights(client: Client, fields: str, segment: str = "{}") -> Any:
    query = f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "{PAGE}") {{ insights(segment: {segment}) {{ {fields} }} }} }} }}'
    return (await ask(client, query))["site"]["page"]["insights"]


async def test_an_element_is_where_its_other_clicks_are(client: Client) -> None:
    send = (await insights(client, f'element(selector: "#send") {{ {STATS} }}'))["element"]
    assert send == {
        "x": 640.0,
        "y": 2000,
        "displays": 3,
        "clicks": 3,
        "clickRate": {"numerator": 3, "denominator": 3},
        "element": {"top": 2000, "left": 640.0},
    }


async def test_an_element_told_in_another_layout_is_there(client: Client) -> None:
    menu = (await insights(client, f'element(selector: "#menu") {{ {STATS} }}', "{breakpoint: [DESKTOP]}"))["element"]
    assert (menu["x"], menu["y"], menu["displays"], menu["clicks"]) == (0.2 * 1280, 1500, 3, 1)


async def test_without_any_other_click_or_word_it_is_at_the_origin(client: Client) -> None:
    skip = (await insights(client, f'element(selector: "#skip") {{ {STATS} }}'))["element"]
    assert (skip["x"], skip["y"], skip["displays"], skip["element"]) == (0.0, 0, 10, {"top": 0, "left": 0.0})


@pytest.mark.parametrize("rule", ["", "(rule: {minClicks: 5, windowMs: 1000, radiusPx: 30})"])
async def test_spots_are_where_their_other_clicks_are(client: Client, rule: str) -> None:
    spot = "nodes { x y clicks element { selector } }"
    found = await insights(client, f"deadClicks {{ {spot} }} rageClicks{rule} {{ {spot} }}")
    assert found["deadClicks"]["nodes"] == [
        {"x": 200.0, "y": 900, "clicks": 3, "element": {"selector": "h2"}},
        {"x": 0.0, "y": 0, "clicks": 1, "element": {"selector": "#skip"}},
    ]
    assert found["rageClicks"]["nodes"] == [{"x": 320.0, "y": 1000, "clicks": 16, "element": {"selector": "#go"}}]
