"""All that can be asked, of two shards and of one server with the same rows: fields and arguments come from `questions_of_schema`."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from random import Random
from typing import Any

import orjson
import pytest

from clickhouse.client import connect, open_sync
from clickhouse.cohorts import cohort_id_of
from clickhouse.keys import ApiKey
from clickhouse.migrations import migrate
from clickhouse.reading import Limits
from clickhouse.sites import Site
from gateway.database import Database
from gateway.load import load_files
from resolvers.context import Context
from resolvers.sources import Source, Sources
from schema.exports import EXPORTS, compile_export
from tests.against_model import differences
from tests.asking import NOW, SCHEMA, answer, create_site
from tests.questions_of_schema import GRAPH, REFERENCES, TYPES, asked, everything, fields_of
from tests.random_queries import random_query
from tests.reference.rows import EVENTS, TEST_ACCOUNT_RULES, URLS, VISITORS, data_set
from tests.servers import CLUSTER, Node

KEY = ApiKey("w", "w", frozenset({"heatmap:read", "replay:read", "cohort:write", "element:write"}), frozenset({"*"}))
PATIENT = Limits(max_execution_ms=60_000, max_queue_ms=60_000)
"""Twenty lists at once, on a machine that other tests share."""
DATA = data_set(Random(7), sessions=150, days=5)
DAYS = {"from": str(DATA.first_day), "to": str(DATA.first_day + timedelta(days=6))}
WINDOW = f'{{between: {{from: "{DAYS["from"]}", to: "{DAYS["to"]}"}}}}'
LATER = f'{{between: {{from: "{DATA.first_day + timedelta(days=3)}", to: "{DAYS["to"]}"}}}}'
PAGE = "https://example.com/pricing"
SITES = {
    "marked": Site(
        "marked", "Marks, cohorts, edges of days", plan="ENTERPRISE", time_zone="Asia/Kolkata", test_account_rules=TEST_ACCOUNT_RULES
    ),
    "stale": Site("stale", "A day is noted as stale", plan="ENTERPRISE", test_account_rules=TEST_ACCOUNT_RULES),
    "covered": Site("covered", "More pages than the plan covers", plan="PRO"),
    "free": Site("free", "No heatmaps", plan="FREE"),
}
CHANGES = (
    f'createCohort(siteId: "marked", name: "even", members: {{visitors: {orjson.dumps(VISITORS[::2]).decode()}}}) {{ id size }}',
    f'createCohort(siteId: "marked", name: "seen", members: {{rule: {{window: {WINDOW}, visitedPage: {{prefix: "https://example.com/"}}, '
    'trafficSource: ["google"]}}) { size }',
    f'createCohort(siteId: "marked", name: "bought", members: {{rule: {{window: {WINDOW}, performed: [{{name: "purchase"}}]}}}}) {{ size }}',
    f'createCohort(siteId: "marked", name: "clicked", members: {{lens: {{page: "{PAGE}", window: {WINDOW}, interaction: {{}}}}}}) {{ size }}',
    f'createCohort(siteId: "marked", name: "signed up", members: {{lens: {{url: {{regex: ".*pricing.*"}}, window: {WINDOW}, '
    'segment: {device: [DESKTOP, MOBILE]}, interaction: {selector: "#signup"}}}) { size }',
    f'renameElement(siteId: "marked", pageKey: "{PAGE}", selector: "#signup", name: "Sign up") {{ label name }}',
    f'markElement(siteId: "marked", pageKey: "{PAGE}", selector: "#signup", cta: true) {{ isCta }}',
    f'markElement(siteId: "marked", pageKey: "{PAGE}", selector: "a.pricing-link", fixed: true) {{ isFixed }}',
    f'deleteElement(siteId: "marked", pageKey: "{PAGE}", selector: "div.hero-image") {{ isDeleted }}',
    f'deleteElement(siteId: "marked", pageKey: "{PAGE}", selector: "#chat") {{ isDeleted }}',
    f'restoreElement(siteId: "marked", pageKey: "{PAGE}", selector: "#chat") {{ isDeleted changes {{ by what }} }}',
)
RULES = {
    "exact": URLS[2],
    "ignoreQuery": URLS[7],
    "path": "/pricing/",
    "prefix": "https://example.com/p",
    "wildcard": "http*example.com*pri*",
    "regex": "https://example[.]com/(pricing.*)?",
}
SEGMENTS = {
    "everybody": "{}",
    "device": "{device: [DESKTOP, MOBILE], viewportWidth: {min: 400}}",
    "breakpoint": "{breakpoint: [DESKTOP]}",
    "dimensions": '{country: ["DE", "FR"], browser: ["Chrome"]}',
    "entry page": '{entryPage: {prefix: "https://example.com/"}}',
    "no test accounts": "{excludeTestAccounts: true}",
    "performed": '{performed: [{name: "purchase"}]}',
    **{f"cohort {name}": f'{{cohorts: ["{cohort_id_of("marked", name)}"]}}' for name in ("even", "seen", "bought", "clicked", "signed up")},
}


def on_page(site: str, segment: str = "{}") -> str:
    return f'{{ site(siteId: "{site}") {{ page(key: "{PAGE}") {{ insights(window: {WINDOW}, segment: {segment}) {{ %s }} }} }} }}'


def by_rule(site: str, kind: str, segment: str = "{}") -> str:
    url = f"{{{kind}: {orjson.dumps(RULES[kind]).decode()}}}"
    return f'{{ site(siteId: "{site}") {{ insights(url: {url}, window: {WINDOW}, segment: {segment}) {{ %s }} }} }}'


@pytest.fixture(scope="module")
async def dsns(nodes: tuple[Node, Node], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """One database and two shards, loaded and changed the same way."""
    one, sharded = f"one_{uuid.uuid4().hex}", f"sharded_{uuid.uuid4().hex}"
    clients = single, here, there = [open_sync(nodes[node].dsn(name)) for node, name in ((0, one), (0, sharded), (1, sharded))]
    migrate(single)
    migrate(here, CLUSTER)
    migrate(there, CLUSTER)
    file = tmp_path_factory.mktemp("rows") / "rows.ndjson"
    for name, site in SITES.items():
        hosts = [f"{row['sessionId'][-1]}.example.com" if name == "covered" else "example.com" for row in DATA.rows]
        rows = (row | {"url": row["url"].replace("example.com", host)} for row, host in zip(DATA.rows, hosts, strict=True))
        file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        for client, shards in ((single, []), (here, [here, there])):
            create_site(client, site)
            assert not load_files(Database(client, shards), site, [file]).rejected
    for client in (single, here):
        client.insert("stale_days", [["stale", DATA.first_day + timedelta(days=2)]], column_names=["site_id", "day"])
    assert all(int(str(client.command("SELECT count() FROM sessions_local"))) > 100 for client in (here, there))
    for client in clients:
        client.close()
    dsns = nodes[0].dsn(one), nodes[1].dsn(sharded)
    for change in CHANGES:
        await same(dsns, f"mutation {{ {change} }}")
    return dsns


def without_clock(found: Any) -> Any:
    """Cohorts and marks were made here first, then there."""
    if isinstance(found, dict):
        return {
            name: without_clock(value) for name, value in found.items() if name.rstrip("0123456789") not in ("createdAt", "markedAt", "at")
        }
    return [without_clock(one) for one in found] if isinstance(found, list) else found


async def same(dsns: tuple[str, str], query: str, **variables: Any) -> Any:
    """What both answer."""
    answers = []
    for dsn in dsns:
        client = await connect(dsn, PATIENT)
        answers.append(without_clock(await answer(client, query, KEY, **variables)))
        answers[-1]["errors"].sort(key=lambda error: str(error["path"]))
        await client.close()
    one, sharded = answers
    assert differences(sharded, one) == [], query
    return one


async def same_data(dsns: tuple[str, str], query: str) -> Any:
    found = await same(dsns, query)
    assert found["errors"] == []
    return found["data"]


LENSES = {
    "page": on_page("marked"),
    "rule": by_rule("stale", "regex", "{excludeTestAccounts: true}"),
    "rule, cohort": by_rule("marked", "prefix", SEGMENTS["cohort clicked"]),
}


@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES)
@pytest.mark.parametrize("field", fields_of(TYPES["Insights"]))
async def test_insights(dsns: tuple[str, str], field: str, lens: str) -> None:
    await same_data(dsns, lens % asked("Insights", field))


SOME = """
  meta { sessions warnings } totals { clicks visitors } heatmap { points { x y count element { label } } } scroll { medianDepth }
  elements { nodes { key displays clicks conversions } } interactions { totalCount nodes { timestamp url } } replays { totalCount }
