"""Exports: the same arguments, numbers and errors as GraphQL, in three formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import AsyncClient, Response

from clickhouse.element_marks import Mark, insert_mark
from clickhouse.sites import Site
from gateway.app import create_app
from gateway.settings import Settings
from schema.exports import EXPORTS
from tests.asking import create_site, load
from tests.gateway.applications import make_token, serving
from tests.reference.rows import DataSet, data_set

REPLAYS = "https://replay.example/{sessionId}?who={visitorId}&t={offsetSeconds}&day={date}"
SITE = Site("site_export", "Export", time_zone="Europe/Berlin", replay_url_template=REPLAYS)
PAGE = "https://example.com/pricing"
RATE = "{ value numerator denominator basis low high }"
POINT = "{ x y relativeX fixed count share element { selector label text tag } }"
BUCKET = f"{{ depth visitors count reach {RATE} }}"
BREAKDOWN = f"{{ value label isOther pageviews visitors sessions clicks rageClicks deadClicks share {RATE} }}"
TIMELINE = "{ start isPartial pageviews visitors sessions clicks rageClicks deadClicks }"
ELEMENT = f"""{{ key elementCount element {{ pageKey selector label tag text href name isCta isFixed top left width height viewportWidth }}
    x y displays clicks clickRate {RATE} clickShare {RATE}
    visitors sessions averageSecondsToClick rageClicks deadClicks belowFold {RATE} }}"""
SPOT = "pageKey pageCount x relativeX y fixed element { selector label text tag }"
RAGE = f"{{ {SPOT} count clicks averageClicks maxClicks severity }}"
REPLAY = """{ sessionId visitorId url startedAt durationSeconds breakpoint device country browser entryPage trafficSource region campaign variant
    pages clicks rageClicks deadClicks conversions watchScore { value rage dead duration lost } }"""
CHANGE = "{ baseline candidate delta relativeDelta }"
RATE_CHANGE = f"{{ baseline {RATE} candidate {RATE} delta relativeDelta low high significant }}"
INTERACTION = "{ kind timestamp relativeX y fixed url element { selector label text tag } sessionId visitorId offsetSeconds replayUrl }"
TOTALS = f"""{{ pageviews visitors sessions bounceRate {RATE} averageSecondsOnPage clicks rageClicks deadClicks
    rageRate {RATE} deadRate {RATE} issueScore {{ value }} breakpoints {{ clicks }} }}"""


@pytest.fixture(scope="module")
def data() -> DataSet:
    return data_set(Random(11), sessions=50)


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient, data: DataSet) -> None:
    create_site(database, SITE)
    load(database, SITE, data.rows)
    create_site(database, Site("site_export_free", "Free", plan="FREE"))


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[AsyncClient]:
    bearer = make_token(settings, "heatmap:read", "replay:read")
    async with serving(create_app(settings)) as http:
        http.headers["Authorization"] = f"Bearer {bearer}"
        yield http


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


async def test_replays_need_their_scope(settings: Settings, http: AsyncClient) -> None:
    http.headers["Authorization"] = f"Bearer {make_token(settings, 'heatmap:read')}"
    refused = await export(http, "replays.csv")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


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


def needed(data: DataSet, name: str) -> dict[str, Any]:
    """Parameters with which the export has rows."""
    if name.endswith("Changes"):
        return {"baseline": {"window": window(data)}, "candidate": {"window": window(data), "segment": {"device": ["MOBILE"]}}}
    more = {"breakdown": {"by": "VARIANT"}, "filterValues": {"dimension": "COUNTRY"}}.get(name, {})
    return {"window": window(data)} | ({} if name in ("filterValues", "eventNames") else {"url": {"prefix": "https"}}) | more


@pytest.mark.parametrize("name", EXPORTS)
async def test_every_format_holds_the_same_rows(http: AsyncClient, database: SyncClient, data: DataSet, name: str) -> None:
    parameters = needed(data, name)
    expected = await rows(http, name, **parameters)
    assert expected
    table = await export(http, f"{name}.csv", **parameters)
    read_rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [parsed(text, row) for text, row in zip(read_rows, expected, strict=True)] == [
        {key: value if isinstance(value, float) else written(value) for key, value in row.items()} for row in expected
    ]
    parquet = (await export(http, f"{name}.parquet", **parameters)).content
    read = database.raw_query(f"SELECT * FROM format(Parquet, unhex('{parquet.hex()}')) FORMAT JSONEachRow")
    assert [orjson.loads(line) for line in read.splitlines()] == expected


FORMULAS = ("=1+1", "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1+1")
"""Texts as visitors may send them."""
TEXTS = (*FORMULAS, "it's", "a=1", "")


@pytest.fixture(scope="module")
def formulas(database: SyncClient) -> Site:
    """A site with a session, an element, an event and a campaign of each of them."""
    site, at = Site("site_formulas", "Formulas"), (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    sent: list[dict[str, Any]] = []
    for text in TEXTS:
        shared = {"timestamp": at, "sessionId": text or "s", "visitorId": "v", "url": PAGE, "viewportWidth": 400, "viewportHeight": 800}
        click: dict[str, Any] = {"type": "click", "x": 1, "y": 1, "selector": f"#b{len(sent)}", "text": text}
        event = [{"type": "event", "name": text}] if text else []
        sent += [shared | {"campaign": text} | row for row in ({"type": "pageview"}, click, *event)]
    load(database, create_site(database, site), sent)
    return site


@pytest.mark.parametrize(
    ("name", "column", "parameters"),
    [
        ("breakdown", "value", {"by": "CAMPAIGN", "url": {"prefix": "https"}}),
        ("filterValues", "value", {"dimension": "CAMPAIGN"}),
        ("eventNames", "name", {}),
        ("elements", "elementText", {"url": {"prefix": "https"}}),
        ("interactions", "elementText", {"kind": "CLICK", "url": {"prefix": "https"}}),
        ("replays", "sessionId", {}),
    ],
)
async def test_what_begins_like_a_formula_is_a_text_for_spreadsheets(
    http: AsyncClient, database: SyncClient, formulas: Site, name: str, column: str, parameters: dict[str, Any]
) -> None:
    parameters["siteId"] = formulas.site_id
    exact = [row[column] for row in await rows(http, name, **parameters)]
    assert set(FORMULAS) < set(exact)
    parquet = (await export(http, f"{name}.parquet", **parameters)).content
    read = database.raw_query(f"SELECT * FROM format(Parquet, unhex('{parquet.hex()}')) FORMAT JSONEachRow")
    assert [orjson.loads(line)[column] for line in read.splitlines()] == exact
    table = csv.DictReader(io.StringIO((await export(http, f"{name}.csv", **parameters)).text))
    assert [row[column] for row in table] == [f"'{text}" if text in FORMULAS else text or "" for text in exact]


def written(value: Any) -> str:
    """As ClickHouse writes it to CSV."""
    if value is None:
        return ""
    if isinstance(value, (bool, list)):
        return orjson.dumps(value).decode()
    return str(value)


def parsed(texts: dict[str, str], row: dict[str, Any]) -> dict[str, Any]:
    """Numbers with a fraction as such: their notation is free."""
    return {key: float(text) if isinstance(row[key], float) else text for key, text in texts.items()}


async def test_files_have_names_and_types(http: AsyncClient) -> None:
    types = {
        "ndjson": "application/x-ndjson",
        "csv": "text/csv; charset=utf-8; header=present",
        "parquet": "application/vnd.apache.parquet",
    }
    for suffix, media_type in types.items():
        response = await export(http, f"pages.{suffix}")
        assert response.headers["content-type"] == media_type
        assert response.headers["content-disposition"] == f'attachment; filename="site_export-pages.{suffix}"'
        assert response.headers["cache-control"] == "no-store" and response.headers["x-request-id"]


async def test_ids_of_people_need_a_scope(settings: Settings, http: AsyncClient, data: DataSet) -> None:
    lens = {"kind": "CLICK", "url": {"prefix": "https"}, "window": window(data), "first": 5}
    named = await rows(http, "interactions", **lens)
    assert [bool(row["sessionId"] and row["visitorId"]) for row in named] == [True] * 5
    key = make_token(settings, "heatmap:read")
    http.headers["Authorization"] = f"Bearer {key}"
    narrower = await rows(http, "interactions", **lens)
    assert len(narrower) == 5 and all(
        row[name] is None for row in narrower for name in ("sessionId", "visitorId", "offsetSeconds", "replayUrl")
    )


async def test_urls_are_written_as_people_search_for_them(http: AsyncClient) -> None:
    assert f'"key":"{PAGE}"'.encode() in (await export(http, "pages.ndjson", search=PAGE)).content


async def test_no_rows_is_an_empty_file(http: AsyncClient) -> None:
    lens = {"page": PAGE, "segment": {"country": ["nowhere"]}}
    assert (await export(http, "points.ndjson", **lens)).content == b""
    assert (await export(http, "points.csv", **lens)).text.startswith('"x","y"')


@pytest.mark.parametrize(
    ("file", "parameters", "status", "code", "says"),
    [
        ("points.xml", {}, 404, "NOT_FOUND", "FORMAT of ndjson, csv, parquet"),
        ("nothing.csv", {}, 404, "NOT_FOUND", "NAME of points"),
        ("points.csv", {}, 400, "BAD_USER_INPUT", "exactly one of `page`"),
        ("points.csv", {"page": PAGE, "url": {"path": "/"}}, 400, "BAD_USER_INPUT", "exactly one of `page`"),
        ("points.csv", {"page": "https://example.com/never"}, 404, "NOT_FOUND", "never saw"),
        ("points.csv", {"page": PAGE, "kind": "TAP"}, 400, "BAD_USER_INPUT", "kind: Value 'TAP' does not exist"),
        ("points.csv", {"page": PAGE, "frist": "1"}, 400, "BAD_USER_INPUT", "frist: no parameter of this export"),
        ("points.csv", {"page": PAGE, "after": "x"}, 400, "BAD_USER_INPUT", "after: no parameter of this export"),
        ("points.csv", {"page": PAGE, "first": "many"}, 400, "BAD_USER_INPUT", "first: not valid JSON"),
        ("points.csv", {"page": "nope"}, 400, "BAD_USER_INPUT", "page: an absolute URL"),
        ("points.csv", {"page": PAGE, "cell": {"width": 0, "height": 1}}, 400, "BAD_USER_INPUT", "cell.width: a number from 1"),
        ("points.csv", {"page": PAGE, "window": {"last": "-7d", "period": "D7"}}, 400, "BAD_USER_INPUT", "window"),
        ("points.csv", {"page": PAGE, "window": "{"}, 400, "BAD_USER_INPUT", "window: not valid JSON"),
        ("points.csv", {"page": PAGE, "window": {"last": "-1y"}}, 400, "BAD_USER_INPUT", "at most 92 days"),
        ("points.csv", {"page": PAGE, "segment": {"planet": ["Mars"]}}, 400, "BAD_USER_INPUT", "planet"),
        ("breakdown.csv", {"page": PAGE}, 400, "BAD_USER_INPUT", "by: is needed"),
        ("scroll.csv", {"page": PAGE, "step": 0}, 400, "BAD_USER_INPUT", "step: 1 to 100"),
        ("attention.csv", {"page": PAGE, "bandHeight": 1}, 400, "BAD_USER_INPUT", "bandHeight: 10 to"),
        ("interactions.csv", {"page": PAGE, "points": []}, 400, "BAD_USER_INPUT", "points: 1 to 1000"),
        ("elements.csv", {"page": PAGE, "groupBy": "TAG"}, 400, "BAD_USER_INPUT", "groupBy: Value 'TAG' does not exist"),
        ("rageClicks.csv", {"page": PAGE, "rule": {"minClicks": 1}}, 400, "BAD_USER_INPUT", "rule.minClicks: 2 to 100"),
        ("replays.csv", {"page": PAGE, "url": {"path": "/"}}, 400, "BAD_USER_INPUT", "exactly one of `page`"),
        ("replays.csv", {"having": {"minRage": -1}}, 400, "BAD_USER_INPUT", "having.minRage: 0 to"),
        ("filterValues.csv", {}, 400, "BAD_USER_INPUT", "dimension: is needed"),
        ("filterValues.csv", {"dimension": "BROWSER", "page": PAGE}, 400, "BAD_USER_INPUT", "page: no parameter of this export"),
        ("elementChanges.csv", {"baseline": {}}, 400, "BAD_USER_INPUT", "candidate: is needed"),
        ("scrollChanges.csv", {"baseline": {}, "candidate": {"window": {"last": "x"}}}, 400, "BAD_USER_INPUT", "candidate.window"),
        ("pages.csv", {"page": PAGE}, 400, "BAD_USER_INPUT", "page: no parameter of this export"),
        ("pages.csv", {"url": {"regex": "("}}, 400, "BAD_USER_INPUT", "url.regex: no valid RE2"),
        ("pages.csv", {"siteId": "site_other"}, 404, "NOT_FOUND", "No site 'site_other'"),
        ("pages.csv", {"siteId": "site_export_free"}, 403, "PLAN_REQUIRED", "require the PRO plan"),
    ],
)
async def test_bad_requests_are_told_apart(
    http: AsyncClient, file: str, parameters: dict[str, Any], status: int, code: str, says: str
) -> None:
    response = await export(http, file, **parameters)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, code) and says in error["message"]
    assert error["message"].startswith(error["extensions"].get("argument", ""))


async def test_a_key_with_its_scope_is_needed(settings: Settings, http: AsyncClient) -> None:
    narrow = make_token(settings, "replay:read")
    http.headers["Authorization"] = f"Bearer {narrow}"
    forbidden = await export(http, "pages.csv")
    assert (forbidden.status_code, forbidden.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    del http.headers["Authorization"]
    nobody = await export(http, "pages.csv")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="heatgraph"')


async def test_only_get_and_each_parameter_once(http: AsyncClient) -> None:
    assert (await http.post("/export/pages.csv")).status_code == 405
    assert (await http.get("/export/pages.csv?siteId=a&siteId=b")).json()["errors"][0][
        "message"
    ] == "A parameter is given twice in the URL."
