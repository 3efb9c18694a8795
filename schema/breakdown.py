"""Rows of a breakdown: by device, country, traffic source and the like."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.definitions import CLICKS, DEAD_CLICKS_TOLD, RAGE_CLICKS, SESSIONS, VISITORS
from schema.enums import Dimension
from schema.rate import Rate


@strawberry.type(
    description="The sessions of one value of a dimension. A session counts under one value, that of its first row, with all it did, so that"
    " sessions, pageviews and clicks of the rows add up to the totals; a visitor who came under two values counts in both rows."
)
class BreakdownRow:
    value: str | None = strawberry.field(
        description="The value, as a segment takes it; null in the row of the others, and when unknown, which a segment takes as an empty text."
    )
    label: str = strawberry.field(description="The value, else `Unknown` or `Other`.")
    is_other: bool = strawberry.field(description="Whether it is the last row: all values that did not fit into `first`, together.")
    pageviews: int = strawberry.field(description="Pageviews, each once; below an element 0, as pageviews are on no element.")
    visitors: int = strawberry.field(description=VISITORS)
    sessions: int = strawberry.field(description=SESSIONS)
    clicks: int = strawberry.field(description=CLICKS)
    rage_clicks: int = strawberry.field(description=RAGE_CLICKS)
    dead_clicks: int = strawberry.field(description=DEAD_CLICKS_TOLD)
    share: Rate = strawberry.field(description="sessions ÷ the sessions of all rows, a fraction.")


ByArgument = Annotated[Dimension, strawberry.argument(description="What to tell visits apart by.")]
FirstValuesArgument = Annotated[
    int | None, strawberry.argument(description="At most so many values, 1 to 1000; any other counts as the nearest of these.")
]
