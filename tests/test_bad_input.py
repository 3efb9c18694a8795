"""Bad input gets a typed error that names the argument and says what is allowed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.keys import ApiKey
from clickhouse.sites import Site
from resolvers import ids
from resolvers.sources import Source, Sources
from tests.asking import EVERYTHING, NOW, TOO_MANY_EVENTS, answer, ask, create_site, load

SITE = Site("site_bad_input", "Bad input")
FREE = Site("site_free", "Free", plan="FREE")
PRO = Site("site_pro", "Pro", plan="PRO", retention_days=90)
PAGE = "https://example.com/0"


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient) -> None:
    for site in (SITE, FREE, PRO):
        create_site(database, site)
        rows: list[dict[str, Any]] = []
        for page in range(12):
            shared = {"sessionId": "s", "visitorId": "v", "url": f"https://example.com/{page}", "viewportWidth": 400, "viewportHeight": 800}
            at = (NOW - timedelta(hours=2, minutes=-page)).isoformat()
            rows += [shared | {"type": "pageview", "timestamp": at}, shared | {"type": "click", "timestamp": at, "x": 1, "y": 1}]
        load(database, site, rows)


def insights(arguments: str, below: str = "totals { clicks }", site: str = SITE.site_id) -> str:
    arguments = f"({arguments})" if arguments else ""
    return f'{{ site(siteId: "{site}") {{ page(key: "{PAGE}") {{ insights{arguments} {{ {below} }} }} }} }}'


def rule(url: str) -> str:
    return f'{{ site(siteId: "{SITE.site_id}") {{ insights(url: {url}) {{ totals {{ clicks }} }} }} }}'


def pages(arguments: str, site: str = SITE.site_id) -> str:
    return f'{{ site(siteId: "{site}") {{ pages({arguments}) {{ totalCount edges {{ cursor }} }} }} }}'


POINTS = ", ".join("{relativeX: 0.5, y: 1}" for _ in range(10_000))

CASES = [
    ("unknown enum", insights("segment: {device: [WATCH]}"), "WATCH"),
    ("unknown argument", insights("colour: 1"), "colour"),
    (
        "huge value",
        f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "{PAGE}{"x" * 200_000}") {{ key }} }} }}',
        "bytes of an address",
    ),
    ("width min > max", insights("segment: {viewportWidth: {min: 800, max: 400}}"), r"segment\.viewportWidth: min \(800\)"),
    ("negative width", insights("segment: {viewportWidth: {min: -1}}"), r"segment\.viewportWidth"),
    (
        "window reversed",
        insights('window: {between: {from: "2026-04-02", to: "2026-04-01"}}'),
        r"window\.between: 2026-04-02 is after 2026-04-01",
    ),
    ("window too long", insights('window: {last: "-93d"}'), "window: at most 92 days"),
    (
        "window outside retention",
        insights('window: {between: {from: "2020-04-01", to: "2020-04-02"}}'),
        "window: the site's plan keeps 730 days",
    ),
    ("no date", insights('window: {between: {from: "soon", to: "2020-04-02"}}'), "soon"),
    ("not relative", insights('window: {last: "7 days"}'), r"window\.last"),
    ("both of a oneOf", insights('window: {last: "-7d", period: D7}'), "[Oo]ne"),
    ("none of a oneOf", insights("window: {}"), "[Oo]ne"),
    ("exact and wildcard", rule('{exact: "https://example.com/", wildcard: "*"}'), "[Oo]ne"),
    ("invalid RE2", rule('{regex: "a(?=b)"}'), r"url\.regex: no valid RE2"),
    ("regex too long", rule(f'{{regex: "{"a" * 513}"}}'), r"url\.regex: 1 to 512"),
    ("URL too long", rule(f'{{prefix: "{"a" * 2049}"}}'), r"url\.prefix: 1 to 2048"),
    ("empty wildcard", rule('{wildcard: ""}'), r"url\.wildcard"),
    ("no URL", rule('{exact: "pricing"}'), r"url\.exact: an absolute URL"),
    ("prefix of no URL", rule('{prefix: "/pricing"}'), r"url\.prefix: whole URLs are compared"),
    ("wildcard of no URL", rule('{wildcard: "example.com/*"}'), r"url\.wildcard: whole URLs are compared"),
    ("no path", rule('{path: "pricing"}'), r"url\.path: a path begins"),
    ("entry page", insights('segment: {entryPage: {regex: "("}}'), r"segment\.entryPage\.regex"),
    ("page key", f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "/pricing") {{ id }} }} }}', "key: an absolute URL"),
    ("malformed cursor", pages('after: "nonsense"'), "after: this is no cursor"),
    ("unknown cohort", insights('segment: {cohorts: ["co_nobody"]}'), "segment.cohorts: the site has no cohort with the id 'co_nobody'"),
    ("unnamed event", insights('segment: {performed: [{name: ""}]}'), r"segment\.performed"),
    (
        "21 cohorts",
        insights(f"segment: {{cohorts: {[f'co_{number}' for number in range(21)]}}}".replace("'", '"')),
        r"segment\.cohorts: at most 20",
    ),
    ("21 events", insights(f"segment: {{{TOO_MANY_EVENTS}}}"), r"segment\.performed: at most 20 different events"),
    ("10 000 points", insights("", f"interactions(points: [{POINTS}]) {{ totalCount }}"), "points: 1 to 1000"),
    ("no points", insights("", "interactions(points: []) { totalCount }"), "points: 1 to 1000"),
    (
        "point in percent",
        insights("", "interactions(points: [{relativeX: 120, y: 1}]) { totalCount }"),
        "points.relativeX: a fraction of the viewport",
    ),
    ("cell of nothing", insights("", "heatmap(cell: {width: 0, height: 10}) { total }"), r"cell\.width"),
    ("rage rule", insights("", "rageClicks(rule: {minClicks: 1}) { totalCount }"), r"rule\.minClicks"),
    ("scroll step", insights("", "scroll(step: 0) { averageDepth }"), "step: 1 to 100 for unit PERCENT"),
    ("share", insights("", "scroll { depthReachedBy(share: 70) }"), "share: a fraction"),
    ("band height", insights("", "attention(bandHeight: 1) { pageviews }"), "bandHeight: 10 to"),
    ("node id", '{ node(id: "nonsense") { id } }', "id: this is no node id"),
]


@pytest.mark.parametrize(("query", "expected"), [pytest.param(query, expected, id=name) for name, query, expected in CASES])
async def test_the_argument_is_named(client: Client, query: str, expected: str) -> None:
    found = await answer(client, query)
    assert len(found["errors"]) == 1
    error = found["errors"][0]
    assert re.search(expected, error["message"]), error["message"]
    assert error["code"] in ("BAD_USER_INPUT", None)  # None: graphql-core's own, which the gateway codes BAD_USER_INPUT


async def test_a_pattern_cannot_forge_a_line_of_the_log(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    found = await answer(client, rule(r'{regex: "(\nINFO: forged"}'))
    assert "no valid RE2" in found["errors"][0]["message"]
    assert capfd.readouterr().err == ""


async def test_an_event_said_again_is_the_same_event(client: Client) -> None:
    assert await ask(client, insights(f"segment: {{{TOO_MANY_EVENTS.replace('event 20', 'event 0')}}}"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "1"])
async def test_numbers_that_are_none(client: Client, value: Any) -> None:
    query = "query ($x: Float!) " + insights("", "interactions(points: [{relativeX: $x, y: 1}]) { totalCount }")
    found = await answer(client, query, x=value)
    assert "$x" in found["errors"][0]["message"]


SPAN = [1_790_000_000_000, 1_790_086_400_000]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param((PAGE, None, SPAN, []), id="no segment"),
        pytest.param((None, ["foo", "/"], SPAN, {}), id="no kind of rule"),
        pytest.param((PAGE, None, SPAN, {"entry_page": {"kind": "foo", "value": "/"}}), id="nor of entry page"),
        pytest.param((PAGE, None, SPAN, {"performed": [{"name": "x", "min_count": -5}]}), id="a negative count"),
        pytest.param((PAGE, None, SPAN, {"country": "DE"}), id="a text for a list"),
        pytest.param((PAGE, None, SPAN, {"viewport_width": {"min_px": -1, "max_px": None}}), id="a negative width"),
        pytest.param((PAGE, None, SPAN[:1], {}), id="half a window"),
        pytest.param((PAGE, None, [1.5e300, 2e300], {}), id="a window of fractions"),
        pytest.param((PAGE, None, SPAN, {"country": [f"country {number}" for number in range(50_000)]}), id="too many countries"),
        pytest.param((PAGE, None, SPAN, {"campaign": ["x" * 2049]}), id="too long a campaign"),
        pytest.param((PAGE, None, SPAN, {"cohorts": ["co"] * 3 + [5]}), id="a number for a cohort"),
        pytest.param((PAGE, None, SPAN, {"breakpoint": ["NOPE"]}), id="no breakpoint"),
        pytest.param((PAGE, None, SPAN, {"device": ["MOBILE", "x'"]}), id="no device"),
        pytest.param((PAGE, None, SPAN, {"viewport_width": {"min_px": "12", "max_px": 1e300}}), id="widths that are none"),
        pytest.param((PAGE, None, SPAN, {"viewport_width": {"min_px": 2**63 - 1, "max_px": None}}), id="a width that GraphQL has not"),
        pytest.param((PAGE, None, SPAN, {"viewport_width": {"min_px": 2**63, "max_px": None}}), id="a width that ClickHouse has not"),
        pytest.param((PAGE, None, SPAN, {"viewport_width": {"min_px": 2, "max_px": 1}}), id="widths the wrong way round"),
        pytest.param((PAGE, None, SPAN, {"performed": [{"name": str(n), "min_count": 1} for n in range(3000)]}), id="too many events"),
        pytest.param((PAGE, None, SPAN, {"performed": [{"name": "x", "min_count": 2**40}]}), id="too large a count"),
        pytest.param((PAGE, None, SPAN, {"performed": [{"name": {"a": 1}, "min_count": 1}]}), id="an object for a name"),
        pytest.param((PAGE, None, SPAN, {"exclude_test_accounts": "no"}), id="a text for a Boolean"),
        pytest.param((None, ["regex", "(("], SPAN, {}), id="no RE2"),
        pytest.param((None, ["regex", "a" * 513], SPAN, {}), id="too long a regex"),
        pytest.param((None, ["prefix", ["https"]], SPAN, {}), id="a list for a URL"),
        pytest.param((PAGE, None, SPAN, {"entry_page": {"kind": "regex", "value": "a" * 513}}), id="too long a regex of an entry page"),
    ],
)
async def test_an_id_that_was_tampered_with(client: Client, key: tuple[Any, ...]) -> None:
    found = await answer(
        client, f'{{ node(id: "{ids.encode("Insights", SITE.site_id, *key)}") {{ ... on Insights {{ totals {{ clicks }} }} }} }}'
    )
    assert [error["code"] for error in found["errors"]] == ["BAD_USER_INPUT"], found["errors"]


async def test_one_of_is_enforced_without_graphql_cores_help(client: Client) -> None:
    """Composition by a gateway can lose @oneOf, so the inputs check themselves too."""
    from schema.inputs import UrlMatch, Window, resolved_window

    for window in (Window(), Window(last="-7d", period=None), Window(last="-7d", relative="x")):  # type: ignore[arg-type]
        if window.last == "-7d" and not window.relative:
            assert resolved_window(window, SITE, NOW).window.end == NOW
            continue
        with pytest.raises(Exception, match="window: give exactly one"):
            resolved_window(window, SITE, NOW)
    with pytest.raises(Exception, match="url: give exactly one"):
        UrlMatch(exact="https://example.com/", prefix="https://").rule("url")


async def test_a_cursor_of_another_list_is_refused(client: Client) -> None:
    data = await ask(client, pages("first: 1"))
    cursor = data["site"]["pages"]["edges"][0]["cursor"]
    assert (await ask(client, pages(f'first: 1, after: "{cursor}"')))["site"]["pages"]["totalCount"] == 12
    for other in (
        pages(f'after: "{cursor}", orderBy: {{field: SESSIONS}}'),
        pages(f'after: "{cursor}", search: "x"'),
        pages(f'after: "{cursor}", window: {{last: "-30d"}}'),
        pages(f'after: "{cursor}", segment: {{country: ["DE"]}}'),
        pages(f'after: "{cursor}"', PRO.site_id),
    ):
        found = await answer(client, other)
        assert "belongs to another list" in found["errors"][0]["message"]


async def test_a_sequence_goes_on_in_its_own_window(client: Client) -> None:
    """`last: -1h` an hour later would be empty; the cursor's window is not."""
    query = 'first: {}, window: {{last: "-3h"}}{}'
    first = await ask(client, pages(query.format(5, "")))
    cursor = first["site"]["pages"]["edges"][-1]["cursor"]
    later = await ask(client, pages(query.format(100, f', after: "{cursor}"')), now=NOW + timedelta(hours=20))
    assert len(later["site"]["pages"]["edges"]) == 7


