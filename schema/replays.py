"""Replays: recorded sessions, and the lists of those behind a lens."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Self
from urllib.parse import quote

import strawberry
from strawberry import UNSET

from clickhouse import replays as sql
from clickhouse.sites import Site
from resolvers import ids, replays
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import Listing
from schema.definitions import CLICKS, DEAD_CLICKS, PAGE_INFO, PAGEVIEWS, RAGE_CLICKS, SITE_ID
from schema.enums import Breakpoint, Device, Direction, ReplayOrderField
from schema.inputs import MOST_EVENTS, EventMatch, UrlMatch, given, performed_events
from schema.instants import utc
from schema.node import Node
from schema.pagination import PageInfo


@strawberry.type(
    description="How much a session is worth watching, 0 to 100: the sum of its parts. It looks at the whole session, whatever the lens."
)
class WatchScore:
    value: int = strawberry.field(description="rage + dead + duration + lost, 0 to 100.")
    reason: str = strawberry.field(description="What earned it, in words: `2 rage bursts, 1 dead click, 3 minutes, no conversion`.")
    rage: int = strawberry.field(description="10 for each rage burst, at most 50.")
    dead: int = strawberry.field(description="4 for each dead click, at most 20.")
    duration: int = strawberry.field(description="1 for each whole minute, at most 10.")
    lost: int = strawberry.field(description="20 when it has a rage burst or a dead click and no conversion at all, else 0.")

    @classmethod
    def of(cls, parts: sql.WatchParts, row: dict[str, Any]) -> Self:
        minutes = int((row["ended_at"] - row["started_at"]).total_seconds() // 60)
        counted = [_counted(row["rage_clicks"], "rage burst"), _counted(row["dead_clicks"], "dead click"), _counted(minutes, "minute")]
        said = [text for text in (*counted, "no conversion" if parts.lost else "") if text]
        return cls(
            value=parts.rage + parts.dead + parts.duration + parts.lost,
            reason=", ".join(said) or "less than a minute, without rage or dead clicks",
            rage=parts.rage,
            dead=parts.dead,
            duration=parts.duration,
            lost=parts.lost,
        )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}" if count else ""


@strawberry.federation.type(keys=["siteId sessionId"], description="A recorded session. Needs the scopes heatmap:read and replay:read.")
class Replay(Node):
    site_id: str = strawberry.field(description=SITE_ID)
    session_id: str = strawberry.field(description="The session's id as the tracker sent it.")
    visitor_id: str = strawberry.field(description="The visitor's id as the tracker sent it.")
    url: str | None = strawberry.field(description="Where to watch it, by the site's URL template; null when the site has none.")
    started_at: dt.datetime = strawberry.field(description="First row of the session, UTC.")
    duration_seconds: float = strawberry.field(description="From the first row of the session to its last, seconds.")
    breakpoint: Breakpoint = strawberry.field(description="By viewport width at its first row.")
    device: Device = strawberry.field(description="What the tracker said, else the breakpoint.")
    country: str | None = strawberry.field(description="Country as sent; null when never sent.")
    browser: str | None = strawberry.field(description="Browser as sent; null when never sent.")
    entry_page: str | None = strawberry.field(description="Key of the page on which the session began.")
    traffic_source: str | None = strawberry.field(
        description="Traffic source as sent, else the referrer's host, lower case and without `www.`."
    )
    pages: int = strawberry.field(description="Distinct pages with a pageview in the session.")
    clicks: int = strawberry.field(description=CLICKS)
    rage_clicks: int = strawberry.field(description=RAGE_CLICKS)
    dead_clicks: int = strawberry.field(description=DEAD_CLICKS)
    row: strawberry.Private[dict[str, Any]]

    @classmethod
    def from_row(cls, row: dict[str, Any], site: Site) -> Self:
        return cls(
            id=strawberry.ID(ids.encode("Replay", site.site_id, row["session_key"])),
            site_id=site.site_id,
            session_id=row["session_key"],
            visitor_id=row["visitor_key"],
            url=replay_url(site.replay_url_template, row),
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
            row=row,
        )

    @classmethod
    async def resolve_reference(cls, info: strawberry.Info[Context], siteId: str, sessionId: str) -> Self | None:
        """The session, if this key may watch its site's replays; None when there is none of that id."""
        context = info.context
        context.require("replay:read")
        site = await context.readable_site(siteId)
        row = await context.sessions_by_key.load((siteId, sessionId))
        return cls.from_row(row, site) if row else None

    @strawberry.field(description="Region as sent; null when never sent.")
    async def region(self, info: strawberry.Info[Context]) -> str | None:
        return await self._as_sent(info.context, "region")

    @strawberry.field(description="Campaign as sent; null when never sent.")
    async def campaign(self, info: strawberry.Info[Context]) -> str | None:
        return await self._as_sent(info.context, "campaign")

    @strawberry.field(description="Variant of an A/B test as sent; null when never sent.")
    async def variant(self, info: strawberry.Info[Context]) -> str | None:
        return await self._as_sent(info.context, "variant")

    async def _as_sent(self, context: Context, column: str) -> str | None:
        """Of a column that `row` is without, as each costs a seek a session: of those selected, all sessions in one statement."""
        found = await context.session_columns.load((self.site_id, self.row["session_id"], (column,)))
        return (found or {}).get(column) or None

    @strawberry.field(description="Converting events: `conversion: true`, or with a value.")
    def conversions(self) -> int:
        return replays.conversions(self.row)

    @strawberry.field(description="How much it is worth watching, and why.")
    def watch_score(self) -> WatchScore:
        return WatchScore.of(replays.watch_parts(self.row), self.row)


