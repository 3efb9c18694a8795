"""Two lenses side by side: what changed from baseline to candidate, by element, by cell and by scroll depth.

Each statement reads the rows of both lenses at once; `candidate` says of which lens a row is, so that what one side lacks is 0 there.

The interval of a difference of two proportions is Newcombe's hybrid score interval (Statistics in Medicine 1998, method 10), made of the
two Wilson intervals that the rates carry anyway. Wald's, the usual choice, is too narrow for small samples and for shares near 0 or 1,
has no width at all for 0 of n, and leaves [-1, 1]; click shares are near 0 all the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from clickhouse.conditions import lens_clauses, page_column
from clickhouse.element_marks import deleted_clause, from_interactions
from clickhouse.heatmap import POINT_ELEMENT
from clickhouse.lens import Lens
from clickhouse.numbers import CELL_COLUMN, CELL_COLUMNS, CELL_HEIGHT_PX, CELL_ROW, IS_ORIGIN, kind_clause, ratio, wilson_high, wilson_low
from clickhouse.scroll import OF_DEPTHS, WHO, ScrollQuestion, depth_counts
from clickhouse.selection import Leaf, Selection, Shape, compile_json, json_array
from clickhouse.statement import Params, Statement, union_all, where_all
from clickhouse.totals import lens_rows

SIDES = {"baseline": "NOT candidate", "candidate": "candidate"}
"""The two sides, and the condition on a row of both lenses."""

DEPTH_NUMBERS = ("population", "average_depth", "median_depth")


def count_change(name: str) -> Shape:
    """Of the columns `baseline_NAME` and `candidate_NAME`."""
    delta = f"toInt64(candidate_{name}) - toInt64(baseline_{name})"
    return Shape(
        "CountChange",
        {
            "baseline": Leaf(f"baseline_{name}", "UInt64"),
            "candidate": Leaf(f"candidate_{name}", "UInt64"),
            "delta": Leaf(delta, "Int64"),
            "relativeDelta": Leaf(ratio(f"({delta})", f"baseline_{name}"), "Nullable(Float64)"),
        },
    )


def proportion_columns(name: str, numerator: str, denominator: str) -> list[str]:
    """What `rate_change` needs: `NAME_baseline`, its interval's ends, likewise `NAME_candidate`, and `NAME_delta` with `NAME_low`, `NAME_high`."""
    columns = []
    for side in SIDES:
        counted, of = f"{side}_{numerator}", f"{side}_{denominator}"
        columns += [
            f"{ratio(counted, of)} AS {name}_{side}",
            f"{wilson_low(counted, of)} AS {name}_{side}_low",
            f"{wilson_high(counted, of)} AS {name}_{side}_high",
        ]
    below = f"pow({name}_candidate - {name}_candidate_low, 2) + pow({name}_baseline_high - {name}_baseline, 2)"
    above = f"pow({name}_candidate_high - {name}_candidate, 2) + pow({name}_baseline - {name}_baseline_low, 2)"
    return [
        *columns,
        f"{name}_candidate - {name}_baseline AS {name}_delta",
        f"{name}_delta - sqrt({below}) AS {name}_low",
        f"{name}_delta + sqrt({above}) AS {name}_high",
    ]


def rate_change(name: str, numerator: str, denominator: str, basis: str) -> Shape:
    """Of the columns that `proportion_columns` makes."""
    number = "Nullable(Float64)"
    rates = {
        side: Shape(
            "Rate",
            {
                "value": Leaf(f"{name}_{side}", number),
                "numerator": Leaf(f"{side}_{numerator}", "UInt64"),
                "denominator": Leaf(f"{side}_{denominator}", "UInt64"),
                "basis": Leaf(f"'{basis}'", "String"),
                "low": Leaf(f"{name}_{side}_low", number),
                "high": Leaf(f"{name}_{side}_high", number),
            },
        )
        for side in SIDES
    }
    return Shape(
        "RateChange",
        {
            **rates,
            "delta": Leaf(f"{name}_delta", number),
            "relativeDelta": Leaf(f"{name}_delta / nullIf({name}_baseline, 0)", number),
            "low": Leaf(f"{name}_low", number),
            "high": Leaf(f"{name}_high", number),
            "significant": Leaf(f"{name}_low > 0 OR {name}_high < 0", "Nullable(Bool)"),
        },
    )


