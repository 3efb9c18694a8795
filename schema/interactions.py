"""Single interactions and the replays they lead to."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Self

import strawberry

from clickhouse.sites import Site
from resolvers.context import Context
from resolvers.listing import Listing
from resolvers.questions import Row
from resolvers.sources import SourceLoader
from schema.enums import PointKind
from schema.heatmap import PointElement
from schema.hotspots import element_of
from schema.instants import utc
from schema.pagination import PageInfo
from schema.replays import Replay, offset_seconds, replay_url

KIND_OF_ROW = {"click": PointKind.CLICK, "dead": PointKind.DEAD_CLICK, "rage": PointKind.RAGE_CLICK, "move": PointKind.MOVE}


@strawberry.type(description="One click, burst or mouse position.")
class Interaction:
    kind: PointKind = strawberry.field(description="What it is; a dead click is DEAD_CLICK.")
    timestamp: dt.datetime = strawberry.field(description="When, UTC.")
    relative_x: float = strawberry.field(description="x ÷ viewport width.")
    y: int = strawberry.field(description="CSS px from the top of the page; of the viewport for fixed elements.")
    fixed: bool = strawberry.field(description="Whether it was on an element that does not scroll with the page.")
    url: str = strawberry.field(description="The URL as received.")
    element: PointElement | None = strawberry.field(description="The element; null when none is known.")
    row: strawberry.Private[dict[str, Any]]
    site: strawberry.Private[Site]

    @classmethod
    def from_row(cls, row: dict[str, Any], site: Site) -> Self:
        return cls(
            kind=KIND_OF_ROW[row["kind"]],
            timestamp=utc(row["timestamp"]),
            relative_x=row["relative_x"],
            y=math.floor(row["y"]),
            fixed=bool(row["fixed"]),
            url=row["url"],
            element=element_of(row),
            row=row,
            site=site,
        )

    @strawberry.field(description="The session's id; null without the scope replay:read.")
    async def session_id(self, info: strawberry.Info[Context]) -> str | None:
        session = await self._session(info.context.session_names, info)
        return session["session_key"] if session else None

    @strawberry.field(description="The visitor's id; null without the scope replay:read.")
    async def visitor_id(self, info: strawberry.Info[Context]) -> str | None:
        visitor = await self._visitor(info)
        return visitor["visitor_key"] if visitor else None

    @strawberry.field(description="The session's replay; null without the scope replay:read.")
    async def replay(self, info: strawberry.Info[Context]) -> Replay | None:
        session = await self._session(info.context.sessions, info)
        return Replay.from_row(session, self.site) if session else None

    @strawberry.field(description="Seconds from the replay's start to this interaction; null without the scope replay:read.")
    async def offset_seconds(self, info: strawberry.Info[Context]) -> float | None:
        session = await self._session(info.context.session_names, info)
        return offset_seconds(self.row["timestamp"], session) if session else None

    @strawberry.field(
        description="Where to watch the replay, from this moment on if the site's URL template has {offsetSeconds};"
        " null without a template or the scope replay:read."
    )
    async def replay_url(self, info: strawberry.Info[Context]) -> str | None:
        if not self.site.replay_url_template:
            return None
        session, visitor = await self._session(info.context.session_names, info), await self._visitor(info)
        if not session or not visitor:
            return None
        return replay_url(self.site.replay_url_template, session | visitor, offset_seconds(self.row["timestamp"], session))

    async def _session(self, loader: SourceLoader[tuple[str, int], Row | None], info: strawberry.Info[Context]) -> Row | None:
        """None for a key that may not see it."""
        return await loader.load((self.site.site_id, self.row["session_id"])) if info.context.key.may("replay:read") else None

    async def _visitor(self, info: strawberry.Info[Context]) -> Row | None:
        """The session's, which is the first it was sent with."""
        session = await self._session(info.context.session_names, info)
        return await info.context.visitor_names.load((self.site.site_id, session["visitor_id"])) if session else None


@strawberry.type(description="An interaction and its cursor.")
class InteractionEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this interaction.")
    node: Interaction = strawberry.field(description="The interaction.")


@strawberry.type(description="Interactions, newest first.")
class InteractionConnection:
    edges: list[InteractionEdge] = strawberry.field(description="Interactions with cursors.")
    nodes: list[Interaction] = strawberry.field(description="The interactions alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="Interactions in all; for the points of a map the sum of their counts.")

    @classmethod
    def of(cls, listing: Listing, site: Site) -> Self:
        nodes = [Interaction.from_row(row, site) for row in listing.rows]
        return cls(
            edges=[InteractionEdge(cursor=cursor, node=node) for cursor, node in zip(listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
        )
