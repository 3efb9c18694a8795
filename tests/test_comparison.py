"""Comparisons against the plain model of `tests.reference`, the interval against published examples, and the warnings."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import count
from random import Random
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.cohorts import cohort_id_of
from clickhouse.sites import Site
from clickhouse.statement import Statement
from gateway.demo_visits import DEMO_SITE, DEMO_TEST_ACCOUNTS, demo_rows
from tests.against_model import Loaded, differences, load_site
from tests.asking import NOW, answer, ask, create_site, load
from tests.reference.lens import Lens
from tests.reference.lenses import Question, question
from tests.reference.model import Answer, Model, most_frequent_selector, sessions
from tests.reference.rates import rate, wilson
from tests.reference.rows import COHORTS, data_set
from tests.reference.rows import ELEMENTS as TRACKED
from tests.reference.url import page_key

COUNT = "{ baseline candidate delta relativeDelta }"
RATE = "{ value numerator denominator low high }"
CHANGE = f"{{ baseline {RATE} candidate {RATE} delta relativeDelta low high significant }}"
TOTALS = f"""totals {{
    {" ".join(f"{name} {COUNT}" for name in ("pageviews", "visitors", "sessions", "clicks", "rageClicks", "deadClicks"))}
    averageSecondsOnPage {COUNT} issueScore {COUNT} breakpoints {{ breakpoint clicks {COUNT} }}
    bounceRate {CHANGE} rageRate {CHANGE} deadRate {CHANGE} }}"""
RATES = f"rates {{ {' '.join(f'{name} {CHANGE}' for name in ('bounceRate', 'rageRate', 'deadRate', 'rageSessions', 'deadSessions'))} }}"
ELEMENTS = f"{{ element {{ selector tag text }} clicks {COUNT} clickRate {CHANGE} clickShare {CHANGE} }}"
CELLS = f"{{ x y relativeX fixed count {COUNT} share {CHANGE} element {{ selector }} }}"
BUCKETS = f"population {COUNT} averageDepth {COUNT} medianDepth {COUNT} buckets {{ depth visitors {COUNT} reach {CHANGE} }}"
EVERYTHING = f"""{TOTALS} {RATES} warnings {{ code }} fold {{ total {COUNT} belowFold {CHANGE} medianViewportHeight {COUNT} }}
    scroll {{ {BUCKETS} }} elements {ELEMENTS} cells {CELLS}"""


# -- numbers


def count_change(baseline: float | None, candidate: float | None) -> Answer:
    delta = None if baseline is None or candidate is None else candidate - baseline
    return {
        "baseline": baseline,
        "candidate": candidate,
        "delta": delta,
        "relativeDelta": delta / baseline if baseline and delta is not None else None,
    }


def rate_change(baseline: Answer, candidate: Answer) -> Answer:
    """Newcombe's interval anew, from squares and wilson() of the model."""
    numbers = count_change(baseline["value"], candidate["value"])
    ends = dict.fromkeys(("low", "high", "significant"))
    if baseline["low"] is not None and candidate["low"] is not None:
        (l1, u1), (l2, u2) = (wilson(side["numerator"], side["denominator"]) or (0.0, 0.0) for side in (baseline, candidate))
        low = numbers["delta"] - math.hypot(candidate["value"] - l2, u1 - baseline["value"])
        high = numbers["delta"] + math.hypot(u2 - candidate["value"], baseline["value"] - l1)
        ends = {"low": low, "high": high, "significant": not low <= 0 <= high}
    return numbers | ends | {"baseline": baseline, "candidate": candidate}


def totals_change(one: Answer, two: Answer) -> tuple[Answer, Answer]:
    """totals and rates."""
    rates = {name: rate_change(one[name], two[name]) for name in ("bounceRate", "rageRate", "deadRate")}
    numbers = ("pageviews", "visitors", "sessions", "clicks", "rageClicks", "deadClicks", "averageSecondsOnPage")
    score = count_change(one["issueScore"]["value"], two["issueScore"]["value"])
    layouts = [
        {"breakpoint": layout["breakpoint"], "clicks": count_change(layout["clicks"], other["clicks"])}
        for layout, other in zip(one["breakpoints"], two["breakpoints"], strict=True)
    ]
    issues = {f"{kind}Sessions": rate_change(one["issueScore"][kind]["rate"], two["issueScore"][kind]["rate"]) for kind in ("rage", "dead")}
    totals = {name: count_change(one[name], two[name]) for name in numbers} | rates | {"issueScore": score, "breakpoints": layouts}
    return totals, rates | issues


