"""The documented examples of the systems this graph brings together, replayed through `load` and GraphQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.sites import Site
from tests.asking import NOW, ask, create_site, load

ZTAS = Site("site_abc123", "ztas")
POSTHOG = Site("site_posthog", "PostHog", test_account_rules=("*@posthog.com",))
AT_MS = int((NOW - timedelta(days=2)).timestamp() * 1000)
DESKTOP = {"viewportWidth": 1280, "viewportHeight": 1024, "pageHeight": 4000}

PRICING = "https://example.com/pricing"
ARTICLE = "https://example.com/blog/article"
CHECKOUT = "https://example.com/checkout"
HOME = "https://example.com/"


def row(kind: str, session: int | str, url: str, offset_ms: int = 0, **fields: Any) -> dict[str, Any]:
    visitor = {"sessionId": f"s{session}", "visitorId": f"v{session}"}
    return {"type": kind, "timestamp": AT_MS + offset_ms, "url": url, "eventId": f"{kind} {session} {url} {offset_ms}"} | visitor | fields


def ztas_rows() -> Iterator[dict[str, Any]]:
    """Click map of /pricing, scroll map of an article, rage clicks of /checkout, dead clicks of the home page."""
    for session in range(8243):
        yield row("pageview", session, PRICING, **DESKTOP)
    spots = [
        (876, 512, 224, "#signup", "button", "Get Started"),
        (432, 640, 560, ".pricing-link", "a", "View Features"),
        (234, 448, 880, ".contact", "button", "Contact Sales"),
    ]
    number = 0
    for count, x, y, selector, tag, text in spots:
        for _ in range(count):
            yield row("click", number % 8243, PRICING, 1000 + number, x=x, y=y, selector=selector, tag=tag, text=text, **DESKTOP)
            number += 1
    for other in range(3421 - number):  # the rest is spread thinly
        yield row("click", other, PRICING, 20_000 + other, x=1 + other % 1279, y=1000 + 16 * (other % 90), **DESKTOP)
    reached = {100: 1287, 75: 2254, 50: 3487, 25: 4742, 0: 5432}
    for visitor in range(5432):
        deepest = next(depth for depth, visitors in reached.items() if visitor < visitors)
        page = {"viewportWidth": 1280, "viewportHeight": 768, "pageHeight": 7680}
        yield row("pageview", visitor, ARTICLE, **page)
        yield row("scroll", visitor, ARTICLE, 1, scrollY=max(0, 7680 * deepest // 100 - 768), **page)
    for session, clicks in enumerate([23, *[8] * 52, 9]):  # 54 bursts of 8.3 clicks on average, one of 23
        yield row("rage", session, CHECKOUT, x=640, y=500, count=clicks, selector="#submit", tag="button", text="Submit Order", **DESKTOP)
    for number in range(3421):
        dead: dict[str, Any] = (
            {"selector": ".hero-image", "tag": "div"}
            if number < 234
            else {"selector": ".section-title", "tag": "h2", "text": "Our Features"}
        )
        kind = "dead" if number < 357 else "click"
        yield row(kind, number, HOME, x=512, y=400 if number < 234 else 800, **DESKTOP | (dead if number < 357 else {"selector": "a"}))


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient) -> None:
    create_site(database, ZTAS)
    create_site(database, POSTHOG)
    assert not load(database, ZTAS, ztas_rows()).rejected
    assert not load(database, POSTHOG, posthog_rows()).rejected


async def insights(client: Client, url: str, below: str, arguments: str = "", site: Site = ZTAS) -> Any:
    query = f'{{ site(siteId: "{site.site_id}") {{ page(key: "{url}") {{ insights{arguments} {{ {below} }} }} }} }}'
    return (await ask(client, query))["site"]["page"]["insights"]


async def test_ztas_click_heatmap(client: Client) -> None:
    found = await insights(
        client,
        PRICING,
        "totals { pageviews clicks } heatmap(first: 3) { viewport { width height } points { x y count share element { label text } } }",
    )
    assert found["totals"] == {"pageviews": 8243, "clicks": 3421}
    assert found["heatmap"]["viewport"] == {"width": 1280, "height": 1024}
    points = found["heatmap"]["points"]
    assert [(point["x"], point["y"], point["count"]) for point in points] == [(512, 224, 876), (640, 560, 432), (448, 880, 234)]
    assert [round(100 * point["share"], 1) for point in points] == [25.6, 12.6, 6.8]
    assert [point["element"]["label"] for point in points] == ["button#signup", "a.pricing-link", "button.contact"]
    assert points[0]["element"]["text"] == "Get Started"


async def test_ztas_scroll_heatmap(client: Client) -> None:
    found = (await insights(client, ARTICLE, "scroll { pageviews foldHeight buckets { depth visitors reach { value } } }"))["scroll"]
    assert (found["pageviews"], found["foldHeight"]) == (5432, 768)
    assert [(bucket["depth"], bucket["visitors"]) for bucket in found["buckets"]] == [
        (0, 5432),
        (25, 4742),
        (50, 3487),
        (75, 2254),
        (100, 1287),
    ]
    assert [round(100 * bucket["reach"]["value"], 1) for bucket in found["buckets"]] == [100.0, 87.3, 64.2, 41.5, 23.7]


async def test_ztas_rage_clicks(client: Client) -> None:
    found = (
        await insights(client, CHECKOUT, "rageClicks { nodes { x y element { label text } count averageClicks maxClicks severity } }")
    )["rageClicks"]
    (spot,) = found["nodes"]
    assert (spot["x"], spot["y"], spot["count"], spot["maxClicks"], spot["severity"]) == (640, 500, 54, 23, "MEDIUM")
    assert round(spot["averageClicks"], 1) == 8.3
    assert spot["element"] == {"label": "button#submit", "text": "Submit Order"}


async def test_ztas_dead_clicks(client: Client) -> None:
    found = (await insights(client, HOME, "deadClicks { total rate { value } nodes { x y element { label text } clicks share } }"))[
        "deadClicks"
    ]
    assert found["total"] == 357
    assert round(100 * found["rate"]["value"], 1) == 10.4
    assert [(spot["element"]["label"], spot["clicks"], round(100 * spot["share"], 1)) for spot in found["nodes"]] == [
        ("div.hero-image", 234, 6.8),
        ("h2.section-title", 123, 3.6),
    ]


async def test_ztas_devices_have_viewports_of_their_own(client: Client) -> None:
    for device, width, height in (("DESKTOP", 1280, 1024), ("TABLET", 768, 1024), ("MOBILE", 375, 667)):
        found = await insights(client, PRICING, "heatmap { viewport { width height } }", f"(segment: {{device: [{device}]}})")
        assert found["heatmap"]["viewport"] == {"width": width, "height": height}


async def test_ztas_error_cases(client: Client) -> None:
    query = f'{{ site(siteId: "{ZTAS.site_id}") {{ page(key: "https://example.com/never-seen") {{ id }} }} }}'
    assert (await ask(client, query))["site"]["page"] is None  # No heatmap data found for this page
    nothing = await insights(client, PRICING, "meta { status }", '(window: {last: "-1h"})')
    assert nothing["meta"]["status"] == "EMPTY"


async def test_ours_privacy_listing(client: Client) -> None:
    query = f"""{{ site(siteId: "{ZTAS.site_id}") {{ pages(search: "EXAMPLE.com/", orderBy: {{field: KEY, direction: ASC}}, first: 2) {{
        totalCount pageInfo {{ hasNextPage }}
        edges {{ node {{ key }} totals {{
            clicks rageClicks deadClicks rageRate {{ value }} deadRate {{ value }} breakpoints {{ breakpoint clicks }} }} }} }} }} }}"""
    found = (await ask(client, query))["site"]["pages"]
    assert (found["totalCount"], found["pageInfo"]["hasNextPage"]) == (4, True)
    home, article = found["edges"]
    assert home["node"]["key"] == HOME
    assert home["totals"] == {
        "clicks": 3421,
        "rageClicks": 0,
        "deadClicks": 357,
        "rageRate": {"value": 0.0},
        "deadRate": {"value": 357 / 3421},
        "breakpoints": [
            {"breakpoint": "DESKTOP", "clicks": 3421},
            {"breakpoint": "TABLET", "clicks": 0},
            {"breakpoint": "MOBILE", "clicks": 0},
        ],
    }
    assert article["totals"]["rageRate"] == {"value": None}  # nothing to divide by


# PostHog: the cases of its own tests of the heatmaps API, by what they are about.

PH = "http://example.com"


def posthog_rows() -> Iterator[dict[str, Any]]:
    """A few clicks each on pages of their own."""
    for number, width in enumerate([20, 40, 60, 101, 110, 190, 200, 201]):
        yield row("click", number, f"{PH}/widths", x=5, y=20, viewportWidth=width, viewportHeight=100)
    for number in range(4):  # two visitors, one of whom clicks three times
        yield row("click", min(number, 1), f"{PH}/visitors", number * 5000, x=10, y=20, viewportWidth=100, viewportHeight=100)
    for fixed in (True, True, False):
        yield row(
            "click", "fixed", f"{PH}/fixed", 7 * (3 if fixed else 9) + fixed, x=10, y=20, fixed=fixed, viewportWidth=100, viewportHeight=100
        )
    yield row("click", "f2", f"{PH}/fixed", 99, x=10, y=20, fixed=True, viewportWidth=100, viewportHeight=100)
    for number, (x, y) in enumerate([(0, 0), (0, 0), (0, 5), (5, 0), (50, 50)]):
        yield row("click", "zero", f"{PH}/zero", number, x=x, y=y, viewportWidth=100, viewportHeight=100)
    for number, path in enumerate(["/about", "/about/", "/about?q=1", "/about/team", "/contact"]):
        yield row("click", f"u{number}", f"{PH}/urls{path}", x=10, y=20, viewportWidth=100, viewportHeight=100)
    for visitor, (height, y) in enumerate([(800, 100), (800, 900), (1000, 1000), (1000, 1001)]):
        yield row("click", f"fold{visitor}", f"{PH}/fold", x=10, y=y, viewportWidth=1000, viewportHeight=height)
    for number, depth in enumerate([10, 100, 250, 250, 900]):  # no pageview rows: depth implies one
        yield row("scroll", f"d{number}", f"{PH}/depth", scrollY=depth, viewportWidth=1000, viewportHeight=100, pageHeight=1000)
    for session in ("k0", "k1"):
        for kind in ("click", "rage", "move"):
            yield row(kind, session, f"{PH}/kinds", x=10, y=20, viewportWidth=100, viewportHeight=100)
    for name in ("me@posthog.com", "somebody@example.com"):
        tester = {"visitorId": name, "sessionId": f"t {name}"}
        yield row("click", name, f"{PH}/testers", x=10, y=20, viewportWidth=100, viewportHeight=100) | tester


async def points(client: Client, path: str, arguments: str = "", lens: str = "", selection: str = "count") -> Any:
    found = await insights(client, f"{PH}{path}", f"heatmap{arguments} {{ total points {{ {selection} }} }}", lens, POSTHOG)
    return found["heatmap"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(None, None, 8), (101, None, 5), (None, 101, 4), (101, 201, 5), (102, 200, 3), (111, 189, 0), (20, 20, 1)],
)
async def test_posthog_viewport_widths_are_exact_and_inclusive(client: Client, low: int | None, high: int | None, expected: int) -> None:
    ends = ", ".join(f"{name}: {value}" for name, value in (("min", low), ("max", high)) if value is not None)
    lens = f"(segment: {{viewportWidth: {{{ends}}}}})" if ends else ""
    assert (await points(client, "/widths", lens=lens))["total"] == expected


async def test_posthog_total_count_and_unique_visitors(client: Client) -> None:
    assert (await points(client, "/visitors", selection="count relativeX y"))["points"] == [{"count": 4, "relativeX": 0.1, "y": 16}]
    assert (await points(client, "/visitors", "(aggregation: UNIQUE_VISITORS)", selection="count share"))["points"] == [
        {"count": 2, "share": 1}
    ]


async def test_posthog_fixed_targets_are_points_of_their_own(client: Client) -> None:
    found = await points(client, "/fixed", selection="fixed count")
    assert found["points"] == [{"fixed": True, "count": 2}, {"fixed": False, "count": 1}]


async def test_posthog_zero_coordinates_are_hidden_unless_asked_for(client: Client) -> None:
    hidden = await points(client, "/zero")
    shown = await points(client, "/zero", "(hideOrigin: false)")
    assert (hidden["total"], shown["total"]) == (3, 5)  # (0, 5) and (5, 0) are places


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param(f'{{exact: "{PH}/urls/about"}}', 2, id="exact, with and without a slash"),
        pytest.param(f'{{exact: "{PH}/urls/about/"}}', 2, id="exact, asked with a slash"),
        pytest.param(f'{{exact: "{PH}/urls/about?q=1"}}', 1, id="exact, with its query"),
        pytest.param(f'{{wildcard: "{PH}/urls/about*"}}', 3, id="a star is one or more characters"),
        pytest.param('{wildcard: "http://*/urls/*"}', 5, id="stars anywhere"),
        pytest.param(f'{{wildcard: "{PH}/urls/ab.ut"}}', 0, id="a dot is a dot"),
        pytest.param(f'{{regex: "{PH}/urls/ab.ut"}}', 1, id="in a regex it is not, and the whole URL must match"),
        pytest.param(f'{{prefix: "{PH}/urls/about"}}', 4, id="prefix"),
        pytest.param('{path: "/urls/about"}', 3, id="path"),
        pytest.param(f'{{ignoreQuery: "{PH}/urls/about?other=2"}}', 3, id="query ignored"),
    ],
)
async def test_posthog_url_exact_and_pattern(client: Client, url: str, expected: int) -> None:
    query = f'{{ site(siteId: "{POSTHOG.site_id}") {{ insights(url: {url}) {{ heatmap {{ total }} }} }} }}'
    assert (await ask(client, query))["site"]["insights"]["heatmap"]["total"] == expected


async def test_posthog_fold(client: Client) -> None:
    found = await insights(client, f"{PH}/fold", "fold { total belowFold { value numerator } medianViewportHeight }", site=POSTHOG)
    assert found["fold"] == {"total": 4, "belowFold": {"value": 0.5, "numerator": 2}, "medianViewportHeight": 900}


async def test_posthog_scroll_depth_counts_everybody_once_per_depth(client: Client) -> None:
    found = await insights(client, f"{PH}/depth", "scroll(unit: PIXEL) { buckets { depth visitors count } }", site=POSTHOG)
    buckets = found["scroll"]["buckets"]
    assert [bucket["visitors"] for bucket in buckets] == [5, 5, 4, 3, 1, 1, 1, 1, 1, 1, 1]
    assert sum(bucket["count"] for bucket in buckets) == 5


@pytest.mark.parametrize(("kind", "total"), [("CLICK", 2), ("RAGE_CLICK", 2), ("MOVE", 2), ("DEAD_CLICK", 0)])
async def test_posthog_kinds(client: Client, kind: str, total: int) -> None:
    assert (await points(client, "/kinds", f"(kind: {kind})"))["total"] == total


async def test_posthog_test_accounts(client: Client) -> None:
    assert (await points(client, "/testers"))["total"] == 2
    assert (await points(client, "/testers", lens="(segment: {excludeTestAccounts: true})"))["total"] == 1


@pytest.mark.parametrize(("last", "total"), [("-7d", 4), ("-24h", 0), ("-3d", 4)])
async def test_posthog_relative_dates(client: Client, last: str, total: int) -> None:
    assert (await points(client, "/visitors", lens=f'(window: {{last: "{last}"}})'))["total"] == total


async def test_posthog_drill_down(client: Client) -> None:
    """Every click behind a point, newest first, page by page."""
    seen = []
    after = ""
    while True:
        selection = "totalCount pageInfo { hasNextPage endCursor } nodes { visitorId url timestamp }"
        below = f"interactions(points: [{{relativeX: 0.1, y: 20}}], first: 1{after}) {{ {selection} }}"
        found = (await insights(client, f"{PH}/visitors", below, site=POSTHOG))["interactions"]
        assert found["totalCount"] == 4
        seen += found["nodes"]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = f', after: "{found["pageInfo"]["endCursor"]}"'
    assert [node["visitorId"] for node in seen] == ["v1", "v1", "v1", "v0"]
    assert [node["timestamp"] for node in seen] == sorted((node["timestamp"] for node in seen), reverse=True)
    assert {node["url"] for node in seen} == {f"{PH}/visitors"}
