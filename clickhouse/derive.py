"""From rows as sent to what questions are answered from: sessions, pageviews, interactions, events, elements and pages.

Sessions are derived as a whole, in batches that are ranges of `session_id`, so that memory is bounded and any order of
loading ends in the same rows. Pure; `gateway.deriving` runs the statements of each batch in this order:

    rollups.note_sessions(batch)                            for every batch of which compile_known(batch) knows sessions
    for batch in batches("site_abc123", waiting_rows, 1_000_000):
        stage(batch)
        clear(batch, known.first, known.last)              if sessions are known
        derive(batch)
        compile_stale_elements(batch)                       if sessions are known
    settled("site_abc123")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from clickhouse.numbers import STANDARD_VIEWPORT_PX, breakpoint_sql
from clickhouse.rage import DEFAULT_RULE, bursts
from clickhouse.received import SMALL_BLOCKS, UNMERGED
from clickhouse.row_keys import POINTS, ROW_ID
from clickhouse.statement import Params, Statement, drop_temporary
from clickhouse.url import ABSOLUTE_URL, lower_scheme_sql, page_key_sql

UNCOUNTED_BURST_CLICKS = DEFAULT_RULE.min_clicks
"""Clicks of a labelled rage row that was sent without its `count`."""

STAGE = ("derive_rows", "derive_views", "derive_sessions", "derive_pages", "derive_facts", "derive_bursts")
AS_WRITTEN = "query_plan_optimize_join_order_limit = 0, query_plan_join_swap_table = 'false'"
"""Joins as written: small tables on the right. Measured: reordered by guessed sizes they take nine times as long."""
VIEWS_TOGETHER = "parallel_view_processing = 1"
"""Daily sums are made while the rows themselves are written."""
_INHERITED = ("browser", "country", "region", "campaign", "variant")
_VIEWPORT = ("viewport_width", "viewport_height")
MAX_ON_PAGE_MS = 2**32 - 1
"""What the column holds: 49.7 days, and longer stays count as that."""
_CONVERTS = "conversion OR value IS NOT NULL"
_ELEMENT = "cityHash64(toString(page_key), selector)"
MAX_STALE = 5000
_OWN = (
    "site_id", "day", "session_id", "row_id", "at", "type", "timestamp", "visitor_id", "url_rest", "page_key", "x", "y", "width", "height",
    "fixed", "selector", "tag", "text", "href", "scroll_y", "seconds", "count", "sample_rate", "expires_on",
)  # fmt: skip
_DIMENSIONS = (
    "visitor_id", "viewport_width", "viewport_height", "page_height", "breakpoint", "device", "country", "region", "browser",
    "traffic_source", "campaign", "variant", "entry_page", "is_test", "sample_rate", "url_rest", "expires_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """The touched sessions of a site whose id is from `first` to `last`."""

    site_id: str
    first: int
    last: int

    def touched(self, params: Params) -> str:
        """A subquery: the ids of its sessions."""
        return f"SELECT session_id FROM touched_sessions WHERE {self.where(params)}"

    def where(self, params: Params) -> str:
        between = f"session_id BETWEEN {params.bind(self.first, 'UInt64')} AND {params.bind(self.last, 'UInt64')}"
        return f"site_id = {params.text(self.site_id)} AND {between}"


def batches(site_id: str, rows: int, batch_rows: int) -> list[Batch]:
    """Even ranges of session ids, which are hashes, for that many rows of touched sessions."""
    count = max(1, -(-rows // batch_rows))
    edges = [number * 2**64 // count for number in range(count + 1)]
    return [Batch(site_id, first, after - 1) for first, after in pairwise(edges)]


def compile_touched(site_id: str) -> Statement:
    """One row: `sessions`, how many wait to be derived."""
    params = Params()
    return Statement.of(
        ["SELECT uniqExact(session_id) AS sessions", "FROM touched_sessions", f"WHERE site_id = {params.text(site_id)}"], params
    )


def compile_waiting(site_id: str) -> Statement:
    """One row: `rows`, how many the touched sessions have."""
    params = Params()
    every = Batch(site_id, 0, 2**64 - 1)
    return Statement.of(["SELECT count() AS rows", "FROM received", *_of_batch(every, params)], params)


def compile_known(batch: Batch) -> Statement:
    """One row: `sessions`, how many of the batch were derived before, and the days `first` to `last` they had rows on."""
    params = Params()
    return Statement.of(
        [
            "SELECT uniqExact(session_id) AS sessions, toDate(min(started_at)) AS first, toDate(max(ended_at)) AS last",
            "FROM sessions",
            f"WHERE {batch.where(params)}",
            f"  AND session_id IN ({batch.touched(params)})",
        ],
        params,
    )


def stage(batch: Batch) -> list[Statement]:
    """Temporary tables: the batch's rows and what they tell about each other."""
    return [
        *drop_temporary(STAGE),
        _rows(batch),
        _pages(),
        _views(),
        _sessions(),
        _facts(),
        _bursts(),
    ]


