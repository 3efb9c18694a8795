"""No field falls to a full scan: each reads no more than twice the rows it is about, those of its pages and its window."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.breakdown import DIMENSIONS as DIMENSION_OF
from clickhouse.capabilities import ROWS
from clickhouse.client import Client, open_sync
from clickhouse.cohorts import Cohort, insert_cohort
from clickhouse.migrations import migrate
from clickhouse.reading import Row
from clickhouse.rollups import ROLLUPS
from clickhouse.sites import Site
from clickhouse.statement import Statement
from clickhouse.tables import DDL
from resolvers.context import Context
from resolvers.sources import Source, Sources
from schema.exports import compile_export
from tests.asking import EVERYTHING, NOW, SCHEMA, ask, create_site
from tests.servers import Node

SITE = Site("site_rows", "Rows")
OTHER = Site("site_other", "Other")
PAGES = 40
DAYS = 28
SESSIONS = 30_000
WINDOW_DAYS = 7
GRANULE_ROWS = 64
"""A 128th of what it is elsewhere, so that a page has as many granules as on a site that is 128 times as big."""
FEW = 8
"""A 16th, of tables of which a few rows are read at a time: sessions and visitors."""
PAGE_KEY = "https://example.com/docs/page-7"
WINDOW = f'{{between: {{from: "{(NOW - timedelta(days=10)).date()}", to: "{(NOW - timedelta(days=10 - WINDOW_DAYS + 1)).date()}"}}}}'
ONE_A_SESSION = SESSIONS // PAGES // DAYS * WINDOW_DAYS
"""Rows of a page in the window, if each session has one of the kind."""
CLICKS, DEAD, RAGE, MOVES, VIEWS = 4 * ONE_A_SESSION, 2 * ONE_A_SESSION, 2 * ONE_A_SESSION, 4 * ONE_A_SESSION, 4 * ONE_A_SESSION
POINTS, BURSTS = CLICKS + DEAD, CLICKS + DEAD + RAGE
ROWS_OF_PAGE = BURSTS + MOVES + VIEWS
SUMS = WINDOW_DAYS * PAGES * 3
"""Of pages_daily, by breakpoint and of all pages: it is sorted by day first."""
FOLD_SUMS = WINDOW_DAYS * 3 * 11 * 4
"""By breakpoint, height of the viewport and kind."""
ELEMENT_SUMS = WINDOW_DAYS * 3 * 25
"""By breakpoint and selector, half of which a day has."""
BAND_SUMS = WINDOW_DAYS * 3 * 41
"""By breakpoint and band in which a look begins or ends, or a pageview ended."""

EVENTS = SESSIONS // DAYS * 10
"""Conversions are looked for among the events of the site since the window began."""
EVERY_POINT = POINTS * DAYS // WINDOW_DAYS
"""Elements are named and placed by all clicks on the page."""

VALUES = f"""
    cityHash64(site, s) AS session_id, cityHash64(intDiv(s, 2)) AS visitor_id,
    cityHash64(n, s) % {PAGES} AS p, concat('https://example.com/', ['docs', 'blog'][1 + p % 2], '/page-', toString(intDiv(p, 2))) AS page_key,
    toDate('{NOW.date()}') - 1 - s % {DAYS} AS day, toDateTime64(day, 3, 'UTC') + s % 80000 + n AS timestamp,
    [375, 820, 1280][1 + s % 3] AS viewport_width, ['MOBILE', 'TABLET', 'DESKTOP'][1 + s % 3] AS breakpoint, breakpoint AS device,
    '' AS url_rest, today() + 400 AS expires_on, 800 + s % 11 AS viewport_height, 4000 AS page_height, ['DE', 'US'][1 + s % 2] AS country,
    'Firefox' AS browser, 'BE' AS region, 'google.com' AS traffic_source, 'spring' AS campaign, 'A' AS variant, page_key AS entry_page"""
DIMENSIONS = "breakpoint, device, country, browser, region, traffic_source, campaign, variant, entry_page"
SHARED = (
    f"session_id, visitor_id, page_key, day, timestamp, viewport_width, url_rest, expires_on, viewport_height, page_height, {DIMENSIONS}"
)
COHORT = Cohort(SITE.site_id, "cohort", "Cohort")


@pytest.fixture(scope="module")
def dsn(node: Node, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server, which tells what a statement read."""
    address = node.dsn(f"test_{uuid.uuid4().hex}")
    client = open_sync(address)
    migrate(client, folder=_finer(tmp_path_factory.mktemp("ddl")))
    for site in (SITE, OTHER):
        create_site(client, site)
        _fill(client, site)
    for table in ("interactions", "pageviews", "events", "sessions", "elements", *ROLLUPS):
        client.command(f"OPTIMIZE TABLE {table} FINAL")
    client.close()
    return address


