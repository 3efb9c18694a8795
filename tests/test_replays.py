"""Replays, recomputed from plain lists: who is behind a lens, in which order, why, and from a spot straight into the session."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.cohorts import Cohort, cohort_id_of, compile_add_members, insert_cohort
from clickhouse.keys import ApiKey
from clickhouse.sites import Site
from clickhouse.statement import Statement
from schema.replays import replay_url
from tests.asking import EVERYTHING, NOW, TOO_MANY_EVENTS, answer, ask, create_site, load
from tests.reference.facts import Fact, Interaction, milliseconds
from tests.reference.lens import Lens
from tests.reference.lenses import Question, question, random_rule
from tests.reference.model import Model, Place
from tests.reference.rows import COHORTS, EVENTS, TEST_ACCOUNT_RULES, DataSet, data_set
from tests.reference.url import UrlRule

SITE = Site(
    "site_replays",
    "Replays",
    test_account_rules=TEST_ACCOUNT_RULES,
    replay_url_template="https://replays.example/{sessionId}?who={visitorId}&t={offsetSeconds}&day={date}",
)
HEATMAPS_ONLY = ApiKey("k_maps", "maps", frozenset({"heatmap:read"}), frozenset({"*"}))
SCORE = "watchScore { value reason rage dead duration lost }"
NODE = f"sessionId visitorId startedAt durationSeconds pages clicks rageClicks deadClicks conversions {SCORE}"
IN_LENS = "inLens { firstAt offsetSeconds pageviews clicks rageClicks deadClicks }"


@dataclass(frozen=True)
class Session:
    """Of one session everything, whatever the lens."""

    session: str
    visitor: str
    start_ms: int
    end_ms: int
    pages: int
    clicks: int
    rage: int
    dead: int
    conversions: int
    visited: tuple[str, ...]
    performed: tuple[str, ...]

    @property
    def score(self) -> dict[str, Any]:
        minutes = (self.end_ms - self.start_ms) // 60_000
        lost = 20 if (self.rage or self.dead) and self.conversions == 0 else 0
        parts = {"rage": min(50, 10 * self.rage), "dead": min(20, 4 * self.dead), "duration": min(10, minutes), "lost": lost}
        said = [(self.rage, "rage burst"), (self.dead, "dead click"), (minutes, "minute")]
        reason = [f"{count} {what}" + ("s" if count != 1 else "") for count, what in said if count] + ["no conversion"] * (lost > 0)
        return {"value": sum(parts.values()), "reason": ", ".join(reason) or "less than a minute, without rage or dead clicks", **parts}

    @property
    def node(self) -> dict[str, Any]:
        return {
            "sessionId": self.session,
            "visitorId": self.visitor,
            "startedAt": self.start_ms,
            "durationSeconds": (self.end_ms - self.start_ms) / 1000,
            "pages": self.pages,
            "clicks": self.clicks,
            "rageClicks": self.rage,
            "deadClicks": self.dead,
            "conversions": self.conversions,
            "watchScore": self.score,
        }


VALUE_OF: dict[str, Callable[[Session], int]] = {
    "MOST_WORTH_WATCHING": lambda session: session.score["value"],
    "STARTED_AT": lambda session: session.start_ms,
    "DURATION": lambda session: session.end_ms - session.start_ms,
}


class Replays:
    """What the model knows of sessions."""

    def __init__(self, data: DataSet) -> None:
        self.data = data
        self.model = Model(data.rows, COHORTS, TEST_ACCOUNT_RULES)
        self.sessions = {name: self._session(name) for name in {row["sessionId"] for row in data.rows}}

    def _session(self, name: str) -> Session:
        times = [milliseconds(row["timestamp"]) for row in self.data.rows if row["sessionId"] == name]
        views = [view for view in self.model.all.pageviews if view.session == name]
        mine = [one for one in self.model.all.interactions if one.session == name]
        events = [event for event in self.model.all.events if event.session == name]
        return Session(
            session=name,
            visitor=next(row["visitorId"] for row in self.data.rows if row["sessionId"] == name),
            start_ms=min(times),
            end_ms=max(times),
            pages=len({view.page_key for view in views}),
            clicks=sum(one.is_click for one in mine),
            rage=sum(one.kind == "RAGE_CLICK" for one in mine),
            dead=sum(one.kind == "DEAD_CLICK" for one in mine),
            conversions=sum(event.converts for event in events),
            visited=tuple(view.url for view in views),
            performed=tuple(event.name for event in events),
        )

    def behind(self, lens: Lens) -> dict[str, list[Fact]]:
        """Session -> its rows in the lens."""
        found: dict[str, list[Fact]] = {}
        for fact in self.model.seen(lens).facts():
            found.setdefault(fact.session, []).append(fact)
        return found

    def in_lens(self, session: str, facts: list[Fact]) -> dict[str, Any]:
        interactions = [fact for fact in facts if isinstance(fact, Interaction)]
        first_ms = min(fact.timestamp_ms for fact in facts)
        return {
            "firstAt": first_ms,
            "offsetSeconds": (first_ms - self.sessions[session].start_ms) / 1000,
            "pageviews": len(facts) - len(interactions),
            "clicks": sum(one.is_click for one in interactions),
            "rageClicks": sum(one.kind == "RAGE_CLICK" for one in interactions),
            "deadClicks": sum(one.kind == "DEAD_CLICK" for one in interactions),
        }


@pytest.fixture(scope="module")
def replays(database: SyncClient) -> Replays:
    create_site(database, SITE)
    data = data_set(Random(7), 60)
    load(database, SITE, data.rows)
    for name, visitors in COHORTS.items():
        cohort = Cohort(SITE.site_id, cohort_id_of(SITE.site_id, name), name)
        insert = insert_cohort(cohort, NOW)
        database.insert(insert.table, insert.rows, column_names=insert.columns)
        members = compile_add_members(SITE.site_id, cohort.cohort_id, visitors)
        database.command(members.sql, members.params)
    return Replays(data)


async def insights(client: Client, asked: Question, fields: str, key: ApiKey = EVERYTHING, **more: Any) -> Any:
    """The fields of `Insights` under a random lens, None when its page was never seen."""
    ids = {name: cohort_id_of(SITE.site_id, name) for name in COHORTS}
    variables = asked.with_cohort_ids(ids)
    by_page = "page" in variables
    lens = "insights(window: $window, segment: $segment)" if by_page else "insights(url: $url, window: $window, segment: $segment)"
    found = f"page(key: $page) {{ {lens} {{ {fields} }} }}" if by_page else f"{lens} {{ {fields} }}"
    declared = (
        "$window: Window, $segment: Segment, " + "$visited: UrlMatch, " * bool(more) + ("$page: String!" if by_page else "$url: UrlMatch!")
    )
    query = f'query ({declared}) {{ site(siteId: "{SITE.site_id}") {{ {found} }} }}'
    site = (await ask(client, query, key, **variables, **more))["site"]
    return (site["page"] or {"insights": None})["insights"] if by_page else site["insights"]


def plain(node: dict[str, Any], *times: str) -> dict[str, Any]:
    return node | {name: milliseconds(node[name]) for name in times}


@pytest.mark.parametrize("number", range(24))
async def test_sessions_behind_a_lens(client: Client, replays: Replays, number: int) -> None:
    """Every order, both ways, any filter: the same sessions in the same order with the same numbers, however they are paged."""
    random = Random(number)
    asked = question(random, replays.data)
    field, direction = tuple(VALUE_OF)[number % 3], ("ASC", "DESC")[number // 3 % 2]
    least = {name: random.choice([0, 0, 1, 2]) for name in ("minRage", "minDead")}
    seconds = random.choice([0, 0, 30.5, 100])
    visited: UrlRule | None = random_rule(random) if random.random() < 0.3 else None
    event = random.choice(EVENTS) if random.random() < 0.2 else None
    having = [f"{name}: {count}" for name, count in least.items() if count] + [f"minDurationSeconds: {seconds}"] * (seconds > 0)
    having += ["visitedPage: $visited"] * (visited is not None) + [f'performed: [{{name: "{event}"}}]'] * (event is not None)

    def kept(session: Session) -> bool:
        return (
            session.rage >= least["minRage"]
            and session.dead >= least["minDead"]
            and session.end_ms - session.start_ms >= seconds * 1000
            and (visited is None or any(visited.matches(url) for url in session.visited))
            and (event is None or event in session.performed)
        )

    behind = replays.behind(asked.lens)
    sign = -1 if direction == "DESC" else 1
    expected = [session for name in behind if kept(session := replays.sessions[name])]
    expected.sort(key=lambda session: (sign * VALUE_OF[field](session), -session.start_ms))

    arguments = f"orderBy: {{field: {field}, direction: {direction}}}, having: {{{', '.join(having)}}}, first: {random.randint(1, 5)}"
    named: dict[str, Any] = {"visited": {visited.kind: visited.value}} if visited else {}
    edges: list[Any] = []
    after = ""
    while True:
        fields = (
            f"replays({arguments} {after}) {{ totalCount pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {NODE} }} {IN_LENS} }} }}"
        )
        got = await insights(client, asked, fields, **named)
        if got is None:
            assert asked.lens.page_key not in replays.model.page_keys
            return
        edges += got["replays"]["edges"]
        assert got["replays"]["totalCount"] == len(expected) >= len(edges)
        if not got["replays"]["pageInfo"]["hasNextPage"]:
            break
        after = f', after: "{got["replays"]["pageInfo"]["endCursor"]}"'
    assert [plain(edge["node"], "startedAt") for edge in edges] == [session.node for session in expected]
    for edge, session in zip(edges, expected, strict=True):
        assert plain(edge["inLens"], "firstAt") == replays.in_lens(session.session, behind[session.session])


async def test_the_data_has_what_the_filters_look_for(replays: Replays) -> None:
    sessions = replays.sessions.values()
    assert {session.rage > 0 for session in sessions} == {session.conversions > 0 for session in sessions} == {True, False}
    assert len({session.score["value"] for session in sessions}) > 20
    assert max(session.dead for session in sessions) > 5


async def test_the_whole_site_beside_its_pages(client: Client, replays: Replays) -> None:
    """The same question of the site and of each of its pages, in one request."""
    window = '{last: "-30d"}'
    listed = "replays(first: 100) { totalCount nodes { sessionId } }"
    of_site = f"replays(window: {window}, first: 100) {{ totalCount nodes {{ sessionId }} }}"
    query = f'{{ site(siteId: "{SITE.site_id}") {{ {of_site} pages(window: {window}) {{ nodes {{ key insights(window: {window}) {{ {listed} }} }} }} }} }}'
    site = (await ask(client, query))["site"]
    start_ms, end_ms = milliseconds(NOW.isoformat()) - 30 * 86_400_000, milliseconds(NOW.isoformat())
    behind = replays.behind(Lens(start_ms, end_ms))
    assert site["replays"]["totalCount"] == len(behind)
    assert {node["sessionId"] for node in site["replays"]["nodes"]} == set(behind)
    assert len(site["pages"]["nodes"]) > 2
    for page in site["pages"]["nodes"]:
        of_page = replays.behind(Lens(start_ms, end_ms, page_key=page["key"]))
        assert {node["sessionId"] for node in page["insights"]["replays"]["nodes"]} == set(of_page)


@pytest.mark.parametrize("number", range(12))
async def test_from_a_spot_to_its_replays(client: Client, replays: Replays, number: int) -> None:
    """Each session of the spot once: at its largest burst, else its latest; the largest first, then the newest."""
    asked = question(Random(100 + number), replays.data)
    moment = "replays(first: 4) { timestamp offsetSeconds clicks url replay { sessionId visitorId } }"
    fields = f"rageClicks {{ nodes {{ {moment} }} }} deadClicks {{ nodes {{ {moment} }} }}"
    got = await insights(client, asked, fields)
    if got is None:
        return
    seen = replays.model.seen(asked.lens)
    for field, kind in (("rageClicks", "RAGE_CLICK"), ("deadClicks", "DEAD_CLICK")):
        spots = replays.model._spots(asked.lens, seen.of_kind(kind)).items()
        expected = [moments(replays, inside)[:4] for _, (_, inside) in sorted(spots, key=biggest_first)]
        assert [[plain(one, "timestamp") for one in node["replays"]] for node in got[field]["nodes"]] == expected


def biggest_first(item: tuple[str | Place, tuple[Any, list[Interaction]]]) -> tuple[Any, ...]:
    spot, (_, inside) = item
    selector, (fixed, column, row) = (spot, (False, 0, 0)) if isinstance(spot, str) else ("", spot)
    return -len(inside), -sum(one.clicks for one in inside), selector, fixed, row, column


def moments(replays: Replays, inside: list[Interaction]) -> list[dict[str, Any]]:
    worst = sorted(inside, key=lambda one: (-one.clicks, -one.timestamp_ms))
    first = {one.session: one for one in reversed(worst)}
    shown = []
    for one in sorted(first.values(), key=lambda one: (-one.clicks, -one.timestamp_ms)):
        session = replays.sessions[one.session]
        offset = (one.timestamp_ms - session.start_ms) / 1000
        visitor, day = session.visitor.replace("@", "%40"), datetime.fromtimestamp(session.start_ms / 1000, UTC).date()
        shown.append(
            {
                "timestamp": one.timestamp_ms,
                "offsetSeconds": offset,
                "clicks": one.clicks,
                "url": f"https://replays.example/{one.session}?who={visitor}&t={int(offset)}&day={day}",
                "replay": {"sessionId": one.session, "visitorId": session.visitor},
            }
        )
    return shown


async def test_without_the_scope_counts_stay_visible_and_sessions_do_not(client: Client, replays: Replays) -> None:
    window = '{last: "-30d"}'
    listing = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    spots = "nodes { clicks replays { timestamp } }"
    merged = f'insights(url: {{prefix: "http"}}, window: {window}) {{ replays {{ {listing} }} rageClicks {{ {spots} }} deadClicks {{ {spots} }} }}'
    query = f'{{ site(siteId: "{SITE.site_id}") {{ replays(window: {window}, having: {{minRage: 1}}) {{ {listing} }} {merged} }} }}'
    seen, hidden = [(await ask(client, query, key))["site"] for key in (EVERYTHING, HEATMAPS_ONLY)]
    for one, other in ((seen["replays"], hidden["replays"]), (seen["insights"]["replays"], hidden["insights"]["replays"])):
        assert one["totalCount"] == other["totalCount"] > 0
        assert other["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    for field in ("rageClicks", "deadClicks"):
        assert all(node["replays"] for node in seen["insights"][field]["nodes"])
        blank = [node | {"replays": None} for node in seen["insights"][field]["nodes"]]
        assert hidden["insights"][field]["nodes"] == blank != []


@pytest.mark.parametrize("field", ["nodes { sessionId }", "edges { cursor }"])
async def test_without_the_scope_asking_for_sessions_is_an_error_beside_the_count(client: Client, replays: Replays, field: str) -> None:
    found = await answer(client, f'{{ site(siteId: "{SITE.site_id}") {{ replays {{ totalCount {field} }} }} }}', HEATMAPS_ONLY)
    name = field.split()[0]
    assert found["data"]["site"]["replays"].keys() == {"totalCount", name}
    assert found["data"]["site"]["replays"][name] is None
    assert [(error["code"], error["path"]) for error in found["errors"]] == [("FORBIDDEN", ["site", "replays", name])]
    assert "replay:read" in found["errors"][0]["message"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("having: {minRage: -1}", "having.minRage: 0 to"),
        ("having: {minDead: -1}", "having.minDead: 0 to"),
        ("having: {minDurationSeconds: -0.5}", "having.minDurationSeconds: 0 to"),
        ('having: {visitedPage: {exact: "pricing"}}', "having.visitedPage.exact: an absolute URL"),
        ('having: {visitedPage: {exact: "https://example.com/", path: "/"}}', "[Oo]ne"),
        ('having: {performed: [{name: ""}]}', "having.performed"),
        (f"having: {{{TOO_MANY_EVENTS}}}", "having.performed: at most 20"),
        ("orderBy: {field: CLICKS}", "CLICKS"),
        ('after: "nonsense"', "after: this is no cursor"),
    ],
)
async def test_bad_input(client: Client, replays: Replays, arguments: str, expected: str) -> None:
    found = await answer(client, f'{{ site(siteId: "{SITE.site_id}") {{ replays({arguments}) {{ totalCount }} }} }}')
    assert len(found["errors"]) == 1
    assert re.search(expected, found["errors"][0]["message"]), found["errors"]


async def test_a_cursor_goes_on_in_its_own_list_only(client: Client, replays: Replays) -> None:
    def listed(arguments: str) -> str:
        return f'{{ site(siteId: "{SITE.site_id}") {{ replays(window: {{last: "-30d"}}, first: 1, {arguments}) {{ pageInfo {{ endCursor }} }} }} }}'

    cursor = (await ask(client, listed("")))["site"]["replays"]["pageInfo"]["endCursor"]
    for other in ("orderBy: {field: DURATION}", "orderBy: {direction: ASC}", "having: {minRage: 1}", "segment: {device: [MOBILE]}"):
        found = await answer(client, listed(f'after: "{cursor}", {other}'))
        assert [error["code"] for error in found["errors"]] == ["BAD_USER_INPUT"], other


async def test_an_interaction_leads_to_its_moment_in_the_replay(client: Client, replays: Replays) -> None:
    fields = "nodes { timestamp sessionId visitorId offsetSeconds replayUrl replay { sessionId visitorId startedAt } }"
    whole = f'insights(url: {{prefix: "http"}}, window: {{last: "-30d"}}) {{ interactions {{ {fields} }} }}'
    query = f'{{ site(siteId: "{SITE.site_id}") {{ {whole} }} }}'
    nodes, unseen = [(await ask(client, query, key))["site"]["insights"]["interactions"]["nodes"] for key in (EVERYTHING, HEATMAPS_ONLY)]
    assert nodes
    for node in nodes:
        replay, offset = node["replay"], (milliseconds(node["timestamp"]) - milliseconds(node["replay"]["startedAt"])) / 1000
        assert (node["sessionId"], node["visitorId"]) == (replay["sessionId"], replay["visitorId"])
        assert node["offsetSeconds"] == pytest.approx(offset)
        session = {
            "session_key": replay["sessionId"],
            "visitor_key": replay["visitorId"],
            "started_at": datetime.fromisoformat(replay["startedAt"]),
        }
        assert node["replayUrl"] == replay_url(SITE.replay_url_template, session, node["offsetSeconds"])
    assert {node[name] for node in unseen for name in ("sessionId", "visitorId", "offsetSeconds", "replayUrl", "replay")} == {None}


async def test_an_interaction_of_a_session_with_two_visitors(client: Client, database: SyncClient) -> None:
    """It shows its own, who is counted on the map; the replay and where to watch it name the session's, who is the first."""
    site = create_site(database, Site("site_two_visitors", "Two", replay_url_template="https://r.example/{sessionId}?who={visitorId}"))
    shared = {
        "type": "click",
        "sessionId": "s",
        "url": "https://example.com/",
        "viewportWidth": 1280,
        "viewportHeight": 800,
        "x": 5,
        "y": 5,
    }
    at_ms = milliseconds(NOW.isoformat()) - 60_000
    load(database, site, [shared | {"visitorId": who, "timestamp": at_ms + n} for n, who in enumerate(("anonymous", "ada", "ada"))])
    fields = "nodes { visitorId replayUrl replay { visitorId } }"
    below = f"totals {{ visitors }} heatmap(aggregation: UNIQUE_VISITORS) {{ visitors }} interactions {{ {fields} }}"
    found = await ask(client, f'{{ site(siteId: "{site.site_id}") {{ page(key: "https://example.com/") {{ insights {{ {below} }} }} }} }}')
    seen = found["site"]["page"]["insights"]
    of_session = {"replayUrl": "https://r.example/s?who=anonymous", "replay": {"visitorId": "anonymous"}}
    assert seen["interactions"]["nodes"] == [{"visitorId": who} | of_session for who in ("ada", "ada", "anonymous")]
    assert seen["totals"]["visitors"] == seen["heatmap"]["visitors"] == 2


