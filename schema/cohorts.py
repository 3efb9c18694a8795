"""Cohorts: named sets of visitors, to narrow any segment to."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

import strawberry
from strawberry import UNSET

from clickhouse import cohorts as sql
from clickhouse.errors import BadUserInputError
from clickhouse.sites import Site
from resolvers import cohorts, ids, lens_ids, lenses
from resolvers.cohorts import Members
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import Listing
from schema.cost import CHANGE
from schema.definitions import PAGE_INFO, SITE_ID
from schema.enums import PointKind
from schema.inputs import (
    MOST_EVENTS,
    CellInput,
    EventMatch,
    PointInput,
    Segment,
    SiteIdArgument,
    UrlMatch,
    Window,
    given,
    only_one,
    performed_events,
    plain_segment,
    resolved_window,
    within,
)
from schema.node import Node
from schema.pagination import PageInfo


@strawberry.type(
    description="A named set of visitors. Who is in it was settled when they were added; use it in any segment, where several mean all of them."
)
class Cohort(Node):
    site_id: str = strawberry.field(description=SITE_ID)
    cohort_id: str = strawberry.field(description="Its id, as in co_0123456789abcdef; segments take this one and `id` alike.")
    name: str = strawberry.field(description="Its name, unique on the site.")
    created_at: dt.datetime = strawberry.field(description="When it was made, UTC; who is added later does not change it.")

    @classmethod
    def of(cls, cohort: sql.Cohort) -> Self:
        return cls(
            id=strawberry.ID(ids.encode("Cohort", cohort.site_id, cohort.cohort_id)),
            site_id=cohort.site_id,
            cohort_id=cohort.cohort_id,
            name=cohort.name,
            created_at=cohort.created_at,
        )

    @classmethod
    async def load(cls, context: Context, site_id: str, cohort_id: str) -> Self | None:
        """None when there is no such cohort, or none any more."""
        site = await context.readable_site(site_id)
        found = await context.cohort(site.site_id, cohort_id)
        return cls.of(found) if found else None

    @strawberry.field(description="Distinct visitors in it, whether they were ever seen or not.")
    async def size(self, info: strawberry.Info[Context]) -> int:
        return await info.context.cohort_sizes.load((self.site_id, self.cohort_id))


@strawberry.type(description="A cohort and its cursor.")
class CohortEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this cohort.")
    node: Cohort = strawberry.field(description="The cohort behind that cursor.")


@strawberry.type(description="The cohorts of a site, by name.")
class CohortConnection:
    edges: list[CohortEdge] = strawberry.field(description="The cohorts with a cursor each.")
    nodes: list[Cohort] = strawberry.field(description="The cohorts without cursors.")
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    total_count: int = strawberry.field(description="Cohorts of the site, returned or not.")

    @classmethod
    def of(cls, listing: Listing) -> Self:
        nodes = [Cohort.of(sql.Cohort.from_row(row)) for row in listing.rows]
        return cls(
            edges=[CohortEdge(cursor=cursor, node=node) for cursor, node in zip(listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
        )


@strawberry.input(
    description="What a visitor did in the window, each of it in any of their sessions; all given fields must hold, and at least one is needed."
)
class CohortRule:
    window: Window | None = strawberry.field(default=UNSET, description="When; the last 7 days when left out.")
    performed: list[EventMatch] | None = strawberry.field(
        default=UNSET, description=f"Events, all of them, each at least minCount times in the window; {MOST_EVENTS}."
    )
    visited_page: UrlMatch | None = strawberry.field(default=UNSET, description="A pageview of such a URL in the window.")
    traffic_source: list[str] | None = strawberry.field(default=UNSET, description="Came from any of these traffic sources.")

    async def members(self, context: Context, site: Site) -> Members:
        with within("members.rule"):
            asked = await lenses.resolve(context, site, resolved_window(self.window, site, context.now), plain_segment(None))
            rule = sql.CohortRule(
                performed=performed_events(self.performed, "performed"),
                visited_page=self.visited_page.rule("visitedPage") if self.visited_page else None,
                traffic_source=lenses.values(given(self.traffic_source), "trafficSource"),
            )
        return cohorts.by_rule(asked, rule)


@strawberry.input(description="Which interactions are meant; all given fields must hold.")
class InteractionMatch:
    kind: PointKind = strawberry.field(default=PointKind.CLICK, description="Which kind of interaction: clicks when left out.")
    points: list[PointInput] | None = strawberry.field(
        default=UNSET, description="In the cells of these points of the map, at most 1000; those at (0, 0) are left out, as on the map."
    )
    cell: CellInput | None = strawberry.field(default=UNSET, description="The grid of the points; as in `heatmap(cell:)`.")
    selector: str | None = strawberry.field(default=UNSET, description="On the element of this selector.")


@strawberry.input(
    description="The visitors behind a lens: everybody who left any row in it, or with `interaction` everybody with such an interaction."
    " The lens is that of `insights`, or is given by page or url, window and segment; without page and url it is the whole site."
)
class CohortLens:
    insights: strawberry.ID | None = strawberry.field(
        default=UNSET, description="Id of insights of an earlier answer; instead of the next four."
    )
    page: str | None = strawberry.field(default=UNSET, description="Key of a page, or any URL of it.")
    url: UrlMatch | None = strawberry.field(default=UNSET, description="Which URLs; instead of a page.")
    window: Window | None = strawberry.field(default=UNSET, description="The window of time; the last 7 days when left out.")
    segment: Segment | None = strawberry.field(default=UNSET, description="Which visits; all when left out.")
    interaction: InteractionMatch | None = strawberry.field(default=UNSET, description="Only who did this: who clicked here.")

    async def members(self, context: Context, site: Site) -> Members:
        asked = await self._asked(context, site)
        match = given(self.interaction)
        if not match:
            return cohorts.by_lens(asked)
        points = given(match.points)
        plain = None if points is None else [point.plain() for point in points]
        with within("members.lens.interaction"):
            return cohorts.by_interaction(asked, match.kind.value, plain, match.cell.plain() if match.cell else None, given(match.selector))

    async def _asked(self, context: Context, site: Site) -> AskedLens:
        argument = "members.lens"
        insights, page, url = given(self.insights), given(self.page), given(self.url)
        if insights is not None:
            if any(given(part) is not None for part in (page, url, self.window, self.segment)):
                raise BadUserInputError(f"{argument}: give insights, or page or url, window and segment, not both.", argument=argument)
            return await _of_insights(context, site, insights)
        if page is not None and url:
            raise BadUserInputError(f"{argument}: give page or url, not both.", argument=argument)
        with within(argument):
            seen = None if page is None else await lenses.seen_page(context, site, page, "page")
            if page is not None and seen is None:
                raise BadUserInputError(f"page: the site has no page {page!r}; `pages` lists them.", argument="page")
            window = resolved_window(self.window, site, context.now)
            rule = url.rule("url") if url else None
            return await lenses.resolve(context, site, window, plain_segment(self.segment), rule, seen and seen[0])


async def _of_insights(context: Context, site: Site, node_id: str) -> AskedLens:
    argument = "members.lens.insights"
    typename, key = ids.decode(node_id, argument)
    asked = await lens_ids.load(context, key, argument) if typename == "Insights" else None
    if asked is None or asked.site.site_id != site.site_id:
        raise BadUserInputError(f"{argument}: this is no id of insights on this site.", argument=argument)
    return asked


@strawberry.input(one_of=True, description="Who is added to a cohort; exactly one field.")
class CohortMembers:
    visitors: list[str] | None = strawberry.field(default=UNSET, description="Ids of visitors as the tracker sent them, at most 10 000.")
    rule: CohortRule | None = strawberry.field(default=UNSET, description="Visitors by what they did.")
    lens: CohortLens | None = strawberry.field(default=UNSET, description="Visitors behind another lens, such as who clicked here.")

    async def members(self, context: Context, site: Site) -> Members:
        match only_one(self, "members"):
            case "visitors", list(visitors):
                return cohorts.by_visitors(site, visitors)
            case _, CohortRule() | CohortLens() as source:
                return await source.members(context, site)
        raise BadUserInputError("members: give exactly one of its fields.", argument="members")


@strawberry.type(description="Changes to cohorts; they need the scope cohort:write.")
class CohortMutation:
    @strawberry.mutation(
        description="Makes a cohort of the visitors who are meant now. A name that exists gets them in addition; doing it again changes nothing."
        " Scope cohort:write.",
        directives=[CHANGE],
    )
    async def create_cohort(
        self,
        info: strawberry.Info[Context],
        site_id: SiteIdArgument,
        name: Annotated[str, strawberry.argument(description="Its name, 1 to 200 characters.")],
        members: Annotated[CohortMembers, strawberry.argument(description="The visitors who are added; exactly one field.")],
    ) -> Cohort | None:
        context = info.context
        site = await context.readable_site(site_id, "cohort:write")
        return Cohort.of(await cohorts.create_cohort(context, site, name, await members.members(context, site)))

    @strawberry.mutation(
        description="Deletes a cohort; true when there was one. A segment that names it is an error from then on. Scope cohort:write.",
        directives=[CHANGE],
    )
    async def delete_cohort(
        self,
        info: strawberry.Info[Context],
        site_id: SiteIdArgument,
        cohort_id: Annotated[strawberry.ID, strawberry.argument(name="cohortId", description="The cohort: its cohortId, or its id.")],
    ) -> bool | None:
        site = await info.context.readable_site(site_id, "cohort:write")
        return await cohorts.delete_cohort(info.context, site, cohorts.cohort_id(cohort_id))
