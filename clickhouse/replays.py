"""Replays: the sessions behind a lens, filtered, and sorted by which is most worth watching.

A session is behind a lens when any of its rows is in it. What it is filtered and sorted by are numbers of the whole
session, the same under every lens; what happened of it inside the lens is a question of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from clickhouse.conditions import lens_clauses, page_column, pages_apart, performed_clause, url_clauses, window_clauses
from clickhouse.lens import Lens, PerformedEvent, UrlRule, Window
from clickhouse.statement import Params, Statement, union_all, where_all
from clickhouse.totals import COUNTS, TOTALS

RAGE_POINTS, MAX_RAGE_BURSTS = 10, 5
DEAD_POINTS, MAX_DEAD_CLICKS = 4, 5
MINUTE_POINTS, MAX_MINUTES = 1, 10
LOST_POINTS = 20
"""The watch score, 0 to 100: points for each rage burst, dead click and whole minute up to a most, and for a session that met
either of the first two and never converted."""

DURATION_MS = "dateDiff('millisecond', started_at, ended_at)"

WATCH_PARTS = {
    "rage": f"{RAGE_POINTS} * least(rage_clicks, {MAX_RAGE_BURSTS})",
    "dead": f"{DEAD_POINTS} * least(dead_clicks, {MAX_DEAD_CLICKS})",
    "duration": f"{MINUTE_POINTS} * least(intDiv({DURATION_MS}, 60000), {MAX_MINUTES})",
    "lost": f"{LOST_POINTS} * (rage_clicks + dead_clicks > 0 AND conversions = 0)",
}
WATCH_SCORE = " + ".join(WATCH_PARTS.values())

ORDERS = {"MOST_WORTH_WATCHING": WATCH_SCORE, "STARTED_AT": "toUnixTimestamp64Milli(started_at)", "DURATION": DURATION_MS}
"""ReplayOrderField to the whole number it sorts by."""

SESSION = "session_id, started_at, ended_at, rage_clicks, dead_clicks, conversions"
"""What a session is sorted and filtered by."""

LONGEST_SESSION = timedelta(days=1)
"""So far outside the lens's window a session may have been on a page."""


