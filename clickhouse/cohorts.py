"""Cohorts: named sets of a site's visitors, uploaded by their ids.

A cohort's id follows from site and name, so that uploading a name again adds to the same cohort and
uploading the same ids again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clickhouse.insert import Insert
from clickhouse.statement import Params, Statement


@dataclass(frozen=True, slots=True)
class Cohort:
    """`size` is the number of distinct visitors."""

    site_id: str
    cohort_id: str
    name: str
    size: int = 0
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Cohort:
        return cls(row["site_id"], row["cohort_id"], row["name"], row["size"], row["created_at"].replace(tzinfo=UTC))


def cohort_id_of(site_id: str, name: str) -> str:
    return "co_" + hashlib.sha256(f"{site_id}\n{name}".encode()).hexdigest()[:16]


def compile_cohorts(
    site_id: str, cohort_ids: Collection[str] | None = None, after: str | None = None, first: int | None = None
) -> Statement:
    """Rows for `Cohort.from_row`, deleted ones left out, by id; None is every cohort, `first` asks for one more row than that."""
    params = Params()
    site = params.text(site_id)
    where = [f"site_id = {site}", "NOT deleted"]
    if cohort_ids is not None:
        where.append(f"cohort_id IN {params.texts(tuple(sorted(cohort_ids)))}")
    if after is not None:
        where.append(f"cohort_id > {params.text(after)}")
    return Statement.of(
        [
            "SELECT site_id, cohort_id, name, members.size AS size, created_at",
            "FROM (SELECT * FROM cohorts FINAL) AS cohorts",
            "LEFT JOIN (",
            "SELECT cohort_id, uniqExact(visitor_id) AS size",
            "FROM cohort_members",
            f"WHERE site_id = {site}",
            "GROUP BY cohort_id",
            ") AS members USING cohort_id",
            "WHERE " + "\n  AND ".join(where),
            "ORDER BY cohort_id",
            *([f"LIMIT {params.bind(first + 1, 'UInt32')}"] if first is not None else []),
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
        "updated_at": now,
    }
    return Insert("cohorts", tuple(row), [tuple(row.values())])


def compile_add_members(site_id: str, cohort_id: str, visitor_keys: Sequence[str]) -> Statement:
    """Adds visitors by their ids as sent; one that is there already changes nothing. A few thousand a statement."""
    params = Params()
    return Statement.of(
        [
            "INSERT INTO cohort_members (site_id, cohort_id, visitor_id)",
            f"SELECT {params.text(site_id)}, {params.text(cohort_id)}, cityHash64(arrayJoin({params.texts(tuple(visitor_keys))}))",
        ],
        params,
    )


def compile_remove_members(site_id: str, cohort_id: str) -> Statement:
    """Empties a cohort."""
    params = Params()
    return Statement.of(
        [
            "DELETE FROM cohort_members",
            f"WHERE site_id = {params.text(site_id)}",
            f"  AND cohort_id = {params.text(cohort_id)}",
        ],
        params,
    )
