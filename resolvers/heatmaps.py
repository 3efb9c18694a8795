"""Points of a heatmap, the fold, and the interactions behind points."""

from __future__ import annotations

import math
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import UTC

from clickhouse import clock
from clickhouse.errors import BadUserInputError
from clickhouse.fold import compile_fold
from clickhouse.heatmap import OPTIONAL, Cell, CellSize, HeatmapQuestion, compile_heatmap, point_of, standard_viewport_px
from clickhouse.interactions import COLUMNS, InteractionQuestion, compile_interactions
from clickhouse.reading import Row
from resolvers import cursors
from resolvers.context import Context
from resolvers.lenses import AskedLens, finite
from resolvers.listing import MAX_POINTS, Listing, page_size, total_count

MAX_DRILL_DOWN_POINTS = 1000
MAX_COORDINATE_PX = 10_000_000
MAX_RELATIVE_X = 100  # the widest page that is stored, 65 535 px, is 51 viewports of 1280 px wide


@dataclass(frozen=True, slots=True)
class Point:
    relative_x: float
    y: int
    fixed: bool


@dataclass(frozen=True, slots=True)
class HeatmapAnswer:
    """`row` as of compile_heatmap, None without interactions; `end_cursor` continues after the last point, if `pageInfo` is wanted."""

    row: Row | None
    viewport: tuple[int, int]
    cell: Cell
    end_cursor: str | None
    has_previous: bool


def cell_size(width_px: float, height_px: int) -> CellSize:
    return CellSize(finite(width_px, "cell.width", 1, 10_000), int(finite(height_px, "cell.height", 1, 100_000)))


async def load_heatmap(context: Context, asked: AskedLens, question: HeatmapQuestion, after: str | None) -> HeatmapAnswer:
    """`question.wanted` is all that is selected of the map."""
    cell = Cell.of(asked.lens, question.cell_size)
    paged = after is not None or "page_info" in question.wanted
    identity = (question.kind, question.aggregation, question.cell_size, question.hide_origin, question.ctas_only)
    binding = asked.binding("heatmap", *identity) if paged else ""
    asked, values = asked.resumed(context, after, binding, (cursors.UINT64, bool, cursors.UINT64))
    first, wanted = page_size(question.first, MAX_POINTS), question.wanted.intersection(OPTIONAL)
    question = replace(question, first=first, after=values, wanted=wanted)
    rows = await context.answers.load(asked.question(compile_heatmap, question))
    row = rows[0] if rows else None
    last = asked.cursor(binding, *point_of(row["last_rank"])) if paged and row and row["shown"] else None
    return HeatmapAnswer(row, standard_viewport_px(asked.lens), cell, last, values is not None)


async def load_fold(context: Context, asked: AskedLens, kind: str) -> Row:
    """total, below_fold, median_viewport_height; `kind` is a PointKind."""
    rows = await context.answers.load(replace(asked.question(compile_fold), measures=(kind,)))
    empty = {"total": 0, "below_fold": 0, "median_viewport_height": None}
    return {name: rows[0][f"{kind}_{name}"] if rows else nothing for name, nothing in empty.items()}


async def list_interactions(
    context: Context, asked: AskedLens, question: InteractionQuestion, after: str | None, fields: frozenset[str]
) -> Listing:
    """Newest first; of the given points, or of the whole map. A row has what the selected `fields` of an interaction need."""
    binding = asked.binding("interactions", question.kind, question.cell, question.cells, question.hide_origin)
    asked, values = asked.resumed(context, after, binding, (cursors.INSTANT, cursors.UINT64))
    first, beyond = page_size(question.first), (clock.instant(values[0]), values[1]) if values else None
    question = replace(question, first=first, after=beyond)
    wanted = tuple(sorted(fields.intersection(COLUMNS)))
    rows = await context.answers.load(replace(asked.list_question(compile_interactions, question), measures=wanted))

    def cursor(row: Row) -> str:
        return asked.cursor(binding, clock.milliseconds(row["timestamp"].replace(tzinfo=UTC)), row["row_id"])

    def first_page() -> Awaitable[list[Row]]:
        return context.answers.load(asked.list_question(compile_interactions, replace(question, first=1, after=None)))

    total = await total_count(rows, first_page if values and question.with_total else None)
    return Listing.of(rows, first, cursor, has_previous=values is not None, total_count=total)


def cells_of(points: list[Point], cell: Cell) -> tuple[tuple[int, int, int], ...]:
    """The grid cells the points lie in, as (fixed, row, column)."""
    if not 1 <= len(points) <= MAX_DRILL_DOWN_POINTS:
        raise BadUserInputError(f"points: 1 to {MAX_DRILL_DOWN_POINTS} points at once.", argument="points", maxPoints=MAX_DRILL_DOWN_POINTS)
    cells = set()
    for point in points:
        if not 0 <= point.relative_x <= MAX_RELATIVE_X:
            raise BadUserInputError(
                "points.relativeX: a fraction of the viewport's width, as `points` answers it: 0 is its left edge, 0.5 its middle, 1 its right"
                f" edge, and more, up to {MAX_RELATIVE_X}, lies beyond it.",
                argument="points.relativeX",
            )
        finite(point.y, "points.y", 0, MAX_COORDINATE_PX)
        column = math.floor(point.relative_x * cell.columns + 1e-9)  # relativeX of a cell is column ÷ columns, rounded
        cells.add((int(point.fixed), point.y // cell.height_px, min(column, cell.last_column)))
    return tuple(sorted(cells))
