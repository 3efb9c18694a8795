"""Two lenses side by side: each number of both, and what changed."""

from __future__ import annotations

import math
from typing import Annotated, Any, Self

import strawberry
from strawberry import UNSET

from clickhouse.sites import Site
from resolvers import comparison
from resolvers.comparison import Compared
from resolvers.context import Context
from resolvers.selections import own_selection
from schema.cost import CELLS, CHANGES, DEPTHS, STATEMENT
from schema.definitions import (
    BOUNCE_RATE,
    CLICKS,
    CLICKS_OF_BREAKPOINT,
    DEAD_CLICKS_TOLD,
    DEAD_RATE,
    PAGEVIEWS,
    RAGE_CLICKS,
    RAGE_RATE,
    SESSIONS,
    VISITORS,
)
from schema.depths import DeepestOfArgument, StepArgument, UnitArgument
from schema.enums import Aggregation, Breakpoint, ChangeOrder, ComparisonWarningCode, PointKind, ScrollUnit
from schema.heatmap import FoldStats, PointElement
from schema.inputs import FirstArgument, Lens, given
from schema.insights import Insights, KindArgument
from schema.rate import Rate
from schema.splice import Spliced
from schema.totals import PageTotals

ChangeOrderArgument = Annotated[ChangeOrder | None, strawberry.argument(description="By the change of what; largest first.")]


def relative(delta: float | None, baseline: float | None) -> float | None:
    return delta / baseline if delta is not None and baseline else None


@strawberry.type(description="A count on both sides.")
class CountChange:
    baseline: int = strawberry.field(description="The count in the baseline.")
    candidate: int = strawberry.field(description="The count in the candidate.")
    delta: int = strawberry.field(description="candidate - baseline; below 0 when it fell.")
    relative_delta: float | None = strawberry.field(description="delta ÷ baseline, a fraction; null when the baseline is 0.")

    @classmethod
    def of(cls, baseline: int, candidate: int) -> Self:
        delta = candidate - baseline
        return cls(baseline=baseline, candidate=candidate, delta=delta, relative_delta=relative(delta, baseline))


@strawberry.type(description="A mean, a median or a score on both sides.")
class NumberChange:
    baseline: float | None = strawberry.field(description="The number in the baseline; null when unknown.")
    candidate: float | None = strawberry.field(description="The number in the candidate; null when unknown.")
    delta: float | None = strawberry.field(description="candidate - baseline; null when a side is unknown.")
    relative_delta: float | None = strawberry.field(
        description="delta ÷ baseline, a fraction; null when the baseline is 0 or a side is unknown."
    )

    @classmethod
    def of(cls, baseline: float | None, candidate: float | None) -> Self:
        delta = None if baseline is None or candidate is None else candidate - baseline
        return cls(baseline=baseline, candidate=candidate, delta=delta, relative_delta=relative(delta, baseline))


@strawberry.type(
    description="A rate on both sides. The interval of the difference is Newcombe's, made of the two Wilson intervals (Statistics in Medicine"
    " 1998, method 10), because Wald's is too narrow for small samples and for shares near 0 or 1. It takes what is counted as independent,"
    " which sessions nearly are and clicks of one visitor are not, and it is for one number looked at: of twenty that did not change, one is"
    " expected to look significant."
)
class RateChange:
    baseline: Rate = strawberry.field(description="The rate in the baseline, with its own interval.")
    candidate: Rate = strawberry.field(description="The rate in the candidate, with its own interval.")
    delta: float | None = strawberry.field(
        description="candidate's value - baseline's, a fraction; null when either has nothing to divide by."
    )
    relative_delta: float | None = strawberry.field(description="delta ÷ the baseline's value; null when that is 0 or unknown.")
    low: float | None = strawberry.field(
        description="Lower end of the 95 % interval of delta; null unless both rates are proportions of something."
    )
    high: float | None = strawberry.field(description="Upper end of the 95 % interval of delta, likewise.")
    significant: bool | None = strawberry.field(description="Whether the interval excludes 0; null without an interval.")

    @classmethod
    def of(cls, baseline: Rate, candidate: Rate) -> Self:
        """The same order of operations as `clickhouse.comparison`, so the same digits."""
        change = NumberChange.of(baseline.value, candidate.value)
        interval = newcombe(baseline, candidate)
        return cls(
            baseline=baseline,
            candidate=candidate,
            delta=change.delta,
            relative_delta=change.relative_delta,
            low=interval and interval[0],
            high=interval and interval[1],
            significant=interval and (interval[0] > 0 or interval[1] < 0),
        )


