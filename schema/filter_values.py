"""Values that a segment can name."""

from __future__ import annotations

import strawberry

from schema.definitions import PAGEVIEWS, SESSIONS, VISITORS


@strawberry.type(description="A value of a dimension, with what a segment narrowed to it holds.")
class FilterValue:
    value: str = strawberry.field(description="The value, as a segment takes it; unknown ones are left out.")
    pageviews: int = strawberry.field(description=PAGEVIEWS)
    visitors: int = strawberry.field(description=VISITORS)
    sessions: int = strawberry.field(description=SESSIONS)