ELEMENT_CHANGE = Shape(
    "ElementChange",
    {
        "element": replace(POINT_ELEMENT, null_when=None),
        "clicks": count_change("clicks"),
        "clickRate": rate_change("click_rate", "sessions", "all_sessions", "SESSIONS"),
        "clickShare": rate_change("click_share", "clicks", "all_clicks", "CLICKS"),
    },
)

CELL_CHANGE = Shape(
    "CellChange",
    {
        "x": Leaf(f"{CELL_COLUMN} * standard_width_px / cell_columns", "Float64"),
        "y": Leaf(f"{CELL_ROW} * cell_height_px", "UInt64"),
        "relativeX": Leaf(f"{CELL_COLUMN} / cell_columns", "Float64"),
        "fixed": Leaf("fixed", "Bool"),
        "count": count_change("count"),
        "share": rate_change("share", "count", "total", "CLICKS"),
        "element": POINT_ELEMENT,
    },
)

SCROLL_BUCKET_CHANGE = {
    basis: Shape(
        "ScrollBucketChange",
        {
            "depth": Leaf("depth", "UInt32"),
            "visitors": count_change("reached"),
            "reach": rate_change("reach", "reached", "population", basis),
        },
    )
    for basis in WHO.values()
}


CLICKED_LAST = (
    "bitOr(bitShiftLeft(toUInt128(candidate), 127),"
    " bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(timestamp)), 64), toUInt128(row_id)))"
)
"""Orders clicks like (candidate, timestamp, row_id), which took a fifth of the whole statement longer."""


@dataclass(frozen=True, slots=True)
class ElementChangeQuestion:
    """`by_share`: sorted by the change of the share of clicks, not by that of the clicks."""

    candidate: Lens
    by_share: bool
    first: int
    rows: Selection


@dataclass(frozen=True, slots=True)
class CellChangeQuestion:
    """`by_share` as above; x is drawn on a viewport `standard_width_px` wide."""

    candidate: Lens
    kind: str
    by_share: bool
    standard_width_px: int
    first: int
    rows: Selection


@dataclass(frozen=True, slots=True)
class ScrollChangeQuestion:
    candidate: Lens
    scroll: ScrollQuestion


def compile_element_changes(baseline: Lens, page_keys: tuple[str, ...], question: ElementChangeQuestion) -> Statement:
    """One row a page: `rows`, a JSON array of the elements clicked on either side, biggest change first.

    Clicks on elements that were deleted from the list count among all clicks only.
    """
    params = Params()
    rows = element_changes(baseline, page_keys, question, params)
    return _json_lists(compile_json(question.rows, ELEMENT_CHANGE), rows, params)


def element_changes(baseline: Lens, page_keys: tuple[str, ...], question: ElementChangeQuestion, params: Params) -> list[str]:
    """The rows of `compile_element_changes`, one an element, numbered by `place`."""
    selector = f"if({deleted_clause(baseline, params)}, '', toString(selector)) AS selector"
    columns = f"{selector}, toString(tag) AS tag, toString(text) AS text, session_id, timestamp, row_id"
    clicks = [
        "SELECT page, selector,",
        *[f"  countIf({of}) AS {side}_clicks, uniqExactIf(session_id, {of}) AS {side}_sessions," for side, of in SIDES.items()],
        f"  argMax((tag, text), {CLICKED_LAST}) AS latest, latest.1 AS tag, latest.2 AS text",
        "FROM (",
        *_interactions(baseline, question.candidate, page_keys, columns, [kind_clause("CLICK")], params),
        ")",
        "GROUP BY page, selector",
    ]
    rows = [
        "SELECT *,",
        "  sum(baseline_clicks) OVER (PARTITION BY page) AS baseline_all_clicks,",
        "  sum(candidate_clicks) OVER (PARTITION BY page) AS candidate_all_clicks",
        "FROM (",
        *clicks,
        ") AS clicks",
        "INNER JOIN (",
        *_populations(baseline, question.candidate, page_keys, params),
        ") AS populations USING (page)",
    ]
    proportions = [
        *proportion_columns("click_rate", "sessions", "all_sessions"),
        *proportion_columns("click_share", "clicks", "all_clicks"),
    ]
    order = [*_biggest("clicks", "all_clicks" if question.by_share else None), "selector"]
    return _first(rows, proportions, ["WHERE selector != ''"], order, params.bind(question.first, "UInt32"))