def clear(batch: Batch, first: date, last: date) -> list[Statement]:
    """Deletes what the batch's sessions had from `first` to `last`; for sessions that were derived before."""
    statements = []
    for table in ("interactions", "pageviews", "events"):
        params = Params()
        clauses = [
            batch.where(params),
            f"session_id IN ({batch.touched(params)})",
            f"day BETWEEN {params.day(first)} AND {params.day(last)}",
        ]
        statements.append(Statement.delete(table, clauses, params))
    return statements


def derive(batch: Batch) -> list[Statement]:
    """Inserts what the batch's sessions have. `sessions` comes first: it tells a later run that there is something to clear."""
    return [
        _insert_sessions(batch),
        _insert_pageviews(),
        _insert_interactions(),
        _insert_events(),
        _insert_elements(),
        _insert_pages(),
    ]


def compile_stale_elements(batch: Batch) -> Statement:
    """`element`, a hash, of each stored element that was told by a session of the batch, and by what is known now was not, or at another breakpoint."""
    params = Params()
    return Statement.of(
        [
            f"SELECT DISTINCT {_ELEMENT} AS element",
            "FROM elements",
            f"WHERE {batch.where(params)}",
            f"  AND session_id GLOBAL IN ({batch.touched(params)})",  # a site's elements lie on one node, its sessions on all
            "  AND (session_id, page_key, selector, toString(breakpoint), version) GLOBAL NOT IN (",
            "    SELECT session_id, page_key, selector, breakpoint, at FROM derive_facts WHERE type = 'element')",
        ],
        params,
    )


def retell(site_id: str, stale: Sequence[int]) -> list[Statement]:
    """Deletes stale elements, and touches first every session that told them, because only the latest of them is kept.

    `stale` is at most `MAX_STALE` long: a server limits the length of a bound value.
    """
    touch, delete = Params(), Params()
    return [
        Statement.of(
            [
                "INSERT INTO touched_sessions (site_id, session_id, visitor_id, day)",
                "SELECT DISTINCT site_id, session_id, visitor_id, day",
                "FROM received",
                f"WHERE site_id = {touch.text(site_id)}",
                "  AND type = 'element'",
                f"  AND {_ELEMENT} IN {touch.hashes(stale)}",
            ],
            touch,
        ),
        Statement.delete(
            "elements",
            [f"site_id = {delete.text(site_id)}", f"{_ELEMENT} IN {delete.hashes(stale)}"],
            delete,
        ),
    ]


def settled(site_id: str) -> Statement:
    """No session of the site needs deriving any more. The rows go at once: hidden ones would stay, as hardly anything is merged there."""
    params = Params()
    return Statement.of(
        ["ALTER TABLE touched_sessions", f"DELETE WHERE site_id = {params.text(site_id)}"], params, changes="touched_sessions"
    )


def _temporary(table: str, lines: list[str], params: Params | None = None) -> Statement:
    """Many small blocks, so that what reads the table can share the work among threads."""
    return Statement.of(
        [f"CREATE TEMPORARY TABLE {table} ENGINE = Memory AS", *lines, f"SETTINGS {AS_WRITTEN}, {SMALL_BLOCKS}"],
        params or Params(),
    )


def _of_batch(batch: Batch, params: Params) -> list[str]:
    """WHERE of `received`: touched sessions, on the days that were touched or that the session was known to have rows on."""
    return [
        f"WHERE {batch.where(params)}",
        f"  AND session_id IN ({batch.touched(params)})",
        "  AND day IN (",
        f"    SELECT day FROM touched_sessions WHERE {batch.where(params)}",
        "    UNION DISTINCT",
        "    SELECT arrayJoin(range(toUInt32(toDate(started_at)), toUInt32(toDate(ended_at)) + 1))::UInt16::Date FROM sessions",
        f"    WHERE {batch.where(params)} AND session_id IN ({batch.touched(params)})",
        "  )",
    ]


