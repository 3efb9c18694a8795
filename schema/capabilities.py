"""What can be asked of a site."""

from __future__ import annotations

import datetime as dt
from typing import Self

import strawberry

from clickhouse import sites
from clickhouse.errors import HeatgraphError
from clickhouse.sites import PLANS
from resolvers import capabilities
from resolvers.context import Context
from resolvers.discovery import MAX_TIMELINE_POINTS, MAX_VALUES
from resolvers.listing import MAX_PAGE_SIZE, MAX_POINTS
from schema.instants import utc


@strawberry.type(description="A ClickHouse that answers for the site.")
class SourceHealth:
    name: str = strawberry.field(description="Its name in the configuration.")
    healthy: bool = strawberry.field(description="Whether it answered just now.")


@strawberry.type(description="Whether this key can have a field of Insights of this site answered.")
class FieldCapability:
    field: str = strawberry.field(description="The field below `insights`, as in `attention` or `breakdown(by: VARIANT)`.")
    available: bool = strawberry.field(description="Whether the rows, the plan and the scopes it needs are there.")
    reason: str | None = strawberry.field(description="What is missing, and what to do about it; null when it is available.")


@strawberry.type(description="What can be asked of a site.")
class Capabilities:
    retention_days: int = strawberry.field(description="Days that are kept; older parts of a window are cut off and `meta` says so.")
    max_window_days: int = strawberry.field(description="Longest window of one lens, days.")
    max_pages: int | None = strawberry.field(description="Pages the plan covers, the first ones seen; null is all, 0 is no heatmaps.")
    max_points: int = strawberry.field(description="Largest `first` of a map; larger ones count as this.")
    max_page_size: int = strawberry.field(description="Largest `first` of a listing; larger ones count as this.")
    max_values: int = strawberry.field(
        description="Largest `first` of a breakdown, of filter values and of event names; larger ones count as this."
    )
    max_timeline_points: int = strawberry.field(description="Longest timeline, points in all.")
    data_from: dt.datetime | None = strawberry.field(description="First row received, UTC; null without data.")
    data_to: dt.datetime | None = strawberry.field(description="Last row received, UTC; null without data.")
    sources: list[SourceHealth] = strawberry.field(description="Where the site's data lives, and whether that is healthy.")
    row: strawberry.Private[sites.Site]

    @classmethod
    async def load(cls, context: Context, site: sites.Site) -> Self:
        """Answers without the source too, and says that it is down."""
        try:
            extent, healthy = await context.extent(site), True
        except HeatgraphError:
            extent, healthy = {"data_from": None, "data_to": None}, False
        return cls(
            retention_days=site.retention_days,
            max_window_days=context.max_window_days,
            max_pages=PLANS[site.plan].max_pages,
            max_points=MAX_POINTS,
            max_page_size=MAX_PAGE_SIZE,
            max_values=MAX_VALUES,
            max_timeline_points=MAX_TIMELINE_POINTS,
            data_from=extent["data_from"] and utc(extent["data_from"]),
            data_to=extent["data_to"] and utc(extent["data_to"]),
            sources=[SourceHealth(name=context.sources.of(site.site_id).name, healthy=healthy)],
            row=site,
        )

    @strawberry.field(description="Which fields can be answered, by the rows the site ever sent, and why not the others.")
    async def fields(self, info: strawberry.Info[Context]) -> list[FieldCapability] | None:
        found = await capabilities.load_fields(info.context, self.row)
        return [FieldCapability(field=one.field, available=one.reason is None, reason=one.reason) for one in found]