def element_changes(model: Model, one: Lens, two: Lens, by_share: bool) -> list[Answer]:
    seen = [model.seen(lens) for lens in (one, two)]
    clicks = [side.of_kind("CLICK") for side in seen]
    everybody = [len(sessions(side.facts())) for side in seen]
    rows = []
    for selector in {click.selector for side in clicks for click in side} - {""}:
        inside = [[click for click in side if click.selector == selector] for side in clicks]
        tag, text, _ = TRACKED[selector]
        rows.append(
            {
                "element": {"selector": selector, "tag": tag, "text": text or None},
                "clicks": count_change(*map(len, inside)),
                "clickRate": rate_change(
                    *(rate(len(sessions(side)), all_, subset=True) for side, all_ in zip(inside, everybody, strict=True))
                ),
                "clickShare": rate_change(*(rate(len(side), len(all_), subset=True) for side, all_ in zip(inside, clicks, strict=True))),
            }
        )
    return sorted(rows, key=lambda row: (*biggest(row["clicks"], row["clickShare"], by_share), row["element"]["selector"]))


def cell_changes(model: Model, one: Lens, two: Lens, kind: str, by_share: bool) -> list[Answer]:
    width = one.standard_width_px() if one.standard_width_px() == two.standard_width_px() else 1280
    maps = [model.heatmap(lens, kind) for lens in (one, two)]
    places = sorted({place for side in maps for place in side["points"]}, key=lambda place: (place[0], place[2], place[1]))
    rows = []
    for place in places:
        counts = [side["points"].get(place, {"count": 0})["count"] for side in maps]
        shares = (rate(count, side["total"], subset=True) for count, side in zip(counts, maps, strict=True))
        at = {"x": place[1] * width / 100, "y": place[2] * 16, "relativeX": place[1] / 100, "fixed": place[0]}
        selector = most_frequent_selector(hit for lens in (one, two) for hit in model.interactions(lens, kind, [place]))
        element = {"element": selector and {"selector": selector}}
        rows.append(at | element | {"count": count_change(*counts), "share": rate_change(*shares)})
    return sorted(rows, key=lambda row: biggest(row["count"], row["share"], by_share))


def biggest(count: Answer, share: Answer, by_share: bool) -> tuple[Fraction | float, ...]:
    one, two = (Fraction(side["numerator"], side["denominator"] or 1) for side in (share["baseline"], share["candidate"]))
    known = share["delta"] is not None
    return -abs(two - one) if by_share and known else 0, -abs(count["delta"]), -max(count["baseline"], count["candidate"])


def scroll_change(model: Model, one: Lens, two: Lens, unit: str, aggregation: str) -> Answer:
    sides = [model.scroll(lens, unit, None, aggregation) for lens in (one, two)]
    populations = [next((bucket["reach"]["denominator"] for bucket in side["buckets"].values()), 0) for side in sides]
    buckets = []
    for depth in sorted({depth for side in sides for depth in side["buckets"]}):
        reached = [side["buckets"].get(depth, {"visitors": 0})["visitors"] for side in sides]
        reach = (rate(count, population, subset=True) for count, population in zip(reached, populations, strict=True))
        buckets.append({"depth": depth, "visitors": count_change(*reached), "reach": rate_change(*reach)})
    means = {name: count_change(*(side[name] for side in sides)) for name in ("averageDepth", "medianDepth")}
    return {"population": count_change(*populations), **means, "buckets": buckets}


SITES = {"compare_small": (11, 6), "compare_middle": (12, 40), "compare_large": (13, 90)}
"""Site -> seed and sessions of its rows."""


@pytest.fixture(scope="module")
def loaded(database: SyncClient) -> list[Loaded]:
    return [load_site(database, site_id, data_set(Random(seed), count), 1) for site_id, (seed, count) in SITES.items()]


