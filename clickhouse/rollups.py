"""Rollups: sums by day, which materialized views keep as rows are written (`ddl/0005_rollups.sql`, `0008_folds.sql`, `0010_attention.sql`).

A view sees no deletion. So whoever deletes rows of `interactions` or `pageviews` of a site first notes their days; questions
read noted days from the rows themselves, which is exact at every moment, and `refresh` sums the days up again:

    note(["site_id = …", "visitor_id = …"], params)     before the rows are deleted
    …                                           deletes, and inserts anew
    refresh(site_id, days of compile_stale_days(site_id))

Killed anywhere and run again it ends right, because a day stays noted until its sums are complete. One writer a site at a time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from clickhouse.derive import Batch
from clickhouse.statement import Params, Statement, union_all, where_all
from clickhouse.tables import DDL

SOURCES = ("interactions", "pageviews")
"""The tables rollups are fed from."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a materialized view writes to its rollup, as in the DDL, to be run over some days at once; `with_`, `where` and `group_by` may be ''."""

    rollup: str
    with_: str
    columns: str
    source: str
    where: str
    group_by: str

    @property
    def copied(self) -> tuple[str, ...]:
        """The columns that rows have themselves: those of the first line."""
        return tuple(self.columns.split(",\n")[0].split(", "))

    @property
    def written(self) -> tuple[str, ...]:
        """The columns of the rollup it writes."""
        return (*self.copied, *re.findall(r"\bAS (\w+)", self.columns))


_VIEW = re.compile(
    r"CREATE MATERIALIZED VIEW .*? TO (\w+)\$local AS\n(?:WITH (.*?)\n)?SELECT (.*?)\nFROM (\w+)\$local(?:\nWHERE (.*?))?(?:\nGROUP BY (.*?))?;",
    re.DOTALL,
)

FEEDS = tuple(Feed(*view) for file in sorted(DDL.glob("*.sql")) for view in _VIEW.findall(file.read_text()))
ROLLUPS = tuple(dict.fromkeys(feed.rollup for feed in FEEDS))


def note(clauses: Sequence[str], params: Params) -> Statement:
    """Notes the days of the rows that meet the clauses, which name a site; to be run before they are deleted."""
    return _insert_days([_days(table, clauses) for table in SOURCES], params)


def note_site(site_id: str) -> Statement:
    """Notes all days of the site."""
    params = Params()
    return note([f"site_id = {params.site(site_id)}"], params)


def note_sessions(batch: Batch) -> Statement:
    """Notes the days on which the batch's sessions have rows, or will have: a run that was killed may have summed up what it did not store."""
    params = Params()
    of_batch = batch.where(params)
    of_sessions = f"session_id IN ({batch.touched(params)})"
    known = [_days(table, [of_batch, of_sessions]) for table in SOURCES]
    return _insert_days([_days("touched_sessions", [of_batch]), *known], params)


def _days(table: str, clauses: Sequence[str]) -> list[str]:
    return ["SELECT site_id, day", f"FROM {table}", where_all(clauses)]


def _insert_days(selects: Sequence[list[str]], params: Params) -> Statement:
    return Statement.of(
        ["INSERT INTO stale_days (site_id, day)", "SELECT DISTINCT site_id, day", "FROM (", *union_all(selects), ")"], params
    )


def compile_stale_days(site_id: str | None = None) -> Statement:
    """One row a site, of all or of one: site_id and `days`, those noted."""
    params = Params()
    return Statement.of(
        [
            "SELECT toString(site_id) AS site_id, arraySort(groupUniqArray(day)) AS days",
            "FROM stale_days",
            *([f"WHERE site_id = {params.text(site_id)}"] if site_id is not None else []),
            "GROUP BY site_id",
        ],
        params,
    )


def refresh(site_id: str, days: Sequence[date]) -> list[Statement]:
    """Sums the noted days up again, and takes them off the list."""
    return [
        *(_delete(rollup, site_id, days) for rollup in ROLLUPS),
        *(_sum_up(feed, site_id, days) for feed in FEEDS),
        _delete("stale_days", site_id, days),
    ]


def _sum_up(feed: Feed, site_id: str, days: Sequence[date]) -> Statement:
    params = Params()
    written = ", ".join(feed.written)
    return Statement.of(
        [
            f"INSERT INTO {feed.rollup} ({written})",
            f"SELECT {written}",
            "FROM (",
            *([f"WITH {feed.with_}"] if feed.with_ else []),
            f"SELECT {feed.columns}",
            f"FROM {feed.source}",
            where_all([_of_days(site_id, days, params), *([feed.where] if feed.where else [])]),
            *([f"GROUP BY {feed.group_by}"] if feed.group_by else []),
            ")",
        ],
        params,
    )


def _delete(table: str, site_id: str, days: Sequence[date]) -> Statement:
    params = Params()
    return Statement.delete(table, [_of_days(site_id, days, params)], params)


def _of_days(site_id: str, days: Sequence[date], params: Params) -> str:
    return f"site_id = {params.text(site_id)} AND day IN {params.days(days)}"