def _rows(batch: Batch) -> Statement:
    """`at` orders rows by time and tells them apart, also alike ones of several sessions: milliseconds, then 20 bits of row and session."""
    params = Params()
    return _temporary(
        "derive_rows",
        [
            f"SELECT *, url, {ROW_ID} AS row_id,",
            "  bitOr(bitShiftLeft(toUInt64(greatest(toUnixTimestamp64Milli(timestamp), 0)), 20), bitAnd(bitXor(row_id, session_id), 1048575)) AS at",
            "FROM received FINAL",
            *_of_batch(batch, params),
        ],
        params,
    )


def _views() -> Statement:
    """Pageviews: those sent, and one at the first scroll or attention row of a page without any."""
    return _temporary(
        "derive_views",
        [
            "SELECT session_id, page_key, timestamp, at, row_id, pageview_key",
            "FROM derive_rows",
            "WHERE type = 'pageview'",
            "UNION ALL",
            "SELECT session_id, page_key, fromUnixTimestamp64Milli(bitShiftRight(first_view_at, 20)::Int64, 'UTC'), first_view_at, first_look_id, ''",
            "FROM derive_pages",
            "WHERE pageviews = 0 AND first_view_at != 0",
        ],
    )


def _sessions() -> Statement:
    """Per session its first non-empty value of each dimension."""
    params = Params()
    first = [f"argMinIf(r.{column}, r.at, r.{column} != '') AS {column}" for column in _INHERITED]
    sizes = [f"argMinIf(r.{column}, r.at, r.{column} != 0) AS {column}" for column in _VIEWPORT]
    return _temporary(
        "derive_sessions",
        [
            "SELECT * EXCEPT (entry, absolute),",
            f"  if(absolute, {lower_scheme_sql('entry')}, entry) AS entry_url, if(absolute, {page_key_sql('entry')}, entry) AS entry_page",
            "FROM (",
            "SELECT * EXCEPT (sent_source, referring_host, sent_entry, viewed_entry, first_url, first_page, known_entry, before_path),",
            "  if(sent_source != '', sent_source, referring_host) AS traffic_source,",
            "  multiIf(sent_entry != '', sent_entry, viewed_entry != '', viewed_entry, first_url) AS known_entry,",
            "  multiIf(startsWith(known_entry, '//'), substringIndex(first_page, '/', 1), startsWith(known_entry, '/'),",
            "    substringIndex(first_page, '/', 3), '') AS before_path, concat(before_path, known_entry) AS entry,",
            f"  match(entry, {params.text(ABSOLUTE_URL)}) AS absolute",
            "FROM (",
            "SELECT r.session_id AS session_id, argMin(r.visitor_id, r.at) AS visitor_id,",
            "  min(r.timestamp) AS started_at, max(r.timestamp) AS ended_at, max(r.expires_on) AS expires_on,",
            f"  {', '.join(first)},",
            f"  {', '.join(sizes)},",
            "  argMinIf(toString(r.device), r.at, r.device != '') AS device,",
            "  max(ifNull(r.is_test, false)) AS is_test,",
            f"  countIf(r.type = 'event' AND ({_CONVERTS})) AS conversions,",
            "  argMinIf(r.traffic_source, r.at, r.traffic_source != '') AS sent_source,",
            "  argMinIf(domainWithoutWWW(lower(r.referrer)) AS host, r.at, host NOT IN ('', domainWithoutWWW(r.page_key))) AS referring_host,",
            "  argMinIf(r.entry_url, r.at, r.entry_url != '') AS sent_entry,",
            "  argMinIf(r.url, r.at, r.type = 'pageview') AS viewed_entry,",
            "  argMin(r.url, r.at) AS first_url,",
            "  argMin(r.page_key, r.at) AS first_page",
            "FROM derive_rows AS r",
            "GROUP BY r.session_id",
            ")",
            ")",
        ],
        params,
    )


