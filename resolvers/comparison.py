"""Two lenses on one page, or on the pages of two URL rules: what changed, and what speaks against comparing them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse.comparison import (
    CellChangeQuestion,
    ElementChangeQuestion,
    ScrollChangeQuestion,
    compile_cell_changes,
    compile_element_changes,
    compile_scroll_changes,
)
from clickhouse.conditions import SEGMENT_COLUMNS
from clickhouse.heatmap import standard_viewport_px
from clickhouse.lens import WHOLE_SITE, Lens, WidthRange, Window
from clickhouse.numbers import STANDARD_VIEWPORT_PX
from clickhouse.reading import Row
from clickhouse.scroll import ScrollQuestion
from clickhouse.selection import Selection
from resolvers import depths, heatmaps, pages
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import MAX_POINTS, page_size
from resolvers.pages import MIN_SESSIONS

CLOCK_CHANGE = timedelta(hours=1)
SAME_LENGTH = 0.05
SAME_WEEKDAYS = 0.05


@dataclass(frozen=True, slots=True)
class Compared:
    baseline: AskedLens
    candidate: AskedLens

    async def both(self, load: Callable[[AskedLens], Any]) -> tuple[Any, Any]:
        """The same asked of both lenses at once, so that they share a statement."""
        baseline, candidate = await asyncio.gather(load(self.baseline), load(self.candidate))
        return baseline, candidate


async def resolve_both(baseline: Awaitable[AskedLens], candidate: Awaitable[AskedLens]) -> Compared:
    return Compared(*await asyncio.gather(baseline, candidate))


@dataclass(frozen=True, slots=True)
class ComparisonWarning:
    """`code` is a ComparisonWarningCode."""

    code: str
    message: str


async def load_totals(context: Context, compared: Compared) -> tuple[Row, Row]:
    """The numbers of PageTotals, of each side."""
    return await compared.both(lambda asked: pages.load_totals(context, asked))


async def load_fold(context: Context, compared: Compared, kind: str) -> tuple[Row, Row]:
    return await compared.both(lambda asked: heatmaps.load_fold(context, asked, kind))


async def load_scroll(
    context: Context, compared: Compared, unit: str, step: int | None, aggregation: str, buckets: tuple[tuple[str, Selection], ...]
) -> Row | None:
    """None without pageviews on either side."""
    question = ScrollChangeQuestion(compared.candidate.lens, ScrollQuestion(unit, depths.scroll_step(unit, step), aggregation, buckets))
    rows = await context.answers.load(compared.baseline.question(compile_scroll_changes, question))
    return rows[0] if rows else None


async def load_elements(context: Context, compared: Compared, by_share: bool, first: int, selection: Selection) -> bytes:
    """A JSON array in the client's selection."""
    question = ElementChangeQuestion(compared.candidate.lens, by_share, page_size(first), selection)
    rows = await context.answers.load(compared.baseline.question(compile_element_changes, question))
    return rows[0]["rows"] if rows else b"[]"


async def load_cells(context: Context, compared: Compared, kind: str, by_share: bool, first: int, selection: Selection) -> bytes:
    """A JSON array in the client's selection."""
    question = cell_question(compared, kind, by_share, first, selection)
    rows = await context.answers.load(compared.baseline.question(compile_cell_changes, question))
    return rows[0]["rows"] if rows else b"[]"


def cell_question(compared: Compared, kind: str, by_share: bool, first: int, selection: Selection) -> CellChangeQuestion:
    widths = {standard_viewport_px(asked.lens)[0] for asked in (compared.baseline, compared.candidate)}
    width = widths.pop() if len(widths) == 1 else STANDARD_VIEWPORT_PX["DESKTOP"][0]
    return CellChangeQuestion(compared.candidate.lens, kind, by_share, width, page_size(first, MAX_POINTS), selection)


async def load_warnings(context: Context, compared: Compared) -> list[ComparisonWarning]:
    extents = await compared.both(lambda asked: pages.load_extent(context, asked))
    return warnings(compared, (extents[0]["sessions"], extents[1]["sessions"]))


