"""Scroll depth and attention."""

from __future__ import annotations

from clickhouse.attention import AttentionQuestion, compile_attention
from clickhouse.errors import BadUserInputError
from clickhouse.reading import Row
from clickhouse.scroll import OPTIONAL, ScrollQuestion, compile_depth_reached, compile_scroll
from clickhouse.selection import Selection
from resolvers.context import Context
from resolvers.lenses import AskedLens

DEFAULT_STEP = {"PERCENT": 25, "PIXEL": 100}
STEP_RANGE = {"PERCENT": (1, 100), "PIXEL": (10, 100_000)}


async def load_scroll(
    context: Context,
    asked: AskedLens,
    unit: str,
    step: int | None,
    aggregation: str,
    buckets: tuple[tuple[str, Selection], ...],
    wanted: frozenset[str],
) -> Row | None:
    """None without pageviews."""
    question = ScrollQuestion(unit, scroll_step(unit, step), aggregation, buckets, wanted & OPTIONAL)
    rows = await context.answers.load(asked.question(compile_scroll, question))
    return rows[0] if rows else None


def scroll_step(unit: str, step: int | None) -> int:
    """In the unit; its default when none is given."""
    step = DEFAULT_STEP[unit] if step is None else step
    low, high = STEP_RANGE[unit]
    if not low <= step <= high:
        raise BadUserInputError(f"step: {low} to {high} for unit {unit}.", argument="step")
    return step


async def load_depth_reached(context: Context, asked: AskedLens, unit: str, aggregation: str, share: float) -> float | None:
    """The depth that at least this share reached; None without pageviews."""
    if not 0 < share <= 1:
        raise BadUserInputError("share: a fraction above 0, up to 1; 0.7 is 70 %.", argument="share")
    rows = await context.answers.load(asked.question(compile_depth_reached, unit, aggregation, (share,)))
    return float(rows[0]["depths"][0]) if rows else None


async def load_attention(
    context: Context, asked: AskedLens, band_height_px: int, top_px: int, bands: tuple[tuple[str, Selection], ...]
) -> Row | None:
    """None without pageviews."""
    check_bands(band_height_px, top_px)
    rows = await context.answers.load(asked.question(compile_attention, AttentionQuestion(band_height_px, top_px, bands)))
    return rows[0] if rows else None


def check_bands(band_height_px: int, top_px: int) -> None:
    if not 10 <= band_height_px <= 10_000:
        raise BadUserInputError("bandHeight: 10 to 10 000 px.", argument="bandHeight")
    if not 0 <= top_px <= 10_000_000:
        raise BadUserInputError("top: 0 to 10 000 000 px.", argument="top")
