"""Pages: one entity a page key, and their listing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from strawberry import UNSET

from clickhouse import sites
from resolvers import ids, lenses, pages
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import Listing
from resolvers.selections import selected_names
from schema.comparison import Comparison
from schema.cost import STATEMENT
from schema.definitions import PAGE_INFO, SITE_ID
from schema.inputs import BaselineArgument, CandidateArgument, SegmentArgument, WindowArgument, plain_segment, resolved_window
from schema.insights import Insights
from schema.node import Node
from schema.pagination import PageInfo
from schema.totals import PageTotals, measures_of

if TYPE_CHECKING:
    from schema.site import Site


@strawberry.federation.type(keys=["siteId key"], description="A page of a site: all URLs with its origin and path.")
class Page(Node):
    site_id: str = strawberry.field(description=SITE_ID)
    key: str = strawberry.field(description="Origin + path, without query, fragment and trailing slash, as in https://example.com/pricing.")
    owner: strawberry.Private[sites.Site]

    @classmethod
    def of(cls, site: sites.Site, key: str) -> Self:
        return cls(id=strawberry.ID(ids.encode("Page", site.site_id, key)), site_id=site.site_id, key=key, owner=site)

    @classmethod
    async def load(cls, context: Context, site_id: str, key: str) -> Self | None:
        """None when the page was never seen."""
        site = await context.readable_site(site_id)
        seen = await lenses.seen_page(context, site, key, "key")
        return cls.of(site, seen[0]) if seen else None

    @classmethod
    async def resolve_reference(cls, info: strawberry.Info[Context], siteId: str, key: str) -> Self | None:
        """Strawberry passes the representation's fields under their own names."""
        return await cls.load(info.context, siteId, key)

    @strawberry.field(description="The site it belongs to, to ask further from.")
    def site(self) -> Annotated[Site, strawberry.lazy("schema.site")]:
        from schema.site import Site

        return Site.of(self.owner)

    @strawberry.field(description="The path of its key, as in /pricing.")
    def path(self) -> str:
        return "/" + self.key.split("://", 1)[1].partition("/")[2]

    @strawberry.field(
        description="The page's numbers under a lens of its own. In a listing ask `edges { totals }` instead: those are under the listing's lens.",
        directives=[STATEMENT],
    )
    async def totals(
        self, info: strawberry.Info[Context], window: WindowArgument = UNSET, segment: SegmentArgument = UNSET
    ) -> PageTotals | None:
        return PageTotals.from_row(
            await pages.load_totals(info.context, await self._asked(info, window, segment), measures_of(selected_names(info._raw_info)))
        )

    @strawberry.field(description="The page seen through one lens; use two aliases to compare two.")
    async def insights(
        self, info: strawberry.Info[Context], window: WindowArgument = UNSET, segment: SegmentArgument = UNSET
    ) -> Insights | None:
        return Insights.of(await self._asked(info, window, segment))

    @strawberry.field(
        description="The page seen through two lenses, without `url`: what changed from the one to the other.", directives=[STATEMENT]
    )
    async def compare(self, info: strawberry.Info[Context], baseline: BaselineArgument, candidate: CandidateArgument) -> Comparison | None:
        return await Comparison.load(info.context, self.owner, baseline, candidate, self.key)

    async def _asked(self, info: strawberry.Info[Context], window: WindowArgument, segment: SegmentArgument) -> AskedLens:
        context = info.context
        asked = resolved_window(window, self.owner, context.now)
        return await lenses.resolve(context, self.owner, asked, plain_segment(segment), page=self.key)


@strawberry.type(description="A page of a listing, with its numbers under the listing's lens.")
class PageEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this page.")
    node: Page = strawberry.field(description="The page behind that cursor.")
    totals: PageTotals = strawberry.field(description="Its numbers in the listing's own window and segment.")


@strawberry.type(description="Pages with rows in the lens.")
class PageConnection:
    edges: list[PageEdge] = strawberry.field(description="Pages with cursors and numbers.")
    nodes: list[Page] = strawberry.field(description="The pages without cursors and numbers.")
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    total_count: int = strawberry.field(description="Pages in all, returned or not.")

    @classmethod
    def of(cls, listing: Listing, site: sites.Site) -> Self:
        nodes = [Page.of(site, row["page"]) for row in listing.rows]
        return cls(
            edges=[
                PageEdge(cursor=cursor, node=node, totals=PageTotals.from_row(row))
                for cursor, node, row in zip(listing.cursors, nodes, listing.rows, strict=True)
            ],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
        )
