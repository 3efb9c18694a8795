"""What a page's elements did under a lens: listed by any column, or told one by one.

Clicks are summed up by element, from daily sums where those have what is asked for, joined with what the tracker told of
elements, nobody's clicks included, then summed up by what the client groups by. Elements of several pages stay apart until the
last step, because each page has its own pageviews.
"""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.breakdown import DIMENSIONS, BreakdownQuestion, breakdown_json, breakdown_rows
from clickhouse.conditions import lens_clauses, page_column
from clickhouse.conversions import REVENUE, converted_sessions
from clickhouse.element_counts import SUMS, counted_clicks, counted_elements
from clickhouse.element_marks import deleted_clause, marked_clause
from clickhouse.heatmap import standard_viewport_px
from clickhouse.lens import Lens
from clickhouse.numbers import kind_clause, ratio
from clickhouse.planner import planned
from clickhouse.statement import Params, Statement, where_all

GROUPINGS = {"SELECTOR": "selector", "HREF": "href", "TEXT": "text", "NAME": "name"}
"""ElementGrouping to the column; an element without it stands alone, by its selector."""

GroupKey = tuple[int, str]
"""(1 when it is the selector of an element that has nothing to be grouped by, the key)."""
GROUP = "page, by_selector, key"

ORDERS = {
    "POSITION": "y",
    "DISPLAYS": "displays",
    "CLICKS": "clicks",
    "CLICK_RATE": ratio("clicks", "displays"),
    "CLICK_SHARE": "clicks",
    "VISITORS": "visitors",
    "SESSIONS": "sessions",
    "CONVERSIONS": "conversions",
    "AVERAGE_SECONDS_TO_CLICK": ratio("waited_ms", "waits"),
    "RAGE_CLICKS": "rage_clicks",
    "DEAD_CLICKS": "dead_clicks",
    "BELOW_FOLD": ratio("fold_below", "fold_clicks"),
}
"""ElementOrderField, but KEY, to the expression it sorts by; an unknown value sorts as -1, below every known one."""

OPTIONAL = frozenset({"place", "displays", "visitors", "sessions", "waits", "fold"})
"""What of an element needs more than the number of its clicks, and is 0 or null where it is not asked for."""

SORTED_BY = {
    "POSITION": "place",
    "DISPLAYS": "displays",
    "CLICK_RATE": "displays",
    "VISITORS": "visitors",
    "SESSIONS": "sessions",
    "AVERAGE_SECONDS_TO_CLICK": "waits",
    "BELOW_FOLD": "fold",
}
"""ElementOrderField to what of OPTIONAL it looks at."""


@dataclass(frozen=True, slots=True)
class ElementScope:
    """Which elements, and what makes several of them one row: a key of GROUPINGS. `deleted` None is those that are and those that are not."""

    grouping: str = "SELECTOR"
    ctas_only: bool = False
    deleted: bool | None = False

    def marked(self) -> str:
        """The condition on an element's mark."""
        kept = [] if self.deleted is None else ["deleted" if self.deleted else "NOT deleted"]
        return " AND ".join([*kept, *(["is_cta"] if self.ctas_only else [])]) or "true"


@dataclass(frozen=True, slots=True)
class ElementSort:
    """`by` is one of ORDERS or KEY; `event` is the one that CONVERSIONS are by, None for every event that converts."""

    by: str
    descending: bool
    event: str | None = None

    @property
    def ordering(self) -> str:
        direction = "DESC" if self.descending else "ASC"
        of_ties = direction if self.by == "KEY" else "ASC"
        return f"sort_value {direction}, key {of_ties}, by_selector {of_ties}"


@dataclass(frozen=True, slots=True)
class ElementsQuestion:
    """`after` is (sort value, key, by_selector) of the last row seen; `wanted` are those of OPTIONAL that are asked for."""

    scope: ElementScope
    sort: ElementSort
    first: int
    after: tuple[float, str, int] | None = None
    wanted: frozenset[str] = OPTIONAL


def compile_elements(lens: Lens, page_keys: tuple[str, ...], question: ElementsQuestion) -> Statement:
    """Per page at most first + 1 rows of STATS, with sort_value, and total_count, the number of all of them."""
    params = Params()
    return Statement.of(listed_elements(lens, page_keys, question, params), params)


