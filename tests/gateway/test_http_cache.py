"""What answers say to HTTP caches, what is cached between requests, what of it a change undoes, and what a request is told it read."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import AsyncClient, Response

from clickhouse.keys import ApiKey, insert_key
from clickhouse.sites import Site, insert_site
from gateway.app import create_app
from gateway.auth import hash_token, new_token
from gateway.database import Database
from gateway.forget import forget_visitors
from gateway.secret import token_secret
from gateway.settings import Settings
from tests.asking import NOW, load
from tests.gateway.applications import post, serving

PAGE = "https://example.com/"
YESTERDAY = NOW - timedelta(days=1)
CLOSED = {"between": {"from": str((NOW - timedelta(days=7)).date()), "to": str(YESTERDAY.date())}}
MAP = """query ($site: String!, $window: Window) {
  site(siteId: $site) { page(key: "https://example.com/") { insights(window: $window) { heatmap { total points { x y count } } } } }
}"""


EVERY_FIELD = f"{{ sites {{ {' '.join(f'n{number}: nodes {{ siteId }}' for number in range(60))} }} }}"


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[AsyncClient]:
    """Versions are read with each statement, so that a change shows at once."""
    async with serving(create_app(replace(settings, version_seconds=0.0))) as http:
        yield http


@pytest.fixture
def make_site(database: SyncClient, settings: Settings) -> Callable[[str, int], str]:
    """Makes a site with clicks of yesterday, and a key for it and nothing else; returns its Authorization."""

    def make(site_id: str, count: int) -> str:
        key_id, token = new_token()
        ours = Database(database)
        ours.insert(insert_site(Site(site_id, site_id), NOW))
        scopes = frozenset({"heatmap:read", "cohort:write", "element:write"})
        key = ApiKey(key_id, "test", scopes, frozenset({site_id}), token_hash=hash_token(token, token_secret(settings)))
        ours.insert(insert_key(key, NOW))
        load_clicks(database, site_id, range(count))
        return f"Bearer {token}"

    return make


def load_clicks(database: SyncClient, site_id: str, numbers: range, visitor: str = "v") -> None:
    at_ms = int(YESTERDAY.replace(hour=0, minute=0).timestamp() * 1000)
    size = {"viewportWidth": 1280, "viewportHeight": 900}
    rows = [
        size | {"type": "click", "sessionId": f"s{number}", "visitorId": visitor, "url": PAGE, "timestamp": at_ms + number, "x": 5, "y": 5}
        for number in numbers
    ]
    load(database, Site(site_id, site_id), rows)


async def ask(http: AsyncClient, authorization: str, site_id: str, window: Any = CLOSED) -> Response:
    http.headers.update({"Authorization": authorization, "X-Heatgraph-Reads": "1"})
    return await post(http, MAP, variables={"site": site_id, "window": window})


def clicks(response: Response) -> int:
    assert "errors" not in response.json(), response.json()
    return int(response.json()["data"]["site"]["page"]["insights"]["heatmap"]["total"])


def cached(response: Response) -> set[bool]:
    return {read["cached"] for read in response.json()["extensions"]["reads"]}


async def test_an_answer_is_cached_and_says_so(http: AsyncClient, make_site: Callable[[str, int], str]) -> None:
    authorization = make_site("cached", 2)
    first, second = [await ask(http, authorization, "cached") for _ in range(2)]
    assert cached(first) == {False} and cached(second) == {True}
    assert first.json()["data"] == second.json()["data"] and clicks(second) == 2


async def test_late_rows_undo_it(http: AsyncClient, make_site: Callable[[str, int], str], database: SyncClient) -> None:
    authorization = make_site("late", 2)
    before = [await ask(http, authorization, "late") for _ in range(2)][-1]
    assert (clicks(before), cached(before)) == (2, {True})
    load_clicks(database, "late", range(2, 5))
    after = await ask(http, authorization, "late")
    assert (clicks(after), cached(after)) == (5, {False})


async def test_forgetting_a_visitor_undoes_it(http: AsyncClient, make_site: Callable[[str, int], str], database: SyncClient) -> None:
    """An answer that is cached counts the visitor, the next one does not."""
    authorization = make_site("forgotten", 2)
    load_clicks(database, "forgotten", range(2, 5), "other")
    before = [await ask(http, authorization, "forgotten") for _ in range(2)][-1]
    assert (clicks(before), cached(before)) == (5, {True})
    forget_visitors(Database(database), "forgotten", ("other",))
    after = await ask(http, authorization, "forgotten")
    assert (clicks(after), cached(after)) == (2, {False})


async def test_a_mutation_undoes_it(http: AsyncClient, make_site: Callable[[str, int], str]) -> None:
    authorization = make_site("mutated", 1)
    for _ in range(2):
        before = await ask(http, authorization, "mutated")
    assert cached(before) == {True}
    created = await post(http, 'mutation { createCohort(siteId: "mutated", name: "c", members: {visitors: ["v"]}) { size } }')
    assert created.json()["data"] == {"createCohort": {"size": 1}}
    assert created.headers["cache-control"] == "no-store" and "etag" not in created.headers
    assert False in cached(await ask(http, authorization, "mutated"))


async def test_two_sites_never_share_an_answer(http: AsyncClient, make_site: Callable[[str, int], str]) -> None:
    one, other = make_site("tenant_1", 1), make_site("tenant_2", 3)
    for _ in range(2):
        assert clicks(await ask(http, one, "tenant_1")) == 1
        assert clicks(await ask(http, other, "tenant_2")) == 3
    refused = await ask(http, other, "tenant_1")
    assert refused.json()["data"] == {"site": None}
    assert refused.headers["cache-control"] == "no-store"


async def test_only_what_is_over_may_be_used_again(http: AsyncClient, make_site: Callable[[str, int], str]) -> None:
    authorization = make_site("headers", 1)
    over, rolling = await ask(http, authorization, "headers"), await ask(http, authorization, "headers", {"last": "-7d"})
    assert over.headers["cache-control"] == "private, max-age=60"
    assert rolling.headers["cache-control"] == "private, no-cache"
    assert {"Authorization", "Accept", "X-Heatgraph-Reads", "apollo-federation-include-trace"} <= set(over.headers["vary"].split(", "))
    with_viewer = MAP.replace("site(", "...Mine site(", 1) + " fragment Mine on Query { me: viewer { remainingBudget } }"
    momentary = await post(http, with_viewer, variables={"site": "headers", "window": CLOSED})
    assert clicks(momentary) == 1 and momentary.headers["cache-control"] == "private, no-cache", "the next request has less of it"
    everything = await post(http, "{ sites { nodes { siteId } } }")
    assert everything.headers["cache-control"] == "private, no-cache"
    wrong = await post(http, "{ nothing }")
    assert wrong.headers["cache-control"] == "no-store" and "etag" not in wrong.headers


async def test_a_cdn_may_keep_what_was_got_about_windows_that_are_over(settings: Settings, make_site: Callable[[str, int], str]) -> None:
    async with serving(create_app(replace(settings, cdn_seconds=3600))) as behind_cdn:
        authorization = make_site("cdn", 1)

        async def get(window: dict[str, Any]) -> Response:
            variables = json.dumps({"site": "cdn", "window": window})
            sent = {"authorization": authorization, "x-apollo-operation-name": "Map"}
            return await behind_cdn.get("/graphql", params={"query": MAP, "variables": variables}, headers=sent)

        got = await get(CLOSED)
        assert clicks(got) == 1
        assert got.headers["cache-control"] == "public, max-age=60, s-maxage=3600" and "Authorization" in got.headers["vary"]
        assert (await get({"last": "-7d"})).headers["cache-control"] == "private, no-cache"
        posted = await ask(behind_cdn, authorization, "cdn")
        assert posted.headers["cache-control"] == "private, max-age=60"


async def test_what_is_unchanged_is_not_sent_again(http: AsyncClient, make_site: Callable[[str, int], str], database: SyncClient) -> None:
    authorization = make_site("etag", 1)
    http.headers["Authorization"] = authorization
    query = MAP.replace("$site: String!, $window: Window", "$window: Window").replace("$site", '"etag"')
    parameters = {"query": query, "variables": '{"window": {"last": "-7d"}}'}

    async def get(**headers: str) -> Response:
        return await http.get("/graphql", params=parameters, headers=headers)

    first = await get()
    tag, large = first.headers["etag"], await http.get("/graphql", params={"query": EVERY_FIELD})
    assert large.headers["content-encoding"]
    assert first.status_code == 200 and tag.startswith('W/"')
    for sent in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        unchanged = await get(**{"If-None-Match": sent})
        assert (unchanged.status_code, unchanged.content) == (304, b""), sent
        assert unchanged.headers["etag"] == tag and unchanged.headers["cache-control"] == first.headers["cache-control"]
        assert unchanged.headers["vary"] == large.headers["vary"], "which replaces that of what a cache has kept"
    assert (await get(**{"If-None-Match": '"other"'})).status_code == 200
    load_clicks(database, "etag", range(1, 3))
    assert (await get(**{"If-None-Match": tag})).status_code == 200
    posted = await http.post("/graphql", json={"query": query}, headers={"If-None-Match": "*", "X-Heatgraph-Reads": "0"})
    assert posted.status_code == 200 and "reads" not in posted.json()["extensions"]


async def test_reads_are_told_without_sql_and_logged(
    http: AsyncClient, make_site: Callable[[str, int], str], caplog: pytest.LogCaptureFixture
) -> None:
    authorization = make_site("told", 40)  # in one cell
    with caplog.at_level(logging.DEBUG, "heatgraph"):
        response = await ask(http, authorization, "told")
    reads = response.json()["extensions"]["reads"]
    assert {"sites", "pages"} < {table for read in reads for table in read["tables"]}
    assert all(set(read) == {"tables", "rows", "bytes", "ms", "cached", "shared"} for read in reads)
    assert all(read["tables"] and read["rows"] > 0 and read["bytes"] > 0 for read in reads), reads
    (of_map,) = [read for read in reads if "interactions" in read["tables"]]
    assert of_map["rows"] > 1, "what was read, not what came back"
    assert "SELECT" not in str(reads)
    logged = [record for record in caplog.records if record.getMessage().startswith("read tables=")]
    assert [vars(record)["rows"] for record in logged if vars(record)["tables"] == reads[-1]["tables"]][-1] == reads[-1]["rows"]
