"""Elements the tracker told of are listed under a URL rule as they are on their pages, whether or not anything happened there in the lens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.sites import PLANS, Site
from tests.asking import NOW, ask, create_site, load

SITE = Site("site_told", "Told", plan="PRO")
PAGES = [f"https://example.com/page-{number:02}" for number in range(11)]
"""One more than the plan covers."""
COVERED = [f"#on-{number:02}" for number in range(10)]
WINDOW = '{last: "-24h"}'


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient) -> None:
    """Two days ago an element on each page; since then one pageview, of the third page with a query."""
    assert PLANS[SITE.plan].max_pages == len(COVERED)
    shared: dict[str, Any] = {"sessionId": "s", "visitorId": "v", "viewportWidth": 1280, "viewportHeight": 800}
    told = {"type": "element", "x": 10, "y": 20}
    rows = [
        shared | {"url": url, "timestamp": (NOW - timedelta(days=2, minutes=-number)).isoformat()} | row
        for number, url in enumerate(PAGES)
        for row in ({"type": "pageview"}, told | {"selector": f"#on-{url[-2:]}"})
    ]
    now = (NOW - timedelta(hours=1)).isoformat()
    rows.append(shared | {"type": "pageview", "url": f"{PAGES[2]}?from=mail", "timestamp": now, "sessionId": "t"})
    assert not load(database, create_site(database, SITE), rows).rejected


async def asked(client: Client, query: str) -> Any:
    return (await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {query} }} }}'))["site"]


def keys(insights: Any) -> list[str]:
    return [row["key"] for row in insights["elements"]["nodes"]]


LISTED = "elements(first: 100, orderBy: {field: KEY}) { totalCount nodes { key displays } }"


@pytest.mark.parametrize(
    ("rule", "listed"),
    [
        ('exact: "https://example.com/page-00/"', COVERED[:1]),
        ('ignoreQuery: "https://example.com/page-00?a=1"', COVERED[:1]),
        ('path: "/page-00"', COVERED[:1]),
        ('prefix: "https://example.com/page-0"', COVERED),
        ('prefix: "https://example.com/page-1"', []),
        ('wildcard: "*/page-0*"', COVERED),
        ('regex: ".*/page-0[01]"', COVERED[:2]),
        ('exact: "https://example.com/page-00?from=mail"', []),
        ('wildcard: "*?from=mail"', COVERED[2:3]),
    ],
)
async def test_under_a_rule(rule: str, listed: list[str], client: Client) -> None:
    """Of the pages whose key it matches and the plan covers, and of those with rows in the lens."""
    got = (await asked(client, f'insights(url: {{{rule}}}, window: {WINDOW}) {{ {LISTED} named: element(selector: "#on-00") {{ y }} }}'))[
        "insights"
    ]
    assert (keys(got), got["elements"]["totalCount"]) == (listed, len(listed))
    assert got["named"] == ({"y": 20} if "#on-00" in listed else None)


async def test_of_the_whole_site(client: Client) -> None:
    got = (await asked(client, f"compare(baseline: {{window: {WINDOW}}}, candidate: {{window: {WINDOW}}}) {{ baseline {{ {LISTED} }} }}"))[
        "compare"
    ]["baseline"]
    assert keys(got) == COVERED


async def test_of_a_page_seen_two_ways(client: Client) -> None:
    of_page = f'page(key: "{PAGES[0]}") {{ insights(window: {WINDOW}) {{ {LISTED} }} }}'
    got = await asked(client, f'{of_page} insights(url: {{exact: "{PAGES[0]}"}}, window: {WINDOW}) {{ {LISTED} }}')
    assert got["insights"] == got["page"]["insights"] == {"elements": {"totalCount": 1, "nodes": [{"key": "#on-00", "displays": 0}]}}
