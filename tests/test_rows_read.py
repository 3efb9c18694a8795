"""No field falls to a full scan: each reads no more rows than a small multiple of those of its pages and its window."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import cast

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client, Row, open_sync
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from clickhouse.statement import Statement
from tests.asking import NOW, ask, create_site
from tests.servers import Node

SITE = Site("site_rows", "Rows")
OTHER = Site("site_other", "Other")
PAGES = 40
DAYS = 28
SESSIONS = 60_000
INTERACTIONS_A_SESSION = 12
PAGEVIEWS_A_SESSION = 4
WINDOW_DAYS = 7
GRANULE_ROWS = 8192
PAGE_KEY = "https://example.com/docs/page-7"
WINDOW = f'{{between: {{from: "{(NOW - timedelta(days=10)).date()}", to: "{(NOW - timedelta(days=10 - WINDOW_DAYS + 1)).date()}"}}}}'
PAGE_ROWS = SESSIONS * (INTERACTIONS_A_SESSION + PAGEVIEWS_A_SESSION) // PAGES // DAYS * WINDOW_DAYS
"""Interactions and pageviews of a page in the window."""
SITE_ROWS = PAGE_ROWS * PAGES

ROWS = f"""
    cityHash64(site, s) AS session_id, cityHash64(intDiv(s, 2)) AS visitor_id,
    concat('https://example.com/', ['docs', 'blog'][1 + n % 2], '/page-', toString(cityHash64(n, s) % {PAGES // 2})) AS page_key,
    toDate('{NOW.date()}') - 1 - s % {DAYS} AS day, toDateTime64(day, 3, 'UTC') + s % 80000 + n AS timestamp,
    [375, 820, 1280][1 + s % 3] AS viewport_width, ['MOBILE', 'TABLET', 'DESKTOP'][1 + s % 3] AS breakpoint, breakpoint AS device,
    '' AS url_rest, today() + 400 AS expires_on, 800 AS viewport_height, 4000 AS page_height, ['DE', 'US'][1 + s % 2] AS country"""
SHARED = (
    "site_id, session_id, visitor_id, page_key, day, timestamp, viewport_width, breakpoint, device, url_rest, expires_on,"
    " viewport_height, page_height, country"
)


@pytest.fixture(scope="module")
def dsn(node: Node) -> str:
    """A server, which tells what a statement read."""
    address = node.dsn(f"test_{uuid.uuid4().hex}")
    client = open_sync(address)
    migrate(client)
    for site in (SITE, OTHER):
        create_site(client, site)
        _fill(client, site)
    for table in ("interactions", "pageviews", "sessions", "pages_daily", "depths_daily", "elements_daily", "folds_daily"):
        client.command(f"OPTIMIZE TABLE {table} FINAL")
    client.close()
    return address


def _fill(client: SyncClient, site: Site) -> None:
    def insert(table: str, rows_a_session: int, columns: str, values: str) -> None:
        numbers = f"FROM numbers({SESSIONS * rows_a_session})"
        client.command(
            f"INSERT INTO {table} ({SHARED}, {columns}) WITH '{site.site_id}' AS site, intDiv(number, {rows_a_session}) AS s,"
            f" number % {rows_a_session} AS n, {ROWS} SELECT site, {SHARED.removeprefix('site_id, ')}, {values} {numbers}"
        )

    insert(
        "interactions",
        INTERACTIONS_A_SESSION,
        "kind, x, y, clicks, selector",
        "['click', 'click', 'dead', 'rage', 'move', 'move'][1 + n % 6], s % 375, s % 4000, 5, concat('#b', toString(s % 9))",
    )
    insert("pageviews", PAGEVIEWS_A_SESSION, "reached_px, reached_ppt, session_pageviews", "1600, 400000000000, 4")
    client.command(
        "INSERT INTO sessions (site_id, session_id, session_key, visitor_id, started_at, ended_at, expires_on, derived_at)"
        " SELECT site_id, session_id, toString(session_id), any(visitor_id), min(timestamp), max(timestamp),"
        f" max(expires_on), now64(3) FROM pageviews WHERE site_id = '{site.site_id}' GROUP BY site_id, session_id"
    )
    client.command(
        "INSERT INTO visitors (site_id, visitor_id, visitor_key, day, expires_on) SELECT site_id, visitor_id, toString(visitor_id), max(day),"
        f" max(expires_on) FROM pageviews WHERE site_id = '{site.site_id}' GROUP BY site_id, visitor_id"
    )
    client.command(
        "INSERT INTO pages (site_id, page_key, first_seen, last_seen, has_heat) SELECT site_id, page_key, min(timestamp), max(timestamp), 1"
        f" FROM pageviews WHERE site_id = '{site.site_id}' GROUP BY site_id, page_key"
    )


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
    "totals { clicks }": 1,
    "totals { visitors bounceRate { value } }": 1,
    "fold { total medianViewportHeight }": 1,
    "heatmap { total points { x y count } }": 1,
    "heatmap(aggregation: UNIQUE_VISITORS) { points { x y count share } }": 1,
    "heatmap(cell: {width: 10, height: 10}) { visitors hidden { origin testAccounts } pageHeight points { x element { selector } } }": 1,
    "rageClicks { nodes { x } }": 1,
    "deadClicks { nodes { x } }": 1,
    "scroll { buckets { depth visitors } }": 2,
    "scroll { depthReachedBy }": 3,
    "attention { bands { y } }": 1,
    "interactions { nodes { x: relativeX } }": 1,
    "breakdown(by: COUNTRY) { value sessions }": 1,
    "timeline { start clicks }": 1,
    "elements { nodes { clicks } }": 2,
    "elements(orderBy: {field: CLICKS}) { nodes { clicks averageSecondsToClick belowFold { value } } }": 1,
    'element(selector: "#b3") { clicks displays visitors conversions averageSecondsToClick }': 1,
    "replays { nodes { sessionId clicks } }": 1,
    "conversionsByDepth { depths { depth } }": 2,
    "unattributed": 1,
    "meta { sessions }": 1,
}
"""Fields of Insights to how often they may read the rows of their page and window."""


def bound(rows: int, times: int) -> int:
    """What surrounds the rows in their granules is read too: about sixteen granules for each time, two kinds of rows in two months."""
    return times * (2 * rows + 16 * GRANULE_ROWS)


@pytest.mark.parametrize(("field", "times"), OF_A_PAGE.items(), ids=OF_A_PAGE)
async def test_a_field_of_a_page_reads_its_page_and_window(field: str, times: int, client: Client) -> None:
    assert bound(PAGE_ROWS, 1) < SITE_ROWS
    read = await rows_read(client, f'page(key: "{PAGE_KEY}") {{ insights(window: {WINDOW}) {{ {field} }} }}')
    assert 0 < read <= bound(PAGE_ROWS, times)


COMPARED = {
    "totals { clicks { baseline } visitors { baseline } }": 2,
    "rates { rageSessions { delta } }": 2,
    "fold { total { baseline } medianViewportHeight { baseline } }": 1,
    "scroll { buckets { depth } }": 1,
    "elements { clicks { delta } clickRate { delta } }": 2,
    "cells { x count { delta } }": 1,
}
"""Fields of Comparison likewise: of two lenses on one page and window."""


@pytest.mark.parametrize(("field", "times"), COMPARED.items(), ids=COMPARED)
async def test_a_comparison_reads_its_page_and_windows(field: str, times: int, client: Client) -> None:
    lenses = f"baseline: {{window: {WINDOW}}}, candidate: {{window: {WINDOW}, segment: {{device: [MOBILE]}}}}"
    read = await rows_read(client, f'page(key: "{PAGE_KEY}") {{ compare({lenses}) {{ {field} }} }}')
    assert 0 < read <= bound(PAGE_ROWS, times)


@pytest.mark.parametrize(
    "rule",
    [
        '{wildcard: "https://example.com/docs/page-7*"}',
        '{prefix: "https://example.com/docs/page-7"}',
        '{regex: "https://example\\\\.com/docs/page-7(\\\\?.*)?"}',
        '{path: "/docs/page-7"}',
        f'{{exact: "{PAGE_KEY}"}}',
        f'{{ignoreQuery: "{PAGE_KEY}?a=1"}}',
    ],
)
async def test_a_url_rule_reads_the_pages_it_can_match(rule: str, client: Client) -> None:
    read = await rows_read(
        client, f"insights(url: {rule}, window: {WINDOW}) {{ totals {{ clicks visitors }} heatmap {{ points {{ x }} }} }}"
    )
    assert 0 < read <= bound(PAGE_ROWS, 2)
    read = await rows_read(client, f"matchedPages(url: {rule}, window: {WINDOW}) {{ nodes {{ key }} }}")
    assert 0 < read <= bound(PAGE_ROWS, 1)


async def test_the_fold_of_whole_days_reads_no_interactions(client: Client) -> None:
    read: list[Statement] = []
    client.on_statement = read.append
    assert (
        0 < await rows_read(client, f'page(key: "{PAGE_KEY}") {{ insights(window: {WINDOW}) {{ fold {{ total }} }} }}') <= 2 * GRANULE_ROWS
    )
    assert read and not any("FROM interactions" in statement.sql for statement in read)


async def test_a_listing_by_sums_reads_no_interactions(client: Client) -> None:
    pages_of_days = PAGES * DAYS * 3  # by breakpoint
    read = await rows_read(client, f"pages(window: {WINDOW}) {{ edges {{ node {{ key }} totals {{ clicks rageRate {{ value }} }} }} }}")
    assert 0 < read <= 2 * pages_of_days + 2 * GRANULE_ROWS


async def test_the_visitors_of_listed_pages_read_these_pages(client: Client) -> None:
    read = await rows_read(client, f"pages(window: {WINDOW}, first: 2) {{ edges {{ totals {{ clicks visitors }} }} }}")
    assert 0 < read <= bound(2 * PAGE_ROWS, 1) + 4 * GRANULE_ROWS


@pytest.mark.parametrize(
    "field",
    [
        f"pages(window: {WINDOW}, orderBy: {{field: ISSUE_SCORE}}) {{ nodes {{ key }} }}",
        f"filterValues(dimension: COUNTRY, window: {WINDOW}) {{ value }}",
        f"replays(window: {WINDOW}) {{ nodes {{ sessionId }} }}",
        f'insights(url: {{wildcard: "*page-7"}}, window: {WINDOW}) {{ totals {{ clicks }} }}',
        f'matchedPages(url: {{wildcard: "*page-7"}}, window: {WINDOW}) {{ edges {{ totals {{ visitors }} }} }}',
        f"compare(baseline: {{window: {WINDOW}}}, candidate: {{window: {WINDOW}}}) {{ totals {{ visitors {{ delta }} }} }}",
    ],
)
async def test_what_is_about_the_whole_site_reads_its_window_and_no_other_site(field: str, client: Client) -> None:
    assert 0 < await rows_read(client, field) <= bound(SITE_ROWS, 2)