@pytest.mark.parametrize("scope", ["heatmap:read", "replay:read"])
async def test_a_replay_needs_each_scope_it_says_it_needs(client: Client, replays: Replays, scope: str) -> None:
    others = ApiKey("k", "k", EVERYTHING.scopes - {scope}, frozenset({"*"}))
    replay = {"__typename": "Replay", "siteId": SITE.site_id, "sessionId": next(iter(replays.sessions))}
    query = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Replay { sessionId } } }"
    found = await answer(client, query, others, of=[replay])
    assert [(error["code"], scope in error["message"]) for error in found["errors"]] == [("FORBIDDEN", True)]
    said = await ask(client, '{ __type(name: "Replay") { description } }')
    assert scope in said["__type"]["description"]


async def test_a_replay_is_the_same_wherever_it_is_found(client: Client, replays: Replays) -> None:
    query = f'{{ site(siteId: "{SITE.site_id}") {{ replays(window: {{last: "-30d"}}, first: 5) {{ nodes {{ id {NODE} }} }} }} }}'
    for node in (await ask(client, query))["site"]["replays"]["nodes"]:
        again = await ask(client, f'{{ node(id: "{node["id"]}") {{ ... on Replay {{ id {NODE} }} }} }}')
        assert again["node"] == node


async def test_dimensions_that_are_seldom_shown_are_read_when_selected(
    client: Client, statements: list[Statement], replays: Replays
) -> None:
    sent = {
        fact.session: {name: fact.dimensions[name] or None for name in ("region", "campaign", "variant")}
        for fact in sorted(replays.model.all.pageviews, key=lambda view: -view.timestamp_ms)
    }
    costs = []
    for fields in ("", "variant", "region campaign variant"):
        statements.clear()
        found = await ask(
            client,
            f'{{ site(siteId: "{SITE.site_id}") {{ replays(window: {{last: "-30d"}}, first: 100) {{ nodes {{ sessionId {fields} }} }} }} }}',
        )
        costs.append(len(statements))
        nodes = found["site"]["replays"]["nodes"]
        assert len(nodes) == len(replays.sessions)
        for node in nodes:
            session = sent[node["sessionId"]]
            assert node == {"sessionId": node["sessionId"]} | {name: session[name] for name in fields.split()}
        assert fields != "variant" or "campaign" not in statements[-1].sql
    assert costs == [costs[0], costs[0] + 1, costs[0] + 1]


