"""Rage clicks and dead clicks."""

from __future__ import annotations

import math
from typing import Annotated, Any, Self

import strawberry

from clickhouse.heatmap import Cell, standard_viewport_px
from clickhouse.lens import Lens
from clickhouse.numbers import HIGH_SEVERITY_CLICKS, MEDIUM_SEVERITY_CLICKS
from clickhouse.rage import RageRule as AppliedRule
from clickhouse.selection import Selection
from resolvers import hotspots
from resolvers.context import Context
from resolvers.hotspots import Spots
from resolvers.listing import Listing
from schema.definitions import PAGE_INFO
from schema.enums import RateBasis, Severity
from schema.heatmap import PointElement
from schema.inputs import given
from schema.pagination import PageInfo
from schema.rate import Rate
from schema.replays import SpotReplay

SpotReplaysArgument = Annotated[
    int | None, strawberry.argument(description="At most so many sessions, 1 to 10; any other counts as the nearest of these.")
]

ON_FIXED = "Whether most of these are on an element that does not scroll with the page: as marked, else as the tracker said."


def element_of(row: dict[str, Any]) -> PointElement | None:
    if not row["selector"]:
        return None
    return PointElement(selector=row["selector"], label=row["label"], text=row["text"] or None, tag=row["tag"] or None)


def _severity(average_clicks: float) -> Severity:
    if average_clicks < MEDIUM_SEVERITY_CLICKS:
        return Severity.LOW
    return Severity.MEDIUM if average_clicks < HIGH_SEVERITY_CLICKS else Severity.HIGH


def place(row: dict[str, Any], lens: Lens) -> dict[str, Any]:
    """Median position of an element's interactions; the left top corner of a cell."""
    standard_width_px, cell = standard_viewport_px(lens)[0], Cell.of(lens)
    if row["selector"]:
        x, relative_x, y = row["relative_x"] * standard_width_px, row["relative_x"], math.floor(row["y"])
    else:
        column = row["spot_column"]
        x, relative_x, y = column * standard_width_px / cell.columns, column / cell.columns, row["spot_row"] * cell.height_px
    return {"x": x, "relative_x": relative_x, "y": y}


async def load_replays(info: strawberry.Info[Context], spots: Spots, spot_id: int, first: int | None) -> list[SpotReplay] | None:
    found = await hotspots.load_spot_replays(info.context, spots, spot_id, given(first, 3))
    return None if found is None else [SpotReplay.from_row(row, session, spots.asked.site) for row, session in found]


@strawberry.type(
    description="The rule by which clicks are a rage burst. Where the tracker labelled bursts itself, those of that page and session"
    " count as they are under any rule, and no others are looked for there."
)
class AppliedRageRule:
    min_clicks: int = strawberry.field(description="Clicks of a burst, at least.")
    window_ms: int = strawberry.field(description="Milliseconds from first to last, at most.")
    radius_px: float = strawberry.field(description="Largest distance between any two, CSS px.")

    @classmethod
    def of(cls, rule: AppliedRule) -> Self:
        return cls(min_clicks=rule.min_clicks, window_ms=rule.window_ms, radius_px=rule.radius_px)


@strawberry.type(description="Rage bursts on one element, or in one cell where no element is known.")
class RageClick:
    spots: strawberry.Private[Spots]
    spot_id: strawberry.Private[int]
    page_key: str = strawberry.field(
        description="The page's key; where the bursts are on several pages of a URL rule, that of the one with most of them, of equals the first by key."
    )
    page_count: int = strawberry.field(description="Distinct pages these bursts are on: 1 but for a URL rule.")
    x: float = strawberry.field(
        description="CSS px on the standard viewport: median of the bursts' centres not at (0, 0), or the cell's left edge."
    )
    relative_x: float = strawberry.field(
        description="x ÷ the standard viewport's width, which places it on any other; 1 is the right edge."
    )
    y: int = strawberry.field(
        description="CSS px from the top of the page (of the viewport for fixed elements): median, rounded down, or the cell's top edge."
    )
    fixed: bool = strawberry.field(description=ON_FIXED)
    element: PointElement | None = strawberry.field(description="The element; null when the bursts are grouped by cell.")
    count: int = strawberry.field(description="Rage bursts on the element or in the cell.")
    clicks: int = strawberry.field(description="Clicks in these bursts, of all of them together.")
    average_clicks: float = strawberry.field(description="Clicks a burst: clicks ÷ count.")
    max_clicks: int = strawberry.field(description="Clicks of the largest of these bursts.")
    severity: Severity = strawberry.field(description="By averageClicks: LOW below 6, MEDIUM below 10, HIGH from 10.")

    @classmethod
    def from_row(cls, row: dict[str, Any], spots: Spots) -> Self:
        average = row["clicks"] / row["count"]
        return cls(
            spots=spots,
            spot_id=row["spot_id"],
            page_key=row["page_key"],
            page_count=row["page_count"],
            **place(row, spots.asked.lens),
            fixed=bool(row["fixed"]),
            element=element_of(row),
            count=row["count"],
            clicks=row["clicks"],
            average_clicks=average,
            max_clicks=row["max_clicks"],
            severity=_severity(average),
        )

    @strawberry.field(
        description="Sessions that raged here, each once: the largest burst first, then the newest; null without the scope replay:read."
    )
    async def replays(self, info: strawberry.Info[Context], first: SpotReplaysArgument = 3) -> list[SpotReplay] | None:
        return await load_replays(info, self.spots, self.spot_id, first)


