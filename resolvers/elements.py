"""Elements under a lens, what an element is whatever the lens, and the action menu that marks them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from clickhouse.breakdown import BreakdownQuestion
from clickhouse.element_marks import Mark, marks_of, record_mark
from clickhouse.elements import (
    ElementScope,
    ElementSort,
    ElementsQuestion,
    GroupKey,
    compile_element_breakdown,
    compile_element_conversions,
    compile_element_stats,
    compile_elements,
    compile_fixed_by_mark,
    compile_unattributed,
)
from clickhouse.errors import BadUserInputError, NotFoundError
from clickhouse.names import MAX_NAME_CHARACTERS
from clickhouse.reading import Row
from clickhouse.selection import Selection
from resolvers import cursors
from resolvers.context import Context
from resolvers.conversions import event_name
from resolvers.discovery import MAX_VALUES
from resolvers.lenses import AskedLens, absolute_url, seen_page
from resolvers.listing import Listing, page_size, total_count
from resolvers.questions import Question

POPULATION = ("pageviews", "sessions", "visitors", "clicks")
"""Measures of the lens that rates of elements are out of."""


@dataclass(frozen=True, slots=True)
class ElementQuery:
    """`wanted` are those of OPTIONAL, and `population` those of POPULATION, that are asked for."""

    scope: ElementScope
    sort: ElementSort
    first: int
    after: str | None
    wanted: frozenset[str]
    population: frozenset[str]


@dataclass(frozen=True, slots=True)
class ElementAnswer:
    """What a page's element is and how it is marked; `row` is None for one that was never told nor clicked."""

    row: Row | None
    mark: Mark


# -- under a lens


async def list_elements(context: Context, asked: AskedLens, query: ElementQuery) -> tuple[AskedLens, Listing, Row]:
    """The rows of the list, the lens they were found under (that of the cursor), and its population."""
    binding = asked.binding("elements", query.scope, query.sort)
    asked, after = asked.resumed(context, query.after, binding, (float, str, cursors.UINT8))
    first = page_size(query.first)
    question = ElementsQuestion(query.scope, query.sort, first, after, query.wanted)
    rows, population = await asyncio.gather(
        context.answers.load(asked.list_question(compile_elements, question)), load_population(context, asked, query.population)
    )

    def cursor(row: Row) -> str:
        return asked.cursor(binding, float(row["sort_value"]), row["key"], int(row["by_selector"]))

    def first_page() -> Awaitable[list[Row]]:
        return context.answers.load(asked.list_question(compile_elements, replace(question, first=1, after=None)))

    total = await total_count(rows, first_page if after else None)
    return asked, Listing.of(rows, first, cursor, has_previous=after is not None, total_count=total), population


async def load_stats(
    context: Context, asked: AskedLens, selector: str, wanted: frozenset[str], population_wanted: frozenset[str]
) -> tuple[Row | None, Row]:
    """What one element did, None when it is unknown or deleted; and the lens's population."""
    if not selector:  # as clicks on no element are stored
        return None, {}
    question = Question(compile_element_stats, asked.lens, asked.page_key, (wanted,), measures=(selector,))
    rows, population = await asyncio.gather(context.answers.load(question), load_population(context, asked, population_wanted))
    return next((row for row in rows if row["key"] == selector), None), population


async def load_population(context: Context, asked: AskedLens, wanted: frozenset[str]) -> Row:
    """POPULATION, 0 where it is not wanted."""
    rows = await context.answers.load(asked.measures(sorted(wanted))) if wanted else []
    return dict.fromkeys(POPULATION, 0) | (rows[0] if rows else {})


async def load_unattributed(context: Context, asked: AskedLens) -> int:
    rows = await context.answers.load(asked.question(compile_unattributed))
    return int(rows[0]["unattributed"]) if rows else 0


async def load_fixed_by_mark(context: Context, asked: AskedLens) -> int:
    if not asked.lens.has_fixed_marks:
        return 0
    rows = await context.answers.load(asked.question(compile_fixed_by_mark))
    return int(rows[0]["fixed_by_mark"]) if rows else 0


async def load_breakdown(
    context: Context, asked: AskedLens, scope: ElementScope, key: GroupKey, dimension: str, first: int, selection: Selection
) -> bytes:
    """A JSON array: most sessions first, the others together last."""
    breakdown = BreakdownQuestion(dimension, page_size(first, MAX_VALUES), selection)
    row = await _of_element(context, Question(compile_element_breakdown, asked.lens, asked.page_key, (scope, breakdown), (key,)))
    return bytes(row["rows"]) if row else b"[]"