async def test_insights_asked_by_id_keep_everything_in_the_window_a_list_began_in(client: Client) -> None:
    below = "{ id meta { window { to } } totals { clicks } interactions(first: 1%s) { totalCount pageInfo { endCursor } } }"
    window = 'url: {prefix: "https://example.com/"}, window: {last: "-3h"}'
    query = f'{{ site(siteId: "{SITE.site_id}") {{ insights({window}) {below} }} }}'
    first = (await ask(client, query % ""))["site"]["insights"]
    after, later = f', after: "{first["interactions"]["pageInfo"]["endCursor"]}"', NOW + timedelta(hours=3)
    rolled_on = (await ask(client, query % after, now=later))["site"]["insights"]
    assert (rolled_on["totals"]["clicks"], rolled_on["interactions"]["totalCount"]) == (0, 12)
    kept = (await ask(client, f'{{ node(id: "{first["id"]}") {{ ... on Insights {below % after} }} }}', now=later))["node"]
    assert (kept["totals"]["clicks"], kept["interactions"]["totalCount"]) == (12, 12)
    assert kept["meta"] == first["meta"] != rolled_on["meta"]


async def test_a_cursor_of_another_window_is_refused_by_insights_asked_by_id_too(client: Client) -> None:
    below = "{ interactions(first: 1%s) { totalCount pageInfo { endCursor } } }"
    lens = 'url: {prefix: "https://example.com/"}, window: {last: "%s"}'
    query = f'{{ site(siteId: "{SITE.site_id}") {{ one: insights({lens % "-3h"}) {{ id }} two: insights({lens % "-6h"}) {{ id }} }} }}'
    one, two = [found["id"] for found in (await ask(client, query))["site"].values()]

    async def by_id(node_id: str, after: str = "") -> Any:
        return await answer(client, f'{{ node(id: "{node_id}") {{ ... on Insights {below % after} }} }}')

    cursor = (await by_id(one))["data"]["node"]["interactions"]["pageInfo"]["endCursor"]
    own, other = [await by_id(node_id, f', after: "{cursor}"') for node_id in (one, two)]
    assert own["data"]["node"]["interactions"]["totalCount"] == 12
    assert other["data"]["node"]["interactions"] is None
    assert "belongs to another list" in other["errors"][0]["message"]


