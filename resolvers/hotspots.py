"""Rage clicks and dead clicks, grouped by element, else by cell."""

from __future__ import annotations

from collections.abc import Callable

from clickhouse.errors import BadUserInputError
from clickhouse.heatmap import Cell, standard_viewport_px
from clickhouse.hotspots import SpotQuestion, compile_dead_clicks, compile_rage_clicks
from clickhouse.rage import DEFAULT_RULE, RageRule
from clickhouse.statement import Statement
from resolvers.context import Context
from resolvers.lenses import AskedLens, page_size
from resolvers.listing import Listing
from resolvers.questions import Row

MAX_SPOTS = 100
KEY_KINDS = (int, int, str, int, int, int)


def rage_rule(min_clicks: int, window_ms: int, radius_px: float) -> RageRule:
    for value, argument, low, high in (
        (min_clicks, "rule.minClicks", 2, 100),
        (window_ms, "rule.windowMs", 100, 10_000),
        (radius_px, "rule.radiusPx", 0, 1000),
    ):
        if not low <= value <= high:
            raise BadUserInputError(f"{argument}: {low} to {high}.", argument=argument)
    return RageRule(min_clicks, window_ms, radius_px)


def standard_width_px(asked: AskedLens) -> int:
    return standard_viewport_px(asked.lens)[0]


async def list_rage_clicks(context: Context, asked: AskedLens, rule: RageRule, first: int, after: str | None) -> Listing:
    """Most bursts first; the default rule reads the bursts as stored."""
    return await _list(context, asked, compile_rage_clicks, None if rule == DEFAULT_RULE else rule, first, after)


async def list_dead_clicks(context: Context, asked: AskedLens, first: int, after: str | None) -> Listing:
    """Most dead clicks first."""
    return await _list(context, asked, compile_dead_clicks, None, first, after)


async def _list(context: Context, asked: AskedLens, compile_: Callable[..., Statement], rule: RageRule | None, first: int, after: str | None) -> Listing:
    cell = Cell.default(standard_width_px(asked))
    binding = asked.binding(compile_.__name__, rule)
    asked, values = asked.resumed(after, binding, KEY_KINDS)
    first = page_size(first, MAX_SPOTS)
    rows = await context.answers.load(asked.list_question(compile_, SpotQuestion(cell, first, values, rule)))

    def cursor(row: Row) -> str:
        key = (row["count"], row["clicks"], row["selector"], row["spot_fixed"], row["spot_row"], row["spot_column"])
        return asked.cursor(binding, *(value if isinstance(value, str) else int(value) for value in key))

    total = rows[0]["total_count"] if rows else 0
    return Listing.of(rows, first, cursor, has_previous=values is not None, total_count=total)
