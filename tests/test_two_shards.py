"""A cluster answers like one server: the same rows, the same questions, the same digits, whichever node is asked."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from clickhouse.client import connect, open_sync
from clickhouse.cohorts import compile_remove_members
from clickhouse.keys import ApiKey
from clickhouse.migrations import migrate
from clickhouse.rollups import ROLLUPS
from clickhouse.sites import Site
from clickhouse.statement import Statement
from clickhouse.tables import TABLES
from gateway.database import Database
from gateway.demo_visits import DEMO_SITE, DEMO_TEST_ACCOUNTS, demo_rows
from tests.asking import NOW, answer, ask, create_site, load
from tests.servers import CLUSTER, Node

SITE = Site(DEMO_SITE, "Demo", time_zone="Europe/Berlin", test_account_rules=tuple(DEMO_TEST_ACCOUNTS))
WRITER = ApiKey("k", "k", frozenset({"heatmap:read", "cohort:write"}), frozenset({"*"}))
PAGE = "https://example.com/pricing"
SEGMENTS = {
    "all": "{}",
    "cohort": '{cohorts: ["even"]}',
    "performed": '{performed: [{name: "purchase"}]}',
    "entry_page": '{entryPage: {prefix: "https://example.com/"}}',
    "no_test_accounts": "{excludeTestAccounts: true, device: [DESKTOP, MOBILE]}",
}
LISTING = """
  pages(window: {last: "-2d"}, segment: $segment, orderBy: {field: ISSUE_SCORE}) { totalCount edges { cursor node { key } totals { %s } } }
"""
TOTALS = "pageviews visitors sessions clicks rageClicks deadClicks averageSecondsOnPage issueScore { value } bounceRate { value }"
INSIGHTS = """
  totals { clicks visitors }
  fold { belowFold { value numerator } medianViewportHeight }
  heatmap { total visitors sessions points { x y count share element { label } } }
  rageClicks(first: 5) { nodes { x y count clicks severity } }
  stricter: rageClicks(rule: {minClicks: 4, windowMs: 2000, radiusPx: 20}) { nodes { x y count } }
  deadClicks(first: 5) { nodes { x y clicks share } }
  scroll { averageDepth medianDepth buckets { depth visitors count } }
  attention { bands { y attention averageSeconds } }
  interactions(first: 20) { totalCount nodes { timestamp relativeX y url sessionId element { label } } }
"""
SUMMED = """
  totals { clicks rageClicks pageviews } fold { total belowFold { numerator } medianViewportHeight } unattributed
  scroll { pageviews buckets { depth count } } elements(first: 5) { nodes { key clicks } }
"""
COMPARISON = """
  baseline { totals { clicks } }
  scroll { averageDepth { delta } buckets { depth reach { delta low high } } }
  elements { element { selector text } clicks { baseline candidate } clickRate { delta low high } }
  cells { x y fixed count { baseline candidate } share { delta } element { selector } }
"""


@pytest.fixture(scope="module")
def dsns(nodes: tuple[Node, Node]) -> Iterator[tuple[str, str]]:
    """The same rows in one database and on two shards."""
    first, second = nodes
    one, sharded = f"one_{uuid.uuid4().hex}", f"sharded_{uuid.uuid4().hex}"
    database, here, there = open_sync(first.dsn(one)), open_sync(first.dsn(sharded)), open_sync(second.dsn(sharded))
    migrate(database)
    migrate(here, CLUSTER)
    migrate(there, CLUSTER)
    create_site(database, SITE)
    load(database, SITE, map(orjson.loads, demo_rows(NOW - timedelta(days=1), days=4)))
    database.command(f"INSERT INTO cohort_members SELECT DISTINCT '{DEMO_SITE}', 'even', visitor_id FROM sessions WHERE visitor_id % 2 = 0")
    database.command(f"INSERT INTO cohorts (site_id, cohort_id, name) VALUES ('{DEMO_SITE}', 'even', 'Even')")
    for table in TABLES.keys() - {*ROLLUPS}:  # the views of each node fill those
        here.command(f"INSERT INTO {table} SELECT * FROM {one}.{table}")
    yield first.dsn(one), second.dsn(sharded)
    for client in (database, here, there):
        client.close()


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
@pytest.mark.parametrize(
    "selection",
    [
        pytest.param(LISTING % TOTALS, id="pages"),
        pytest.param(f'page(key: "{PAGE}") {{ insights(window: {{last: "-2d"}}, segment: $segment) {{ {INSIGHTS} }} }}', id="insights"),
        pytest.param(f'page(key: "{PAGE}") {{ insights(window: {{last: "-4d"}}, segment: $segment) {{ {SUMMED} }} }}', id="daily sums"),
        pytest.param(
            'insights(url: {prefix: "https://example.com/p"}, window: {last: "-2d"}, segment: $segment)'
            " { totals { clicks } elements(first: 100) { nodes { key y displays clicks } } }",
            id="elements of a rule",
        ),
        pytest.param(
            f'page(key: "{PAGE}") {{ compare(baseline: {{segment: $segment}}, candidate: {{window: {{last: "-24h"}}}}) {{ {COMPARISON} }} }}',
            id="compare",
        ),
    ],
)
async def test_same_answers(dsns: tuple[str, str], selection: str, segment: str) -> None:
    query = f'{{ site(siteId: "{DEMO_SITE}") {{ {selection.replace("$segment", segment)} }} }}'
    answers: list[Any] = []
    for dsn in dsns:
        client = await connect(dsn)
        answers.append(await answer(client, query))
        await client.close()
    one, sharded = answers
    assert one["errors"] == []
    assert re.search(r'"clicks":[1-9]', orjson.dumps(one["data"]).decode())
    assert sharded == one


async def test_a_cohort_comes_and_goes(dsns: tuple[str, str], nodes: tuple[Node, Node]) -> None:
    """One of the same name begins empty; what is stored of a deleted one goes on every node."""
    size = "createCohort(siteId: $site, name: $name, members: {visitors: $visitors}) { size cohortId }"
    create = f"mutation ($site: String!, $name: String!, $visitors: [String!]!) {{ {size} }}"
    client = await connect(dsns[1])
    made = [
        (await ask(client, create, WRITER, site=DEMO_SITE, name="brief", visitors=visitors))["createCohort"]
        for visitors in (["a", "b", "c", "d"], ["a", "e"])
    ]
    assert [one["size"] for one in made] == [4, 5]
    delete = f'mutation {{ deleteCohort(siteId: "{DEMO_SITE}", cohortId: "{made[0]["cohortId"]}") }}'
    assert await ask(client, delete, WRITER) == {"deleteCohort": True}
    again = (await ask(client, create, WRITER, site=DEMO_SITE, name="brief", visitors=["f"]))["createCohort"]
    assert again["size"] == 1
    await client.close()
    drivers = [open_sync(node.dsn(dsns[1].rpartition("/")[2])) for node in nodes]
    database = Database(drivers[0], drivers)
    database.command(compile_remove_members(DEMO_SITE))
    stored = database.query(
        Statement("SELECT toString(cohort_id) AS id, count() AS n FROM cohort_members WHERE cohort_id != 'even' GROUP BY id", {})
    )
    assert stored == [{"id": again["cohortId"], "n": 1}]
    for driver in drivers:
        driver.close()
