"""What a field costs, declared once: printed into the SDL as @cost and @listSize, and counted by the gateway before it executes.

    @strawberry.field(description="…", directives=[STATEMENT, PAGED])

A field costs its @cost (0 without one), and for each object it may return the weight of the type (1 without a @cost) and what is
selected of it; scalars are free, and a list item in an argument costs 1. `assumedSize` is the most a list ever has: a larger
slicing argument counts as it (DEPTHS may be longer). Wide lists are written by ClickHouse, so that a row costs 1 whatever is selected of it.
"""

from __future__ import annotations

from strawberry import UNSET
from strawberry.federation.schema_directives import Cost, ListSize

from clickhouse.element_marks import MAX_CHANGES
from resolvers.discovery import MAX_VALUES
from resolvers.listing import MAX_NODES, MAX_PAGE_SIZE, MAX_POINTS

STATEMENT = Cost(weight=10)
"""Asks ClickHouse."""

CHANGE = Cost(weight=10_000)
"""Writes: rows of its own, and answers that were kept are asked anew. Twenty in a request are still less than a query may cost."""

PATTERN = Cost(weight=100)
"""A pattern to match every URL with."""

EVENT = Cost(weight=100)
"""An event that was performed: a subquery of every statement below."""

FREE = Cost(weight=0)
"""A part of a row that comes with it."""


def _sliced(most: int, *sized_fields: str) -> ListSize:
    return ListSize(
        assumed_size=most, slicing_arguments=["first"], sized_fields=list(sized_fields) or UNSET, require_one_slicing_argument=False
    )


def _assumed(size: int) -> ListSize:
    return ListSize(assumed_size=size, slicing_arguments=UNSET, sized_fields=UNSET, require_one_slicing_argument=False)


PAGED = _sliced(MAX_PAGE_SIZE, "edges", "nodes")
POINTS = _sliced(MAX_POINTS, "points")
CELLS = _sliced(MAX_POINTS)
VALUES = _sliced(MAX_VALUES)
CHANGES = _sliced(MAX_PAGE_SIZE)
NODES = _assumed(MAX_NODES)
MARK_CHANGES = _assumed(MAX_CHANGES)
DEPTHS = _assumed(100)
"""Of a page 10 000 px high by the default step. A finer one gives up to 2000 rows, but counted as so many ordinary ones were too dear."""

TIMELINE = _assumed(1000)