"""


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
async def test_segments(dsns: tuple[str, str], segment: str) -> None:
    answered = await same_data(dsns, on_page("marked", segment) % SOME)
    assert answered["site"]["page"]["insights"]["totals"]["clicks"]


@pytest.mark.parametrize("site", ["marked", "stale"])
@pytest.mark.parametrize("kind", RULES)
async def test_rules(dsns: tuple[str, str], kind: str, site: str) -> None:
    answered = await same_data(dsns, by_rule(site, kind) % SOME)
    assert answered["site"]["insights"]["totals"]["clicks"]


async def test_more_pages_than_the_plan_covers(dsns: tuple[str, str]) -> None:
    answered = await same_data(dsns, by_rule("covered", "wildcard") % SOME)
    assert "The PRO plan covers 10 pages" in str(answered["site"]["insights"]["meta"]["warnings"])


async def test_no_plan_for_heatmaps(dsns: tuple[str, str]) -> None:
    answered = await same(dsns, f'{{ site(siteId: "free") {{ {asked("Site", "pages")} }} }}')
    assert {error["code"] for error in answered["errors"]} == {"PLAN_REQUIRED"}


@pytest.mark.parametrize("site", ["marked", "stale", "covered"])
@pytest.mark.parametrize("field", [name for name in fields_of(TYPES["Site"]) if name not in ("page", "insights", "compare")])
async def test_sites(dsns: tuple[str, str], field: str, site: str) -> None:
    segment = SEGMENTS["cohort even" if site == "marked" else "performed"]
    given = {"window": WINDOW, "segment": segment}
    lens = ", ".join(f"{name}: {text}" for name, text in given.items() if name in fields_of(TYPES["Site"])[field].args)
    await same_data(dsns, f'{{ site(siteId: "{site}") {{ {asked("Site", field, lens)} }} }}')


@pytest.mark.parametrize("segment", [SEGMENTS["everybody"], SEGMENTS["cohort clicked"]], ids=["everybody", "cohort"])
@pytest.mark.parametrize("field", fields_of(TYPES["Comparison"]))
async def test_comparisons(dsns: tuple[str, str], field: str, segment: str) -> None:
    def compare(of_baseline: str, of_candidate: str) -> str:
        lenses = f"baseline: {{window: {WINDOW}, segment: {segment} {of_baseline}}}, candidate: {{window: {LATER} {of_candidate}}}"
        return f"compare({lenses}) {{ {asked('Comparison', field)} }}"

    of_rules = compare('url: {prefix: "https://example.com/p"}', 'url: {path: "/pricing"}')
    await same_data(dsns, f'{{ site(siteId: "marked") {{ page(key: "{PAGE}") {{ {compare("", "")} }} {of_rules} }} }}')


PAGED = {
    "heatmap": "heatmap(first: 9%s) { nodes: points { x y count } pageInfo { hasNextPage endCursor } }",
    **{
        field: f"{field}(first: 2%s) {{ nodes {{ {key} }} totalCount pageInfo {{ hasNextPage endCursor }} }}"
        for field, key in (("rageClicks", "x y"), ("deadClicks", "x y"), ("interactions", "timestamp y"), ("replays", "sessionId"))
    },
    "elements": "elements(first: 1%s) { nodes { key } totalCount pageInfo { hasNextPage endCursor } }",
}


@pytest.mark.parametrize(("field", "selection"), PAGED.items(), ids=PAGED)
async def test_pages_of_lists(dsns: tuple[str, str], field: str, selection: str) -> None:
    after, pages = "", 0
    while pages < 4:
        answered = (await same_data(dsns, by_rule("stale", "prefix") % (selection % after)))["site"]["insights"][field]
        assert answered["nodes"]
        pages += 1
        if not answered["pageInfo"]["hasNextPage"]:
            break
        after = f', after: "{answered["pageInfo"]["endCursor"]}"'
    assert pages > 1


async def test_nodes(dsns: tuple[str, str]) -> None:
    """Whatever has an id is found by it."""
    of_insights = 'id element(selector: "#signup") { element { id } } replays(first: 2) { nodes { id } }'
    of_site = f'id cohorts {{ nodes {{ id }} }} page(key: "{PAGE}") {{ id insights(window: {WINDOW}) {{ {of_insights} }} }}'
    answered = await same_data(dsns, f'{{ site(siteId: "marked") {{ {of_site} }} }}')
    ids = re.findall(r'"id":"(.*?)"', orjson.dumps(answered).decode())
    for name in REFERENCES:
        selection = everything(TYPES[name]) if name != "Insights" else f"{{ {SOME} }}"
        found = await same_data(dsns, f"{{ nodes(ids: {orjson.dumps(ids).decode()}) {{ __typename ... on {name} {selection} }} }}")
        assert {node["__typename"] for node in found["nodes"]} == {*REFERENCES}


async def test_entities(dsns: tuple[str, str]) -> None:
    session = (await same_data(dsns, on_page("marked") % "replays { nodes { sessionId } }"))["site"]["page"]["insights"]["replays"][
        "nodes"
    ][0]
    keys = {"Site": {}, "Page": {"key": PAGE}, "Element": {"pageKey": PAGE, "selector": "#signup"}, "Replay": session}
    known = [{"__typename": name, "siteId": "marked"} | key for name, key in keys.items()]
    for name in keys:
        selection = f"{{ __typename ... on {name} {everything(TYPES[name])} }}"
        found = await same(dsns, f"query ($known: [_Any!]!) {{ _entities(representations: $known) {selection} }}", known=known)
        assert found["errors"] == []
        assert [entity["__typename"] for entity in found["data"]["_entities"]] == [*keys]


@pytest.mark.parametrize("name", EXPORTS)
async def test_exports(dsns: tuple[str, str], name: str) -> None:
    export = EXPORTS[name]
    known = {*export.lens, *fields_of(TYPES[export.owner])[export.field].args}
    window, cohorts = {"between": DAYS}, {"cohorts": [cohort_id_of("marked", "even")], "excludeTestAccounts": True}
    given = {"url": {"prefix": RULES["prefix"]}, "window": window, "segment": cohorts, "baseline": {"window": window}}
    given |= {"candidate": {"window": window, "segment": cohorts}}
    words = {"siteId": "marked", "kind": "CLICK", "by": "COUNTRY", "dimension": "BROWSER"}
    parameters = {name: orjson.dumps(value).decode() for name, value in given.items() if name in known}
    parameters |= {name: value for name, value in words.items() if name in {"siteId", *known}}
    files = []
    for dsn in dsns:
        client = await connect(dsn, PATIENT)
        statement = await compile_export(SCHEMA, Context(Sources([Source("default", client)]), KEY, now=NOW), name, parameters)
        file = b"".join([chunk async for chunk in client.stream(statement, "JSONEachRow")])
        files.append([orjson.loads(line) for line in file.splitlines()])
        await client.close()
    one, sharded = files
    assert one
    assert differences(sharded, one) == []


POOL: dict[str, list[Any]] = {
    "siteId": ["marked", "stale", "covered"],
    "key": [PAGE, "https://example.com/"],
    **{kind: [value] for kind, value in RULES.items()},
    "window": [{"between": DAYS}, {"last": "-9d"}],
    "name": list(EVENTS),
    "event": list(EVENTS),
    "cohorts": [cohort_id_of("marked", "even")],
    "selector": ["#signup", "#chat"],
    "after": [None],
    "text": ["DE", "Chrome", "google"],
    "step": [10, 50],
    "bandHeight": [200],
    "top": [0],
}


@pytest.mark.parametrize("seed", range(10, 20))
async def test_random_queries(dsns: tuple[str, str], seed: int) -> None:
    query, variables = random_query(Random(seed), GRAPH, ["site"], POOL)
    await same(dsns, query, **variables)