@pytest.mark.parametrize(
    ("template", "session", "visitor", "expected"),
    [
        ("", "s", "v", None),
        ("https://r.example/{sessionId}", "s", "v", "https://r.example/s"),
        ("https://r.example/{sessionId}#t={offsetSeconds}", "s", "v", "https://r.example/s#t=7"),
        ("https://r.example/?sessionId={sessionId}&date={date}", "{date}", "v", "https://r.example/?sessionId=%7Bdate%7D&date=2026-05-01"),
        ("https://r.example/{sessionId}", "a/../b?x=1#y", "v", "https://r.example/a%2F..%2Fb%3Fx%3D1%23y"),
        ("https://r.example/{sessionId}?v={visitorId}", "{visitorId}", "a&b", "https://r.example/%7BvisitorId%7D?v=a%26b"),
        (
            "https://r.example/{sessionId}?v={visitorId}",
            's"><script>',
            "{offsetSeconds}",
            "https://r.example/s%22%3E%3Cscript%3E?v=%7BoffsetSeconds%7D",
        ),
    ],
)
def test_a_link_is_built_safely(template: str, session: str, visitor: str, expected: str | None) -> None:
    last_of_the_day = datetime(2026, 5, 1, 23, 59, 59)  # UTC
    assert replay_url(template, {"session_key": session, "visitor_key": visitor, "started_at": last_of_the_day}, 7.9) == expected


@pytest.mark.parametrize(
    "below",
    [
        "replays(first: 3) { nodes { conversions watchScore { reason } } }",
        "replays(orderBy: {field: STARTED_AT}) { totalCount nodes { watchScore { reason } } }",
        "rageClicks { nodes { replays { replay { watchScore { value } } } } }",
        "deadClicks { nodes { replays { url replay { pages } } } }",
    ],
)
async def test_25_pages_cost_as_many_statements_as_1(client: Client, statements: list[Statement], replays: Replays, below: str) -> None:
    window = '{last: "-30d"}'
    costs = []
    for first in (1, 25):
        statements.clear()
        pages = f"pages(window: {window}, first: {first}) {{ nodes {{ insights(window: {window}) {{ {below} }} }} }}"
        await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ {pages} }} }}')
        costs.append(len(statements))
    assert costs[0] == costs[1]
