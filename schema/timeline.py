"""Points of a timeline."""

from __future__ import annotations

import datetime as dt

import strawberry


@strawberry.type(description="The numbers of one hour, day or week. A session or visitor seen in several counts in each.")
class TimelinePoint:
    start: dt.datetime = strawberry.field(description="When it begins, with the offset of the site's time zone; weeks begin on Monday.")
    is_partial: bool = strawberry.field(description="Whether the window holds only a part of it, as of today.")
    pageviews: int = strawberry.field(description="Pageviews.")
    visitors: int = strawberry.field(description="Distinct visitors.")
    sessions: int = strawberry.field(description="Distinct sessions.")
    clicks: int = strawberry.field(description="Clicks, dead ones included.")
    rage_clicks: int = strawberry.field(description="Rage bursts.")
    dead_clicks: int = strawberry.field(description="Dead clicks.")
