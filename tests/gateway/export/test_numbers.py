"""Exports of numbers: the same arguments and numbers as in GraphQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import AsyncClient

from clickhouse.element_marks import Mark, insert_mark
from clickhouse.sites import Site
from tests.asking import create_site, load
from tests.gateway.export.downloads import PAGE, RATE, SITE, flat, graphql, rows, window
from tests.reference.rows import DataSet

POINT = "{ x y relativeX fixed count share element { selector label text tag } }"
BUCKET = f"{{ depth visitors count reach {RATE} }}"
BREAKDOWN = f"{{ value label isOther pageviews visitors sessions clicks rageClicks deadClicks share {RATE} }}"
TIMELINE = "{ start isPartial pageviews visitors sessions clicks rageClicks deadClicks }"
ELEMENT = f"""{{ key elementCount element {{ pageKey selector label tag text href name isCta isFixed top left width height viewportWidth }}
    x y displays clicks clickRate {RATE} clickShare {RATE}
    visitors sessions averageSecondsToClick rageClicks deadClicks belowFold {RATE} }}"""
SPOT = "pageKey pageCount x relativeX y fixed element { selector label text tag }"
RAGE = f"{{ {SPOT} count clicks averageClicks maxClicks severity }}"
CHANGE = "{ baseline candidate delta relativeDelta }"
RATE_CHANGE = f"{{ baseline {RATE} candidate {RATE} delta relativeDelta low high significant }}"
WIDE = [
    pytest.param("points", {"kind": "CLICK"}, f"heatmap(kind: CLICK, first: 100000) {{ rows: points {POINT} }}", id="points"),
    pytest.param(
        "points",
        {"kind": "MOVE", "aggregation": "UNIQUE_VISITORS", "cell": {"width": 40.5, "height": 90}, "hideOrigin": False, "first": 7},
        f"""heatmap(kind: MOVE, aggregation: UNIQUE_VISITORS, cell: {{width: 40.5, height: 90}}, hideOrigin: false, first: 7)
            {{ rows: points {POINT} }}""",
        id="points-with-arguments",
    ),
    pytest.param("scroll", {}, f"scroll {{ rows: buckets {BUCKET} }}", id="scroll"),
    pytest.param(
        "scroll",
        {"unit": "PIXEL", "step": 250, "aggregation": "TOTAL"},
        f"scroll(unit: PIXEL, step: 250, aggregation: TOTAL) {{ rows: buckets {BUCKET} }}",
        id="scroll-px",
    ),
    pytest.param(
        "attention",
        {"bandHeight": 300, "top": 50},
        f"attention(bandHeight: 300, top: 50) {{ rows: bands {{ y height attention averageSeconds reach {RATE} }} }}",
        id="attention",
    ),
    pytest.param("breakdown", {"by": "COUNTRY", "first": 2}, f"rows: breakdown(by: COUNTRY, first: 2) {BREAKDOWN}", id="breakdown"),
    pytest.param("timeline", {"interval": "HOUR"}, f"rows: timeline(interval: HOUR) {TIMELINE}", id="timeline"),
    pytest.param("elements", {}, f"elements(first: 100) {{ rows: nodes {ELEMENT} }}", id="elements"),
    pytest.param(
        "elements",
        {"groupBy": "TEXT", "orderBy": {"field": "CONVERSIONS"}, "first": 3},
        f"elements(groupBy: TEXT, orderBy: {{field: CONVERSIONS}}, first: 3) {{ rows: nodes {ELEMENT} }}",
        id="elements-by-text",
    ),
    pytest.param(
        "elements",
        {"orderBy": {"field": "KEY", "direction": "DESC"}},
        f"elements(orderBy: {{field: KEY, direction: DESC}}, first: 100) {{ rows: nodes {ELEMENT} }}",
        id="elements-by-key",
    ),
    pytest.param(
        "elements",
        {"orderBy": {"field": "CONVERSIONS", "event": "signup"}},
        f'elements(orderBy: {{field: CONVERSIONS, event: "signup"}}, first: 100) {{ rows: nodes {ELEMENT} }}',
        id="elements-by-event",
    ),
    pytest.param(
        "conversionsByDepth",
        {},
        f"conversionsByDepth {{ rows: depths {{ depth sessions conversions rate {RATE} revenue {{ currency amount }} }} }}",
        id="conversions",
    ),
    pytest.param(
        "conversionsByDepth",
        {"event": "purchase", "unit": "PIXEL", "step": 300},
        f"""conversionsByDepth(event: "purchase", unit: PIXEL, step: 300)
            {{ rows: depths {{ depth sessions conversions rate {RATE} revenue {{ currency amount }} }} }}""",
        id="conversions-of-an-event",
    ),
    pytest.param("rageClicks", {}, f"rageClicks(first: 100) {{ rows: nodes {RAGE} }}", id="rage"),
    pytest.param(
        "rageClicks",
        {"rule": {"minClicks": 2, "windowMs": 10000, "radiusPx": 500}},
        f"rageClicks(rule: {{minClicks: 2, windowMs: 10000, radiusPx: 500}}, first: 100) {{ rows: nodes {RAGE} }}",
        id="rage-by-rule",
    ),
    pytest.param("deadClicks", {}, f"deadClicks(first: 100) {{ rows: nodes {{ {SPOT} clicks share }} }}", id="dead"),
]


@pytest.mark.parametrize(("name", "parameters", "field"), WIDE)
@pytest.mark.parametrize("lens", [{}, {"device": ["MOBILE", "TABLET"], "excludeTestAccounts": True}], ids=["all", "segment"])
async def test_a_file_has_the_numbers_of_graphql(
    http: AsyncClient, data: DataSet, name: str, parameters: dict[str, Any], field: str, lens: dict[str, Any]
) -> None:
    for page in (True, False):
        insights = f'page(key: "{PAGE}") {{ insights(window: $w, segment: $s)' if page else "insights(url: $url, window: $w, segment: $s)"
        unused = "matchedPages(url: $url) { totalCount } " if page else ""
        answer = await graphql(http, f"{unused}{insights} {{ {field} }}" + (" }" if page else ""), w=window(data), s=lens)
        answered = (answer["page"] if page else answer)["insights"]
        while "rows" not in answered:
            (answered,) = answered.values()
        which = {"page": PAGE} if page else {"url": {"prefix": "https"}}
        found = await rows(http, name, window=window(data), segment=lens, **which, **parameters)
        assert found == [flat(row) for row in answered["rows"]] and found


async def test_elements_have_their_marks(http: AsyncClient, database: SyncClient, data: DataSet) -> None:
    site = create_site(database, Site("site_export_named", "Named"))
    load(database, site, data.rows)
    mark = insert_mark(
        Mark(site.site_id, PAGE, "#signup"), Mark(site.site_id, PAGE, "#signup", name="Sign up", is_cta=True), "k", datetime.now(UTC)
    )
    database.insert(mark.table, mark.rows, column_names=mark.columns)
    lens = {"siteId": site.site_id, "page": PAGE, "window": window(data)}
    (cta,) = await rows(http, "elements", ctasOnly=True, groupBy="NAME", **lens)
    assert [cta[name] for name in ("key", "elementSelector", "elementName", "elementIsCta")] == ["Sign up", "#signup", "Sign up", True]
    others = [row for row in await rows(http, "elements", **lens) if row["elementSelector"] != "#signup"]
    assert others and all(row["elementName"] is None and row["elementIsCta"] is False for row in others)


CHANGES = [
    pytest.param(
        "elementChanges",
        {"orderBy": "SHARE"},
        f"""elements(orderBy: SHARE, first: 100) {{ element {{ selector label text tag }} clicks {CHANGE}
            clickRate {RATE_CHANGE} clickShare {RATE_CHANGE} }}""",
        id="elements",
    ),
    pytest.param(
        "cellChanges",
        {"kind": "DEAD_CLICK"},
        f"""cells(kind: DEAD_CLICK, first: 1000) {{ x y relativeX fixed count {CHANGE} share {RATE_CHANGE}
            element {{ selector label text tag }} }}""",
        id="cells",
    ),
    pytest.param(
        "scrollChanges",
        {"unit": "PIXEL", "step": 200},
        f"scroll(unit: PIXEL, step: 200) {{ buckets {{ depth visitors {CHANGE} reach {RATE_CHANGE} }} }}",
        id="scroll",
    ),
]


@pytest.mark.parametrize(("name", "parameters", "field"), CHANGES)
@pytest.mark.parametrize("page", [True, False], ids=["page", "site"])
async def test_changes_have_the_numbers_of_graphql(
    http: AsyncClient, data: DataSet, name: str, parameters: dict[str, Any], field: str, page: bool
) -> None:
    sides = {"baseline": {"window": window(data)}, "candidate": {"window": window(data), "segment": {"device": ["MOBILE"]}}}
    query = f'query ($b: Lens!, $c: Lens!) {{ site(siteId: "{SITE.site_id}") {{ %s }} }}'
    compare = f"compare(baseline: $b, candidate: $c) {{ {field} }}"
    selection = f'page(key: "{PAGE}") {{ {compare} }}' if page else compare
    variables = {"b": sides["baseline"], "c": sides["candidate"]}
    answered = (await http.post("/graphql", json={"query": query % selection, "variables": variables})).json()["data"]
    while isinstance(answered, dict):
        (answered,) = answered.values()
    found = await rows(http, name, **sides, **({"page": PAGE} if page else {}), **parameters)
    assert found == [flat(row) for row in answered] and found
