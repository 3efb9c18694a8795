"""Rage clicks and dead clicks, grouped by element, else by cell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from clickhouse.errors import BadUserInputError
from clickhouse.heatmap import Cell
from clickhouse.hotspots import SpotQuestion, SpotReplaysQuestion, compile_dead_clicks, compile_rage_clicks, compile_spot_replays
from clickhouse.rage import DEFAULT_RULE, RageRule
from clickhouse.reading import Row
from clickhouse.statement import Statement
from resolvers import cursors
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import Listing, page_size, total_count
from resolvers.pages import load_totals
from resolvers.questions import Question

MAX_SPOT_REPLAYS = 10
KEY_KINDS = (cursors.UINT64, cursors.UINT64, str, cursors.UINT8, cursors.UINT32, cursors.UINT32)


@dataclass(frozen=True, slots=True)
class Spots:
    """Where a list of spots comes from: its lens, kind and, unless the usual one, rule."""

    asked: AskedLens
    kind: str
    rule: RageRule | None = None

    def question(self, spot_id: int, first: int) -> Question:
        asked = SpotReplaysQuestion(self.kind, Cell.of(self.asked.lens), first, self.rule)
        return Question(compile_spot_replays, self.asked.lens, self.asked.page_key, (asked,), (spot_id,))


def rage_rule(min_clicks: int, window_ms: int, radius_px: float) -> RageRule:
    for value, argument, low, high in (
        (min_clicks, "rule.minClicks", 2, 100),
        (window_ms, "rule.windowMs", 100, 10_000),
        (radius_px, "rule.radiusPx", 0, 1000),
    ):
        if not low <= value <= high:
            raise BadUserInputError(f"{argument}: {low} to {high}.", argument=argument)
    return RageRule(min_clicks, window_ms, radius_px)


async def list_rage_clicks(context: Context, asked: AskedLens, rule: RageRule, first: int, after: str | None) -> tuple[Spots, Listing, int]:
    """Most bursts first, and how many there are in all; the default rule reads the bursts as stored."""
    return await _list(context, asked, "RAGE_CLICK", compile_rage_clicks, None if rule == DEFAULT_RULE else rule, first, after)


async def list_dead_clicks(
    context: Context, asked: AskedLens, first: int, after: str | None, measures: tuple[str, ...]
) -> tuple[Spots, Listing, Row]:
    """Most dead clicks first; and measures of the lens, some of TOTALS."""
    lens, _ = asked.resumed(context, after, _binding(asked, compile_dead_clicks, None), KEY_KINDS)
    listed = _list(context, asked, "DEAD_CLICK", compile_dead_clicks, None, first, after)
    (spots, listing, _), totals = await asyncio.gather(listed, load_totals(context, lens, measures))
    return spots, listing, totals


async def load_spot_replays(context: Context, spots: Spots, spot_id: int, first: int) -> list[tuple[Row, Row]] | None:
    """The worst moments on a spot and the sessions they are of, each session once; None for a key that may not see them."""
    if not context.key.may("replay:read"):
        return None
    rows = await context.answers.load(spots.question(spot_id, page_size(first, MAX_SPOT_REPLAYS)))
    moments = sorted((row for row in rows if row["spot_id"] == spot_id), key=lambda row: row["place"])
    sessions = await context.sessions.load_many([(spots.asked.site.site_id, row["session_id"]) for row in moments])
    return [(moment, session) for moment, session in zip(moments, sessions, strict=True) if session]


async def _list(
    context: Context,
    asked: AskedLens,
    kind: str,
    compile_: Callable[..., Statement],
    rule: RageRule | None,
    first: int,
    after: str | None,
) -> tuple[Spots, Listing, int]:
    cell = Cell.of(asked.lens)
    binding = _binding(asked, compile_, rule)
    asked, values = asked.resumed(context, after, binding, KEY_KINDS)
    first = page_size(first)
    rows = await context.answers.load(asked.list_question(compile_, SpotQuestion(cell, first, values, rule)))

    def cursor(row: Row) -> str:
        key = (row["count"], row["clicks"], row["selector"], row["spot_fixed"], row["spot_row"], row["spot_column"])
        return asked.cursor(binding, *(value if isinstance(value, str) else int(value) for value in key))

    def first_page() -> Awaitable[list[Row]]:
        return context.answers.load(asked.list_question(compile_, SpotQuestion(cell, 1, None, rule)))

    again = first_page if values else None
    listing = Listing.of(rows, first, cursor, has_previous=values is not None, total_count=await total_count(rows, again))
    return Spots(asked, kind, rule), listing, await total_count(rows, again, "total")


def _binding(asked: AskedLens, compile_: Callable[..., Statement], rule: RageRule | None) -> str:
    return asked.binding(compile_.__name__, rule)