def newcombe(baseline: Rate, candidate: Rate) -> tuple[float, float] | None:
    """The 95 % interval of candidate - baseline; None unless both are proportions with an interval of their own."""
    one, low_one, high_one = baseline.value, baseline.low, baseline.high
    two, low_two, high_two = candidate.value, candidate.low, candidate.high
    if one is None or low_one is None or high_one is None or two is None or low_two is None or high_two is None:
        return None
    delta = two - one
    below = math.sqrt((two - low_two) ** 2 + (high_one - one) ** 2)
    above = math.sqrt((high_two - two) ** 2 + (one - low_one) ** 2)
    return delta - below, delta + above


@strawberry.type(description="Clicks at one breakpoint, on both sides.")
class BreakpointChange:
    breakpoint: Breakpoint = strawberry.field(description="Which breakpoint.")
    clicks: CountChange = strawberry.field(description=CLICKS_OF_BREAKPOINT)


@strawberry.type(description="The numbers of PageTotals on both sides; each means what it means there.")
class TotalsChange:
    pageviews: CountChange = strawberry.field(description=PAGEVIEWS)
    visitors: CountChange = strawberry.field(description=VISITORS)
    sessions: CountChange = strawberry.field(description=SESSIONS)
    bounce_rate: RateChange = strawberry.field(description=BOUNCE_RATE)
    average_seconds_on_page: NumberChange = strawberry.field(
        description="Seconds on the page, averaged over the pageviews for which that is known."
    )
    clicks: CountChange = strawberry.field(description=CLICKS)
    rage_clicks: CountChange = strawberry.field(description=RAGE_CLICKS)
    dead_clicks: CountChange = strawberry.field(description=DEAD_CLICKS_TOLD)
    rage_rate: RateChange = strawberry.field(description=RAGE_RATE)
    dead_rate: RateChange = strawberry.field(description=DEAD_RATE)
    issue_score: NumberChange = strawberry.field(
        description="How much is wrong with the page, 0 to 100, as `issueScore { value }` of PageTotals."
    )
    breakpoints: list[BreakpointChange] = strawberry.field(description="Clicks by breakpoint, all three of them; they add up to `clicks`.")

    @classmethod
    def of(cls, baseline: PageTotals, candidate: PageTotals) -> Self:
        return cls(
            pageviews=CountChange.of(baseline.pageviews, candidate.pageviews),
            visitors=CountChange.of(baseline.visitors, candidate.visitors),
            sessions=CountChange.of(baseline.sessions, candidate.sessions),
            bounce_rate=RateChange.of(baseline.bounce_rate, candidate.bounce_rate),
            average_seconds_on_page=NumberChange.of(baseline.average_seconds_on_page, candidate.average_seconds_on_page),
            clicks=CountChange.of(baseline.clicks, candidate.clicks),
            rage_clicks=CountChange.of(baseline.rage_clicks, candidate.rage_clicks),
            dead_clicks=CountChange.of(baseline.dead_clicks, candidate.dead_clicks),
            rage_rate=RateChange.of(baseline.rage_rate, candidate.rage_rate),
            dead_rate=RateChange.of(baseline.dead_rate, candidate.dead_rate),
            issue_score=NumberChange.of(baseline.issue_score.value, candidate.issue_score.value),
            breakpoints=[
                BreakpointChange(breakpoint=one.breakpoint, clicks=CountChange.of(one.clicks, two.clicks))
                for one, two in zip(baseline.breakpoints, candidate.breakpoints, strict=True)
            ],
        )


@strawberry.type(description="The rates among the totals on both sides.")
class RatesChange:
    bounce_rate: RateChange = strawberry.field(description=BOUNCE_RATE)
    rage_rate: RateChange = strawberry.field(description=RAGE_RATE)
    dead_rate: RateChange = strawberry.field(description=DEAD_RATE)
    rage_sessions: RateChange = strawberry.field(description="Sessions with a rage burst ÷ sessions.")
    dead_sessions: RateChange = strawberry.field(description="Sessions with a dead click ÷ sessions.")

    @classmethod
    def of(cls, baseline: PageTotals, candidate: PageTotals) -> Self:
        return cls(
            bounce_rate=RateChange.of(baseline.bounce_rate, candidate.bounce_rate),
            rage_rate=RateChange.of(baseline.rage_rate, candidate.rage_rate),
            dead_rate=RateChange.of(baseline.dead_rate, candidate.dead_rate),
            rage_sessions=RateChange.of(baseline.issue_score.rage.rate, candidate.issue_score.rage.rate),
            dead_sessions=RateChange.of(baseline.issue_score.dead.rate, candidate.issue_score.dead.rate),
        )