@pytest.mark.parametrize("after", ["", "x"])
@pytest.mark.parametrize("listing", ["sites", "viewer { sites", 'site(siteId: "%s") { cohorts', 'site(siteId: "%s") { pages'])
async def test_a_malformed_cursor_is_refused(client: Client, listing: str, after: str) -> None:
    listing = listing.replace("%s", SITE.site_id)
    query = f'{{ {listing}(after: "{after}") {{ totalCount }} }}' + " }" * listing.count("{")
    found = await answer(client, query)
    assert [(error["code"], error["argument"]) for error in found["errors"]] == [("BAD_USER_INPUT", "after")]


async def test_a_key_that_is_too_long_costs_itself_alone(client: Client) -> None:
    long = "x" * 70_000
    keys = [
        ("Page", SITE.site_id, PAGE),
        ("Page", SITE.site_id, PAGE + long),
        ("Replay", SITE.site_id, long),
        ("Site", long),
        ("Site", SITE.site_id),
    ]
    found = await answer(client, "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", ids=[ids.encode(*key) for key in keys])
    assert found["data"]["nodes"] == [{"__typename": "Page"}, None, None, None, {"__typename": "Site"}]
    assert [error["path"] for error in found["errors"]] == [["nodes", place] for place in (1, 2, 3)]


