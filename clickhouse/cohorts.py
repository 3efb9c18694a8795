"""Cohorts: named sets of a site's visitors, by their ids, by a rule of what they did, or by a lens that saw them.

A cohort's id follows from site and name, so that naming it again adds to the same cohort and adding the same visitors
again changes nothing. Who is in it is settled when they are added: a rule is not asked again later.

Deleting is a mark, which works on any cluster: the id is used up, and the next cohort of the name gets another one.
The members of a used id are asked for by nobody, and `python -m gateway cohorts delete` takes them away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from clickhouse import clock
from clickhouse.conditions import lens_clauses, window_clauses
from clickhouse.element_marks import from_interactions
from clickhouse.insert import Insert
from clickhouse.interactions import InteractionQuestion, interaction_clauses
from clickhouse.lens import Lens, PerformedEvent, Segment, UrlRule
from clickhouse.reading import Limits
from clickhouse.statement import Params, Statement, union_all, where_all

MAX_EXECUTION_S = 30


@dataclass(frozen=True, slots=True)
class Cohort:
    site_id: str
    cohort_id: str
    name: str
    created_at: datetime = field(default_factory=clock.now, compare=False)
    updated_at: datetime | None = field(default=None, compare=False)
    """None for a cohort that is not stored yet."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        created_at, updated_at = (row[column].replace(tzinfo=UTC) for column in ("created_at", "updated_at"))
        return cls(row["site_id"], row["cohort_id"], row["name"], created_at, updated_at)

    @classmethod
    def named(cls, site_id: str, name: str, rows: Sequence[Mapping[str, Any]]) -> tuple[Self, bool]:
        """The cohort of a name by the rows of `compile_named`, and whether it is there already."""
        if rows and not rows[0]["deleted"]:
            return cls.from_row(rows[0]), True
        return cls(site_id, cohort_id_of(site_id, name, len(rows)), name), False


