"""Points of a heatmap: interactions binned into cells of a standard viewport, hottest first.

One statement answers for every page of a lens: totals, hidden counts and the points as JSON, one row a page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from clickhouse.conditions import is_test_account, lens_clauses, page_column
from clickhouse.element_marks import cta_clause, from_interactions
from clickhouse.lens import Lens
from clickhouse.numbers import (
    BREAKPOINTS_PX,
    CELL_COLUMNS,
    CELL_HEIGHT_PX,
    IS_ORIGIN,
    LABEL,
    MAX_VIEWPORT_PX,
    STANDARD_VIEWPORT_PX,
    kind_clause,
)
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement

POINT_ELEMENT = Shape(
    "PointElement",
    {
        "selector": Leaf("selector", "String"),
        "label": Leaf(LABEL, "String"),
        "text": Leaf("nullIf(text, '')", "Nullable(String)"),
        "tag": Leaf("nullIf(tag, '')", "Nullable(String)"),
    },
    null_when="selector = ''",
)

HEATMAP_POINT = Shape(
    "HeatmapPoint",
    {
        "x": Leaf("cell_column * standard_width_px / cell_columns", "Float64"),
        "y": Leaf("cell_row * cell_height_px", "UInt64"),
        "relativeX": Leaf("cell_column / cell_columns", "Float64"),
        "fixed": Leaf("fixed", "Bool"),
        "count": Leaf("count", "UInt64"),
        "share": Leaf("count / population", "Float64"),
        "element": POINT_ELEMENT,
    },
)

COUNTS = {"TOTAL": "count()", "UNIQUE_VISITORS": "uniqExact(visitor_id)", "UNIQUE_SESSIONS": "uniqExact(session_id)"}


@dataclass(frozen=True, slots=True)
class CellSize:
    """CSS px on the standard viewport."""

    width_px: float
    height_px: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One bin of the grid, CSS px on the standard viewport; `columns` of them lie side by side, the last may be cut off."""

    width_px: float
    height_px: int
    columns: float

    @classmethod
    def default(cls, standard_width_px: int) -> Cell:
        """A hundredth of the viewport's width."""
        return cls(standard_width_px / CELL_COLUMNS, CELL_HEIGHT_PX, CELL_COLUMNS)

    @classmethod
    def of(cls, lens: Lens, size: CellSize | None = None) -> Cell:
        """On the lens's standard viewport. `columns` is rounded up, so that no point on a cell's left edge falls into the cell before."""
        standard_width_px = standard_viewport_px(lens)[0]
        if size is None:
            return cls.default(standard_width_px)
        columns = standard_width_px / size.width_px
        if Fraction(columns) < Fraction(standard_width_px) / Fraction(size.width_px):
            columns = math.nextafter(columns, math.inf)
        return cls(size.width_px, size.height_px, columns)

    @property
    def last_column(self) -> int:
        """Where x = the viewport's width falls, and all beyond it."""
        return math.ceil(self.columns) - 1

    def column_sql(self, params: Params) -> str:
        columns = params.bind(float(self.columns), "Float64")
        last = params.bind(self.last_column, "UInt32")
        return f"toUInt32(least({last}, floor(x * {columns} / viewport_width)))"

    def row_sql(self, params: Params) -> str:
        return f"toUInt32(floor(y / {params.bind(self.height_px, 'UInt32')}))"


@dataclass(frozen=True, slots=True)
class HeatmapQuestion:
    """`points` are the selections of the point list, by the key each answers under."""

    kind: str
    aggregation: str
    cell_size: CellSize | None
    hide_origin: bool
    ctas_only: bool
    first: int
    after: tuple[int, bool, int, int] | None = None  # count, fixed, row, column of the last point seen
    points: tuple[tuple[str, Selection], ...] = ()


def layouts(lens: Lens) -> frozenset[str]:
    """The breakpoints the segment leaves; of several, those of its devices, if any."""
    segment = lens.segment
    possible = set(segment.breakpoint or STANDARD_VIEWPORT_PX)
    if width := segment.viewport_width:
        low, high = width.min_px or 0, MAX_VIEWPORT_PX if width.max_px is None else width.max_px
        possible &= {name for name, (start, end) in BREAKPOINTS_PX.items() if low <= end and start <= high}
    if len(possible) != 1 and segment.device:
        possible = possible & set(segment.device) or possible
    return frozenset(possible)


def standard_viewport_px(lens: Lens) -> tuple[int, int]:
    """The viewport x is drawn on: that of the only layout of the lens, the desktop's when there are several."""
    possible = layouts(lens)
    return STANDARD_VIEWPORT_PX[next(iter(possible))] if len(possible) == 1 else STANDARD_VIEWPORT_PX["DESKTOP"]


def compile_heatmap(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion) -> Statement:
    """One row a page that has such interactions, hidden ones included.

    Columns: page, total, visitors, max_count, page_height, hidden_origin, hidden_test_accounts, has_next,
    last (count, fixed, row, column of the last point), and `points_KEY`, a JSON array, for each selection.
    """
    params = Params()
    first = params.bind(question.first, "UInt32")
    lists = [(f"`points_{key}`", compile_json(selection, HEATMAP_POINT)) for key, selection in question.points]
    return Statement.of(
        [
            "SELECT page,",
            "  any(total) AS total,",
            "  any(visitors) AS visitors,",
            "  any(page_height) AS page_height,",
            "  any(hidden_origin) AS hidden_origin,",
            "  any(hidden_test_accounts) AS hidden_test_accounts,",
            "  max(max_count) AS max_count,",
            f"  max(remaining) > {first} AS has_next,",
            "  max(place) > 0 AS has_points,",
            "  argMax((count, fixed, cell_row, cell_column), place) AS last"
            + "".join(f",\n  {_json_list(sql)} AS {name}" for name, sql in lists),
            "FROM (",
            *heatmap_rows(lens, page_keys, question, params),
            ")",
            "GROUP BY page",
        ],
        params,
    )


