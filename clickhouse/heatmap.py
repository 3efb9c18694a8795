"""Points of a heatmap: interactions binned into cells of a standard viewport, hottest first.

One statement answers for every page of a lens: totals, hidden counts and the points as JSON, one row a page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from clickhouse.conditions import is_test_account, page_column
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
from clickhouse.planner import Plan, plan
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

PEOPLE = {"UNIQUE_VISITORS": "visitor_id", "UNIQUE_SESSIONS": "session_id"}
"""Aggregation to whom a cell counts, once each; TOTAL counts interactions."""

OPTIONAL = frozenset({"visitors", "page_height", "hidden"})
"""Numbers of a map that need a look at more columns or rows than its cells."""


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
    """`points` are the selections of the point list, by the key each answers under; `wanted` those of OPTIONAL that are asked for."""

    kind: str
    aggregation: str
    cell_size: CellSize | None
    hide_origin: bool
    ctas_only: bool
    first: int
    after: tuple[int, bool, int, int] | None = None  # count, fixed, row, column of the last point seen
    points: tuple[tuple[str, Selection], ...] = ()
    wanted: frozenset[str] = frozenset()

    def selects(self, name: str) -> bool:
        """Of a point."""
        return any(name in selection.names() for _, selection in self.points)


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
    """One row a page that has such interactions.

    Columns: page, total, max_count, has_next, has_points, last (count, fixed, row, column of the last point), `points_KEY`, a JSON
    array, for each selection; visitors, page_height, hidden_origin and hidden_test_accounts are 0 unless `wanted`.
    """
    params = Params()
    lists = [
        f",\n  toJSONString(arrayMap(({', '.join(_point(question))}) -> {compile_json(selection, HEATMAP_POINT)}, {_columns(question)})) AS `points_{key}`"
        for key, selection in question.points
    ]
    return Statement.of(
        [
            "SELECT page, total, visitors, max_count, page_height, hidden_origin, hidden_test_accounts,",
            f"  remaining > {params.bind(question.first, 'UInt32')} AS has_next, notEmpty(points) AS has_points,",
            "  (counts[-1], points.2[-1], points.3[-1], points.4[-1]) AS last" + "".join(lists),
            "FROM (",
            *_pages(lens, page_keys, question, params),
            ")",
        ],
        params,
    )


def heatmap_rows(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """The points of each page: `place` from 1 in their order, columns of HEATMAP_POINT."""
    return [
        f"SELECT *, {', '.join(f'point.{number} AS {name}' for number, name in enumerate(_point(question), 1))}",
        "FROM (",
        f"SELECT * EXCEPT (points, counts), arrayJoin(arrayZip({_columns(question)}, arrayEnumerate(points))) AS point,",
        f"  point.{len(_point(question)) + 1} AS place",
        "FROM (",
        *_pages(lens, page_keys, question, params),
        ")",
        ")",
    ]


def _point(question: HeatmapQuestion) -> tuple[str, ...]:
    """The columns of a point, in the order of the tuples in `points`; there its count is negative, so that the hottest come first."""
    element = ("selector", "tag", "text") if question.selects("element") else ()
    return ("count", "fixed", "cell_row", "cell_column", *element)


def _columns(question: HeatmapQuestion) -> str:
    """The points as arrays, one a column."""
    return ", ".join(["counts", *(f"points.{number}" for number in range(2, len(_point(question)) + 1))])


def _plan(lens: Lens, question: HeatmapQuestion) -> Plan:
    """What the cells of a map look at."""
    columns = {"kind", "fixed"} | ({"cell_row", "cell_column"} if question.cell_size is None else {"x", "y"})
    if question.hide_origin:
        columns.add("is_origin")
    if question.ctas_only or question.selects("element") or lens.has_fixed_marks:
        columns.add("selector")
    if "page_height" in question.wanted:
        columns.add("page_height")
    if "visitors" in question.wanted:
        columns.add("visitor_id")
    return plan(lens, columns | {PEOPLE.get(question.aggregation, "count")})


def _pages(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """One row a page: its numbers, `points`, an array of tuples of `_point`, hottest first, and their `counts`."""
    cell = Cell.of(lens, question.cell_size)
    chosen = _plan(lens, question)
    numbers = _numbers(lens, question, chosen, params)
    totals = {
        "total": "sum(interactions)" if "interactions" in numbers else "sum(count)",
        "visitors": "uniqExactMerge(visitors)" if "visitors" in numbers else "0",
        "page_height": "max(page_height)" if "page_height" in numbers else "0",
        "hidden_origin": "sum(hidden_origin)" if "hidden_origin" in numbers else "0",
        "hidden_test_accounts": "sum(hidden_test_accounts)" if "hidden_test_accounts" in numbers else "0",
        "max_count": "max(count)",
        "population": "uniqExactMerge(people)" if "people" in numbers else "total",
    }
    shown = " AND ".join([*(["count > 0"] if question.wanted else []), *_beyond(question.after, params)]) or "true"
    point = ", ".join(["-toInt64(count)", *_point(question)[1:]])
    return [
        "SELECT page,",
        *(f"  {sql} AS {name}," for name, sql in totals.items()),
        f"  countIf({shown}) AS remaining,",
        f"  arraySlice(arrayPartialSort({params.bind(question.first, 'UInt32')}, groupArrayIf(({point}), {shown})), 1,"
        f" {params.bind(question.first, 'UInt32')}) AS points,",
        "  arrayMap(negative -> toUInt64(-negative), points.1) AS counts,",
        f"  {params.bind(standard_viewport_px(lens)[0], 'UInt32')} AS standard_width_px,",
        f"  {params.bind(cell.height_px, 'UInt32')} AS cell_height_px,",
        f"  {params.bind(float(cell.columns), 'Float64')} AS cell_columns",
        "FROM (",
        *_cells(lens, page_keys, question, chosen, numbers, params),
        ")",
        "GROUP BY page",
    ]


def _numbers(lens: Lens, question: HeatmapQuestion, chosen: Plan, params: Params) -> dict[str, tuple[str, str]]:
    """The numbers of a cell: how they are counted, and how those of its parts are put together."""
    tests = _reads_tests(lens, question)
    is_test = f"({is_test_account(lens, params)})"
    is_origin = "is_origin" if chosen.rollup else IS_ORIGIN
    seen = [f"NOT {is_test}"] if tests else []
    shown = [*seen, *([f"NOT {is_origin}"] if _reads_origins(question) else [])]

    def counted(conditions: list[str]) -> tuple[str, str]:
        return _if("sum" if chosen.rollup else "count", "count" if chosen.rollup else "", conditions), "sum"

    person = PEOPLE.get(question.aggregation)
    numbers = {"count": counted(shown)}
    if person:
        numbers = {"count": (_if("uniqExact", person, shown), "uniqExactMerge"), "interactions": counted(shown)}
    if person and question.selects("share"):
        numbers["people"] = (_if("uniqExactState", person, shown), "uniqExactMergeState")
    if "visitors" in question.wanted:
        numbers["visitors"] = (_if("uniqExactState", "visitor_id", shown), "uniqExactMergeState")
    if "page_height" in question.wanted:
        numbers["page_height"] = (_if("max", "page_height", seen), "max")
    if "hidden" in question.wanted and question.hide_origin:
        numbers["hidden_origin"] = counted([*seen, is_origin])
    if tests:
        numbers["hidden_test_accounts"] = counted([is_test])
    return numbers


def _reads_tests(lens: Lens, question: HeatmapQuestion) -> bool:
    """Whether rows of test accounts are read, to count them as hidden."""
    return lens.segment.exclude_test_accounts and "hidden" in question.wanted


def _reads_origins(question: HeatmapQuestion) -> bool:
    """Whether rows at (0, 0) are read that the map does not show: to count them as hidden, or for the height of their page."""
    return question.hide_origin and bool(question.wanted & {"hidden", "page_height"})


def _if(aggregate: str, argument: str, conditions: list[str]) -> str:
    if not conditions:
        return f"{aggregate}({argument})"
    return f"{aggregate}If({', '.join([*([argument] if argument else []), ' AND '.join(conditions)])})"


def _cells(
    lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, chosen: Plan, numbers: dict[str, tuple[str, str]], params: Params
) -> list[str]:
    """One row a cell with its numbers; with its most frequent element, if a selection asks for it."""
    by_cell = "GROUP BY page, fixed, cell_row, cell_column"
    counts = [f"  {sql} AS {name}" for name, (sql, _) in numbers.items()]
    if not question.selects("element"):
        lines = _rows(lens, page_keys, question, chosen, params)
        return [lines[0] + ",", ",\n".join(counts), *lines[1:], by_cell]
    again = {name: f"{merge}({name})" for name, (_, merge) in numbers.items()}
    parts = [count.replace("uniqExact(", "uniqExactState(").replace("uniqExactIf(", "uniqExactStateIf(") for count in counts]
    lines = _rows(lens, page_keys, question, chosen, params)
    return [
        "SELECT page, fixed, cell_row, cell_column,",
        *(f"  {sql} AS {name}," for name, sql in again.items()),
        "  argMinIf((selector, tag, text), (-toInt64(clicks_here), selector, tag, text), selector != '' AND clicks_here > 0) AS top,",
        "  top.1 AS selector, top.2 AS tag, top.3 AS text",
        "FROM (",
        lines[0] + ", toString(selector) AS selector, toString(tag) AS tag, toString(text) AS text,",
        ",\n".join(parts) + f",\n  {numbers.get('interactions', numbers['count'])[0]} AS clicks_here",
        *lines[1:],
        by_cell + ", selector, tag, text",
        ")",
        by_cell,
    ]


def _rows(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, chosen: Plan, params: Params) -> list[str]:
    """SELECT of the columns that name a cell, and where its rows are: those of a rollup and of interactions have `count` and `is_origin`."""
    kind = [kind_clause(question.kind), *([cta_clause(lens, params)] if question.ctas_only else [])]
    origin = ["NOT {}"] if question.hide_origin and not _reads_origins(question) else []
    tests = _reads_tests(lens, question)
    grid = Cell.of(lens, question.cell_size)
    cell = f"{page_column(lens)}, fixed, {grid.row_sql(params)} AS cell_row, {grid.column_sql(params)} AS cell_column"
    raw = [*chosen.raw_clauses(lens, page_keys, params, with_test_accounts=tests), *kind, *(no.format(IS_ORIGIN) for no in origin)]
    rows = [*from_interactions(lens, params), "WHERE " + "\n  AND ".join(raw)]
    if not chosen.rollup:
        return [f"SELECT {cell}", *rows]
    summed = [*chosen.rollup_clauses(lens, page_keys, params, with_test_accounts=tests), *kind, *(no.format("is_origin") for no in origin)]
    sums = [f"FROM {chosen.rollup}", "WHERE " + "\n  AND ".join(summed)]
    if not chosen.raw_days:
        return [f"SELECT {page_column(lens)}, fixed, cell_row, cell_column", *sums]
    return [
        "SELECT page, fixed, cell_row, cell_column",
        "FROM (",
        f"SELECT {page_column(lens)}, fixed, cell_row, cell_column, is_origin, is_test, count",
        *sums,
        "UNION ALL",
        f"SELECT {cell}, {IS_ORIGIN} AS is_origin, is_test, toUInt32(1) AS count",
        *rows,
        ")",
    ]


def _beyond(after: tuple[int, bool, int, int] | None, params: Params) -> list[str]:
    """The points after the last one seen, in the order count descending, then fixed, row, column."""
    if not after:
        return []
    count = params.bind(after[0], "UInt64")
    cell = f"({params.bind(int(after[1]), 'UInt8')}, {params.bind(after[2], 'UInt32')}, {params.bind(after[3], 'UInt32')})"
    return [f"(count < {count} OR (count = {count} AND (toUInt8(fixed), cell_row, cell_column) > {cell}))"]