def replay_url(template: str, session: dict[str, Any], offset_seconds: float = 0) -> str | None:
    """The template filled in; ids are percent-encoded, so that none can change the URL's shape or be taken for another placeholder."""
    if not template:
        return None
    values = {
        "{sessionId}": quote(session["session_key"], safe=""),
        "{visitorId}": quote(session["visitor_key"], safe=""),
        "{offsetSeconds}": str(max(0, int(offset_seconds))),
        "{date}": utc(session["started_at"]).date().isoformat(),
    }
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    return template


def offset_seconds(timestamp: dt.datetime, session: dict[str, Any]) -> float:
    """Where in the session's replay a moment lies."""
    return float((timestamp - session["started_at"]).total_seconds())


@strawberry.type(description="What happened of a session inside the lens of the list.")
class ReplayInLens:
    first_at: dt.datetime = strawberry.field(description="Its first row in the lens, UTC.")
    offset_seconds: float = strawberry.field(description="Seconds from the replay's start to that row.")
    pageviews: int = strawberry.field(description=PAGEVIEWS)
    clicks: int = strawberry.field(description=CLICKS)
    rage_clicks: int = strawberry.field(description=RAGE_CLICKS)
    dead_clicks: int = strawberry.field(description=DEAD_CLICKS)

    @classmethod
    def from_row(cls, row: dict[str, Any], session: dict[str, Any]) -> Self:
        return cls(
            first_at=utc(row["first_at"]),
            offset_seconds=offset_seconds(row["first_at"], session),
            pageviews=row["pageviews"],
            clicks=row["clicks"],
            rage_clicks=row["rage_clicks"],
            dead_clicks=row["dead_clicks"],
        )


@strawberry.type(description="A replay and its cursor.")
class ReplayEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this replay.")
    node: Replay = strawberry.field(description="The replay; its numbers are of the whole session.")
    asked: strawberry.Private[AskedLens]

    @strawberry.field(description="What of it lies inside the lens.")
    async def in_lens(self, info: strawberry.Info[Context]) -> ReplayInLens:
        session = self.node.row
        return ReplayInLens.from_row(await replays.load_in_lens(info.context, self.asked, session["session_id"]), session)


