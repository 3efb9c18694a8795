"""Cohorts of a site: listed, made from visitor ids, from a rule or from a lens, and deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from clickhouse.client import Client
from clickhouse.cohorts import (
    Cohort,
    CohortRule,
    compile_add_by_interaction,
    compile_add_by_lens,
    compile_add_by_rule,
    compile_add_members,
    compile_cohorts,
    compile_named,
    compile_sizes,
    insert_cohort,
)
from clickhouse.errors import BadUserInputError
from clickhouse.heatmap import Cell, CellSize
from clickhouse.interactions import InteractionQuestion
from clickhouse.names import MAX_VISITOR_ID_CHARACTERS, checked_name
from clickhouse.reading import Row
from clickhouse.sites import Site
from clickhouse.statement import Statement, portions
from resolvers import cursors, ids
from resolvers.context import Context
from resolvers.heatmaps import Point, cells_of
from resolvers.lenses import AskedLens
from resolvers.listing import Listing, page_size, total_count

MAX_VISITORS = 10_000

Members = Callable[[str], list[Statement]]
"""What adds the members to the cohort of an id."""


def cohort_id(given: str) -> str:
    """A cohort's id, also from the id of its node."""
    try:
        typename, key = ids.decode(given)
    except BadUserInputError:
        return given
    return str(key[1]) if typename == "Cohort" and len(key) == 2 else given


async def list_cohorts(context: Context, site_id: str, first: int, after: str | None) -> Listing:
    """By name."""
    await context.readable_site(site_id)
    binding = cursors.digest("cohorts", site_id)
    begin = cursors.decode(after, binding, (str, str)).values if after is not None else None
    first = page_size(first)
    rows = await context.client_of(site_id).query(compile_cohorts(site_id, None, begin, first))

    def cursor(row: Row) -> str:
        return cursors.encode(binding, cursors.Cursor(cursors.NO_WINDOW, "", (row["name"], row["cohort_id"])))

    def first_page() -> Awaitable[list[Row]]:
        return context.client_of(site_id).query(compile_cohorts(site_id, None, None, 1))

    total = await total_count(rows, first_page if begin else None)
    return Listing.of(rows, first, cursor, has_previous=after is not None, total_count=total)


async def create_cohort(context: Context, site: Site, name: str, members: Members) -> Cohort:
    """The cohort of the name with these members in addition. They come first, so that a cohort that is seen is whole."""
    name = checked_name(name)
    client = context.client_of(site.site_id)
    cohort, exists = await _named(client, site, name)
    if not exists and await client.query(compile_sizes(site.site_id, [cohort.cohort_id])):  # of a creation that did not end
        await client.insert(*insert_cohort(cohort, datetime.now(UTC), deleted=True))
        cohort, exists = await _named(client, site, name)
    for statement in members(cohort.cohort_id):
        await client.command(statement)
    if not exists:
        await client.insert(*insert_cohort(cohort, datetime.now(UTC)))
    context.forget_cohorts()
    return cohort


async def _named(client: Client, site: Site, name: str) -> tuple[Cohort, bool]:
    return Cohort.named(site.site_id, name, await client.query(compile_named(site.site_id, name)))


async def delete_cohort(context: Context, site: Site, key: str) -> bool:
    """Whether there was such a cohort."""
    client = context.client_of(site.site_id)
    found = await client.query(compile_cohorts(site.site_id, [key]))
    if found:
        await client.insert(*insert_cohort(Cohort.from_row(found[0]), datetime.now(UTC), deleted=True))
        context.forget_cohorts()
    return bool(found)


def by_visitors(site: Site, visitors: Sequence[str]) -> Members:
    """The visitors of these ids, whether they were ever seen or not."""
    distinct = list(dict.fromkeys(visitors))
    if not 1 <= len(distinct) <= MAX_VISITORS or not all(1 <= len(visitor) <= MAX_VISITOR_ID_CHARACTERS for visitor in distinct):
        raise BadUserInputError(
            f"members.visitors: 1 to {MAX_VISITORS} ids of 1 to {MAX_VISITOR_ID_CHARACTERS} characters; load more with"
            " `python -m gateway cohorts load`, or by naming the cohort again.",
            argument="members.visitors",
        )
    return lambda key: [compile_add_members(site.site_id, key, portion) for portion in portions(distinct)]


def by_rule(asked: AskedLens, rule: CohortRule) -> Members:
    """`asked` is the whole site in the rule's window."""
    if not (rule.performed or rule.visited_page or rule.traffic_source):
        raise BadUserInputError("members.rule: give at least one of performed, visitedPage and trafficSource.", argument="members.rule")
    return lambda key: [compile_add_by_rule(asked.lens, key, rule)]


def by_lens(asked: AskedLens) -> Members:
    """Everybody who left any row in the lens."""
    return lambda key: [compile_add_by_lens(asked.lens, asked.page_keys, key)]


def by_interaction(asked: AskedLens, kind: str, points: list[Point] | None, size: CellSize | None, selector: str | None) -> Members:
    """Everybody with such an interaction; of points as the map shows them, without those at (0, 0)."""
    if selector == "":
        raise BadUserInputError("selector: it is empty; leave it out, or name an element.", argument="selector")
    cell = Cell.of(asked.lens, size)
    cells = None if points is None else cells_of(points, cell)
    question = InteractionQuestion(kind, cell, cells is not None, 0, cells)
    return lambda key: [compile_add_by_interaction(asked.lens, asked.page_keys, key, question, selector)]
