"""The questions of the API, answered from plain lists. Answers carry the names of the GraphQL fields, so that they compare one to one."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tests.reference.bursts import RageRule
from tests.reference.facts import Event, Fact, Interaction, Pageview, Row, derived_bursts, facts_of
from tests.reference.lens import STANDARD_HEIGHT_PX, STANDARD_WIDTH_PX, Lens, Visitors, in_lens
from tests.reference.rates import divided, exact_median, mean, median, median_px, rate, wilson
from tests.reference.url import lower_scheme, page_key

Answer = dict[str, Any]
Place = tuple[bool, int, int]  # fixed, column, row of a cell
F = TypeVar("F", bound=Fact)
K = TypeVar("K", bound=Hashable)

DIMENSION_OF: Mapping[str, Callable[[Fact], str]] = {
    "DEVICE": lambda fact: fact.device,
    "BREAKPOINT": lambda fact: fact.breakpoint,
    "BROWSER": lambda fact: fact.dimensions["browser"],
    "COUNTRY": lambda fact: fact.dimensions["country"],
    "REGION": lambda fact: fact.dimensions["region"],
    "TRAFFIC_SOURCE": lambda fact: fact.dimensions["trafficSource"],
    "CAMPAIGN": lambda fact: fact.dimensions["campaign"],
    "VARIANT": lambda fact: fact.dimensions["variant"],
    "ENTRY_PAGE": lambda fact: page_key(fact.entry_url),
}


@dataclass(frozen=True)
class Seen:
    """The facts one lens shows."""

    pageviews: Sequence[Pageview]
    interactions: Sequence[Interaction]

    def facts(self) -> list[Fact]:
        return [*self.pageviews, *self.interactions]

    def of_kind(self, kind: str) -> list[Interaction]:
        """A dead click is a click too; a rage burst is none."""
        if kind == "CLICK":
            return [interaction for interaction in self.interactions if interaction.is_click]
        return [interaction for interaction in self.interactions if interaction.kind == kind]

    def by(self, value_of: Callable[[Fact], K]) -> dict[K, Seen]:
        values = {value_of(fact): None for fact in self.facts()}
        return {value: self.only(lambda fact, value=value: value_of(fact) == value) for value in values}  # type: ignore[misc]

    def only(self, condition: Callable[[Fact], bool]) -> Seen:
        return Seen([*filter(condition, self.pageviews)], [*filter(condition, self.interactions)])


@dataclass(frozen=True)
class Cell:
    """Width and height in px on the standard viewport; the default is a hundredth of it by 16 px."""

    width: Fraction
    height: int = 16

    def place(self, interaction: Interaction, standard_width_px: int) -> Place:
        """What lies on the right edge belongs to the last column."""
        last = math.ceil(standard_width_px / self.width) - 1
        column = math.floor(interaction.relative_x * standard_width_px / self.width)
        return interaction.fixed, min(last, column), math.floor(interaction.y / self.height)

    @classmethod
    def default(cls, standard_width_px: int) -> Cell:
        return cls(Fraction(standard_width_px, 100))


class Model:
    """One site: valid rows, the visitor ids of its cohorts, the wildcards of its test accounts and its time zone."""

    def __init__(
        self,
        rows: Iterable[Row],
        cohorts: Mapping[str, Iterable[str]] | None = None,
        test_account_rules: Iterable[str] = (),
        time_zone: str = "UTC",
    ) -> None:
        rows = list(rows)
        self.all = facts_of(rows)
        self.heat_urls = {lower_scheme(row["url"]) for row in rows if row["type"] not in ("pageview", "event", "element")}
        self.page_keys = {page_key(row["url"]) for row in rows}
        members = {name: frozenset(visitors) for name, visitors in (cohorts or {}).items()}
        self.visitors = Visitors(members, tuple(test_account_rules), tuple(self.all.events))
        self.time_zone = ZoneInfo(time_zone)

    def seen(self, lens: Lens) -> Seen:
        return Seen(self.all.pageviews, self.all.interactions).only(lambda fact: in_lens(fact, lens, self.visitors))

    # -- pages and totals

    def totals(self, lens: Lens) -> Answer:
        return self._totals(self.seen(lens))

    def pages(self, lens: Lens, search: str = "") -> dict[str, Answer]:
        """Page key -> totals, for every page with a pageview or an interaction in the lens."""
        pages = self.seen(lens).by(lambda fact: fact.page_key)
        return {key: self._totals(seen) for key, seen in pages.items() if search.lower() in key.lower()}

    def breakdown(self, lens: Lens, dimension: str) -> dict[str, Answer]:
        """Value of the dimension ('' is unknown) -> totals of the sessions whose first row has it."""
        seen, value_of = self.seen(lens), DIMENSION_OF[dimension]
        value_of_session: dict[str, str] = {}
        for fact in sorted(seen.facts(), key=lambda fact: (fact.timestamp_ms, value_of(fact))):
            value_of_session.setdefault(fact.session, value_of(fact))
        return {value: self._totals(part) for value, part in seen.by(lambda fact: value_of_session[fact.session]).items()}

    def filter_values(self, lens: Lens, dimension: str) -> dict[str, Answer]:
        """Value of the dimension -> totals of the rows that have it."""
        return {value: self._totals(seen) for value, seen in self.seen(lens).by(DIMENSION_OF[dimension]).items() if value}

    def event_names(self, lens: Lens) -> dict[str, Answer]:
        """Name -> the events of it in the window, whatever else the lens says."""
        named: dict[str, list[Event]] = defaultdict(list)
        for one in self.all.events:
            if lens.start_ms <= one.timestamp_ms < lens.end_ms:
                named[one.name].append(one)
        return {
            name: {"events": len(of), "sessions": len({one.session for one in of}), "isConversion": any(one.converts for one in of)}
            for name, of in named.items()
        }

    def timeline(self, lens: Lens, interval: str = "DAY") -> dict[datetime, Answer]:
        """Start of the hour, day or week (Monday) in the site's time zone -> totals; gaps are left out."""

        def start(fact: Fact) -> datetime:
            moment = datetime.fromtimestamp(fact.timestamp_ms / 1000, self.time_zone)
            hour = moment.replace(minute=0, second=0, microsecond=0)
            day = hour if interval == "HOUR" else hour.replace(hour=0)
            return day - timedelta(days=day.weekday()) if interval == "WEEK" else day

        return {at: self._totals(seen) for at, seen in self.seen(lens).by(start).items()}

    def _totals(self, seen: Seen) -> Answer:
        clicks, rage, dead = seen.of_kind("CLICK"), seen.of_kind("RAGE_CLICK"), seen.of_kind("DEAD_CLICK")
        here = sessions(seen.facts())
        # a session whose only pageview is outside the lens left other rows in it, and is counted as one that did not bounce
        bounced = {view.session for view in seen.pageviews if view.session_pageviews == 1}
        return {
            "pageviews": len(seen.pageviews),
            "visitors": len(visitors(seen.facts())),
            "sessions": len(here),
            "bounceRate": rate(len(bounced), len(here), subset=True),
            "averageSecondsOnPage": mean(Fraction(view.on_page_ms, 1000) for view in seen.pageviews if view.on_page_ms),
            "clicks": len(clicks),
            "rageClicks": len(rage),
            "deadClicks": len(dead),
            "rageRate": rate(len(rage), len(clicks), subset=False),
            "deadRate": rate(len(dead), len(clicks), subset=True),
            "issueScore": issue_score(len(sessions(rage)), len(sessions(dead)), len(here)),
            "breakpoints": [
                {"breakpoint": name, "clicks": sum(click.breakpoint == name for click in clicks)} for name in STANDARD_WIDTH_PX
            ],
        }

    def meta(self, lens: Lens) -> Answer:
        facts = self.seen(lens).facts()
        ever = any((lens.page_key in (None, page_key(url))) and (lens.url is None or lens.url.matches(url)) for url in self.heat_urls)
        return {
            "status": "OK" if facts else "EMPTY" if ever else "NOT_TRACKED",
            "pagesMatched": len({fact.page_key for fact in facts}),
            "sessions": len(sessions(facts)),
            "enoughData": len(sessions(facts)) >= 1000,
        }

    # -- point maps

    def heatmap(self, lens: Lens, kind: str, aggregation: str = "TOTAL", cell: Cell | None = None, hide_origin: bool = True) -> Answer:
        """`points` maps a cell's place to x, y, relativeX, count, share and selector."""
        width = lens.standard_width_px()
        cell = cell or Cell.default(width)
        every = self.seen(lens).of_kind(kind)
        shown = without_origin(every) if hide_origin else every
        population = counted(shown, aggregation)
        points: dict[Place, Answer] = {}
        for place, inside in grouped(shown, lambda interaction: cell.place(interaction, width)).items():
            fixed, column, row = place
            count = counted(inside, aggregation)
            points[place] = {
                "x": float(column * cell.width),
                "y": row * cell.height,
                "relativeX": float(column * cell.width / width),
                "fixed": fixed,
                "count": count,
                "share": divided(count, population),
                "selector": most_frequent_selector(inside),
            }
        return {
            "total": len(shown),
            "visitors": len(visitors(shown)),
            "sessions": len(sessions(shown)),
            "maxCount": max((point["count"] for point in points.values()), default=0),
            "pageHeight": max((interaction.page_height for interaction in every), default=None),
            "viewport": {"width": width, "height": STANDARD_HEIGHT_PX[lens.breakpoint() or "DESKTOP"]},
            "cell": {"width": float(cell.width), "height": cell.height},
            "hidden": {"origin": len(every) - len(shown), "testAccounts": self._hidden_test_accounts(lens, kind)},
            "points": points,
        }

    def _hidden_test_accounts(self, lens: Lens, kind: str) -> int:
        if not lens.segment.exclude_test_accounts:
            return 0
        everybody = replace(lens, segment=replace(lens.segment, exclude_test_accounts=False))
        return len(self.seen(everybody).of_kind(kind)) - len(self.seen(lens).of_kind(kind))

    def interactions(
        self, lens: Lens, kind: str, places: Iterable[Place] | None = None, cell: Cell | None = None, hide_origin: bool = True
    ) -> list[Interaction]:
        """Those shown by the map, newest first, of all or of the given cells."""
        width = lens.standard_width_px()
        cell = cell or Cell.default(width)
        wanted = None if places is None else set(places)
        every = self.seen(lens).of_kind(kind)
        shown = without_origin(every) if hide_origin else every
        inside = [interaction for interaction in shown if wanted is None or cell.place(interaction, width) in wanted]
        return sorted(inside, key=lambda interaction: -interaction.timestamp_ms)

    def fold(self, lens: Lens, kind: str = "CLICK") -> Answer:
        """Of interactions that scroll with the page."""
        placed = [interaction for interaction in without_origin(self.seen(lens).of_kind(kind)) if not interaction.fixed]
        below = [interaction for interaction in placed if interaction.y > interaction.viewport_height]
        return {
            "total": len(placed),
            "belowFold": rate(len(below), len(placed), subset=True),
            "medianViewportHeight": median_px(interaction.viewport_height for interaction in placed),
        }

    # -- rage and dead spots: by element, else by cell

    def rage_clicks(self, lens: Lens, rule: RageRule | None = None) -> dict[str | Place, Answer]:
        """Selector, else place of the cell -> the bursts there. A rule of one's own applies where the tracker labelled none."""
        bursts = self.seen(lens).of_kind("RAGE_CLICK")
        if rule is not None:
            mine = derived_bursts(self.all.interactions, self.all.labelled, rule)
            labelled = [burst for burst in bursts if (burst.session, burst.page_key) in self.all.labelled]
            bursts = labelled + [burst for burst in mine if in_lens(burst, lens, self.visitors)]
        return {spot: place | rage_spot(inside) for spot, (place, inside) in self._spots(lens, bursts).items()}

    def dead_clicks(self, lens: Lens) -> dict[str | Place, Answer]:
        """Selector, else place of the cell -> the dead clicks there and their share of all clicks."""
        seen = self.seen(lens)
        all_clicks, spots = len(seen.of_kind("CLICK")), self._spots(lens, seen.of_kind("DEAD_CLICK"))
        return {spot: place | {"clicks": len(inside), "share": divided(len(inside), all_clicks)} for spot, (place, inside) in spots.items()}

    def _spots(self, lens: Lens, interactions: Iterable[Interaction]) -> dict[str | Place, tuple[Answer, list[Interaction]]]:
        """Selector, else place of the cell -> x and y, the median of an element's interactions not at (0, 0) or the corner of the cell,
        pages and whether most are fixed; these."""
        width = lens.standard_width_px()
        cell = Cell.default(width)
        spots: dict[str | Place, list[Interaction]] = grouped(interactions, lambda one: one.selector or cell.place(one, width))

        def corner(spot: str | Place, inside: Sequence[Interaction]) -> Answer:
            if not isinstance(spot, str):
                return {"x": float(spot[1] * cell.width), "relativeX": float(spot[1] * cell.width / width), "y": spot[2] * cell.height}
            placed = without_origin(inside) or inside
            x, y = exact_median(one.relative_x for one in placed), exact_median(one.y for one in placed)
            return {"x": float(x * width), "relativeX": float(x), "y": math.floor(y)}

        def page(inside: Sequence[Interaction]) -> Answer:
            counts = Counter(one.page_key for one in inside)
            return {"pageKey": min(counts, key=lambda key: (-counts[key], key)), "pageCount": len(counts)}

        def fixed(inside: Sequence[Interaction]) -> Answer:
            return {"fixed": 2 * sum(one.fixed for one in inside) > len(inside)}

        return {spot: (corner(spot, inside) | page(inside) | fixed(inside), inside) for spot, inside in spots.items()}

    # -- depth and attention

    def scroll(self, lens: Lens, unit: str = "PERCENT", step: int | None = None, aggregation: str = "UNIQUE_VISITORS") -> Answer:
        """`buckets` maps a depth in % or px to how many reached it and how many ended before the next."""
        pageviews = self.seen(lens).pageviews
        depths = self._depths(pageviews, unit, aggregation)
        step = step or (25 if unit == "PERCENT" else 100)
        end = 100 if unit == "PERCENT" else math.floor(depths[0]) if depths else 0
        steps = range(0, end + 1, step) if depths else range(0)
        buckets = {}
        for at in steps:
            reached = [depth for depth in depths if depth >= at]
            ended = [depth for depth in reached if depth < at + step or at == steps[-1]]
            buckets[at] = {"visitors": len(reached), "count": len(ended), "reach": rate(len(reached), len(depths), subset=True)}
        return {
            "pageviews": len(pageviews),
            "visitors": len(visitors(pageviews)),
            "buckets": buckets,
            "averageDepth": mean(depths),
            "medianDepth": median(depths),
            "foldHeight": median_px(view.viewport_height for view in pageviews),
            "medianPageHeight": median_px(view.page_height for view in pageviews if view.page_height),
        }

    def depth_reached_by(self, lens: Lens, share: str, unit: str = "PERCENT", aggregation: str = "UNIQUE_VISITORS") -> float | None:
        """The deepest point that at least this share reached; the share as a decimal text, so that 0.7 of 10 is 7."""
        depths = self._depths(self.seen(lens).pageviews, unit, aggregation)
        return float(depths[max(1, math.ceil(Fraction(share) * len(depths))) - 1]) if depths else None

    def _depths(self, pageviews: Iterable[Pageview], unit: str, aggregation: str) -> list[Fraction]:
        """The deepest point of each pageview, visitor or session, deepest first."""
        if aggregation == "TOTAL":
            looks = [[view] for view in pageviews]
        else:
            looks = list(grouped(pageviews, lambda view: view.visitor if aggregation == "UNIQUE_VISITORS" else view.session).values())
        if unit == "PERCENT":
            return sorted((max(view.deepest_share for view in views) * 100 for views in looks), reverse=True)
        return sorted((Fraction(max(view.deepest_px for view in views)) for views in looks), reverse=True)

    def attention(self, lens: Lens, band_height: int = 200, top: int = 0) -> dict[int, Answer]:
        """Top of the band in px -> seconds and reach, down to the deepest px of any pageview."""
        pageviews = self.seen(lens).pageviews
        deepest = max((view.deepest_px for view in pageviews), default=-1)
        bands: dict[int, Answer] = {}
        for y in range(top, deepest + 1, band_height):
            reached = [view for view in pageviews if view.deepest_px >= y]
            shared = [
                Fraction(ms * overlap_px(y, band_height, look_top, look_height), band_height * 1000)
                for view in pageviews
                for look_top, look_height, ms in view.looks
            ]
            average = sum(shared, Fraction(0)) / len(reached)
            bands[y] = {
                "height": band_height,
                "averageSeconds": float(average),
                "reach": rate(len(reached), len(pageviews), subset=True),
                "attention": average * Fraction(len(reached), len(pageviews)),
            }
        best = max((band["attention"] for band in bands.values()), default=Fraction(0))
        for band in bands.values():
            band["attention"] = float(1000 * band["attention"] / best) if best else 0.0
        return bands

    def seconds_in_view(self, lens: Lens) -> float:
        return sum(ms for view in self.seen(lens).pageviews for _, _, ms in view.looks) / 1000

    # -- elements

    def elements(self, lens: Lens) -> dict[str, Answer]:
        """Selector -> what it did on the lens's one page, with the elements that were placed there and never clicked."""
        seen = self.seen(lens)
        clicks = seen.of_kind("CLICK")
        placed = {row.selector for row in self.all.elements if row.page_key == lens.page_key}
        selectors = placed | {click.selector for click in clicks if click.selector}
        return {selector: self._element(selector, seen, lens) for selector in sorted(selectors)}

    def unattributed(self, lens: Lens) -> int:
        return sum(not click.selector for click in self.seen(lens).of_kind("CLICK"))

    def conversions(self, lens: Lens, selector: str, event: str | None = None) -> int:
        """Sessions that clicked the element and afterwards converted, or did what the named event says."""
        first_click_ms: dict[str, int] = {}
        for click in self.seen(lens).of_kind("CLICK"):
            if click.selector == selector:
                first_click_ms[click.session] = min(click.timestamp_ms, first_click_ms.get(click.session, click.timestamp_ms))
        wanted = [one for one in self.all.events if (one.converts if event is None else one.name == event)]
        return len({one.session for one in wanted if one.timestamp_ms > first_click_ms.get(one.session, one.timestamp_ms)})

    def _element(self, selector: str, seen: Seen, lens: Lens) -> Answer:
        all_clicks = seen.of_kind("CLICK")
        clicks = [click for click in all_clicks if click.selector == selector]
        latest = {
            row.breakpoint: row
            for row in sorted(self.all.elements, key=lambda row: row.timestamp_ms)
            if (row.page_key, row.selector) == (lens.page_key, selector)
        }
        fixed = any(row.fixed for row in latest.values()) or any(click.fixed for click in clicks)
        y = median([row.top for row in latest.values()] or [click.y for click in without_origin(clicks) or clicks])
        displays = sum(fixed or (y is not None and view.deepest_px >= y) for view in seen.pageviews)
        waits = [Fraction(click.since_pageview_ms, 1000) for click in clicks if click.since_pageview_ms is not None]
        return {
            "fixed": fixed,
            "top": y,
            "displays": displays,
            "clicks": len(clicks),
            "clickRate": rate(len(clicks), displays, subset=False),
            "clickRateOfPageviews": rate(len(clicks), len(seen.pageviews), subset=False),
            "clickRateOfSessions": rate(len(sessions(clicks)), len(sessions(seen.facts())), subset=True),
            "clickRateOfVisitors": rate(len(visitors(clicks)), len(visitors(seen.facts())), subset=True),
            "clickShare": rate(len(clicks), len(all_clicks), subset=True),
            "visitors": len(visitors(clicks)),
            "conversions": self.conversions(lens, selector),
            "averageSecondsToClick": mean(waits),
            "rageClicks": sum(burst.selector == selector for burst in seen.of_kind("RAGE_CLICK")),
            "deadClicks": sum(click.selector == selector for click in seen.of_kind("DEAD_CLICK")),
        }


