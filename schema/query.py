"""The root fields of queries."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry
from strawberry import UNSET

from clickhouse.errors import BadUserInputError, HeatgraphError
from resolvers import ids, lens_ids, sites
from resolvers.context import Context
from resolvers.listing import MAX_NODES, MAX_PAGE_SIZE, MAX_POINTS
from resolvers.selections import arguments_below
from schema.capabilities import SourceHealth
from schema.cohorts import Cohort
from schema.cost import NODES, PAGED
from schema.elements import Element
from schema.inputs import AfterArgument, FirstArgument, SiteIdArgument, given
from schema.insights import Insights
from schema.node import Node
from schema.page import Page
from schema.replays import Replay
from schema.site import Site, SiteConnection


@strawberry.type(description="Limits that hold for every request of this key.")
class ViewerLimits:
    max_window_days: int = strawberry.field(description="Longest window of one lens, days.")
    max_page_size: int = strawberry.field(description="Largest `first` of a listing; larger ones count as this.")
    max_points: int = strawberry.field(description="Largest `first` of a map; larger ones count as this.")
    max_cost: int = strawberry.field(
        description="Most that one query may cost, by @cost and @listSize; `extensions.cost` tells what one did."
    )


@strawberry.type(description="The API key of this request.")
class Viewer:
    key_id: str = strawberry.field(description="The key's id; the token itself is never stored.")
    name: str = strawberry.field(description="The name the key was given.")
    scopes: list[str] = strawberry.field(description="What it may do: heatmap:read, replay:read, element:write, cohort:write, admin.")
    limits: ViewerLimits = strawberry.field(description="The limits of each of its requests.")
    remaining_budget: int | None = strawberry.field(
        description="Cost the key may still spend, this request taken off; it refills steadily. Null when it is not limited."
    )

    @strawberry.field(description="The ClickHouse sources that hold its sites, and whether they answered just now.")
    async def sources(self, info: strawberry.Info[Context]) -> list[SourceHealth] | None:
        return [SourceHealth(name=source.name, healthy=healthy) for source, healthy in await sites.list_health(info.context)]

    @strawberry.field(description="The sites it may read, by id.", directives=[PAGED])
    async def sites(self, info: strawberry.Info[Context], first: FirstArgument = 25, after: AfterArgument = UNSET) -> SiteConnection | None:
        return await list_sites(info.context, first, after)


async def list_sites(context: Context, first: int | None, after: str | None) -> SiteConnection:
    return SiteConnection.of(await sites.list_sites(context, given(first, 25), given(after)))


async def load_node(info: strawberry.Info[Context], node_id: str) -> Node | None:
    """BadUserInputError for an id that is none of ours; None for a node that does not exist."""
    typename, key = ids.decode(node_id)
    context = info.context
    match typename, key:
        case "Site", [str(site_id)]:
            return Site.of(await context.site(site_id))
        case "Page", [str(site_id), str(page_key)]:
            return await Page.load(context, site_id, page_key)
        case "Element", [str(site_id), str(page_key), str(selector)]:
            return await Element.load(context, site_id, page_key, selector)
        case "Cohort", [str(site_id), str(cohort_id)]:
            return await Cohort.load(context, site_id, cohort_id)
        case "Replay", [str(site_id), str(session_id)]:
            return await Replay.resolve_reference(info, site_id, session_id)
        case "Insights", _:
            asked = await lens_ids.load(context, key)
            return Insights.of(asked) if asked else None
    raise ids.no_id_of_ours()


@strawberry.type(description="Where every question begins.")
class Query:
    @strawberry.field(description="The API key of this request: its scopes, sites and limits.")
    def viewer(self, info: strawberry.Info[Context]) -> Viewer:
        context = info.context
        limits = ViewerLimits(
            max_window_days=context.max_window_days, max_page_size=MAX_PAGE_SIZE, max_points=MAX_POINTS, max_cost=context.max_cost
        )
        return Viewer(
            key_id=context.key.key_id,
            name=context.key.name,
            scopes=sorted(context.key.scopes),
            limits=limits,
            remaining_budget=context.remaining_budget,
        )

    @strawberry.field(description="Anything that has an id, fetched again.")
    async def node(
        self, info: strawberry.Info[Context], id: Annotated[strawberry.ID, strawberry.argument(description="An id of an earlier answer.")]
    ) -> Node | None:
        return await load_node(info, id)

    @strawberry.field(
        description="Several nodes in the order of their ids, at most 100; null where one does not exist.", directives=[NODES]
    )
    async def nodes(
        self,
        info: strawberry.Info[Context],
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of earlier answers, at most 100.")],
    ) -> list[Node | None]:
        if len(ids) > MAX_NODES:
            raise BadUserInputError(f"ids: at most {MAX_NODES} at once.", argument="ids")
        found = await asyncio.gather(*(load_node(info, node_id) for node_id in ids), return_exceptions=True)
        return [_node_or_error(node) for node in found]

    @strawberry.field(description="The sites this key may read, by id.", directives=[PAGED])
    async def sites(self, info: strawberry.Info[Context], first: FirstArgument = 25, after: AfterArgument = UNSET) -> SiteConnection | None:
        return await list_sites(info.context, first, after)

    @strawberry.field(description="One site; null with NOT_FOUND when it does not exist or is not this key's.")
    async def site(self, info: strawberry.Info[Context], site_id: SiteIdArgument) -> Site | None:
        context = info.context
        for key in arguments_below(info._raw_info, "page", "key"):
            context.expect_page(site_id, key)
        return Site.of(await context.site(site_id))


def _node_or_error(found: Node | BaseException | None) -> Node | None:
    """An error stays in its place of the list: graphql-core reports it there and nulls only that entry."""
    if isinstance(found, BaseException) and not isinstance(found, HeatgraphError):
        raise found
    return found  # type: ignore[return-value]
