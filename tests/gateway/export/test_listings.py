"""Exports of what is listed one by one: the same arguments and rows as in GraphQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import AsyncClient

from clickhouse.sites import Site
from gateway.settings import Settings
from tests.asking import create_site, load
from tests.gateway.applications import make_token
from tests.gateway.export.downloads import PAGE, RATE, REPLAYS, flat, graphql, rows, window
from tests.reference.rows import DataSet

REPLAY = """{ sessionId visitorId url startedAt durationSeconds breakpoint device country browser entryPage trafficSource region campaign variant
    pages clicks rageClicks deadClicks conversions watchScore { value rage dead duration lost } }"""
INTERACTION = "{ kind timestamp relativeX y fixed url element { selector label text tag } sessionId visitorId offsetSeconds replayUrl }"
TOTALS = f"""{{ pageviews visitors sessions bounceRate {RATE} averageSecondsOnPage clicks rageClicks deadClicks
    rageRate {RATE} deadRate {RATE} issueScore {{ value }} breakpoints {{ clicks }} }}"""


async def test_interactions_have_the_rows_of_graphql(http: AsyncClient, data: DataSet) -> None:
    field = f"interactions(kind: DEAD_CLICK, first: 100) {{ nodes {INTERACTION} totalCount }}"
    answered = (await graphql(http, f"insights(url: $url, window: $w, segment: $s) {{ {field} }}", w=window(data)))["insights"]
    expected = [flat(row) for row in answered["interactions"]["nodes"]]
    every = await rows(http, "interactions", kind="DEAD_CLICK", url={"prefix": "https"}, window=window(data))
    assert len(every) == answered["interactions"]["totalCount"]
    for row in (*every, *expected):
        row["timestamp"] = datetime.fromisoformat(row["timestamp"])
    assert every[:100] == expected and expected
    assert len(await rows(http, "interactions", kind="DEAD_CLICK", url={"prefix": "https"}, window=window(data), first=3)) == 3


async def test_interactions_of_a_session_with_two_visitors_have_each_its_own(http: AsyncClient, database: SyncClient) -> None:
    site = create_site(database, Site("site_export_two", "Two", replay_url_template=REPLAYS))
    shared = {"type": "click", "sessionId": "s", "url": PAGE, "viewportWidth": 1280, "viewportHeight": 800, "x": 5, "y": 5}
    at_ms = int(datetime.now(UTC).timestamp() * 1000) - 60_000
    load(database, site, [shared | {"visitorId": who, "timestamp": at_ms + n} for n, who in enumerate(("anonymous", "ada"))])
    day = datetime.fromtimestamp(at_ms / 1000, UTC).date()
    found = await rows(http, "interactions", siteId=site.site_id, page=PAGE)
    assert [(row["sessionId"], row["visitorId"]) for row in found] == [("s", "ada"), ("s", "anonymous")]
    assert [row["replayUrl"] for row in found] == [f"https://replay.example/s?who=anonymous&t=0&day={day}"] * 2


async def test_interactions_on_an_element_marked_fixed_are_fixed(
    settings: Settings, http: AsyncClient, database: SyncClient, data: DataSet
) -> None:
    site = create_site(database, Site("site_export_marked", "Marked"))
    load(database, site, data.rows)
    lens = {"siteId": site.site_id, "kind": "CLICK", "page": PAGE, "window": window(data)}

    async def fixed() -> set[bool]:
        return {row["fixed"] for row in await rows(http, "interactions", **lens) if row["elementSelector"] == "#signup"}

    assert await fixed() == {False}
    mark = f'mutation {{ markElement(siteId: "{site.site_id}", pageKey: "{PAGE}", selector: "#signup", fixed: true) {{ isFixed }} }}'
    writer = {"Authorization": f"Bearer {make_token(settings, 'element:write')}"}
    assert (await http.post("/graphql", json={"query": mark}, headers=writer)).json()["data"] == {"markElement": {"isFixed": True}}
    assert await fixed() == {True}


async def test_interactions_of_points(http: AsyncClient, data: DataSet) -> None:
    lens = {"url": {"prefix": "https"}, "window": window(data)}
    hottest = (await rows(http, "points", kind="CLICK", first=1, **lens))[0]
    point = {name: hottest[name] for name in ("relativeX", "y", "fixed")}
    assert len(await rows(http, "interactions", kind="CLICK", points=[point], **lens)) == hottest["count"]


async def test_pages_are_listed_as_in_graphql(http: AsyncClient, data: DataSet) -> None:
    for order in ({"field": "ISSUE_SCORE"}, {"field": "AVERAGE_SECONDS_ON_PAGE", "direction": "ASC"}, {"field": "KEY", "direction": "ASC"}):
        by = f"{{field: {order['field']}, direction: {order.get('direction', 'DESC')}}}"
        field = (
            f'pages(window: $w, segment: $s, orderBy: {by}, search: "EXAMPLE.com/") {{ edges {{ node {{ key path }} totals {TOTALS} }} }}'
        )
        edges = (await graphql(http, f"matchedPages(url: $url) {{ totalCount }} {field}", w=window(data)))["pages"]["edges"]
        expected = []
        for edge in edges:
            totals = edge["totals"]
            score, parts = totals.pop("issueScore"), totals.pop("breakpoints")
            clicks = dict(zip(("desktopClicks", "tabletClicks", "mobileClicks"), (part["clicks"] for part in parts), strict=True))
            expected.append({**edge["node"], **flat(totals), "issueScore": score["value"], **clicks})
        found = await rows(http, "pages", window=window(data), orderBy=order, search="EXAMPLE.com/")
        assert [row["key"] for row in found] == [row["key"] for row in expected] and len(found) > 1
        for row, other in zip(found, expected, strict=True):
            assert row.keys() == other.keys()
            for name, value in other.items():
                assert row[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), name


@pytest.mark.parametrize("lens", ["", f', page: "{PAGE}"', ", url"], ids=["site", "page", "rule"])
async def test_replays_are_listed_as_in_graphql(http: AsyncClient, data: DataSet, lens: str) -> None:
    arguments = 'having: {minDurationSeconds: 1, visitedPage: {prefix: "https"}}, orderBy: {field: DURATION, direction: ASC}, first: 100'
    given = {"having": {"minDurationSeconds": 1, "visitedPage": {"prefix": "https"}}, "orderBy": {"field": "DURATION", "direction": "ASC"}}
    for written, parameters in ((arguments, given), ("first: 100", {})):
        which: dict[str, Any] = {}
        listing = f"(window: $w, segment: $s) {{ replays({written}) {{ nodes {REPLAY} }} }}"
        if not lens:
            field = f"replays(window: $w, segment: $s, {written}) {{ nodes {REPLAY} }}"
        elif "page" in lens:
            field, which = f'page(key: "{PAGE}") {{ insights{listing} }}', {"page": PAGE}
        else:
            field, which = f"insights{listing.replace('(window', '(url: $url, window', 1)}", {"url": {"prefix": "https"}}
        answered = await graphql(
            http, f"matchedPages(url: $url) {{ totalCount }} {field}", w=window(data), s={"device": ["MOBILE", "DESKTOP"]}
        )
        while "nodes" not in answered:
            answered.pop("matchedPages", None)
            (answered,) = answered.values()
        found = await rows(http, "replays", window=window(data), segment={"device": ["MOBILE", "DESKTOP"]}, **which, **parameters)
        expected = [flat(node) for node in answered["nodes"]]
        for row in (*found, *expected):
            row["startedAt"] = datetime.fromisoformat(row["startedAt"])
        assert found[:100] == expected and expected
        assert all(row["url"].startswith("https://replay.example/") for row in found)


async def test_values_of_filters(http: AsyncClient, data: DataSet) -> None:
    field = "filterValues(dimension: BROWSER, window: $w, first: 100) { value pageviews visitors sessions }"
    answered = await graphql(
        http, f"matchedPages(url: $url, window: $w) {{ totalCount }} pages(segment: $s) {{ totalCount }} {field}", w=window(data)
    )
    found = await rows(http, "filterValues", dimension="BROWSER", window=window(data))
    assert found == answered["filterValues"] and len(found) > 1
    value = found[-1]["value"]
    assert found[-1] in await rows(http, "filterValues", dimension="BROWSER", window=window(data), search=value.upper(), first=1000)


async def test_names_of_events(http: AsyncClient, data: DataSet) -> None:
    named = "matchedPages(url: $url, window: $w) { totalCount } pages(segment: $s) { totalCount }"
    answered = await graphql(http, f"{named} eventNames(window: $w) {{ name events sessions isConversion }}", w=window(data))
    assert await rows(http, "eventNames", window=window(data)) == answered["eventNames"] and len(answered["eventNames"]) > 1
    assert await rows(http, "eventNames", window=window(data), first=1) == answered["eventNames"][:1]
