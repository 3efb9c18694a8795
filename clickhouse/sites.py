"""Sites: who owns the data, what their plan allows, and how their visitors and replays are recognised.

A site is one row per id, replaced as a whole; the latest `updated_at` counts.

    compile_sites(frozenset({"shop"}))   -> SELECT … FROM sites FINAL WHERE site_id IN {p0:Array(String)} …
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from clickhouse import clock
from clickhouse.insert import Insert
from clickhouse.statement import Params, Statement, where_all
from clickhouse.tables import TABLES


@dataclass(frozen=True, slots=True)
class Plan:
    """`max_pages` None is unlimited, 0 is no heatmaps at all; older days than `retention_days` are not answered."""

    max_pages: int | None
    retention_days: int


PLANS = {
    "FREE": Plan(max_pages=0, retention_days=90),
    "PRO": Plan(max_pages=10, retention_days=90),
    "BUSINESS": Plan(max_pages=50, retention_days=365),
    "ENTERPRISE": Plan(max_pages=None, retention_days=730),
}


@dataclass(frozen=True, slots=True)
class Site:
    """`plan` is a key of PLANS; `test_account_rules` are wildcards on visitor ids; `replay_url_template` holds {sessionId} or is ''."""

    site_id: str
    name: str
    domains: tuple[str, ...] = ()
    plan: str = "ENTERPRISE"
    time_zone: str = "UTC"
    retention_days: int = PLANS["ENTERPRISE"].retention_days
    test_account_rules: tuple[str, ...] = ()
    replay_url_template: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    updated_at: datetime | None = field(default=None, compare=False)
    """None for a site that is not stored yet."""
    has_fixed_marks: bool = field(default=False, compare=False)
    """Whether an element of the site is marked as fixed or as not; read only."""
    stale_days: tuple[date, ...] = field(default=(), compare=False)
    """Days whose rollups are out of date; read only."""
    has_rollups: bool = field(default=True, compare=False)
    """Whether its source has rollups, as our own layout does."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Site:
        return cls(
            site_id=row["site_id"],
            name=row["name"],
            domains=tuple(row["domains"]),
            plan=row["plan"],
            time_zone=row["time_zone"],
            retention_days=row["retention_days"],
            test_account_rules=tuple(row["test_account_rules"]),
            replay_url_template=row["replay_url_template"],
            created_at=row["created_at"].replace(tzinfo=UTC),
            updated_at=row["updated_at"].replace(tzinfo=UTC),
            has_fixed_marks=bool(row["has_fixed_marks"]),
            stale_days=tuple(sorted(row["stale_days"])),
        )


def compile_sites(site_ids: Collection[str] | None = None, after: str | None = None, first: int | None = None) -> Statement:
    """Rows for `Site.from_row`, by id; `site_ids` None is every site, `first` asks for one more row than that."""
    params = Params()
    where = []
    if site_ids is not None:
        params.site_ids.update(site_ids)
        where.append(f"site_id IN {params.texts(tuple(sorted(site_ids)))}")
    if after is not None:
        where.append(f"site_id > {params.text(after)}")
    return Statement.of(
        [
            "SELECT site_id, name, domains, plan, time_zone, retention_days, test_account_rules, replay_url_template, created_at, updated_at,",
            "  site_id IN (SELECT site_id FROM element_marks FINAL WHERE is_fixed IS NOT NULL) AS has_fixed_marks,",
            "  (SELECT groupUniqArrayMap(map(toString(stale_days.site_id), day)) FROM stale_days)[site_id] AS stale_days",
            "FROM sites FINAL",
            *([where_all(where)] if where else []),
            "ORDER BY site_id",
            *([f"LIMIT {params.bind(first + 1, 'UInt32')}"] if first is not None else []),
        ],
        params,
    )


def compile_site_count(site_ids: Collection[str] | None = None) -> Statement:
    """One row: `sites`, how many of these exist; None counts every site."""
    params = Params()
    return Statement.of(
        [
            "SELECT count() AS sites",
            "FROM sites FINAL",
            *([f"WHERE site_id IN {params.texts(tuple(sorted(site_ids)))}"] if site_ids is not None else []),
        ],
        params,
    )


def insert_site(site: Site, now: datetime) -> Insert:
    """Creates the site or replaces it."""
    row = {
        "site_id": site.site_id,
        "name": site.name,
        "domains": list(site.domains),
        "plan": site.plan,
        "time_zone": site.time_zone,
        "retention_days": site.retention_days,
        "test_account_rules": list(site.test_account_rules),
        "replay_url_template": site.replay_url_template,
        "created_at": site.created_at,
        "updated_at": clock.later(now, site.updated_at),
    }
    return Insert("sites", tuple(row), [tuple(row.values())])


LAST_DAY = {name: "day" for name, table in TABLES.items() if "expires_on" in table.columns} | {
    "sessions": "toDate(ended_at)",
    "elements": "toDate(timestamp)",
}
"""Tables whose rows expire, and the day of a row from which on it is kept."""


def compile_retain(site: Site) -> list[Statement]:
    """Keeps what is stored of the site for its days of retention, whatever they were when it was loaded."""
    statements = []
    for table, day in LAST_DAY.items():
        params = Params()
        lines = [
            f"ALTER TABLE {table}",
            f"UPDATE expires_on = {day} + {params.bind(site.retention_days + 1, 'UInt16')}",  # the oldest day is kept whole
            f"WHERE site_id = {params.site(site.site_id)}",
        ]
        statements.append(Statement.of(lines, params, changes=table))
    return statements
