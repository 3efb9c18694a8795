"""Points of a heatmap: interactions binned into cells of a standard viewport, hottest first.

One statement answers for every page of a lens: totals, hidden counts and the points as JSON, one row a page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from clickhouse.conditions import is_test_account, lens_clauses, page_column, pages_apart
from clickhouse.element_marks import cta_clause, from_interactions
from clickhouse.lens import Lens
from clickhouse.numbers import (
    BREAKPOINTS_PX,
    CELL_COLUMN,
    CELL_COLUMNS,
    CELL_HEIGHT_PX,
    CELL_ROW,
    COLUMN_BITS,
    IS_ORIGIN,
    LABEL,
    MAX_VIEWPORT_PX,
    STANDARD_VIEWPORT_PX,
    kind_clause,
)
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement, where_all

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
        "x": Leaf(f"{CELL_COLUMN} * standard_width_px / cell_columns", "Float64"),
        "y": Leaf(f"{CELL_ROW} * cell_height_px", "UInt64"),
        "relativeX": Leaf(f"{CELL_COLUMN} / cell_columns", "Float64"),
        "fixed": Leaf("fixed", "Bool"),
        "count": Leaf("count", "UInt64"),
        "share": Leaf("count / population", "Float64"),
        "element": POINT_ELEMENT,
    },
)

PEOPLE = {"UNIQUE_VISITORS": "visitor_id", "UNIQUE_SESSIONS": "session_id"}
"""Aggregation to whom a cell counts, once each; TOTAL counts interactions."""

PEOPLE_IN_ALL = {"visitors": "visitor_id", "sessions": "session_id"}
"""Numbers of a map to whom they count, once each."""

OPTIONAL = {
    **{people: (people,) for people in PEOPLE_IN_ALL},
    "page_height": ("page_height",),
    "hidden": ("hidden_origin", "hidden_test_accounts"),
}
"""What of a map needs a look at more columns or rows than its cells, to the columns that answer it."""


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
    def of(cls, lens: Lens, size: CellSize | None = None) -> Cell:
        """On the lens's standard viewport; without a size a hundredth of its width.

        `columns` is rounded up, so that no point on a cell's left edge falls into the cell before.
        """
        standard_width_px = standard_viewport_px(lens)[0]
        if size is None:
            return cls(standard_width_px / CELL_COLUMNS, CELL_HEIGHT_PX, CELL_COLUMNS)
        columns = standard_width_px / size.width_px
        if Fraction(columns) < Fraction(standard_width_px) / Fraction(size.width_px):
            columns = math.nextafter(columns, math.inf)
        return cls(size.width_px, size.height_px, columns)

    @property
    def last_column(self) -> int:
        """Where x = the viewport's width falls, and all beyond it."""
        return math.ceil(self.columns) - 1

    @property
    def is_default(self) -> bool:
        return (self.columns, self.height_px) == (CELL_COLUMNS, CELL_HEIGHT_PX)

    def sql(self, params: Params, hide_origin: bool) -> str:
        """Row and column as one number; a cell of the default grid is stored with its interaction."""
        if self.is_default:
            return "default_cell" if hide_origin else f"if({IS_ORIGIN}, 0, default_cell)"
        return f"bitOr(bitShiftLeft(toUInt64({self.row_sql(params)}), {COLUMN_BITS}), {self.column_sql(params)})"

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
    after: tuple[int, bool, int] | None = None  # count, fixed and cell of the last point seen
    points: tuple[tuple[str, Selection], ...] = ()
    wanted: frozenset[str] = frozenset()

    def selects(self, name: str) -> bool:
        """Of a point."""
        return any(name in selection.names() for _, selection in self.points)


def breakpoints(lens: Lens) -> frozenset[str]:
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
    """The viewport x is drawn on: that of the only breakpoint of the lens, the desktop's when there are several."""
    possible = breakpoints(lens)
    return STANDARD_VIEWPORT_PX[next(iter(possible))] if len(possible) == 1 else STANDARD_VIEWPORT_PX["DESKTOP"]


def compile_heatmap(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion) -> Statement:
    """One row a page that has such interactions.

    Columns: page, total, max_count, has_next, shown (how many points), last_rank (for `point_of`), `points_KEY`, a JSON array, for
    each selection, and those that are wanted of visitors, sessions, page_height, hidden_origin, hidden_test_accounts.
    """
    params = Params()
    columns = [
        f"SELECT page, total, max_count, remaining > {params.bind(question.first, 'UInt32')} AS has_next",
        "  length(ranks) AS shown, ranks[-1] AS last_rank",
        *(f"  {name}" for wanted, names in OPTIONAL.items() if wanted in question.wanted for name in names),
        *(
            f"  toJSONString(arrayMap(({', '.join(_point(question))}) -> {compile_json(selection, HEATMAP_POINT)}, {_columns(question)}))"
            f" AS `points_{key}`"
            for key, selection in question.points
        ),
    ]
    return Statement.of([",\n".join(columns), "FROM (", *_pages(lens, page_keys, question, params), ")"], params)


