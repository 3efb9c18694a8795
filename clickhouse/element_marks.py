"""What people say about elements: a name, call to action, fixed or not, deleted; and what that changes in the rows.

A mark is one row per element, replaced as a whole; the latest `updated_at` counts, and it says who made it. Each is also added
to `mark_changes`, which keeps them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from clickhouse import clock
from clickhouse.insert import Insert
from clickhouse.lens import Lens
from clickhouse.statement import Params, Statement


@dataclass(frozen=True, slots=True)
class Mark:
    """`is_fixed` None: as the tracker said. `updated_by` is a key's id; both are empty on an element that was never marked."""

    site_id: str
    page_key: str
    selector: str
    name: str = ""
    is_cta: bool = False
    is_fixed: bool | None = None
    deleted: bool = False
    updated_by: str = ""
    updated_at: datetime | None = None

    def says_as(self, other: Mark) -> bool:
        """Whether it says the same, whoever made it."""
        return replace(self, updated_by="", updated_at=None) == replace(other, updated_by="", updated_at=None)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Mark:
        by = row["updated_by"]
        is_fixed = None if row["is_fixed"] is None else bool(row["is_fixed"])
        key = (row["site_id"], row["page_key"], row["selector"])
        at = row["updated_at"].replace(tzinfo=UTC) if by else None
        return cls(*key, row["name"], bool(row["is_cta"]), is_fixed, bool(row["deleted"]), by, at)


def compile_marks(site_id: str, keys: tuple[tuple[str, str], ...]) -> Statement:
    """Rows for `Mark.from_row`, one for each (page key, selector) that was ever marked."""
    params = Params()
    return Statement.of(
        [
            "SELECT site_id, page_key, selector, name, is_cta, is_fixed, deleted, updated_by, updated_at",
            "FROM element_marks FINAL",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND (page_key, selector) IN {params.bind(list(keys), 'Array(Tuple(String, String))')}",
        ],
        params,
    )


MAX_CHANGES = 100


def compile_mark_changes(site_id: str, keys: tuple[tuple[str, str], ...]) -> Statement:
    """One row for each (page key, selector) that was ever marked: `changes`, the latest marks, newest first, for `marks_of`."""
    params = Params()
    made = "(toUnixTimestamp64Milli(updated_at), updated_by, name, is_cta, is_fixed, deleted)"
    return Statement.of(
        [
            f"SELECT page_key, selector, arrayReverseSort(groupArray({made})) AS changes",
            "FROM (",
            "SELECT *",
            "FROM mark_changes",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND (page_key, selector) IN {params.bind(list(keys), 'Array(Tuple(String, String))')}",
            "ORDER BY updated_at DESC",
            f"LIMIT {MAX_CHANGES + 1} BY page_key, selector",
            ")",
            "GROUP BY page_key, selector",
        ],
        params,
    )


def marks_of(place: tuple[str, str, str], changes: Sequence[tuple[int, str, str, bool, bool | None, bool]]) -> list[Mark]:
    """The marks of a row of `compile_mark_changes`, and the first one's predecessor last."""
    made = [
        Mark(*place, name, bool(is_cta), None if is_fixed is None else bool(is_fixed), bool(deleted), by, clock.instant(ms))
        for ms, by, name, is_cta, is_fixed, deleted in changes
    ]
    return made if len(made) > MAX_CHANGES else [*made, Mark(*place)]


def insert_mark(before: Mark, after: Mark, by: str, now: datetime) -> Insert:
    """Replaces the mark."""
    made = replace(after, updated_by=by, updated_at=clock.later(now, before.updated_at))
    columns = tuple(Mark.__slots__)
    return Insert("element_marks", columns, [tuple(getattr(made, column) for column in columns)])


def record_mark(before: Mark, after: Mark, by: str, now: datetime) -> list[Insert]:
    """The change and, last, the mark it makes."""
    mark = insert_mark(before, after, by, now)
    return [mark._replace(table="mark_changes"), mark]


def cta_clause(lens: Lens, params: Params) -> str:
    """Rows on elements that are marked as a call to action."""
    return marked_clause("is_cta AND NOT deleted", lens, params)


def deleted_clause(lens: Lens, params: Params) -> str:
    """Rows on deleted elements."""
    return marked_clause("deleted", lens, params)


def from_interactions(lens: Lens, params: Params) -> list[str]:
    """FROM interactions, in which `fixed` is what an element, a deleted one too, was marked as, else what the tracker said.

    `y` stays as sent: where the page stood when a marked element was clicked is not known.
    """
    if not lens.has_fixed_marks:
        return ["FROM interactions"]
    return [
        "FROM (",
        f"SELECT * REPLACE ({fixed_clause(lens, params)} AS fixed), row_id, url",
        "FROM interactions",
        ")",
    ]


def fixed_clause(lens: Lens, params: Params) -> str:
    """Rows that `from_interactions` gives as fixed."""
    if not lens.has_fixed_marks:
        return "fixed"
    fixed, scrolling = (marked_clause(condition, lens, params) for condition in ("is_fixed", "NOT is_fixed"))
    return f"({fixed}) OR (fixed AND NOT {scrolling})"


def marked_clause(condition: str, lens: Lens, params: Params) -> str:
    """Rows on elements whose mark meets the condition."""
    return (
        "(page_key, selector) IN (SELECT page_key, selector FROM element_marks FINAL"
        f" WHERE site_id = {params.site(lens.site_id)} AND {condition})"
    )
