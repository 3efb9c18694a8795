"""Measures: what a page sums up to under a lens, and the listing of pages by any of these numbers.

Measures come from one pass over the lens's rows, so that all numbers of a page agree and sibling fields of a lens share one
statement: over interactions or pageviews alone where that is enough, over both where visitors and sessions are everybody who left a
row, and over daily sums where only sums are asked for.
"""

from __future__ import annotations

from clickhouse.lens import Lens
from clickhouse.numbers import KINDS, kind_clause, ratio, wilson_low
from clickhouse.planner import ROWS, ReadPlan, plan
from clickhouse.statement import Params, Statement, union_all, where_all

IS_CLICK = kind_clause("CLICK")

TOTALS = {
    "pageviews": "countIf(kind = 'pageview')",
    "visitors": "uniqExact(visitor_id)",
    "sessions": "uniqExact(session_id)",
    "bounced_sessions": "uniqExactIf(session_id, session_pageviews = 1)",
    "timed_pageviews": "countIf(on_page_ms > 0)",
    "on_page_ms": "sum(on_page_ms)",
    "clicks": f"countIf({IS_CLICK})",
    "rage_clicks": "countIf(kind = 'rage')",
    "dead_clicks": "countIf(kind = 'dead')",
    "rage_sessions": "uniqExactIf(session_id, kind = 'rage')",
    "dead_sessions": "uniqExactIf(session_id, kind = 'dead')",
    "desktop_clicks": f"countIf({IS_CLICK} AND breakpoint = 'DESKTOP')",
    "tablet_clicks": f"countIf({IS_CLICK} AND breakpoint = 'TABLET')",
    "mobile_clicks": f"countIf({IS_CLICK} AND breakpoint = 'MOBILE')",
}
"""The measures of PageTotals."""

COUNTS = ("pageviews", "clicks", "rage_clicks", "dead_clicks")
"""Those that are also shown of a session and of a value in a breakdown."""

KIND_TYPE = "Enum8('click' = 1, 'dead' = 2, 'rage' = 3, 'move' = 4, 'pageview' = 5)"
"""Kinds are compared row by row: as texts that would be slow."""

LENS_EXTENT = {"pages": "uniqExact(row_page)", "sample_rate": "toFloat64(toString(min(sample_rate)))"}


MEASURES = TOTALS | LENS_EXTENT

SUMS = {
    "pageviews": "sum(pageviews)",
    "timed_pageviews": "sum(timed_pageviews)",
    "on_page_ms": "sum(timed_ms)",
    "clicks": "sum(clicks)",
    "rage_clicks": "sum(rage_clicks)",
    "dead_clicks": "sum(dead_clicks)",
    "desktop_clicks": "sumIf(clicks, breakpoint = 'DESKTOP')",
    "tablet_clicks": "sumIf(clicks, breakpoint = 'TABLET')",
    "mobile_clicks": "sumIf(clicks, breakpoint = 'MOBILE')",
}
"""The measures that are sums over days, as `pages_daily` has them."""

OF_PAGEVIEWS = frozenset({"pageviews", "timed_pageviews", "on_page_ms", "bounced_sessions"})
OF_BOTH = frozenset({"visitors", "sessions", *LENS_EXTENT})

RAGE_WEIGHT = 0.6
DEAD_WEIGHT = 0.4

ISSUE_SCORE = (
    f"100 * ({RAGE_WEIGHT} * {wilson_low('rage_sessions', 'sessions')} + {DEAD_WEIGHT} * {wilson_low('dead_sessions', 'sessions')})"
)

ORDERS = {
    "PAGEVIEWS": "pageviews",
    "VISITORS": "visitors",
    "SESSIONS": "sessions",
    "BOUNCE_RATE": ratio("bounced_sessions", "sessions"),
    "AVERAGE_SECONDS_ON_PAGE": ratio("on_page_ms", "timed_pageviews"),
    "CLICKS": "clicks",
    "RAGE_CLICKS": "rage_clicks",
    "DEAD_CLICKS": "dead_clicks",
    "RAGE_RATE": ratio("rage_clicks", "clicks"),
    "DEAD_RATE": ratio("dead_clicks", "clicks"),
    "ISSUE_SCORE": ISSUE_SCORE,
}
"""PageOrderField to the expression it sorts by; an unknown value (nothing to divide by) sorts as -1, below every known one."""