def listed_elements(lens: Lens, page_keys: tuple[str, ...], question: ElementsQuestion, params: Params) -> list[str]:
    """The rows of `compile_elements`, in its order within a page."""
    sort, by_key = question.sort, question.sort.by == "KEY"
    sort_value = "0." if by_key else f"ifNull(toFloat64({ORDERS[sort.by]}), -1.)"
    beyond = "<" if sort.descending else ">"
    keyset: list[str] = []
    if question.after:
        value, key, fallback = question.after
        seen, tie = params.bind(value, "Float64"), f"({params.text(key)}, {params.bind(fallback, 'UInt8')})"
        ties = f"(key, by_selector) {beyond if by_key else '>'} {tie}"
        keyset = [f"WHERE {ties}" if by_key else f"WHERE sort_value {beyond} {seen} OR (sort_value = {seen} AND {ties})"]
    wanted = question.wanted | ({SORTED_BY[sort.by]} if sort.by in SORTED_BY else frozenset())
    stats = _stats(lens, page_keys, question.scope, wanted, (), params)
    if sort.by == "CONVERSIONS":
        stats = _with_conversions(stats, lens, page_keys, question.scope, sort.event, params)
    return [
        "SELECT *",
        "FROM (",
        f"SELECT *, {sort_value} AS sort_value, count() OVER (PARTITION BY page) AS total_count",
        "FROM (",
        *stats,
        ")",
        ")",
        *keyset,
        f"ORDER BY page, {sort.ordering}",
        f"LIMIT {params.bind(question.first + 1, 'UInt32')} BY page",
    ]


def compile_element_stats(lens: Lens, page_keys: tuple[str, ...], wanted: frozenset[str], selectors: tuple[str, ...]) -> Statement:
    """Rows of STATS for those of the elements that are known on a page, deleted ones left out."""
    params = Params()
    return Statement.of(_stats(lens, page_keys, ElementScope(), wanted, selectors, params), params)


def compile_unattributed(lens: Lens, page_keys: tuple[str, ...]) -> Statement:
    """One row a page with clicks: `unattributed`, those on no element that is known and not deleted."""
    params = Params()
    page = page_column(lens, page_keys, params)
    return Statement.of(
        [
            f"SELECT {page}, sumIf(clicks, selector = '' OR {deleted_clause(lens, params)}) AS unattributed",
            "FROM (",
            *counted_clicks(lens, page_keys, {"clicks": SUMS["clicks"]}, [], params),
            ")",
            "GROUP BY page",
            "HAVING sum(clicks) > 0",
        ],
        params,
    )


def compile_fixed_by_mark(lens: Lens, page_keys: tuple[str, ...]) -> Statement:
    """One row a page: `fixed_by_mark`, the elements whose clicks or position a mark makes fixed, or scroll, against the tracker."""
    params = Params()
    return Statement.of(
        [
            "SELECT page, countIf(is_fixed IS NOT NULL AND (ever_fixed != is_fixed OR always_fixed != is_fixed)) AS fixed_by_mark",
            "FROM (",
            *marked_elements(lens, page_keys, ElementScope(deleted=None), frozenset({"fixed"}), (), params),
            ")",
            "GROUP BY page",
        ],
        params,
    )


OF_MARKED = {
    "place": ("top", "relative_x"),
    "displays": ("top", "ifNull(is_fixed, ever_fixed) AS stays"),
    "visitors": ("visitor_states",),
    "sessions": ("session_states",),
    "waits": ("waits", "waited_ms"),
    "fold": (
        "multiIf(is_fixed IS NULL, scrolling_clicks, is_fixed, 0, placed_clicks) AS fold_clicks",
        "multiIf(is_fixed IS NULL, scrolling_below, is_fixed, 0, placed_below) AS fold_below",
    ),
    "fixed": ("is_fixed", "ever_fixed", "always_fixed"),
}
"""What is wanted of an element, to the columns that marked_elements gives for it."""


