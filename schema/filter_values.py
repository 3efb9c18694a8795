"""Values that a segment can name."""

from __future__ import annotations

import strawberry


@strawberry.type(description="A value of a dimension, with what a segment narrowed to it holds.")
class FilterValue:
    value: str = strawberry.field(description="The value, as a segment takes it.")
    pageviews: int = strawberry.field(description="Pageviews.")
    visitors: int = strawberry.field(description="Distinct visitors.")
    sessions: int = strawberry.field(description="Distinct sessions.")