def _finer(folder: Path) -> Path:
    """The tables with smaller granules."""
    for file in DDL.glob("*.sql"):
        text = file.read_text().replace("index_granularity = 128", f"index_granularity = {FEW}")
        text = re.sub(r"TTL expires_on\nSETTINGS (?=default)", f"TTL expires_on\nSETTINGS index_granularity = {GRANULE_ROWS}, ", text)
        text = text.replace("TTL expires_on;", f"TTL expires_on\nSETTINGS index_granularity = {GRANULE_ROWS};")
        (folder / file.name).write_text(text)
    return folder


def _fill(client: SyncClient, site: Site) -> None:
    def insert(table: str, rows_a_session: int, columns: str, values: str, shared: str = SHARED) -> None:
        numbers = f"FROM numbers({SESSIONS * rows_a_session})"
        client.command(
            f"INSERT INTO {table} (site_id, {shared}, {columns}) WITH '{site.site_id}' AS site, intDiv(number, {rows_a_session}) AS s,"
            f" number % {rows_a_session} AS n, {VALUES} SELECT site, {shared}, {values} {numbers}"
        )

    kinds = "['click', 'click', 'dead', 'rage', 'move', 'move'][1 + n % 6]"
    insert("interactions", 12, "kind, x, y, clicks, selector", f"{kinds}, s % 375, s % 4000, 5, concat('#b', toString(s % 50))")
    insert(
        "pageviews",
        4,
        "reached_px, reached_ppt, session_pageviews, seen_y_px, seen_height_px, seen_ms",
        "1600, 400000000000, 4, [(s + n) % 33 * 100], [800], [9]",
    )
    insert("events", 1, "name, conversion", "'signup', 1", "session_id, visitor_id, page_key, day, timestamp, expires_on")
    first = ", ".join(f"any({column})" for column in DIMENSIONS.split(", "))
    for table, columns, values, keys in (
        (
            "sessions",
            f"session_id, session_key, visitor_id, started_at, ended_at, expires_on, derived_at, {DIMENSIONS}",
            f"session_id, toString(session_id), any(visitor_id), min(timestamp), max(timestamp), max(expires_on), now64(3), {first}",
            "session_id",
        ),
        (
            "visitors",
            "visitor_id, visitor_key, day, expires_on",
            "visitor_id, toString(visitor_id), max(day), max(expires_on)",
            "visitor_id",
        ),
        ("cohort_members", "cohort_id, visitor_id", f"'{COHORT.cohort_id}', visitor_id", "visitor_id HAVING visitor_id % 100 = 0"),
        ("pages", "page_key, first_seen, last_seen, has_heat", "page_key, min(timestamp), max(timestamp), 1", "page_key"),
        (
            "elements",
            "page_key, selector, breakpoint, tag, viewport_width, expires_on",
            "page_key, concat('#b', toString(session_id % 50)) AS element, breakpoint, 'a', any(viewport_width), max(expires_on)",
            "page_key, element, breakpoint",
        ),
    ):
        client.command(
            f"INSERT INTO {table} (site_id, {columns}) SELECT site_id, {values} FROM pageviews"
            f" WHERE site_id = '{site.site_id}' GROUP BY site_id, {keys}"
        )
    insert_into = insert_cohort(replace(COHORT, site_id=site.site_id), NOW)
    client.insert(insert_into.table, insert_into.rows, column_names=insert_into.columns)