def marked_elements(
    lens: Lens, page_keys: tuple[str, ...], scope: ElementScope, wanted: frozenset[str], selectors: tuple[str, ...], params: Params
) -> list[str]:
    """One row for each element of each page with a click or a burst in the lens, or told by the tracker.

    page, page_key, selector, key and by_selector (what it is grouped by), clicks, dead_clicks, rage_clicks and OF_MARKED of `wanted`.
    top: told at a breakpoint of the lens, else the median of its clicks not at (0, 0), else told at another one, else 0.
    """
    own_key = GROUPINGS[scope.grouping]
    more = dict.fromkeys(column for name, columns in OF_MARKED.items() if name in wanted for column in columns)
    return [
        f"SELECT {page_column(lens, page_keys, params)}, page_key, selector, clicks, dead_clicks, rage_clicks,",
        *(f"  {column}," for column in more),
        f"  toUInt8({own_key} = '') AS by_selector, if(by_selector, selector, {own_key}) AS key",
        "FROM (",
        *counted_elements(lens, page_keys, scope.grouping, wanted, selectors, params),
        ") AS element",
        "LEFT JOIN (",
        "SELECT page_key, selector, name, is_cta, is_fixed, deleted",
        "FROM element_marks FINAL",
        f"WHERE site_id = {params.site(lens.site_id)}",
        ") AS mark USING (page_key, selector)",
        f"WHERE {scope.marked()}",
    ]


def _stats(
    lens: Lens, page_keys: tuple[str, ...], scope: ElementScope, wanted: frozenset[str], selectors: tuple[str, ...], params: Params
) -> list[str]:
    """STATS, one row a page and group: page, key, by_selector, the counts, and of its most clicked element page_key, selector, x, y.

    What of OPTIONAL is not wanted is 0 or null.
    """
    place = ", relative_x, top" if "place" in wanted else ""
    numbers = {
        "place": (f"main.3 * {params.bind(standard_viewport_px(lens)[0], 'UInt32')} AS x, main.4 AS y", "NULL AS x, NULL AS y"),
        "visitors": ("uniqExactMerge(visitor_states) AS visitors", "0 AS visitors"),
        "sessions": ("uniqExactMerge(session_states) AS sessions", "0 AS sessions"),
        "waits": ("sum(waits) AS waits, sum(waited_ms) AS waited_ms", "0 AS waits, 0 AS waited_ms"),
        "fold": ("sum(fold_clicks) AS fold_clicks, sum(fold_below) AS fold_below", "0 AS fold_clicks, 0 AS fold_below"),
        "displays": ("sumIf(displays, first_of_page) AS displays", "0 AS displays"),
    }
    elements = marked_elements(lens, page_keys, scope, wanted, selectors, params)
    return [
        f"SELECT {GROUP},",
        f"  argMin((page_key, selector{place}), (-toInt64(clicks), page_key, selector)) AS main,",
        "  main.1 AS page_key, main.2 AS selector,",
        "  count() AS element_count,",
        "  sum(clicks) AS clicks, sum(dead_clicks) AS dead_clicks, sum(rage_clicks) AS rage_clicks,",
        ",\n".join(f"  {asked if name in wanted else unasked}" for name, (asked, unasked) in numbers.items()),
        "FROM (",
        *(_with_displays(elements, lens, page_keys, params) if "displays" in wanted else elements),
        ")",
        f"GROUP BY {GROUP}",
    ]