def lens_variables(site: Loaded, asked: Question, on_page: bool) -> dict[str, Any]:
    ids = {name: cohort_id_of(site.site.site_id, name) for name in COHORTS}
    given = asked.with_cohort_ids(ids)
    return {name: given[name] for name in ("window", "segment", *(() if on_page else ("url",))) if name in given}


async def compared(client: Client, site: Loaded, sides: list[Question], page: str | None, fields: str) -> Any:
    lens_of = [lens_variables(site, side, page is not None) for side in sides]
    found = f"compare(baseline: $baseline, candidate: $candidate) {{ {fields} }}"
    query = f"page(key: $page) {{ {found} }}" if page else found
    declared = "$site: String!, $baseline: Lens!, $candidate: Lens!" + (", $page: String!" if page else "")
    variables: dict[str, Any] = {"site": site.site.site_id, "baseline": lens_of[0], "candidate": lens_of[1]} | (
        {"page": page} if page else {}
    )
    got = (await ask(client, f"query ({declared}) {{ site(siteId: $site) {{ {query} }} }}", **variables))["site"]
    return got["page"]["compare"] if page else got["compare"]


@pytest.mark.parametrize("number", range(15))
async def test_numbers(client: Client, loaded: list[Loaded], number: int) -> None:
    """Random lenses: on a page, on two URL rules, or on the whole site."""
    random = Random(number)
    site = loaded[number % len(loaded)]
    sides = [question(random, site.data) for _ in range(2)]
    page = page_key(site.data.rows[0]["url"]) if number % 2 else None
    one, two = (replace(side.lens, page_key=page, url=None if page else side.lens.url) for side in sides)
    kind, by_share = random.choice(("CLICK", "MOVE", "RAGE_CLICK", "DEAD_CLICK")), random.random() < 0.5
    unit, aggregation = random.choice(("PERCENT", "PIXEL")), random.choice(("TOTAL", "UNIQUE_VISITORS", "UNIQUE_SESSIONS"))
    order = f"orderBy: {'SHARE' if by_share else 'COUNT'}"
    got = await compared(
        client,
        site,
        sides,
        page,
        f"""{TOTALS} {RATES} fold(kind: {kind}) {{ total {COUNT} belowFold {CHANGE} medianViewportHeight {COUNT} }}
        scroll(unit: {unit}, aggregation: {aggregation}) {{ {BUCKETS} }}
        elements({order}) {ELEMENTS} cells(kind: {kind}, {order}) {CELLS}""",
    )
    model = site.model
    folds = [model.fold(lens, kind) for lens in (one, two)]
    totals, rates = totals_change(model.totals(one), model.totals(two))
    expected = {
        "totals": totals,
        "rates": rates,
        "fold": {
            "total": count_change(*(fold["total"] for fold in folds)),
            "belowFold": rate_change(*(fold["belowFold"] for fold in folds)),
            "medianViewportHeight": count_change(*(fold["medianViewportHeight"] for fold in folds)),
        },
        "scroll": scroll_change(model, one, two, unit, aggregation),
        "elements": element_changes(model, one, two, by_share),
        "cells": cell_changes(model, one, two, kind, by_share),
    }
    assert not differences(got, expected, 1e-9)


async def test_lists_end_where_asked(client: Client, loaded: list[Loaded]) -> None:
    sides = [Question({"window": {"last": "-30d"}, "segment": {"variant": [variant]}}, Lens(0, 0)) for variant in ("A", "B")]
    got = await compared(client, loaded[2], sides, None, "elements(first: 2) { clicks { delta } } cells(first: 3) { y } all: cells { y }")
    assert (len(got["elements"]), len(got["cells"])) == (2, 3)
    assert got["cells"] == got["all"][:3]


# -- one side only, deletion, the whole site

