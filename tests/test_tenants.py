"""Tenants: whatever a key asks, the answer is the one it gets when no other site exists, to the last byte of every error.

The two sites are as alike as can be: the same pages, sessions, visitors, selectors and cohort names, with other rows. Each lives alone
in one database and beside the other in a third; random queries, and exports, that name what either has must be answered alike.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clickhouse.client import Client, connect, open_sync
from clickhouse.cohorts import Cohort, compile_add_members, insert_cohort
from clickhouse.element_marks import Mark, insert_mark
from clickhouse.errors import HeatgraphError
from clickhouse.keys import ApiKey
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from gateway.database import Database
from resolvers.context import Context
from resolvers.sources import Source, Sources
from schema.exports import EXPORTS, compile_export
from tests.asking import NOW, SCHEMA, answer, create_site, load
from tests.random_queries import random_arguments, random_query
from tests.reference.rows import COHORTS, ELEMENTS, EVENTS, TEST_ACCOUNT_RULES, URLS, VALUES, VISITORS, data_set
from tests.servers import Node

PAGE = "https://example.com/pricing"
TENANTS = {
    name: Site(f"site_{name}", "Tenant", test_account_rules=TEST_ACCOUNT_RULES, replay_url_template="https://replay.example/{sessionId}")
    for name in ("mine", "theirs")
}
KEYS = {
    name: ApiKey(f"k_{name}", "k", frozenset({"heatmap:read", "replay:read", "cohort:write", "element:write"}), frozenset({site.site_id}))
    for name, site in TENANTS.items()
}
EVERYTHING = """query ($site: String!, $page: String!) { site(siteId: $site) { id
    mine: page(key: "https://example.com/mine") { id } theirs: page(key: "https://example.com/theirs") { id }
    pages(window: {last: "-30d"}, first: 1) { pageInfo { endCursor } }
    replays(window: {last: "-30d"}, first: 1) { nodes { id } pageInfo { endCursor } }
    capabilities { dataFrom dataTo }
    cohorts(first: 1) { nodes { id cohortId size } pageInfo { endCursor } }
    page(key: $page) { id insights(window: {last: "-30d"}) { id
        heatmap(first: 1) { pageInfo { endCursor } }
        element(selector: "#signup") { element { changes { by name } } }
        elements(first: 1) { nodes { element { id } } pageInfo { endCursor } }
        interactions(first: 1) { pageInfo { endCursor } }
        rageClicks(rule: {minClicks: 2}, first: 1) { pageInfo { endCursor } } } } } }"""
ROOTS = ["site", "sites", "viewer", "node", "nodes", "_entities"]


@dataclass(frozen=True)
class Tenants:
    """A client of each database, and what there is to ask about, of both sites."""

    alone: dict[str, Client]
    together: Client
    pool: dict[str, list[Any]]


def fill(dsn: str, names: tuple[str, ...]) -> None:
    driver = open_sync(dsn)
    migrate(driver)
    database = Database(driver)
    for name in names:
        site = create_site(driver, TENANTS[name])
        rows = data_set(Random(name), sessions=25).rows
        load(driver, site, [*rows, rows[0] | {"url": f"https://example.com/{name}"}])
        for title, visitors in COHORTS.items():
            cohort = Cohort(site.site_id, f"co_{title}", title, NOW)
            database.command(
                compile_add_members(site.site_id, cohort.cohort_id, [one for one in visitors if name == "theirs" or one != "visitor-2"])
            )
            database.insert(insert_cohort(cohort, NOW))
        for selector, mark in (
            ("#signup", {"is_cta": True, "name": name}),
            ("#chat", {"deleted": name == "mine"}),
            ("div.hero-image", {"is_fixed": True}),
        ):
            made = Mark(site.site_id, PAGE, selector, **mark)
            insert = insert_mark(made, made, f"k_{name}", NOW)
            for table in (insert.table, "mark_changes"):
                database.insert(insert._replace(table=table))
    driver.close()


@pytest.fixture(scope="module")
def dsns(node: Node) -> dict[str, str]:
    made = {name: node.dsn(f"{name}_{uuid.uuid4().hex}") for name in ("mine", "theirs", "together")}
    for name, dsn in made.items():
        fill(dsn, tuple(TENANTS) if name == "together" else (name,))
    return made


def found(kind: str, answered: Any) -> list[str]:
    """Every id or cursor in an answer."""
    return re.findall(rf'"{kind}":\s*"([^"]+)"', json.dumps(answered))


@pytest.fixture
async def tenants(dsns: dict[str, str]) -> AsyncIterator[Tenants]:
    clients = {name: await connect(dsn) for name, dsn in dsns.items()}
    sites = [site.site_id for site in TENANTS.values()]
    seen = [await answer(clients["together"], EVERYTHING, KEYS[name], site=TENANTS[name].site_id, page=PAGE) for name in TENANTS]
    assert not any(one["errors"] for one in seen)
    references: list[dict[str, Any]] = [
        {"__typename": kind, "siteId": site} | key
        for site in sites
        for kind, key in (
            ("Site", {}),
            ("Page", {"key": PAGE}),
            ("Element", {"pageKey": PAGE, "selector": "#signup"}),
            ("Replay", {"sessionId": "session-1"}),
        )
    ]
    pool: dict[str, list[Any]] = {
        "siteId": [*sites, *sites, "site_none"],
        "id": found("id", seen),
        "ids": found("id", seen),
        "insights": found("id", seen),
        "representations": references,
        "after": found("endCursor", seen),
        "cohorts": [f"co_{name}_{title}" for name in TENANTS for title in COHORTS]
        + [one for one in found("id", seen) if "Q29ob3J0" in one],
        "window": [{"last": "-30d"}, {"last": "-14d"}, {"period": "D30"}],
        "key": [PAGE, "https://example.com/", *(f"https://example.com/{name}" for name in TENANTS), "https://example.com/never"],
        "page": [PAGE, "https://example.com/"],
        "url": [{"prefix": "http"}, {"path": "/pricing"}, {"exact": URLS[2]}, {"wildcard": "*pric*"}],
        "entryPage": [{"prefix": "http"}, {"path": "/"}],
        "visitedPage": [{"prefix": "http"}, {"path": "/pricing"}],
        "selector": [*ELEMENTS, "#never"],
        "event": list(EVENTS),
        "name": list(EVENTS),
        "search": ["pric", "e"],
        "text": ["x", *VISITORS[:2]],
        "min": [0, 300],
        "max": [800, 5000],
        "step": [10, 50],
        "bandHeight": [100, 500],
        "points": [{"relativeX": 0.25, "y": 320, "fixed": False}, {"relativeX": 0.5, "y": 16, "fixed": False}],
        "cell": [{"width": 40, "height": 90}],
        "rule": [{"minClicks": 2}, {"minClicks": 3, "windowMs": 5000}],
        **{name: list(values) for name, values in VALUES.items()},
    }
    yield Tenants({name: clients[name] for name in TENANTS}, clients["together"], pool)
    for client in clients.values():
        await client.close()


async def exported(client: Client, key: ApiKey, name: str, parameters: dict[str, str]) -> bytes | tuple[str, str]:
    """The file, or the error that is answered instead."""
    context = Context(Sources([Source("default", client)]), key, now=NOW)
    try:
        statement = await compile_export(SCHEMA, context, name, parameters)
        return b"".join([chunk async for chunk in client.stream(statement, "JSONEachRow")])
    except HeatgraphError as error:
        return error.code, str(error)


async def all_alike(
    tenants: Tenants, tenant: str, max_examples: int, ask: Callable[[Random, Client], Coroutine[Any, Any, Any]]
) -> list[Any]:
    """Asks the same of the tenant alone and of both together, again and again; the answers."""
    loop = asyncio.get_running_loop()
    answers: list[Any] = []

    @settings(max_examples=max_examples, deadline=None, phases=[Phase.reuse, Phase.generate])
    @given(st.integers(0, 2**32))
    def examples(seed: int) -> None:
        asked = [asyncio.run_coroutine_threadsafe(ask(Random(seed), one), loop) for one in (tenants.alone[tenant], tenants.together)]
        alone, together = (one.result() for one in asked)
        assert together == alone
        answers.append(alone)

    await asyncio.to_thread(examples)
    return answers


@pytest.mark.parametrize("tenant", TENANTS)
async def test_everything(tenants: Tenants, tenant: str) -> None:
    for site in set(tenants.pool["siteId"]):
        asked = (answer(client, EVERYTHING, KEYS[tenant], site=site, page=PAGE) for client in (tenants.alone[tenant], tenants.together))
        alone, together = await asyncio.gather(*asked)
        assert together == alone
        assert bool(alone["errors"]) == (site != TENANTS[tenant].site_id)


@pytest.mark.parametrize("tenant", TENANTS)
async def test_queries(tenants: Tenants, tenant: str) -> None:
    async def ask(random: Random, client: Client) -> Any:
        query, variables = random_query(random, SCHEMA._schema, ROOTS, tenants.pool)
        return query, variables, await answer(client, query, KEYS[tenant], **variables)

    answers = [answered for *_, answered in await all_alike(tenants, tenant, 40, ask)]
    assert sum(bool(answered["errors"]) for answered in answers) > 1
    assert sum(bool(re.search(r"[1-9]", json.dumps(answered["data"]))) for answered in answers) > 5


@pytest.mark.parametrize("tenant", TENANTS)
async def test_exports(tenants: Tenants, tenant: str) -> None:
    types: Any = SCHEMA._schema.type_map
    lens = {name: argument for field in ("compare", "insights") for name, argument in types["Site"].fields[field].args.items()}

    async def ask(random: Random, client: Client) -> Any:
        name = random.choice(list(EXPORTS))
        one = EXPORTS[name]
        own = types[one.owner].fields[one.field].args
        taken = {given: argument for given, argument in (lens | own).items() if given in {*one.lens, *own} - {"after"}}
        values = random_arguments(random, taken, tenants.pool)
        if "page" in one.lens and "url" not in values:
            values["page"] = PAGE
        parameters = {"siteId": random.choice([*tenants.pool["siteId"], *5 * [TENANTS[tenant].site_id]])} | {
            given: value if isinstance(value, str) else json.dumps(value) for given, value in values.items()
        }
        return name, parameters, await exported(client, KEYS[tenant], name, parameters)

    answers = [answered for *_, answered in await all_alike(tenants, tenant, 25, ask)]
    assert sum(isinstance(answered, bytes) and len(answered) > 100 for answered in answers) > 3