async def test_a_page_key_that_is_null_costs_the_page_alone(client: Client) -> None:
    """A variable with a default may be null where an argument must not be."""
    query = f'query ($page: String = "{PAGE}") {{ site(siteId: "{SITE.site_id}") {{ name page(key: $page) {{ path }} }} }}'
    sources = Sources([Source("default", client)])
    await answer(sources, query)  # the site is known from then on, and its page looked up beside it
    found = await answer(sources, query, page=None)
    assert found["data"] == {"site": {"name": SITE.name, "page": None}}


@pytest.mark.parametrize("first", [-5, 0, 1])
async def test_first_below_1_is_1(client: Client, first: int) -> None:
    assert len((await ask(client, pages(f"first: {first}")))["site"]["pages"]["edges"]) == 1


async def test_a_foreign_site_looks_like_one_that_does_not_exist(client: Client) -> None:
    key = ApiKey("k", "k", EVERYTHING.scopes, frozenset({PRO.site_id}))
    foreign = await answer(client, f'{{ site(siteId: "{SITE.site_id}") {{ name }} }}', key=key)
    missing = await answer(client, '{ site(siteId: "site_nowhere_12") { name } }', key=key)
    assert foreign["data"] == missing["data"] == {"site": None}
    assert [error["code"] for error in foreign["errors"] + missing["errors"]] == ["NOT_FOUND", "NOT_FOUND"]
    assert foreign["errors"][0]["message"].replace(SITE.site_id, "") == missing["errors"][0]["message"].replace("site_nowhere_12", "")