@strawberry.type(description="The sessions with any row in the lens. Without the scope replay:read only their number is answered.")
class ReplayConnection:
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    total_count: int = strawberry.field(description="Sessions with any row in the lens that meet `having`, returned or not.")
    asked: strawberry.Private[AskedLens]
    listing: strawberry.Private[Listing]

    @strawberry.field(description="Replays with cursors; FORBIDDEN without the scope replay:read.")
    async def edges(self, info: strawberry.Info[Context]) -> list[ReplayEdge] | None:
        nodes = await self._nodes(info)
        return [
            ReplayEdge(cursor=cursor, node=node, asked=self.asked) for cursor, node in zip(self.listing.cursors, nodes, strict=True) if node
        ]

    @strawberry.field(description="The replays alone; FORBIDDEN without the scope replay:read.")
    async def nodes(self, info: strawberry.Info[Context]) -> list[Replay] | None:
        return [node for node in await self._nodes(info) if node]

    async def _nodes(self, info: strawberry.Info[Context]) -> list[Replay | None]:
        """None for a session that is gone since it was listed."""
        info.context.require("replay:read")
        site = self.asked.site
        sessions = await info.context.sessions.load_many([(site.site_id, row["session_id"]) for row in self.listing.rows])
        return [Replay.from_row(session, site) if session else None for session in sessions]


@strawberry.type(description="A session in which it happened, and when.")
class SpotReplay:
    replay: Replay = strawberry.field(description="The replay of that session, whose numbers are of the whole session.")
    timestamp: dt.datetime = strawberry.field(description="When, UTC: of a burst its first click.")
    offset_seconds: float = strawberry.field(description="Seconds from the replay's start to that moment.")
    clicks: int = strawberry.field(description="Clicks of the burst; 1 for a dead click.")
    url: str | None = strawberry.field(
        description="Where to watch it, from that moment on if the site's URL template has {offsetSeconds}; null when the site has none."
    )

    @classmethod
    def from_row(cls, row: dict[str, Any], session: dict[str, Any], site: Site) -> Self:
        offset = offset_seconds(row["timestamp"], session)
        return cls(
            replay=Replay.from_row(session, site),
            timestamp=utc(row["timestamp"]),
            offset_seconds=offset,
            clicks=row["clicks"],
            url=replay_url(site.replay_url_template, session, offset),
        )


@strawberry.input(description="Which sessions of a list are shown, by numbers of the whole session; all given fields must hold.")
class ReplayFilter:
    min_rage: int | None = strawberry.field(default=UNSET, description="Rage bursts in the session, at least.")
    min_dead: int | None = strawberry.field(default=UNSET, description="Dead clicks in the session, at least.")
    min_duration_seconds: float | None = strawberry.field(default=UNSET, description="Seconds from first row to last, at least.")
    visited_page: UrlMatch | None = strawberry.field(
        default=UNSET, description="It has a pageview of such a URL, at most a day before or after the window."
    )
    performed: list[EventMatch] | None = strawberry.field(default=UNSET, description=f"Events, all of them in the session; {MOST_EVENTS}.")

    def plain(self) -> sql.ReplayFilter:
        return replays.replay_filter(
            given(self.min_rage) or 0,
            given(self.min_dead) or 0,
            given(self.min_duration_seconds) or 0,
            self.visited_page.rule("having.visitedPage") if self.visited_page else None,
            performed_events(self.performed, "having.performed"),
        )


@strawberry.input(description="How replays are sorted; ties by the newest.")
class ReplayOrder:
    field: ReplayOrderField = strawberry.field(default=ReplayOrderField.MOST_WORTH_WATCHING, description="What they are sorted by.")
    direction: Direction = strawberry.field(default=Direction.DESC, description="Largest or smallest first.")

    @property
    def descending(self) -> bool:
        return self.direction is Direction.DESC


HavingArgument = Annotated[ReplayFilter | None, strawberry.argument(description="Which of the sessions; all when left out.")]
ReplayOrderArgument = Annotated[
    ReplayOrder | None, strawberry.argument(description="How to sort; most worth watching first when left out.")
]


async def list_replays(
    context: Context, asked: AskedLens, having: ReplayFilter | None, order_by: ReplayOrder | None, first: int, after: str | None
) -> ReplayConnection:
    order = given(order_by) or ReplayOrder()
    wanted = having.plain() if having else sql.ReplayFilter()
    asked, listing = await replays.list_replays(context, asked, order.field.value, order.descending, wanted, first, after)
    return ReplayConnection(page_info=PageInfo.of(listing), total_count=listing.total_count, asked=asked, listing=listing)
