"""Single interactions and the replays they lead to."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from typing import Any, Self

import strawberry

from clickhouse.heatmap import Cell
from clickhouse.interactions import InteractionQuestion
from clickhouse.reading import Row
from clickhouse.selection import Selection
from clickhouse.sites import Site
from resolvers.context import Context
from resolvers.heatmaps import cells_of
from resolvers.lenses import AskedLens
from resolvers.listing import Listing
from schema.definitions import PAGE_INFO
from schema.enums import PointKind
from schema.heatmap import PointElement
from schema.hotspots import element_of
from schema.inputs import CellInput, PointInput
from schema.instants import utc
from schema.pagination import PageInfo
from schema.replays import Replay, offset_seconds, replay_url

KIND_OF_ROW = {"click": PointKind.CLICK, "dead": PointKind.DEAD_CLICK, "rage": PointKind.RAGE_CLICK, "move": PointKind.MOVE}
NOT_SELECTED: Row = {"kind": "click", "relative_x": 0.0, "y": 0.0, "fixed": False, "url": "", "selector": ""}
"""Stands where a row has no such column, as nobody asks for it."""

SESSION_COLUMNS = {
    "sessionId": ("session_key",),
    "offsetSeconds": ("started_at",),
    "replayUrl": ("session_key", "started_at", "visitor_id"),
}
"""What a field needs of the session."""

NOBODY: Row | None = {"visitor_key": ""}


@strawberry.type(description="One click, burst or mouse position.")
class Interaction:
    kind: PointKind = strawberry.field(description="What it is; a dead click is DEAD_CLICK.")
    timestamp: dt.datetime = strawberry.field(description="When it happened, UTC; of a burst found among clicks the first of them.")
    relative_x: float = strawberry.field(description="x ÷ viewport width; 1 is the right edge of the viewport.")
    y: int = strawberry.field(description="CSS px from the top of the page, of the viewport for fixed elements; rounded down.")
    fixed: bool = strawberry.field(description="Whether it was on an element that does not scroll with the page.")
    url: str = strawberry.field(description="URL of the page as received, with query and fragment; its scheme in lower case.")
    element: PointElement | None = strawberry.field(description="The element; null when none is known.")
    row: strawberry.Private[dict[str, Any]]
    site: strawberry.Private[Site]
    session_columns: strawberry.Private[tuple[str, ...]]

    @classmethod
    def from_row(cls, row: dict[str, Any], site: Site, session_columns: tuple[str, ...]) -> Self:
        known = NOT_SELECTED | row
        return cls(
            kind=KIND_OF_ROW[known["kind"]],
            timestamp=utc(known["timestamp"]),
            relative_x=known["relative_x"],
            y=math.floor(known["y"]),
            fixed=bool(known["fixed"]),
            url=known["url"],
            element=element_of(known),
            row=row,
            site=site,
            session_columns=session_columns,
        )

    @strawberry.field(description="The session's id; null without the scope replay:read.")
    async def session_id(self, info: strawberry.Info[Context]) -> str | None:
        session = await self._session(info.context)
        return session["session_key"] if session else None

    @strawberry.field(
        description="The id of the visitor it was sent with, who is counted on the map; null without the scope replay:read."
        " That of `replay` is the first one of the session."
    )
    async def visitor_id(self, info: strawberry.Info[Context]) -> str | None:
        visitor = await self._visitor(info.context, self.row["visitor_id"])
        return visitor["visitor_key"] if visitor else None

    @strawberry.field(description="The session's replay; null without the scope replay:read.")
    async def replay(self, info: strawberry.Info[Context]) -> Replay | None:
        if not _may_see(info.context):
            return None
        session = await info.context.sessions.load((self.site.site_id, self.row["session_id"]))
        return Replay.from_row(session, self.site) if session else None

    @strawberry.field(description="Seconds from the replay's start to this interaction; null without the scope replay:read.")
    async def offset_seconds(self, info: strawberry.Info[Context]) -> float | None:
        session = await self._session(info.context)
        return offset_seconds(self.row["timestamp"], session) if session else None

    @strawberry.field(
        description="Where to watch the replay, from this moment on if the site's URL template has {offsetSeconds};"
        " null without a template or the scope replay:read."
    )
    async def replay_url(self, info: strawberry.Info[Context]) -> str | None:
        template, context = self.site.replay_url_template, info.context
        if not template:
            return None
        if "{visitorId}" not in template:
            session, visitor = await self._session(context), NOBODY
        else:  # its own visitor is most often the session's too, so that both are asked for at once
            session, _ = await asyncio.gather(self._session(context), self._visitor(context, self.row["visitor_id"]))
            visitor = await self._visitor(context, session["visitor_id"]) if session else None
        if not session or not visitor:
            return None
        return replay_url(template, session | visitor, offset_seconds(self.row["timestamp"], session))

    async def _session(self, context: Context) -> Row | None:
        """What the selected fields need of it; None for a key that may not see it."""
        key = (self.site.site_id, self.row["session_id"], self.session_columns)
        return await context.session_columns.load(key) if _may_see(context) else None

    async def _visitor(self, context: Context, visitor_id: int) -> Row | None:
        """None for a key that may not see it."""
        return await context.visitor_names.load((self.site.site_id, visitor_id)) if _may_see(context) else None


def _may_see(context: Context) -> bool:
    return context.key.may("replay:read")


@strawberry.type(description="An interaction and its cursor.")
class InteractionEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this interaction.")
    node: Interaction = strawberry.field(description="The interaction behind that cursor.")


@strawberry.type(description="Interactions, newest first.")
class InteractionConnection:
    edges: list[InteractionEdge] = strawberry.field(description="The interactions with a cursor each.")
    nodes: list[Interaction] = strawberry.field(description="The interactions without cursors.")
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    total_count: int = strawberry.field(description="Interactions in all; for the points of a map the sum of their counts.")

    @classmethod
    def of(cls, listing: Listing, site: Site, fields: frozenset[str]) -> Self:
        """`fields` are those selected of an interaction."""
        of_session = tuple(sorted({column for field in fields for column in SESSION_COLUMNS.get(field, ())}))
        nodes = [Interaction.from_row(row, site, of_session) for row in listing.rows]
        return cls(
            edges=[InteractionEdge(cursor=cursor, node=node) for cursor, node in zip(listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
        )


def interaction_question(
    asked: AskedLens, kind: PointKind, points: list[PointInput] | None, cell: CellInput | None, hide_origin: bool | None, first: int
) -> InteractionQuestion:
    grid = Cell.of(asked.lens, cell.plain() if cell else None)
    cells = None if points is None else cells_of([point.plain() for point in points], grid)
    return InteractionQuestion(kind.name, grid, hide_origin is not False, first, cells)


def selected_fields(selection: Selection) -> frozenset[str]:
    """Of an interaction, by what is selected of the connection."""
    return selection.below("nodes") | selection.below("edges", "node")