ORDERED_BY = {
    "KEY": (),
    "BOUNCE_RATE": ("bounced_sessions", "sessions"),
    "AVERAGE_SECONDS_ON_PAGE": ("on_page_ms", "timed_pageviews"),
    "RAGE_RATE": ("rage_clicks", "clicks"),
    "DEAD_RATE": ("dead_clicks", "clicks"),
    "ISSUE_SCORE": ("rage_sessions", "dead_sessions", "sessions"),
}
"""PageOrderField to the measures its expression is made of; others are a measure themselves."""


def lens_rows(
    lens: Lens,
    page_keys: tuple[str, ...],
    params: Params,
    extra: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    sources: tuple[str, ...] = ("interactions", "pageviews"),
    chosen: ReadPlan = ROWS,
) -> list[str]:
    """Pageviews and interactions of the lens as one set of rows; `extra` are further conditions, `columns` further columns."""
    where = where_all([*chosen.raw_clauses(lens, page_keys, params), *extra])
    shared = ", ".join(["page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate", *columns])
    kind = f"kind::{KIND_TYPE} AS kind" if "pageviews" in sources else "kind"
    rows = {
        "interactions": [
            f"SELECT {shared}, {kind}, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms",
            "FROM interactions",
            where,
        ],
        "pageviews": [
            f"SELECT {shared}, 'pageview'::{KIND_TYPE} AS kind, session_pageviews, on_page_ms",
            "FROM pageviews",
            where,
        ],
    }
    return union_all(rows[source] for source in sources)


def compile_measures(lens: Lens, page_keys: tuple[str, ...], measures: tuple[str, ...]) -> Statement:
    """One row a page that has such rows; a single row with page '' when the lens merges pages by a URL rule."""
    params = Params()
    return Statement.of(measured_rows(lens, page_keys, measures, params), params)


def measured_rows(
    lens: Lens,
    page_keys: tuple[str, ...],
    measures: tuple[str, ...],
    params: Params,
    extra: tuple[str, ...] = (),
    *,
    merged: bool | None = None,
    listed: bool = False,
) -> list[str]:
    """SELECT of `page` and the measures. `merged` False keeps the pages of a URL rule apart; a `listed` page may have any rows."""
    merged = lens.url is not None if merged is None else merged
    chosen = _plan(lens, measures)
    if chosen.rollup and not chosen.raw_days:
        return _summed(lens, page_keys, measures, params, extra, chosen, merged)
    sources = ("interactions", "pageviews") if listed or chosen.rollup else _sources(measures)
    kinds = sorted({kind for name in measures for kind in _kinds(name)})
    if sources == ("interactions",):
        extra = (*extra, f"kind IN ({', '.join(repr(kind) for kind in kinds)})")
    apart = not merged and len(page_keys) != 1
    page = "row_page" if apart else "''" if merged else params.text(page_keys[0])
    rows = [
        f"SELECT {page} AS page,",
        ",\n".join(f"  {MEASURES[name]} AS {name}" for name in measures) or "  1 AS seen",
        "FROM (",
        *lens_rows(lens, page_keys, params, extra, sources=sources, chosen=chosen),
        ")",
        "GROUP BY row_page" if apart else "HAVING count() > 0",
    ]
    if not chosen.rollup:
        return rows
    return [
        "SELECT page,",
        ",\n".join(f"  sum({name}) AS {name}" for name in measures) or "  1 AS seen",
        "FROM (",
        *_summed(lens, page_keys, measures, params, extra, chosen, merged),
        "UNION ALL",
        *rows,
        ")",
        "GROUP BY page",
    ]


def _summed(
    lens: Lens,
    page_keys: tuple[str, ...],
    measures: tuple[str, ...],
    params: Params,
    extra: tuple[str, ...],
    chosen: ReadPlan,
    merged: bool,
) -> list[str]:
    """The same from daily sums."""
    return [
        "SELECT '' AS page," if merged else "SELECT page_key AS page,",
        ",\n".join(f"  {SUMS[name]} AS {name}" for name in measures) or "  1 AS seen",
        f"FROM {chosen.rollup}",
        where_all([*chosen.rollup_clauses(lens, page_keys, params), *extra]),
        "HAVING count() > 0" if merged else "GROUP BY page_key",
    ]


