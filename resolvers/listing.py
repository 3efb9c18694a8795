"""One page of a connection: rows, the cursor of each, and whether more follow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from clickhouse.errors import BadUserInputError
from clickhouse.reading import Row

MAX_PAGE_SIZE = 100
MAX_POINTS = 100_000
MAX_NODES = 100
MAX_SEARCH_CHARACTERS = 2048


@dataclass(frozen=True, slots=True)
class Listing:
    """`rows` and `cursors` go together; `total_count` is of the whole list."""

    rows: list[Row]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    total_count: int

    @classmethod
    def of(cls, rows: list[Row], first: int, cursor: Callable[[Row], str], *, has_previous: bool, total_count: int) -> Listing:
        """`rows` are at most first + 1: the last only tells that more follow."""
        shown = rows[:first]
        return cls(shown, [cursor(row) for row in shown], len(rows) > first, has_previous, total_count)


def page_size(first: int, most: int = MAX_PAGE_SIZE) -> int:
    """`first` within 1 … most: what is asked for beyond counts as the nearest of these."""
    return max(1, min(first, most))


def search_text(search: str | None) -> str | None:
    """What a list is searched for; None for nothing."""
    if search and len(search) > MAX_SEARCH_CHARACTERS:
        raise BadUserInputError(f"search: at most {MAX_SEARCH_CHARACTERS} characters.", argument="search")
    return search or None


async def total_count(rows: list[Row], first_page: Callable[[], Awaitable[list[Row]]] | None, column: str = "total_count") -> int:
    """Every row bears the length of the whole list. `first_page` is asked where none came: behind the last cursor; None without a cursor."""
    if not rows and first_page:
        rows = await first_page()
    return int(rows[0][column]) if rows else 0