def heatmap_rows(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """The points of each page: `place` from 1 in their order, columns of HEATMAP_POINT."""
    return [
        f"SELECT *, {', '.join(f'point.{number} AS {name}' for number, name in enumerate(_point(question), 1))}",
        "FROM (",
        f"SELECT page, {', '.join(_constants(question))},",
        f"  arrayJoin(arrayZip({_columns(question)}, arrayEnumerate(ranks))) AS point, point.{len(_point(question)) + 1} AS place",
        "FROM (",
        *_pages(lens, page_keys, question, params),
        ")",
        ")",
    ]


RANK = "bitOr(bitShiftLeft(toUInt128(bitNot(toUInt64(count))), 64), bitOr(bitShiftLeft(toUInt64(fixed), 63), toUInt64(cell)))"
"""A point as one number that sorts as points do: hottest first, then by fixed, row and column."""

OF_RANK = {
    "count": "bitNot(toUInt64(bitShiftRight(rank, 64)))",
    "fixed": "bitTest(toUInt64(rank), 63)",
    "cell": f"bitAnd(toUInt64(rank), {2**63 - 1})",
}
ELEMENT = ("selector", "tag", "text")
ELEMENT_ID = f"cityHash64({', '.join(f'cityHash64({name})' for name in ELEMENT)})"
"""Hashed one by one, which is once for each value of a dictionary, and grouped by faster than the three texts."""

TOP_SELECTOR = (
    "arraySort((selector, clicks) -> (clicks, selector),"
    " (arrayReduce('sumMap', arrayMap(one -> [one.2], elements), arrayMap(one -> [one.1], elements)) AS summed).1, summed.2)[1]"
)
MOST_FREQUENT = "arraySort(arrayFilter(one -> one.2 = top, elements))[1]"
"""Of (-clicks, *ELEMENT) in a cell: the selector with most clicks, whatever its texts were, and with the most frequent of these."""


def point_of(rank: int) -> tuple[int, bool, int]:
    """count, fixed and cell of a RANK."""
    return (rank >> 64) ^ (2**64 - 1), bool(rank >> 63 & 1), rank & (2**63 - 1)


def _point(question: HeatmapQuestion) -> tuple[str, ...]:
    """The columns of a point."""
    return (*OF_RANK, *(ELEMENT if question.selects("element") else ()))


def _columns(question: HeatmapQuestion) -> str:
    """The points as arrays, one a column."""
    of_rank = [f"arrayMap(rank -> {sql}, ranks)" for sql in OF_RANK.values()]
    return ", ".join([*of_rank, *(f"tops.{number}" for number in range(2, 5) if question.selects("element"))])


def _constants(question: HeatmapQuestion) -> tuple[str, ...]:
    """What the points of a page have in common."""
    return ("standard_width_px", "cell_height_px", "cell_columns", *(("population",) if question.selects("share") else ()))


def _pages(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """One row a page: its numbers, and its points, hottest first, as `ranks`; `tops` are the elements beside them."""
    cell = Cell.of(lens, question.cell_size)
    numbers = _numbers(lens, question, params)
    columns = {
        "total": "sum(interactions)" if "interactions" in numbers else "sum(count)",
        "max_count": "max(count)",
        **{people: f"uniqExactMerge({people})" if people in numbers else "0" for people in PEOPLE_IN_ALL},
        "page_height": "max(page_height)" if "page_height" in numbers else "0",
        "hidden_origin": "sum(hidden_origin)" if "hidden_origin" in numbers else "0",
        "hidden_test_accounts": "sum(hidden_test_accounts)" if "hidden_test_accounts" in numbers else "0",
        "population": "uniqExactMerge(people)" if "people" in numbers else "total",
        "standard_width_px": params.bind(standard_viewport_px(lens)[0], "UInt32"),
        "cell_height_px": params.bind(cell.height_px, "UInt32"),
        "cell_columns": params.bind(float(cell.columns), "Float64"),
    }
    asked = {"total", "max_count", *_constants(question), *(name for wanted in question.wanted for name in OPTIONAL[wanted])}
    shown = [*(["count > 0"] if question.wanted else []), *_beyond(question.after, params)]
    first = params.bind(question.first, "UInt32")
    ranks = [f"  {_if('groupArraySorted', RANK, shown, first)} AS ranks"]
    if question.selects("element"):
        found = _if("groupArray", f"({RANK}, elements)", shown)
        ranks = [
            f"  arraySlice(arrayPartialSort({first}, {found}), 1, {first}) AS points,",
            f"  points.1 AS ranks, arrayMap((elements, top) -> {MOST_FREQUENT}, points.2, arrayMap(elements -> {TOP_SELECTOR}, points.2)) AS tops",
        ]
    apart = pages_apart(lens, page_keys)
    return [
        "SELECT page," if apart else f"SELECT {page_column(lens, page_keys, params)},",
        *(f"  {sql} AS {name}," for name, sql in columns.items() if name in asked),
        f"  {_if('count', '', shown)} AS remaining,",
        *ranks,
        "FROM (",
        *_cells(lens, page_keys, question, numbers, params),
        ")",
        "GROUP BY page" if apart else "HAVING count() > 0",
    ]


def _numbers(lens: Lens, question: HeatmapQuestion, params: Params) -> dict[str, tuple[str, str]]:
    """The numbers of a cell, or of the elements in it if a selection asks for one: how they are counted, and those of its parts put together."""
    tests = _reads_tests(lens, question)
    is_test = f"({is_test_account(lens, params)})"
    seen = [f"NOT {is_test}"] if tests else []
    shown = [*seen, *([f"NOT ({IS_ORIGIN})"] if _reads_origins(question) else [])]
    person = PEOPLE.get(question.aggregation)
    numbers = {"count": (_if("count", "", shown), "sum")}
    if person:
        count = "uniqExactState" if question.selects("element") else "uniqExact"
        numbers = {"count": (_if(count, person, shown), "uniqExactMerge"), "interactions": (_if("count", "", shown), "sum")}
    if person and question.selects("share"):
        numbers["people"] = (_if("uniqExactState", person, shown), "uniqExactMergeState")
    for people, column in PEOPLE_IN_ALL.items():
        if people in question.wanted:
            numbers[people] = (_if("uniqExactState", column, shown), "uniqExactMergeState")
    if "page_height" in question.wanted:
        numbers["page_height"] = (_if("max", "page_height", seen), "max")
    if "hidden" in question.wanted and question.hide_origin:
        numbers["hidden_origin"] = (_if("count", "", [*seen, IS_ORIGIN]), "sum")
    if tests:
        numbers["hidden_test_accounts"] = (_if("count", "", [is_test]), "sum")
    return numbers


def _reads_tests(lens: Lens, question: HeatmapQuestion) -> bool:
    """Whether rows of test accounts are read, to count them as hidden."""
    return lens.segment.exclude_test_accounts and "hidden" in question.wanted


def _reads_origins(question: HeatmapQuestion) -> bool:
    """Whether rows at (0, 0) are read that the map does not show: to count them as hidden, or for the height of their page."""
    return question.hide_origin and bool(question.wanted & {"hidden", "page_height"})


def _if(aggregate: str, argument: str, conditions: list[str], parameter: str = "") -> str:
    parameters = f"({parameter})" if parameter else ""
    if not conditions:
        return f"{aggregate}{parameters}({argument})"
    return f"{aggregate}If{parameters}({', '.join([*([argument] if argument else []), ' AND '.join(conditions)])})"


def _cells(
    lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, numbers: dict[str, tuple[str, str]], params: Params
) -> list[str]:
    """One row a cell with its numbers; with `elements`, (-clicks, *ELEMENT) each, of which the least is on top, if a selection asks for one."""
    by = f"{'page, ' if pages_apart(lens, page_keys) else ''}fixed, cell"
    counts = [f"  {sql} AS {name}" for name, (sql, _) in numbers.items()]
    lines = _rows(lens, page_keys, question, params)
    if not question.selects("element"):
        return [lines[0] + ",", ",\n".join(counts), *lines[1:], f"GROUP BY {by}"]
    again = {name: f"{merge}({name})" for name, (_, merge) in numbers.items()}
    return [
        f"SELECT {by},",
        *(f"  {sql} AS {name}," for name, sql in again.items()),
        f"  groupArrayIf((-toInt64(clicks_here), {', '.join(f'toString({name})' for name in ELEMENT)}), selector != '' AND clicks_here > 0) AS elements",
        "FROM (",
        f"{lines[0]}, {ELEMENT_ID} AS element_id, {', '.join(f'any({name}) AS {name}' for name in ELEMENT)},",
        ",\n".join(counts) + f",\n  {numbers.get('interactions', numbers['count'])[0]} AS clicks_here",
        *lines[1:],
        f"GROUP BY {by}, element_id",
        ")",
        f"GROUP BY {by}",
    ]


def _rows(lens: Lens, page_keys: tuple[str, ...], question: HeatmapQuestion, params: Params) -> list[str]:
    """SELECT of the columns that name a cell, and where its rows are."""
    hidden = question.hide_origin and not _reads_origins(question)
    clauses = [
        *lens_clauses(lens, page_keys, params, with_test_accounts=_reads_tests(lens, question)),
        kind_clause(question.kind),
        *([cta_clause(lens, params)] if question.ctas_only else []),
        *([f"NOT ({IS_ORIGIN})"] if hidden else []),
    ]
    page = "page_key AS page, " if pages_apart(lens, page_keys) else ""
    cell = Cell.of(lens, question.cell_size).sql(params, hidden)
    return [f"SELECT {page}fixed, {cell} AS cell", *from_interactions(lens, params), where_all(clauses)]


def _beyond(after: tuple[int, bool, int] | None, params: Params) -> list[str]:
    """The points after the last one seen, in the order of their ranks."""
    if not after:
        return []
    count = params.bind(after[0], "UInt64")
    cell = f"({params.bind(int(after[1]), 'UInt8')}, {params.bind(after[2], 'UInt64')})"
    return [f"(count < {count} OR (count = {count} AND (toUInt8(fixed), toUInt64(cell)) > {cell}))"]
