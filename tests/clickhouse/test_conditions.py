"""The lens as conditions: the mirror table of every part."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.conditions import is_test_account, lens_clauses, literal_head, stored_url_clauses, url_clauses, wildcard_pattern
from clickhouse.lens import Lens, PerformedEvent, Segment, UrlRule, WidthRange, Window
from clickhouse.statement import Params
from clickhouse.url import page_key_sql, url_rest_sql

DAYS = Window(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
HOURS = Window(datetime(2026, 4, 1, 6, tzinfo=UTC), datetime(2026, 4, 2, 6, tzinfo=UTC))


def lens(window: Window = DAYS, segment: Segment | None = None, url: UrlRule | None = None) -> Lens:
    return Lens("site_a", window, segment or Segment(), url)


def clauses(asked: Lens, page_keys: tuple[str, ...] = ()) -> tuple[list[str], dict[str, object]]:
    params = Params()
    found = lens_clauses(asked, page_keys, params)
    return found[1:], params.values  # the first is always the site


def test_every_lens_is_of_one_site() -> None:
    params = Params()
    assert lens_clauses(lens(), (), params)[0] == "site_id = {p0:String}"
    assert params.values["p0"] == "site_a"


def test_whole_days_are_read_by_day_alone() -> None:
    found, values = clauses(lens(DAYS))
    assert found == ["day BETWEEN {p1:Date} AND {p2:Date}"]
    assert [str(values["p1"]), str(values["p2"])] == ["2026-04-01", "2026-04-30"]


def test_other_edges_also_by_instant_with_a_zone() -> None:
    found, _ = clauses(lens(HOURS))
    assert found == [
        "day BETWEEN {p1:Date} AND {p2:Date}",
        "timestamp >= {p3:DateTime64(3, 'UTC')}",
        "timestamp < {p4:DateTime64(3, 'UTC')}",
    ]


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        pytest.param(Segment(device=("MOBILE", "TABLET")), ["device IN {p3:Array(String)}"], id="device"),
        pytest.param(Segment(breakpoint=("MOBILE",)), ["breakpoint IN {p3:Array(String)}"], id="breakpoint"),
        pytest.param(Segment(country=("DE",)), ["country IN {p3:Array(String)}"], id="country"),
        pytest.param(Segment(region=("Bavaria",)), ["region IN {p3:Array(String)}"], id="region"),
        pytest.param(Segment(browser=("Firefox",)), ["browser IN {p3:Array(String)}"], id="browser"),
        pytest.param(Segment(traffic_source=("news",)), ["traffic_source IN {p3:Array(String)}"], id="traffic source"),
        pytest.param(Segment(campaign=("spring",)), ["campaign IN {p3:Array(String)}"], id="campaign"),
        pytest.param(Segment(variant=("b",)), ["variant IN {p3:Array(String)}"], id="variant"),
        pytest.param(
            Segment(viewport_width=WidthRange(768, 1023)),
            ["viewport_width >= {p3:Int64}", "viewport_width <= {p4:Int64}"],
            id="width, both ends included",
        ),
        pytest.param(Segment(viewport_width=WidthRange(None, 767)), ["viewport_width <= {p3:Int64}"], id="width, open below"),
        pytest.param(
            Segment(entry_page=UrlRule("path", "/pricing/")), ["path(entry_page) = {p3:String}"], id="entry page, told by its key"
        ),
        pytest.param(
            Segment(entry_page=UrlRule("regex", "https?://.*")),
            ["session_id IN (SELECT session_id FROM sessions FINAL WHERE site_id = {p0:String} AND match(entry_url, {p3:String}))"],
            id="entry page, told by its URL",
        ),
        pytest.param(
            Segment(cohorts=("co_1", "co_2")),
            [
                "visitor_id IN (SELECT visitor_id FROM cohort_members WHERE site_id = {p0:String} AND cohort_id = {p3:String})",
                "visitor_id IN (SELECT visitor_id FROM cohort_members WHERE site_id = {p0:String} AND cohort_id = {p4:String})",
            ],
            id="all of the cohorts",
        ),
        pytest.param(
            Segment(performed=(PerformedEvent("signup", 2),)),
            [
                "session_id IN (SELECT session_id FROM events WHERE site_id = {p0:String} AND name = {p3:String}"
                " GROUP BY session_id HAVING count() >= {p4:UInt32})"
            ],
            id="performed events",
        ),
        pytest.param(Segment(exclude_test_accounts=True), ["NOT (is_test)"], id="test accounts"),
    ],
)
def test_segment(segment: Segment, expected: list[str]) -> None:
    found, _ = clauses(lens(segment=segment))
    assert found[1:] == expected


def test_the_sites_own_test_accounts_are_found_by_wildcard() -> None:
    params = Params()
    asked = Lens("site_a", DAYS, Segment(exclude_test_accounts=True), test_account_rules=("qa-*@example.com",))
    assert is_test_account(asked, params) == (
        "is_test OR visitor_id IN (SELECT visitor_id FROM visitors WHERE site_id = {p1:String} AND (match(visitor_key, {p0:String})))"
    )
    assert params.values["p0"] == r"(?s)^qa\-.+@example\.com$"


def test_a_plans_pages_limit_every_lens() -> None:
    asked = Lens("site_a", DAYS, tracked_pages=("https://example.com/",))
    found, values = clauses(asked)
    assert found[0] == "page_key IN {p1:Array(String)}"
    assert values["p1"] == ["https://example.com/"]


@pytest.mark.parametrize(
    ("rule", "expected", "bound"),
    [
        pytest.param(
            UrlRule("exact", "https://example.com/a/?q=1#top"),
            ["page_key = {p0:String}", "trim(TRAILING '/' FROM cutFragment(url)) = {p1:String}"],
            ["https://example.com/a", "https://example.com/a/?q=1"],
            id="exact",
        ),
        pytest.param(UrlRule("path", "/"), ["path(page_key) = {p0:String}"], ["/"], id="root path"),
        pytest.param(
            UrlRule("ignore_query", "https://example.com/a/?q=1"), ["page_key = {p0:String}"], ["https://example.com/a"], id="ignoreQuery"
        ),
        pytest.param(
            UrlRule("prefix", "https://EXAMPLE.com/a/"),
            ["startsWith(page_key, {p0:String})", "startsWith(url, {p1:String})"],
            ["https://example.com/a", "https://EXAMPLE.com/a/"],
            id="prefix",
        ),
        pytest.param(
            UrlRule("exact", "HTTPS://A.com/B#c"),
            ["page_key = {p0:String}", "trim(TRAILING '/' FROM cutFragment(url)) = {p1:String}"],
            ["https://a.com/B", "https://A.com/B"],
            id="exact, the scheme in capitals",
        ),
        pytest.param(
            UrlRule("wildcard", "https://example.com/a?*"),
            ["page_key = {p0:String}", "match(url, {p1:String})"],
            ["https://example.com/a", r"(?s)^https://example\.com/a\?.+$"],
            id="wildcard of a page's queries",
        ),
        pytest.param(UrlRule("wildcard", "https://*/a?b"), ["match(url, {p0:String})"], [r"(?s)^https://.+/a\?b$"], id="wildcard"),
        pytest.param(UrlRule("regex", "a|b"), ["match(url, {p0:String})"], ["^(?:a|b)$"], id="regex, the whole URL"),
    ],
)
def test_url_rules(rule: UrlRule, expected: list[str], bound: list[str]) -> None:
    params = Params()
    assert url_clauses(rule, params) == expected
    assert list(params.values.values()) == bound


HOSTS = ("https://x.com", "https://X.com", "https://x.com:443", "https://u@x.com")
PATHS = ("", "/", "//", "/a", "/a/", "/a//", "/a//b", "/ab", "/A")
URLS = [host + path + end for host in HOSTS for path in PATHS for end in ("", "?q=1", "/?q", "#f")]


@pytest.mark.parametrize("kind", ["prefix", "wildcard"])
def test_what_a_url_begins_with_is_told_by_its_page_key(database: Client, kind: str) -> None:
    stored = f"SELECT raw AS url, {page_key_sql('raw')} AS page_key, {url_rest_sql('raw', 'page_key')} AS url_rest"
    for head in [host + path + end for host in ("http", "https://x", *HOSTS[:3]) for path in PATHS for end in ("", "?")]:
        params = Params()
        rule = UrlRule(kind, head + "*" if kind == "wildcard" else head)
        found = database.query(
            f"SELECT url FROM ({stored} FROM (SELECT arrayJoin({params.texts(tuple(URLS))}) AS raw))"
            f" WHERE {' AND '.join(stored_url_clauses(rule, params))}",
            params.values,
        ).result_rows
        assert [url for (url,) in found] == [url for url in URLS if url.startswith(head) and (kind == "prefix" or url != head)], rule


@pytest.mark.parametrize("table", ["interactions", "pageviews"])
@pytest.mark.parametrize("url", [*URLS, "HTTPS://x.com/a?Q", "HTTP://x.com/a", "Http://X.com/A"])
def test_a_url_is_put_together_again(database: Client, table: str, url: str) -> None:
    """All of it as received, but for the case of its scheme, and found by the rule that names it."""
    site_id = f"{table} {url}"
    parts = f"SELECT {{url:String}} AS raw, {page_key_sql('raw')} AS key, {url_rest_sql('raw', 'key')} AS rest"
    columns = "site_id, page_key, url_rest, viewport_width, day, expires_on"
    database.command(
        f"INSERT INTO {table} ({columns}) SELECT {{site:String}}, key, rest, 9, today(), today() + 9 FROM ({parts})",
        {"url": url, "site": site_id},
    )
    params = Params()
    rule = [f"site_id = {params.text(site_id)}", *stored_url_clauses(UrlRule("exact", url), params)]
    found = database.query(f"SELECT url FROM {table} WHERE {' AND '.join(rule)}", params.values).result_rows
    scheme, rest = url.split(":", 1)
    assert found == [(f"{scheme.lower()}:{rest}",)]


@pytest.mark.parametrize(
    ("kind", "value", "matches"),
    [
        ("prefix", "HTTPS://A.com/", True),
        ("prefix", "HTTPS://A.com/Pricing", True),
        ("prefix", "HTT", True),
        ("prefix", "HTTPX", False),
        ("prefix", "HTTPS://a.com/", False),
        ("prefix", "https://A.com/pricing", False),
        ("wildcard", "Https://A.com/*", True),
        ("wildcard", "HTTPS*/Pri*g", True),
        ("wildcard", "HTTPS://A.com/*cin*", True),
        ("wildcard", "*S://A.com/*", False),
        ("wildcard", "*/PRI*", False),
        ("exact", "httpS://A.com/Pricing/#x", True),
        ("exact", "HTTPS://a.com/Pricing", False),
    ],
)
def test_a_scheme_in_capitals_is_none(database: Client, kind: str, value: str, matches: bool) -> None:
    """Neither in the URL received nor in the one asked for; the host's and the path's case counts."""
    received = f"SELECT 'HTTPS://A.com/Pricing' AS raw, {page_key_sql('raw')} AS page_key, {url_rest_sql('raw', 'page_key')} AS url_rest"
    stored = f"SELECT *, if(startsWith(url_rest, 'http'), url_rest, concat(page_key, url_rest)) AS url FROM ({received})"
    for clauses_of in (stored_url_clauses, url_clauses):
        params = Params()
        where = " AND ".join(clauses_of(UrlRule(kind, value), params))
        assert database.query(f"SELECT count() FROM ({stored}) WHERE {where}", params.values).result_rows == [(int(matches),)]


def test_a_wildcard_is_one_or_more_characters() -> None:
    assert wildcard_pattern("*a*") == "(?s)^.+a.+$"


@pytest.mark.parametrize("other", ["DateTime64(3)", "DateTime('UTC')", "Array(DateTime64(3, 'UTC'))"])
def test_a_time_must_name_its_zone(other: str) -> None:
    with pytest.raises(ValueError, match="must name its zone"):
        Params().bind(datetime(2026, 4, 1), other)


@pytest.mark.parametrize(
    ("regex", "head"),
    [
        (r"https://a\.com/b/.*", "https://a.com/b/"),
        (r"^https://a\.com/b$", "https://a.com/b"),
        (r"https://a\.com/bc?", "https://a.com/b"),
        (r"https://a\.com/bc*d", "https://a.com/b"),
        (r"https://a\.com/b{2}", "https://a.com/"),
        (r"https://a\.com/b+", "https://a.com/b"),
        (r"https://a\.com/\d", "https://a.com/"),
        (r"https://a\.com/x|http://b\.com/x", ""),
        (r"(?i)https://a\.com/", ""),
        (r"https?://a\.com/", "http"),
        (r".*", ""),
    ],
)
def test_the_literal_head_of_a_regex(regex: str, head: str) -> None:
    assert literal_head(regex) == head
