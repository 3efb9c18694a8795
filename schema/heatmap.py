"""Click, rage, dead and move maps, and the fold."""

from __future__ import annotations

from typing import Any, Self

import strawberry

from resolvers.heatmaps import HeatmapAnswer
from schema.cost import FREE
from schema.enums import Aggregation, PointKind, RateBasis
from schema.pagination import PageInfo
from schema.rate import Rate
from schema.splice import Spliced


@strawberry.type(description="The standard viewport x is drawn on.")
class Viewport:
    width: int = strawberry.field(description="CSS px: 1280 desktop, 768 tablet, 375 mobile; 1280 when the lens spans several.")
    height: int = strawberry.field(description="CSS px: 1024 desktop, 1024 tablet, 667 mobile.")


@strawberry.type(description="The size of a map's cells.")
class Cell:
    width: float = strawberry.field(description="CSS px on the standard viewport; a hundredth of it by default.")
    height: int = strawberry.field(description="CSS px of the page; 16 by default.")


@strawberry.type(description="What the defaults leave out of a map.")
class HiddenCounts:
    origin: int = strawberry.field(
        description="Interactions at exactly (0, 0), which trackers send when they know no place; `hideOrigin: false` shows them."
    )
    test_accounts: int = strawberry.field(description="Interactions of test accounts that `excludeTestAccounts` leaves out.")


@strawberry.type(description="An element, as seen from a point.", directives=[FREE])
class PointElement:
    selector: str = strawberry.field(description="CSS selector, as the tracker sent it.")
    label: str = strawberry.field(description="Readable form: tag and selector, as in `button#signup`.")
    text: str | None = strawberry.field(description="The text it shows; null when never sent.")
    tag: str | None = strawberry.field(description="Its tag, as in `button`; null when never sent.")


@strawberry.type(description="A cell of a map, named by its left top corner.")
class HeatmapPoint:
    x: float = strawberry.field(description="CSS px on the standard viewport: relativeX × its width.")
    y: int = strawberry.field(description="CSS px from the top of the page; of the viewport for fixed elements.")
    relative_x: float = strawberry.field(description="x ÷ viewport width, 0 to 1.")
    fixed: bool = strawberry.field(description="Whether it lies on an element that does not scroll with the page.")
    count: int = strawberry.field(description="Interactions in the cell, or distinct visitors or sessions, by `aggregation`.")
    share: float = strawberry.field(
        description="count ÷ total of the map (÷ its `visitors` or `sessions` under the unique aggregations), a fraction."
    )
    element: PointElement | None = strawberry.field(
        description="The element most of the cell's interactions were on; null when none is known."
    )


@strawberry.type(description="Interactions binned into cells, hottest first.")
class PointHeatmap:
    kind: PointKind = strawberry.field(description="Which interactions the map shows.")
    aggregation: Aggregation = strawberry.field(description="What the `count` of a point counts.")
    total: int = strawberry.field(description="Interactions in all cells, returned or not.")
    visitors: int = strawberry.field(description="Distinct visitors in all cells, returned or not.")
    sessions: int = strawberry.field(description="Distinct sessions in all cells, returned or not.")
    max_count: int = strawberry.field(description="The hottest cell's count, for the colour scale.")
    page_height: int | None = strawberry.field(description="Largest page height seen, CSS px, for the canvas; null when unknown.")
    viewport: Viewport = strawberry.field(description="The standard viewport that x is drawn on.")
    cell: Cell = strawberry.field(description="The size of a cell on that viewport.")
    hidden: HiddenCounts = strawberry.field(
        description="What the defaults hide; total + hidden.origin = all interactions of the kind, with `ctasOnly` those on a call to action."
    )
    page_info: PageInfo = strawberry.field(description="Whether more points follow, and the cursor to them.")
    wide: strawberry.Private[dict[str, Any]]

    @strawberry.field(description="The cells, hottest first; ties by fixed, y, x.")
    def points(self, info: strawberry.Info) -> list[HeatmapPoint]:
        return Spliced(self.wide.get(f"points_{info.path.key}", b"[]"), self.wide.get("shown"))  # type: ignore[return-value]

    @classmethod
    def from_answer(cls, kind: PointKind, aggregation: Aggregation, answer: HeatmapAnswer) -> Self:
        row = answer.row or {}
        width, height = answer.viewport
        return cls(
            kind=kind,
            aggregation=aggregation,
            total=row.get("total", 0),
            visitors=row.get("visitors", 0),
            sessions=row.get("sessions", 0),
            max_count=row.get("max_count", 0),
            page_height=row.get("page_height") or None,
            viewport=Viewport(width=width, height=height),
            cell=Cell(width=answer.cell.width_px, height=answer.cell.height_px),
            hidden=HiddenCounts(origin=row.get("hidden_origin", 0), test_accounts=row.get("hidden_test_accounts", 0)),
            page_info=PageInfo(
                has_next_page=bool(row.get("has_next")),
                has_previous_page=answer.has_previous,
                start_cursor=None,
                end_cursor=answer.end_cursor,
            ),
            wide=row,
        )


@strawberry.type(description="How much happens below the fold. Interactions on fixed elements and at (0, 0) do not count.")
class FoldStats:
    total: int = strawberry.field(description="Interactions of the kind that scroll with the page.")
    below_fold: Rate = strawberry.field(description="Those further down than their own viewport is high ÷ total.")
    median_viewport_height: int | None = strawberry.field(
        description="Median viewport height of these interactions, CSS px, rounded to the nearest whole one; null without any."
    )

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        return cls(
            total=row["total"],
            below_fold=Rate.subset(row["below_fold"], row["total"], RateBasis.CLICKS),
            median_viewport_height=row["median_viewport_height"],
        )
