"""Traffic of five sites in ClickHouse, made by ClickHouse: millions of rows a minute, and the same rows in other layouts.

    traffic = Traffic(interactions=3_000_000)
    for statement in generate(client, traffic): client.command(…)    # into the product's tables, rollups by their own views
    traffic.interactions_select({"x": "x", "who": "visitor_key"})    # any columns of the same rows, for the peer

300 pages a site by Zipf's law, 90 days, 8 interactions and 3 pageviews a session, every third session a new visitor, 30 % of the URLs
with a query string. Everything follows from hashes of a row's number. Coordinates and viewports are such that the peer's rounding
to 16 px loses nothing that its answers show: both sides must answer the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from clickhouse_connect.driver.client import Client

from clickhouse.sites import Site, insert_site

SITES = 5
PAGES = 300
DAYS = 90
INTERACTIONS_A_SESSION = 8
PAGEVIEWS_A_SESSION = 3
SESSIONS_AT_ONCE = 250_000
COHORT = "every_tenth"

SESSION = {
    "site_number": "s % {sites} + 1",
    "site_id": "concat('shop_', toString(site_number))",
    "origin": "concat('https://www.shop-', toString(site_number), '.example.com')",
    "session_key": "toString(reinterpretAsUUID(sipHash128('session', s)))",
    "session_id": "cityHash64(session_key)",
    "visitor_number": "cityHash64('visitor', s) % {visitors}",
    "visitor_key": "toString(reinterpretAsUUID(sipHash128('visitor', site_number, visitor_number)))",
    "visitor_id": "cityHash64(visitor_key)",
    "started_ms": "{start_ms} + intDiv(s * {span_ms}, {sessions})",
    "screen": "1 + cityHash64('screen', s) % 10",
    "viewport_width": "[1920, 1920, 1536, 1440, 1280, 768, 384, 384, 384, 384][screen]",
    "viewport_height": "[960, 960, 736, 784, 640, 1024, 832, 832, 704, 704][screen]",
    "breakpoint": "multiIf(viewport_width < 768, 'MOBILE', viewport_width < 1024, 'TABLET', 'DESKTOP')",
    "device": "breakpoint",
    "country": "['US', 'US', 'US', 'DE', 'DE', 'FR', 'GB', 'IN', 'BR', 'JP'][1 + cityHash64('country', s) % 10]",
    "region": "concat(country, '-', toString(cityHash64('region', s) % 10))",
    "browser": "['Chrome', 'Chrome', 'Chrome', 'Safari', 'Firefox', 'Edge'][1 + cityHash64('browser', s) % 6]",
    "traffic_source": "['Search', 'Search', 'Direct', 'Social', 'Ads'][1 + cityHash64('source', s) % 5]",
    "campaign": "if(traffic_source = 'Ads', concat('campaign-', toString(cityHash64('campaign', s) % 20)), '')",
    "variant": "['A', 'B'][1 + cityHash64('variant', s) % 2]",
    "is_test": "cityHash64('test', s) % 100 = 0",
    "sample_rate": "100",
    "entry_rank": "toUInt64(pow({pages} + 1, cityHash64('page', s, 0) / 18446744073709551616.))",
    "entry_page": "{entry_key}",
    "entry_url": "concat(entry_page, if(cityHash64('query', s, 0) % 10 < 3, concat('?ref=', toString(cityHash64('ref', s, 0) % 1000)), ''))",
}
"""What follows from the session's number `s`, each from those before it."""

PAGEVIEW = {
    "rank": "toUInt64(pow({pages} + 1, cityHash64('page', s, pv) / 18446744073709551616.))",
    "page_key": "{page_key}",
    "url": "concat(page_key, if(cityHash64('query', s, pv) % 10 < 3, concat('?ref=', toString(cityHash64('ref', s, pv) % 1000)), ''))",
    "url_rest": "substring(url, length(page_key) + 1)",
    "page_height": "2000 + cityHash64('height', rank) % 300 * 16",
    "viewed_ms": "started_ms + pv * 60000",
}
"""What follows from the session and the pageview's place `pv` in it."""

