"""Listing pages by any of their numbers, and the numbers of one page."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from clickhouse.pages import compile_tracked_by_rule
from clickhouse.reading import Row
from clickhouse.sites import PLANS
from clickhouse.totals import LENS_EXTENT, TOTALS, compile_measures, compile_pages, measures_afterwards, sort_column
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import Listing, page_size, total_count

MIN_SESSIONS = 1000
"""The usual minimum before a conclusion."""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """`order` is a PageOrderField, `measures` are wanted of each page; `with_total` counts all pages."""

    search: str | None
    order: str
    descending: bool
    first: int
    after: str | None
    measures: tuple[str, ...]
    with_total: bool


async def list_pages(context: Context, asked: AskedLens, query: PageQuery) -> Listing:
    """Pages of the lens."""
    binding = asked.binding("pages", query.search, query.order, query.descending)
    by_key, sorted_by = query.order == "KEY", sort_column(query.order)
    asked, after = asked.resumed(context, query.after, binding, (str,) if by_key else (float, str))
    first = page_size(query.first)
    source = context.sources.of(asked.site.site_id)
    later = measures_afterwards(asked.lens, query.order, query.measures)
    at_once = tuple(name for name in query.measures if name not in later)
    statement = compile_pages(asked.lens, query.search, query.order, query.descending, first, after, at_once, query.with_total)
    rows = await source.client.query(statement)
    if later and rows:
        shown = tuple(row["page"] for row in rows[:first])
        measured = await source.client.query(compile_measures(replace(asked.lens, url=None), shown, later))
        numbers = {row["page"]: row for row in measured}
        rows = [row | numbers.get(row["page"], {}) for row in rows]

    def cursor(row: Row) -> str:
        return asked.cursor(binding, row["page"]) if by_key else asked.cursor(binding, float(row[sorted_by]), row["page"])

    def first_page() -> Awaitable[list[Row]]:
        return source.client.query(compile_pages(asked.lens, query.search, query.order, query.descending, 1, None, (), with_total=True))

    total = await total_count(rows, first_page if after else None, "pages_total") if query.with_total else 0
    listing = Listing.of(rows, first, cursor, has_previous=after is not None, total_count=total)
    return replace(listing, rows=[row | dict.fromkeys(source.unknown_measures) for row in listing.rows])


async def load_totals(context: Context, asked: AskedLens, measures: tuple[str, ...] = tuple(TOTALS)) -> Row:
    """The measures; without any row every count is 0 and everything else unknown. What the source's layout does not tell is None."""
    rows = await context.answers.load(asked.measures(measures)) if measures else []
    row = rows[0] if rows else dict.fromkeys(measures, 0) | {"sample_rate": None}
    return row | dict.fromkeys(context.sources.of(asked.site.site_id).unknown_measures)


async def load_extent(context: Context, asked: AskedLens) -> Row:
    """sessions, pages and sample_rate of the lens."""
    return await load_totals(context, asked, ("sessions", *LENS_EXTENT))


def warnings(asked: AskedLens, extent: Row, partial: bool, covers_all: bool) -> list[str]:
    """What speaks against taking the numbers of the lens as they are: shards that did not answer, what the plan cuts off, a thin sample."""
    plan, sessions, rate = asked.site.plan, extent["sessions"], extent["sample_rate"] or 100
    sampled, few = rate < 100, sessions < MIN_SESSIONS
    found = {
        "Some shards of the data source did not answer: their visitors are missing from every number. Ask again in a moment.": partial,
        "The plan's retention cut off the beginning of the window: see `window` beside `requestedWindow`.": asked.clamped,
        f"The {plan} plan covers {PLANS[plan].max_pages} pages, the first ones seen: what the URL rule matches beyond them is missing.": not covers_all,
        f"The tracker recorded as few as {rate:g} % of the sessions, and counts are of these.": sampled,
        f"{sessions} sessions: {MIN_SESSIONS} are the usual minimum before a conclusion; widen the window or the segment.": few,
    }
    return [text for text, holds in found.items() if holds]


async def status(context: Context, asked: AskedLens, sessions: int) -> str:
    """OK, EMPTY (tracked, but nothing in this lens), PLAN_REQUIRED (only pages beyond the plan's) or NOT_TRACKED (no heatmap rows ever)."""
    if sessions:
        return "OK"
    if asked.page_key is not None:
        page = await context.page(asked.site, asked.page_key)
        return "EMPTY" if page and page["has_heat"] else "NOT_TRACKED"
    assert asked.lens.url is not None
    statement = compile_tracked_by_rule(asked.site.site_id, asked.lens.url, asked.lens.tracked_pages)
    row = (await context.client_of(asked.site.site_id).query(statement))[0]
    return "EMPTY" if row["has_heat"] else "PLAN_REQUIRED" if row["not_covered"] else "NOT_TRACKED"