@strawberry.type(description="How much happens below the fold, on both sides.")
class FoldChange:
    total: CountChange = strawberry.field(description="Interactions of the kind that scroll with the page.")
    below_fold: RateChange = strawberry.field(description="Those further down than their own viewport is high ÷ total.")
    median_viewport_height: NumberChange = strawberry.field(description="Median viewport height of these interactions, CSS px.")

    @classmethod
    def of(cls, baseline: FoldStats, candidate: FoldStats) -> Self:
        return cls(
            total=CountChange.of(baseline.total, candidate.total),
            below_fold=RateChange.of(baseline.below_fold, candidate.below_fold),
            median_viewport_height=NumberChange.of(baseline.median_viewport_height, candidate.median_viewport_height),
        )


@strawberry.type(description="How many got as far as a depth, on both sides.")
class ScrollBucketChange:
    depth: int = strawberry.field(description="Percent of the page's height, or CSS px from its top.")
    visitors: CountChange = strawberry.field(
        description="Visitors (pageviews, sessions by `aggregation`) whose deepest point is here or deeper."
    )
    reach: RateChange = strawberry.field(description="visitors ÷ the population of their side.")


@strawberry.type(description="How far down people get, on both sides.")
class ScrollChange:
    unit: ScrollUnit = strawberry.field(description="What depth is measured in.")
    population: CountChange = strawberry.field(description="Visitors (pageviews, sessions by `aggregation`) with a pageview.")
    average_depth: NumberChange = strawberry.field(description="Mean deepest point, in the unit.")
    median_depth: NumberChange = strawberry.field(description="Median deepest point, in the unit.")
    wide: strawberry.Private[dict[str, Any]]

    @strawberry.field(
        description="From the top down, in steps: percent down to 100, px as far as either side got; 2000 at most.", directives=[DEPTHS]
    )
    def buckets(self, info: strawberry.Info) -> list[ScrollBucketChange]:
        return Spliced(self.wide.get(f"buckets_{info.path.key}", b"[]"))  # type: ignore[return-value]

    @classmethod
    def from_row(cls, row: dict[str, Any] | None, unit: ScrollUnit) -> Self:
        row = row or {}

        def number(name: str) -> NumberChange:
            return NumberChange.of(row.get(f"baseline_{name}"), row.get(f"candidate_{name}"))

        return cls(
            unit=unit,
            population=CountChange.of(row.get("baseline_population", 0), row.get("candidate_population", 0)),
            average_depth=number("average_depth"),
            median_depth=number("median_depth"),
            wide=row,
        )


@strawberry.type(description="An element on both sides; one that was not clicked on a side counts 0 there.")
class ElementChange:
    element: PointElement = strawberry.field(description="The element, as seen last; on the candidate's side if it was clicked there.")
    clicks: CountChange = strawberry.field(description="Clicks on it, dead ones included.")
    click_rate: RateChange = strawberry.field(description="Sessions that clicked it ÷ all sessions of the lens: each session counts once.")
    click_share: RateChange = strawberry.field(description="Clicks on it ÷ all clicks of the lens.")


@strawberry.type(
    description="A cell of the map on both sides, named by its left top corner; one that was not hit on a side counts 0 there."
)
class CellChange:
    x: float = strawberry.field(
        description="relativeX × the standard viewport's width, CSS px; a desktop's, 1280, when the two sides are drawn on different ones."
    )
    y: int = strawberry.field(description="CSS px from the top of the page; of the viewport for fixed elements.")
    relative_x: float = strawberry.field(description="x ÷ viewport width, 0 to 1.")
    fixed: bool = strawberry.field(description="Whether it lies on an element that does not scroll with the page.")
    count: CountChange = strawberry.field(description="Interactions of the kind in the cell.")
    share: RateChange = strawberry.field(description="count ÷ all interactions of the kind in the lens, without those at (0, 0).")
    element: PointElement | None = strawberry.field(
        description="The element most of the cell's interactions were on, both sides together; null when none is known."
    )


@strawberry.type(description="Why the two lenses may not be comparable, and what to do.")
class ComparisonWarning:
    code: ComparisonWarningCode = strawberry.field(description="What makes them hard to compare, for a program.")
    message: str = strawberry.field(description="For people: what it does to the numbers, and what to do.")


