"""Elements of a page: who they are, and what they did under a lens."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry
from graphql import GraphQLResolveInfo
from strawberry import UNSET

from clickhouse.element_marks import Mark
from clickhouse.elements import ElementScope, GroupKey
from resolvers import conversions, elements, ids
from resolvers.context import Context
from resolvers.elements import ElementAnswer
from resolvers.lenses import AskedLens
from resolvers.listing import Listing
from resolvers.selections import argument_values, own_selection
from schema.breakdown import BreakdownRow, ByArgument, FirstValuesArgument
from schema.conversions import Conversion, EventArgument
from schema.cost import MARK_CHANGES, STATEMENT, VALUES
from schema.definitions import PAGE_INFO, SITE_ID
from schema.enums import MarkField, RateBasis
from schema.inputs import given
from schema.node import Node
from schema.pagination import PageInfo
from schema.rate import Rate
from schema.splice import Spliced

if TYPE_CHECKING:
    from schema.page import Page


MARKED = {MarkField.NAME: "name", MarkField.CTA: "is_cta", MarkField.FIXED: "is_fixed", MarkField.DELETED: "deleted"}


@strawberry.type(description="A change to an element's name or marks: who made it, when, what it changed, and what they were from then on.")
class MarkChange:
    at: dt.datetime = strawberry.field(description="When it was made, UTC.")
    by: str = strawberry.field(description="Id of the key that made it.")
    what: list[MarkField] = strawberry.field(description="Which of the fields below it changed.")
    name: str | None = strawberry.field(description="The name from then on; null for none.")
    is_cta: bool = strawberry.field(description="Whether it was a call to action from then on.")
    is_fixed: bool | None = strawberry.field(description="Whether it was marked as fixed or as not; null is as the tracker says.")
    is_deleted: bool = strawberry.field(description="Whether it was deleted from then on.")

    @classmethod
    def of(cls, after: Mark, before: Mark) -> Self:
        assert after.updated_at is not None
        return cls(
            at=after.updated_at,
            by=after.updated_by,
            what=[field for field, attribute in MARKED.items() if getattr(after, attribute) != getattr(before, attribute)],
            name=after.name or None,
            is_cta=after.is_cta,
            is_fixed=after.is_fixed,
            is_deleted=after.deleted,
        )


@strawberry.federation.type(
    keys=["siteId pageKey selector"],
    description="An element of a page, the same under every lens: as the tracker told it last, else as it was clicked last, and as it is marked."
    " Its box is that of the one breakpoint at which it was told last; `elements` has its `x` and `y` in a lens.",
)
class Element(Node):
    site_id: str = strawberry.field(description=SITE_ID)
    page_key: str = strawberry.field(description="Key of the page it is on: origin + path.")
    selector: str = strawberry.field(description="CSS selector, as the tracker sent it.")
    label: str = strawberry.field(description="Readable form: tag and selector, as in `button#signup`.")
    tag: str = strawberry.field(description="Its tag, as in `button`; empty when never sent.")
    text: str | None = strawberry.field(description="The text it shows, as the tracker sent it; null when never sent.")
    href: str | None = strawberry.field(description="Where it leads, as the tracker sent it; null when never sent.")
    name: str | None = strawberry.field(description="The name given by `renameElement`.")
    is_cta: bool = strawberry.field(description="Whether it is marked as a call to action.")
    is_fixed: bool = strawberry.field(description="Whether it stays in place while the page scrolls: as marked, else as the tracker said.")
    is_deleted: bool = strawberry.field(description="Whether it was deleted: lists leave it out, and its clicks count as unattributed.")
    top: int | None = strawberry.field(
        description="Its top edge, CSS px from the top of the page (of the viewport when fixed);"
        " where the tracker never told it, the median of its clicks not at (0, 0). Rounded down."
    )
    left: float | None = strawberry.field(
        description="Its left edge, CSS px; where the tracker never told it, the median of its clicks not at (0, 0)."
    )
    width: int | None = strawberry.field(description="Its width, CSS px, rounded down; null where the tracker never told it.")
    height: int | None = strawberry.field(description="Its height, CSS px, rounded down; null where the tracker never told it.")
    viewport_width: int | None = strawberry.field(
        description="How wide the viewport was that `left` and `width` were told in, CSS px: `left` ÷ `viewportWidth` places it on any other of its breakpoint;"
        " null where the tracker never told it."
    )
    marked_by: str | None = strawberry.field(description="Id of the key that changed its name or marks last; null when nobody did.")
    marked_at: dt.datetime | None = strawberry.field(description="When `markedBy` did so, UTC; null when nobody did.")

    @classmethod
    def of(cls, found: ElementAnswer) -> Self:
        mark, row = found.mark, found.row or {}
        is_fixed = bool(row.get("said_fixed")) if mark.is_fixed is None else mark.is_fixed
        return cls(
            id=strawberry.ID(ids.encode("Element", mark.site_id, mark.page_key, mark.selector)),
            site_id=mark.site_id,
            page_key=mark.page_key,
            selector=mark.selector,
            label=row.get("label") or mark.selector,
            tag=row.get("tag", ""),
            text=row.get("text") or None,
            href=row.get("href") or None,
            name=mark.name or None,
            is_cta=mark.is_cta,
            is_fixed=is_fixed,
            is_deleted=mark.deleted,
            top=_px(row.get("top")),
            left=row.get("left_px"),
            width=_px(row.get("width")),
            height=_px(row.get("height")),
            viewport_width=row.get("viewport_width"),
            marked_by=mark.updated_by or None,
            marked_at=mark.updated_at,
        )

    @classmethod
    async def load(cls, context: Context, site_id: str, page_key: str, selector: str) -> Self | None:
        """None when the page or the element was never seen."""
        found = await elements.find_element(context, site_id, page_key, selector)
        return cls.of(found) if found else None

    @classmethod
    async def resolve_reference(cls, info: strawberry.Info[Context], siteId: str, pageKey: str, selector: str) -> Self | None:
        """Strawberry passes the representation's fields under their own names."""
        return await cls.load(info.context, siteId, pageKey, selector)

    @strawberry.field(
        description="What was changed by the element menu, newest first; the latest 100.", directives=[STATEMENT, MARK_CHANGES]
    )
    async def changes(self, info: strawberry.Info[Context]) -> list[MarkChange]:
        found = await elements.list_changes(info.context, self.site_id, self.page_key, self.selector)
        return [MarkChange.of(*change) for change in found]

    @strawberry.field(description="The page it is on, to ask further from.")
    async def page(self, info: strawberry.Info[Context]) -> Annotated[Page, strawberry.lazy("schema.page")]:
        from schema.page import Page

        return Page.of(await info.context.readable_site(self.site_id), self.page_key)


