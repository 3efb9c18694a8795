"""Measures: what a page sums up to under a lens, and the listing of pages by any of these numbers.

All measures come from one pass over the lens's rows, pageviews and interactions together, so that visitors and sessions
are everybody who left a row, all numbers of a page agree, and sibling fields of a lens share one statement.
"""

from __future__ import annotations

from clickhouse.conditions import lens_clauses
from clickhouse.element_marks import from_interactions
from clickhouse.lens import Lens
from clickhouse.numbers import IS_ORIGIN, KINDS, kind_clause, ratio, wilson_low
from clickhouse.statement import Params, Statement

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

LENS_EXTENT = {"pages": "uniqExact(row_page)", "sample_rate": "min(sample_rate)"}


def fold_measures(kind: str) -> dict[str, str]:
    """Interactions that scroll with the page, those below their own fold, and their median viewport height; `kind` is a PointKind."""
    counted = f"folds AND {kind_clause(kind)}"
    return {
        f"fold_{kind}_total": f"countIf({counted})",
        f"fold_{kind}_below": f"countIf(below_fold AND {counted})",
        f"fold_{kind}_median_height": f"toUInt32(round(quantileExactInclusiveOrNullIf(0.5)(viewport_height, {counted})))",
    }


MEASURES = TOTALS | LENS_EXTENT | {name: sql for kind in KINDS for name, sql in fold_measures(kind).items()}

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


def lens_rows(
    lens: Lens, page_keys: tuple[str, ...], params: Params, extra: tuple[str, ...] = (), columns: tuple[str, ...] = ()
) -> list[str]:
    """Pageviews and interactions of the lens as one set of rows; `extra` are further conditions, `columns` further columns."""
    where = "WHERE " + "\n  AND ".join([*lens_clauses(lens, page_keys, params), *extra])
    shared = ", ".join(["page_key AS row_page, visitor_id, session_id, breakpoint, sample_rate, viewport_height", *columns])
    of_interactions = f"toString(kind) AS kind, y > viewport_height AS below_fold, NOT fixed AND NOT {IS_ORIGIN} AS folds"
    of_pageviews = "session_pageviews, on_page_ms"
    return [
        f"SELECT {shared}, {of_interactions}, toUInt32(0) AS session_pageviews, CAST(NULL, 'Nullable(UInt32)') AS on_page_ms",
        *from_interactions(lens, params),
        where,
        "UNION ALL",
        f"SELECT {shared}, 'pageview' AS kind, 0 AS below_fold, 0 AS folds, {of_pageviews}",
        "FROM pageviews",
        where,
    ]


def compile_measures(lens: Lens, page_keys: tuple[str, ...], measures: tuple[str, ...]) -> Statement:
    """One row a page that has rows; a single row with page '' when the lens merges pages by a URL rule."""
    params = Params()
    return Statement.of(
        [
            "SELECT '' AS page," if lens.url else "SELECT row_page AS page,",
            ",\n".join(f"  {MEASURES[name]} AS {name}" for name in measures),
            "FROM (",
            *lens_rows(lens, page_keys, params),
            ")",
            "HAVING count() > 0" if lens.url else "GROUP BY row_page",
        ],
        params,
    )


def compile_pages(
    lens: Lens, search: str | None, order: str, descending: bool, first: int, after: tuple[float | str, ...] | None
) -> Statement:
    """One page of the listing, at most first + 1 rows; ties, and `order` KEY itself, by page key ascending.

    `after` is (sort value, page key) of the last row seen, or (page key,) when sorted by KEY.
    `pages_total` in every row is the number of pages of the whole listing.
    """
    params = Params()
    direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
    keyset: list[str] = []
    if order == "KEY":
        sort_value, ordering = "0.", f"page {direction}"
        if after:
            keyset = [f"WHERE page {beyond} {params.text(str(after[-1]))}"]
    else:
        sort_value, ordering = f"ifNull(toFloat64({ORDERS[order]}), -1.)", f"sort_value {direction}, page"
        if after:
            value, key = params.bind(after[0], "Float64"), params.text(str(after[1]))
            keyset = [f"WHERE sort_value {beyond} {value} OR (sort_value = {value} AND page > {key})"]
    return Statement.of(
        [
            "SELECT *",
            "FROM (",
            f"SELECT *, {sort_value} AS sort_value, count() OVER () AS pages_total",
            "FROM (",
            *page_rows(lens, search, params),
            ")",
            ")",
            *keyset,
            f"ORDER BY {ordering}",
            f"LIMIT {params.bind(first + 1, 'UInt32')}",
        ],
        params,
    )


def page_rows(lens: Lens, search: str | None, params: Params) -> list[str]:
    """One row a page of the lens whose key holds `search`: page and the columns of TOTALS."""
    extra = (f"positionCaseInsensitiveUTF8(page_key, {params.text(search)}) > 0",) if search else ()
    return [
        "SELECT row_page AS page,",
        ",\n".join(f"  {sql} AS {name}" for name, sql in TOTALS.items()),
        "FROM (",
        *lens_rows(lens, (), params, extra),
        ")",
        "GROUP BY row_page",
    ]