def _pages() -> Statement:
    """Per page of a session its first known sizes, whether the tracker labelled rage there itself, and the `at` of its first pageview,
    else of its first scroll or attention row, whose id is `first_look_id`."""
    sizes = [f"argMinIf(r.{column}, r.at, r.{column} != 0) AS {column}" for column in (*_VIEWPORT, "page_height")]
    return _temporary(
        "derive_pages",
        [
            "SELECT r.session_id AS session_id, r.page_key AS page_key,",
            f"  {', '.join(sizes)},",
            "  max(r.type = 'rage') AS labelled,",
            "  countIf(r.type = 'pageview') AS pageviews,",
            "  argMinIf(r.row_id, (r.at, r.row_id), r.type IN ('scroll', 'attention')) AS first_look_id,",
            "  if(pageviews = 0, minIf(r.at, r.type IN ('scroll', 'attention')), minIf(r.at, r.type = 'pageview')) AS first_view_at",
            "FROM derive_rows AS r",
            "GROUP BY r.session_id, r.page_key",
        ],
    )


def _facts() -> Statement:
    """Every row with all it inherits; `view_at` is the `at` of its pageview, 0 when it has none."""
    inherited = [f"if(r.{column} != '', r.{column}, s.{column}) AS {column}" for column in _INHERITED]
    sizes = {column: f"multiIf(r.{column} != 0, r.{column}, p.{column} != 0, p.{column}, s.{column})" for column in _VIEWPORT}
    width, height = (
        f"multiIf(said = 'MOBILE', {mobile}, said = 'TABLET', {tablet}, {desktop})"
        for mobile, tablet, desktop in zip(*(STANDARD_VIEWPORT_PX[device] for device in ("MOBILE", "TABLET", "DESKTOP")), strict=True)
    )
    return _temporary(
        "derive_facts",
        [
            "SELECT * EXCEPT (said),",
            f"  {breakpoint_sql('viewport_width')} AS breakpoint,",
            "  if(said != '', said, breakpoint) AS device",
            "FROM (",
            "SELECT * EXCEPT (known_width, known_height),",
            f"  toUInt16(if(known_width != 0, known_width, {width})) AS viewport_width,",
            f"  toUInt16(if(known_height != 0, known_height, {height})) AS viewport_height,",
            "  if(view_at = 0, -1, greatest(-1, bitShiftRight(at, 20)::Int64 - bitShiftRight(view_at, 20)::Int64)) AS since_pageview_ms",
            "FROM (",
            f"SELECT {', '.join(f'r.{column} AS {column}' for column in _OWN)},",
            f"  {', '.join(inherited)},",
            "  if(r.traffic_source != '', r.traffic_source, s.traffic_source) AS traffic_source,",
            "  s.entry_page AS entry_page,",
            "  ifNull(r.is_test, s.is_test) AS is_test,",
            "  if(r.device != '', toString(r.device), s.device) AS said,",
            f"  {sizes['viewport_width']} AS known_width,",
            f"  {sizes['viewport_height']} AS known_height,",
            "  if(r.page_height != 0, r.page_height, p.page_height) AS page_height,",  # another page's height says nothing about this one
            "  p.labelled AS labelled,",
            "  multiIf(named.at != 0, named.at, earlier.at != 0, earlier.at, p.first_view_at) AS view_at",
            "FROM derive_rows AS r",
            "ANY LEFT JOIN derive_sessions AS s ON r.session_id = s.session_id",
            "ANY LEFT JOIN derive_pages AS p ON r.session_id = p.session_id AND r.page_key = p.page_key",
            "ANY LEFT JOIN (SELECT session_id, pageview_key, min(v.at) AS at FROM derive_views AS v WHERE pageview_key != ''"
            " GROUP BY session_id, pageview_key) AS named",
            "  ON r.session_id = named.session_id AND r.pageview_key = named.pageview_key",
            "ASOF LEFT JOIN (SELECT session_id, page_key, timestamp, max(v.at) AS at FROM derive_views AS v"
            " WHERE (session_id, page_key) IN (SELECT session_id, page_key FROM derive_pages WHERE pageviews > 1)"
            " GROUP BY session_id, page_key, timestamp) AS earlier",
            "  ON r.session_id = earlier.session_id AND r.page_key = earlier.page_key AND r.timestamp >= earlier.timestamp",
            ")",
            ")",
        ],
    )


