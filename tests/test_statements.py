"""What a request costs in SQL statements: it does not grow with pages, and shares statements between sibling fields and lenses."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.errors import BusySourceError, SilentSourceError, SourceUnavailableError
from clickhouse.keys import ApiKey
from clickhouse.reading import Row
from clickhouse.sites import Site
from clickhouse.statement import Statement
from resolvers.sources import Source, Sources
from tests.asking import NOW, answer, ask, create_site, load

SITE = Site("site_statements", "Statements")


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient) -> None:
    create_site(database, SITE)
    at = int(NOW.timestamp() * 1000) - 3_600_000
    rows: list[dict[str, Any]] = []
    for page in range(30):
        shared = {
            "sessionId": f"s{page}",
            "visitorId": "v",
            "url": f"https://example.com/{page}",
            "viewportWidth": 400,
            "viewportHeight": 800,
        }
        rows += [
            shared | {"type": "pageview", "timestamp": at},
            shared | {"type": "click", "timestamp": at + 1, "x": 10, "y": 10, "selector": "#buy"},
        ]
    load(database, SITE, rows)


async def cost(client: Client, statements: list[Statement], selection: str) -> int:
    statements.clear()
    await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {selection} }} }}')
    return len(statements)


@pytest.mark.parametrize(
    "below",
    [
        pytest.param("totals { clicks }", id="totals"),
        pytest.param("insights { totals { clicks } fold { total } meta { sessions } }", id="measures"),
        pytest.param(
            "insights { totals { clicks } fold { total } elements(first: 5) { nodes { clicks element { selector } } } }",
            id="totals, fold and top elements",
        ),
        pytest.param("insights { heatmap { total points { x y count } } }", id="points"),
        pytest.param("insights { scroll { buckets { visitors } depthReachedBy } attention { bands { y } } }", id="depths"),
        pytest.param(
            "insights { rageClicks { totalCount } deadClicks { total } interactions { nodes { sessionId replay { url } } } }", id="lists"
        ),
    ],
)
async def test_25_pages_cost_as_many_statements_as_1(client: Client, statements: list[Statement], below: str) -> None:
    one = await cost(client, statements, f"pages(first: 1) {{ nodes {{ {below} }} }}")
    many = await cost(client, statements, f"pages(first: 25) {{ nodes {{ {below} }} }}")
    assert many == one


async def test_a_listing_with_its_sums_is_one_statement(client: Client, statements: list[Statement]) -> None:
    assert (
        await cost(client, statements, "pages(first: 25) { totalCount edges { totals { clicks rageRate { value } } node { key } } }") == 2
    )
    assert "FROM sites" in statements[0].sql


async def test_visitors_and_sessions_of_the_listed_pages_are_one_more(client: Client, statements: list[Statement]) -> None:
    assert (
        await cost(client, statements, "pages(first: 25) { edges { totals { clicks visitors issueScore { value } } node { key } } }") == 3
    )


async def test_sibling_fields_of_a_lens_share_a_statement(client: Client, statements: list[Statement]) -> None:
    totals, folds = (
        "totals { clicks rageRate { value } } meta { sessions pagesMatched }",
        "fold { total } moves: fold(kind: MOVE) { total }",
    )
    for fields in (totals, folds):
        await cost(client, statements, f'page(key: "https://example.com/1") {{ insights {{ {fields} }} }}')
        assert len([statement for statement in statements if "FROM interactions" in statement.sql]) == 1


async def test_sibling_lenses_share_a_statement(client: Client, statements: list[Statement]) -> None:
    def lenses(count: int) -> str:
        return " ".join(
            f"l{width}: insights(segment: {{viewportWidth: {{min: {width}, max: {700 + 300 * width}}}}}) {{ totals {{ clicks }} heatmap {{ points {{ x }} }} }}"
            for width in range(count)
        )

    costs = [await cost(client, statements, f'page(key: "https://example.com/1") {{ {lenses(count)} }}') for count in (1, 2, 8, 9, 16, 17)]
    once = costs[0]
    assert costs == [once, once, once, once + 2, once + 2, once + 4]  # eight lenses at once, two kinds of question


async def test_statements_grow_at_most_linearly_with_lenses(client: Client, statements: list[Statement]) -> None:
    """Of every kind of field, those in an order too, which have a statement for each lens."""
    fields = """
        totals { clicks } fold { total } heatmap { points { x } } scroll { buckets { visitors } } attention { bands { y } }
        elements(first: 5) { nodes { clicks } } rageClicks { totalCount } deadClicks { total } timeline { clicks }
        breakdown(by: COUNTRY) { value } interactions { nodes { y } }"""

    def lenses(count: int) -> str:
        return " ".join(f'l{number}: insights(window: {{last: "-{number + 1}d"}}) {{ {fields} }}' for number in range(count))

    costs = [await cost(client, statements, f'page(key: "https://example.com/1") {{ {lenses(count)} }}') for count in (1, 2, 4, 8)]
    once = costs[0]
    assert all(cost <= count * once for count, cost in zip((1, 2, 4, 8), costs, strict=True))


async def test_a_lens_that_fails_costs_its_own_fields_only(client: Client) -> None:
    bad = 'bad: insights(window: {between: {from: "2020-01-01", to: "2020-01-02"}}) { totals { clicks } }'
    found = await answer(
        client,
        f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "https://example.com/1") {{ good: insights {{ totals {{ clicks }} }} {bad} }} }} }}',
    )
    assert found["data"]["site"]["page"] == {"good": {"totals": {"clicks": 1}}, "bad": None}
    assert [(error["code"], error["path"]) for error in found["errors"]] == [("BAD_USER_INPUT", ["site", "page", "bad"])]


class Away:
    """A client whose source fails when rows are asked for, not when names are looked up."""

    def __init__(self, client: Client, failure: Exception) -> None:
        self._client = client
        self._failure = failure
        self.failed = 0

    async def query(self, statement: Statement) -> list[Row]:
        if "FROM interactions" in statement.sql:
            self.failed += 1
            raise self._failure
        return await self._client.query(statement)


FAILURES = [SourceUnavailableError("away"), BusySourceError("busy"), SilentSourceError("late")]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
async def test_a_source_that_fails_is_not_asked_again_for_each_lens(client: Client, failure: Exception) -> None:
    widths = (f"w{width}: insights(segment: {{viewportWidth: {{min: {width}}}}}) {{ totals {{ clicks }} }}" for width in range(1, 6))
    away, page = Away(client, failure), 'page(key: "https://example.com/1")'
    answered = await answer(cast(Client, away), f'{{ site(siteId: "{SITE.site_id}") {{ {page} {{ {" ".join(widths)} }} }} }}')
    assert away.failed == 1
    assert [error["message"] for error in answered["errors"]] == [str(failure)] * 5


@pytest.mark.parametrize(
    ("fields", "looked_up"),
    [
        ("url element { label }", []),
        ("sessionId", ["sessions"]),
        ("visitorId", ["visitors"]),
        ("sessionId visitorId offsetSeconds", ["sessions", "visitors"]),
    ],
)
async def test_names_of_interactions_are_looked_up_if_selected(
    client: Client, statements: list[Statement], fields: str, looked_up: list[str]
) -> None:
    page = 'page(key: "https://example.com/1")'
    await cost(client, statements, f"{page} {{ insights {{ interactions {{ nodes {{ {fields} }} }} }} }}")
    names = [table for statement in statements for table in ("sessions", "visitors") if f"FROM {table}" in statement.sql]
    assert sorted(names) == looked_up


class Behind:
    """A client that answers from the table `held` only when `until` has been asked for."""

    def __init__(self, client: Client, held: str, until: str) -> None:
        self._client = client
        self._held, self._until = f"FROM {held}", f"FROM {until}"
        self._asked = asyncio.Event()

    async def query(self, statement: Statement) -> list[Row]:
        if self._until in statement.sql:
            self._asked.set()
        if self._held in statement.sql:
            async with asyncio.timeout(10):
                await self._asked.wait()
        return await self._client.query(statement)


async def test_names_of_sessions_and_visitors_are_looked_up_at_once(client: Client) -> None:
    below = 'page(key: "https://example.com/1") { insights { interactions { nodes { sessionId visitorId } } } }'
    found = await ask(cast(Client, Behind(client, "sessions", "visitors")), f'{{ site(siteId: "{SITE.site_id}") {{ {below} }} }}')
    assert found["site"]["page"]["insights"]["interactions"]["nodes"] == [{"sessionId": "s1", "visitorId": "v"}]


PAGES_OF_A_SITE = f'{{ site(siteId: "{SITE.site_id}") {{ one: page(key: "https://example.com/1/") {{ key }} page(key: "https://example.com/2") {{ key }} }} }}'


async def test_pages_of_a_known_site_are_looked_up_along_with_it(client: Client, statements: list[Statement]) -> None:
    sources = Sources([Source("default", cast(Client, Behind(client, "sites", "pages")))])
    sources.remember(sources.first, SITE)
    found = await answer(sources, PAGES_OF_A_SITE)
    assert found["data"]["site"] == {"one": {"key": "https://example.com/1"}, "page": {"key": "https://example.com/2"}}
    assert len(statements) == 2


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(ApiKey("k", "k", frozenset({"heatmap:read"}), frozenset({"another"})), id="of another site"),
        pytest.param(ApiKey("k", "k", frozenset({"replay:read"}), frozenset({"*"})), id="for replays only"),
    ],
)
async def test_pages_are_not_looked_up_for_a_key_that_may_not_read_them(client: Client, statements: list[Statement], key: ApiKey) -> None:
    sources = Sources([Source("default", client)])
    sources.remember(sources.first, SITE)
    assert (await answer(sources, PAGES_OF_A_SITE, key))["errors"]
    for _ in range(10):  # what was begun would have reached the client
        await asyncio.sleep(0)
    assert not [statement for statement in statements if "FROM pages" in statement.sql]


async def test_a_key_that_is_no_url_says_so_of_a_known_site_too(client: Client) -> None:
    sources = Sources([Source("default", client)])
    sources.remember(sources.first, SITE)
    (error,) = (await answer(sources, PAGES_OF_A_SITE.replace("https://example.com/1/", "nowhere")))["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["site", "one"])