@strawberry.type(
    description="Two lenses side by side: before and after with two windows, an A/B test with two variants, two cohorts, two URL rules."
    " Every change is candidate - baseline."
)
class Comparison:
    compared: strawberry.Private[Compared]

    @classmethod
    async def load(cls, context: Context, site: Site, baseline: Lens, candidate: Lens, page_key: str | None = None) -> Self:
        """On the page, or without one on the pages of each lens's URL rule."""
        sides = (baseline.asked(context, site, "baseline", page_key), candidate.asked(context, site, "candidate", page_key))
        return cls(compared=await comparison.resolve_both(*sides))

    @strawberry.field(description="The baseline alone, with all that can be asked of a lens.")
    def baseline(self) -> Insights:
        return Insights.of(self.compared.baseline)

    @strawberry.field(description="The candidate alone, with all that can be asked of a lens.")
    def candidate(self) -> Insights:
        return Insights.of(self.compared.candidate)

    @strawberry.field(description="What makes the two lenses hard to compare; empty when nothing does.")
    async def warnings(self, info: strawberry.Info[Context]) -> list[ComparisonWarning] | None:
        found = await comparison.load_warnings(info.context, self.compared)
        return [ComparisonWarning(code=ComparisonWarningCode[warning.code], message=warning.message) for warning in found]

    @strawberry.field(description="Pageviews, visitors, clicks, rates and the issue score.")
    async def totals(self, info: strawberry.Info[Context]) -> TotalsChange | None:
        return TotalsChange.of(*await self._totals(info))

    @strawberry.field(description="Bounces, rage and dead clicks as rates, with intervals.")
    async def rates(self, info: strawberry.Info[Context]) -> RatesChange | None:
        return RatesChange.of(*await self._totals(info))

    @strawberry.field(description="How much happens below the fold.")
    async def fold(self, info: strawberry.Info[Context], kind: KindArgument = PointKind.CLICK) -> FoldChange | None:
        rows = await comparison.load_fold(info.context, self.compared, (kind or PointKind.CLICK).name)
        return FoldChange.of(*(FoldStats.from_row(row) for row in rows))

    @strawberry.field(description="How far down the page people get: how many reached each depth.")
    async def scroll(
        self,
        info: strawberry.Info[Context],
        unit: UnitArgument = ScrollUnit.PERCENT,
        step: StepArgument = UNSET,
        aggregation: DeepestOfArgument = Aggregation.UNIQUE_VISITORS,
    ) -> ScrollChange | None:
        unit, counted = unit or ScrollUnit.PERCENT, aggregation or Aggregation.UNIQUE_VISITORS
        buckets = own_selection(info._raw_info).of("buckets")
        return ScrollChange.from_row(
            await comparison.load_scroll(info.context, self.compared, unit.name, given(step), counted.name, buckets), unit
        )

    @strawberry.field(
        description="Elements clicked on either side, by selector, largest absolute change first; of equal ones that with more clicks on its larger side,"
        " then by selector.",
        directives=[STATEMENT, CHANGES],
    )
    async def elements(
        self,
        info: strawberry.Info[Context],
        order_by: ChangeOrderArgument = ChangeOrder.COUNT,
        first: FirstArgument = 25,
    ) -> list[ElementChange] | None:
        by_share, first = order_by is ChangeOrder.SHARE, given(first, 25)
        selection = own_selection(info._raw_info)
        return Spliced(await comparison.load_elements(info.context, self.compared, by_share, first, selection))  # type: ignore[return-value]

    @strawberry.field(
        description="Cells hit on either side, 100 columns and rows of 16 px, largest absolute change first; of equal ones that with more interactions"
        " on its larger side, then by fixed, y, x.",
        directives=[STATEMENT, CELLS],
    )
    async def cells(
        self,
        info: strawberry.Info[Context],
        kind: KindArgument = PointKind.CLICK,
        order_by: ChangeOrderArgument = ChangeOrder.COUNT,
        first: Annotated[
            int | None,
            strawberry.argument(description="At most so many cells, 1 to 100 000; any other counts as the nearest of these."),
        ] = 500,
    ) -> list[CellChange] | None:
        by_share, first, kind = order_by is ChangeOrder.SHARE, given(first, 500), kind or PointKind.CLICK
        selection = own_selection(info._raw_info)
        return Spliced(await comparison.load_cells(info.context, self.compared, kind.name, by_share, first, selection))  # type: ignore[return-value]

    async def _totals(self, info: strawberry.Info[Context]) -> tuple[PageTotals, PageTotals]:
        baseline, candidate = await comparison.load_totals(info.context, self.compared)
        return PageTotals.from_row(baseline), PageTotals.from_row(candidate)
