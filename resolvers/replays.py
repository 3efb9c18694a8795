"""The sessions behind a lens, and what is worth knowing of each."""

from __future__ import annotations

import math
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, timedelta

from clickhouse import clock
from clickhouse.errors import BadUserInputError
from clickhouse.lens import PerformedEvent, UrlRule
from clickhouse.reading import Row
from clickhouse.replays import ReplayFilter, ReplayQuestion, WatchParts, compile_in_lens, compile_replays
from resolvers import cursors
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import Listing, page_size, total_count
from resolvers.questions import Question

MAX_COUNT = 1_000_000
MAX_SECONDS = 31_536_000


def replay_filter(
    min_rage: int, min_dead: int, min_duration_s: float, visited_page: UrlRule | None, performed: tuple[PerformedEvent, ...]
) -> ReplayFilter:
    for value, argument, most in (
        (min_rage, "having.minRage", MAX_COUNT),
        (min_dead, "having.minDead", MAX_COUNT),
        (min_duration_s, "having.minDurationSeconds", MAX_SECONDS),
    ):
        if not 0 <= value <= most:
            raise BadUserInputError(f"{argument}: 0 to {most}.", argument=argument)
    return ReplayFilter(min_rage, min_dead, math.ceil(min_duration_s * 1000), visited_page, performed)


async def list_replays(
    context: Context, asked: AskedLens, order: str, descending: bool, having: ReplayFilter, first: int, after: str | None
) -> tuple[AskedLens, Listing]:
    """Sessions with any row in the lens, and the lens itself: that of the cursor when it continues a sequence.

    Of a key that may not see sessions, only their number.
    """
    visible = context.key.may("replay:read")
    binding = asked.binding("replays", order, descending, having)
    asked, values = asked.resumed(context, after, binding, (cursors.INT64, cursors.INSTANT, cursors.UINT64))
    first = page_size(first) if visible else 0
    question = ReplayQuestion(order, descending, first, having, values if visible else None)
    rows = await context.answers.load(asked.list_question(compile_replays, question))

    def cursor(row: Row) -> str:
        return asked.cursor(binding, row["sort_value"], clock.milliseconds(row["started_at"].replace(tzinfo=UTC)), row["session_id"])

    def first_page() -> Awaitable[list[Row]]:
        return context.answers.load(asked.list_question(compile_replays, replace(question, first=1, after=None)))

    total = await total_count(rows, first_page if question.after else None)
    listing = Listing.of(rows, first, cursor, has_previous=values is not None, total_count=total)
    return asked, listing if visible else Listing([], [], has_next=False, has_previous=False, total_count=total)


async def load_in_lens(context: Context, asked: AskedLens, session_id: int) -> Row:
    """What happened of a listed session inside the lens."""
    question = Question(compile_in_lens, asked.lens, asked.page_key, measures=(session_id,))
    return next(row for row in await context.answers.load(question) if row["session_id"] == session_id)


def watch_parts(session: Row) -> WatchParts:
    duration_ms = (session["ended_at"] - session["started_at"]) // timedelta(milliseconds=1)
    return WatchParts.of(session["rage_clicks"], session["dead_clicks"], duration_ms, conversions(session))


def conversions(session: Row) -> int:
    """BadUserInputError where the source holds no events."""
    if session["conversions"] is None:
        raise BadUserInputError(
            "The source of this site holds no events, so that nothing says who converted: leave out conversions and watchScore;"
            " `capabilities { fields }` tells what it can answer."
        )
    return int(session["conversions"])
