"""Elements of a lens, recomputed from the plain model and the marks on them: rows, conversions, breakdowns."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from clickhouse.element_marks import Mark
from tests.against_model import Asked, Loaded
from tests.reference.facts import ElementRow, Interaction, distinct, milliseconds
from tests.reference.lens import WIDTHS_PX, Lens
from tests.reference.model import DIMENSION_OF, Model, grouped, sessions, visitors, without_origin
from tests.reference.rates import mean, median, rate
from tests.reference.rows import ELEMENTS

Row = dict[str, Any]
Group = tuple[int, str]  # 1 when it is the selector of an element that has nothing to be grouped by, the key


@dataclass(frozen=True)
class Site:
    loaded: Loaded
    marks: Mapping[tuple[str, str], Mark]

    def mark(self, place: tuple[str, str]) -> Mark:
        return self.marks.get(place, Mark(self.loaded.site.site_id, *place))


@dataclass(frozen=True)
class Case:
    asked: Asked
    site: Site

    async def insights(self, fields: str, *more: str, **values: Any) -> Any:
        return await self.asked.insights(fields, *more, **values)


def breakpoints(lens: Lens) -> set[str]:
    segment, (low, high) = lens.segment, lens.segment.viewport_width
    left = {
        name
        for name, (least, most) in WIDTHS_PX.items()
        if (not segment.breakpoint or name in segment.breakpoint) and (low is None or low <= most) and (high is None or high >= least)
    }
    return left & set(segment.device) or left if len(left) != 1 else left


@dataclass
class Member:
    """An element of a page."""

    place: tuple[str, str]
    clicks: list[Interaction]
    bursts: list[Interaction]
    top: float
    fixed: bool
    mark: Mark
    group: Group


def members(case: Case, grouping: str) -> list[Member]:
    lens, model = case.asked.lens, case.asked.model
    seen = model.seen(lens)
    pages = {lens.page_key} if lens.page_key else {fact.page_key for fact in seen.facts()} | matched_pages(case)
    told: defaultdict[tuple[str, str], dict[str, ElementRow]] = defaultdict(dict)
    for row in sorted(model.all.elements, key=lambda row: row.timestamp_ms):
        if row.page_key in pages:
            told[row.page_key, row.selector][row.breakpoint] = row
    clicked = grouped((one for one in seen.of_kind("CLICK") if one.selector), lambda one: (one.page_key, one.selector))
    raged = grouped((one for one in seen.of_kind("RAGE_CLICK") if one.selector), lambda one: (one.page_key, one.selector))
    found = []
    for place in sorted({*told, *clicked, *raged}):
        here, mark = told[place], case.site.mark(place)
        clicks = clicked.get(place, [])
        own = [row.top for row in here.values() if row.breakpoint in breakpoints(lens)]
        top = median(own or [click.y for click in without_origin(clicks)] or [row.top for row in here.values()] or [0])
        said = any(row.fixed for row in here.values()) or any(click.fixed for click in clicks)
        name = {"SELECTOR": place[1], "TEXT": ELEMENTS[place[1]][1], "NAME": mark.name, "HREF": ""}[grouping]
        group = (0, name) if name else (1, place[1])
        assert top is not None
        fixed = said if mark.is_fixed is None else mark.is_fixed
        found.append(Member(place, clicks, raged.get(place, []), top, fixed, mark, group))
    return found


def matched_pages(case: Case) -> set[str]:
    """Those whose key, taken as a URL, the rule of the lens matches."""
    rule = case.asked.lens.url
    return {key for key in case.asked.model.page_keys if rule is None or rule.matches(key)}


def expected_rows(case: Case, grouping: str, ctas_only: bool = False, deleted: bool = False) -> dict[Group, Row]:
    kept = [one for one in members(case, grouping) if one.mark.deleted == deleted and (one.mark.is_cta or not ctas_only)]
    groups: dict[Group, list[Member]] = defaultdict(list)
    for one in kept:
        groups[one.group].append(one)
    return {group: expected_row(case, group, inside) for group, inside in groups.items()}


def expected_row(case: Case, group: Group, inside: list[Member]) -> Row:
    seen = case.asked.model.seen(case.asked.lens)
    clicks = [click for one in inside for click in one.clicks]
    scrolling = [
        click
        for one in inside
        for click in one.clicks
        if (click.x or click.y) and not (click.fixed if one.mark.is_fixed is None else one.mark.is_fixed)
    ]
    below = [click for click in scrolling if click.y > click.viewport_height]
    displays = 0
    for page in {one.place[0] for one in inside}:
        here = [one for one in inside if one.place[0] == page]
        views = [view for view in seen.pageviews if view.page_key == page]
        displays += sum(any(one.fixed for one in here) or view.deepest_px >= min(one.top for one in here) for view in views)
    main = min(inside, key=lambda one: (-len(one.clicks), one.place))
    waits = [Fraction(click.since_pageview_ms, 1000) for click in clicks if click.since_pageview_ms is not None]
    return {
        "key": group[1],
        "elementCount": len(inside),
        "y": math.floor(main.top),
        "displays": displays,
        "clicks": len(clicks),
        "visitors": len(visitors(clicks)),
        "sessions": len(sessions(clicks)),
        "averageSecondsToClick": mean(waits),
        "rageClicks": sum(len(one.bursts) for one in inside),
        "deadClicks": sum(click.kind == "DEAD_CLICK" for click in clicks),
        "belowFold": rate(len(below), len(scrolling), subset=True),
        "clickShare": rate(len(clicks), len(seen.of_kind("CLICK")), subset=True),
        "clickRate": rate(len(clicks), displays, subset=False),
        "ofPageviews": rate(len(clicks), len(seen.pageviews), subset=False),
        "ofSessions": rate(len(sessions(clicks)), len(sessions(seen.facts())), subset=True),
        "ofVisitors": rate(len(visitors(clicks)), len(visitors(seen.facts())), subset=True),
        "conversions": len(converted(case, clicks)[0]),
        "purchases": len(converted(case, clicks, "purchase")[0]),
        "conversion": conversion(case, clicks),
    }


def converted(case: Case, facts: Iterable[Any], event: str | None = None) -> tuple[set[str], dict[str | None, float]]:
    """Sessions with such an event after their first of the facts, and the events' values by currency."""
    first_ms: dict[str, int] = {}
    for fact in facts:
        first_ms[fact.session] = min(fact.timestamp_ms, first_ms.get(fact.session, fact.timestamp_ms))
    who: set[str] = set()
    micros: Counter[str | None] = Counter()
    for row in distinct(case.asked.data.rows):
        wanted = row["type"] == "event" and (row["name"] == event if event else row.get("conversion") or row.get("value") is not None)
        if wanted and row["sessionId"] in first_ms and milliseconds(row["timestamp"]) > first_ms[row["sessionId"]]:
            who.add(row["sessionId"])
            if row.get("value") is not None:
                micros[row.get("currency")] += round(row["value"] * 1_000_000)
    return who, {currency: value / 1_000_000 for currency, value in micros.items()}


