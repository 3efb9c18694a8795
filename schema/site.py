"""Sites: the way in to everything else."""

from __future__ import annotations

from typing import Annotated, Self

import strawberry
from strawberry import UNSET

from clickhouse import sites
from clickhouse.lens import WHOLE_SITE, Segment, UrlRule
from resolvers import cohorts, discovery, ids, lenses, pages
from resolvers.context import Context
from resolvers.listing import search_text
from resolvers.selections import own_selection
from resolvers.sites import SiteListing
from schema.breakdown import FirstValuesArgument
from schema.capabilities import Capabilities
from schema.cohorts import CohortConnection
from schema.comparison import Comparison
from schema.cost import PAGED, STATEMENT, VALUES
from schema.definitions import PAGE_INFO, SITE_ID
from schema.enums import Dimension, Plan
from schema.event_names import EventName
from schema.filter_values import FilterValue
from schema.inputs import (
    AfterArgument,
    BaselineArgument,
    CandidateArgument,
    FirstArgument,
    PageOrder,
    SegmentArgument,
    UrlArgument,
    WindowArgument,
    given,
    plain_segment,
    resolved_window,
)
from schema.insights import Insights
from schema.node import Node
from schema.page import Page, PageConnection
from schema.pagination import PageInfo
from schema.replays import HavingArgument, ReplayConnection, ReplayOrderArgument, list_replays
from schema.splice import Spliced
from schema.totals import measures_of