def compile_cell_changes(baseline: Lens, page_keys: tuple[str, ...], question: CellChangeQuestion) -> Statement:
    """One row a page: `rows`, a JSON array of the cells of the default grid hit on either side, biggest change first."""
    params = Params()
    return _json_lists(compile_json(question.rows, CELL_CHANGE), cell_changes(baseline, page_keys, question, params), params)


def cell_changes(baseline: Lens, page_keys: tuple[str, ...], question: CellChangeQuestion, params: Params) -> list[str]:
    """The rows of `compile_cell_changes`, one a cell, numbered by `place`."""
    with_element = "element" in question.rows.names()
    element = ", ".join(f"toString({name}) AS {name}" if with_element else f"'' AS {name}" for name in ("selector", "tag", "text"))
    columns = f"fixed, default_cell AS cell, {element}"
    conditions = [kind_clause(question.kind), f"NOT ({IS_ORIGIN})"]
    cells = [
        "SELECT page, fixed, cell,",
        "  sum(baseline) AS baseline_count, sum(candidate) AS candidate_count,",
        "  argMinIf((selector, tag, text), (-toInt64(of_selector), selector, -toInt64(hits), tag, text), selector != '') AS top,",
        "  top.1 AS selector, top.2 AS tag, top.3 AS text",
        "FROM (",
        "SELECT page, fixed, cell, selector, tag, text,",
        *[f"  countIf({of}) AS {side}," for side, of in SIDES.items()],
        "  count() AS hits, sum(hits) OVER (PARTITION BY page, fixed, cell, selector) AS of_selector",
        "FROM (",
        *_interactions(baseline, question.candidate, page_keys, columns, conditions, params),
        ")",
        "GROUP BY page, fixed, cell, selector, tag, text",
        ")",
        "GROUP BY page, fixed, cell",
    ]
    rows = [
        "SELECT *,",
        *[f"  sum({side}_count) OVER (PARTITION BY page) AS {side}_total," for side in SIDES],
        f"  {params.bind(question.standard_width_px, 'UInt32')} AS standard_width_px,",
        f"  {CELL_COLUMNS} AS cell_columns, {CELL_HEIGHT_PX} AS cell_height_px",
        "FROM (",
        *cells,
        ")",
    ]
    order = [*_biggest("count", "total" if question.by_share else None), "fixed", "cell"]
    return _first(rows, proportion_columns("share", "count", "total"), [], order, params.bind(question.first, "UInt32"))


def compile_scroll_changes(baseline: Lens, page_keys: tuple[str, ...], question: ScrollChangeQuestion) -> Statement:
    """One row a page: both sides' population, average_depth and median_depth, and `buckets_KEY`, JSON, for each selection."""
    params = Params()
    shape = SCROLL_BUCKET_CHANGE[WHO[question.scroll.aggregation]]
    lists = [f"  {json_array(compile_json(selection, shape), 'place')} AS `buckets_{key}`" for key, selection in question.scroll.buckets]
    wide = [f"  max({side}_{name}) AS {side}_{name}" for side in SIDES for name in DEPTH_NUMBERS]
    rows = scroll_changes(baseline, page_keys, question, params)
    return Statement.of(["SELECT page,", ",\n".join([*wide, *lists]), "FROM (", *rows, ")", "GROUP BY page"], params)