@dataclass(frozen=True, slots=True)
class WatchParts:
    """The points of a watch score; they add up to it."""

    rage: int
    dead: int
    duration: int
    lost: int

    @classmethod
    def of(cls, rage_clicks: int, dead_clicks: int, duration_ms: int, conversions: int) -> WatchParts:
        """The same as WATCH_SCORE."""
        return cls(
            rage=RAGE_POINTS * min(rage_clicks, MAX_RAGE_BURSTS),
            dead=DEAD_POINTS * min(dead_clicks, MAX_DEAD_CLICKS),
            duration=MINUTE_POINTS * min(duration_ms // 60_000, MAX_MINUTES),
            lost=LOST_POINTS if rage_clicks + dead_clicks and not conversions else 0,
        )


@dataclass(frozen=True, slots=True)
class ReplayFilter:
    """Of the whole session; all must hold."""

    min_rage: int = 0
    min_dead: int = 0
    min_duration_ms: int = 0
    visited_page: UrlRule | None = None
    performed: tuple[PerformedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplayQuestion:
    """`order` is a ReplayOrderField; `after` is (sort value, start in ms, session id) of the last one seen."""

    order: str
    descending: bool
    first: int
    having: ReplayFilter = ReplayFilter()
    after: tuple[int, int, int] | None = None

    @property
    def ordering(self) -> str:
        return f"({'-' if self.descending else ''}sort_value, -toUnixTimestamp64Milli(started_at), session_id)"


def compile_replays(lens: Lens, page_keys: tuple[str, ...], question: ReplayQuestion) -> Statement:
    """Per page at most first + 1 of session_id, started_at and sort_value; ties by the newest, then by id.

    `total_count` in every row is the number of all of them. Measured: only what is sorted by goes through the join.
    """
    params = Params()
    return Statement.of(listed_replays(lens, page_keys, question, params), params)


def listed_replays(lens: Lens, page_keys: tuple[str, ...], question: ReplayQuestion, params: Params) -> list[str]:
    """The rows of `compile_replays`, in its order."""
    known = [
        f"site_id = {params.site(lens.site_id)}",
        f"started_at < {params.utc(lens.window.end)}",
        f"ended_at >= {params.utc(lens.window.start)}",
        *_having(lens, question.having, params),
    ]
    sort_value = f"toInt64({ORDERS[question.order]}) AS sort_value"
    return [
        "SELECT *",
        "FROM (",
        f"SELECT page, session_id, started_at, {sort_value}, count() OVER (PARTITION BY page) AS total_count",
        "FROM (",
        *(_sessions_by_page if pages_apart(lens, page_keys) else _sessions)(lens, page_keys, known, params),
        ")",
        ")",
        *_beyond(question, params),
        f"ORDER BY page, {question.ordering}",
        f"LIMIT {params.bind(question.first + 1, 'UInt32')} BY page",
    ]


def _sessions(lens: Lens, page_keys: tuple[str, ...], known: list[str], params: Params) -> list[str]:
    return [
        f"SELECT {page_column(lens, page_keys, params)}, {SESSION}",
        "FROM sessions FINAL",
        where_all([*known, in_lens(lens, page_keys, params)]),
    ]


def in_lens(lens: Lens, page_keys: tuple[str, ...], params: Params) -> str:
    """The condition on sessions that any of their rows is in the lens: by their ids, so that of a large site few sessions are read.

    One table an IN: a union of two in it would ask every shard of a cluster for both.
    """
    where = where_all(lens_clauses(lens, page_keys, params))
    ids = (f"session_id IN (\nSELECT session_id\nFROM {table}\n{where}\n)" for table in ("interactions", "pageviews"))
    return "(\n" + "\nOR ".join(ids) + "\n)"


def _sessions_by_page(lens: Lens, page_keys: tuple[str, ...], known: list[str], params: Params) -> list[str]:
    """A session is listed with each of the pages that it was on."""
    return [
        f"SELECT page, {SESSION}",
        "FROM (",
        "SELECT DISTINCT page, session_id",
        "FROM (",
        *_rows(lens, page_keys, "session_id", params),
        ")",
        ") AS seen",
        "INNER JOIN (",
        f"SELECT {SESSION}",
        "FROM sessions FINAL",
        where_all(known),
        ") AS known USING (session_id)",
    ]


def compile_in_lens(lens: Lens, page_keys: tuple[str, ...], session_ids: tuple[int, ...]) -> Statement:
    """What happened of each of these sessions inside the lens, one row a page and session."""
    params = Params()
    wanted = f"session_id IN {params.hashes(session_ids)}"
    return Statement.of(
        [
            "SELECT page, session_id, min(timestamp) AS first_at,",
            ",\n".join(f"  {TOTALS[count]} AS {count}" for count in COUNTS),
            "FROM (",
            *_rows(lens, page_keys, "session_id, timestamp, {kind} AS kind", params, wanted),
            ")",
            "GROUP BY page, session_id",
        ],
        params,
    )


def _rows(lens: Lens, page_keys: tuple[str, ...], columns: str, params: Params, *extra: str) -> list[str]:
    """Interactions and pageviews of the lens; {kind} in `columns` is what a row is."""
    page = page_column(lens, page_keys, params)
    where = where_all([*lens_clauses(lens, page_keys, params), *extra])
    kinds = {"interactions": "toString(kind)", "pageviews": "'pageview'"}
    return union_all([f"SELECT {page}, {columns.format(kind=kind)}", f"FROM {table}", where] for table, kind in kinds.items())


def _having(lens: Lens, having: ReplayFilter, params: Params) -> list[str]:
    clauses = [
        f"{sql} >= {params.bind(least, 'UInt64')}"
        for sql, least in (("rage_clicks", having.min_rage), ("dead_clicks", having.min_dead), (DURATION_MS, having.min_duration_ms))
        if least
    ]
    if having.visited_page:
        around = Window(lens.window.start - LONGEST_SESSION, lens.window.end + LONGEST_SESSION)
        visited = [f"site_id = {params.site(lens.site_id)}", *window_clauses(around, params), *url_clauses(having.visited_page, params)]
        clauses.append(f"session_id IN (SELECT session_id FROM pageviews WHERE {' AND '.join(visited)})")
    return clauses + [performed_clause(lens.site_id, event, params) for event in having.performed]


def _beyond(question: ReplayQuestion, params: Params) -> list[str]:
    """The sessions after the last one seen."""
    if question.after is None:
        return []
    value, started_ms, session_id = question.after
    sign = -1 if question.descending else 1
    seen = f"({params.bind(sign * value, 'Int64')}, {params.bind(-started_ms, 'Int64')}, {params.bind(session_id, 'UInt64')})"
    return [f"WHERE {question.ordering} > {seen}"]
