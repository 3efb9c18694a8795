"""Cohorts, from visitors, from a rule and from a lens: who is in them, recomputed from plain lists, and what a segment makes of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.cohorts import Cohort, cohort_id_of, insert_cohort
from clickhouse.keys import ApiKey
from clickhouse.sites import Site
from clickhouse.statement import Statement
from tests.asking import NOW, TOO_MANY_EVENTS, answer, ask, create_site, load
from tests.reference.facts import milliseconds
from tests.reference.lens import Lens, Segment
from tests.reference.lenses import question, random_rule
from tests.reference.model import Cell, Model
from tests.reference.rows import EVENTS, TEST_ACCOUNT_RULES, VALUES, VISITORS, DataSet, data_set, iso

SITE = Site("site_cohorts", "Cohorts", test_account_rules=TEST_ACCOUNT_RULES)
OTHER = Site("site_cohorts_other", "Other")
FREE = Site("site_cohorts_free", "Free", plan="FREE")
SCOPES = {name: frozenset({name}) for name in ("heatmap:read", "cohort:write")}
EVERYTHING = ApiKey("k", "k", frozenset({"heatmap:read", "replay:read", "cohort:write"}), frozenset({"*"}))
WINDOW = '{last: "-30d"}'
MONTH = Lens(milliseconds(NOW.isoformat()) - 30 * 86_400_000, milliseconds(NOW.isoformat()))


@pytest.fixture(scope="module")
def data(database: SyncClient) -> DataSet:
    rows = data_set(Random(11), 50)
    for site in (SITE, OTHER, FREE):
        create_site(database, site)
    load(database, SITE, rows.rows)
    return rows


@pytest.fixture(scope="module")
def model(data: DataSet) -> Model:
    return Model(data.rows, {}, TEST_ACCOUNT_RULES)


async def create(client: Client, name: str, members: str, key: ApiKey = EVERYTHING, site: Site = SITE, **variables: Any) -> Any:
    declared = f"({', '.join(f'${name}: {kind}' for name, (kind, _) in variables.items())})" if variables else ""
    made = f'createCohort(siteId: "{site.site_id}", name: {json.dumps(name)}, members: {members}) {{ id cohortId name size }}'
    values = {name: value for name, (_, value) in variables.items()}
    return (await ask(client, f"mutation {declared} {{ {made} }}", key, **values))["createCohort"]


def delete(cohort_id: str, site: Site = SITE) -> str:
    return f'mutation {{ deleteCohort(siteId: "{site.site_id}", cohortId: "{cohort_id}") }}'


def members_of(database: SyncClient, cohort_id: str) -> set[str]:
    """Their ids as sent."""
    found = database.query(
        "SELECT DISTINCT visitor_key FROM visitors WHERE site_id = {site:String} AND visitor_id IN ("
        "SELECT visitor_id FROM cohort_members WHERE site_id = {site:String} AND cohort_id = {cohort:String})",
        {"site": SITE.site_id, "cohort": cohort_id},
    )
    return {visitor for (visitor,) in found.result_rows}


async def visitors_in(client: Client, *cohorts: str) -> int:
    segment = f"segment: {{cohorts: {json.dumps(cohorts)}}}"
    query = f'{{ site(siteId: "{SITE.site_id}") {{ insights(url: {{prefix: "http"}}, window: {WINDOW}, {segment}) {{ totals {{ visitors }} }} }} }}'
    return int((await ask(client, query))["site"]["insights"]["totals"]["visitors"])


def seen(model: Model, lens: Lens) -> set[str]:
    return {fact.visitor for fact in model.seen(lens).facts()}


# -- from visitors


async def test_of_visitors(client: Client, data: DataSet, model: Model) -> None:
    """The same again changes nothing, others are added, and a segment understands both of its ids."""
    first = await create(client, " Some of them ", "{visitors: $v}", v=("[String!]!", VISITORS[:3]))
    assert first["name"] == "Some of them"
    assert first["cohortId"] == cohort_id_of(SITE.site_id, "Some of them")
    assert first["size"] == 3
    again = await create(client, "Some of them", "{visitors: $v}", v=("[String!]!", [VISITORS[0], VISITORS[0]]))
    assert again == first
    more = await create(client, "Some of them", "{visitors: $v}", v=("[String!]!", [*VISITORS[2:5], "never seen"]))
    assert more == first | {"size": 6}
    expected = len(seen(model, MONTH) & set(VISITORS[:5]))
    assert await visitors_in(client, first["cohortId"]) == await visitors_in(client, first["id"]) == expected > 0


async def test_several_mean_all_of_them(client: Client, data: DataSet, model: Model) -> None:
    one = await create(client, "one", "{visitors: $v}", v=("[String!]!", VISITORS[:6]))
    two = await create(client, "two", "{visitors: $v}", v=("[String!]!", VISITORS[3:]))
    assert await visitors_in(client, one["cohortId"], two["cohortId"]) == len(seen(model, MONTH) & set(VISITORS[3:6])) > 0


async def test_many_visitors(client: Client, data: DataSet) -> None:
    made = await create(client, "many", "{visitors: $v}", v=("[String!]!", [f"ünïcödé 'visitor' {number}" for number in range(5001)]))
    assert made["size"] == 5001


# -- from a rule


@pytest.mark.parametrize("number", range(10))
async def test_of_a_rule(client: Client, database: SyncClient, data: DataSet, model: Model, number: int) -> None:
    """Each condition holds in any session of the window, not necessarily the same one."""
    random = Random(number)
    lens = question(random, data).lens
    window = {"instants": {"from": iso(lens.start_ms), "to": iso(lens.end_ms)}}
    lens = Lens(lens.start_ms, lens.end_ms)
    events, least = random.sample(EVENTS, random.randint(0, 2)), random.randint(1, 2)
    rule = random_rule(random) if random.random() < 0.6 else None
    sources = random.sample(VALUES["trafficSource"], 1) if random.random() < 0.5 or not (events or rule) else []

    given: dict[str, Any] = {"window": window, "performed": [{"name": name, "minCount": least} for name in events]}
    given |= ({"visitedPage": {rule.kind: rule.value}} if rule else {}) | ({"trafficSource": sources} if sources else {})
    made = await create(client, f"rule {number}", "{rule: $rule}", rule=("CohortRule!", given))

    conditions = []
    visitor_of = {row["sessionId"]: row["visitorId"] for row in data.rows}
    for name in events:
        times: dict[str, int] = {}
        for event in model.all.events:
            if event.name == name and lens.start_ms <= event.timestamp_ms < lens.end_ms:
                times[visitor_of[event.session]] = times.get(visitor_of[event.session], 0) + 1
        conditions.append({visitor for visitor, count in times.items() if count >= least})
    if rule:
        conditions.append({view.visitor for view in model.seen(Lens(lens.start_ms, lens.end_ms, url=rule)).pageviews})
    if sources:
        segment = Segment(dimensions={"trafficSource": frozenset(sources)})
        conditions.append(seen(model, Lens(lens.start_ms, lens.end_ms, segment=segment)))
    expected = set.intersection(*conditions)
    assert made["size"] == len(expected)
    assert members_of(database, made["cohortId"]) == expected


async def test_rules_of_the_data_find_somebody(client: Client, data: DataSet, model: Model) -> None:
    rules = ('performed: [{name: "signup"}]', 'visitedPage: {path: "/pricing"}', 'trafficSource: ["google"]')
    sizes = [(await create(client, f"finds {rule}", f"{{rule: {{window: {WINDOW}, {rule}}}}}"))["size"] for rule in rules]
    assert min(sizes) > 0
    both = await create(client, "finds both", f"{{rule: {{window: {WINDOW}, {rules[0]}, {rules[2]}}}}}")
    assert 0 < both["size"] <= min(sizes[0], sizes[2])


# -- from a lens


@pytest.mark.parametrize("number", range(10))
async def test_of_a_lens(client: Client, database: SyncClient, data: DataSet, model: Model, number: int) -> None:
    """Everybody who left a row in it: as many as its totals say, given by its parts or by its id."""
    random = Random(number)
    asked = question(random, data)
    while "cohorts" in asked.variables["segment"] or asked.lens.page_key not in (None, *model.page_keys):
        asked = question(random, data)
    variables = asked.variables
    where = "page: $page" if "page" in variables else "url: $url"
    kinds = {"page": "String", "url": "UrlMatch", "window": "Window", "segment": "Segment"}
    given: dict[str, Any] = {name: (kinds[name], value) for name, value in variables.items()}
    made = await create(client, f"lens {number}", f"{{lens: {{{where}, window: $window, segment: $segment}}}}", **given)
    expected = seen(model, asked.lens)
    assert made["size"] == len(expected)
    assert members_of(database, made["cohortId"]) == expected

    found = "page(key: $page) { insights(window: $window, segment: $segment) { id totals { visitors } } }"
    if "url" in variables:
        found = "insights(url: $url, window: $window, segment: $segment) { id totals { visitors } }"
    declared = ", ".join(f"${name}: {kinds[name]}{'!' if name in ('page', 'url') else ''}" for name in variables)
    site = (await ask(client, f'query ({declared}) {{ site(siteId: "{SITE.site_id}") {{ {found} }} }}', **variables))["site"]
    insights = site["page"]["insights"] if "page" in variables else site["insights"]
    again = await create(client, f"insights {number}", f'{{lens: {{insights: "{insights["id"]}"}}}}')
    assert again["size"] == insights["totals"]["visitors"] == len(expected)
    assert members_of(database, again["cohortId"]) == expected


async def test_of_more_ids_than_an_address_holds(client: Client, data: DataSet) -> None:
    made = await create(client, "long ids", "{visitors: $v}", v=("[String!]!", [f"{number} {'é' * 300}" for number in range(1500)]))
    assert made["size"] == 1500


async def test_of_the_whole_site(client: Client, database: SyncClient, data: DataSet, model: Model) -> None:
    made = await create(client, "everybody", f"{{lens: {{window: {WINDOW}}}}}")
    assert members_of(database, made["cohortId"]) == seen(model, MONTH)


@pytest.mark.parametrize("kind", ["CLICK", "DEAD_CLICK", "RAGE_CLICK", "MOVE"])
async def test_who_clicked_here(client: Client, database: SyncClient, data: DataSet, model: Model, kind: str) -> None:
    """The hottest points of a map, some together, and an element: as many as the map and its interactions say."""
    page = "https://example.com/pricing"
    lens = Lens(MONTH.start_ms, MONTH.end_ms, page_key=page)
    heatmap = f"heatmap(kind: {kind}, aggregation: UNIQUE_VISITORS) {{ points {{ relativeX y fixed count }} }}"
    query = f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "{page}") {{ insights(window: {WINDOW}) {{ id {heatmap} }} }} }} }}'
    insights = (await ask(client, query))["site"]["page"]["insights"]
    points = [{name: point[name] for name in ("relativeX", "y", "fixed")} for point in insights["heatmap"]["points"]]
    match = f"insights: $insights, interaction: {{kind: {kind}, points: $points}}"
    id_ = ("ID", insights["id"])
    one = await create(client, f"hottest {kind}", f"{{lens: {{{match}}}}}", insights=id_, points=("[PointInput!]", points[:1]))
    assert one["size"] == insights["heatmap"]["points"][0]["count"] > 0
    some = await create(client, f"hot {kind}", f"{{lens: {{{match}}}}}", insights=id_, points=("[PointInput!]", points[:5]))
    places = sorted(
        model.heatmap(lens, kind, "UNIQUE_VISITORS")["points"].items(),
        key=lambda item: (-item[1]["count"], item[0][0], item[0][2], item[0][1]),
    )
    inside = model.interactions(lens, kind, [place for place, _ in places[:5]], Cell.default(lens.standard_width_px()))
    assert members_of(database, some["cohortId"]) == {one.visitor for one in inside}

    of_element = f'page: "{page}", window: {WINDOW}, interaction: {{kind: {kind}, selector: "#signup"}}'
    element = await create(client, f"element {kind}", f"{{lens: {{{of_element}}}}}")
    clicked = {one.visitor for one in model.seen(lens).of_kind(kind) if one.selector == "#signup"}
    assert members_of(database, element["cohortId"]) == clicked != set()
    anywhere = await create(client, f"any {kind}", f'{{lens: {{page: "{page}", window: {WINDOW}, interaction: {{kind: {kind}}}}}}}')
    assert members_of(database, anywhere["cohortId"]) == {one.visitor for one in model.seen(lens).of_kind(kind)}


async def test_a_cohort_of_a_cohort(client: Client, database: SyncClient, data: DataSet, model: Model) -> None:
    base = await create(client, "base", "{visitors: $v}", v=("[String!]!", VISITORS[:4]))
    made = await create(client, "of a cohort", f'{{lens: {{window: {WINDOW}, segment: {{cohorts: ["{base["cohortId"]}"]}}}}}}')
    assert members_of(database, made["cohortId"]) == seen(model, MONTH) & set(VISITORS[:4])


# -- delete, list, fetch


async def test_delete(client: Client, database: SyncClient, data: DataSet) -> None:
    """Unknown from then on, gone from the list; one of the same name begins empty."""
    made = await create(client, "short-lived", "{visitors: $v}", v=("[String!]!", VISITORS[:3]))
    assert (await ask(client, f'{{ node(id: "{made["id"]}") {{ ... on Cohort {{ cohortId size }} }} }}'))["node"]["size"] == 3
    assert (await ask(client, delete(made["cohortId"]), EVERYTHING))["deleteCohort"] is True
    assert (await ask(client, delete(made["id"]), EVERYTHING))["deleteCohort"] is False
    narrowed = f'pages(segment: {{cohorts: ["{made["cohortId"]}"]}}) {{ totalCount }}'
    query = f'{{ site(siteId: "{SITE.site_id}") {{ {narrowed} cohorts(first: 100) {{ nodes {{ name }} }} }} }}'
    found = await answer(client, query)
    assert [(error["code"], error["path"]) for error in found["errors"]] == [("BAD_USER_INPUT", ["site", "pages"])]
    assert "no cohort" in found["errors"][0]["message"]
    assert {"name": "short-lived"} not in found["data"]["site"]["cohorts"]["nodes"]
    assert (await ask(client, f'{{ node(id: "{made["id"]}") {{ id }} }}'))["node"] is None
    again = await create(client, "short-lived", "{visitors: $v}", v=("[String!]!", VISITORS[5:6]))
    assert again["cohortId"] != made["cohortId"]
    assert (again["size"], members_of(database, again["cohortId"])) == (1, set(VISITORS[5:6]))


async def test_one_made_by_a_machine_whose_clock_is_ahead_can_be_deleted(client: Client, data: DataSet) -> None:
    await client.insert(*insert_cohort(Cohort(SITE.site_id, "co_ahead", "ahead"), datetime.now(UTC) + timedelta(hours=1)))
    assert [(await ask(client, delete("co_ahead"), EVERYTHING))["deleteCohort"] for _ in range(2)] == [True, False]


async def test_the_id_of_a_lens_whose_cohort_was_deleted(client: Client, data: DataSet) -> None:
    """The error is about the id, which is all that was sent."""
    made = await create(client, "of a lens", "{visitors: $v}", v=("[String!]!", VISITORS[:1]))
    lens = f'insights(url: {{prefix: "https"}}, segment: {{cohorts: ["{made["cohortId"]}"]}}) {{ id }}'
    node_id = (await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {lens} }} }}'))["site"]["insights"]["id"]
    assert (await ask(client, delete(made["cohortId"]), EVERYTHING))["deleteCohort"] is True
    (error,) = (await answer(client, f'{{ node(id: "{node_id}") {{ id }} }}'))["errors"]
    assert error["message"].startswith(f"id: its lens cannot be asked: the site has no cohort with the id '{made['cohortId']}'")
    assert error["argument"] == "id"


async def test_what_an_interrupted_creation_left_is_not_in_the_next(client: Client, database: SyncClient, data: DataSet) -> None:
    database.command(
        f"INSERT INTO cohort_members SELECT '{SITE.site_id}', '{cohort_id_of(SITE.site_id, 'interrupted')}', number FROM numbers(5)"
    )
    made = await create(client, "interrupted", "{visitors: $v}", v=("[String!]!", VISITORS[:2]))
    assert made["size"] == 2


async def test_made_asked_and_deleted_in_one_request(client: Client, data: DataSet) -> None:
    made = f'createCohort(siteId: "{SITE.site_id}", name: "brief", members: {{visitors: ["a"]}}) {{ size cohortId }}'
    more = f'more: createCohort(siteId: "{SITE.site_id}", name: "brief", members: {{visitors: ["b"]}}) {{ size }}'
    gone = f'deleteCohort(siteId: "{SITE.site_id}", cohortId: "{cohort_id_of(SITE.site_id, "brief")}")'
    last = f'last: createCohort(siteId: "{SITE.site_id}", name: "brief", members: {{visitors: ["c"]}}) {{ size }}'
    got = await ask(client, f"mutation {{ {made} {more} {gone} {last} }}", EVERYTHING)
    sizes = (got["createCohort"]["size"], got["more"]["size"], got["deleteCohort"], got["last"]["size"])
    assert sizes == (1, 2, True, 1)


async def test_it_is_as_old_at_once_as_later_on(client: Client, data: DataSet) -> None:
    made = f'createCohort(siteId: "{SITE.site_id}", name: "aged", members: {{visitors: ["a"]}}) {{ id createdAt }}'
    created = (await ask(client, f"mutation {{ {made} }}", EVERYTHING))["createCohort"]
    later = (await ask(client, f'{{ node(id: "{created["id"]}") {{ id ... on Cohort {{ createdAt }} }} }}'))["node"]
    assert created == later


async def test_list(client: Client, statements: list[Statement], data: DataSet) -> None:
    """By name, page by page; sizes cost one statement more, however many there are."""
    for name, count in (("b", 2), ("ä", 1), ("a", 3)):
        await create(client, name, "{visitors: $v}", site=OTHER, v=("[String!]!", VISITORS[:count]))
    got: list[Any] = []
    after = ""
    while True:
        listed = f"cohorts(first: 2 {after}) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ name size siteId createdAt }} }}"
        statements.clear()
        page = (await ask(client, f'{{ site(siteId: "{OTHER.site_id}") {{ {listed} }} }}'))["site"]["cohorts"]
        assert len(statements) == 3
        got += page["nodes"]
        assert page["totalCount"] == 3
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
    assert [(node["name"], node["size"], node["siteId"]) for node in got] == [
        (name, size, OTHER.site_id) for name, size in (("a", 3), ("b", 2), ("ä", 1))
    ]


# -- who may, and bad input


async def test_scopes(client: Client, data: DataSet) -> None:
    read, write = (ApiKey("k", "k", SCOPES[scope], frozenset({SITE.site_id})) for scope in ("heatmap:read", "cohort:write"))
    make = f'mutation {{ createCohort(siteId: "{SITE.site_id}", name: "scoped", members: {{visitors: ["a"]}}) {{ size }} }}'
    listing = f'{{ site(siteId: "{SITE.site_id}") {{ cohorts {{ totalCount }} }} }}'
    refused = [await answer(client, query, key) for query, key in ((make, read), (delete("co_1"), read), (listing, write))]
    assert [[error["code"] for error in found["errors"]] for found in refused] == [["FORBIDDEN"]] * 3
    assert "cohort:write" in refused[0]["errors"][0]["message"]
    assert (await ask(client, make, write))["createCohort"]["size"] == 1
    assert (await ask(client, listing, read))["site"]["cohorts"]["totalCount"] > 0
    foreign = await answer(client, make.replace(SITE.site_id, OTHER.site_id), write)
    assert [error["code"] for error in foreign["errors"]] == ["NOT_FOUND"]
    free = await answer(client, make.replace(SITE.site_id, FREE.site_id), EVERYTHING)
    assert [error["code"] for error in free["errors"]] == ["PLAN_REQUIRED"]


async def test_a_cohort_belongs_to_its_site(client: Client, data: DataSet) -> None:
    made = await create(client, "mine", "{visitors: $v}", v=("[String!]!", VISITORS[:1]))
    for cohort in (made["id"], made["cohortId"]):
        found = await answer(
            client, f'{{ site(siteId: "{OTHER.site_id}") {{ pages(segment: {{cohorts: ["{cohort}"]}}) {{ totalCount }} }} }}'
        )
        assert [error["code"] for error in found["errors"]] == ["BAD_USER_INPUT"]
        assert (await ask(client, delete(cohort, OTHER), EVERYTHING))["deleteCohort"] is False


@pytest.mark.parametrize(
    ("name", "members", "expected"),
    [
        ("", '{visitors: ["a"]}', "name: 1 to 200"),
        ("   ", '{visitors: ["a"]}', "name: 1 to 200"),
        ("n" * 201, '{visitors: ["a"]}', "name: 1 to 200"),
        ("line\nbreak", '{visitors: ["a"]}', "name: 1 to 200"),
        ("n", "{visitors: []}", r"members\.visitors: 1 to 10000"),
        ("n", '{visitors: [""]}', r"members\.visitors: 1 to 10000"),
        ("n", "{}", "[Oo]ne"),
        ("n", '{visitors: ["a"], lens: {}}', "[Oo]ne"),
        ("n", "{rule: {}}", r"members\.rule: give at least one"),
        ("n", "{rule: {trafficSource: []}}", r"members\.rule: give at least one"),
        ("n", '{rule: {performed: [{name: ""}]}}', r"members\.rule\.performed"),
        ("n", f"{{rule: {{{TOO_MANY_EVENTS}}}}}", r"members\.rule\.performed: at most 20"),
        ("n", '{rule: {visitedPage: {exact: "pricing"}}}', r"members\.rule\.visitedPage\.exact"),
        ("n", '{rule: {window: {last: "-93d"}, trafficSource: ["a"]}}', r"members\.rule\.window: at most 92 days"),
        ("n", '{lens: {window: {last: "-93d"}}}', r"members\.lens\.window: at most 92 days"),
        ("n", '{lens: {page: "/pricing"}}', r"members\.lens\.page: an absolute URL"),
        ("n", '{lens: {page: "https://example.com/nowhere"}}', r"members\.lens\.page: the site has no page"),
        ("n", '{lens: {page: "https://example.com/", url: {path: "/"}}}', r"members\.lens: give page or url"),
        ("n", '{lens: {insights: "nonsense"}}', r"members\.lens\.insights: this is no node id"),
        ("n", '{lens: {insights: "WyJTaXRlIiwic2l0ZV9jb2hvcnRzIl0"}}', r"members\.lens\.insights: this is no id of insights"),
        ("n", '{lens: {insights: "x", window: {last: "-7d"}}}', r"members\.lens: give insights, or"),
        ("n", '{lens: {segment: {cohorts: ["co_nobody"]}}}', r"members\.lens\.segment\.cohorts: the site has no cohort"),
        ("n", '{lens: {url: {path: "pricing"}}}', r"members\.lens\.url\.path: a path begins"),
        ("n", "{lens: {interaction: {points: []}}}", r"members\.lens\.interaction\.points: 1 to 1000"),
        ("n", "{lens: {interaction: {cell: {width: 0, height: 1}}}}", r"members\.lens\.interaction\.cell\.width: a number"),
        ("n", '{lens: {interaction: {selector: ""}}}', r"members\.lens\.interaction\.selector: it is empty"),
    ],
)
async def test_bad_input(client: Client, data: DataSet, name: str, members: str, expected: str) -> None:
    query = f'mutation {{ createCohort(siteId: "{SITE.site_id}", name: {json.dumps(name)}, members: {members}) {{ id }} }}'
    found = await answer(client, query, EVERYTHING)
    assert len(found["errors"]) == 1
    assert re.search(expected, found["errors"][0]["message"]), found["errors"]
    assert found["errors"][0]["message"].startswith(found["errors"][0]["argument"] or "")
    assert found["errors"][0]["code"] in ("BAD_USER_INPUT", None)
    listed = await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ cohorts(first: 100) {{ nodes {{ name }} }} }} }}')
    assert {"name": name} not in listed["site"]["cohorts"]["nodes"]
