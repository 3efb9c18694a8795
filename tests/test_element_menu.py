"""The element action menu, elements as nodes and entities, and what elements cost in statements."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.keys import ApiKey
from clickhouse.sites import Site
from clickhouse.statement import Statement
from resolvers import ids
from tests.asking import EVERYTHING, NOW, answer, ask, create_site, load

SITE = Site("site_menu", "Menu")
PAGE = "https://example.com/pricing"
EDITOR = ApiKey("k_editor", "editor", EVERYTHING.scopes | {"element:write", "cohort:write"}, frozenset({"*"}))
AT = int((NOW - timedelta(hours=3)).timestamp() * 1000)


def row(kind: str, session: str, ms: int, **own: Any) -> dict[str, Any]:
    sizes = {"viewportWidth": 1280, "viewportHeight": 800, "pageHeight": 4000, "sampleRate": 33.3}
    return {"type": kind, "timestamp": AT + ms, "sessionId": session, "visitorId": f"v{session}", "url": PAGE} | sizes | own


@pytest.fixture(autouse=True)
def loaded(database: SyncClient, request: pytest.FixtureRequest) -> Site:
    """A site of its own for each test, because tests change marks."""
    site = create_site(database, Site(f"site_{abs(hash(request.node.nodeid))}", "Menu"))
    signup = {"selector": "#signup", "tag": "button", "text": "Get Started"}
    rows = [
        row("element", "a", 1, **signup, x=320, y=1000, width=200, height=48, href=""),
        row("element", "a", 2, selector="#help", tag="a", text="Help", href="/help", x=0, y=3900, width=80, height=20),
        row("click", "a", 2000, **signup, x=330, y=1010),
        row("event", "a", 2500, name="purchase", value=20.5, currency="USD"),
        row("event", "a", 2600, name="purchase", value=0.25, currency="USD"),
        row("event", "a", 2700, name="signup", conversion=True),
        row("click", "b", 4000, **signup, x=340, y=1020),
        row("click", "b", 5000, x=5, y=5),
        row("dead", "c", 1000, selector="h2", tag="h2", text="Our Features", x=640, y=1800),
        row("event", "c", 500, name="signup", conversion=True),
        row("click", "c", 1500, selector="nav a.one", tag="a", text="Docs", href="/docs", x=10, y=30),
        row("click", "d", 1500, selector="footer a.two", tag="a", text="Documentation", href="/docs", x=10, y=3900),
    ]
    rows += [row("pageview", session, 0) for session in "abcd"]
    rows += [row("scroll", "a", 900, scrollY=600), row("scroll", "b", 900, scrollY=200), row("scroll", "d", 900, scrollY=3200)]
    assert not load(database, site, rows).rejected
    return site


async def insights(client: Client, site: Site, fields: str, key: ApiKey = EDITOR) -> Any:
    query = f'{{ site(siteId: "{site.site_id}") {{ page(key: "{PAGE}") {{ insights {{ {fields} }} }} }} }}'
    return (await ask(client, query, key=key))["site"]["page"]["insights"]


def call(site: Site, field: str, selector: str, arguments: str = "", below: str = "selector") -> str:
    return f'{field}(siteId: "{site.site_id}", pageKey: "{PAGE}/", selector: "{selector}" {arguments}) {{ {below} }}'


async def change(client: Client, site: Site, *menu: Any, **asking: Any) -> Any:
    return (await ask(client, f"mutation {{ {call(site, *menu)} }}", **{"key": EDITOR} | asking))[menu[0]]


async def test_numbers_of_an_element_by_hand(client: Client, loaded: Site) -> None:
    """displays: pageviews a, b and d got to 1400, 1000 (its very top) and 4000 px; c stayed within its 800."""
    fields = """displays clicks visitors x y averageSecondsToClick clickRate { value } clickShare { value }
        ofSessions: clickRate(basis: SESSIONS) { value }"""
    signup = (await insights(client, loaded, f'element(selector: "#signup") {{ {fields} }}'))["element"]
    assert signup == {
        "displays": 3,
        "clicks": 2,
        "visitors": 2,
        "x": 320.0,
        "y": 1000,
        "averageSecondsToClick": 3.0,
        "clickRate": {"value": 2 / 3},
        "clickShare": {"value": 2 / 6},
        "ofSessions": {"value": 0.5},
    }
    assert (await insights(client, loaded, 'element(selector: "#help") { clicks displays }'))["element"] == {"clicks": 0, "displays": 1}


async def test_conversions_by_hand(client: Client, loaded: Site) -> None:
    """a bought twice after its click; c signed up before its click."""
    fields = """conversions conversion { rate { numerator denominator } revenue { currency amount } baseline { numerator denominator } }
        named: conversion(event: "signup") { conversions revenue { amount } baseline { numerator } }"""
    found = await insights(
        client, loaded, f'buy: element(selector: "#signup") {{ {fields} }} dead: element(selector: "h2") {{ conversions }}'
    )
    assert found == {
        "buy": {
            "conversions": 1,
            "conversion": {
                "rate": {"numerator": 1, "denominator": 2},
                "revenue": [{"currency": "USD", "amount": 20.75}],
                "baseline": {"numerator": 2, "denominator": 4},
            },
            "named": {"conversions": 1, "revenue": [], "baseline": {"numerator": 2}},
        },
        "dead": {"conversions": 0},
    }


async def test_large_values_are_summed_whole(client: Client, database: SyncClient, loaded: Site) -> None:
    """A country with many zeros on its notes."""
    events = [row("event", "a", 3000 + number, name="purchase", value=1e12, currency="IDR") for number in range(20)]
    assert not load(database, loaded, events).rejected
    revenue = "revenue { currency amount }"
    found = await insights(
        client, loaded, f'element(selector: "#signup") {{ conversion {{ {revenue} }} }} conversionsByDepth {{ depths {{ {revenue} }} }}'
    )
    worth = [{"currency": "IDR", "amount": 2e13}, {"currency": "USD", "amount": 20.75}]
    assert found["element"]["conversion"]["revenue"] == found["conversionsByDepth"]["depths"][0]["revenue"] == worth


async def test_position_is_the_default_order(client: Client, loaded: Site) -> None:
    nodes = (await insights(client, loaded, "elements { nodes { key y } }"))["elements"]["nodes"]
    assert [(node["key"], node["y"]) for node in nodes] == [
        ("nav a.one", 30),
        ("#signup", 1000),
        ("h2", 1800),
        ("#help", 3900),
        ("footer a.two", 3900),
    ]
    for field, first in (("CLICKS", "#signup"), ("KEY", "#help"), ("DEAD_CLICKS", "h2")):
        nodes = (await insights(client, loaded, f"elements(orderBy: {{field: {field}}}) {{ nodes {{ key }} }}"))["elements"]["nodes"]
        assert nodes[0]["key"] == first


async def test_links_to_one_target(client: Client, loaded: Site) -> None:
    """A pageview displays a target when it reached the first of its links."""
    fields = "elements(groupBy: HREF) { nodes { key elementCount clicks displays element { selector } } }"
    nodes = (await insights(client, loaded, fields))["elements"]["nodes"]
    assert {node["key"]: (node["elementCount"], node["clicks"], node["displays"], node["element"]["selector"]) for node in nodes} == {
        "/docs": (2, 2, 4, "footer a.two"),
        "/help": (1, 0, 1, "#help"),
        "#signup": (1, 2, 3, "#signup"),
        "h2": (1, 1, 1, "h2"),
    }


async def test_a_name(client: Client, loaded: Site) -> None:
    named = await change(client, loaded, "renameElement", "#signup", ', name: " Start "', "name markedBy markedAt label text")
    assert named == {"name": "Start", "markedBy": "k_editor", "markedAt": NOW.isoformat(), "label": "button#signup", "text": "Get Started"}
    await change(client, loaded, "renameElement", "#help", ', name: "Start"')
    nodes = (await insights(client, loaded, "elements(groupBy: NAME) { nodes { key elementCount clicks } }"))["elements"]["nodes"]
    assert {"key": "Start", "elementCount": 2, "clicks": 2} in nodes
    for nothing in ("", ", name: null", ', name: "  "'):
        assert await change(client, loaded, "renameElement", "#signup", nothing, "name") == {"name": None}


async def test_calls_to_action(client: Client, loaded: Site) -> None:
    both = "elements(ctasOnly: true) { nodes { key } } heatmap(ctasOnly: true) { total }"
    assert await insights(client, loaded, both) == {"elements": {"nodes": []}, "heatmap": {"total": 0}}
    assert (await change(client, loaded, "markElement", "#signup", ", cta: true", "isCta isFixed")) == {"isCta": True, "isFixed": False}
    assert await insights(client, loaded, both) == {"elements": {"nodes": [{"key": "#signup"}]}, "heatmap": {"total": 2}}
    await change(client, loaded, "markElement", "#signup", ", cta: null")
    assert (await insights(client, loaded, both))["heatmap"] == {"total": 0}


async def test_marking_fixed_changes_depths_and_says_so(client: Client, loaded: Site) -> None:
    fields = """fold { total belowFold { numerator } } meta { fixedByMark } element(selector: "#signup") { displays belowFold { denominator } }
        heatmap { points { fixed element { selector } } } interactions { nodes { fixed element { selector } } }"""

    def seen(found: Any) -> tuple[Any, ...]:
        fixed = [{point["fixed"] for point in points if (point["element"] or {}).get("selector") == "#signup"} for points in
                 (found["heatmap"]["points"], found["interactions"]["nodes"])]  # fmt: skip
        element = found["element"]
        return found["fold"], found["meta"]["fixedByMark"], element["displays"], element["belowFold"]["denominator"], fixed

    scrolls = ({"total": 6, "belowFold": {"numerator": 4}}, 0, 3, 2, [{False}, {False}])
    stays = ({"total": 4, "belowFold": {"numerator": 2}}, 1, 4, 0, [{True}, {True}])
    assert seen(await insights(client, loaded, fields)) == scrolls
    await change(client, loaded, "markElement", "#signup", ", fixed: true")
    assert seen(await insights(client, loaded, fields)) == stays
    for as_the_tracker_said in (", fixed: false", ", fixed: null"):
        await change(client, loaded, "markElement", "#signup", as_the_tracker_said)
        assert seen(await insights(client, loaded, fields)) == scrolls


async def test_marking_fixed_shows_in_spots(client: Client, loaded: Site) -> None:
    async def spots() -> list[bool]:
        nodes = (await insights(client, loaded, "deadClicks { nodes { fixed element { selector } } }"))["deadClicks"]["nodes"]
        return [node["fixed"] for node in nodes if node["element"] == {"selector": "h2"}]

    assert await spots() == [False]
    await change(client, loaded, "markElement", "h2", ", fixed: true")
    assert await spots() == [True]


async def test_a_deleted_element_stays_as_fixed_as_it_was_marked(client: Client, loaded: Site) -> None:
    fields = """fold { total } meta { fixedByMark } deleted: elements(deleted: true) { nodes { displays element { isFixed } } }
        heatmap { points { fixed element { selector } } }"""
    await change(client, loaded, "markElement", "#signup", ", fixed: true")
    before = await insights(client, loaded, fields)
    await change(client, loaded, "deleteElement", "#signup")
    after = await insights(client, loaded, fields)
    assert before["deleted"] == {"nodes": []}
    assert after == before | {"deleted": {"nodes": [{"displays": 4, "element": {"isFixed": True}}]}}
    assert (after["fold"], after["meta"]) == ({"total": 4}, {"fixedByMark": 1})
    assert {point["fixed"] for point in after["heatmap"]["points"] if (point["element"] or {}).get("selector") == "#signup"} == {True}


async def test_a_change_follows_one_of_another_element_whose_changes_were_read(client: Client, loaded: Site) -> None:
    first = call(loaded, "renameElement", "#signup", ', name: "Start"', "changes { what }")
    second = call(loaded, "renameElement", "#help", ', name: "Help"', "name")
    found = await ask(client, f"mutation {{ one: {first} other: {second} }}", key=EDITOR)
    assert found["other"] == {"name": "Help"}


async def test_the_sample_rate_is_told_as_it_was_sent(client: Client, loaded: Site) -> None:
    assert (await insights(client, loaded, "meta { sampleRate }"))["meta"] == {"sampleRate": 33.3}


async def test_who_clicked_a_point_of_a_marked_element_is_a_cohort(client: Client, loaded: Site) -> None:
    await change(client, loaded, "markElement", "#signup", ", fixed: true")
    points = (await insights(client, loaded, "heatmap { points { relativeX y fixed count } }"))["heatmap"]["points"]
    assert {"relativeX": 0.25, "y": 1008, "fixed": True, "count": 1} in points
    place = "points: [{relativeX: 0.25, y: 1008, fixed: true}]"
    members = f'{{lens: {{page: "{PAGE}", interaction: {{{place}}}}}}}'
    made = f'createCohort(siteId: "{loaded.site_id}", name: "there", members: {members}) {{ size }}'
    assert (await ask(client, f"mutation {{ {made} }}", key=EDITOR))["createCohort"] == {"size": 1}


@pytest.mark.parametrize("field", ["elements", "interactions", "replays"])
async def test_behind_the_last_cursor_the_list_is_as_long_as_before(client: Client, loaded: Site, field: str) -> None:
    page = (await insights(client, loaded, f"{field} {{ totalCount pageInfo {{ endCursor }} }}", EVERYTHING))[field]
    behind = f'{field}(after: "{page["pageInfo"]["endCursor"]}") {{ totalCount nodes {{ __typename }} }}'
    assert (await insights(client, loaded, behind, EVERYTHING))[field] == {"totalCount": page["totalCount"], "nodes": []}
    assert page["totalCount"] >= 4


async def test_within_one_request_a_change_is_seen_by_what_follows(client: Client, loaded: Site) -> None:
    below = "isFixed page { insights { meta { fixedByMark } fold { total } } }"
    menu = " ".join(
        f"{name}: {call(loaded, 'markElement', '#signup', f', fixed: {value}', below)}" for name, value in (("on", "true"), ("off", "null"))
    )
    found = await ask(client, f"mutation {{ {menu} }}", key=EDITOR)
    numbers = {
        name: (one["isFixed"], one["page"]["insights"]["meta"]["fixedByMark"], one["page"]["insights"]["fold"]["total"])
        for name, one in found.items()
    }
    assert numbers == {"on": (True, 1, 4), "off": (False, 0, 6)}


async def test_deleting_and_restoring(client: Client, loaded: Site) -> None:
    fields = """elements { totalCount nodes { key clicks } } unattributed totals { clicks }
        deleted: elements(deleted: true) { nodes { key clicks } }"""
    await change(client, loaded, "renameElement", "#signup", ', name: "Start"')
    for field, deleted, unattributed in (("deleteElement", True, 3), ("deleteElement", True, 3), ("restoreElement", False, 1)):
        assert await change(client, loaded, field, "#signup", "", "isDeleted name") == {"isDeleted": deleted, "name": "Start"}
        found = await insights(client, loaded, fields)
        assert found["unattributed"] == unattributed
        assert sum(node["clicks"] for node in found["elements"]["nodes"]) + unattributed == found["totals"]["clicks"] == 6
        assert found["deleted"]["nodes"] == ([{"key": "#signup", "clicks": 2}] if deleted else [])
        assert found["elements"]["totalCount"] == (4 if deleted else 5)


async def test_what_is_so_already_is_not_recorded_again(client: Client, loaded: Site, statements: list[Statement]) -> None:
    other = ApiKey("k_other", "other", EDITOR.scopes, frozenset({"*"}))
    below = "markedBy markedAt"
    first = await change(client, loaded, "markElement", "#signup", ", cta: true", below)
    again = await change(client, loaded, "markElement", "#signup", ", cta: true", below, key=other, now=NOW + timedelta(hours=1))
    assert again == first == {"markedBy": "k_editor", "markedAt": NOW.isoformat()}
    changed = await change(client, loaded, "markElement", "#signup", ", cta: false", below, key=other, now=NOW - timedelta(hours=1))
    assert changed == {"markedBy": "k_other", "markedAt": (NOW + timedelta(milliseconds=1)).isoformat(timespec="microseconds")}


async def test_every_change_is_recorded(client: Client, loaded: Site, statements: list[Statement]) -> None:
    other = ApiKey("k_other", "other", EDITOR.scopes, frozenset({"*"}))
    for minutes, (field, arguments, key) in enumerate(
        [
            ("renameElement", ', name: "Start"', EDITOR),
            ("renameElement", ', name: "Start"', other),
            ("markElement", ", cta: true, fixed: false", other),
            ("deleteElement", "", EDITOR),
            ("restoreElement", "", EDITOR),
            ("markElement", ", fixed: null", other),
        ]
    ):
        await change(client, loaded, field, "#signup", arguments, key=key, now=NOW + timedelta(minutes=minutes))
    statements.clear()
    fields = "changes { at by what name isCta isFixed isDeleted }"
    found = await insights(client, loaded, f"elements {{ nodes {{ element {{ selector {fields} }} }} }}")
    assert sum("mark_changes" in statement.sql for statement in statements) == 1
    changes = {node["element"]["selector"]: node["element"]["changes"] for node in found["elements"]["nodes"]}
    assert changes.pop("#signup") == [
        {
            "at": (NOW + timedelta(minutes=minutes)).isoformat(),
            "by": by,
            "what": what,
            "name": "Start",
            "isCta": cta,
            "isFixed": fixed,
            "isDeleted": deleted,
        }
        for minutes, by, what, cta, fixed, deleted in (
            (5, "k_other", ["FIXED"], True, None, False),
            (4, "k_editor", ["DELETED"], True, False, False),
            (3, "k_editor", ["DELETED"], True, False, True),
            (2, "k_other", ["CTA", "FIXED"], True, False, False),
            (0, "k_editor", ["NAME"], False, None, False),
        )
    ]
    assert set(map(len, changes.values())) == {0}
    answered = await change(client, loaded, "renameElement", "#signup", "", "name changes { what name }")
    assert (answered["name"], answered["changes"][0], len(answered["changes"])) == (None, {"what": ["NAME"], "name": None}, 6)


async def test_marks_survive_a_load_of_the_same_rows(client: Client, loaded: Site, database: SyncClient) -> None:
    await change(client, loaded, "markElement", "#signup", ", cta: true")
    load(database, loaded, [row("click", "e", 100, selector="#signup", x=1, y=1)])
    assert (await insights(client, loaded, "elements(ctasOnly: true) { nodes { clicks } }"))["elements"]["nodes"] == [{"clicks": 3}]


@pytest.mark.parametrize(
    ("key", "selector", "arguments", "code"),
    [
        pytest.param(EVERYTHING, "#signup", ", cta: true", "FORBIDDEN", id="no scope"),
        pytest.param(EDITOR, "#nowhere", ", cta: true", "NOT_FOUND", id="unknown element"),
        pytest.param(EDITOR, "#signup", "", "BAD_USER_INPUT", id="nothing to change"),
        pytest.param(ApiKey("k", "k", EDITOR.scopes, frozenset({"site_x"})), "#signup", ", cta: true", "NOT_FOUND", id="foreign site"),
    ],
)
async def test_refusals(client: Client, loaded: Site, key: ApiKey, selector: str, arguments: str, code: str) -> None:
    found = await answer(client, f"mutation {{ {call(loaded, 'markElement', selector, arguments)} }}", key=key)
    assert found["data"] == {"markElement": None}
    assert [error["code"] for error in found["errors"]] == [code]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param('element(selector: "#signup") { conversions(event: "") }', "event: the name of an event", id="empty event"),
        pytest.param("conversionsByDepth(step: 101) { unit }", "step: 1 to 100", id="step"),
        pytest.param('elements(after: "nonsense") { totalCount }', "after: this is no cursor", id="cursor"),
        pytest.param(
            'elements(orderBy: {event: "x"}) { totalCount }',
            "orderBy.event: goes with field CONVERSIONS, not POSITION",
            id="event of no conversions",
        ),
        pytest.param(
            'elements(orderBy: {field: CONVERSIONS, event: ""}) { totalCount }', "orderBy.event: the name of an event", id="no name"
        ),
        pytest.param("elements(groupBy: COLOUR) { totalCount }", "COLOUR", id="grouping"),
    ],
)
async def test_bad_input(client: Client, loaded: Site, fields: str, expected: str) -> None:
    query = f'{{ site(siteId: "{loaded.site_id}") {{ page(key: "{PAGE}") {{ insights {{ {fields} }} }} }} }}'
    found = await answer(client, query)
    assert len(found["errors"]) == 1
    assert expected in found["errors"][0]["message"]


async def test_a_name_too_long_is_refused(client: Client, loaded: Site) -> None:
    rename = call(loaded, "renameElement", "#signup", ', name: "' + 201 * "x" + '"')
    found = await answer(client, f"mutation {{ {rename} }}", key=EDITOR)
    assert "name: at most 200" in found["errors"][0]["message"]


async def test_a_cursor_of_another_order_is_refused(client: Client, loaded: Site) -> None:
    cursor = (await insights(client, loaded, "elements(first: 1) { pageInfo { endCursor } }"))["elements"]["pageInfo"]["endCursor"]
    named = 'orderBy: {field: CONVERSIONS, event: "signup"}'
    of_event = (await insights(client, loaded, f"elements(first: 1, {named}) {{ pageInfo {{ endCursor }} }}"))["elements"]["pageInfo"][
        "endCursor"
    ]
    for cursor, other in (
        *((cursor, other) for other in ("orderBy: {field: CLICKS}", "groupBy: TEXT", "ctasOnly: true", "deleted: true")),
        (of_event, "orderBy: {field: CONVERSIONS}"),
        (of_event, named.replace("signup", "purchase")),
    ):
        query = f'{{ site(siteId: "{loaded.site_id}") {{ page(key: "{PAGE}") {{ insights {{ elements(after: "{cursor}", {other}) {{ totalCount }} }} }} }} }}'
        assert "belongs to another list" in (await answer(client, query))["errors"][0]["message"]


# -- who an element is


ELEMENT = "id siteId pageKey selector label tag text href name isCta isFixed top left width height viewportWidth page { key }"


async def test_node_and_entity(client: Client, loaded: Site, statements: list[Statement]) -> None:
    element = (await insights(client, loaded, f'element(selector: "#signup") {{ element {{ {ELEMENT} }} }}'))["element"]["element"]
    assert element | {"id": ""} == {
        "id": "",
        "siteId": loaded.site_id,
        "pageKey": PAGE,
        "selector": "#signup",
        "label": "button#signup",
        "tag": "button",
        "text": "Get Started",
        "href": None,
        "name": None,
        "isCta": False,
        "isFixed": False,
        "top": 1000,
        "left": 320.0,
        "width": 200,
        "height": 48,
        "viewportWidth": 1280,
        "page": {"key": PAGE},
    }
    node = (await ask(client, f'{{ node(id: "{element["id"]}") {{ ... on Element {{ {ELEMENT} }} }} }}'))["node"]
    assert node == element
    statements.clear()
    selectors = ("#signup", "#help", "h2", "#nowhere")
    representations = [{"__typename": "Element", "siteId": loaded.site_id, "pageKey": PAGE, "selector": selector} for selector in selectors]
    query = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Element { selector top viewportWidth } } }"
    found = await ask(client, query, of=representations)
    assert found["_entities"] == [
        {"selector": "#signup", "top": 1000, "viewportWidth": 1280},
        {"selector": "#help", "top": 3900, "viewportWidth": 1280},
        {"selector": "h2", "top": 1800, "viewportWidth": None},
        None,
    ]
    assert len(statements) == 4  # site, page, elements, marks


async def test_a_selector_that_is_too_long_costs_itself_alone(client: Client, loaded: Site) -> None:
    below = 'signup: element(selector: "#signup") { clicks } long: element(selector: $long) { clicks } help: element(selector: "#help") { clicks }'
    query = f'query ($long: String!) {{ site(siteId: "{loaded.site_id}") {{ page(key: "{PAGE}") {{ insights {{ {below} }} }} }} }}'
    found = await answer(client, query, long="x" * 70_000)
    assert found["data"]["site"]["page"]["insights"] == {"signup": {"clicks": 2}, "long": None, "help": {"clicks": 0}}
    assert [(error["path"][-1], error["code"]) for error in found["errors"]] == [("long", "BAD_USER_INPUT")]


async def test_no_element_has_an_empty_selector(client: Client, loaded: Site) -> None:
    """Clicks on none are stored with one."""
    assert await insights(client, loaded, 'element(selector: "") { key } unattributed') == {"element": None, "unattributed": 1}
    of = {"siteId": loaded.site_id, "pageKey": PAGE, "selector": ""}
    query = "query ($of: [_Any!]!, $id: ID!) { _entities(representations: $of) { __typename } node(id: $id) { __typename } }"
    found = await ask(client, query, of=[{"__typename": "Element"} | of], id=ids.encode("Element", *of.values()))
    assert found == {"_entities": [None], "node": None}


@pytest.mark.parametrize("field", ["renameElement", "markElement", "deleteElement", "restoreElement"])
async def test_an_empty_selector_is_refused(client: Client, loaded: Site, database: SyncClient, field: str) -> None:
    arguments = {"renameElement": ', name: "Nobody"', "markElement": ", fixed: true"}.get(field, "")
    found = await answer(client, f"mutation {{ {call(loaded, field, '', arguments)} }}", key=EDITOR)
    assert found["data"] == {field: None}
    assert [(error["code"], error["message"]) for error in found["errors"]] == [
        ("BAD_USER_INPUT", "selector: it is empty; name an element, as `insights { elements }` lists them.")
    ]
    assert database.query(f"SELECT count() FROM element_marks WHERE site_id = '{loaded.site_id}'").result_rows == [(0,)]


async def test_every_entity_can_be_referred_to(client: Client, loaded: Site) -> None:
    keys = {"Site": {}, "Page": {"key": PAGE}, "Element": {"pageKey": PAGE, "selector": "h2"}, "Replay": {"sessionId": "a"}}
    representations = [{"__typename": name, "siteId": loaded.site_id} | key for name, key in keys.items()]
    fields = "".join(f" ... on {name} {{ siteId }}" for name in keys)
    found = await ask(client, f"query ($of: [_Any!]!) {{ _entities(representations: $of) {{ __typename{fields} }} }}", of=representations)
    assert found["_entities"] == [{"__typename": name, "siteId": loaded.site_id} for name in keys]


async def test_page_needs_the_reading_scope(client: Client, loaded: Site) -> None:
    writer = ApiKey("k", "k", frozenset({"element:write"}), frozenset({"*"}))
    found = await answer(client, f"mutation {{ {call(loaded, 'deleteElement', '#help', '', 'isDeleted page { key }')} }}", key=writer)
    assert [error["code"] for error in found["errors"]] == ["FORBIDDEN"]
    assert await change(client, loaded, "deleteElement", "#help", "", "isDeleted", key=writer) == {"isDeleted": True}


# -- cost


@pytest.mark.parametrize(
    "below",
    [
        pytest.param("elements(first: 5) { nodes { clicks element { label } } }", id="list"),
        pytest.param(
            "elements(first: 5, groupBy: TEXT) { nodes { conversions conversion { rate { value } } breakdown(by: COUNTRY) { clicks } } }",
            id="grouped",
        ),
        pytest.param(
            'element(selector: "#e1") { clicks conversions(event: "x") } unattributed conversionsByDepth { depths { depth } }', id="one"
        ),
    ],
)
async def test_25_pages_cost_as_many_statements_as_1(client: Client, database: SyncClient, statements: list[Statement], below: str) -> None:
    site = create_site(database, Site("site_menu_cost", "Cost"))
    rows = []
    for page in range(25):
        shared = {"url": f"https://example.com/{page}"}
        rows.append(row("pageview", "s", page, **shared))
        rows += [
            row("click", "s", 100 + page, selector=f"#e{element + page % 2}", text=f"T{element}", x=5, y=element, **shared)
            for element in range(6)
        ]
    load(database, site, rows)
    costs = []
    for first in (1, 25):
        statements.clear()
        found = await ask(
            client, f'{{ site(siteId: "{site.site_id}") {{ pages(first: {first}) {{ nodes {{ insights {{ {below} }} }} }} }} }}'
        )
        assert len(found["site"]["pages"]["nodes"]) == first
        costs.append(len(statements))
    assert costs[0] == costs[1]