INTERACTION = {
    "h": "cityHash64('interaction', s, k)",
    "kind": "multiIf(h % 100 < 55, 'click', h % 100 < 60, 'dead', h % 100 < 63, 'rage', 'move')",
    "on_element": "kind != 'move' AND intDiv(h, 100) % 10 < 6",
    "element": "toUInt64(pow(41, intDiv(h, 1000) % 100000 / 100000.))",
    "selector": "if(kind = 'move', '', if(on_element, concat('main > section:nth-of-type(', toString(element), ') > a.call'), 'main'))",
    "tag": "if(kind = 'move', '', if(on_element, 'a', 'main'))",
    "text": "if(on_element, concat('Offer ', toString(element)), '')",
    "href": "if(on_element, concat('/offers/', toString(element)), '')",
    "fixed": "intDiv(h, 100000000) % 20 = 0",
    "origin_cluster": "cityHash64('origin', s, k) % 100 = 0",
    "place": "if(on_element, cityHash64('element', rank, element) + intDiv(h, 7) % 3, cityHash64('place', s, k))",
    "rows_16px": "intDiv(if(fixed, viewport_height, page_height), 16) - 1",
    "y": "if(origin_cluster, 0, 16 * (1 + intDiv(place, 1000) % rows_16px) + 1 + intDiv(h, 11) % 15)",
    "width_16px": "intDiv(viewport_width, 16)",
    "x_16px": "place % width_16px",
    "column": "toUInt64(round(round(x_16px / width_16px, 2) * 100))",  # as the peer sees it; x stays where both see the same
    "x_from": "greatest(16 * x_16px, intDiv(column * viewport_width + 99, 100))",
    "x_to": "least(16 * x_16px + 16, intDiv((column + 1) * viewport_width + 99, 100))",
    "x": "if(origin_cluster, 0, x_from + intDiv(h, 13) % (x_to - x_from))",
    "at_ms": "started_ms + k * 20000 + h % 15000",
    "timestamp": "fromUnixTimestamp64Milli(toInt64(at_ms), 'UTC')",
    "day": "toDate(timestamp)",
    "since_pageview_ms": "at_ms - viewed_ms",
    "clicks": "if(kind = 'rage', 5 + h % 4, 1)",
    "row_id": "h",
    "expires_on": "day + 730",
}
"""What follows from the session and the interaction's place `k` in it."""

VIEW = {
    "timestamp": "fromUnixTimestamp64Milli(toInt64(viewed_ms), 'UTC')",
    "day": "toDate(timestamp)",
    "scroll_y": "16 * toUInt64(pow(cityHash64('scroll', s, pv) % 1000 / 1000., 2) * greatest(0, toInt64(page_height) - viewport_height) / 16)",
    "reached_px": "scroll_y + viewport_height",
    "reached_ppt": "least(toUInt64(1e12), intDiv(reached_px * toUInt64(1e12), page_height))",
    "seen_y_px": "[0, toUInt32(scroll_y)]",
    "seen_height_px": "[toUInt32(viewport_height), toUInt32(viewport_height)]",
    "seen_ms": "[toUInt32(cityHash64('seen', s, pv) % 9000), toUInt32(cityHash64('seen', s, pv, 1) % 9000)]",
    "on_page_ms": "if(pv = 2, NULL, toUInt32(60000))",
    "session_pageviews": "3",
    "expires_on": "day + 730",
}

WHOLE_SESSION = {
    "started_at": "fromUnixTimestamp64Milli(toInt64(started_ms), 'UTC')",
    "ended_at": "started_at + 180",
    "pageviews": "3",
    "pages": "3",
    "clicks": "5",
    "rage_clicks": "0",
    "dead_clicks": "0",
    "derived_at": "fromUnixTimestamp64Milli({start_ms} + {span_ms}, 'UTC')",  # `load` derives many at once
    "expires_on": "toDate(started_at) + 730",
}


def _page_key(rank: str) -> str:
    """Six sections of fifty pages: /, /docs, /blog, …"""
    return f"concat(origin, ['/all', '/docs', '/blog', '/shop', '/help', '/news'][1 + {rank} % 6], '/page-', toString({rank}))"