def _plan(lens: Lens, measures: tuple[str, ...]) -> ReadPlan:
    """A measure that is no sum is a column that no rollup has."""
    return plan(lens, {"pageviews", "clicks", *(name for name in measures if name not in SUMS)})


def _sources(measures: tuple[str, ...]) -> tuple[str, ...]:
    """The tables whose rows the measures count."""
    both = OF_BOTH.intersection(measures)
    return (
        *(("interactions",) if both or not OF_PAGEVIEWS.issuperset(measures) else ()),
        *(("pageviews",) if both or OF_PAGEVIEWS.intersection(measures) else ()),
    )


def _kinds(measure: str) -> tuple[str, ...]:
    """The kinds of interactions that a measure counts."""
    return KINDS["RAGE_CLICK"] if measure.startswith("rage_") else KINDS["CLICK"]


def compile_pages(
    lens: Lens,
    search: str | None,
    order: str,
    descending: bool,
    first: int,
    after: tuple[float | str, ...] | None,
    measures: tuple[str, ...] = tuple(TOTALS),
    with_total: bool = True,
) -> Statement:
    """One page of the listing with the measures, at most first + 1 rows; ties, and `order` KEY itself, by page key ascending.

    `after` is (value of `sort_column`, page key) of the last row seen, or (page key,) when sorted by KEY.
    `pages_total` in every row is the number of pages of the whole listing, `with_total` only.
    """
    params = Params()
    direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
    column, names = sort_column(order), tuple(dict.fromkeys([*measures, *measures_of_order(order)]))
    rows, columns = page_rows(lens, search, params, names), ["page", *names]
    wider = [
        *([f"ifNull(toFloat64({ORDERS[order]}), -1.) AS {column}"] if column not in columns else []),
        *(["count() OVER () AS pages_total"] if with_total else []),
    ]
    if wider:
        rows = [f"SELECT *, {', '.join(wider)}", "FROM (", *rows, ")"]
    if after:
        rows = ["SELECT *", "FROM (", *rows, ")", f"WHERE {_pages_beyond(column, beyond, after, params)}"]
    by, ties = column, "page"
    if not wider and not after:  # the rows' own SELECT, where a name is that of a column it sums up
        by, ties = (str(columns.index(name) + 1) for name in (column, "page"))
    ordering = f"{by} {direction}" if order == "KEY" else f"{by} {direction}, {ties}"
    return Statement.of([*rows, f"ORDER BY {ordering}", f"LIMIT {params.bind(first + 1, 'UInt32')}"], params)


def _pages_beyond(column: str, beyond: str, after: tuple[float | str, ...], params: Params) -> str:
    key = params.text(str(after[-1]))
    if column == "page":
        return f"page {beyond} {key}"
    value = params.bind(after[0], "Float64")
    return f"{column} {beyond} {value} OR ({column} = {value} AND page > {key})"


def sort_column(order: str) -> str:
    """The column of a PageOrderField: a measure itself, `page`, or `sort_value`, which is made of several measures."""
    return "page" if order == "KEY" else ORDERS[order] if ORDERS[order] in TOTALS else "sort_value"


def measures_of_order(order: str) -> tuple[str, ...]:
    """What a PageOrderField sorts by."""
    return ORDERED_BY.get(order, (order.lower(),))


def measures_afterwards(lens: Lens, order: str, measures: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are better asked of the listed pages alone: no sums, where the order of all pages can be had from daily sums."""
    return tuple(name for name in measures if name not in SUMS) if _plan(lens, measures_of_order(order)).rollup else ()


def page_rows(lens: Lens, search: str | None, params: Params, measures: tuple[str, ...] = tuple(TOTALS)) -> list[str]:
    """One row a page of the lens whose key holds `search`: page and the measures."""
    extra = (f"positionCaseInsensitiveUTF8(page_key, {params.text(search)}) > 0",) if search else ()
    return measured_rows(lens, (), measures, params, extra, merged=False, listed=True)