def warnings(compared: Compared, sessions: tuple[int, int]) -> list[ComparisonWarning]:
    """What makes a change of a number something else than a change of behaviour."""
    baseline, candidate = compared.baseline.lens, compared.candidate.lens
    zone = ZoneInfo(compared.baseline.site.time_zone)
    spans = [lens.window.end - lens.window.start for lens in (baseline, candidate)]
    clamped = [name for name, asked in (("baseline", compared.baseline), ("candidate", compared.candidate)) if asked.clamped]
    overlap = _overlap(baseline.window, candidate.window) and (_sees_all_of(baseline, candidate) or _sees_all_of(candidate, baseline))
    found = [
        (
            "CLAMPED",
            bool(clamped),
            f"The plan's retention cut off the beginning of {' and '.join(clamped)}: compare windows that are kept whole.",
        ),
        (
            "DIFFERENT_WIDTHS",
            _widths(baseline) != _widths(candidate),
            "The two sides see different widths: give both the same breakpoint, device and viewportWidth to compare positions and depths.",
        ),
        (
            "FEW_SESSIONS",
            min(sessions) < MIN_SESSIONS,
            f"{sessions[0]} sessions in the baseline, {sessions[1]} in the candidate: {MIN_SESSIONS} on each side are the usual minimum;"
            " widen the windows or the segments.",
        ),
        (
            "DIFFERENT_LENGTHS",
            abs(spans[0] - spans[1]) > min(CLOCK_CHANGE, max(spans) * SAME_LENGTH),
            f"The windows last {_days(spans[0])} and {_days(spans[1])} days: compare rates, not counts, or take windows of one length.",
        ),
        (
            "DIFFERENT_WEEKDAYS",
            _weekday_distance(baseline.window, candidate.window, zone) > SAME_WEEKDAYS,
            "The windows hold the weekdays in different shares: take whole weeks, which begin on the same weekday.",
        ),
        (
            "OVERLAPPING",
            overlap,
            "Some visits are on both sides, and the intervals assume that none is: take windows that do not overlap, or segments that exclude"
            " each other.",
        ),
    ]
    return [ComparisonWarning(code, message) for code, holds, message in found if holds]


def _widths(lens: Lens) -> tuple[object, ...]:
    return lens.segment.breakpoint, lens.segment.device, lens.segment.viewport_width


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.4g}"


def _overlap(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end


def _sees_all_of(wide: Lens, narrow: Lens) -> bool:
    """Whether every limit of `wide`, the window aside, holds wherever those of `narrow` do; rules on URLs must be alike for it."""
    outer, inner = wide.segment, narrow.segment
    return (
        wide.url in (WHOLE_SITE, narrow.url)
        and all(_allows(getattr(outer, name), getattr(inner, name)) for name in SEGMENT_COLUMNS)
        and _spans(outer.viewport_width, inner.viewport_width)
        and outer.entry_page in (None, inner.entry_page)
        and set(outer.cohorts) <= set(inner.cohorts)
        and all(any(more.name == event.name and more.min_count >= event.min_count for more in inner.performed) for event in outer.performed)
        and outer.exclude_test_accounts <= inner.exclude_test_accounts
    )


def _allows(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Of values of which any matches; none named are all."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _spans(wide: WidthRange | None, narrow: WidthRange | None) -> bool:
    (low, high), (least, most) = (
        (limits.min_px or 0, math.inf if limits.max_px is None else limits.max_px)
        for limits in (wide or WidthRange(), narrow or WidthRange())
    )
    return low <= least and most <= high


def _weekday_distance(one: Window, other: Window, zone: ZoneInfo) -> float:
    """The largest difference of a weekday's share of the time: 0 for the same mix, 1 for two different days."""
    return max(abs(share - other_share) for share, other_share in zip(_weekdays(one, zone), _weekdays(other, zone), strict=True))


def _weekdays(window: Window, zone: ZoneInfo) -> list[float]:
    """Each weekday's share of the time, Monday first, in the site's time zone."""
    shares = [0.0] * 7
    start = window.start
    while start < window.end:
        day = start.astimezone(zone).date()
        end = min(window.end, datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC))
        shares[day.weekday()] += (end - start) / (window.end - window.start)
        start = end
    return shares
