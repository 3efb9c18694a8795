"""Scroll depth and attention."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from resolvers import depths
from resolvers.context import Context
from resolvers.lenses import AskedLens
from schema.cost import DEPTHS
from schema.enums import Aggregation, ScrollUnit
from schema.inputs import given
from schema.rate import Rate
from schema.splice import Spliced

UnitArgument = Annotated[
    ScrollUnit | None, strawberry.argument(description="What depths are measured in: percent of the page's height, or CSS px.")
]
StepArgument = Annotated[
    int | None,
    strawberry.argument(
        description="From one depth to the next: 1 to 100 percent, 25 when left out; or 10 to 100 000 px, 100 when left out."
    ),
]
DeepestOfArgument = Annotated[
    Aggregation | None, strawberry.argument(description="Whose deepest point counts: each visitor's, session's or pageview's (TOTAL).")
]


@strawberry.type(description="How many got as far as a depth.")
class ScrollBucket:
    depth: int = strawberry.field(description="Percent of the page's height, or CSS px from its top.")
    visitors: int = strawberry.field(description="Visitors (pageviews, sessions by `aggregation`) whose deepest point is here or deeper.")
    count: int = strawberry.field(description="Those of them who ended here: before the next depth.")
    reach: Rate = strawberry.field(description="visitors ÷ all of them; 1 at the top, never rising.")


@strawberry.type(description="How far down a page people get. The deepest point of each is taken first, then counted by depth.")
class ScrollHeatmap:
    unit: ScrollUnit = strawberry.field(description="What depth is measured in.")
    pageviews: int = strawberry.field(description="All pageviews of the lens.")
    visitors: int = strawberry.field(description="All distinct visitors with a pageview.")
    average_depth: float | None = strawberry.field(description="Mean deepest point, in the unit; null without pageviews.")
    median_depth: float | None = strawberry.field(description="Median deepest point, in the unit; null without pageviews.")
    fold_height: int | None = strawberry.field(
        description="Median viewport height of the pageviews, CSS px whatever the unit, rounded to the nearest whole one; null without any."
        " To draw it as a line among depths in PERCENT: 100 × foldHeight ÷ medianPageHeight."
    )
    median_page_height: int | None = strawberry.field(
        description="Median page height of the pageviews it is known of, CSS px whatever the unit, rounded to the nearest whole one; null when none does."
    )
    wide: strawberry.Private[dict[str, Any]]
    asked: strawberry.Private[AskedLens]
    aggregation: strawberry.Private[Aggregation]

    @strawberry.field(
        description="From the top down, in steps: percent down to 100, px as far as anybody got; 2000 at most.", directives=[DEPTHS]
    )
    def buckets(self, info: strawberry.Info) -> list[ScrollBucket]:
        return Spliced(self.wide.get(f"buckets_{info.path.key}", b"[]"))  # type: ignore[return-value]

    @strawberry.field(description="The depth that at least this share reached, in the unit; null without pageviews.")
    async def depth_reached_by(
        self,
        info: strawberry.Info[Context],
        share: Annotated[float | None, strawberry.argument(description="A fraction above 0, up to 1.")] = 0.7,
    ) -> float | None:
        return await depths.load_depth_reached(info.context, self.asked, self.unit.name, self.aggregation.name, given(share, 0.7))

    @classmethod
    def from_row(cls, row: dict[str, Any] | None, asked: AskedLens, unit: ScrollUnit, aggregation: Aggregation) -> ScrollHeatmap:
        row = row or {}
        return cls(
            unit=unit,
            pageviews=row.get("pageviews", 0),
            visitors=row.get("visitors", 0),
            average_depth=row.get("average_depth"),
            median_depth=row.get("median_depth"),
            fold_height=row.get("fold_height"),
            median_page_height=row.get("median_page_height"),
            wide=row,
            asked=asked,
            aggregation=aggregation,
        )


@strawberry.type(description="How long a horizontal band of a page is looked at.")
class AttentionBand:
    y: int = strawberry.field(description="Its top edge, CSS px from the top of the page.")
    height: int = strawberry.field(description="Its height, CSS px, as asked for by `bandHeight`.")
    attention: float = strawberry.field(description="averageSeconds × reach, scaled so that the best band is 1000.")
    average_seconds: float = strawberry.field(
        description="Seconds in view, shared by how much of the band is visible, averaged over the pageviews that reached it."
    )
    reach: Rate = strawberry.field(description="Pageviews whose deepest point is at the band's top or deeper ÷ all pageviews.")


@strawberry.type(description="Which bands of a page are looked at.")
class AttentionHeatmap:
    pageviews: int = strawberry.field(description="All pageviews of the lens.")
    seconds: float = strawberry.field(description="Seconds in view in all, anywhere on the page.")
    wide: strawberry.Private[dict[str, Any]]

    @strawberry.field(description="From the top down, as far as anybody got; 2000 at most.", directives=[DEPTHS])
    def bands(self, info: strawberry.Info) -> list[AttentionBand]:
        return Spliced(self.wide.get(f"bands_{info.path.key}", b"[]"))  # type: ignore[return-value]

    @classmethod
    def from_row(cls, row: dict[str, Any] | None) -> AttentionHeatmap:
        row = row or {}
        return cls(pageviews=row.get("pageviews", 0), seconds=row.get("seconds", 0.0), wide=row)