SITE = Site("site_comparison", "Comparison")
PAGE = "https://example.com/pricing"
BEFORE, AFTER = '{between: {from: "2026-03-02", to: "2026-03-08"}}', '{between: {from: "2026-03-09", to: "2026-03-15"}}'
THEN = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def redesign(database: SyncClient) -> None:
    """40 sessions a week on each of two pages: 10 click #old before, 30 click #new after, all click #same; one visitor is at home on phones."""
    create_site(database, SITE)
    rows: list[dict[str, Any]] = []
    for week, (selector, clicking) in enumerate((("#old", 10), ("#new", 30))):
        for number in range(80):
            at = datetime(2026, 3, 2 + 7 * week + number % 7, 12, number % 60, tzinfo=UTC)
            url = PAGE if number < 40 else "https://example.com/"
            shared = {"sessionId": f"s{week}.{number}", "visitorId": f"v{number}", "url": url, "viewportWidth": 1280, "viewportHeight": 800}
            clicks = ["#same", *([selector] if number < clicking else [])]
            rows.append(shared | {"type": "pageview", "timestamp": at.isoformat(), "pageHeight": 1600})
            rows += [
                shared
                | {"type": "click", "timestamp": (at + timedelta(seconds=place)).isoformat(), "selector": target, "x": 64, "y": 160 * place}
                for place, target in enumerate(clicks, 1)
            ]
    assert not load(database, SITE, rows).rejected


async def redesigned(client: Client, fields: str, on_page: bool = True) -> Any:
    found = f"compare(baseline: {{window: {BEFORE}}}, candidate: {{window: {AFTER}}}) {{ {fields} }}"
    query = f'page(key: "{PAGE}") {{ {found} }}' if on_page else found
    site = (await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {query} }} }}', now=THEN))["site"]
    return site["page"]["compare"] if on_page else site["compare"]


CLICKED = "elements { element { selector } clicks { baseline candidate delta relativeDelta } clickRate { delta low high significant } }"


async def test_elements_on_one_side_only(client: Client) -> None:
    got = (await redesigned(client, CLICKED))["elements"]
    assert [row["element"]["selector"] for row in got] == ["#new", "#old", "#same"]
    assert got[0]["clicks"] == {"baseline": 0, "candidate": 30, "delta": 30, "relativeDelta": None}
    assert got[1]["clicks"] == {"baseline": 10, "candidate": 0, "delta": -10, "relativeDelta": -1.0}
    assert got[0]["clickRate"]["delta"] == 0.75
    assert [row["clickRate"]["significant"] for row in got] == [True, True, False]


async def test_the_whole_site_is_meant_without_url(client: Client) -> None:
    got = await redesigned(
        client, "baseline { id meta { pagesMatched status } } totals { sessions { baseline candidate } } " + CLICKED, on_page=False
    )
    assert got["totals"]["sessions"] == {"baseline": 80, "candidate": 80}
    assert got["baseline"]["meta"] == {"pagesMatched": 2, "status": "OK"}
    assert got["elements"][0]["clickRate"]["delta"] == 30 / 80
    again = await ask(
        client, "query ($id: ID!) { node(id: $id) { ... on Insights { totals { sessions } } } }", now=THEN, id=got["baseline"]["id"]
    )
    assert again["node"]["totals"]["sessions"] == 80


async def test_equal_changes_of_a_share_tie(client: Client, database: SyncClient) -> None:
    """As floats 0.2 - 0.1 is more than 0.3 - 0.2."""
    site = create_site(database, Site("site_equal_changes", "Equal changes"))
    clicks = [("2026-03-02", "#a", 1), ("2026-03-02", "#b", 2), ("2026-03-02", "#c", 7)]
    clicks += [("2026-03-09", "#a", 2), ("2026-03-09", "#b", 3), ("2026-03-09", "#c", 5)]
    shared = {"type": "click", "sessionId": "s", "visitorId": "v", "url": PAGE, "x": 1, "viewportWidth": 1280, "viewportHeight": 800}
    load(
        database,
        site,
        (
            shared | {"timestamp": f"{day}T12:00:0{number}Z", "selector": selector, "y": 16 * ord(selector[1])}
            for day, selector, times in clicks
            for number in range(times)
        ),
    )
    orders = "elements(orderBy: SHARE) { element { selector } } cells(orderBy: SHARE) { element { selector } }"
    found = f"compare(baseline: {{window: {BEFORE}}}, candidate: {{window: {AFTER}}}) {{ {orders} }}"
    got = (await ask(client, f'{{ site(siteId: "{site.site_id}") {{ {found} }} }}', now=THEN))["site"]["compare"]
    for rows in got.values():
        assert [row["element"]["selector"] for row in rows] == ["#c", "#b", "#a"]