# -- conversions


async def load_conversions(context: Context, asked: AskedLens, scope: ElementScope, key: GroupKey, event: str | None) -> Row:
    """conversions and revenue_micros by currency."""
    question = Question(compile_element_conversions, asked.lens, asked.page_key, (scope, event_name(event)), (key,))
    return await _of_element(context, question) or {"conversions": 0, "revenue_micros": {}}


def element_sort(by: str, descending: bool, event: str | None) -> ElementSort:
    """`by` is an ElementOrderField."""
    if event is not None and by != "CONVERSIONS":
        raise BadUserInputError(f"orderBy.event: goes with field CONVERSIONS, not {by}.", argument="orderBy.event")
    return ElementSort(by, descending, event_name(event, "orderBy.event"))


async def _of_element(context: Context, question: Question) -> Row | None:
    """The one row of the element that the question's measures name."""
    rows = await context.answers.load(question)
    return next((row for row in rows if (row["by_selector"], row["key"]) == question.measures[0]), None)


# -- whatever the lens


async def load_element(context: Context, site_id: str, page_key: str, selector: str) -> ElementAnswer:
    key = (site_id, page_key, selector)
    row, mark = await asyncio.gather(context.elements.load(key), context.marks.load(key))
    return ElementAnswer(row, mark)


async def find_element(context: Context, site_id: str, page_key: str, selector: str) -> ElementAnswer | None:
    """None when the page or the element was never seen."""
    site = await context.readable_site(site_id)
    seen = await seen_page(context, site, page_key, "pageKey") if selector else None
    found = await load_element(context, site_id, seen[0], selector) if seen else None
    return found if found and (found.row or found.mark.updated_by) else None


async def list_changes(context: Context, site_id: str, page_key: str, selector: str) -> list[tuple[Mark, Mark]]:
    """What was said of the element and what before that, newest first."""
    key = (site_id, page_key, selector)
    row = await context.mark_changes.load(key)
    return [(after, before) for after, before in pairwise(marks_of(key, row["changes"])) if not after.says_as(before)] if row else []


# -- the action menu


async def rename(context: Context, site_id: str, page_key: str, selector: str, name: str | None) -> ElementAnswer:
    """None or blank takes the name away."""
    text = (name or "").strip()
    if len(text) > MAX_NAME_CHARACTERS:
        raise BadUserInputError(f"name: at most {MAX_NAME_CHARACTERS} characters.", argument="name")
    return await _change(context, site_id, page_key, selector, lambda mark: replace(mark, name=text))


async def mark(context: Context, site_id: str, page_key: str, selector: str, changes: dict[str, bool | None]) -> ElementAnswer:
    """`changes` are of is_cta and is_fixed."""
    if not changes:
        raise BadUserInputError("markElement: say cta, fixed or both; `fixed: null` is as the tracker says.", argument="cta")
    return await _change(context, site_id, page_key, selector, lambda before: replace(before, **changes))  # type: ignore[arg-type]


async def set_deleted(context: Context, site_id: str, page_key: str, selector: str, deleted: bool) -> ElementAnswer:
    return await _change(context, site_id, page_key, selector, lambda mark: replace(mark, deleted=deleted))


async def _change(context: Context, site_id: str, page_key: str, selector: str, change: Callable[[Mark], Mark]) -> ElementAnswer:
    """Writes the mark if that changes it, so that asking twice is recorded once."""
    site = await context.readable_site(site_id, "element:write")
    if not selector:
        raise BadUserInputError("selector: it is empty; name an element, as `insights { elements }` lists them.", argument="selector")
    key = (site_id, absolute_url(page_key, "pageKey"), selector)
    before = await load_element(context, *key)
    if await context.page(site, key[1]) is None or (before.row is None and not before.mark.updated_by):
        raise NotFoundError("This page has no such element; `insights { elements }` lists those it has.", pageKey=key[1], selector=selector)
    after = change(before.mark)
    if after != before.mark:
        for insert in record_mark(before.mark, after, context.key.key_id, context.now):
            await context.client_of(site_id).insert(*insert)
        context.forget_marks(key)
    return await load_element(context, *key)
