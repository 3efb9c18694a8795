"""Which tables answer a question exactly: the first rollup that has every column, or the rows. One pure function decides:

    plan(lens, {"clicks", "pageviews"})
    -> ReadPlan(rollup="pages_daily", window=Window(whole days), raw_days=(first day, last day))
    planned(lens, page_keys, {"reached_px": "reached_px", "pageviews": "1"}, "pageviews", params)
    -> ({"reached_px": "reached_px", "pageviews": "pageviews"}, ["FROM (", …, ")"])

A rollup answers whole days, if it has every column that the question and the lens look at. The days at the edges of a window,
and those whose sums are out of date (`lens.stale_days`), are read from the rows themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from clickhouse.conditions import SEGMENT_COLUMNS, lens_clauses
from clickhouse.lens import Lens, Window
from clickhouse.rollups import ROLLUPS
from clickhouse.statement import Params, union_all, where_all
from clickhouse.tables import TABLES

MIN_ROLLUP_DAYS = 3
"""For fewer days a second table costs more than the rows it saves."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """`window` is the whole days that `rollup` answers, but for `stale_days`; `raw_days` are read from the rows. No rollup: all of them."""

    rollup: str | None = None
    window: Window | None = None
    stale_days: tuple[date, ...] = ()
    raw_days: tuple[date, ...] = ()

    @property
    def reads_rows(self) -> bool:
        return self.rollup is None or bool(self.raw_days)

    def sources(self, rows: str, lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[tuple[str, list[str]]]:
        """The tables to read, of which `rows` has the rows themselves, and which of each are meant."""
        return [
            *([(self.rollup, self.rollup_clauses(lens, page_keys, params))] if self.rollup else []),
            *([(rows, self.raw_clauses(lens, page_keys, params))] if self.reads_rows else []),
        ]

    def rollup_clauses(self, lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
        """Which rows of the rollup are meant."""
        assert self.window is not None
        clauses = lens_clauses(replace(lens, window=self.window), page_keys, params)
        return clauses + ([f"day NOT IN {params.days(self.stale_days)}"] if self.stale_days else [])

    def raw_clauses(self, lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
        """Which rows of interactions and pageviews are meant."""
        clauses = lens_clauses(lens, page_keys, params)
        return clauses + ([f"day IN {params.days(self.raw_days)}"] if self.raw_days else [])


ROWS = ReadPlan()
"""No rollup."""


def plan(lens: Lens, columns: Set[str]) -> ReadPlan:
    """`columns` are those of a rollup that the question selects, groups and filters by; a name no rollup has means the rows."""
    if not lens.has_rollups:
        return ROWS
    needed = columns | lens_columns(lens)
    rollup = next((name for name in ROLLUPS if needed <= TABLES[name].columns.keys()), None)
    first, after_last = _ceil_day(lens.window.start), lens.window.end.date()
    stale = tuple(day for day in lens.stale_days if first <= day < after_last)
    if rollup is None or (after_last - first).days - len(stale) < MIN_ROLLUP_DAYS:
        return ROWS
    edges = [lens.window.start.date()] if _midnight(first, lens) > lens.window.start else []
    if _midnight(after_last, lens) < lens.window.end:
        edges.append(after_last)
    return ReadPlan(rollup, Window(_midnight(first, lens), _midnight(after_last, lens)), stale, tuple(sorted({*edges, *stale})))


def planned(
    lens: Lens,
    page_keys: tuple[str, ...],
    columns: Mapping[str, str],
    rows: str,
    params: Params,
    more: Sequence[str] = (),
    *,
    sums: bool = True,
) -> tuple[Mapping[str, str], list[str]]:
    """What each of a rollup's `columns` is, as SQL, and where: FROM and WHERE, beside which there is only `page_key`.

    In a rollup a column is itself; in the table `rows` it is what `columns` says, of FROM with the lines `more`. Without `sums` only these
    are read.
    """
    itself = {name: name for name in columns}
    sources = []
    for table, clauses in (plan(lens, columns.keys()) if sums else ROWS).sources(rows, lens, page_keys, params):
        meant, joined = (columns, more) if table == rows else (itself, ())
        sources.append((meant, [f"FROM {table}", *joined, where_all(clauses)]))
    if len(sources) == 1:
        return sources[0]
    selects = []
    for meant, lines in sources:
        named = ", ".join(sql if sql == name else f"{sql} AS {name}" for name, sql in meant.items())
        selects.append([f"SELECT page_key, {named}", *lines])
    return itself, ["FROM (", *union_all(selects), ")"]


def lens_columns(lens: Lens) -> frozenset[str]:
    """The columns a lens looks at."""
    segment = lens.segment
    columns = {name for name in SEGMENT_COLUMNS if getattr(segment, name)}
    if lens.url and lens.url.kind in ("exact", "prefix", "wildcard", "regex"):
        columns.add("url")
    if segment.viewport_width:
        columns.add("viewport_width")
    if segment.entry_page or segment.performed:
        columns.add("session_id")
    if segment.cohorts or (segment.exclude_test_accounts and lens.test_account_rules):
        columns.add("visitor_id")
    if segment.exclude_test_accounts:
        columns.add("is_test")
    return frozenset(columns | {"page_key"})


def _ceil_day(instant: datetime) -> date:
    """The first UTC day that begins then or later."""
    return instant.date() if instant.time() == time() else instant.date() + DAY


def _midnight(day: date, lens: Lens) -> datetime:
    return datetime.combine(day, time(), lens.window.start.tzinfo)
