"""Single interactions and the replays they lead to."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Self

import strawberry

from clickhouse.sites import Site
from resolvers.listing import Listing
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
    session_id: str | None = strawberry.field(description="The session's id; null without the scope replay:read.")
    visitor_id: str | None = strawberry.field(description="The visitor's id; null without the scope replay:read.")
    replay: Replay | None = strawberry.field(description="The session's replay; null without the scope replay:read.")
    offset_seconds: float | None = strawberry.field(
        description="Seconds from the replay's start to this interaction; null without the scope replay:read."
    )
    replay_url: str | None = strawberry.field(
        description="Where to watch the replay, from this moment on if the site's URL template has {offsetSeconds};"
        " null without a template or the scope replay:read."
    )

    @classmethod
    def from_row(cls, row: dict[str, Any], session: dict[str, Any] | None, site: Site) -> Self:
        """`session` is None for a key that may not see it."""
        offset = offset_seconds(row["timestamp"], session) if session else None
        return cls(
            kind=KIND_OF_ROW[row["kind"]],
            timestamp=utc(row["timestamp"]),
            relative_x=row["relative_x"],
            y=math.floor(row["y"]),
            fixed=bool(row["fixed"]),
            url=row["url"],
            element=element_of(row),
            session_id=session["session_key"] if session else None,
            visitor_id=session["visitor_key"] if session else None,
            replay=Replay.from_row(session, site) if session else None,
            offset_seconds=offset,
            replay_url=replay_url(site.replay_url_template, session, offset or 0) if session else None,
        )


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
    def of(cls, listing: Listing, sessions: list[dict[str, Any] | None], site: Site) -> Self:
        nodes = [Interaction.from_row(row, session, site) for row, session in zip(listing.rows, sessions, strict=True)]
        return cls(
            edges=[InteractionEdge(cursor=cursor, node=node) for cursor, node in zip(listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
        )
