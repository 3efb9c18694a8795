"""Breakdowns, timelines and filter values, against the plain model and against each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.keys import ApiKey
from clickhouse.sites import Site
from clickhouse.statement import Statement
from tests.asking import EVERYTHING, NOW, answer, ask, create_site, load
from tests.reference.lens import Lens
from tests.reference.lenses import Question, question
from tests.reference.model import DIMENSION_OF, Answer, Model
from tests.reference.rates import rate
from tests.reference.rows import DAY_MS, DataSet, data_set

SITE = Site("site_discovery", "Discovery", time_zone="America/New_York")
CLOCKS = Site("site_clocks", "Clocks", time_zone="Europe/Berlin")
COUNTS = ("pageviews", "visitors", "sessions", "clicks", "rageClicks", "deadClicks")
ROW = f"value label isOther {' '.join(COUNTS)} share {{ value numerator denominator basis low high }}"


def last_change_of_clocks() -> datetime:
    """Midnight, in Berlin, of the last day that had no 24 hours."""
    zone = ZoneInfo(CLOCKS.time_zone)
    day = (NOW - timedelta(days=2)).astimezone(zone).replace(hour=0, minute=0, second=0)
    while day.utcoffset() == (day + timedelta(days=1)).utcoffset():
        day -= timedelta(days=1)
    return day


@pytest.fixture(scope="module")
def data() -> DataSet:
    return data_set(Random(7), sessions=60, days=3)


@pytest.fixture(scope="module")
def model(data: DataSet) -> Model:
    return Model(data.rows, time_zone=SITE.time_zone)


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient, data: DataSet) -> None:
    create_site(database, SITE)
    load(database, SITE, data.rows)
    create_site(database, CLOCKS)
    midnight = last_change_of_clocks().astimezone(UTC)
    visit = {"type": "pageview", "url": "https://example.com/", "viewportWidth": 400, "viewportHeight": 800, "visitorId": "v"}
    hours = (0, 1, 2, 3, 22)
    load(
        database,
        CLOCKS,
        [visit | {"sessionId": f"s{hour}", "timestamp": (midnight + timedelta(hours=hour, minutes=30)).isoformat()} for hour in hours],
    )


def asked(data: DataSet, seed: int) -> Question:
    """A random lens without cohorts and test accounts, which this site has none of."""
    random = Random(seed)
    while True:
        found = question(random, data)
        if not found.lens.segment.cohorts and not found.lens.segment.exclude_test_accounts:
            return found


async def insights(client: Client, found: Mapping[str, Any], selection: str) -> Any:
    """The fields of Insights under the lens; None where the page was never seen."""
    of_page = "page" in found
    lens = "page(key: $page) { insights(window: $w, segment: $s)" if of_page else "insights(url: $url, window: $w, segment: $s)"
    declared = "$page: String!" if of_page else "$url: UrlMatch!"
    query = f'query ($w: Window, $s: Segment, {declared}) {{ site(siteId: "{SITE.site_id}") {{ {lens} {{ {selection} }} }} }}'
    which = {"page": found["page"]} if of_page else {"url": found["url"]}
    site = (await ask(client, query + (" }" if of_page else ""), w=found["window"], s=found["segment"], **which))["site"]
    return site["page"]["insights"] if of_page else site["insights"]


def counts(totals: Answer) -> Answer:
    return {name: totals[name] for name in COUNTS}


def rank(item: tuple[str, Answer]) -> tuple[int, int, str]:
    value, totals = item
    return -totals["sessions"], -totals["clicks"], value


# -- breakdown


@pytest.mark.parametrize("dimension", DIMENSION_OF)
@pytest.mark.parametrize("seed", range(6))
async def test_breakdown(client: Client, data: DataSet, model: Model, dimension: str, seed: int) -> None:
    found = asked(data, seed)
    ranked = sorted(model.breakdown(found.lens, dimension).items(), key=rank)
    answered = await insights(client, found.variables, f"breakdown(by: {dimension}, first: 2) {{ {ROW} }} totals {{ {' '.join(COUNTS)} }}")
    rows, totals = answered["breakdown"], answered["totals"]
    assert [row["value"] for row in rows] == [value or None for value, _ in ranked[:2]] + [None] * (len(ranked) > 2)
    assert [row["label"] for row in rows] == [value or "Unknown" for value, _ in ranked[:2]] + ["Other"] * (len(ranked) > 2)
    assert [row["isOther"] for row in rows] == [False] * len(ranked[:2]) + [True] * (len(ranked) > 2)
    for row, (_, expected) in zip(rows, ranked[:2], strict=False):
        assert counts(row) == counts(expected)
        share = rate(expected["sessions"], totals["sessions"], subset=True)
        assert row["share"].pop("basis") == "SESSIONS"
        assert row["share"] == pytest.approx(share, rel=1e-12)
    for count in set(COUNTS) - {"visitors"}:
        assert sum(row[count] for row in rows) == totals[count]
    assert max((row["visitors"] for row in rows), default=0) <= totals["visitors"] <= sum(row["visitors"] for row in rows)


async def test_visitors_of_the_others_are_counted_once(client: Client, data: DataSet, model: Model) -> None:
    found = {"window": {"between": {"from": str(data.first_day), "to": str(data.first_day + timedelta(days=3))}}, "segment": {}}
    whole = Lens(data.start_ms, data.start_ms + 4 * DAY_MS)
    values = sorted(model.breakdown(whole, "ENTRY_PAGE").items(), key=rank)
    rows = (await insights(client, found | {"url": {"regex": ".*"}}, "breakdown(by: ENTRY_PAGE, first: 1) { visitors isOther }"))[
        "breakdown"
    ]
    people = {fact.visitor for fact in model.seen(whole).facts() if DIMENSION_OF["ENTRY_PAGE"](fact) != values[0][0]}
    assert len(values) > 3
    assert rows[1] == {"visitors": len(people), "isOther": True}


@pytest.mark.parametrize("field", ["browser", "country", "region", "trafficSource", "campaign", "variant"])
async def test_an_empty_text_in_a_segment_selects_what_the_row_without_a_value_counts(
    client: Client, database: SyncClient, field: str
) -> None:
    site = create_site(database, Site(f"site_without_{field}", "Without"))
    at, url = (NOW - timedelta(days=1)).isoformat(), "https://example.com/"
    row: dict[str, Any] = {"type": "click", "timestamp": at, "url": url, "x": 9, "y": 9, "viewportWidth": 400, "viewportHeight": 800}
    sent: dict[str, dict[str, Any]] = {"known": {field: "known"}, "unknown": {}, "empty": {field: ""}, "null": {field: None}}
    load(database, site, [row | value | {"sessionId": name, "visitorId": name} for name, value in sent.items()])

    async def under(segment: str, below: str) -> Any:
        lens = f'url: {{path: "/"}}, segment: {segment}'
        return (await ask(client, f'{{ site(siteId: "{site.site_id}") {{ insights({lens}) {{ {below} }} }} }}'))["site"]["insights"]

    by = "".join(f"_{letter}" if letter.isupper() else letter for letter in field).upper()
    rows = {row.pop("value"): row for row in (await under("{}", f"breakdown(by: {by}) {{ value {' '.join(COUNTS)} }}"))["breakdown"]}
    assert (rows[None]["sessions"], rows["known"]["sessions"]) == (3, 1)
    for segment, of_row in ((f'{{{field}: [""]}}', rows[None]), (f'{{{field}: ["known"]}}', rows["known"])):
        assert (await under(segment, f"totals {{ {' '.join(COUNTS)} }}"))["totals"] == of_row
    assert (await under(f'{{{field}: ["", "known"]}}', "totals { sessions }"))["totals"] == {"sessions": 4}


# -- filter values


@pytest.mark.parametrize("dimension", DIMENSION_OF)
async def test_filter_values(client: Client, data: DataSet, model: Model, dimension: str) -> None:
    window = {"between": {"from": str(data.first_day), "to": str(data.first_day + timedelta(days=1))}}
    values = model.filter_values(Lens(data.start_ms, data.start_ms + 2 * DAY_MS), dimension)
    ranked = sorted(values.items(), key=lambda item: (-item[1]["sessions"], -item[1]["pageviews"], item[0]))
    expected = [{"v": value, **{name: totals[name] for name in COUNTS[:3]}} for value, totals in ranked]
    selection = "{ v: value pageviews visitors sessions }"
    query = f"""query ($w: Window, $search: String, $first: Int = 25) {{ site(siteId: "{SITE.site_id}") {{
        filterValues(dimension: {dimension}, window: $w, search: $search, first: $first) {selection} }} }}"""
    assert (await ask(client, query, w=window))["site"]["filterValues"] == expected
    assert (await ask(client, query, w=window, first=0))["site"]["filterValues"] == expected[:1]
    part = expected[-1]["v"][1:4].swapcase()
    matching = [value for value in expected if part.lower() in value["v"].lower()]
    assert matching and (await ask(client, query, w=window, search=part))["site"]["filterValues"] == matching
    assert (await ask(client, query, w=window, search="%"))["site"]["filterValues"] == []


async def test_a_filter_value_is_what_its_segment_holds(client: Client, data: DataSet) -> None:
    query = """query ($id: String!, $w: Window, $country: [String!]) { site(siteId: $id) {
        filterValues(dimension: COUNTRY, window: $w) { value pageviews visitors sessions }
        insights(url: {regex: ".*"}, window: $w, segment: {country: $country}) { totals { pageviews visitors sessions } } } }"""
    window = {"between": {"from": str(data.first_day), "to": str(data.first_day + timedelta(days=3))}}
    for value in ("DE", "US", "FR"):
        site = (await ask(client, query, id=SITE.site_id, w=window, country=[value]))["site"]
        assert {"value": value, **site["insights"]["totals"]} in site["filterValues"]


# -- names of events


async def test_event_names(client: Client, data: DataSet, model: Model) -> None:
    window = {"between": {"from": str(data.first_day), "to": str(data.first_day + timedelta(days=1))}}
    names = model.event_names(Lens(data.start_ms, data.start_ms + 2 * DAY_MS))
    ranked = sorted(names.items(), key=lambda item: (-item[1]["sessions"], -item[1]["events"], item[0]))
    expected = [{"n": name, **counted} for name, counted in ranked]
    query = f"""query ($w: Window, $search: String, $first: Int = 25) {{ site(siteId: "{SITE.site_id}") {{
        eventNames(window: $w, search: $search, first: $first) {{ n: name events sessions isConversion }} }} }}"""
    assert (await ask(client, query, w=window))["site"]["eventNames"] == expected
    assert len(expected) > 1
    assert (await ask(client, query, w=window, first=0))["site"]["eventNames"] == expected[:1]
    part = expected[-1]["n"][1:].swapcase()
    matching = [name for name in expected if part.lower() in name["n"].lower()]
    assert len(matching) < len(expected) and (await ask(client, query, w=window, search=part))["site"]["eventNames"] == matching
    assert (await ask(client, query, w=window, search="%"))["site"]["eventNames"] == []


async def test_an_event_that_never_converts_is_none_until_it_is_named(client: Client, database: SyncClient) -> None:
    site = create_site(database, Site("site_events", "Events"))
    shared = {"type": "event", "visitorId": "v", "url": "https://example.com/", "timestamp": (NOW - timedelta(days=1)).isoformat()}
    events: list[dict[str, Any]] = [
        {"name": "opened"},
        {"name": "bought"},
        {"name": "bought", "value": 5},
        {"name": "signup", "conversion": True},
    ]
    load(database, site, [shared | event | {"sessionId": f"s{number}"} for number, event in enumerate(events)])
    found = (await ask(client, '{ site(siteId: "site_events") { eventNames { name events isConversion } } }'))["site"]["eventNames"]
    assert found == [
        {"name": "bought", "events": 2, "isConversion": True},
        {"name": "opened", "events": 1, "isConversion": False},
        {"name": "signup", "events": 1, "isConversion": True},
    ]


# -- timeline


@pytest.mark.parametrize("interval", ["HOUR", "DAY", "WEEK"])
@pytest.mark.parametrize("seed", range(6))
async def test_timeline(client: Client, data: DataSet, model: Model, interval: str, seed: int) -> None:
    found = asked(data, seed)
    points = (await insights(client, found.variables, f"timeline(interval: {interval}) {{ start {' '.join(COUNTS)} }}"))["timeline"]
    expected = model.timeline(found.lens, interval)
    starts = [datetime.fromisoformat(point["start"]) for point in points]
    zone = ZoneInfo(SITE.time_zone)
    assert [start.utcoffset() for start in starts] == [start.astimezone(zone).utcoffset() for start in starts]
    step = {"HOUR": timedelta(hours=1), "DAY": timedelta(days=1), "WEEK": timedelta(weeks=1)}[interval]
    local = [start.astimezone(zone).replace(tzinfo=None) for start in starts]
    assert all(later - earlier == step for earlier, later in pairwise(local))
    begin, end = (datetime.fromtimestamp(ms / 1000, zone) for ms in (found.lens.start_ms, found.lens.end_ms - 1))
    assert starts[0] <= begin < starts[0] + step and starts[-1] <= end < starts[-1] + step
    assert {start: counts(point) for start, point in zip(starts, points, strict=True) if point["sessions"]} == {
        start: counts(totals) for start, totals in expected.items()
    }
    assert all(not any(counts(point).values()) for point in points if not point["sessions"])


async def clock_points(client: Client, interval: str, begin: datetime, end: datetime) -> Any:
    query = """query ($w: Window, $interval: Interval) { site(siteId: "site_clocks") { insights(url: {prefix: "https:"}, window: $w) {
        timeline(interval: $interval) { start isPartial pageviews } } } }"""
    window = {"instants": {"from": begin.isoformat(), "to": end.isoformat()}}
    return (await ask(client, query, w=window, interval=interval))["site"]["insights"]["timeline"]


async def test_a_day_on_which_clocks_change_stays_one_day(client: Client) -> None:
    midnight = last_change_of_clocks()
    begin, after = midnight - timedelta(days=1), midnight + timedelta(days=2)  # local clocks
    days = await clock_points(client, "DAY", begin, after)
    assert [(day["start"], day["pageviews"]) for day in days] == [
        ((midnight + timedelta(days=day)).isoformat(), 5 if day == 0 else 0) for day in (-1, 0, 1)
    ]
    hours = await clock_points(client, "HOUR", midnight, midnight + timedelta(days=1))
    instants = [datetime.fromisoformat(hour["start"]) for hour in hours]
    assert instants == [midnight.astimezone(UTC) + timedelta(hours=hour) for hour in range(len(hours))]
    assert len(hours) in (23, 25) and sum(hour["pageviews"] for hour in hours) == 5
    assert not any(point["isPartial"] for point in (*days, *hours))


async def test_a_point_says_when_the_window_holds_only_a_part_of_it(client: Client) -> None:
    begin = last_change_of_clocks() + timedelta(hours=20)
    days = await clock_points(client, "DAY", begin, begin + timedelta(hours=10))
    assert [day["isPartial"] for day in days] == [True, True]
    weeks = await clock_points(client, "WEEK", begin, begin + timedelta(days=14))
    assert [week["isPartial"] for week in weeks] == [True, False, True]
    assert all(datetime.fromisoformat(week["start"]).weekday() == 0 for week in weeks)


# -- capabilities

CAPABILITIES = "query ($id: String!) { site(siteId: $id) { capabilities { dataFrom dataTo fields { field available reason } } } }"
BREAKDOWNS = {f"breakdown(by: {dimension})" for dimension in DIMENSION_OF} - {"breakdown(by: DEVICE)", "breakdown(by: BREAKPOINT)"}


async def capabilities(client: Client, site: Site, key: ApiKey = EVERYTHING) -> dict[str, str | None]:
    """Field -> why it cannot be answered, None where it can."""
    fields = (await ask(client, CAPABILITIES, key, id=site.site_id))["site"]["capabilities"]["fields"]
    assert all(field["available"] == (field["reason"] is None) for field in fields)
    return {field["field"]: field["reason"] for field in fields}


async def test_a_site_says_which_fields_it_can_answer(client: Client) -> None:
    assert {field for field, reason in (await capabilities(client, SITE)).items() if reason} == {"replays { url }"}
    of_pageviews = await capabilities(client, CLOCKS)
    assert {field for field, reason in of_pageviews.items() if not reason} == {"totals", "replays", "breakdown(by: ENTRY_PAGE)"}
    assert of_pageviews["attention"] == "No `attention` rows were received."
    assert of_pageviews.keys() > BREAKDOWNS


@pytest.mark.parametrize("kind", ["click", "dead", "move", "scroll", "attention", "event", "element"])
async def test_each_kind_of_row_opens_its_fields(client: Client, database: SyncClient, kind: str) -> None:
    site = create_site(database, Site(f"site_only_{kind}", kind, replay_url_template="https://replays.example/{sessionId}"))
    row = {"type": kind, "timestamp": NOW.isoformat(), "sessionId": "s", "visitorId": "v", "url": "https://example.com/", "x": 1, "y": 1}
    own = {"scrollY": 900, "seconds": 2, "viewportWidth": 400, "viewportHeight": 800, "pageHeight": 3000, "width": 9, "height": 9}
    named = {"name": "signup"} if kind == "event" else {"selector": "#a", "tag": "a"} if kind == "element" else {}
    pageview = {"type": "pageview", "viewportWidth": 400, "viewportHeight": 800, "pageHeight": 3000}
    load(database, site, [row | pageview, row | own | named | {"variant": "A"}])
    opened = {
        "click": {"heatmap", "rageClicks"},
        "dead": {"heatmap", "rageClicks", "deadClicks"},
        "move": {"heatmap(kind: MOVE)"},
        "scroll": {"scroll"},
        "attention": {"attention"},
        "event": {"elements { conversions(event:) }"},
        "element": {"elements", "elements { element { top } }"},
    }
    always = {"totals", "replays", "replays { url }", "breakdown(by: ENTRY_PAGE)", "breakdown(by: VARIANT)"}
    assert {field for field, reason in (await capabilities(client, site)).items() if not reason} == always | opened[kind]


@pytest.mark.parametrize("below", ["sites {{ {} }}", "viewer {{ sites {{ {} }} }}"])
async def test_capabilities_of_listed_sites_that_nobody_asked_for_before(client: Client, below: str) -> None:
    found = await ask(client, f"{{ {below.format('nodes { siteId capabilities { retentionDays dataFrom sources { healthy } } }')} }}")
    listed = found.get("viewer", found)["sites"]["nodes"]
    capabilities = {site["siteId"]: site["capabilities"] for site in listed}[SITE.site_id]
    assert (capabilities["retentionDays"], capabilities["sources"]) == (SITE.retention_days, [{"healthy": True}])
    assert capabilities["dataFrom"] is not None


async def test_capabilities_know_the_plan_and_the_key(client: Client, database: SyncClient) -> None:
    free = create_site(database, Site("site_free", "Free", plan="FREE"))
    assert set((await capabilities(client, free)).values()) == {"Heatmaps require the PRO plan or higher."}
    reader = ApiKey("k_reader", "reader", frozenset({"heatmap:read"}), frozenset({"*"}))
    reasons = await capabilities(client, SITE, reader)
    assert {field for field, reason in reasons.items() if reason} == {"replays", "replays { url }"}
    nobody = ApiKey("k_nobody", "nobody", frozenset({"replay:read"}), frozenset({"*"}))
    assert set((await capabilities(client, SITE, nobody)).values()) == {"This key lacks the scope heatmap:read."}


# -- cost and bad input


@pytest.mark.parametrize("field", ["breakdown(by: COUNTRY) { value }", "timeline { start clicks }"])
async def test_25_pages_cost_as_many_statements_as_1(client: Client, statements: list[Statement], field: str) -> None:
    costs = []
    for first in (1, 25):
        statements.clear()
        lens = 'window: {last: "-20d"}'
        await ask(
            client,
            f'{{ site(siteId: "{SITE.site_id}") {{ pages(first: {first}, {lens}) {{ nodes {{ insights({lens}) {{ {field} }} }} }} }} }}',
        )
        costs.append(len(statements))
    assert costs[0] == costs[1]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        (f'filterValues(dimension: COUNTRY, search: "{"x" * 3000}") {{ value }}', "search: at most 2048 characters."),
        (f'eventNames(search: "{"x" * 3000}") {{ name }}', "search: at most 2048 characters."),
        ('filterValues(dimension: COUNTRY, window: {last: "-1y"}) { value }', "at most 92 days"),
    ],
)
async def test_bad_input_is_named(client: Client, field: str, says: str) -> None:
    answered = await answer(client, f'{{ site(siteId: "{SITE.site_id}") {{ {field} }} }}')
    assert [error["code"] for error in answered["errors"]] == ["BAD_USER_INPUT"]
    assert says in answered["errors"][0]["message"]