@strawberry.type(description="Dead clicks on one element, or in one cell where no element is known.")
class DeadClick:
    spots: strawberry.Private[Spots]
    spot_id: strawberry.Private[int]
    page_key: str = strawberry.field(
        description="The page's key; where the clicks are on several pages of a URL rule, that of the one with most of them, of equals the first by key."
    )
    page_count: int = strawberry.field(description="Distinct pages these clicks are on: 1 but for a URL rule.")
    x: float = strawberry.field(description="CSS px on the standard viewport: median of those not at (0, 0), or the cell's left edge.")
    relative_x: float = strawberry.field(
        description="x ÷ the standard viewport's width, which places it on any other; 1 is the right edge."
    )
    y: int = strawberry.field(
        description="CSS px from the top of the page (of the viewport for fixed elements): median, rounded down, or the cell's top edge."
    )
    fixed: bool = strawberry.field(description=ON_FIXED)
    element: PointElement | None = strawberry.field(description="The element; null when grouped by cell.")
    clicks: int = strawberry.field(description="Dead clicks on the element or in the cell.")
    share: float = strawberry.field(description="These ÷ all clicks of the lens, a fraction.")

    @classmethod
    def from_row(cls, row: dict[str, Any], spots: Spots, lens_clicks: int) -> Self:
        return cls(
            spots=spots,
            spot_id=row["spot_id"],
            page_key=row["page_key"],
            page_count=row["page_count"],
            **place(row, spots.asked.lens),
            fixed=bool(row["fixed"]),
            element=element_of(row),
            clicks=row["clicks"],
            share=row["clicks"] / lens_clicks if lens_clicks else 0,
        )

    @strawberry.field(
        description="Sessions that clicked here in vain, each once, the newest click first; null without the scope replay:read."
    )
    async def replays(self, info: strawberry.Info[Context], first: SpotReplaysArgument = 3) -> list[SpotReplay] | None:
        return await load_replays(info, self.spots, self.spot_id, first)


@strawberry.type(description="A rage spot and its cursor.")
class RageClickEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this spot.")
    node: RageClick = strawberry.field(description="The spot: an element, or a cell where no element is known.")


@strawberry.type(description="Rage spots, most bursts first.")
class RageClickConnection:
    edges: list[RageClickEdge] = strawberry.field(description="The spots with a cursor each.")
    nodes: list[RageClick] = strawberry.field(description="The spots without cursors.")
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    total_count: int = strawberry.field(description="Spots in all, returned or not.")
    total: int = strawberry.field(description="Rage bursts of the lens by this rule, on all spots.")
    rule: AppliedRageRule = strawberry.field(description="The rule that was applied.")

    @classmethod
    def of(cls, spots: Spots, listing: Listing, total: int, rule: AppliedRule) -> Self:
        nodes = [RageClick.from_row(row, spots) for row in listing.rows]
        return cls(
            edges=[RageClickEdge(cursor=cursor, node=node) for cursor, node in zip(listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
            total=total,
            rule=AppliedRageRule.of(rule),
        )


@strawberry.type(description="A dead spot and its cursor.")
class DeadClickEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this spot.")
    node: DeadClick = strawberry.field(description="The spot: an element, or a cell where no element is known.")


def dead_click_measures(selection: Selection) -> tuple[str, ...]:
    """Of the lens, for what is selected of the connection."""
    names = selection.names() | selection.below("nodes") | selection.below("edges", "node")
    return ("clicks", "dead_clicks") if names & {"total", "rate", "share"} else ()


@strawberry.type(description="Spots of dead clicks, most clicks first.")
class DeadClickConnection:
    edges: list[DeadClickEdge] = strawberry.field(description="The spots with a cursor each.")
    nodes: list[DeadClick] = strawberry.field(description="The spots without cursors.")
    page_info: PageInfo = strawberry.field(description=PAGE_INFO)
    total_count: int = strawberry.field(description="Spots in all, returned or not.")
    total: int = strawberry.field(description="Dead clicks of the lens, on all spots.")
    rate: Rate = strawberry.field(description="All dead clicks ÷ all clicks of the lens.")

    @classmethod
    def of(cls, spots: Spots, listing: Listing, totals: dict[str, Any]) -> Self:
        """What was not measured was not selected either."""
        clicks, dead_clicks = totals.get("clicks", 0), totals.get("dead_clicks", 0)
        nodes = [DeadClick.from_row(row, spots, clicks) for row in listing.rows]
        return cls(
            edges=[DeadClickEdge(cursor=cursor, node=node) for cursor, node in zip(listing.cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo.of(listing),
            total_count=listing.total_count,
            total=dead_clicks,
            rate=Rate.subset(dead_clicks, clicks, RateBasis.CLICKS),
        )