def _bursts() -> Statement:
    """Rage where the tracker labelled none."""
    params = Params()
    payload = ("site_id", "day", "row_id", "href", "since_pageview_ms", *_DIMENSIONS)
    clicks = ["SELECT *", "FROM derive_facts", "WHERE type IN ('click', 'dead')", "  AND NOT labelled"]
    return _temporary("derive_bursts", bursts(clicks, DEFAULT_RULE, payload, params), params)


def _insert_sessions(batch: Batch) -> Statement:
    columns = (
        "session_id", "visitor_id", "started_at", "ended_at", "entry_url", "entry_page", "country",
        "region", "browser", "traffic_source", "campaign", "variant", "is_test", "conversions", "expires_on",
    )  # fmt: skip
    params = Params()
    return Statement.of(
        [
            f"INSERT INTO sessions (site_id, {', '.join(columns)},",
            "  session_key, breakpoint, device, pageviews, pages, clicks, rage_clicks, dead_clicks, derived_at)",
            f"SELECT {params.text(batch.site_id)}, {', '.join(f's.{column}' for column in columns)},",
            "  k.session_key, f.breakpoint, f.device, v.pageviews, v.pages, f.clicks, f.labelled_rage + b.rage, f.dead,",
            "  greatest(now64(3, 'UTC'), k.derived_at + toIntervalMillisecond(1))",  # also when a clock was ahead the last time
            "FROM derive_sessions AS s",
            "INNER JOIN (",
            "  SELECT session_id, argMin(breakpoint, at) AS breakpoint, argMin(device, at) AS device,",
            "    countIf(type IN ('click', 'dead')) AS clicks, countIf(type = 'dead') AS dead, countIf(type = 'rage') AS labelled_rage",
            "  FROM derive_facts GROUP BY session_id",
            ") AS f ON s.session_id = f.session_id",
            "ANY LEFT JOIN (SELECT session_id, count() AS pageviews, uniqExact(page_key) AS pages FROM derive_views GROUP BY session_id) AS v",
            "  ON s.session_id = v.session_id",
            "ANY LEFT JOIN (SELECT session_id, count() AS rage FROM derive_bursts GROUP BY session_id) AS b ON s.session_id = b.session_id",
            "ANY LEFT JOIN (",
            "  SELECT session_id, max(session_key) AS session_key, max(known_at) AS derived_at FROM (",
            f"    SELECT session_id, session_key, toDateTime64(0, 3, 'UTC') AS known_at FROM touched_sessions WHERE {batch.where(params)}",
            "    UNION ALL",
            "    SELECT session_id, session_key, derived_at FROM sessions",
            f"    WHERE {batch.where(params)} AND session_id IN ({batch.touched(params)})",
            "  ) GROUP BY session_id",
            ") AS k ON s.session_id = k.session_id",
            f"SETTINGS {AS_WRITTEN}, {UNMERGED}",
        ],
        params,
    )


def _insert_pageviews() -> Statement:
    """A scroll row's depth is measured on the page as high as it was then."""
    return Statement.of(
        [
            f"INSERT INTO pageviews (site_id, page_key, day, timestamp, session_id, {', '.join(_DIMENSIONS)},",
            "  reached_px, reached_ppt, seen_y_px, seen_height_px, seen_ms, on_page_ms, session_pageviews)",
            f"SELECT f.site_id, f.page_key, f.day, f.timestamp, f.session_id, {', '.join(f'f.{column}' for column in _DIMENSIONS)},",
            f"  greatest(f.viewport_height, l.px), greatest({_share('f.viewport_height', 'f.page_height')}, l.ppt),",
            "  l.looks.2, l.looks.3, l.looks.4,",
            "  nullIf(least(dateDiff('millisecond', f.timestamp, if(n.timestamp > f.timestamp, n.timestamp, s.ended_at)),",
            f"    {MAX_ON_PAGE_MS}), 0),",
            "  s.pageviews",
            "FROM derive_facts AS f",
            "INNER JOIN (",
            "  SELECT v.session_id AS session_id, v.row_id AS row_id, v.at AS at, count() OVER (PARTITION BY session_id) AS pageviews, t.ended_at AS ended_at",
            "  FROM derive_views AS v INNER JOIN derive_sessions AS t ON v.session_id = t.session_id",
            ") AS s ON f.session_id = s.session_id AND f.row_id = s.row_id AND f.at = s.at",
            "ANY LEFT JOIN (",
            "  SELECT session_id, view_at, maxIf(bottom, type = 'scroll') AS px,",
            f"    maxIf({_share('bottom', 'page_height')}, type = 'scroll') AS ppt,",
            "    arraySort(groupArrayIf((at, scroll_y::UInt32, viewport_height::UInt32, seen_ms), type = 'attention')) AS looks",
            "  FROM (",
            "    SELECT *, floor(ifNull(scroll_y, 0) + viewport_height)::UInt32 AS bottom,",
            "      round(ifNull(seconds, 0) * 1000)::UInt32 AS seen_ms",
            "    FROM derive_facts WHERE type IN ('scroll', 'attention')",
            "  ) GROUP BY session_id, view_at",
            ") AS l ON f.session_id = l.session_id AND f.at = l.view_at",
            "ASOF LEFT JOIN derive_views AS n ON f.session_id = n.session_id AND f.timestamp < n.timestamp",
            f"SETTINGS {AS_WRITTEN}, {UNMERGED}, {VIEWS_TOGETHER}",
        ],
        Params(),
    )


