"""The questions both layouts are asked: ours as GraphQL, the peer's as PostHog's SQL, and what of the answers must be equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.benchmarks import peer
from tests.benchmarks.traffic import COHORT

SITE, TEAM = "shop_1", 1
ORIGIN = "https://www.shop-1.example.com"
HOT_PAGE = f"{ORIGIN}/docs/page-1"  # an eighth of the site's traffic
MID_PAGE = f"{ORIGIN}/all/page-30"  # 0.6 %
SECTION = f"{ORIGIN}/blog/*"  # 50 of 300 pages
VARIABLES = {"$window": "Window!", "$segment": "Segment", "$first": "Int!"}
POINTS = "points { relativeX y fixed count }"

Days = tuple[date, date]
"""The first and the last, both included."""


@dataclass(frozen=True, slots=True)
class Question:
    """`fields` of the site in GraphQL; `read` and `read_peer` bring both answers into one form.

    `targets` are the least ratios at 30 and 100 million interactions over 30 (`targets_90`: 90) days.
    """

    name: str
    fields: str
    sql: Callable[[Days, int], str]
    read: Callable[[Any], Any]
    read_peer: Callable[[list[tuple[Any, ...]]], Any]
    targets: tuple[float, float] | None = None
    targets_90: tuple[float, float] | None = None
    segment: dict[str, Any] = field(default_factory=dict)

    @property
    def graphql(self) -> str:
        declared = ", ".join(f"{name}: {kind}" for name, kind in VARIABLES.items() if name in self.fields)
        return f'query ({declared}) {{ site(siteId: "{SITE}") {{ {self.fields} }} }}'

    def variables(self, days: Days, first: int) -> dict[str, Any]:
        values = {"window": {"between": {"from": str(days[0]), "to": str(days[1])}}, "segment": self.segment, "first": first}
        return {name: value for name, value in values.items() if f"${name}" in self.fields}


def _on_page(key: str, fields: str) -> str:
    return f'page(key: "{key}") {{ insights(window: $window, segment: $segment) {{ {fields} }} }}'


def _by_url(rule: str, fields: str) -> str:
    return f"insights(url: {{{rule}}}, window: $window, segment: $segment) {{ {fields} }}"


def _map(kind: str = "CLICK", aggregation: str = "TOTAL") -> str:
    return f"heatmap(kind: {kind}, aggregation: {aggregation}, first: $first) {{ {POINTS} }}"


def _insights(site: Any) -> Any:
    return site["page"]["insights"] if "page" in site else site["insights"]


def _cells(site: Any) -> Any:
    return {(p["fixed"], round(p["relativeX"], 2), p["y"]): p["count"] for p in _insights(site)["heatmap"]["points"]}


def _peer_cells(rows: list[tuple[Any, ...]]) -> Any:
    return {(bool(fixed), round(x, 2), y): count for fixed, x, y, count in rows}


def _depths(site: Any) -> Any:
    return {bucket["depth"]: bucket["visitors"] for bucket in _insights(site)["scroll"]["buckets"] if bucket["count"]}


def _fold(site: Any) -> Any:
    fold = _insights(site)["fold"]
    return fold["total"], fold["belowFold"]["numerator"], fold["medianViewportHeight"]


def _events(site: Any) -> Any:
    return {(node["sessionId"], node["visitorId"], node["url"]) for node in _insights(site)["interactions"]["nodes"]}


def _pages(site: Any) -> Any:
    names = ("clicks", "rageClicks", "pageviews", "visitors", "sessions")
    edges = site["pages"]["edges"]
    return [(edge["node"]["key"], *(edge["totals"][name] for name in names if name in edge["totals"])) for edge in edges]


def _heatmap(url: str, type_: str = "click", count: str = "count()", *more: str) -> Callable[[Days, int], str]:
    return lambda days, first: peer.heatmap(peer.predicates(TEAM, days, type_, url, *more), first, count)


def _listing(fields: str) -> str:
    return f"pages(window: $window, orderBy: {{field: CLICKS}}, first: 25) {{ edges {{ node {{ key }} totals {{ {fields} }} }} }}"


def questions(hottest: tuple[float, int]) -> list[Question]:
    """`hottest` is the (relative x, y) of the point of the hot page to look into."""
    x, y = hottest
    drill = f"interactions(points: [{{relativeX: {x}, y: {y}}}]) {{ nodes {{ timestamp url sessionId visitorId }} }}"
    hot = peer.page(HOT_PAGE)
    return [
        Question(
            "click map, hot page",
            _by_url(f'exact: "{HOT_PAGE}"', _map()),
            _heatmap(peer.exact(HOT_PAGE)),
            _cells,
            _peer_cells,
            (7, 14),
            (12, 20),
        ),
        Question("click map, hot page with any query", _on_page(HOT_PAGE, _map()), _heatmap(hot), _cells, _peer_cells, (7, 14), (12, 20)),
        Question(
            "click map, mid page", _by_url(f'exact: "{MID_PAGE}"', _map()), _heatmap(peer.exact(MID_PAGE)), _cells, _peer_cells, (10, 22)
        ),
        Question(
            "click map, mid page with any query",
            _on_page(MID_PAGE, _map()),
            _heatmap(peer.page(MID_PAGE)),
            _cells,
            _peer_cells,
            (10, 22),
        ),
        Question(
            "unique visitors, hot page",
            _on_page(HOT_PAGE, _map(aggregation="UNIQUE_VISITORS")),
            _heatmap(hot, "click", peer.UNIQUE_VISITORS),
            _cells,
            _peer_cells,
            (5, 6),
        ),
        Question(
            "unique visitors, mid page",
            _on_page(MID_PAGE, _map(aggregation="UNIQUE_VISITORS")),
            _heatmap(peer.page(MID_PAGE), "click", peer.UNIQUE_VISITORS),
            _cells,
            _peer_cells,
        ),
        Question(
            "click map, wildcard, 50 pages",
            _by_url(f'wildcard: "{SECTION}"', _map()),
            _heatmap(peer.pattern(SECTION)),
            _cells,
            _peer_cells,
            (4, 4),
        ),
        Question("move map, hot page", _on_page(HOT_PAGE, _map("MOVE")), _heatmap(hot, "mousemove"), _cells, _peer_cells),
        Question(
            "click map of a 10 % cohort, hot page",
            _on_page(HOT_PAGE, _map()),
            _heatmap(hot, "click", "count()", peer.in_cohort(TEAM)),
            _cells,
            _peer_cells,
            (10, 10),
            segment={"cohorts": [COHORT]},
        ),
        Question(
            "scroll, hot page",
            _on_page(HOT_PAGE, "scroll(unit: PIXEL, step: 100, aggregation: TOTAL) { buckets { depth visitors count } }"),
            lambda days, first: peer.scroll(peer.predicates(TEAM, days, "scrolldepth", hot)),
            _depths,
            lambda rows: {depth: reached for depth, _, reached in rows},
            (5, 5),
        ),
        Question(
            "fold, hot page",
            _on_page(HOT_PAGE, "fold { total belowFold { numerator value } medianViewportHeight }"),
            lambda days, first: peer.fold(peer.predicates(TEAM, days, "click", hot)),
            _fold,
            lambda rows: (rows[0][0], rows[0][1], round(rows[0][2])),
            (6, 6),
        ),
        Question(
            "drill-down, hottest point",
            _on_page(HOT_PAGE, drill),
            lambda days, first: peer.drill_down(peer.predicates(TEAM, days, "click", hot), x, y),
            _events,
            lambda rows: {(session, visitor, url) for session, visitor, _, _, _, url, _ in rows[:50]},
        ),
        Question(
            "pages listing",
            _listing("clicks rageClicks pageviews"),
            lambda days, first: peer.pages(TEAM, days, 25, visitors=False),
            _pages,
            lambda rows: rows[:25],
            (16, 45),
        ),
        Question(
            "pages listing with visitors",
            _listing("clicks rageClicks pageviews visitors sessions"),
            lambda days, first: peer.pages(TEAM, days, 25, visitors=True),
            _pages,
            lambda rows: rows[:25],
        ),
    ]
