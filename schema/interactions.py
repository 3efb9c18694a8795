"""Single interactions and the replays they lead to."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Self
from urllib.parse import quote

import strawberry

from clickhouse.sites import Site
from resolvers import ids
from resolvers.context import Context
from resolvers.listing import Listing
from schema.enums import Breakpoint, Device, PointKind
from schema.heatmap import PointElement
from schema.hotspots import element_of
from schema.node import Node
from schema.pagination import PageInfo

KIND_OF_ROW = {"click": PointKind.CLICK, "dead": PointKind.DEAD_CLICK, "rage": PointKind.RAGE_CLICK, "move": PointKind.MOVE}


@strawberry.federation.type(keys=["siteId sessionId"], description="A recorded session. Needs the scope replay:read.")
class Replay(Node):
    site_id: str = strawberry.field(description="The site's id.")
    session_id: str = strawberry.field(description="The session's id as the tracker sent it.")
    visitor_id: str = strawberry.field(description="The visitor's id as the tracker sent it.")
    url: str | None = strawberry.field(description="Where to watch it, by the site's URL template; null when the site has none.")
    started_at: dt.datetime = strawberry.field(description="First row of the session, UTC.")
    duration_seconds: float = strawberry.field(description="From the first row of the session to its last, seconds.")
    breakpoint: Breakpoint = strawberry.field(description="Layout at its start.")
    device: Device = strawberry.field(description="What the tracker said, else the breakpoint.")
    country: str | None = strawberry.field(description="Country as sent.")
    browser: str | None = strawberry.field(description="Browser as sent.")
    entry_page: str | None = strawberry.field(description="Key of the page on which it began.")
    traffic_source: str | None = strawberry.field(description="Traffic source as sent, else the referrer's host.")
    pages: int = strawberry.field(description="Distinct pages.")
    clicks: int = strawberry.field(description="Clicks, dead ones included.")
    rage_clicks: int = strawberry.field(description="Rage bursts.")
    dead_clicks: int = strawberry.field(description="Dead clicks.")

    @classmethod
    def from_row(cls, row: dict[str, Any], site: Site) -> Self:
        return cls(
            id=strawberry.ID(ids.encode("Replay", site.site_id, row["session_key"])),
            site_id=site.site_id,
            session_id=row["session_key"],
            visitor_id=row["visitor_key"],
            url=replay_url(site.replay_url_template, row["session_key"], row["visitor_key"]),
            started_at=utc(row["started_at"]),
            duration_seconds=(row["ended_at"] - row["started_at"]).total_seconds(),
            breakpoint=Breakpoint(row["breakpoint"]),
            device=Device(row["device"]),
            country=row["country"] or None,
            browser=row["browser"] or None,
            entry_page=row["entry_page"] or None,
            traffic_source=row["traffic_source"] or None,
            pages=row["pages"],
            clicks=row["clicks"],
            rage_clicks=row["rage_clicks"],
            dead_clicks=row["dead_clicks"],
        )

    @classmethod
    async def resolve_reference(cls, info: strawberry.Info[Context], site_id: str, session_id: str) -> Self | None:
        """The session, if this key may watch its site's replays; None when there is none of that id."""
        context = info.context
        context.require("replay:read")
        site = await context.readable_site(site_id)
        row = await context.sessions_by_key.load((site_id, session_id))
        return cls.from_row(row, site) if row else None


def replay_url(template: str, session_id: str, visitor_id: str) -> str | None:
    """The template with {sessionId} and {visitorId} filled in, percent-encoded so that an id cannot change the URL's shape."""
    if not template:
        return None
    return template.replace("{sessionId}", quote(session_id, safe="")).replace("{visitorId}", quote(visitor_id, safe=""))


def utc(value: dt.datetime) -> dt.datetime:
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


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

    @classmethod
    def from_row(cls, row: dict[str, Any], session: dict[str, Any] | None, site: Site) -> Self:
        """`session` is None for a key that may not see it."""
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
            offset_seconds=(row["timestamp"] - session["started_at"]).total_seconds() if session else None,
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