def _with_displays(elements: list[str], lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
    """The elements with `displays` of their group on their page, and which of them is its first there.

    A pageview displays a group when it reached the first of its elements on that page, or when one of them is fixed.
    """
    group = "page_key, by_selector, key"
    of_depth, lines = planned(lens, page_keys, {"reached_px": "reached_px", "pageviews": "1"}, "pageviews", params)
    return [
        "SELECT *",
        "FROM (",
        f"SELECT *, row_number() OVER (PARTITION BY {group} ORDER BY selector) = 1 AS first_of_page,",
        f"  min(if(stays, -1e9, top)) OVER (PARTITION BY {group}) AS displayed_from_px",
        "FROM (",
        *elements,
        ")",
        ") AS element",
        "ASOF LEFT JOIN (",
        "SELECT toString(page_key) AS page_key, toFloat64(reached_px) AS reached_to_px,",
        f"  sum(sum({of_depth['pageviews']})) OVER (PARTITION BY page_key ORDER BY reached_px DESC) AS displays",
        *lines,
        "GROUP BY page_key, reached_px",
        ") AS reach ON element.page_key = reach.page_key AND element.displayed_from_px <= reach.reached_to_px",
    ]


def _with_conversions(
    stats: list[str], lens: Lens, page_keys: tuple[str, ...], scope: ElementScope, event: str | None, params: Params
) -> list[str]:
    return [
        "SELECT stats.*, conversions",
        "FROM (",
        *stats,
        ") AS stats",
        "LEFT JOIN (",
        f"SELECT {GROUP}, count() AS conversions",
        "FROM (",
        *converted_sessions(element_clicks(lens, page_keys, scope, (), params), GROUP, lens, event, params),
        ")",
        f"GROUP BY {GROUP}",
        f") AS converted USING ({GROUP})",
    ]


def compile_element_conversions(
    lens: Lens, page_keys: tuple[str, ...], scope: ElementScope, event: str | None, keys: tuple[GroupKey, ...]
) -> Statement:
    """One row a page and element that somebody converted after clicking: page, by_selector, key, conversions, revenue_micros."""
    params = Params()
    return Statement.of(
        [
            f"SELECT {GROUP}, count() AS conversions, {REVENUE}",
            "FROM (",
            *converted_sessions(element_clicks(lens, page_keys, scope, keys, params), GROUP, lens, event, params),
            ")",
            f"GROUP BY {GROUP}",
        ],
        params,
    )


def compile_element_breakdown(
    lens: Lens, page_keys: tuple[str, ...], scope: ElementScope, question: BreakdownQuestion, keys: tuple[GroupKey, ...]
) -> Statement:
    """One row a page and element that was clicked: page, by_selector, key and `rows`, a JSON array.

    Of the sessions that clicked it; a burst counts when its session did.
    """
    params = Params()
    columns = (f"toString({DIMENSIONS[question.dimension]}) AS value", "toString(kind) AS kind", "visitor_id")
    rows = element_clicks(lens, page_keys, scope, keys, params, "kind IN ('click', 'dead', 'rage')", columns)
    of_clickers = [
        f"SELECT {GROUP}, value, kind, timestamp, session_id, visitor_id",
        "FROM (",
        f"SELECT *, countIf({kind_clause('CLICK')}) OVER (PARTITION BY {GROUP}, session_id) AS clicks_of_session",
        "FROM (",
        *rows,
        ")",
        ")",
        "WHERE clicks_of_session > 0",
    ]
    return Statement.of(
        [
            f"SELECT {GROUP}, {breakdown_json(question.selection)} AS rows",
            "FROM (",
            *breakdown_rows(of_clickers, question.first, params, GROUP),
            ")",
            f"GROUP BY {GROUP}",
        ],
        params,
    )


def element_clicks(
    lens: Lens,
    page_keys: tuple[str, ...],
    scope: ElementScope,
    keys: tuple[GroupKey, ...],
    params: Params,
    kinds: str = kind_clause("CLICK"),
    columns: tuple[str, ...] = (),
) -> list[str]:
    """One row a click on an element: page, by_selector, key, session_id, timestamp and `columns`; `keys` () is every group."""
    selectors = tuple(key for _, key in keys) if scope.grouping == "SELECTOR" else ()
    chosen = f"selector IN {params.texts(selectors)}" if selectors else "selector != ''"
    where = [*lens_clauses(lens, page_keys, params), kinds, chosen]
    if scope.grouping == "SELECTOR":  # the others join the marked elements
        marked = scope.ctas_only or scope.deleted
        where.append(marked_clause(scope.marked(), lens, params) if marked else f"NOT {deleted_clause(lens, params)}")
    more = ", ".join(["session_id", "timestamp", *columns])
    names = ", ".join(["session_id", "timestamp", *(column.split(" AS ")[-1] for column in columns)])
    clicks = [
        f"SELECT {page_column(lens, page_keys, params)}, toString(page_key) AS page_key, toString(selector) AS selector, {more}",
        "FROM interactions",
        where_all(where),
    ]
    if scope.grouping == "SELECTOR":
        return [f"SELECT page, toUInt8(0) AS by_selector, selector AS key, {names}", "FROM (", *clicks, ")"]
    wanted = f"WHERE (by_selector, key) IN {params.bind(list(keys), 'Array(Tuple(UInt8, String))')}" if keys else ""
    return [
        f"SELECT page, by_selector, key, {names}",
        "FROM (",
        *clicks,
        ") AS click",
        "INNER JOIN (",
        "SELECT page_key, selector, by_selector, key",
        "FROM (",
        *marked_elements(lens, page_keys, scope, frozenset(), (), params),
        ")",
        *([wanted] if wanted else []),
        ") AS element USING (page_key, selector)",
    ]