@strawberry.federation.type(keys=["siteId"], description="A tracked website: its pages, visits and cohorts.")
class Site(Node):
    site_id: str = strawberry.field(description=SITE_ID)
    name: str = strawberry.field(description="Its name, for people.")
    domains: list[str] = strawberry.field(description="Domains its pages are on, as configured.")
    plan: Plan = strawberry.field(description="The plan: how many pages and days it covers.")
    time_zone: str = strawberry.field(description="IANA time zone that relative edges such as dStart follow.")
    row: strawberry.Private[sites.Site]

    @classmethod
    def of(cls, row: sites.Site) -> Self:
        return cls(
            id=strawberry.ID(ids.encode("Site", row.site_id)),
            site_id=row.site_id,
            name=row.name,
            domains=list(row.domains),
            plan=Plan(row.plan),
            time_zone=row.time_zone,
            row=row,
        )

    @classmethod
    async def resolve_reference(cls, info: strawberry.Info[Context], siteId: str) -> Self:
        """Strawberry passes the representation's fields under their own names."""
        return cls.of(await info.context.site(siteId))

    @strawberry.field(description="Retention, limits, the extent of the data, the health of its sources and which fields they can answer.")
    async def capabilities(self, info: strawberry.Info[Context]) -> Capabilities | None:
        return await Capabilities.load(info.context, self.row)

    @strawberry.field(
        description="Pages with rows in the lens, by any of their numbers; by default most clicks first.", directives=[STATEMENT, PAGED]
    )
    async def pages(
        self,
        info: strawberry.Info[Context],
        window: WindowArgument = UNSET,
        segment: SegmentArgument = UNSET,
        search: Annotated[str | None, strawberry.argument(description="Part of the page's key, upper and lower case alike.")] = UNSET,
        order_by: Annotated[PageOrder | None, strawberry.argument(description="How to sort; most clicks first when left out.")] = UNSET,
        first: FirstArgument = 25,
        after: AfterArgument = UNSET,
    ) -> PageConnection | None:
        return await self._list(info, None, window, segment, given(search), order_by, first, given(after))

    @strawberry.field(description="The page of a key or URL; null when it was never seen.")
    async def page(
        self,
        info: strawberry.Info[Context],
        key: Annotated[str, strawberry.argument(description="Origin + path; any URL of the page will do.")],
    ) -> Page | None:
        return await Page.load(info.context, self.site_id, key)

    @strawberry.field(description='The pages of a URL rule, merged and seen through one lens; `url: {wildcard: "*"}` is the whole site.')
    async def insights(
        self, info: strawberry.Info[Context], url: UrlArgument, window: WindowArgument = UNSET, segment: SegmentArgument = UNSET
    ) -> Insights | None:
        context = info.context
        site = await context.readable_site(self.site_id)
        asked = resolved_window(window, site, context.now)
        return Insights.of(await lenses.resolve(context, site, asked, plain_segment(segment), url.rule("url")))

    @strawberry.field(
        description="The site, or the pages of URL rules, seen through two lenses: what changed from the one to the other.",
        directives=[STATEMENT],
    )
    async def compare(self, info: strawberry.Info[Context], baseline: BaselineArgument, candidate: CandidateArgument) -> Comparison | None:
        site = await info.context.readable_site(self.site_id)
        return await Comparison.load(info.context, site, baseline, candidate)

    @strawberry.field(
        description="The pages a URL rule matches, most clicks first: a preview before `insights(url:)`.", directives=[STATEMENT, PAGED]
    )
    async def matched_pages(
        self,
        info: strawberry.Info[Context],
        url: UrlArgument,
        window: WindowArgument = UNSET,
        first: FirstArgument = 25,
        after: AfterArgument = UNSET,
    ) -> PageConnection | None:
        return await self._list(info, url.rule("url"), window, UNSET, None, UNSET, first, given(after))

    @strawberry.field(
        description="The values of a dimension in the window, most sessions first, so that a front end can build its menus.",
        directives=[STATEMENT, VALUES],
    )
    async def filter_values(
        self,
        info: strawberry.Info[Context],
        dimension: Annotated[Dimension, strawberry.argument(description="The dimension whose values are listed.")],
        search: Annotated[str | None, strawberry.argument(description="Part of the value, upper and lower case alike.")] = UNSET,
        window: WindowArgument = UNSET,
        first: FirstValuesArgument = 25,
    ) -> list[FilterValue] | None:
        context = info.context
        asked = await self._all_of(context, window)
        limit, selection = given(first, 25), own_selection(info._raw_info)
        return Spliced(await discovery.load_filter_values(context, asked, dimension.name, given(search), limit, selection))  # type: ignore[return-value]

    @strawberry.field(
        description="The names of the site's events in the window, most sessions first: those that conversions, segments and cohorts can name.",
        directives=[STATEMENT, VALUES],
    )
    async def event_names(
        self,
        info: strawberry.Info[Context],
        search: Annotated[str | None, strawberry.argument(description="Part of the name, upper and lower case alike.")] = UNSET,
        window: WindowArgument = UNSET,
        first: FirstValuesArgument = 25,
    ) -> list[EventName] | None:
        context = info.context
        asked = await self._all_of(context, window)
        limit, selection = given(first, 25), own_selection(info._raw_info)
        return Spliced(await discovery.load_event_names(context, asked, given(search), limit, selection))  # type: ignore[return-value]

    @strawberry.field(description="The cohorts of the site, by name.", directives=[PAGED])
    async def cohorts(
        self, info: strawberry.Info[Context], first: FirstArgument = 25, after: AfterArgument = UNSET
    ) -> CohortConnection | None:
        return CohortConnection.of(await cohorts.list_cohorts(info.context, self.site_id, given(first, 25), given(after)))

    @strawberry.field(description="The sessions behind a lens on the whole site: those with any row in it.", directives=[STATEMENT, PAGED])
    async def replays(
        self,
        info: strawberry.Info[Context],
        window: WindowArgument = UNSET,
        segment: SegmentArgument = UNSET,
        having: HavingArgument = UNSET,
        order_by: ReplayOrderArgument = UNSET,
        first: FirstArgument = 25,
        after: AfterArgument = UNSET,
    ) -> ReplayConnection | None:
        context = info.context
        site = await context.readable_site(self.site_id)
        asked = await lenses.resolve(context, site, resolved_window(window, site, context.now), plain_segment(segment), WHOLE_SITE)
        return await list_replays(context, asked, given(having), order_by, given(first, 25), given(after))

    async def _all_of(self, context: Context, window: WindowArgument) -> lenses.AskedLens:
        """All visits to all pages in the window."""
        site = await context.readable_site(self.site_id)
        return await lenses.resolve(context, site, resolved_window(window, site, context.now), Segment(), WHOLE_SITE)

    async def _list(
        self,
        info: strawberry.Info[Context],
        url: UrlRule | None,
        window: WindowArgument,
        segment: SegmentArgument,
        search: str | None,
        order_by: PageOrder | None,
        first: int | None,
        after: str | None,
    ) -> PageConnection:
        context = info.context
        site = await context.readable_site(self.site_id)
        asked = await lenses.resolve(context, site, resolved_window(window, site, context.now), plain_segment(segment), url)
        order = order_by or PageOrder()
        selection = own_selection(info._raw_info)
        measures, with_total = measures_of(selection.below("edges", "totals")), "totalCount" in selection.names()
        query = pages.PageQuery(search_text(search), order.field.name, order.descending, given(first, 25), after, measures, with_total)
        return PageConnection.of(await pages.list_pages(context, asked, query), site)


@strawberry.type(description="A site and its cursor.")
class SiteEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this site.")
    node: Site = strawberry.field(description="The site behind that cursor.")


@strawberry.type(description="The sites a key may read, by id.")
class SiteConnection:
    edges: list[SiteEdge] = strawberry.field(description="The sites with a cursor each.")
    nodes: list[Site] = strawberry.field(description="The sites without cursors.")
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    found: strawberry.Private[SiteListing]

    @strawberry.field(description="Sites in all; null, with an error, while a source does not tell its sites.")
    def total_count(self) -> int | None:
        if self.found.failure:
            raise self.found.failure
        return self.found.listing.total_count

    @classmethod
    def of(cls, found: SiteListing) -> Self:
        nodes = [Site.of(row) for row in found.sites]
        return cls(
            edges=[SiteEdge(cursor=cursor, node=node) for cursor, node in zip(found.listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(found.listing),
            found=found,
        )