def grouped(facts: Iterable[F], key: Callable[[F], K]) -> dict[K, list[F]]:
    groups: dict[K, list[F]] = defaultdict(list)
    for fact in facts:
        groups[key(fact)].append(fact)
    return dict(groups)


def sessions(facts: Iterable[Fact]) -> set[str]:
    return {fact.session for fact in facts}


def visitors(facts: Iterable[Fact]) -> set[str]:
    return {fact.visitor for fact in facts}


def counted(interactions: Sequence[Interaction], aggregation: str) -> int:
    if aggregation == "UNIQUE_VISITORS":
        return len(visitors(interactions))
    return len(sessions(interactions)) if aggregation == "UNIQUE_SESSIONS" else len(interactions)


def without_origin(interactions: Iterable[Interaction]) -> list[Interaction]:
    return [interaction for interaction in interactions if interaction.x != 0 or interaction.y != 0]


def most_frequent_selector(interactions: Iterable[Interaction]) -> str | None:
    """Of those that hit an element; among equals the first by name."""
    counts = Counter(interaction.selector for interaction in interactions if interaction.selector)
    return min(counts, key=lambda selector: (-counts[selector], selector), default=None)


def issue_score(rage_sessions: int, dead_sessions: int, all_sessions: int) -> Answer:
    rage, dead = wilson(rage_sessions, all_sessions), wilson(dead_sessions, all_sessions)
    value = 100 * (0.6 * rage[0] + 0.4 * dead[0]) if rage and dead else None

    def part(weight: float, affected: int) -> Answer:
        share = rate(affected, all_sessions, subset=True)
        return {"weight": weight, "score": None if share["low"] is None else 100 * weight * share["low"], "rate": share}

    return {"value": value, "rage": part(0.6, rage_sessions), "dead": part(0.4, dead_sessions)}


def severity(average_clicks: Fraction) -> str:
    if average_clicks < 6:
        return "LOW"
    return "MEDIUM" if average_clicks < 10 else "HIGH"


def rage_spot(bursts: Sequence[Interaction]) -> Answer:
    clicks = sum(burst.clicks for burst in bursts)
    return {
        "count": len(bursts),
        "clicks": clicks,
        "averageClicks": divided(clicks, len(bursts)),
        "maxClicks": max(burst.clicks for burst in bursts),
        "severity": severity(Fraction(clicks, len(bursts))),
    }


def overlap_px(top: int, height: int, other_top: int, other_height: int) -> int:
    return max(0, min(top + height, other_top + other_height) - max(top, other_top))
