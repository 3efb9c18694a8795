"""Who converted: of all sessions of a lens, to compare with, and of those that got as far as a depth."""

from __future__ import annotations

import asyncio

from clickhouse.conversions import DepthQuestion, compile_depth_conversions, compile_lens_conversions
from clickhouse.errors import BadUserInputError
from clickhouse.names import MAX_NAME_CHARACTERS
from clickhouse.reading import Row
from resolvers.context import Context
from resolvers.depths import scroll_step
from resolvers.lenses import AskedLens


async def load_lens_conversions(context: Context, asked: AskedLens, event: str | None) -> tuple[int, int]:
    """Sessions of the lens that converted after their first row in it, and all its sessions."""
    converted, measured = await asyncio.gather(
        context.answers.load(asked.question(compile_lens_conversions, event_name(event))),
        context.answers.load(asked.measures(["sessions"])),
    )
    return (converted[0]["conversions"] if converted else 0), (measured[0]["sessions"] if measured else 0)


async def list_depth_conversions(context: Context, asked: AskedLens, event: str | None, unit: str, step: int | None) -> list[Row]:
    """depth, sessions, conversions and revenue_micros, from the top down, as far as anybody got."""
    return await context.answers.load(asked.list_question(compile_depth_conversions, depth_question(event, unit, step)))


def depth_question(event: str | None, unit: str, step: int | None) -> DepthQuestion:
    return DepthQuestion(unit, scroll_step(unit, step), event_name(event))


def event_name(event: str | None, argument: str = "event") -> str | None:
    if event is not None and not 1 <= len(event) <= MAX_NAME_CHARACTERS:
        raise BadUserInputError(
            f"{argument}: the name of an event, 1 to {MAX_NAME_CHARACTERS} characters; leave it out for every event that converts.",
            argument=argument,
        )
    return event
