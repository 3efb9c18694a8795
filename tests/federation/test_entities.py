"""References from other subgraphs: many cost as many statements as one, and a malformed one costs itself alone."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.keys import ApiKey
from clickhouse.sites import Site
from clickhouse.statement import Statement
from schema.entities import MAX_KEY_CHARACTERS, MAX_REPRESENTATIONS
from tests.asking import NOW, answer, ask, create_site, load

SITE, OTHER = Site("site_entities", "Entities"), Site("site_other", "Other")
URL = "https://example.com/"
ENTITIES = """
    query ($of: [_Any!]!) { _entities(representations: $of) {
        __typename ... on Site { siteId } ... on Page { siteId key } ... on Element { siteId pageKey selector } ... on Replay { siteId sessionId }
    } }
"""


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient) -> None:
    """A hundred pages of two sites, with a session and an element each."""
    at = int(NOW.timestamp() * 1000) - 3_600_000
    rows: dict[Site, list[dict[str, Any]]] = {create_site(database, site): [] for site in (SITE, OTHER)}
    for number in range(1, 101):
        shared = {"sessionId": f"s{number}", "visitorId": "v", "url": f"{URL}{number}", "viewportWidth": 400, "viewportHeight": 800}
        rows[SITE if number % 2 else OTHER] += [
            shared | {"type": "pageview", "timestamp": at},
            shared | {"type": "click", "timestamp": at + 1, "x": 10, "y": 10, "selector": f"#e{number}"},
        ]
    for site in (SITE, OTHER):
        load(database, site, rows[site])


def reference(typename: str, number: int = 1) -> dict[str, Any]:
    page = f"{URL}{number}"
    keys = {"Page": {"key": page}, "Element": {"pageKey": page, "selector": f"#e{number}"}, "Replay": {"sessionId": f"s{number}"}}
    site = SITE if number % 2 else OTHER
    return {"__typename": typename, "siteId": site.site_id, **keys.get(typename, {})}


@pytest.mark.parametrize("typename", ["Site", "Page", "Element", "Replay"])
async def test_100_representations_cost_as_many_statements_as_1(client: Client, statements: list[Statement], typename: str) -> None:
    costs = []
    for count in (1, 100):
        statements.clear()
        asked = [reference(typename, number) for number in range(1, count + 1)]
        assert (await ask(client, ENTITIES, of=asked))["_entities"] == asked
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 4


PAGE = reference("Page")


@pytest.mark.parametrize(
    ("malformed", "said"),
    [
        pytest.param({"__typename": "Page", "siteId": "s"}, "a Page needs key", id="missing key"),
        pytest.param({"__typename": "Element"}, "needs siteId and pageKey and selector", id="every key missing"),
        pytest.param({"siteId": "s"}, "__typename is one of Element, Page, Replay, Site", id="no typename"),
        pytest.param({"__typename": "Nope", "siteId": "s"}, "__typename is one of", id="unknown typename"),
        pytest.param({"__typename": "Insights", "id": "x"}, "__typename is one of", id="no entity"),
        pytest.param({"__typename": ["Page"], "siteId": "s"}, "__typename is one of", id="typename a list"),
        pytest.param({"__typename": None}, "__typename is one of", id="typename null"),
        pytest.param("Page", "each is an object", id="string"),
        pytest.param(7, "each is an object", id="number"),
        pytest.param(["Page"], "each is an object", id="list"),
        pytest.param({"__typename": "Site", "siteId": 7}, "siteId of a Site must be a String!", id="key a number"),
        pytest.param({"__typename": "Site", "siteId": None}, "siteId of a Site must be a String!", id="key null"),
        pytest.param({"__typename": "Site", "siteId": {"a": 1}}, "siteId of a Site must be a String!", id="key an object"),
        pytest.param({"__typename": "Page", "siteId": "s", "key": ["k"]}, "key of a Page must be a String!", id="key a list"),
        pytest.param(PAGE | {"key": "k" * (MAX_KEY_CHARACTERS + 1)}, "key of a Page is longer than", id="key huge"),
        pytest.param(PAGE | {"key": "no url"}, "an absolute URL is needed", id="key no URL"),
    ],
)
async def test_a_malformed_representation_costs_itself_alone(client: Client, malformed: Any, said: str) -> None:
    found = await answer(client, ENTITIES, of=[PAGE, malformed, reference("Site")])
    assert found["data"]["_entities"] == [PAGE, None, reference("Site")]
    (error,) = found["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["_entities", 1])
    assert said in error["message"]


async def test_what_is_not_there_or_not_ours_is_null(client: Client) -> None:
    key = ApiKey("k", "k", frozenset({"heatmap:read"}), frozenset({SITE.site_id}))
    missing, foreign, replay = PAGE | {"key": f"{URL}nowhere"}, reference("Page", 2), reference("Replay")
    found = await answer(client, ENTITIES, key, of=[missing, PAGE, foreign, replay])
    assert found["data"]["_entities"] == [None, PAGE, None, None]
    assert [(error["code"], error["path"]) for error in found["errors"]] == [
        ("NOT_FOUND", ["_entities", 2]),
        ("FORBIDDEN", ["_entities", 3]),
    ]


async def test_what_other_subgraphs_need_is_ignored(client: Client) -> None:
    more = {"owner": {"name": "x"}, "info": 1, "cls": None, "self": [], "path": 7}
    assert (await ask(client, ENTITIES, of=[PAGE | more]))["_entities"] == [PAGE]


async def test_representations_are_bounded(client: Client) -> None:
    found = await answer(client, ENTITIES, of=[PAGE] * (MAX_REPRESENTATIONS + 1))
    assert (found["data"], [error["code"] for error in found["errors"]]) == (None, ["BAD_USER_INPUT"])


async def test_the_longest_keys_together(client: Client) -> None:
    """A server limits the length of a bound value."""
    keys = [f"{URL}{number}/" + "é" * (MAX_KEY_CHARACTERS - 40) for number in range(40)]
    assert (await ask(client, ENTITIES, of=[PAGE, *(PAGE | {"key": key} for key in keys)]))["_entities"] == [PAGE, *[None] * 40]
