"""Exports as requests: what is noted of them, and what goes over the wire."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx
import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import AsyncClient
from starlette.applications import Starlette
from starlette.types import Message

from clickhouse.keys import ApiKey
from clickhouse.reading import comment
from clickhouse.sites import Site
from clickhouse.statement import Statement
from gateway.app import create_app
from gateway.settings import Settings
from tests.asking import create_site
from tests.gateway.applications import Doorman, make_token, samples, serving
from tests.gateway.processes import ROOT, free_port, wait_for

SITE = Site("site_export_requests", "Requests")
BREAKING = """
import sys
import uvicorn
from clickhouse.errors import DeadlineError
from gateway.export import Download
from gateway.logs import log_config
from gateway.observation import Observation

async def app(scope, receive, send):
    async def rest():
        while scope["path"] == "/slow":
            yield bytes(100_000)
        raise DeadlineError("Too late.")

    await Download(b"first", rest(), {}, "text/csv", 0.5)(scope, receive, send)

uvicorn.run(Observation(app), port=int(sys.argv[1]), http="httptools", lifespan="off", log_config=log_config("info", "text"), access_log=False)
"""
KEY = ApiKey("k1", "", frozenset({"heatmap:read"}), frozenset({"*"}))


@pytest.fixture(scope="module")
def site(database: SyncClient) -> Site:
    return create_site(database, SITE)


@pytest.fixture
def app(settings: Settings) -> Starlette:
    return create_app(settings)


@pytest.fixture
async def http(app: Starlette, site: Site) -> AsyncIterator[AsyncClient]:
    async with serving(app) as http:
        app.state.authenticator = Doorman(KEY)
        http.params = http.params.set("siteId", site.site_id)
        yield http


async def test_who_exported_what_is_in_the_log_and_in_clickhouses(
    app: Starlette, http: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "heatgraph.request")
    comments: list[str] = []
    app.state.sources.first.client.on_statement = lambda statement: comments.append(comment())
    assert (await http.get("/export/pages.csv", headers={"x-request-id": "r1"})).status_code == 200
    assert json.loads(comments[-1]) == {"request": "r1", "key": "k1", "operation": "pages"}
    assert (await http.get("/export/replays.csv", headers={"x-request-id": "r2"})).status_code == 403
    lines = [record.getMessage().split(" ms ")[1] for record in caplog.records if record.name == "heatgraph.request"]
    assert lines == ["request=r1 key=k1 operation=pages", "request=r2 key=k1 operation=replays code=FORBIDDEN"]


async def test_metrics_have_the_costs_and_codes_of_exports(settings: Settings, http: AsyncClient) -> None:
    before = (await http.get("/metrics")).text
    for file, status in (("pages.csv", 200), ("pages.xml", 404), ("points.csv", 400)):
        assert (await http.get(f"/export/{file}")).status_code == status
    after = (await http.get("/metrics")).text

    def added(name: str, labels: str) -> float:
        return samples(after, name)[labels] - samples(before, name).get(labels, 0)

    requests = "heatgraph_requests_total"
    assert added(requests, 'code="OK",operation="pages",path="/export"') == 1
    assert added(requests, 'code="NOT_FOUND",operation="",path="/export"') == 1
    assert added(requests, 'code="BAD_USER_INPUT",operation="points",path="/export"') == 1
    assert added("heatgraph_cost_total", 'operation="pages"') == settings.max_query_cost


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
async def test_text_is_compressed_for_who_accepts_it(http: AsyncClient, suffix: str) -> None:
    """An empty file, too: whether it becomes a long one is not known when it begins."""
    for accepted in ("gzip", "br", "zstd", "identity"):
        answer = await http.get(f"/export/pages.{suffix}", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding", "identity") == accepted and answer.headers["vary"] == "Accept-Encoding"
        assert answer.text.startswith('"key"') if suffix == "csv" else answer.text == ""
    parquet = await http.get("/export/pages.parquet")
    assert "content-encoding" not in parquet.headers and parquet.content.startswith(b"PAR1"), "it is compressed in itself"


@pytest.mark.parametrize("accepted", ["gzip", "br", "zstd"])
async def test_what_is_compressed_is_still_passed_on_in_chunks(
    app: Starlette, http: AsyncClient, monkeypatch: pytest.MonkeyPatch, accepted: str
) -> None:
    """The second chunk is only asked for when the first is on its way."""
    sent: list[Message] = []
    sent_before: list[int] = []

    async def stream(statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        random = Random(1)
        for _ in range(3):
            sent_before.append(len(b"".join(message.get("body", b"") for message in sent)))
            yield random.randbytes(1_000_000).hex().encode()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    monkeypatch.setattr(app.state.sources.first.client, "stream", stream)
    query = f"siteId={SITE.site_id}".encode()
    scope = {"type": "http", "method": "GET", "path": "/export/pages.csv", "query_string": query}
    await app({**scope, "headers": [(b"accept-encoding", accepted.encode())]}, receive, send)
    assert (b"content-encoding", accepted.encode()) in sent[0]["headers"]
    assert sent_before[0] == 0 < 900_000 < sent_before[1] < sent_before[2]


@pytest.mark.parametrize(("file", "status"), [("pages.csv", 200), ("pages.xml", 404), ("points.csv", 400), ("replays.csv", 403)])
async def test_nothing_is_stored_by_caches(http: AsyncClient, file: str, status: int) -> None:
    answer = await http.get(f"/export/{file}")
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
async def test_only_get_reads_and_costs(app: Starlette, http: AsyncClient, method: str) -> None:
    asked: list[Statement] = []
    app.state.sources.first.client.on_statement = asked.append
    refused = await http.request(method, "/export/pages.csv")
    assert (refused.status_code, refused.headers["allow"], refused.headers["cache-control"]) == (405, "GET", "no-store")
    assert not asked and "ratelimit-remaining" not in refused.headers


@pytest.mark.parametrize(("path", "why"), [("/slow", "It was not read within 0.5 s."), ("/failing", "Too late.")])
def test_a_file_that_breaks_off_is_one_line_of_the_log_and_looks_broken(tmp_path: Path, path: str, why: str) -> None:
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as stderr:
        server = subprocess.Popen([sys.executable, "-c", BREAKING, str(port)], cwd=ROOT, stderr=stderr)
    try:
        wait_for(lambda: "running on" in log.read_text())
        with (
            httpx.stream("GET", f"http://127.0.0.1:{port}{path}", headers={"x-request-id": "r1"}) as answer,
            pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"),
        ):
            wait_for(lambda: "request=r1" in log.read_text())
            answer.read()
    finally:
        server.terminate()
        server.wait()
    about_it = [line for line in log.read_text().splitlines() if "r1" in line or "ASGI" in line or "Traceback" in line]
    assert len(about_it) == 2 and about_it[0].endswith(f"request r1: the file broke off. {why}")
    assert about_it[0].startswith("WARNING") and about_it[1].endswith("request=r1 code=TIMEOUT")


async def test_who_finds_the_source_busy_is_told_when_to_come_again(settings: Settings, site: Site) -> None:
    app = create_app(replace(settings, pool_size=1, max_queue_ms=100))
    async with serving(app) as http:
        app.state.authenticator = Doorman(KEY)
        client = app.state.sources.first.client
        slow = asyncio.create_task(client.query(Statement("SELECT sleep(2) AS slept", {})))
        await asyncio.sleep(0.2)
        answer = await http.get(f"/export/pages.csv?siteId={site.site_id}")
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]) == (503, {"code": "SOURCE_UNAVAILABLE", "retryAfterSeconds": 5})
        assert "busy" in error["message"] and answer.headers["retry-after"] == "5"
        await slow


async def test_an_export_costs_what_the_dearest_query_may_or_all_of_a_smaller_budget(settings: Settings, site: Site) -> None:
    bearer = make_token(settings, "heatmap:read")
    for dearest, left in ((400, "600"), (250_000, "0")):
        async with serving(create_app(replace(settings, max_key_cost_per_minute=1000, max_query_cost=dearest))) as http:
            http.headers["Authorization"] = f"Bearer {bearer}"
            answer = await http.get("/export/timeline.csv", params={"siteId": site.site_id, "url": '{"prefix": "https"}'})
            assert (answer.status_code, answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == (200, "1000", left)


async def test_slow_readers_of_one_key_leave_a_place_for_the_others(settings: Settings, site: Site) -> None:
    """A worker has two places on a server; the first reader of the first key takes its file only at the end."""
    app = create_app(replace(settings, max_queue_ms=300))
    first, second = make_token(settings, "heatmap:read"), make_token(settings, "heatmap:read")
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def receive() -> Message:
        await go_on.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            reading.set()
            await go_on.wait()

    async with serving(app) as http:
        http.params = http.params.set("siteId", site.site_id)
        scope = {"type": "http", "method": "GET", "path": "/export/pages.csv", "query_string": f"siteId={site.site_id}".encode()}
        slow = asyncio.create_task(app({**scope, "headers": [(b"authorization", f"Bearer {first}".encode())]}, receive, send))
        await reading.wait()
        http.headers["Authorization"] = f"Bearer {first}"
        refused = [response.json()["errors"][0] for response in await asyncio.gather(*(http.get("/export/pages.csv") for _ in range(2)))]
        assert {(error["extensions"]["code"], error["message"]) for error in refused} == {
            ("SOURCE_UNAVAILABLE", "Another export of this key is still being read. Ask again when it is through.")
        }
        http.headers["Authorization"] = f"Bearer {second}"
        assert (await http.get("/export/pages.csv")).status_code == 200
        go_on.set()
        await slow
        http.headers["Authorization"] = f"Bearer {first}"
        assert (await http.get("/export/pages.csv")).status_code == 200