def heatmap_rows(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """The summary of each page with each of its points: `place` from 1 in their order, 0 where a page has none; columns of HEATMAP_POINT."""
    cell = Cell.of(lens, question.cell_size)
    population = {"TOTAL": "total", "UNIQUE_VISITORS": "visitors", "UNIQUE_SESSIONS": "sessions"}[question.aggregation]
    return [
        f"SELECT *, {population} AS population,",
        f"  {params.bind(standard_viewport_px(lens)[0], 'UInt32')} AS standard_width_px,",
        f"  {params.bind(cell.height_px, 'UInt32')} AS cell_height_px,",
        f"  {params.bind(float(cell.columns), 'Float64')} AS cell_columns",
        "FROM (",
        *_summary(lens, page_keys, question, params),
        ") AS summary",
        "LEFT JOIN (",
        "SELECT *",
        "FROM (",
        "SELECT *, count() OVER (PARTITION BY page) AS remaining,",
        "  row_number() OVER (PARTITION BY page ORDER BY count DESC, fixed, cell_row, cell_column) AS place",
        "FROM (",
        "SELECT *, max(count) OVER (PARTITION BY page) AS max_count",
        "FROM (",
        *_cells(lens, page_keys, question, params),
        ")",
        ")",
        *_beyond(question.after, params),
        ")",
        f"WHERE place <= {params.bind(question.first, 'UInt32')}",
        ") AS points USING (page)",
    ]


def _conditions(lens: Lens, question: HeatmapQuestion, params: Params) -> list[str]:
    return [kind_clause(question.kind), *([cta_clause(lens, params)] if question.ctas_only else [])]


def _summary(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """Everything of the kind, hidden or not, one row a page."""
    where = [*lens_clauses(lens, page_keys, params, with_test_accounts=True), *_conditions(lens, question, params)]
    test = f"({is_test_account(lens, params)})" if lens.segment.exclude_test_accounts else "false"
    origin = IS_ORIGIN if question.hide_origin else "false"
    return [
        "SELECT page,",
        "  countIf(NOT is_origin AND NOT hidden_test) AS total,",
        "  uniqExactIf(visitor_id, NOT is_origin AND NOT hidden_test) AS visitors,",
        "  uniqExactIf(session_id, NOT is_origin AND NOT hidden_test) AS sessions,",
        "  maxIf(page_height, NOT hidden_test) AS page_height,",
        "  countIf(is_origin AND NOT hidden_test) AS hidden_origin,",
        "  countIf(hidden_test) AS hidden_test_accounts",
        "FROM (",
        f"SELECT {page_column(lens)}, visitor_id, session_id, page_height, {origin} AS is_origin, {test} AS hidden_test",
        "FROM interactions",
        "WHERE " + "\n  AND ".join(where),
        ")",
        "GROUP BY page",
    ]


def _cells(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """The shown interactions by cell; with the most frequent element of each, if a selection asks for it."""
    where = [*lens_clauses(lens, page_keys, params), *_conditions(lens, question, params)]
    if question.hide_origin:
        where.append(f"NOT {IS_ORIGIN}")
    grid = Cell.of(lens, question.cell_size)
    cell = f"{page_column(lens)}, fixed, {grid.row_sql(params)} AS cell_row, {grid.column_sql(params)} AS cell_column"
    rows = [*from_interactions(lens, params), "WHERE " + "\n  AND ".join(where)]
    by_cell = "GROUP BY page, fixed, cell_row, cell_column"
    if not any("element" in selection.names() for _, selection in question.points):
        return [f"SELECT {cell}, {COUNTS[question.aggregation]} AS count", *rows, by_cell]
    people = {"TOTAL": "sum(clicks_here)", "UNIQUE_VISITORS": "uniqExactMerge(people)", "UNIQUE_SESSIONS": "uniqExactMerge(people)"}
    person = "session_id" if question.aggregation == "UNIQUE_SESSIONS" else "visitor_id"
    return [
        f"SELECT page, fixed, cell_row, cell_column, {people[question.aggregation]} AS count,",
        "  argMinIf((selector, tag, text), (-toInt64(clicks_here), selector, tag, text), selector != '') AS top,",
        "  top.1 AS selector, top.2 AS tag, top.3 AS text",
        "FROM (",
        f"SELECT {cell}, toString(selector) AS selector, toString(tag) AS tag, toString(text) AS text,",
        "  count() AS clicks_here" + (f", uniqExactState({person}) AS people" if question.aggregation != "TOTAL" else ""),
        *rows,
        by_cell + ", selector, tag, text",
        ")",
        by_cell,
    ]


def _beyond(after: tuple[int, bool, int, int] | None, params: Params) -> list[str]:
    """The points after the last one seen, in the order count descending, then fixed, row, column."""
    if not after:
        return []
    count = params.bind(after[0], "UInt64")
    cell = f"({params.bind(int(after[1]), 'UInt8')}, {params.bind(after[2], 'UInt32')}, {params.bind(after[3], 'UInt32')})"
    return [f"WHERE count < {count} OR (count = {count} AND (toUInt8(fixed), cell_row, cell_column) > {cell})"]


def _json_list(row: str) -> str:
    """A JSON array of the rows in the order of `place`; a page without rows has place 0 and gets []."""
    return f"toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArrayIf((place, {row}), place > 0))))"
