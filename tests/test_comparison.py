"""Comparisons against the plain model of `tests.reference`, the interval against published examples, and the warnings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse import lens as lenses
from clickhouse.client import Client
from clickhouse.cohorts import cohort_id_of
from clickhouse.sites import Site
from clickhouse.statement import Statement
from gateway.demo import DEMO_SITE
from resolvers.comparison import Compared, warnings
from resolvers.lenses import AskedLens
from schema.comparison import RateChange
from schema.enums import RateBasis
from schema.rate import Rate
from tests.asking import NOW, answer, ask, create_site, load
from tests.reference.lens import Lens, Segment
from tests.reference.lenses import Question, question
from tests.reference.model import Answer, Model, Seen, sessions
from tests.reference.rates import rate, wilson
from tests.reference.rows import COHORTS, data_set
from tests.reference.rows import ELEMENTS as TRACKED
from tests.reference.url import page_key
from tests.test_numbers import Loaded, differences, load_site

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
EVERYTHING = f"""{TOTALS} {RATES} warnings {{ code message }} fold {{ total {COUNT} belowFold {CHANGE} medianViewportHeight {COUNT} }}
    scroll {{ {BUCKETS} }} elements {ELEMENTS} cells {CELLS}"""


# -- the interval


@pytest.mark.parametrize(
    ("one", "two", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 20), (0, 10), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((0, 20), (10, 10), 0.6791, 1.0000),
        ((0, 10), (10, 10), 0.6075, 1.0000),
    ],
)
async def test_the_interval_is_newcombes(client: Client, one: tuple[int, int], two: tuple[int, int], low: float, high: float) -> None:
    """Table II of Newcombe 1998, method 10: differences second row minus first, to the four digits printed."""
    change = RateChange.of(*(Rate.subset(k, n, RateBasis.SESSIONS) for k, n in (one, two)))
    assert (change.low, change.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert change.significant == (low > 0 or high < 0)


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
        rows.append(at | {"count": count_change(*counts), "share": rate_change(*shares)})
    return sorted(rows, key=lambda row: biggest(row["count"], row["share"], by_share))


def biggest(count: Answer, share: Answer, by_share: bool) -> tuple[float, ...]:
    unknown = -1 if share["delta"] is None else abs(share["delta"])
    return -unknown if by_share else 0, -abs(count["delta"]), -max(count["baseline"], count["candidate"])


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
    variables = {"site": site.site.site_id, "baseline": lens_of[0], "candidate": lens_of[1]} | ({"page": page} if page else {})
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
        elements({order}) {ELEMENTS} cells(kind: {kind}, {order}) {CELLS.replace("element { selector }", "")}""",
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