async def test_cells_on_one_side_only(client: Client) -> None:
    got = (await redesigned(client, "cells { x y count { baseline candidate } element { selector } }"))["cells"]
    assert got == [
        {"x": 64, "y": 320, "count": {"baseline": 10, "candidate": 30}, "element": {"selector": "#new"}},
        {"x": 64, "y": 160, "count": {"baseline": 40, "candidate": 40}, "element": {"selector": "#same"}},
    ]


async def test_nothing_on_either_side(client: Client) -> None:
    lens = '{window: {between: {from: "2026-02-01", to: "2026-02-02"}}}'
    found = f'page(key: "{PAGE}") {{ compare(baseline: {lens}, candidate: {lens}) {{ {EVERYTHING} }} }}'
    got = (await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {found} }} }}', now=THEN))["site"]["page"]["compare"]
    assert (got["elements"], got["cells"], got["scroll"]["buckets"]) == ([], [], [])
    assert got["scroll"]["averageDepth"] == dict.fromkeys(("baseline", "candidate", "delta", "relativeDelta"))
    assert got["totals"]["bounceRate"]["significant"] is None
    assert got["totals"]["clicks"] == {"baseline": 0, "candidate": 0, "delta": 0, "relativeDelta": None}


MOMENTS = count()


def mark(database: SyncClient, selector: str, fixed: bool | None = None, deleted: bool = False) -> None:
    columns = ["site_id", "page_key", "selector", "name", "is_cta", "is_fixed", "deleted", "updated_by", "updated_at"]
    now = NOW + timedelta(seconds=next(MOMENTS))
    database.insert("element_marks", [[SITE.site_id, PAGE, selector, "", False, fixed, deleted, "k", now]], column_names=columns)


async def test_a_deleted_element_counts_among_all_clicks_only(client: Client, database: SyncClient) -> None:
    fields = "elements { element { selector } clickShare { candidate { numerator denominator } } }"
    before = {row["element"]["selector"]: row["clickShare"] for row in (await redesigned(client, fields))["elements"]}
    for deleted in (True, False):
        mark(database, "#same", deleted=deleted)
        after = {row["element"]["selector"]: row["clickShare"] for row in (await redesigned(client, fields))["elements"]}
        assert after == {selector: share for selector, share in before.items() if not (deleted and selector == "#same")}


async def test_an_element_marked_as_fixed_is_fixed_in_cells_and_fold(client: Client, database: SyncClient) -> None:
    fields = "fold { total { baseline candidate } } cells { fixed element { selector } }"
    for fixed, cells, total in (
        (True, {("#new", True), ("#old", False), ("#same", False)}, 40),
        (None, {("#new", False), ("#same", False)}, 70),
    ):
        mark(database, "#new", fixed)
        got = await redesigned(client, fields)
        assert {(cell["element"]["selector"], cell["fixed"]) for cell in got["cells"]} == cells
        assert got["fold"]["total"] == {"baseline": 50, "candidate": total}


# -- the demo


async def test_the_redesign_of_the_demo_is_found(client: Client, database: SyncClient) -> None:
    """Plans above the fold, and clicked three times as often; loaded with the rows of /pricing alone."""
    site = create_site(database, Site(DEMO_SITE, "Demo", test_account_rules=tuple(DEMO_TEST_ACCOUNTS)))
    load(database, site, (orjson.loads(line) for line in demo_rows(NOW, 49) if b'"url":"https://example.com/pricing' in line))
    found = (await ask(client, REDESIGN))["site"]["page"]["compare"]
    assert found["warnings"] == []
    below, (cta, *_) = found["fold"]["belowFold"], found["elements"]
    assert below["significant"] and below["high"] < -0.25
    assert cta["element"]["selector"] == "div.plan-pro a.choose"
    assert cta["clickRate"]["significant"] and cta["clickRate"]["relativeDelta"] > 1
    assert found["rates"]["bounceRate"]["low"] < 0 < found["rates"]["bounceRate"]["high"]


