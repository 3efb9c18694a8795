"""Listing pages by any of their numbers, and the numbers of one page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clickhouse.pages import compile_tracked_by_rule
from clickhouse.totals import LENS_EXTENT, TOTALS, compile_pages
from resolvers.context import Context
from resolvers.lenses import AskedLens, page_size
from resolvers.listing import Listing
from resolvers.questions import Row

MAX_PAGES = 100


@dataclass(frozen=True, slots=True)
class PageQuery:
    """`order` is a PageOrderField."""

    search: str | None
    order: str
    descending: bool
    first: int
    after: str | None


async def list_pages(context: Context, asked: AskedLens, query: PageQuery) -> tuple[AskedLens, Listing]:
    """Pages of the lens, and the lens itself: that of the cursor when it continues a sequence."""
    binding = asked.binding("pages", query.search, query.order, query.descending)
    by_key = query.order == "KEY"
    asked, after = asked.resumed(query.after, binding, (str,) if by_key else (float, str))
    first = page_size(query.first, MAX_PAGES)
    statement = compile_pages(asked.lens, query.search, query.order, query.descending, first, after)
    rows = await context.client_of(asked.site.site_id).query(statement)

    def cursor(row: Row) -> str:
        return asked.cursor(binding, row["page"]) if by_key else asked.cursor(binding, float(row["sort_value"]), row["page"])

    total = rows[0]["pages_total"] if rows else 0
    return asked, Listing.of(rows, first, cursor, has_previous=after is not None, total_count=total)


async def load_totals(context: Context, asked: AskedLens) -> Row:
    """The numbers of PageTotals."""
    return await _measure(context, asked, TOTALS)


async def load_extent(context: Context, asked: AskedLens) -> Row:
    """sessions, pages and sample_rate of the lens."""
    return await _measure(context, asked, ("sessions", *LENS_EXTENT))


async def _measure(context: Context, asked: AskedLens, names: Iterable[str]) -> Row:
    """Without any row every count is 0 and everything else unknown."""
    rows = await context.answers.load(asked.measures(names))
    return rows[0] if rows else dict.fromkeys(names, 0) | {"sample_rate": None}


async def status(context: Context, asked: AskedLens, sessions: int) -> str:
    """OK, EMPTY (tracked, but nothing in this lens) or NOT_TRACKED (no heatmap rows ever)."""
    if sessions:
        return "OK"
    if asked.page_key is not None:
        page = await context.page(asked.site, asked.page_key)
        return "EMPTY" if page and page["has_heat"] else "NOT_TRACKED"
    assert asked.lens.url is not None
    rows = await context.client_of(asked.site.site_id).query(compile_tracked_by_rule(asked.site.site_id, asked.lens.url))
    return "EMPTY" if rows and rows[0]["has_heat"] else "NOT_TRACKED"
