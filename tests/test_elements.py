"""Elements, conversions and breakdowns against a plain recomputation: random data, random lenses, with and without marks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.element_marks import Mark, insert_mark
from clickhouse.reading import ignore
from clickhouse.statement import Statement
from tests.against_model import RATE, asking, differences, load_site
from tests.asking import NOW
from tests.elements_of_model import (
    Case,
    Group,
    Member,
    Row,
    Site,
    changed,
    converted,
    expected_breakdown,
    expected_rows,
    members,
    with_marks,
)
from tests.reference.lens import Lens
from tests.reference.lenses import Question
from tests.reference.model import DIMENSION_OF, grouped, sessions
from tests.reference.rates import rate
from tests.reference.rows import ELEMENTS, URLS, data_set
from tests.reference.url import page_key

LENSES = range(6)
EVERYTHING = Lens(int(NOW.timestamp() * 1000) - 30 * 86_400_000, int(NOW.timestamp() * 1000))
"""As `window: {last: "-30d"}` sees it."""
COLUMNS: dict[str, Callable[[Row], float | None]] = {
    "POSITION": lambda row: row["y"],
    "DISPLAYS": lambda row: row["displays"],
    "CLICKS": lambda row: row["clicks"],
    "CLICK_RATE": lambda row: row["clickRate"]["value"],
    "CLICK_SHARE": lambda row: row["clicks"],
    "VISITORS": lambda row: row["visitors"],
    "SESSIONS": lambda row: row["sessions"],
    "CONVERSIONS": lambda row: row["conversions"],
    'CONVERSIONS, event: "purchase"': lambda row: row["purchases"],
    "AVERAGE_SECONDS_TO_CLICK": lambda row: row["averageSecondsToClick"],
    "RAGE_CLICKS": lambda row: row["rageClicks"],
    "DEAD_CLICKS": lambda row: row["deadClicks"],
    "BELOW_FOLD": lambda row: row["belowFold"]["value"],
    "KEY": lambda row: 0,
}
STAT = {
    "key": "",
    "elementCount": "",
    "y": "",
    "displays": "",
    "clicks": "",
    "visitors": "",
    "sessions": "",
    "averageSecondsToClick": "",
    "rageClicks": "",
    "deadClicks": "",
    "belowFold": RATE,
    "clickShare": RATE,
    "clickRate": RATE,
    "ofPageviews": f": clickRate(basis: PAGEVIEWS) {RATE}",
    "ofSessions": f": clickRate(basis: SESSIONS) {RATE}",
    "ofVisitors": f": clickRate(basis: VISITORS) {RATE}",
    "conversions": "",
    "purchases": ': conversions(event: "purchase")',
    "conversion": f"{{ conversions rate {RATE} revenue {{ currency amount }} baseline {RATE} }}",
}
"""Response keys to what stands behind them in a query."""
STATS = " ".join(f"{key} {rest}" for key, rest in STAT.items())
NAMES = {"#signup": "Start", "#chat": "Start", "div.hero-image": "Hero"}


def random_marks(random: Random, site_id: str) -> dict[tuple[str, str], Mark]:
    places = [(page, selector) for page in sorted({page_key(url) for url in URLS}) for selector in ELEMENTS]
    return {
        place: Mark(
            site_id,
            *place,
            name=NAMES.get(place[1], "") if random.random() < 0.7 else "",
            is_cta=random.random() < 0.5,
            is_fixed=random.choice((None, True, False)),
            deleted=random.random() < 0.2,
        )
        for place in places
        if random.random() < 0.8
    }


@pytest.fixture(scope="module")
def sites(database: SyncClient) -> list[Site]:
    plain = load_site(database, "site_plain", data_set(Random(11), 60), parts=1)
    marked = load_site(database, "site_marked", data_set(Random(12), 60), parts=2)
    marks = random_marks(Random(15), marked.site.site_id)
    for mark in marks.values():
        insert = insert_mark(mark, mark, "k_test", NOW)
        database.insert(insert.table, insert.rows, column_names=insert.columns)
    return [Site(plain, {}), Site(marked, marks)]


@pytest.fixture(params=LENSES, ids="lens {}".format)
def case(request: pytest.FixtureRequest, client: Client, sites: list[Site]) -> Case:
    """Sites in turn; first everything merged, then all of one page, then random lenses, some of which see little."""
    site = sites[request.param % len(sites)]
    asked = asking(client, site.loaded, Random(100 + request.param))
    always = {"window": {"last": "-30d"}, "segment": {}}
    if request.param < 2:
        return Case(replace(asked, question=Question(always | {"url": {"prefix": "http"}}, EVERYTHING)), site)
    if request.param < 4:
        page = page_key(URLS[0])
        return Case(replace(asked, question=Question(always | {"page": page}, replace(EVERYTHING, page_key=page))), site)
    return Case(asked, site)


# -- the recomputation


# -- the list


@pytest.mark.parametrize("grouping", ["SELECTOR", "TEXT", "NAME", "HREF"])
async def test_every_column(case: Case, grouping: str) -> None:
    got = await case.insights(
        f"elements(groupBy: {grouping}, first: 100) {{ totalCount nodes {{ {STATS} }} }} unattributed totals {{ clicks }}"
    )
    if got is None:
        return
    expected = expected_rows(case, grouping)
    rows = sorted(expected, key=lambda group: (Fraction(position(expected[group], case, grouping, group)), group[1], group[0]))
    assert not differences(got["elements"]["nodes"], [expected[group] for group in rows])
    assert got["elements"]["totalCount"] == len(expected)
    assert sum(row["clicks"] for row in got["elements"]["nodes"]) + got["unattributed"] == got["totals"]["clicks"]


async def test_each_column_alone(case: Case) -> None:
    """Nothing else needs to be asked for with it."""
    listing = "elements(first: 100, orderBy: {field: KEY})"
    got = await case.insights(" ".join(f"of_{key}: {listing} {{ nodes {{ key {key} {rest} }} }}" for key, rest in STAT.items()))
    if got is None:
        return
    expected = expected_rows(case, "SELECTOR")
    for key in STAT:
        wanted = [{"key": group[1], key: expected[group][key]} for group in sorted(expected, key=lambda group: group[1])]
        assert not differences(got[f"of_{key}"]["nodes"], wanted), key


async def test_columns_in_fragments_under_edges_with_variables(case: Case) -> None:
    row = f"... on ElementStatsEdge {{ node {{ key ... on ElementStats {{ clickRate(basis: $basis) {RATE} displays @skip(if: $no) }} }} }}"
    listing = f"elements(first: 100, orderBy: {{field: KEY}}) {{ edges {{ {row} }} nodes @include(if: $no) {{ visitors }} }}"
    got = await case.insights(listing, "$basis: RateBasis", "$no: Boolean!", basis="SESSIONS", no=False)
    if got is None:
        return
    expected = expected_rows(case, "SELECTOR")
    wanted = [
        {"key": group[1], "clickRate": expected[group]["ofSessions"], "displays": expected[group]["displays"]}
        for group in sorted(expected, key=lambda group: group[1])
    ]
    assert not differences([edge["node"] for edge in got["elements"]["edges"]], wanted)


async def test_daily_sums_and_rows_say_the_same(case: Case, client: Client, database: SyncClient) -> None:
    """The same list without what does not add up, of whose days some are read from rows."""
    names = ("key", "clicks", "rageClicks", "deadClicks", "averageSecondsToClick", "belowFold", "clickShare")
    fields = (
        f"elements(first: 100, orderBy: {{field: KEY}}) {{ nodes {{ {' '.join(f'{name} {STAT[name]}' for name in names)} }} }} unattributed"
    )
    read: list[Statement] = []
    client.on_statement = read.append
    summed = await case.insights(fields)
    client.on_statement = ignore
    if case.asked.question.variables["window"] == {"last": "-30d"}:  # by page; URLs as received are no columns of the sums
        assert sum("FROM elements_daily" in statement.sql for statement in read) == (2 if "page" in case.asked.question.variables else 0)
    site_id = case.site.loaded.site.site_id
    database.command(f"INSERT INTO stale_days (site_id, day) SELECT DISTINCT site_id, day FROM interactions WHERE site_id = '{site_id}'")
    try:
        assert await case.insights(fields) == summed
    finally:
        database.command("DELETE FROM stale_days WHERE 1")
    if summed is None:
        return
    expected = expected_rows(case, "SELECTOR")
    wanted = [{name: expected[group][name] for name in names} for group in sorted(expected, key=lambda group: group[1])]
    assert not differences(summed["elements"]["nodes"], wanted)


def position(row: Row, case: Case, grouping: str, group: Group) -> float:
    """The exact top; `y` is rounded down."""
    inside = [one for one in members(case, grouping) if one.group == group and not one.mark.deleted]
    return min(inside, key=lambda one: (-len(one.clicks), one.place)).top


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("column", COLUMNS)
async def test_any_column_both_ways_page_by_page(client: Client, sites: list[Site], column: str, direction: str) -> None:
    random = Random(column + direction)
    site = random.choice(sites)
    case = Case(asking(client, site.loaded, random), site)
    case = replace(case, asked=replace(case.asked, question=replace(case.asked.question, lens=EVERYTHING)))
    grouping = random.choice(("SELECTOR", "TEXT", "NAME"))
    expected = expected_rows(case, grouping)
    known = {group: -1 if (value := COLUMNS[column](row)) is None else value for group, row in expected.items()}
    if column == "POSITION":
        known = {group: position(row, case, grouping, group) for group, row in expected.items()}
    sign = 1 if direction == "ASC" else -1
    wanted = sorted(expected, key=lambda group: (sign * known[group], group[1], group[0]))
    if column == "KEY":
        wanted = sorted(expected, key=lambda group: (group[1], group[0]), reverse=direction == "DESC")
    nodes: list[Row] = []
    after = ""
    while True:
        arguments = f"groupBy: {grouping}, orderBy: {{field: {column}, direction: {direction}}}, first: 2 {after}"
        listing = f"elements({arguments}) {{ nodes {{ key clicks }} totalCount pageInfo {{ hasNextPage endCursor }} }}"
        query = f'insights(url: {{prefix: "http"}}, window: {{last: "-30d"}}) {{ {listing} }}'
        page = (await case.asked.of_site(query))["insights"]["elements"]
        nodes += page["nodes"]
        assert page["totalCount"] == len(wanted)
        if not page["pageInfo"]["hasNextPage"]:
            break
        assert len(page["nodes"]) == 2
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
    assert nodes == [{"key": group[1], "clicks": expected[group]["clicks"]} for group in wanted]


async def test_ctas_and_deleted_ones(case: Case) -> None:
    rows = "{ nodes { key clicks displays conversions } }"
    got = await case.insights(
        f"ctas: elements(ctasOnly: true, first: 100) {rows} deleted: elements(deleted: true, first: 100) {rows}"
        " heatmap(ctasOnly: true, hideOrigin: false) { total }"
    )
    if got is None:
        return
    for name, expected in (
        ("ctas", expected_rows(case, "SELECTOR", ctas_only=True)),
        ("deleted", expected_rows(case, "SELECTOR", deleted=True)),
    ):
        found = {row["key"]: row for row in got[name]["nodes"]}
        assert found == {
            key: {column: row[column] for column in ("key", "clicks", "displays", "conversions")} for (_, key), row in expected.items()
        }
    assert got["heatmap"]["total"] == sum(row["clicks"] for row in got["ctas"]["nodes"])


async def test_one_element(case: Case) -> None:
    aliases = {f"e{number}": selector for number, selector in enumerate(ELEMENTS)}
    got = await case.insights(" ".join(f'{alias}: element(selector: "{selector}") {{ {STATS} }}' for alias, selector in aliases.items()))
    if got is None:
        return
    expected = expected_rows(case, "SELECTOR")
    assert not differences(got, {alias: expected.get((0, selector)) for alias, selector in aliases.items()})


@pytest.mark.parametrize("grouping", ["SELECTOR", "TEXT"])
async def test_breakdowns_add_up(case: Case, grouping: str) -> None:
    rows = "{ value isOther sessions clicks visitors rageClicks deadClicks share { numerator denominator } }"
    two = " ".join(f"{name}: breakdown(by: {name}, first: 2) {rows}" for name in DIMENSION_OF)
    got = await case.insights(f"elements(groupBy: {grouping}, first: 100) {{ nodes {{ key clicks sessions {two} }} }}")
    groups: dict[str, list[Member]] = grouped(
        (one for one in members(case, grouping) if not one.mark.deleted),
        lambda one: one.group[1],  # type: ignore[type-var]
    )
    for node in got["elements"]["nodes"] if got else ():
        clicks = [click for one in groups[node["key"]] for click in one.clicks]
        bursts = [burst for one in groups[node["key"]] for burst in one.bursts if burst.session in sessions(clicks)]
        for name in DIMENSION_OF:
            assert sum(row["sessions"] for row in node[name]) == node["sessions"]
            assert sum(row["clicks"] for row in node[name]) == node["clicks"]
            assert node[name] == expected_breakdown(clicks, bursts, name)


# -- what marks change in maps and depths


async def test_marks_decide_what_is_fixed(case: Case) -> None:
    points = "points { x y fixed count element { selector } }"
    got = await case.insights(
        f"fold {{ total belowFold {RATE} medianViewportHeight }} heatmap(first: 10000) {{ total {points} }} meta {{ fixedByMark }}"
    )
    if got is None:
        return
    marked = with_marks(case)
    expected = marked.heatmap(case.asked.lens, "CLICK")["points"]
    by_place = {(point["fixed"], point["x"], point["y"]): point["count"] for point in got["heatmap"]["points"]}
    assert by_place == {(place[0], point["x"], point["y"]): point["count"] for place, point in expected.items()}
    assert not differences(got["fold"], marked.fold(case.asked.lens))
    assert got["meta"]["fixedByMark"] == sum(changed(case, one) for one in members(case, "SELECTOR"))


async def test_conversions_by_depth(case: Case) -> None:
    unit, step, event = case.asked.random.choice(
        (("PERCENT", 25, None), ("PERCENT", 7, "signup"), ("PIXEL", 500, None), ("PIXEL", 100, "purchase"))
    )
    named = f', event: "{event}"' if event else ""
    fields = f"baseline {RATE} depths {{ depth sessions conversions rate {RATE} revenue {{ currency amount }} }}"
    got = await case.insights(f"conversionsByDepth(unit: {unit}, step: {step}{named}) {{ {fields} }}")
    if got is None:
        return
    seen = case.asked.model.seen(case.asked.lens)
    views = grouped(seen.pageviews, lambda view: view.session)
    share = unit == "PERCENT"
    deepest = {session: max(100 * one.deepest_share if share else one.deepest_px for one in own) for session, own in views.items()}
    depths = []
    for depth in range(0, math.floor(max(deepest.values(), default=-1)) + 1, step):
        reached = [view for view in seen.pageviews if deepest[view.session] >= depth]
        who, revenue = converted(case, reached, event)
        depths.append(
            {
                "depth": depth,
                "sessions": len(sessions(reached)),
                "conversions": len(who),
                "rate": rate(len(who), len(sessions(reached)), subset=True),
                "revenue": [{"currency": currency, "amount": amount} for currency, amount in sorted(revenue.items(), key=str)],
            }
        )
    everybody = seen.facts()
    baseline = rate(len(converted(case, everybody, event)[0]), len(sessions(everybody)), subset=True)
    assert not differences(got["conversionsByDepth"], {"baseline": baseline, "depths": depths})