REDESIGN = """
    query Redesign($desktop: Segment = { breakpoint: [DESKTOP], excludeTestAccounts: true }) {
      site(siteId: "site_demo") {
        page(key: "https://example.com/pricing") {
          compare(
            baseline: { window: { relative: { from: "-6wStart", to: "-3wStart" } }, segment: $desktop }
            candidate: { window: { relative: { from: "-3wStart", to: "wStart" } }, segment: $desktop }
          ) {
            warnings { code message }
            rates { bounceRate { ...Change } }
            fold { belowFold { ...Change } }
            elements(first: 3) { element { selector text } clicks { baseline candidate } clickRate { ...Change } }
          }
        }
      }
    }
    fragment Change on RateChange { baseline { value } candidate { value } delta relativeDelta low high significant }
"""


# -- cost


async def cost(client: Client, statements: list[Statement], query: str) -> int:
    statements.clear()
    await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {query} }} }}', now=THEN)
    return len(statements)


@pytest.mark.parametrize(
    ("fields", "of_a_lens"),
    [
        pytest.param("totals { clicks { delta } } rates { deadRate { low } }", "totals { clicks }", id="totals"),
        pytest.param("fold { belowFold { low } } warnings { code }", "fold { total } meta { sessions }", id="measures"),
        pytest.param("scroll { averageDepth { delta } buckets { depth } }", "scroll { buckets { depth } }", id="scroll"),
        pytest.param("elements { clicks { delta } }", "elements { nodes { clicks } }", id="elements"),
        pytest.param("cells { count { delta } }", "heatmap { points { count } }", id="cells"),
        pytest.param(
            EVERYTHING,
            "meta { sessions } totals { clicks } fold { total } scroll { buckets { depth } } elements { nodes { clicks } } heatmap { points { x } }",
            id="everything",
        ),
    ],
)
async def test_a_comparison_costs_no_more_than_its_lenses(client: Client, statements: list[Statement], fields: str, of_a_lens: str) -> None:
    lenses = " ".join(f"l{number}: insights(window: {window}) {{ {of_a_lens} }}" for number, window in enumerate((BEFORE, AFTER)))
    comparison = f"compare(baseline: {{window: {BEFORE}}}, candidate: {{window: {AFTER}}}) {{ {fields} }}"
    compared_, asked = [await cost(client, statements, f'page(key: "{PAGE}") {{ {query} }}') for query in (comparison, lenses)]
    assert compared_ <= asked


async def test_many_pages_cost_as_many_statements_as_one(client: Client, statements: list[Statement]) -> None:
    comparison = f"compare(baseline: {{window: {BEFORE}}}, candidate: {{window: {AFTER}}}) {{ {EVERYTHING} }}"
    one, both = [
        await cost(client, statements, f"pages(window: {AFTER}, first: {first}) {{ nodes {{ {comparison} }} }}") for first in (1, 2)
    ]
    assert one == both


# -- warnings and bad input


async def test_few_sessions_are_counted(client: Client) -> None:
    (warning,) = (await redesigned(client, "warnings { code message }"))["warnings"]
    assert warning["code"] == "FEW_SESSIONS"
    assert warning["message"].startswith("40 sessions in the baseline, 40 in the candidate")


@pytest.mark.parametrize(
    ("baseline", "candidate", "fields", "message"),
    [
        pytest.param("{}", '{url: {path: "/"}}', "warnings { code }", "candidate.url: a page is its own URL", id="a rule on a page"),
        pytest.param('{window: {last: "soon"}}', "{}", "warnings { code }", "baseline.window.last: 'soon'", id="window"),
        pytest.param(
            "{}", '{segment: {cohorts: ["co_x"]}}', "warnings { code }", "candidate.segment.cohorts: the site has no", id="cohort"
        ),
        pytest.param("{}", "{}", "scroll(step: 0) { buckets { depth } }", "step: 1 to 100", id="step"),
    ],
)
async def test_bad_input(client: Client, baseline: str, candidate: str, fields: str, message: str) -> None:
    found = f'page(key: "{PAGE}") {{ compare(baseline: {baseline}, candidate: {candidate}) {{ {fields} }} }}'
    got = await answer(client, f'{{ site(siteId: "{SITE.site_id}") {{ {found} }} }}', now=THEN)
    (error,) = got["errors"]
    assert (error["code"], error["path"][:3]) == ("BAD_USER_INPUT", ["site", "page", "compare"])
    assert error["message"].startswith(message)