@dataclass(frozen=True, slots=True)
class Traffic:
    interactions: int
    last_day: date = field(default_factory=lambda: datetime.now(UTC).date() - timedelta(days=1))

    @property
    def sessions(self) -> int:
        return max(self.interactions // INTERACTIONS_A_SESSION, 1)

    def interactions_select(self, columns: Mapping[str, str], first: int = 0, count: int | None = None) -> str:
        """SELECT of these columns (name -> expression) of the interactions of `count` sessions from `first` on."""
        return self._select(columns, {**SESSION, **PAGEVIEW, **INTERACTION}, first, count, INTERACTIONS_A_SESSION, "k", "intDiv(k * 3, 8)")

    def pageviews_select(self, columns: Mapping[str, str], first: int = 0, count: int | None = None) -> str:
        return self._select(columns, {**SESSION, **PAGEVIEW, **VIEW}, first, count, PAGEVIEWS_A_SESSION, "pv", "0")

    def sessions_select(self, columns: Mapping[str, str], first: int = 0, count: int | None = None) -> str:
        return self._select(columns, {**SESSION, **WHOLE_SESSION}, first, count, 1, "k", "0")

    def batches(self) -> Iterator[tuple[int, int]]:
        """(first session, sessions) of what is inserted at once."""
        for first in range(0, self.sessions, SESSIONS_AT_ONCE):
            yield first, min(SESSIONS_AT_ONCE, self.sessions - first)

    def _select(
        self, columns: Mapping[str, str], known: Mapping[str, str], first: int, count: int | None, each: int, place: str, pageview: str
    ) -> str:
        start = datetime.combine(self.last_day - timedelta(days=DAYS - 1), datetime.min.time(), UTC)
        values = {
            "sites": SITES,
            "pages": PAGES,
            "sessions": self.sessions,
            "visitors": max(self.sessions // 3 // SITES, 1),
            "start_ms": int(start.timestamp() * 1000),
            "span_ms": (DAYS * 24 - 1) * 3_600_000,
            "page_key": _page_key("rank"),
            "entry_key": _page_key("entry_rank"),
        }
        of_place = "" if place == "pv" else f", {pageview} AS pv"
        chosen = ",\n  ".join(f"({sql}) AS `{name}`" for name, sql in columns.items())
        inner = ", ".join(f"({sql.format_map(values)}) AS {name}" for name, sql in known.items())
        rows = f"SELECT intDiv(number, {each}) AS s, number % {each} AS {place}{of_place}, {inner}"
        count = self.sessions if count is None else count
        return f"SELECT {chosen}\nFROM (\n{rows}\nFROM numbers_mt({first * each}, {count * each})\n)"


def generate(client: Client, traffic: Traffic) -> Iterator[str]:
    """Makes sites and a cohort of a tenth of the visitors; the INSERTs of everything else, which may run side by side."""
    for number in range(1, SITES + 1):
        site = insert_site(Site(f"shop_{number}", f"Shop {number}"), datetime.now(UTC))
        client.insert(site.table, site.rows, column_names=site.columns)
    now = "now64(3)"
    client.command(
        "INSERT INTO cohorts (site_id, cohort_id, name, created_at, deleted, updated_at)"
        f" SELECT DISTINCT site_id, '{COHORT}', 'Every tenth', {now}, false, {now} FROM sites"
    )
    everybody = traffic.sessions_select({"site_id": "site_id", "visitor_id": "visitor_id"})
    people = traffic.sessions_select(
        {"site_id": "site_id", "visitor_id": "visitor_id", "visitor_key": "visitor_key", "day": "toDate(started_at)"}
    )
    yield (
        "INSERT INTO visitors (site_id, visitor_id, visitor_key, day, expires_on)"
        f" SELECT site_id, visitor_id, any(visitor_key), max(day), max(day) + 730 FROM (\n{people}\n) GROUP BY site_id, visitor_id"
    )
    yield (
        "INSERT INTO cohort_members (site_id, cohort_id, visitor_id)"
        f" SELECT DISTINCT site_id, '{COHORT}', visitor_id FROM (\n{everybody}\n) WHERE visitor_id % 10 = 0"
    )
    seen = traffic.pageviews_select({"site_id": "site_id", "page_key": "page_key", "timestamp": "timestamp"})
    yield (
        "INSERT INTO pages (site_id, page_key, first_seen, last_seen, has_heat)"
        f" SELECT site_id, page_key, min(timestamp), max(timestamp), 1 FROM (\n{seen}\n) GROUP BY site_id, page_key"
    )
    tables = (
        ("sessions", traffic.sessions_select, _own(client, "sessions", SESSION, WHOLE_SESSION)),
        ("pageviews", traffic.pageviews_select, _own(client, "pageviews", SESSION, PAGEVIEW, VIEW)),
        ("interactions", traffic.interactions_select, _own(client, "interactions", SESSION, PAGEVIEW, INTERACTION)),
    )
    for first, count in traffic.batches():
        for table, select, columns in tables:
            yield insert(table, columns, select(columns, first, count))


def _own(client: Client, table: str, *known: Mapping[str, str]) -> dict[str, str]:
    """The columns of the table that are made here; others keep their defaults."""
    stored = client.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND default_kind = ''",
        {"table": table},
    )
    names = {name for definitions in known for name in definitions}
    return {name: name for (name,) in stored.result_rows if name in names}


def insert(table: str, columns: Iterable[str], select: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)})\n{select}"