def scroll_changes(baseline: Lens, page_keys: tuple[str, ...], question: ScrollChangeQuestion, params: Params) -> list[str]:
    """The rows of `compile_scroll_changes`, one a depth, numbered by `place`, with DEPTH_NUMBERS of each side."""

    def depths(lens: Lens, side: str) -> list[str]:
        return [
            f"SELECT page, {side} AS candidate, {', '.join(DEPTH_NUMBERS)}, depth, reached",
            "FROM (",
            *depth_counts(lens, page_keys, question.scroll, params, OF_DEPTHS),
            ")",
            "ARRAY JOIN depths AS depth, reached_by_depth AS reached",
        ]

    return [
        "SELECT *, depth AS place,",
        ",\n".join(f"  {column}" for column in proportion_columns("reach", "reached", "population")),
        "FROM (",
        "SELECT page, depth,",
        *[f"  sumIf(reached, {of}) AS {side}_reached," for side, of in SIDES.items()],
        *[f"  max(maxIf(population, {of})) OVER (PARTITION BY page) AS {side}_population," for side, of in SIDES.items()],
        ",\n".join(f"  maxOrNullIf({name}, {of}) AS {side}_{name}" for side, of in SIDES.items() for name in DEPTH_NUMBERS[1:]),
        "FROM (",
        *_both(baseline, question.candidate, depths),
        ")",
        "GROUP BY page, depth",
        ")",
    ]


def _both(baseline: Lens, candidate: Lens, rows: Callable[[Lens, str], list[str]]) -> list[str]:
    """The rows of both lenses; what both see is there twice, once a side. `rows` takes the lens and the value of `candidate`."""
    return union_all([rows(baseline, "false"), rows(candidate, "true")])


def _interactions(
    baseline: Lens, candidate: Lens, page_keys: tuple[str, ...], columns: str, conditions: list[str], params: Params
) -> list[str]:
    """Interactions of both lenses."""

    def rows(lens: Lens, side: str) -> list[str]:
        return [
            f"SELECT {page_column(lens, page_keys, params)}, {side} AS candidate, {columns}",
            *from_interactions(lens, params),
            where_all([*lens_clauses(lens, page_keys, params), *conditions]),
        ]

    return _both(baseline, candidate, rows)


def _populations(baseline: Lens, candidate: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
    """Distinct sessions of each side, one row a page."""

    def rows(lens: Lens, side: str) -> list[str]:
        page = "'' AS page" if lens.url else "row_page AS page"
        return [f"SELECT {page}, {side} AS candidate, session_id", "FROM (", *lens_rows(lens, page_keys, params), ")"]

    return [
        "SELECT page,",
        ",\n".join(f"  uniqExactIf(session_id, {of}) AS {side}_all_sessions" for side, of in SIDES.items()),
        "FROM (",
        *_both(baseline, candidate, rows),
        ")",
        "GROUP BY page",
    ]


def _biggest(count: str, total: str | None) -> list[str]:
    """The order of a list of changes: by the absolute change of the share of `total` if named, then of the count, then by the larger side.

    Shares are out of the same totals in every row, so that products compare them, and exactly.
    """
    by_share = f"abs(toInt128(candidate_{count}) * baseline_{total} - toInt128(baseline_{count}) * candidate_{total}) DESC"
    by_count = f"abs(toInt64(candidate_{count}) - toInt64(baseline_{count})) DESC"
    return [*([by_share] if total else []), by_count, f"greatest(baseline_{count}, candidate_{count}) DESC"]


def _first(rows: list[str], proportions: list[str], where: list[str], order: list[str], first: str) -> list[str]:
    """The `first` rows of each page in that order, numbered by `place`."""
    return [
        "SELECT *",
        "FROM (",
        f"SELECT *, row_number() OVER (PARTITION BY page ORDER BY {', '.join(order)}) AS place",
        "FROM (",
        "SELECT *,",
        ",\n".join(f"  {column}" for column in proportions),
        "FROM (",
        *rows,
        ")",
        *where,
        ")",
        ")",
        f"WHERE place <= {first}",
    ]


def _json_lists(row: str, rows: list[str], params: Params) -> Statement:
    return Statement.of([f"SELECT page, {json_array(row, 'place')} AS rows", "FROM (", *rows, ")", "GROUP BY page"], params)