def cohort_id_of(site_id: str, name: str, used: int = 0) -> str:
    """`used` is how many ids of the name are used up."""
    return "co_" + hashlib.sha256("\n".join([site_id, name, *([str(used)] if used else [])]).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CohortRule:
    """Who did all of it, each in any session."""

    performed: tuple[PerformedEvent, ...] = ()
    visited_page: UrlRule | None = None
    traffic_source: tuple[str, ...] = ()


def compile_cohorts(
    site_id: str, cohort_ids: Collection[str] | None = None, after: tuple[str, str] | None = None, first: int | None = None
) -> Statement:
    """Rows for `Cohort.from_row`, deleted ones left out, by name; None is every cohort, `first` asks for one more row than that.

    `after` is (name, id) of the last one seen; `total_count` in every row is the number of all of them.
    """
    params = Params()
    where = [f"site_id = {params.site(site_id)}", "NOT deleted"]
    if cohort_ids is not None:
        where.append(f"cohort_id IN {params.texts(tuple(sorted(cohort_ids)))}")
    return Statement.of(
        [
            "SELECT *",
            "FROM (",
            "SELECT site_id, cohort_id, name, created_at, updated_at, count() OVER () AS total_count",
            "FROM cohorts FINAL",
            where_all(where),
            ")",
            *([f"WHERE (name, cohort_id) > ({params.text(after[0])}, {params.text(after[1])})"] if after else []),
            "ORDER BY name, cohort_id",
            *([f"LIMIT {params.bind(first + 1, 'UInt32')}"] if first is not None else []),
        ],
        params,
    )


def compile_named(site_id: str, name: str) -> Statement:
    """Rows for `Cohort.from_row` and `Cohort.named`: every cohort that ever had the name, deleted ones last."""
    params = Params()
    return Statement.of(
        [
            "SELECT site_id, cohort_id, name, created_at, updated_at, deleted",
            "FROM cohorts FINAL",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND name = {params.text(name)}",
            "ORDER BY deleted, created_at, cohort_id",
        ],
        params,
    )


def compile_sizes(site_id: str, cohort_ids: Collection[str]) -> Statement:
    """cohort_id and size, the number of distinct visitors, of those that have any."""
    params = Params()
    return Statement.of(
        [
            "SELECT toString(cohort_id) AS cohort_id, uniqExact(visitor_id) AS size",
            "FROM cohort_members",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND cohort_id IN {params.texts(tuple(sorted(cohort_ids)))}",
            "GROUP BY cohort_id",
        ],
        params,
    )


def insert_cohort(cohort: Cohort, now: datetime, *, deleted: bool = False) -> Insert:
    """Creates the cohort or replaces its name; its members are written on their own."""
    row = {
        "site_id": cohort.site_id,
        "cohort_id": cohort.cohort_id,
        "name": cohort.name,
        "created_at": cohort.created_at,
        "deleted": deleted,
        "updated_at": clock.later(now, cohort.updated_at),
    }
    return Insert("cohorts", tuple(row), [tuple(row.values())])


def compile_add_members(site_id: str, cohort_id: str, visitor_keys: Sequence[str]) -> Statement:
    """Adds visitors by their ids as sent; one that is there already changes nothing. A few thousand a statement."""
    params = Params()
    return Statement.of(
        [
            "INSERT INTO cohort_members (site_id, cohort_id, visitor_id)",
            f"SELECT {params.site(site_id)}, {params.text(cohort_id)}, cityHash64(arrayJoin({params.texts(tuple(visitor_keys))}))",
        ],
        params,
    )


def compile_add_by_rule(lens: Lens, cohort_id: str, rule: CohortRule) -> Statement:
    """Adds the visitors who did all the rule says in the lens's window; the lens is the whole site's, without a segment."""
    params = Params()
    conditions = [_performed(lens, event, params) for event in rule.performed]
    if rule.visited_page:
        visited = lens_clauses(replace(lens, url=rule.visited_page), (), params)
        conditions.append(["SELECT visitor_id", "FROM pageviews", where_all(visited)])
    if rule.traffic_source:
        conditions.append(_seen(replace(lens, segment=Segment(traffic_source=rule.traffic_source)), (), params))
    joined = [line for condition in conditions for line in ("INTERSECT DISTINCT", "(", *condition, ")")][1:]
    return _add(lens.site_id, cohort_id, ["SELECT visitor_id", "FROM (", *joined, ")"], params)


def compile_add_by_lens(lens: Lens, page_keys: tuple[str, ...], cohort_id: str) -> Statement:
    """Adds everybody who left any row in the lens."""
    params = Params()
    return _add(lens.site_id, cohort_id, ["SELECT visitor_id", "FROM (", *_seen(lens, page_keys, params), ")"], params)


def compile_add_by_interaction(
    lens: Lens, page_keys: tuple[str, ...], cohort_id: str, question: InteractionQuestion, selector: str | None
) -> Statement:
    """Adds the visitors behind the interactions of the question, if a selector is given those on that element only."""
    params = Params()
    where = interaction_clauses(lens, page_keys, question, params)
    if selector is not None:
        where.append(f"selector = {params.text(selector)}")
    return _add(lens.site_id, cohort_id, ["SELECT visitor_id", *from_interactions(lens, params), where_all(where)], params)


def _performed(lens: Lens, event: PerformedEvent, params: Params) -> list[str]:
    where = [f"site_id = {params.site(lens.site_id)}", f"name = {params.text(event.name)}", *window_clauses(lens.window, params)]
    return [
        "SELECT visitor_id",
        "FROM events",
        where_all(where),
        "GROUP BY visitor_id",
        f"HAVING count() >= {params.bind(event.min_count, 'UInt32')}",
    ]


def _seen(lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
    where = where_all(lens_clauses(lens, page_keys, params))
    return union_all(["SELECT visitor_id", f"FROM {table}", where] for table in ("interactions", "pageviews"))


def _add(site_id: str, cohort_id: str, visitors: list[str], params: Params) -> Statement:
    """`visitors` is a SELECT of visitor_id; it may read as much as a question may."""
    return Statement.of(
        [
            "INSERT INTO cohort_members (site_id, cohort_id, visitor_id)",
            f"SELECT DISTINCT {params.site(site_id)}, {params.text(cohort_id)}, visitor_id",
            "FROM (",
            *visitors,
            ")",
            f"SETTINGS max_execution_time = {MAX_EXECUTION_S}, max_memory_usage = {Limits().max_memory_bytes}",
        ],
        params,
    )


def compile_remove_members(site_id: str) -> Statement:
    """Removes the members of the site's deleted cohorts."""
    params = Params()
    site = params.site(site_id)
    deleted = f"SELECT cohort_id FROM cohorts FINAL WHERE site_id = {site} AND deleted"
    return Statement.delete("cohort_members", [f"site_id = {site}", f"cohort_id IN ({deleted})"], params)