def _share(depth_px: str, page_height: str) -> str:
    """In 1e-12 of the page, exact; 0 when the page's height is unknown."""
    return f"if({page_height} = 0, 0, least(1000000000000, intDiv(toUInt64({depth_px}) * 1000000000000, {page_height})))"


def _insert_interactions() -> Statement:
    own = ("site_id", "page_key", "day", "timestamp", "session_id", "fixed", "since_pageview_ms", "selector", "tag", "text", "href")
    columns = ", ".join((*own, *_DIMENSIONS))
    return Statement.of(
        [
            f"INSERT INTO interactions (kind, x, y, clicks, labelled, tie, {columns})",
            f"SELECT kind, x, y, clicks, labelled, tie, {columns}",
            "FROM (",
            "SELECT toString(type) AS kind, ifNull(x, 0) AS x, ifNull(y, 0) AS y,",
            f"  if(type = 'rage', ifNull(count, {UNCOUNTED_BURST_CLICKS}), 1) AS clicks, type = 'rage' AS labelled, row_id, {columns}",
            "FROM derive_facts",
            f"WHERE type IN {POINTS}",
            "UNION ALL",
            f"SELECT 'rage', x, y, clicks, false, row_id, {columns}",
            "FROM derive_bursts",
            ") AS found",
            "ANY LEFT JOIN (",
            "  SELECT session_id, timestamp, row_id, row_number() OVER (PARTITION BY session_id, timestamp ORDER BY row_id) - 1 AS tie",
            "  FROM derive_rows",
            "  WHERE (session_id, timestamp) IN (SELECT session_id, timestamp FROM derive_rows GROUP BY session_id, timestamp HAVING count() > 1)",
            ") AS together USING (session_id, timestamp, row_id)",
            f"SETTINGS {AS_WRITTEN}, {UNMERGED}, {VIEWS_TOGETHER}",
        ],
        Params(),
    )


def _insert_events() -> Statement:
    columns = "site_id, name, day, session_id, visitor_id, timestamp, page_key, value, currency, properties, expires_on"
    return Statement.of(
        [
            f"INSERT INTO events ({columns}, conversion)",
            f"SELECT {columns}, {_CONVERTS}",
            "FROM derive_rows",
            "WHERE type = 'event'",
        ],
        Params(),
    )


def _insert_elements() -> Statement:
    columns = "site_id, page_key, selector, breakpoint, session_id, timestamp, tag, text, href, viewport_width, fixed, expires_on"
    return Statement.of(
        [
            f"INSERT INTO elements ({columns}, version, x, y, width, height)",
            f"SELECT {columns}, at, ifNull(x, 0), ifNull(y, 0), ifNull(width, 0), ifNull(height, 0)",
            "FROM derive_facts",
            "WHERE type = 'element'",
        ],
        Params(),
    )


def _insert_pages() -> Statement:
    return Statement.of(
        [
            "INSERT INTO pages (site_id, page_key, first_seen, last_seen, has_heat)",
            "SELECT site_id, page_key, min(timestamp), max(timestamp), max(type NOT IN ('pageview', 'event', 'element'))",
            "FROM derive_rows",
            "GROUP BY site_id, page_key",
        ],
        Params(),
    )
