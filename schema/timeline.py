"""Points of a timeline."""

from __future__ import annotations

import datetime as dt

import strawberry

from schema.definitions import CLICKS, DEAD_CLICKS_TOLD, PAGEVIEWS, RAGE_CLICKS, SESSIONS, VISITORS


@strawberry.type(description="The numbers of one hour, day or week. A session or visitor seen in several counts in each.")
class TimelinePoint:
    start: dt.datetime = strawberry.field(description="When it begins, with the offset of the site's time zone; weeks begin on Monday.")
    is_partial: bool = strawberry.field(description="Whether the window holds only a part of it, as of today.")
    pageviews: int = strawberry.field(description=PAGEVIEWS)
    visitors: int = strawberry.field(description=VISITORS)
    sessions: int = strawberry.field(description=SESSIONS)
    clicks: int = strawberry.field(description=CLICKS)
    rage_clicks: int = strawberry.field(description=RAGE_CLICKS)
    dead_clicks: int = strawberry.field(description=DEAD_CLICKS_TOLD)
