"""Connections in Relay's shape, paged by keyset cursors."""

from __future__ import annotations

from typing import Self

import strawberry

from resolvers.listing import Listing


@strawberry.federation.type(shareable=True, description="Where a page of a list stands.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow after this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page began after a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first entry, null when there is none.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last entry: pass it as `after` for the next page.")

    @classmethod
    def of(cls, listing: Listing) -> Self:
        start, end = (listing.cursors[0], listing.cursors[-1]) if listing.cursors else (None, None)
        return cls(has_next_page=listing.has_next, has_previous_page=listing.has_previous, start_cursor=start, end_cursor=end)
