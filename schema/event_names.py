"""Names of events."""

from __future__ import annotations

import strawberry


@strawberry.type(description="The events of one name in a window.")
class EventName:
    name: str = strawberry.field(description="The name, as `performed` takes it, and `event` up to 200 characters.")
    events: int = strawberry.field(description="Events of this name in the window.")
    sessions: int = strawberry.field(description="Distinct sessions with at least one of them.")
    is_conversion: bool = strawberry.field(
        description="Whether any of them has `conversion: true` or a `value`, and so counts where no event is named."
    )
