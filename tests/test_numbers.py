"""Every number the API gives, against the plain model of `tests.reference`: random data, random lenses, both engines.

Integers and orders are compared exactly, ratios to 1e-12; depths, which are stored in 1e-12 of a page, to 1e-9.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client, connect
from tests.against_model import AGGREGATIONS, KINDS, RATE, Asked, Loaded, asking, differences, load_site, never_seen
from tests.asking import NOW
from tests.reference.bursts import RageRule
from tests.reference.facts import Interaction, milliseconds
from tests.reference.lens import Lens
from tests.reference.lenses import RULES, Question, random_rule
from tests.reference.model import Answer, Cell, Place
from tests.reference.rows import DAY_MS, URLS, DataSet, crowd, data_set
from tests.reference.url import UrlRule

SITES: dict[str, tuple[Callable[[Random, int], DataSet], int, int]] = {
    "large": (data_set, 120, 1),
    "crowd": (crowd, 40, 1),
    "middle": (data_set, 40, 3),
    "small": (data_set, 6, 1),
}
"""Site -> what its rows are like, how many sessions, and in how many parts they are loaded."""
LENSES = range(10)
ORDERS: dict[str, Callable[[Answer], float]] = {
    "PAGEVIEWS": lambda totals: totals["pageviews"],
    "VISITORS": lambda totals: totals["visitors"],
    "SESSIONS": lambda totals: totals["sessions"],
    "CLICKS": lambda totals: totals["clicks"],
    "RAGE_CLICKS": lambda totals: totals["rageClicks"],
    "DEAD_CLICKS": lambda totals: totals["deadClicks"],
    "BOUNCE_RATE": lambda totals: known(totals["bounceRate"]["value"]),
    "RAGE_RATE": lambda totals: known(totals["rageRate"]["value"]),
    "DEAD_RATE": lambda totals: known(totals["deadRate"]["value"]),
    "ISSUE_SCORE": lambda totals: known(totals["issueScore"]["value"]),
    "AVERAGE_SECONDS_ON_PAGE": lambda totals: known(totals["averageSecondsOnPage"]),
    "KEY": lambda totals: 0,
}
ELEMENTS = {
    "": None,
    "#signup": {"selector": "#signup", "label": "button#signup", "text": "Get Started", "tag": "button"},
    "a.pricing-link": {"selector": "a.pricing-link", "label": "a.pricing-link", "text": "View Features", "tag": "a"},
    "div.hero-image": {"selector": "div.hero-image", "label": "div.hero-image", "text": None, "tag": "div"},
    "#chat": {"selector": "#chat", "label": "button#chat", "text": "Chat", "tag": "button"},
}

ELEMENT = "{ selector label text tag }"
PART = f"{{ weight score rate {RATE} }}"
TOTALS = f"""{{ pageviews visitors sessions bounceRate {RATE} averageSecondsOnPage clicks rageClicks deadClicks
    rageRate {RATE} deadRate {RATE} issueScore {{ value rage {PART} dead {PART} }} breakpoints {{ breakpoint clicks }} }}"""
POINTS = f"points {{ x y relativeX fixed count share element {ELEMENT} }} pageInfo {{ hasNextPage endCursor }}"
MAP = f"""kind aggregation total visitors sessions maxCount pageHeight viewport {{ width height }} cell {{ width height }}
    hidden {{ origin testAccounts }} {POINTS}"""


@pytest.fixture(scope="module")
async def client(dsn: str) -> AsyncIterator[Client]:
    """One for all tests, which only read."""
    client = await connect(dsn)
    yield client
    await client.close()


@pytest.fixture(scope="module")
def loaded(database: SyncClient) -> dict[str, Loaded]:
    return {name: load_site(database, name, rows(Random(name), sessions), parts) for name, (rows, sessions, parts) in SITES.items()}


@pytest.fixture(params=LENSES, ids="lens {}".format)
def asked(request: pytest.FixtureRequest, client: Client, loaded: dict[str, Loaded]) -> Asked:
    """Sites in turn; the lens, and all else that is random, from the number of the lens."""
    site = tuple(loaded.values())[request.param % len(loaded)]
    return asking(client, site, Random(request.param))


def known(value: float | None) -> float:
    """Nothing is less than zero."""
    return -1 if value is None else value


# -- totals and listings


async def test_totals(asked: Asked) -> None:
    got = await asked.insights(f"totals {TOTALS} meta {{ status pagesMatched sessions enoughData }}")
    if never_seen(asked):
        assert got is None
    else:
        assert not differences(got, {"totals": asked.model.totals(asked.lens), "meta": asked.model.meta(asked.lens)})


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("kind", RULES)
async def test_url_rules(kind: str, name: str, client: Client, loaded: dict[str, Loaded]) -> None:
    asked = asking(client, loaded[name], Random(kind + name))
    rules = [random_rule(asked.random, kind) for _ in range(5)]
    lenses = [replace(asked.lens, page_key=None, url=rule) for rule in rules]
    named = {f"rule{index}": {kind: rule.value} for index, rule in enumerate(rules)}
    numbers = f"totals {TOTALS} meta {{ status pagesMatched sessions enoughData }}"
    merged = " ".join(f"{name}: insights(url: ${name}, window: $window, segment: $segment) {{ {numbers} }}" for name in named)
    got = await asked.of_site(merged, *(f"${name}: UrlMatch!" for name in named), **named)
    expected = [{"totals": asked.model.totals(lens), "meta": asked.model.meta(lens)} for lens in lenses]
    assert not differences(list(got.values()), expected), rules


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ORDERS)
async def test_listing_of_pages(field: str, direction: str, client: Client, loaded: dict[str, Loaded]) -> None:
    asked = asking(client, loaded["large"], Random(field + direction))
    search = asked.random.choice(["", "", "PRIC", "/pricing", "shop.", "nowhere"])
    pages = asked.model.pages(replace(asked.lens, page_key=None, url=None), search)
    keys = sorted(sorted(pages), key=lambda key: ORDERS[field](pages[key]), reverse=direction == "DESC")
    if field == "KEY":
        keys = sorted(pages, reverse=direction == "DESC")
    arguments = f'window: $window, segment: $segment, orderBy: {{field: {field}, direction: {direction}}}, search: "{search}",'
    got = await listed(asked, "pages", arguments, asked.random.randint(1, 3), len(keys))
    assert not differences(got, [{"node": {"key": key}, "totals": pages[key]} for key in keys])


async def test_matched_pages(asked: Asked) -> None:
    rule = random_rule(asked.random)
    pages = asked.model.pages(Lens(asked.lens.start_ms, asked.lens.end_ms, url=rule))
    keys = sorted(pages, key=lambda key: (-pages[key]["clicks"], key))
    arguments = "url: $url, window: $window,"
    first = asked.random.randint(1, 3)
    got = await listed(asked, "matchedPages", arguments, first, len(keys), "$url: UrlMatch!", url={rule.kind: rule.value})
    assert not differences(got, [{"node": {"key": key}, "totals": pages[key]} for key in keys])


async def listed(asked: Asked, field: str, arguments: str, first: int, total: int, *more: str, **values: Any) -> list[Any]:
    """All edges of a listing of pages, a few at a time; checks what each of its pages says of the whole.

    About half of them do not ask how many there are, which is another statement.
    """
    edges: list[Any] = []
    after = ""
    while True:
        listing = f"{field}({arguments} first: {first} {after})"
        counted = asked.random.random() < 0.5
        selection = f"edges {{ node {{ key }} totals {TOTALS} }} {'totalCount' if counted else ''} pageInfo {{ hasNextPage endCursor }}"
        page = (await asked.of_site(f"{listing} {{ {selection} }}", *more, **values))[field]
        edges += page["edges"]
        assert page.get("totalCount") == (total if counted else None)
        assert page["pageInfo"]["hasNextPage"] == (len(edges) < total)
        if not page["pageInfo"]["hasNextPage"]:
            if end := page["pageInfo"]["endCursor"]:
                behind = await asked.of_site(
                    f'{field}({arguments} first: {first} after: "{end}") {{ edges {{ cursor }} totalCount }}', *more, **values
                )
                assert behind[field] == {"edges": [], "totalCount": total}
            return edges
        after = f'after: "{page["pageInfo"]["endCursor"]}"'


# -- point maps


async def test_maps(asked: Asked) -> None:
    kinds = asked.random.sample([(kind, aggregation) for kind in KINDS for aggregation in AGGREGATIONS], 6)
    maps = [(kind, aggregation, *random_grid(asked)) for kind, aggregation in kinds]
    aliased = [
        f"map{index}: heatmap(kind: {kind}, aggregation: {aggregation} {arguments}, first: 100000) {{ {MAP} }}"
        for index, (kind, aggregation, arguments, _, _) in enumerate(maps)
    ]
    got = await asked.insights(" ".join(aliased))
    for index, (kind, aggregation, arguments, cell, hide_origin) in enumerate(maps) if got else ():
        answer = got[f"map{index}"]
        assert answer.pop("pageInfo")["hasNextPage"] is False
        expected = asked.model.heatmap(asked.lens, kind, aggregation, cell, hide_origin)
        expected |= {"kind": kind, "aggregation": aggregation, "points": [point for _, point in hottest_first(expected["points"])]}
        assert not differences(answer, expected), (kind, aggregation, arguments)


async def test_points_page_by_page(asked: Asked) -> None:
    kind, aggregation = asked.random.choice(KINDS), asked.random.choice(AGGREGATIONS)
    arguments, cell, hide_origin = random_grid(asked)
    points = [point for _, point in hottest_first(asked.model.heatmap(asked.lens, kind, aggregation, cell, hide_origin)["points"])]
    first = max(1, len(points) // asked.random.randint(2, 5))
    got: list[Any] = []
    after = ""
    heatmap = f"heatmap(kind: {kind}, aggregation: {aggregation} {arguments}, first: {first}"
    while answer := await asked.insights(f"{heatmap} {after}) {{ {POINTS} }}"):
        got += answer["heatmap"]["points"]
        if not answer["heatmap"]["pageInfo"]["hasNextPage"]:
            break
        assert len(answer["heatmap"]["points"]) == first
        after = f', after: "{answer["heatmap"]["pageInfo"]["endCursor"]}"'
    assert not differences(got, points)


async def test_points_on_the_edges_of_cells(client: Client, database: SyncClient) -> None:
    """1280 ÷ 19.5 is no binary fraction; still each click belongs to the cell that begins where it lies."""
    data = DataSet([], NOW.date() - timedelta(days=2), 1)
    click = {"type": "click", "sessionId": "s", "visitorId": "v", "url": URLS[0], "y": 8, "viewportWidth": 1280}
    data.rows.extend(click | {"timestamp": data.start_ms + column, "x": column * 19.5} for column in range(66))
    site = load_site(database, "edges", data, 1)
    variables = {"window": {"last": "-7d"}, "segment": {}, "url": {"exact": URLS[0]}}
    asked = Asked(client, site.site, data, site.model, Question(variables, Lens(0, 0)), Random(0))
    got = await asked.insights("heatmap(cell: {width: 19.5, height: 16}) { points { x count } }")
    assert not differences(got["heatmap"]["points"], [{"x": column * 19.5, "count": 1} for column in range(66)])


async def test_fold(asked: Asked) -> None:
    got = await asked.insights(" ".join(f"{kind}: fold(kind: {kind}) {{ total belowFold {RATE} medianViewportHeight }}" for kind in KINDS))
    assert got is None or not differences(got, {kind: asked.model.fold(asked.lens, kind) for kind in KINDS})


async def test_interactions_behind_points(asked: Asked) -> None:
    kind = asked.random.choice(KINDS)
    arguments, cell, hide_origin = random_grid(asked)
    heatmap = await asked.insights(f"heatmap(kind: {kind} {arguments}) {{ points {{ relativeX y fixed count }} }}")
    places = hottest_first(asked.model.heatmap(asked.lens, kind, "TOTAL", cell, hide_origin)["points"])
    if heatmap is None or not places:
        return
    chosen = asked.random.sample(range(len(places)), min(len(places), asked.random.randint(1, 4)))
    points = [heatmap["heatmap"]["points"][index] for index in chosen]
    inputs = ", ".join(f"{{relativeX: {at['relativeX']!r}, y: {at['y']}, fixed: {str(at['fixed']).lower()}}}" for at in points)
    inside = asked.model.interactions(asked.lens, kind, [places[index][0] for index in chosen], cell, hide_origin)
    assert sum(point["count"] for point in points) == len(inside)
    await assert_same_interactions(asked, kind, f"{arguments}, points: [{inputs}]", inside)


async def test_interactions(asked: Asked) -> None:
    kind = asked.random.choice(KINDS)
    await assert_same_interactions(asked, kind, "", asked.model.interactions(asked.lens, kind))


@pytest.mark.parametrize("kind", ["CLICK", "MOVE"])
async def test_simultaneous_interactions_come_once_each(kind: str, client: Client, loaded: dict[str, Loaded]) -> None:
    site = loaded["crowd"]
    everywhere = UrlRule("wildcard", "http*")
    variables = {"window": {"last": "-30d"}, "segment": {}, "url": {everywhere.kind: everywhere.value}}
    lens = Lens(0, site.data.start_ms + 30 * DAY_MS, url=everywhere)
    asked = Asked(client, site.site, site.data, site.model, Question(variables, lens), Random(0))
    expected = asked.model.interactions(lens, kind)
    assert len({one.timestamp_ms for one in expected}) < len(expected)
    await assert_same_interactions(asked, kind, "", expected, first=3)


async def assert_same_interactions(asked: Asked, kind: str, arguments: str, expected: list[Interaction], first: int | None = None) -> None:
    """All pages of the list are these, newest first; the order of simultaneous ones of two sessions is the server's."""
    if never_seen(asked):
        return
    selection = f"kind timestamp relativeX y fixed url element {ELEMENT} sessionId visitorId replay {{ sessionId }} offsetSeconds"
    first = first or min(100, max(1, len(expected) // asked.random.randint(1, 4)))
    got, last = await asked.paged("interactions", f"kind: {kind} {arguments},", selection, first)
    assert last["totalCount"] == len(expected)
    times = [milliseconds(node["timestamp"]) for node in got]
    assert times == sorted(times, reverse=True)
    starts: dict[str, int] = {}
    for row in asked.data.rows:
        starts[row["sessionId"]] = min(milliseconds(row["timestamp"]), starts.get(row["sessionId"], 2**63))
    nodes = [
        {
            "kind": one.kind,
            "timestamp": one.timestamp_ms,
            "relativeX": float(one.relative_x),
            "y": math.floor(one.y),
            "fixed": one.fixed,
            "url": one.url,
            "element": ELEMENTS[one.selector],
            "sessionId": one.session,
            "visitorId": one.visitor,
            "replay": {"sessionId": one.session},
            "offsetSeconds": (one.timestamp_ms - starts[one.session]) / 1000,
        }
        for one in expected
    ]

    def order(node: Any) -> tuple[int, str]:
        return -node["timestamp"], node["sessionId"]

    timed = [node | {"timestamp": time} for node, time in zip(got, times, strict=True)]
    assert not differences(sorted(timed, key=order), sorted(nodes, key=order))


def random_grid(asked: Asked) -> tuple[str, Cell | None, bool]:
    """Arguments of `heatmap` and `interactions`, and what they mean to the model."""
    size = asked.random.choice([None, None, None, (1, 1), (7.5, 10), (10, 10), (19.5, 100), (64, 64), (1280, 1000), (2000, 7)])
    hide_origin = asked.random.random() < 0.7
    cell = f", cell: {{width: {size[0]}, height: {size[1]}}}" if size else ""
    return f"{cell}, hideOrigin: {str(hide_origin).lower()}", Cell(Fraction(size[0]), size[1]) if size else None, hide_origin


def hottest_first(points: dict[Place, Answer]) -> list[tuple[Place, Answer]]:
    """Ties by fixed, y, x; with the whole element instead of its selector."""

    def order(item: tuple[Place, Answer]) -> tuple[int, bool, int, int]:
        (fixed, column, row), point = item
        return -point["count"], fixed, row, column

    shown = {place: {name: value for name, value in point.items() if name != "selector"} for place, point in points.items()}
    return sorted(((place, point | {"element": ELEMENTS[points[place]["selector"] or ""]}) for place, point in shown.items()), key=order)


# -- rage and dead spots


async def test_rage_clicks(asked: Asked) -> None:
    await assert_same_rage_clicks(asked, "", None)


async def test_rage_clicks_by_another_rule(asked: Asked) -> None:
    random = asked.random
    rule = RageRule(random.randint(2, 6), random.choice((100, 400, 999, 1001, 5000)), random.choice((0.0, 29.75, 30.0, 30.25, 1000.0)))
    arguments = f"rule: {{minClicks: {rule.min_clicks}, windowMs: {rule.window_ms}, radiusPx: {rule.radius_px}}},"
    await assert_same_rage_clicks(asked, arguments, rule)


async def assert_same_rage_clicks(asked: Asked, arguments: str, rule: RageRule | None) -> None:
    if never_seen(asked):
        return
    expected = worst_first(asked.model.rage_clicks(asked.lens, rule))
    selection = f"pageKey pageCount x relativeX y fixed element {ELEMENT} count clicks averageClicks maxClicks severity"
    got, last = await asked.paged("rageClicks", arguments, selection, max(1, len(expected) // 3))
    assert not differences(got, expected), rule
    assert last["totalCount"] == len(expected)
    summary = await asked.insights(f"rageClicks{f'({arguments})' if arguments else ''} {{ total }}")
    assert summary == {"rageClicks": {"total": sum(spot["count"] for spot in expected)}}


async def test_dead_clicks(asked: Asked) -> None:
    if never_seen(asked):
        return
    expected = worst_first(asked.model.dead_clicks(asked.lens))
    got, last = await asked.paged(
        "deadClicks", "", f"pageKey pageCount x relativeX y fixed element {ELEMENT} clicks share", max(1, len(expected) // 3)
    )
    assert not differences(got, expected)
    assert last["totalCount"] == len(expected)
    summary = await asked.insights(f"deadClicks {{ total rate {RATE} }}")
    totals = asked.model.totals(asked.lens)
    assert not differences(summary, {"deadClicks": {"total": totals["deadClicks"], "rate": totals["deadRate"]}})


def worst_first(spots: dict[str | Place, Answer]) -> list[Answer]:
    """Ties by clicks, then cells before elements, by fixed, y, x, and elements by selector."""

    def order(item: tuple[str | Place, Answer]) -> tuple[Any, ...]:
        spot, answer = item
        selector, (fixed, column, row) = (spot, (False, 0, 0)) if isinstance(spot, str) else ("", spot)
        most = answer["count"] if "count" in answer else answer["clicks"]
        return -most, -answer["clicks"], selector, fixed, row, column

    return [answer | {"element": ELEMENTS[spot if isinstance(spot, str) else ""]} for spot, answer in sorted(spots.items(), key=order)]


# -- depth and attention


async def test_scroll(asked: Asked) -> None:
    random = asked.random
    steps = {"PERCENT": (None, 1, 7, 10, 25, 30, 100), "PIXEL": (None, 10, 333, 1024, 100_000)}
    units = random.sample([(unit, aggregation) for unit in steps for aggregation in AGGREGATIONS], 3)
    maps = [(unit, aggregation, random.choice(steps[unit]), random_share(random)) for unit, aggregation in units]
    got = await asked.insights(
        " ".join(
            f"map{index}: scroll(unit: {unit}, aggregation: {aggregation} {f', step: {step}' if step else ''}) {{ unit pageviews visitors"
            f" buckets {{ depth visitors count reach {RATE} }} averageDepth medianDepth foldHeight medianPageHeight depthReachedBy(share: {share}) }}"
            for index, (unit, aggregation, step, share) in enumerate(maps)
        )
    )
    for index, (unit, aggregation, step, share) in enumerate(maps) if got else ():
        expected = asked.model.scroll(asked.lens, unit, step, aggregation)
        expected["buckets"] = [{"depth": depth} | bucket for depth, bucket in expected["buckets"].items()]
        expected |= {"unit": unit, "depthReachedBy": asked.model.depth_reached_by(asked.lens, share, unit, aggregation)}
        assert not differences(got[f"map{index}"], expected, rel=1e-9), maps[index]


@pytest.mark.parametrize("field", ["pageviews", "visitors", "foldHeight", "medianPageHeight", "averageDepth"])
async def test_scroll_asked_for_one_number(field: str, asked: Asked) -> None:
    got = await asked.insights(" ".join(f"{name}: scroll(aggregation: {name}) {{ {field} }}" for name in AGGREGATIONS))
    for name in AGGREGATIONS if got else ():
        expected = asked.model.scroll(asked.lens, "PERCENT", None, name)[field]
        assert not differences(got[name][field], expected, rel=1e-9), name


def random_share(random: Random) -> str:
    return random.choice(("0.7", "0.5", "1", "0.001", f"{random.randint(1, 100) / 100}"))


async def test_attention(asked: Asked) -> None:
    random = asked.random
    ends = [view.deepest_px for view in asked.model.seen(asked.lens).pageviews] or [0]
    tops = (0, 1, 150, 5000, random.choice(ends))
    bands = [(200, 0), (300, 100), *((random.choice((10, 333, 1000)), random.choice(tops)) for _ in range(2)), (200, max(ends))]
    got = await asked.insights(
        " ".join(
            f"map{index}: attention(bandHeight: {height}, top: {top})"
            f" {{ pageviews seconds bands {{ y height attention averageSeconds reach {RATE} }} }}"
            for index, (height, top) in enumerate(bands)
        )
    )
    for index, (height, top) in enumerate(bands) if got else ():
        expected = {
            "pageviews": asked.model.totals(asked.lens)["pageviews"],
            "seconds": asked.model.seconds_in_view(asked.lens),
            "bands": [{"y": y} | band for y, band in asked.model.attention(asked.lens, height, top).items()],
        }
        assert not differences(got[f"map{index}"], expected), (height, top)