class Counting:
    """A client that adds up the rows ClickHouse read."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.read_rows = 0

    async def query(self, statement: Statement) -> list[Row]:
        answer = await self.client.run(statement)
        self.read_rows += answer.read_rows
        return answer.rows


async def rows_read(client: Client, query: str) -> int:
    counting = Counting(client)
    await ask(cast(Client, counting), f'{{ site(siteId: "{SITE.site_id}") {{ {query} }} }}')
    return counting.read_rows


OF_A_PAGE = {
    "totals { visitors bounceRate { value } }": (ROWS_OF_PAGE, 0),
    "fold { total medianViewportHeight }": (FOLD_SUMS, 0),
    "heatmap { total points { x y count } }": (POINTS, 0),
    "heatmap(aggregation: UNIQUE_VISITORS) { points { x y count share } }": (POINTS, 0),
    "heatmap(cell: {width: 10, height: 10}) { visitors hidden { origin } pageHeight points { x element { selector } } }": (POINTS, 0),
    "rageClicks { nodes { x } }": (RAGE, 0),
    "deadClicks { nodes { x } }": (DEAD, 0),
    "scroll { buckets { depth visitors } }": (VIEWS, 0),
    "scroll { depthReachedBy }": (2 * VIEWS, 0),
    "attention { bands { y } }": (BAND_SUMS, 0),
    "attention(bandHeight: 150) { bands { y } }": (VIEWS, 0),
    "interactions { nodes { x: relativeX } }": (POINTS, 0),
    "breakdown(by: COUNTRY) { value sessions }": (ROWS_OF_PAGE, 0),
    "timeline { start clicks }": (ROWS_OF_PAGE, 0),
    "elements { nodes { clicks } }": (BURSTS, 0),
    "elements { nodes { element { selector } } }": (BURSTS, EVERY_POINT),
    "elements(orderBy: {field: CLICKS}) { nodes { clicks averageSecondsToClick belowFold { value } } }": (ELEMENT_SUMS, 0),
    'element(selector: "#b3") { clicks displays visitors conversions averageSecondsToClick }': (ROWS_OF_PAGE, EVENTS),
    "replays { nodes { sessionId clicks conversions } }": (ROWS_OF_PAGE, SESSIONS),
    "conversionsByDepth { depths { depth } }": (2 * ROWS_OF_PAGE + 2 * VIEWS, 2 * EVENTS),
    "unattributed": (ELEMENT_SUMS, 0),
    "meta { sessions }": (ROWS_OF_PAGE, 0),
}
"""Fields of Insights to the rows of their page and window that they read, and to what is read whatever the page or the window."""


def bound(rows: int, besides: int = 0) -> int:
    """Twice the rows, and eight granules around them. Less than those of every day, and than those of all pages."""
    found = besides + 2 * rows + 8 * GRANULE_ROWS
    assert found < besides + rows * DAYS // WINDOW_DAYS
    return found


@pytest.mark.parametrize(("field", "rows", "besides"), [(field, *read) for field, read in OF_A_PAGE.items()], ids=OF_A_PAGE)
async def test_a_field_of_a_page_reads_its_page_and_window(field: str, rows: int, besides: int, client: Client) -> None:
    read = await rows_read(client, f'page(key: "{PAGE_KEY}") {{ insights(window: {WINDOW}) {{ {field} }} }}')
    assert 0 < read <= bound(rows, besides) < besides + rows * PAGES


@pytest.mark.parametrize(
    "segment", ['{cohorts: ["cohort"]}', "{viewportWidth: {min: 300, max: 500}}", '{entryPage: {path: "/docs/page-7"}}']
)
async def test_a_segment_reads_its_page_and_window(segment: str, client: Client) -> None:
    """Of which no sums are kept, so that the fold reads clicks."""
    below = f"insights(window: {WINDOW}, segment: {segment}) {{ totals {{ clicks visitors }} fold {{ total }} }}"
    assert 0 < await rows_read(client, f'page(key: "{PAGE_KEY}") {{ {below} }}') <= bound(ROWS_OF_PAGE + POINTS)


COHORT_SESSIONS = 60
"""Of a hundredth of the visitors, at most, in the window."""


@pytest.mark.parametrize("insights", [f'page(key: "{PAGE_KEY}") {{ insights(', f'page: insights(url: {{ignoreQuery: "{PAGE_KEY}"}}, '])
async def test_replays_of_few_sessions_read_these_sessions(insights: str, client: Client) -> None:
    """Two granules around each, not those of the whole site."""
    asked = (
        f'{insights}window: {WINDOW}, segment: {{cohorts: ["cohort"]}}) {{ replays {{ totalCount }} }} {"}" * insights.startswith("page(")}'
    )
    assert 0 < await rows_read(client, asked) <= bound(ROWS_OF_PAGE, 2 * FEW * COHORT_SESSIONS) < SESSIONS


@pytest.mark.parametrize(("name", "parameters"), [("replays", {}), ("interactions", {"kind": "CLICK"})])
async def test_files_of_few_sessions_read_these_sessions(name: str, parameters: dict[str, str], client: Client) -> None:
    """And as many visitors; the lens up to four times, to list its sessions and to find them and their visitors."""
    window = {"between": {"from": str((NOW - timedelta(days=10)).date()), "to": str((NOW - timedelta(days=10 - WINDOW_DAYS + 1)).date())}}
    asked = {"siteId": SITE.site_id, "page": PAGE_KEY, "window": json.dumps(window), "segment": json.dumps({"cohorts": ["cohort"]})}
    context = Context(Sources([Source("default", client)]), EVERYTHING, now=NOW)
    statement = await compile_export(SCHEMA, context, name, asked | parameters)
    assert 0 < (await client.run(statement)).read_rows <= bound(4 * ROWS_OF_PAGE, 6 * FEW * COHORT_SESSIONS) < SESSIONS


COMPARED = {
    "totals { clicks { baseline } visitors { baseline } }": 2 * ROWS_OF_PAGE,
    "rates { rageSessions { delta } }": 2 * ROWS_OF_PAGE,
    "fold { total { baseline } medianViewportHeight { baseline } }": 2 * FOLD_SUMS,
    "scroll { buckets { depth } }": 2 * VIEWS,
    "elements { clicks { delta } clickRate { delta } }": 2 * ROWS_OF_PAGE + 2 * BURSTS,
    "cells { x count { delta } }": 2 * POINTS,
}
"""Fields of Comparison likewise: of two lenses on one page and window."""


@pytest.mark.parametrize(("field", "rows"), COMPARED.items(), ids=COMPARED)
async def test_a_comparison_reads_its_page_and_windows(field: str, rows: int, client: Client) -> None:
    lenses = f"baseline: {{window: {WINDOW}}}, candidate: {{window: {WINDOW}, segment: {{device: [MOBILE]}}}}"
    read = await rows_read(client, f'page(key: "{PAGE_KEY}") {{ compare({lenses}) {{ {field} }} }}')
    assert 0 < read <= bound(rows) < rows * PAGES


@pytest.mark.parametrize(
    ("rule", "matched"),
    [
        ('{wildcard: "https://example.com/docs/page-7*"}', ROWS_OF_PAGE),
        ('{prefix: "https://example.com/docs/page-7"}', ROWS_OF_PAGE),
        ('{regex: "https://example\\\\.com/docs/page-7(\\\\?.*)?"}', ROWS_OF_PAGE),
        ('{path: "/docs/page-7"}', SUMS),
        (f'{{exact: "{PAGE_KEY}"}}', ROWS_OF_PAGE),
        (f'{{ignoreQuery: "{PAGE_KEY}?a=1"}}', SUMS),
    ],
)
async def test_a_url_rule_reads_the_pages_it_can_match(rule: str, matched: int, client: Client) -> None:
    read = await rows_read(
        client, f"insights(url: {rule}, window: {WINDOW}) {{ totals {{ clicks visitors }} heatmap {{ points {{ x }} }} }}"
    )
    assert 0 < read <= bound(ROWS_OF_PAGE + POINTS) < (ROWS_OF_PAGE + POINTS) * PAGES
    read = await rows_read(client, f"matchedPages(url: {rule}, window: {WINDOW}) {{ nodes {{ key }} }}")
    assert 0 < read <= bound(matched)


@pytest.mark.parametrize("rule", ['{path: "/docs/page-7"}', '{prefix: "https://example.com/docs/page-7"}'])
async def test_elements_of_a_url_rule_read_the_pages_it_can_match(rule: str, client: Client) -> None:
    """Two times the interactions, and the pageviews, where URLs as received say which pages have rows."""
    read = await rows_read(client, f"insights(url: {rule}, window: {WINDOW}) {{ elements {{ nodes {{ clicks }} }} }}")
    assert 0 < read <= bound(2 * BURSTS + MOVES + VIEWS) < BURSTS * PAGES


async def test_the_fold_of_whole_days_reads_no_interactions(client: Client) -> None:
    read: list[Statement] = []
    client.on_statement = read.append
    await rows_read(client, f'page(key: "{PAGE_KEY}") {{ insights(window: {WINDOW}) {{ fold {{ total }} }} }}')
    assert read and not any("FROM interactions" in statement.sql for statement in read)


@pytest.mark.parametrize(
    ("field", "rows"),
    [
        (f"pages(window: {WINDOW}) {{ edges {{ node {{ key }} totals {{ clicks rageRate {{ value }} }} }} }}", SUMS),
        (f'page(key: "{PAGE_KEY}") {{ insights(window: {WINDOW}) {{ totals {{ clicks }} }} }}', WINDOW_DAYS * GRANULE_ROWS),
    ],
    ids=["of a listing", "of a page"],
)
async def test_sums_of_pages_read_no_interactions(field: str, rows: int, client: Client) -> None:
    """Those of one page in a granule of each day."""
    assert 0 < await rows_read(client, field) <= bound(rows) < POINTS * PAGES


async def test_the_visitors_of_listed_pages_read_these_pages(client: Client) -> None:
    read = await rows_read(client, f"pages(window: {WINDOW}, first: 2) {{ edges {{ totals {{ clicks visitors }} }} }}")
    assert 0 < read <= bound(SUMS + 2 * ROWS_OF_PAGE) < ROWS_OF_PAGE * PAGES


@pytest.mark.parametrize(
    ("field", "rows", "besides"),
    [
        (f"pages(window: {WINDOW}, orderBy: {{field: ISSUE_SCORE}}) {{ nodes {{ key }} }}", ROWS_OF_PAGE, 0),
        *((f"filterValues(dimension: {dimension}, window: {WINDOW}) {{ value }}", ROWS_OF_PAGE, 0) for dimension in DIMENSION_OF),
        (f"eventNames(window: {WINDOW}) {{ name sessions }}", ONE_A_SESSION, 0),
        (f"replays(window: {WINDOW}) {{ nodes {{ sessionId }} }}", ROWS_OF_PAGE, SESSIONS),
        (f'insights(url: {{wildcard: "*page-7"}}, window: {WINDOW}) {{ totals {{ clicks }} }}', BURSTS, 0),
        (f'matchedPages(url: {{wildcard: "*page-7"}}, window: {WINDOW}) {{ edges {{ totals {{ visitors }} }} }}', ROWS_OF_PAGE, 0),
        (
            f"compare(baseline: {{window: {WINDOW}}}, candidate: {{window: {WINDOW}}}) {{ totals {{ visitors {{ delta }} }} }}",
            ROWS_OF_PAGE,
            0,
        ),
    ],
)
async def test_what_is_about_the_whole_site_reads_its_window_and_no_other_site(field: str, rows: int, besides: int, client: Client) -> None:
    """Half as much again at most: of two sites it would be twice as much."""
    assert 0 < await rows_read(client, field) <= besides + rows * PAGES * 3 // 2


async def test_what_a_site_ever_sent_is_found_in_a_few_granules(client: Client) -> None:
    """Of the size they have elsewhere, by which they are read here too: two for each kind of rows."""
    few = 2 * 8192 * len(ROWS)
    assert 0 < await rows_read(client, "capabilities { fields { available } }") <= few < SESSIONS * 16
