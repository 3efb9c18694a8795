"""The single interactions behind a map or some of its points, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clickhouse.conditions import lens_clauses, page_column, pages_apart
from clickhouse.element_marks import from_interactions
from clickhouse.heatmap import Cell
from clickhouse.lens import Lens
from clickhouse.numbers import COLUMN_BITS, IS_ORIGIN, LABEL, kind_clause
from clickhouse.statement import Params, Statement, where_all


@dataclass(frozen=True, slots=True)
class InteractionQuestion:
    """`cells` are (fixed, row, column) of the points to look into, None for all; `after` is (timestamp, row id)."""

    kind: str
    cell: Cell
    hide_origin: bool
    first: int
    cells: tuple[tuple[int, int, int], ...] | None = None
    after: tuple[datetime, int] | None = None
    with_total: bool = False


_SESSION, _VISITOR = "session_id", "visitor_id"
COLUMNS = {
    "kind": ("toString(kind) AS kind",),
    "relativeX": ("x / viewport_width AS relative_x",),
    "y": ("y",),
    "fixed": ("fixed",),
    "url": ("url",),
    "element": ("toString(selector) AS selector", "toString(tag) AS tag", "toString(text) AS text", f"{LABEL} AS label"),
    "sessionId": (_SESSION,),
    "visitorId": (_VISITOR,),
    "replay": (_SESSION,),
    "offsetSeconds": (_SESSION,),
    "replayUrl": (_SESSION, _VISITOR),
}
"""Of each field of an interaction what it is made of, beside `timestamp`; a column that is not needed is not read."""


def compile_interactions(lens: Lens, page_keys: tuple[str, ...], question: InteractionQuestion, wanted: tuple[str, ...] = ()) -> Statement:
    """Per page at most first + 1 rows of timestamp, row_id and the columns of the fields `wanted`; `total_count` in every row is
    the number of all of them, 0 if not asked for."""
    params = Params()
    apart = pages_apart(lens, page_keys)
    where = interaction_clauses(lens, page_keys, question, params)
    columns = dict.fromkeys(column for field, of_field in COLUMNS.items() if field in wanted for column in of_field)
    beyond = []
    if question.after:
        timestamp, row_id = params.utc(question.after[0]), params.bind(question.after[1], "UInt64")
        beyond = [f"(timestamp < {timestamp} OR (timestamp = {timestamp} AND row_id > {row_id}))"]
    total = [] if question.with_total else ["0 AS total_count"]
    rows = [
        f"SELECT {', '.join([page_column(lens, page_keys, params), 'timestamp', 'row_id', *columns, *total])}",
        *from_interactions(lens, params),
        where_all(where if question.with_total else [*where, *beyond]),
    ]
    if question.with_total:  # of the rows beyond, too; shards that are asked for a window themselves answer columns that nobody asked for
        rows = ["SELECT *, count() OVER (PARTITION BY page) AS total_count", "FROM (", *rows, ")", *(f"QUALIFY {row}" for row in beyond)]
    return Statement.of(
        [
            *rows,
            f"ORDER BY {'page, ' if apart else ''}timestamp DESC, row_id",
            f"LIMIT {params.bind(question.first + 1, 'UInt32')}{' BY page' if apart else ''}",
        ],
        params,
    )


def interaction_clauses(lens: Lens, page_keys: tuple[str, ...], question: InteractionQuestion, params: Params) -> list[str]:
    """Which interactions of the lens are meant, however many and in which order."""
    where = [*lens_clauses(lens, page_keys, params), kind_clause(question.kind)]
    if question.hide_origin:
        where.append(f"NOT ({IS_ORIGIN})")
    if question.cells is not None:
        cell = question.cell.sql(params, question.hide_origin)
        named = [_in_cells(cell, question.cells, fixed, params) for fixed in sorted({fixed for fixed, *_ in question.cells})]
        where.append(f"({' OR '.join(named)})")
    return where


def _in_cells(cell: str, cells: tuple[tuple[int, int, int], ...], fixed: int, params: Params) -> str:
    numbers = [row << COLUMN_BITS | column for is_fixed, row, column in cells if is_fixed == fixed]
    return f"{'fixed' if fixed else 'NOT fixed'} AND {cell} IN {params.bind(numbers, 'Array(UInt64)')}"
