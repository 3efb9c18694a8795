"""Lists that tell what there is to ask about: breakdowns, timelines, the values of filters and the names of events, each a JSON array."""

from __future__ import annotations

from datetime import timedelta

from clickhouse.breakdown import BreakdownQuestion, compile_breakdown
from clickhouse.errors import BadUserInputError
from clickhouse.event_names import compile_event_names
from clickhouse.filter_values import FilterValueQuestion, compile_filter_values
from clickhouse.selection import Selection
from clickhouse.timeline import TimelineQuestion, compile_timeline
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import page_size, search_text

MAX_VALUES = 1000
MAX_TIMELINE_POINTS = 10_000

INTERVAL_LENGTH = {"HOUR": timedelta(hours=1), "DAY": timedelta(days=1), "WEEK": timedelta(weeks=1)}


async def load_breakdown(context: Context, asked: AskedLens, dimension: str, first: int, selection: Selection) -> bytes:
    """Most sessions first, the others together last."""
    question = BreakdownQuestion(dimension, page_size(first, MAX_VALUES), selection)
    rows = await context.answers.load(asked.question(compile_breakdown, question))
    return rows[0]["rows"] if rows else b"[]"


async def load_timeline(context: Context, asked: AskedLens, interval: str, selection: Selection) -> bytes:
    """In the order of time, gaps included."""
    rows = await context.answers.load(asked.question(compile_timeline, timeline_question(asked, interval, selection)))
    return bytes(rows[0]["points"])


def timeline_question(asked: AskedLens, interval: str, selection: Selection) -> TimelineQuestion:
    """BadUserInputError for more points than anybody draws."""
    window = asked.lens.window
    if window.end - window.start > MAX_TIMELINE_POINTS * INTERVAL_LENGTH[interval]:
        raise BadUserInputError(
            f"interval: more than {MAX_TIMELINE_POINTS} points; ask for a longer interval or a shorter window.", argument="interval"
        )
    return TimelineQuestion(interval, asked.site.time_zone, selection)


async def load_filter_values(
    context: Context, asked: AskedLens, dimension: str, search: str | None, first: int, selection: Selection
) -> bytes:
    """Most sessions first; unknown values are left out."""
    rows = await context.answers.load(asked.question(compile_filter_values, filter_value_question(dimension, search, first, selection)))
    return rows[0]["values"] if rows else b"[]"


def filter_value_question(dimension: str, search: str | None, first: int, selection: Selection) -> FilterValueQuestion:
    return FilterValueQuestion(dimension, search_text(search) or "", page_size(first, MAX_VALUES), selection)


async def load_event_names(context: Context, asked: AskedLens, search: str | None, first: int, selection: Selection) -> bytes:
    """Most sessions first."""
    statement = compile_event_names(asked.lens, search_text(search) or "", page_size(first, MAX_VALUES), selection)
    return bytes((await context.client_of(asked.site.site_id).query(statement))[0]["values"])