async def test_a_missing_scope_is_named(client: Client) -> None:
    key = ApiKey("k", "k", frozenset({"replay:read"}), frozenset({"*"}))
    found = await answer(client, pages("first: 1"), key=key)
    assert found["errors"][0]["code"] == "FORBIDDEN"
    assert "heatmap:read" in found["errors"][0]["message"]


async def test_sessions_need_their_own_scope(client: Client) -> None:
    key = ApiKey("k", "k", frozenset({"heatmap:read"}), frozenset({"*"}))
    below = "interactions { totalCount nodes { url sessionId visitorId offsetSeconds replay { sessionId } } }"
    found = (await ask(client, insights("", below), key=key))["site"]["page"]["insights"]["interactions"]
    assert found["totalCount"] == 1
    assert found["nodes"] == [{"url": PAGE, "sessionId": None, "visitorId": None, "offsetSeconds": None, "replay": None}]


async def test_a_free_plan_has_no_heatmaps(client: Client) -> None:
    found = await answer(client, insights("", site=FREE.site_id))
    assert [error["code"] for error in found["errors"]] == ["PLAN_REQUIRED"]


async def test_a_plan_covers_the_pages_seen_first(client: Client) -> None:
    listing = await ask(client, pages("first: 100", PRO.site_id))
    assert listing["site"]["pages"]["totalCount"] == 10
    both = 'inside: page(key: "https://example.com/9") { path } outside: page(key: "https://example.com/10") { path }'
    query = f'{{ site(siteId: "{PRO.site_id}") {{ {both} }} }}'
    found = await answer(client, query)
    assert found["data"]["site"] == {"inside": {"path": "/9"}, "outside": None}
    assert found["errors"][0]["code"] == "PLAN_REQUIRED"


