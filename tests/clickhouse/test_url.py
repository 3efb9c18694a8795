"""Page keys: one rule, in Python and in SQL."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from clickhouse.url import ABSOLUTE_URL, lower_scheme, page_key, page_key_sql

KEYS = {
    "https://example.com": "https://example.com/",
    "https://example.com/": "https://example.com/",
    "https://example.com//": "https://example.com/",
    "HTTPS://Example.COM/Pricing/": "https://example.com/Pricing",
    "https://example.com:443/a": "https://example.com/a",
    "http://example.com:80/a": "http://example.com/a",
    "https://example.com:80/a": "https://example.com:80/a",
    "http://example.com:8080/a//b/": "http://example.com:8080/a//b",
    "http://example.com:/a": "http://example.com/a",
    "https://example.com?utm=1": "https://example.com/",
    "https://example.com/a?b=/c/#d": "https://example.com/a",
    "https://example.com#/a?b": "https://example.com/",
    "https://user:word@example.com/a": "https://example.com/a",
    "https://[2001:DB8::1]:443/a": "https://[2001:db8::1]/a",
    "https://example.com/%C3%A9/É": "https://example.com/%C3%A9/É",
    "https://ÉXAMPLE.com/": "https://Éxample.com/",
}
NO_URLS = [
    "",
    "/pricing",
    "example.com/a",
    "//example.com",
    "ftp://example.com",
    "https://",
    "https:///a",
    "https://?a",
    "http://a b/",
    "http://a\n",
]

host = st.from_regex(r"([A-Za-z0-9.é-]{1,8}|\[[0-9a-fA-F:.]{1,8}\])(:([0-9]{0,4}|80|443))?", fullmatch=True)
tail = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
urls = st.builds(
    lambda scheme, user, host, first, tail: f"{scheme}://{user}{host}{first + tail if first else ''}",
    st.sampled_from(["http", "https", "HTTP", "hTTps"]),
    st.sampled_from(["", "u@", "u:p@"]),
    host,
    st.sampled_from(["", "/", "?", "#", "//"]),
    tail,
)


@pytest.mark.parametrize("url", KEYS)
def test_page_key(url: str) -> None:
    assert page_key(url) == KEYS[url]


@pytest.mark.parametrize("url", NO_URLS)
def test_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="absolute"):
        page_key(url)


@given(urls)
def test_a_key_is_its_own_key(url: str) -> None:
    assert page_key(page_key(url)) == page_key(url)


@settings(max_examples=15, deadline=None)
@given(st.lists(urls, min_size=1, max_size=50))
def test_sql_agrees(database: Client, some: list[str]) -> None:
    some = [*some, *KEYS]
    rows = database.query(
        f"SELECT {page_key_sql('url')}, match(url, {{pattern:String}}) FROM (SELECT arrayJoin({{urls:Array(String)}}) AS url)",
        {"urls": some, "pattern": ABSOLUTE_URL},
    ).result_rows
    assert rows == [(page_key(url), 1) for url in some]


def test_sql_knows_what_is_no_url(database: Client) -> None:
    rows = database.query(
        "SELECT match(arrayJoin({urls:Array(String)}), {pattern:String})", {"urls": NO_URLS, "pattern": ABSOLUTE_URL}
    ).result_rows
    assert rows == [(0,)] * len(NO_URLS)


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("HTTPS://A.com/B", "https://A.com/B"),
        ("Http*", "http*"),
        ("HTT", "htt"),
        ("Start", "Start"),
        ("Home*", "Home*"),
        ("/Https:", "/Https:"),
        ("HTTPSX", "HTTPSX"),
    ],
)
def test_only_a_scheme_is_in_lower_case(asked: str, stored: str) -> None:
    """What is no URL, as an entry page may be, is asked for as it was sent."""
    assert lower_scheme(asked) == stored
