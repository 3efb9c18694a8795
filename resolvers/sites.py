"""The sites a key may read."""

from __future__ import annotations

from clickhouse.lens import Window
from clickhouse.sites import Site, compile_site_count, compile_sites
from resolvers import cursors
from resolvers.context import Context
from resolvers.lenses import page_size
from resolvers.listing import Listing

MAX_SITES = 100
_ALWAYS = Window(cursors.instant(0), cursors.instant(0))


async def list_sites(context: Context, first: int, after: str | None) -> tuple[Listing, list[Site]]:
    """By id."""
    visible = context.key.visible_site_ids
    binding = cursors.digest("sites", sorted(visible) if visible is not None else None)
    begin = cursors.decode(after, binding, (str,)).values[0] if after else None
    first = page_size(first, MAX_SITES)
    rows = await context.client.query(compile_sites(visible, begin, first))
    total = (await context.client.query(compile_site_count(visible)))[0]["sites"]

    def cursor(row: dict[str, object]) -> str:
        return cursors.encode(binding, cursors.Cursor(_ALWAYS, "", (row["site_id"],)))

    listing = Listing.of(rows, first, cursor, has_previous=after is not None, total_count=total)
    return listing, [Site.from_row(row) for row in listing.rows]