def _px(value: float | None) -> int | None:
    return None if value is None else math.floor(value)


WANTED = {
    "x": "place",
    "y": "place",
    "displays": "displays",
    "visitors": "visitors",
    "sessions": "sessions",
    "conversion": "sessions",
    "averageSecondsToClick": "waits",
    "belowFold": "fold",
}
"""Fields of ElementStats to what of `clickhouse.elements.OPTIONAL` they show."""

CLICK_RATES = {
    RateBasis.REACHED_PAGEVIEWS: ("displays", None),
    RateBasis.CLICKS: (None, "clicks"),
    RateBasis.PAGEVIEWS: (None, "pageviews"),
    RateBasis.SESSIONS: ("sessions", "sessions"),
    RateBasis.VISITORS: ("visitors", "visitors"),
}
"""Basis of a click rate to what it shows of the element (of OPTIONAL) and of the lens (of POPULATION)."""


def wanted_stats(info: GraphQLResolveInfo[Any], *paths: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """What of OPTIONAL and of POPULATION is selected of the elements at the ends of the paths."""
    selection = own_selection(info)
    names = frozenset[str]().union(*(selection.below(*path) for path in paths))
    bases = frozenset[Any]().union(*(argument_values(info, (*path, "clickRate"), "basis") for path in paths))
    rates = [CLICK_RATES[basis or RateBasis.REACHED_PAGEVIEWS] for basis in bases]
    of_lens = {name for _, name in rates if name} | ({"clicks"} if "clickShare" in names else set())
    return frozenset({WANTED[name] for name in names & WANTED.keys()} | {name for name, _ in rates if name}), frozenset(of_lens)


BasisArgument = Annotated[RateBasis | None, strawberry.argument(description="What the clicks are divided by; displays when left out.")]


@strawberry.type(description="What an element, or the elements grouped with it, did under one lens.")
class ElementStats:
    key: str = strawberry.field(description="What it is grouped by: selector, href, text or name; the selector where it has no such thing.")
    element_count: int = strawberry.field(description="Elements in this row, each page's counted by itself; 1 unless grouped or merged.")
    x: float | None = strawberry.field(
        description="Where the row's `element` is, CSS px on the standard viewport: as told at a breakpoint the lens leaves, else the median of its"
        " clicks in the lens not at (0, 0), else as told at any other one, else 0. Told at several, it is their median."
    )
    y: int | None = strawberry.field(description="Likewise, CSS px from the top of the page, or of the viewport when fixed; rounded down.")
    displays: int = strawberry.field(
        description="Pageviews that reached it: those whose deepest point is at its top, found as `y` is, or below,"
        " or every pageview of its page when it is fixed."
    )
    clicks: int = strawberry.field(description="Clicks on it, dead ones included.")
    visitors: int = strawberry.field(description="Distinct visitors who clicked it.")
    sessions: int = strawberry.field(description="Distinct sessions that clicked it.")
    average_seconds_to_click: float | None = strawberry.field(
        description="Mean seconds from the pageview to the click, over clicks whose pageview is known; null without any."
    )
    rage_clicks: int = strawberry.field(description="Rage bursts on it, each counted once.")
    dead_clicks: int = strawberry.field(description="Dead clicks on it; they count among `clicks` too.")
    below_fold: Rate = strawberry.field(
        description="Its clicks further down than their own viewport is high ÷ those that scroll with the page; not at (0, 0)."
    )
    click_share: Rate = strawberry.field(description="Its clicks ÷ all clicks of the lens.")
    asked: strawberry.Private[AskedLens]
    scope: strawberry.Private[ElementScope]
    group: strawberry.Private[GroupKey]
    place: strawberry.Private[tuple[str, str]]
    population: strawberry.Private[dict[str, Any]]

    @classmethod
    def from_row(cls, row: dict[str, Any], asked: AskedLens, scope: ElementScope, population: dict[str, Any]) -> Self:
        return cls(
            key=row["key"],
            element_count=row["element_count"],
            x=row["x"],
            y=_px(row["y"]),
            displays=row["displays"],
            clicks=row["clicks"],
            visitors=row["visitors"],
            sessions=row["sessions"],
            average_seconds_to_click=row["waited_ms"] / (1000 * row["waits"]) if row["waits"] else None,
            rage_clicks=row["rage_clicks"],
            dead_clicks=row["dead_clicks"],
            below_fold=Rate.subset(row["fold_below"], row["fold_clicks"], RateBasis.CLICKS),
            click_share=Rate.subset(row["clicks"], population["clicks"], RateBasis.CLICKS),
            asked=asked,
            scope=scope,
            group=(int(row["by_selector"]), row["key"]),
            place=(row["page_key"], row["selector"]),
            population=population,
        )

    @strawberry.field(description="The element; of several in a row the most clicked one.")
    async def element(self, info: strawberry.Info[Context]) -> Element:
        return Element.of(await elements.load_element(info.context, self.asked.site.site_id, *self.place))

    @strawberry.field(
        description="Clicks ÷ displays; by `basis` ÷ all pageviews or all clicks of the lens, or distinct sessions (visitors) that clicked ÷ all of them."
    )
    def click_rate(self, basis: BasisArgument = RateBasis.REACHED_PAGEVIEWS) -> Rate:
        match basis:
            case RateBasis.CLICKS:
                return self.click_share
            case RateBasis.PAGEVIEWS:
                return Rate.plain(self.clicks, self.population["pageviews"], basis)
            case RateBasis.SESSIONS:
                return Rate.subset(self.sessions, self.population["sessions"], basis)
            case RateBasis.VISITORS:
                return Rate.subset(self.visitors, self.population["visitors"], basis)
            case _:
                return Rate.plain(self.clicks, self.displays, RateBasis.REACHED_PAGEVIEWS)

    @strawberry.field(description="Sessions that clicked it and had a converting event afterwards.")
    async def conversions(self, info: strawberry.Info[Context], event: EventArgument = UNSET) -> int:
        row = await elements.load_conversions(info.context, self.asked, self.scope, self.group, given(event))
        return int(row["conversions"])

    @strawberry.field(description="Conversions after a click on it with rate and value, beside the rate of all sessions of the lens.")
    async def conversion(self, info: strawberry.Info[Context], event: EventArgument = UNSET) -> Conversion:
        context, name = info.context, given(event)
        row, baseline = await asyncio.gather(
            elements.load_conversions(context, self.asked, self.scope, self.group, name),
            conversions.load_lens_conversions(context, self.asked, name),
        )
        return Conversion.of(row, self.sessions, baseline)

    @strawberry.field(
        description="The sessions that clicked it by a dimension, most sessions first; they and their clicks add up to the element's.",
        directives=[STATEMENT, VALUES],
    )
    async def breakdown(self, info: strawberry.Info[Context], by: ByArgument, first: FirstValuesArgument = 20) -> list[BreakdownRow]:
        limit, selection = given(first, 20), own_selection(info._raw_info)
        found = await elements.load_breakdown(info.context, self.asked, self.scope, self.group, by.name, limit, selection)
        return Spliced(found)  # type: ignore[return-value]


@strawberry.type(description="A row of an element list and its cursor.")
class ElementStatsEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this row.")
    node: ElementStats = strawberry.field(description="The row: an element, or several grouped.")


@strawberry.type(description="Elements of the lens with a click or a rage burst, and those told by the tracker without.")
class ElementStatsConnection:
    edges: list[ElementStatsEdge] = strawberry.field(description="The rows with a cursor each.")
    nodes: list[ElementStats] = strawberry.field(description="The rows without cursors.")
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    total_count: int = strawberry.field(description="Rows in all, returned or not.")

    @classmethod
    def of(cls, asked: AskedLens, scope: ElementScope, listing: Listing, population: dict[str, Any]) -> Self:
        nodes = [ElementStats.from_row(row, asked, scope, population) for row in listing.rows]
        return cls(
            edges=[ElementStatsEdge(cursor=cursor, node=node) for cursor, node in zip(listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
        )