@pytest.mark.parametrize(
    ("kind", "value", "status"),
    [
        ("prefix", "https://example.com/9", "OK"),
        ("prefix", "https://example.com/1", "OK"),  # of /1, /10 and /11 the first is covered
        ("prefix", "https://example.com/11", "PLAN_REQUIRED"),
        ("exact", "https://example.com/11", "PLAN_REQUIRED"),
        ("path", "/11", "PLAN_REQUIRED"),
        ("ignoreQuery", "https://example.com/11", "PLAN_REQUIRED"),
        ("path", "/12", "NOT_TRACKED"),
        ("prefix", "https://example.com/12", "NOT_TRACKED"),
    ],
)
async def test_a_rule_tells_pages_beyond_the_plan_from_pages_never_seen(client: Client, kind: str, value: str, status: str) -> None:
    def query(site: Site, window: str) -> str:
        lens = f'url: {{{kind}: "{value}"}}, window: {{last: "{window}"}}'
        return f'{{ site(siteId: "{site.site_id}") {{ insights({lens}) {{ meta {{ status }} }} }} }}'

    assert (await ask(client, query(PRO, "-1d")))["site"]["insights"]["meta"]["status"] == status
    nothing_yet = "EMPTY" if status == "OK" else status
    assert (await ask(client, query(PRO, "-1h")))["site"]["insights"]["meta"]["status"] == nothing_yet
    unlimited = "EMPTY" if status == "PLAN_REQUIRED" else nothing_yet
    assert (await ask(client, query(SITE, "-1h")))["site"]["insights"]["meta"]["status"] == unlimited


async def test_a_clamped_window_is_reported(client: Client) -> None:
    below = "meta { clamped window { from } requestedWindow { from } }"
    start = (NOW - timedelta(days=91)).date()
    window = f'window: {{between: {{from: "{start}", to: "{NOW.date()}"}}}}'
    found = (await ask(client, insights(window, below, PRO.site_id)))["site"]["page"]["insights"]["meta"]
    assert found["clamped"] is True
    assert found["requestedWindow"]["from"].startswith(str(start))
    assert found["window"]["from"].startswith(str((NOW - timedelta(days=90)).date()))


async def test_what_speaks_against_the_numbers_is_said(client: Client) -> None:
    """On a page of its own the plan's page limit cuts nothing off."""
    start = (NOW - timedelta(days=91)).date()
    window = f'window: {{between: {{from: "{start}", to: "{NOW.date()}"}}}}'
    few = "1 sessions: 1000 are the usual minimum before a conclusion; widen the window or the segment."
    clamped = "The plan's retention cut off the beginning of the window: see `window` beside `requestedWindow`."
    limited = "The PRO plan covers 10 pages, the first ones seen: what the URL rule matches beyond them is missing."
    of_page = (await ask(client, insights("", "meta { truncated warnings }", PRO.site_id)))["site"]["page"]
    assert of_page == {"insights": {"meta": {"truncated": False, "warnings": [few]}}}
    query = f'{{ site(siteId: "{PRO.site_id}") {{ insights(url: {{prefix: "https"}}, {window}) {{ meta {{ truncated warnings }} }} }} }}'
    assert (await ask(client, query))["site"]["insights"]["meta"] == {"truncated": True, "warnings": [clamped, limited, few]}


DEFAULTED = {
    "fold": ("fold{} {{ total }}", {"kind": "PointKind"}),
    "interactions": ("interactions{} {{ totalCount }}", {"kind": "PointKind", "first": "Int", "hideOrigin": "Boolean"}),
    "scroll": ("scroll{} {{ pageviews unit }}", {"unit": "ScrollUnit", "step": "Int", "aggregation": "Aggregation"}),
    "depthReachedBy": ("scroll {{ depthReachedBy{} }}", {"share": "Float"}),
    "heatmap": ("heatmap(kind: CLICK{more}) {{ total aggregation }}", {"aggregation": "Aggregation", "ctasOnly": "Boolean"}),
}


@pytest.mark.parametrize("field", DEFAULTED)
async def test_a_variable_that_is_null_is_an_argument_left_out(field: str, client: Client) -> None:
    below, kinds = DEFAULTED[field]
    told = ", ".join(f"{name}: ${name}" for name in kinds)
    asked = insights("", below.format(f"({told})", more=f", {told}"))
    declared = ", ".join(f"${name}: {kind}" for name, kind in kinds.items())
    nulls: dict[str, Any] = dict.fromkeys(kinds)
    assert await ask(client, f"query ({declared}) {asked}", **nulls) == await ask(client, insights("", below.format("", more="")))
