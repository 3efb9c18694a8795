"""Several sources behind one graph: what one of them does costs its own fields, and nothing lasts longer than it does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from httpx import AsyncClient

from clickhouse.client import open_sync
from clickhouse.errors import BadUserInputError
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from gateway.__main__ import main
from gateway.app import create_app
from gateway.settings import Settings
from gateway.source_settings import configured_sources
from tests.asking import NOW, create_site, load
from tests.conftest import require
from tests.gateway.applications import make_token, serving
from tests.servers import LIBRARY, Node, server

PAGE = "https://example.com/"
RECOVERY_S = 30
EUROPE = """
[[sources]]
name = "europe"
dsn = "${EUROPE}"
max_execution_ms = 1000
"""
POSTHOG = '[[sources]]\nname = "a"\ndsn = "http://h/"\nlayout = "posthog"\n'
BOTH = """
query Both($first: String!, $second: String!) {
  first: site(siteId: $first) { ...Clicks }
  second: site(siteId: $second) { ...Clicks }
}
fragment Clicks on Site {
  siteId
  page(key: "https://example.com/") { insights { meta { sources } totals { clicks } heatmap { total points { count } } } }
}
"""


@pytest.fixture(scope="module")
def europe() -> Iterator[Node]:
    """A server of its own, because it is killed."""
    require(LIBRARY.exists(), "ClickHouse from npm; run the tests with: make test")
    with server() as node:
        fill(node.dsn("europe"), "eu-shop", 3)
        yield node


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    dsn = str(tmp_path_factory.mktemp("home"))
    fill(dsn, "us-shop", 2)
    return dsn


def fill(dsn: str, site_id: str, clicks: int) -> None:
    database = open_sync(dsn)
    migrate(database)
    site = create_site(database, Site(site_id, site_id.upper()))
    at_ms = int((NOW - timedelta(days=1)).timestamp() * 1000)
    place = {"url": PAGE, "x": 5, "y": 5, "viewportWidth": 1280, "viewportHeight": 800}
    load(database, site, [{"type": "click", "timestamp": at_ms + n, "sessionId": "s", "visitorId": "v", **place} for n in range(clicks)])
    database.close()


@pytest.fixture
def settings(home: str, europe: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EUROPE", europe.dsn("europe"))
    file = tmp_path / "sources.toml"
    file.write_text(EUROPE)
    return Settings(clickhouse=home, sources=str(file), secret="only for tests", pool_size=2, cache_bytes=0)


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[AsyncClient]:
    token = make_token(settings, "heatmap:read")
    async with serving(create_app(settings)) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        http.timeout = 60
        yield http


async def ask(http: AsyncClient, query: str, **variables: Any) -> tuple[Any, dict[str, str]]:
    """The data, and the code of each path."""
    answer = (await http.post("/graphql", json={"query": query, "variables": variables})).json()
    codes = {".".join(map(str, error.get("path", ()))): error["extensions"]["code"] for error in answer.get("errors", ())}
    return answer.get("data"), codes


async def both(http: AsyncClient) -> tuple[Any, dict[str, str]]:
    return await ask(http, BOTH, first="us-shop", second="eu-shop")


def clicks(site: Any) -> tuple[str, int, int, int]:
    found = site["page"]["insights"]
    return found["meta"]["sources"][0], found["totals"]["clicks"], found["heatmap"]["total"], found["heatmap"]["points"][0]["count"]


async def recovered(http: AsyncClient) -> bool:
    deadline = time.monotonic() + RECOVERY_S
    while time.monotonic() < deadline:
        data, codes = await both(http)
        if not codes:
            return clicks(data["second"]) == ("europe", 3, 3, 3)
    return False


async def test_one_query_over_two_sources(http: AsyncClient) -> None:
    data, codes = await both(http)
    assert codes == {}
    assert (clicks(data["first"]), clicks(data["second"])) == (("default", 2, 2, 2), ("europe", 3, 3, 3))


async def test_sites_of_all_sources_are_one_list(http: AsyncClient) -> None:
    query = (
        "query Sites($after: String) { sites(first: 1, after: $after) { totalCount nodes { siteId } pageInfo { hasNextPage endCursor } } }"
    )
    (one, _), two = await ask(http, query), None
    two, _ = await ask(http, query, after=one["sites"]["pageInfo"]["endCursor"])
    assert [page["sites"]["nodes"] for page in (one, two)] == [[{"siteId": "eu-shop"}], [{"siteId": "us-shop"}]]
    assert [page["sites"]["pageInfo"]["hasNextPage"] for page in (one, two)] == [True, False]
    assert one["sites"]["totalCount"] == two["sites"]["totalCount"] == 2


async def test_a_key_hears_of_its_own_sources_only(http: AsyncClient, settings: Settings) -> None:
    http.headers["Authorization"] = f"Bearer {make_token(settings, 'heatmap:read', site_ids=('eu-shop',))}"
    data, codes = await ask(http, '{ viewer { sources { name healthy } sites { totalCount } } site(siteId: "us-shop") { name } }')
    assert data["viewer"] == {"sources": [{"name": "europe", "healthy": True}], "sites": {"totalCount": 1}}
    assert codes == {"site": "NOT_FOUND"}


async def test_a_source_that_is_killed_costs_its_own_fields_until_it_is_back(http: AsyncClient, europe: Node) -> None:
    await both(http)
    europe.kill()
    try:
        data, codes = await both(http)
        assert clicks(data["first"]) == ("default", 2, 2, 2)
        assert data["second"] == {"siteId": "eu-shop", "page": None}  # who it is was known before
        assert codes == {"second.page": "SOURCE_UNAVAILABLE"}
        health = "sources { name healthy }"
        query = (
            f'{{ viewer {{ {health} }} site(siteId: "eu-shop") {{ capabilities {{ {health} }} }} sites {{ totalCount nodes {{ name }} }} }}'
        )
        data, codes = await ask(http, query)
        assert data["viewer"]["sources"] == [{"name": "default", "healthy": True}, {"name": "europe", "healthy": False}]
        assert data["site"]["capabilities"]["sources"] == [{"name": "europe", "healthy": False}]
        assert data["sites"] == {"totalCount": None, "nodes": [{"name": "EU-SHOP"}, {"name": "US-SHOP"}]}
        assert codes == {"sites.totalCount": "SOURCE_UNAVAILABLE"}
    finally:
        europe.start()
    assert await recovered(http)


async def test_a_site_that_may_be_in_a_source_that_is_down_is_not_said_to_be_missing(http: AsyncClient, europe: Node) -> None:
    europe.kill()
    try:
        data, codes = await both(http)
        assert clicks(data["first"]) == ("default", 2, 2, 2)
        assert (data["second"], codes) == (None, {"second": "SOURCE_UNAVAILABLE"})
        data, codes = await ask(http, "{ sites { totalCount nodes { name } } }")
        assert data["sites"] == {"totalCount": None, "nodes": [{"name": "US-SHOP"}]}
    finally:
        europe.start()
    assert await recovered(http)


async def test_sites_that_were_only_listed_are_known_when_their_source_is_down(http: AsyncClient, europe: Node) -> None:
    query = "{ sites { totalCount nodes { name } } }"
    nodes = [{"name": "EU-SHOP"}, {"name": "US-SHOP"}]
    assert await ask(http, query) == ({"sites": {"totalCount": 2, "nodes": nodes}}, {})
    europe.kill()
    try:
        data, codes = await ask(http, query)
        assert data["sites"] == {"totalCount": None, "nodes": nodes}
        assert codes == {"sites.totalCount": "SOURCE_UNAVAILABLE"}
    finally:
        europe.start()
    assert await recovered(http)


async def test_a_source_that_hangs_costs_its_own_deadline_then_nothing(http: AsyncClient, europe: Node) -> None:
    await both(http)
    europe.hang()
    try:
        codes: dict[str, str] = {}
        seen = []
        while codes.get("second.page") != "SOURCE_UNAVAILABLE":  # until the breaker opens
            data, codes = await both(http)
            assert clicks(data["first"]) == ("default", 2, 2, 2)
            assert (data["second"]["page"], set(codes)) == (None, {"second.page"})
            seen.append(codes["second.page"])
        assert seen[0] == "TIMEOUT"
        assert len(seen) < 10
    finally:
        europe.wake()
    assert await recovered(http)


async def test_a_request_that_ends_before_the_source_does_still_answers(settings: Settings, europe: Node) -> None:
    token = make_token(settings, "heatmap:read")
    Path(settings.sources).write_text(EUROPE.replace("1000", "60000"))
    async with serving(create_app(replace(settings, max_request_ms=4000))) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        await both(http)
        europe.hang()
        try:
            data, codes = await both(http)
        finally:
            europe.wake()
        assert clicks(data["first"]) == ("default", 2, 2, 2)
        assert codes == {"second.page": "TIMEOUT"}
        assert await recovered(http)


class NoClickHouse(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome to nginx!</html>")

    do_POST = do_GET

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def no_clickhouse() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), NoClickHouse) as wrong:
        Thread(target=wrong.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{wrong.server_port}/db"
        wrong.shutdown()


@pytest.mark.parametrize("wrong", ["a database without tables", "no ClickHouse", "nobody listens", "wrong password"])
async def test_a_source_that_is_wrong_costs_its_own_fields(
    settings: Settings, europe: Node, no_clickhouse: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = {
        "a database without tables": europe.dsn("default"),
        "no ClickHouse": no_clickhouse,
        "nobody listens": "http://127.0.0.1:9/db",
        "wrong password": europe.dsn("europe", "wrong"),
    }[wrong]
    monkeypatch.setenv("EUROPE", dsn)
    token = make_token(settings, "heatmap:read")
    async with serving(create_app(settings)) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        data, codes = await both(http)
        health, _ = await ask(http, "{ viewer { sources { name healthy } } }")
    assert clicks(data["first"]) == ("default", 2, 2, 2)
    assert (data["second"], codes) == (None, {"second": "SOURCE_UNAVAILABLE"})
    assert health["viewer"]["sources"] == [{"name": "default", "healthy": True}, {"name": "europe", "healthy": False}]


def test_a_key_is_made_for_a_site_of_any_source(settings: Settings) -> None:
    options = ["--scope", "heatmap:read", "--clickhouse", settings.clickhouse, "--sources", settings.sources, "--secret", "x"]
    made = CliRunner().invoke(main, ["keys", "create", "--site", "eu-shop", *options])
    assert made.exit_code == 0, made.output
    refused = CliRunner().invoke(main, ["keys", "create", "--site", "nowhere", *options])
    assert (refused.exit_code, "no site 'nowhere'" in refused.output) == (2, True)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("", "write one [[sources]]"),
        ("sources = 1", "write one [[sources]]"),
        ("[[sources]]\nname = ", "cannot be read"),
        ('[[sources]]\nname = "a"', "source 1: dsn is missing"),
        ('[[sources]]\nname = "a"\ndsn = "http://h/"\npassword = "x"', "'password' is unknown; known are name, dsn"),
        ('[[sources]]\nname = "a"\ndsn = "http://h/"\npool_size = 0', "pool_size is a number from 1 to 1000"),
        (
            '[[sources]]\nname = "a"\ndsn = "http://h/"\nmax_execution_ms = 99999999999999999999',
            "max_execution_ms is a number from 1 to 3600000",
        ),
        ('[[sources]]\nname = "a"\ndsn = "./data"', "must be a server"),
        ('[[sources]]\nname = "a"\ndsn = "http://${NOWHERE}/"', "NOWHERE, which is not in the environment"),
        ('[[sources]]\nname = "a"\ndsn = "http://p$:/"', "a dollar sign is written $$"),
        ('[[sources]]\nname = "default"\ndsn = "http://h/"', "'default' is that of --clickhouse"),
        (POSTHOG, "write one [[sources.sites]]"),
        (POSTHOG + 'sites = [{site_id = "s"}]', "source 1, site 1: team_id is missing"),
        (POSTHOG + 'sites = [{site_id = "s", team_id = "1"}]', "team_id is a number from 1 to"),
        (POSTHOG + 'sites = [{site_id = "s", team_id = 1, time_zone = "Berlin"}]', "time_zone is an IANA name"),
        (POSTHOG + 'sites = [{site_id = "s", team_id = 1, domains = [1]}]', "domains is a list of texts in quotes"),
        (
            POSTHOG + 'sites = [{site_id = "s", team_id = 1, replay_url_template = "http://r.example/{sessionId}"}]',
            "site 's': replay_url_template 'http://r.example/{sessionId}' must be an https:// address",
        ),
        (POSTHOG + 'sites = [{site_id = "s", team_id = 1}, {site_id = "s", team_id = 2}]', "write one [[sources.sites]] for each site"),
        (POSTHOG + 'sites = [{site_id = "s", team_id = 1}]\nallow_partial = true', "'allow_partial' is unknown"),
        (POSTHOG + 'sites = [{site_id = "s", team_id = 1}]\nperson_distinct_ids = "a b"', "the name of a table"),
        ('[[sources]]\nname = "a"\ndsn = "http://h/"\nlayout = "plausible"', "layout is one of heatgraph, posthog"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path, toml: str, said: str) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(toml)
    with pytest.raises(BadUserInputError) as refused:
        configured_sources(Settings(sources=str(file)))
    assert said in refused.value.message
    assert "\n" not in refused.value.message


def test_a_source_takes_the_limits_of_the_settings_but_its_own(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text('[[sources]]\nname = "a"\ndsn = "http://h/"\nmax_memory_bytes = 7\npool_size = 9')
    first, second = configured_sources(Settings(sources=str(file), max_execution_ms=5, pool_size=3))
    assert (first.name, first.pool_size, first.limits.max_execution_ms) == ("default", 3, 5)
    assert (second.limits.max_execution_ms, second.limits.max_memory_bytes, second.pool_size) == (5, 7, 9)
