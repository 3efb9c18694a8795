"""What happened on a page, or on the pages of a URL rule, seen through one lens."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Annotated, Self

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_snake_case

from clickhouse.elements import ElementScope
from clickhouse.heatmap import HeatmapQuestion
from clickhouse.rage import DEFAULT_RULE
from resolvers import conversions, depths, discovery, elements, heatmaps, hotspots, lens_ids, pages
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.selections import own_selection, selected_names
from schema.breakdown import BreakdownRow, ByArgument, FirstValuesArgument
from schema.conversions import DepthConversions, EventArgument
from schema.cost import PAGED, POINTS, STATEMENT, TIMELINE, VALUES
from schema.definitions import SESSIONS
from schema.depths import AttentionHeatmap, DeepestOfArgument, ScrollHeatmap, StepArgument, UnitArgument
from schema.elements import ElementStats, ElementStatsConnection, wanted_stats
from schema.enums import Aggregation, ElementGrouping, InsightsStatus, Interval, PointKind, ScrollUnit
from schema.heatmap import FoldStats, PointHeatmap
from schema.hotspots import DeadClickConnection, RageClickConnection, dead_click_measures
from schema.inputs import AfterInLensArgument, CellArgument, ElementOrder, FirstArgument, PointInput, RageRule, given
from schema.interactions import InteractionConnection, interaction_question, selected_fields
from schema.node import Node
from schema.replays import HavingArgument, ReplayConnection, ReplayOrderArgument, list_replays
from schema.splice import Spliced
from schema.timeline import TimelinePoint
from schema.totals import PageTotals, measures_of

KindArgument = Annotated[PointKind | None, strawberry.argument(description="Which kind of interactions.")]
HideOriginArgument = Annotated[
    bool | None, strawberry.argument(description="Leave out interactions at exactly (0, 0), which stand for an unknown place.")
]


@strawberry.type(description="A window as instants.")
class ResolvedWindow:
    from_: dt.datetime = strawberry.field(name="from", description="The instant it begins at, UTC; included.")
    to: dt.datetime = strawberry.field(description="The instant it ends at, UTC; excluded.")


@strawberry.type(description="What the numbers of a lens rest on.")
class InsightsMeta:
    status: InsightsStatus = strawberry.field(description="Whether there is anything to show, and if not, why.")
    window: ResolvedWindow = strawberry.field(
        description="The window the numbers are of; a list asked for `after` a cursor goes on in the one it began in."
    )
    requested_window: ResolvedWindow = strawberry.field(description="The window asked for, before the plan's retention was applied.")
    clamped: bool = strawberry.field(description="Whether the plan's retention cut the window's beginning off.")
    time_zone: str = strawberry.field(description="The site's time zone, which relative edges such as dStart follow.")
    pages_matched: int = strawberry.field(description="Distinct pages with rows in the lens.")
    sessions: int = strawberry.field(description=SESSIONS)
    enough_data: bool = strawberry.field(description="Whether there are 1000 sessions or more, the usual minimum before a conclusion.")
    sample_rate: float | None = strawberry.field(
        description="Lowest percentage of sessions the tracker recorded, 100 is all; null without rows."
    )
    sources: list[str] = strawberry.field(description="Names of the ClickHouse sources that answered.")
    truncated: bool = strawberry.field(
        description="Whether rows may be left out: pages of the URL rule by the plan's page limit, or shards that did not answer (`partial`)."
    )
    partial: bool = strawberry.field(
        description="Whether shards of the source did not answer, so that every number is that of the others; only of a source that allows it."
    )
    warnings: list[str] = strawberry.field(
        description="What speaks against taking the numbers as they are, in words: `partial`, `clamped`, `truncated` by the plan's page limit,"
        " a `sampleRate` below 100, not `enoughData`; empty if nothing does."
    )
    asked: strawberry.Private[AskedLens]

    @strawberry.field(
        description="Elements that `markElement` makes fixed, or not, against what the tracker said: so many change displays, the fold and the map's `fixed`."
    )
    async def fixed_by_mark(self, info: strawberry.Info[Context]) -> int:
        return await elements.load_fixed_by_mark(info.context, self.asked)


@strawberry.type(
    description="One lens on a page or on the pages of a URL rule: every field below sees exactly the same rows, but for a list asked for"
    " `after` a cursor, which goes on in the window it began in."
)
class Insights(Node):
    asked: strawberry.Private[AskedLens]

    @classmethod
    def of(cls, asked: AskedLens) -> Self:
        return cls(id=strawberry.ID(lens_ids.encode(asked)), asked=asked)

    @strawberry.field(description="The window and the amount of data the numbers rest on.")
    async def meta(self, info: strawberry.Info[Context]) -> InsightsMeta:
        asked, extent = self.asked, await pages.load_extent(info.context, self.asked)
        partial = info.context.is_partial(asked.site)
        window, requested = asked.lens.window, asked.requested
        covers_all = asked.lens.url is None or asked.lens.tracked_pages is None or not await info.context.has_untracked_pages(asked.site)
        return InsightsMeta(
            status=InsightsStatus(await pages.status(info.context, asked, extent["sessions"])),
            window=ResolvedWindow(from_=window.start, to=window.end),
            requested_window=ResolvedWindow(from_=requested.start, to=requested.end),
            clamped=asked.clamped,
            time_zone=asked.site.time_zone,
            pages_matched=extent["pages"],
            sessions=extent["sessions"],
            enough_data=extent["sessions"] >= pages.MIN_SESSIONS,
            sample_rate=extent["sample_rate"],
            sources=[info.context.sources.of(asked.site.site_id).name],
            asked=asked,
            truncated=partial or not covers_all,
            partial=partial,
            warnings=pages.warnings(asked, extent, partial, covers_all),
        )

    @strawberry.field(description="Pageviews, visitors, clicks, rates and the issue score.", directives=[STATEMENT])
    async def totals(self, info: strawberry.Info[Context]) -> PageTotals | None:
        return PageTotals.from_row(await pages.load_totals(info.context, self.asked, measures_of(selected_names(info._raw_info))))

    @strawberry.field(description="How much happens below the fold.", directives=[STATEMENT])
    async def fold(self, info: strawberry.Info[Context], kind: KindArgument = PointKind.CLICK) -> FoldStats | None:
        return FoldStats.from_row(await heatmaps.load_fold(info.context, self.asked, (kind or PointKind.CLICK).name))

    @strawberry.field(
        description="Where people click, rage, click in vain or move, as points for an overlay.", directives=[STATEMENT, POINTS]
    )
    async def heatmap(
        self,
        info: strawberry.Info[Context],
        kind: Annotated[PointKind, strawberry.argument(description="Which kind of interactions.")] = PointKind.CLICK,
        aggregation: Annotated[
            Aggregation | None, strawberry.argument(description="What the `count` of a point counts.")
        ] = Aggregation.TOTAL,
        cell: CellArgument = UNSET,
        hide_origin: HideOriginArgument = True,
        ctas_only: Annotated[
            bool | None, strawberry.argument(description="Only interactions on elements marked as a call to action, by `markElement`.")
        ] = False,
        first: Annotated[
            int | None,
            strawberry.argument(description="At most so many points, 1 to 100 000; any other counts as the nearest of these."),
        ] = 500,
        after: AfterInLensArgument = UNSET,
    ) -> PointHeatmap | None:
        counted, selection = aggregation or Aggregation.TOTAL, own_selection(info._raw_info)
        question = HeatmapQuestion(
            kind.name,
            counted.name,
            cell.plain() if cell else None,
            hide_origin is not False,
            bool(ctas_only),
            given(first, 500),
            points=selection.of("points"),
            wanted=frozenset(map(to_snake_case, selection.names())),
        )
        answer = await heatmaps.load_heatmap(info.context, self.asked, question, given(after))
        return PointHeatmap.from_answer(kind, counted, answer)

    @strawberry.field(description="Where people rage, by element, else by cell; most bursts first.", directives=[STATEMENT, PAGED])
    async def rage_clicks(
        self,
        info: strawberry.Info[Context],
        rule: Annotated[RageRule | None, strawberry.argument(description="What a burst is; 5 clicks, 1 s, 30 px when left out.")] = UNSET,
        first: FirstArgument = 50,
        after: AfterInLensArgument = UNSET,
    ) -> RageClickConnection | None:
        applied = rule.plain() if rule else DEFAULT_RULE
        first = given(first, 50)
        spots, listing, total = await hotspots.list_rage_clicks(info.context, self.asked, applied, first, given(after))
        return RageClickConnection.of(spots, listing, total, applied)

    @strawberry.field(description="Where people click in vain, by element, else by cell; most clicks first.", directives=[STATEMENT, PAGED])
    async def dead_clicks(
        self, info: strawberry.Info[Context], first: FirstArgument = 50, after: AfterInLensArgument = UNSET
    ) -> DeadClickConnection | None:
        measures = dead_click_measures(own_selection(info._raw_info))
        first = given(first, 50)
        spots, listing, totals = await hotspots.list_dead_clicks(info.context, self.asked, first, given(after), measures)
        return DeadClickConnection.of(spots, listing, totals)

    @strawberry.field(description="How far down the page people get: how many reached each depth.", directives=[STATEMENT])
    async def scroll(
        self,
        info: strawberry.Info[Context],
        unit: UnitArgument = ScrollUnit.PERCENT,
        step: StepArgument = UNSET,
        aggregation: DeepestOfArgument = Aggregation.UNIQUE_VISITORS,
    ) -> ScrollHeatmap | None:
        unit, counted = unit or ScrollUnit.PERCENT, aggregation or Aggregation.UNIQUE_VISITORS
        selection = own_selection(info._raw_info)
        wanted = frozenset(map(to_snake_case, selection.names()))
        row = await depths.load_scroll(info.context, self.asked, unit.name, given(step), counted.name, selection.of("buckets"), wanted)
        return ScrollHeatmap.from_row(row, self.asked, unit, counted)

    @strawberry.field(description="Which bands of the page are looked at.", directives=[STATEMENT])
    async def attention(
        self,
        info: strawberry.Info[Context],
        band_height: Annotated[int | None, strawberry.argument(description="Height of a band, CSS px, 10 to 10 000.")] = 200,
        top: Annotated[int | None, strawberry.argument(description="Where the first band begins, CSS px, 0 to 10 000 000.")] = 0,
    ) -> AttentionHeatmap | None:
        bands = own_selection(info._raw_info).of("bands")
        height = given(band_height, 200)
        return AttentionHeatmap.from_row(await depths.load_attention(info.context, self.asked, height, top or 0, bands))

    @strawberry.field(
        description="The elements people clicked or raged on, and those the tracker told that nobody did; by default from the top of the page down."
        " Told ones are those of the page; of a URL rule those of every page whose key, taken as a URL, it matches, and of others with rows in the lens.",
        directives=[STATEMENT, PAGED],
    )
    async def elements(
        self,
        info: strawberry.Info[Context],
        order_by: Annotated[
            ElementOrder | None, strawberry.argument(description="How to sort; from the top of the page down when left out.")
        ] = UNSET,
        ctas_only: Annotated[
            bool | None, strawberry.argument(description="Only elements marked as a call to action, by `markElement`.")
        ] = False,
        group_by: Annotated[
            ElementGrouping | None, strawberry.argument(description="What makes several elements one row.")
        ] = ElementGrouping.SELECTOR,
        deleted: Annotated[bool | None, strawberry.argument(description="The deleted elements instead, to restore them.")] = False,
        first: FirstArgument = 10,
        after: AfterInLensArgument = UNSET,
    ) -> ElementStatsConnection | None:
        scope = ElementScope((group_by or ElementGrouping.SELECTOR).name, bool(ctas_only), bool(deleted))
        wanted = wanted_stats(info._raw_info, ("nodes",), ("edges", "node"))
        query = elements.ElementQuery(scope, (order_by or ElementOrder()).plain(), given(first, 10), given(after), *wanted)
        asked, listing, population = await elements.list_elements(info.context, self.asked, query)
        return ElementStatsConnection.of(asked, scope, listing, population)

    @strawberry.field(description="One element; null when it is unknown here, or deleted.", directives=[STATEMENT])
    async def element(
        self,
        info: strawberry.Info[Context],
        selector: Annotated[str, strawberry.argument(description="The element's selector, as answered.")],
    ) -> ElementStats | None:
        row, population = await elements.load_stats(info.context, self.asked, selector, *wanted_stats(info._raw_info, ()))
        return ElementStats.from_row(row, self.asked, ElementScope(), population) if row else None

    @strawberry.field(
        description="Clicks on no known element, or on a deleted one: clicks of `elements` + these = all clicks of the lens.",
        directives=[STATEMENT],
    )
    async def unattributed(self, info: strawberry.Info[Context]) -> int | None:
        return await elements.load_unattributed(info.context, self.asked)

    @strawberry.field(description="Whether sessions that get further down convert more.", directives=[STATEMENT])
    async def conversions_by_depth(
        self,
        info: strawberry.Info[Context],
        event: EventArgument = UNSET,
        unit: UnitArgument = ScrollUnit.PERCENT,
        step: StepArgument = UNSET,
    ) -> DepthConversions | None:
        context, unit = info.context, unit or ScrollUnit.PERCENT
        rows, baseline = await asyncio.gather(
            conversions.list_depth_conversions(context, self.asked, given(event), unit.name, given(step)),
            conversions.load_lens_conversions(context, self.asked, given(event)),
        )
        return DepthConversions.of(unit, rows, baseline)

    @strawberry.field(
        description="The single interactions behind the map or behind some of its points, newest first.", directives=[STATEMENT, PAGED]
    )
    async def interactions(
        self,
        info: strawberry.Info[Context],
        kind: KindArgument = PointKind.CLICK,
        points: Annotated[
            list[PointInput] | None, strawberry.argument(description="Points of the map to look into, at most 1000; all when left out.")
        ] = UNSET,
        cell: CellArgument = UNSET,
        hide_origin: HideOriginArgument = True,
        first: FirstArgument = 50,
        after: AfterInLensArgument = UNSET,
    ) -> InteractionConnection | None:
        selection = own_selection(info._raw_info)
        fields = selected_fields(selection)
        question = interaction_question(self.asked, kind or PointKind.CLICK, given(points), cell, hide_origin, given(first, 50))
        question = replace(question, with_total="totalCount" in selection.names())
        listing = await heatmaps.list_interactions(info.context, self.asked, question, given(after), fields)
        return InteractionConnection.of(listing, self.asked.site, fields)

    @strawberry.field(description="The sessions behind the lens: those with any row in it.", directives=[STATEMENT, PAGED])
    async def replays(
        self,
        info: strawberry.Info[Context],
        having: HavingArgument = UNSET,
        order_by: ReplayOrderArgument = UNSET,
        first: FirstArgument = 10,
        after: AfterInLensArgument = UNSET,
    ) -> ReplayConnection | None:
        return await list_replays(info.context, self.asked, given(having), order_by, given(first, 10), given(after))

    @strawberry.field(
        description="The lens's sessions by a dimension, most sessions first; a last row holds all that did not fit into `first`.",
        directives=[STATEMENT, VALUES],
    )
    async def breakdown(self, info: strawberry.Info[Context], by: ByArgument, first: FirstValuesArgument = 20) -> list[BreakdownRow] | None:
        found = await discovery.load_breakdown(info.context, self.asked, by.name, given(first, 20), own_selection(info._raw_info))
        return Spliced(found)  # type: ignore[return-value]

    @strawberry.field(
        description="The lens's numbers by hour, day or week of the site's time zone; where nothing happened, zeros.",
        directives=[STATEMENT, TIMELINE],
    )
    async def timeline(
        self,
        info: strawberry.Info[Context],
        interval: Annotated[
            Interval | None, strawberry.argument(description="How long each point is; a day when left out.")
        ] = Interval.DAY,
    ) -> list[TimelinePoint] | None:
        asked_interval = interval or Interval.DAY
        return Spliced(  # type: ignore[return-value]
            await discovery.load_timeline(info.context, self.asked, asked_interval.name, own_selection(info._raw_info))
        )