def conversion(case: Case, facts: list[Any]) -> Row:
    everybody = case.asked.model.seen(case.asked.lens).facts()
    who, revenue = converted(case, facts)
    return {
        "conversions": len(who),
        "rate": rate(len(who), len(sessions(facts)), subset=True),
        "revenue": [{"currency": currency, "amount": amount} for currency, amount in sorted(revenue.items(), key=str)],
        "baseline": rate(len(converted(case, everybody)[0]), len(sessions(everybody)), subset=True),
    }


def expected_breakdown(clicks: list[Interaction], bursts: list[Interaction], name: str) -> list[Row]:
    value_of: dict[str, str] = {}
    for fact in sorted([*clicks, *bursts], key=lambda fact: (fact.timestamp_ms, DIMENSION_OF[name](fact))):
        value_of.setdefault(fact.session, DIMENSION_OF[name](fact))

    def counted(values: list[str]) -> Row:
        inside = [click for click in clicks if value_of[click.session] in values]
        return {
            "sessions": len(sessions(inside)),
            "clicks": len(inside),
            "visitors": len(visitors(inside)),
            "rageClicks": sum(value_of[burst.session] in values for burst in bursts),
            "deadClicks": sum(click.kind == "DEAD_CLICK" for click in inside),
            "share": {"numerator": len(sessions(inside)), "denominator": len(value_of)},
        }

    one_by_one = {value: counted([value]) for value in value_of.values()}
    values = sorted(one_by_one, key=lambda value: (-one_by_one[value]["sessions"], -one_by_one[value]["clicks"], value))
    rows = [{"value": value or None, "isOther": False} | one_by_one[value] for value in values[:2]]
    return [*rows, {"value": None, "isOther": True} | counted(values[2:])] if values[2:] else rows


def changed(case: Case, one: Member) -> bool:
    told = {
        row.breakpoint: row
        for row in sorted(case.asked.model.all.elements, key=lambda row: row.timestamp_ms)
        if (row.page_key, row.selector) == one.place
    }
    said = {click.fixed for click in one.clicks} | {row.fixed for row in told.values()}
    return one.mark.is_fixed is not None and said != {one.mark.is_fixed}


def with_marks(case: Case) -> Model:
    """The model in which marked elements, deleted ones too, were fixed, or not, all along; bursts were found before."""
    model = Model(())
    vars(model).update(vars(case.asked.model))

    def fixed(one: Interaction) -> bool:
        mark = case.site.mark((one.page_key, one.selector))
        return one.fixed if mark.is_fixed is None else mark.is_fixed

    model.all = replace(model.all, interactions=[replace(one, fixed=fixed(one)) for one in model.all.interactions])
    return model
