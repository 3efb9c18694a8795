"""GraphiQL in a real browser (headless Chromium): it renders, sends the token, runs an example and asks nobody but us."""

import asyncio
import itertools
import re
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import graphql
import orjson
import uvicorn
from clickhouse_connect.driver.client import Client as SyncClient
from graphql.execution.values import get_variable_values
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from clickhouse.client import Client
from clickhouse.sites import Site
from gateway.demo_visits import DEMO_DOMAINS, DEMO_SITE, demo_rows
from gateway.graphiql import CONTENT_SECURITY_POLICY, EXAMPLES, STATIC_DIR, page_html
from schema.build import build_schema
from tests.asking import NOW, ask, create_site, load
from tests.conftest import require

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-port=0",
    "--window-size=1440,900",
]
SCHEMA = graphql.build_schema('"The site." type Query { site(siteId: String!): Site } type Site { name: String! }')
ANSWER = {"data": {"site": {"name": "Answered by the test"}}}
TOKEN = "hg_test.secret"


class Gateway:
    """What the page needs of the server: itself, its files and an endpoint, which remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, dict[str, Any]]] = []  # (Authorization, body)
        routes = [Route("/graphql", self.graphql, methods=["GET", "POST"]), Mount("/graphiql", StaticFiles(directory=STATIC_DIR))]
        self.app = Starlette(routes=routes)

    async def next_asked(self, action: Awaitable[Any]) -> tuple[str | None, dict[str, Any]]:
        """What the action made the page ask."""
        asked = len(self.asked)
        await action
        async with asyncio.timeout(20):
            while len(self.asked) == asked:
                await asyncio.sleep(0.02)
        return self.asked[asked]

    async def graphql(self, request: Request) -> Response:
        if request.method == "GET":
            return HTMLResponse(page_html(), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
        body = await request.json()
        self.asked.append((request.headers.get("authorization"), body))
        if "__schema" in body["query"]:
            return JSONResponse({"data": graphql.graphql_sync(SCHEMA, body["query"]).data})
        return JSONResponse(ANSWER)


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """The app on a free loopback port, in a thread; yields its origin."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            threading.Event().wait(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Tab:
    """A browser tab spoken to over the DevTools protocol; collects addresses requested and complaints on the console."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.ids = itertools.count(1)
        self.answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.requested: list[str] = []
        self.complaints: list[str] = []

    async def listen(self) -> None:
        async for message in self.socket:
            told = orjson.loads(message.data)
            params = told.get("params", {})
            match told.get("method"):
                case None:
                    self.answers.pop(told["id"]).set_result(told)
                case "Network.requestWillBeSent":
                    self.requested.append(params["request"]["url"])
                case "Runtime.exceptionThrown":
                    self.complaints.append(params["exceptionDetails"].get("exception", {}).get("description", "exception"))
                case "Log.entryAdded" if params["entry"]["level"] == "error":
                    self.complaints.append(params["entry"]["text"])

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self.ids)
        self.answers[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": params})
        told = await asyncio.wait_for(self.answers[number], 30)
        assert "error" not in told, told["error"]
        return dict(told["result"])

    async def evaluate(self, script: str) -> Any:
        told = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def until(self, script: str) -> None:
        """Comes back when the script is true."""
        for _ in range(200):
            if await self.evaluate(f"Boolean({script})"):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"still not true after 20 s: {script}\n{self.complaints}")


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Tab]:
    """Chromium with a profile of its own, its one tab at `url`."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            CHROMIUM or "chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank", stdout=quiet, stderr=quiet
        )
        try:
            port_file = Path(profile, "DevToolsActivePort")
            async with asyncio.timeout(60):
                while not port_file.exists() or not port_file.read_text().strip():
                    await asyncio.sleep(0.05)
            port = port_file.read_text().split()[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                    tabs = [tab for tab in await response.json() if tab["type"] == "page"]
                async with session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    tab = Tab(socket)
                    listening = asyncio.create_task(tab.listen())
                    for domain in ("Page", "Network", "Runtime", "Log"):
                        await tab.call(f"{domain}.enable")
                    await tab.call("Page.navigate", url=url)
                    yield tab
                    listening.cancel()
        finally:
            process.terminate()
            await process.wait()


RUN = "document.querySelector('.graphiql-execute-button').click()"


async def explore(origin: str, gateway: Gateway) -> None:
    async with browsing(f"{origin}/graphql#token={TOKEN}") as tab:
        # It renders, with the examples as tabs and as a panel.
        await tab.until("document.querySelectorAll('.graphiql-tab-button').length")
        assert await tab.evaluate("document.title") == "Heatgraph"
        names = await tab.evaluate("[...document.querySelectorAll('.graphiql-tab-button')].map(tab => tab.innerText)")
        assert names == [graphql.parse(example.query).definitions[0].name.value for example in EXAMPLES]  # type: ignore[attr-defined]
        titles = await tab.evaluate("[...document.querySelectorAll('.examples button strong')].map(title => title.innerText)")
        assert titles == [example.title for example in EXAMPLES]

        # The token came from the address, and is in the field, not in the address any more.
        assert await tab.evaluate("document.getElementById('token').value") == TOKEN
        assert await tab.evaluate("location.href") == f"{origin}/graphql"
        assert await tab.evaluate("localStorage.length && JSON.stringify(localStorage).includes('hg_')") is False

        # The schema was read with it: the documentation opens.
        await tab.evaluate("document.querySelector('[aria-label=\"Show Documentation Explorer\"]').click()")
        await tab.until("document.querySelector('.graphiql-doc-explorer')?.innerText.includes('Query')")

        # An example runs, with its variables.
        authorization, body = await gateway.next_asked(tab.evaluate(RUN))
        assert authorization == f"Bearer {TOKEN}"
        assert body["query"] == EXAMPLES[0].query
        assert body["variables"] == orjson.loads(EXAMPLES[0].variables)
        await tab.until("document.querySelector('.result-window').innerText.includes('Answered by the test')")

        # Another token typed in is the one sent from now on.
        await tab.evaluate("document.getElementById('token').select()")
        await tab.call("Input.insertText", text="hg_other")
        authorization, body = await gateway.next_asked(tab.evaluate("document.getElementById('token').blur()"))
        assert authorization == "Bearer hg_other"
        assert "__schema" in body["query"]

        # An example closed can be had again.
        await tab.evaluate("document.querySelector('[aria-label=\"Show Examples\"]').click()")
        await tab.until("document.querySelector('.examples button')")
        await tab.evaluate("document.querySelectorAll('.graphiql-tab-close')[1].click()")
        await tab.until("document.querySelectorAll('.graphiql-tab-button').length == 4")
        await tab.evaluate("document.querySelectorAll('.examples button')[1].click()")
        await tab.until("document.querySelectorAll('.graphiql-tab-button')[4]?.innerText == 'ClickMap'")
        _, body = await gateway.next_asked(tab.evaluate(RUN))
        assert body["query"] == EXAMPLES[1].query
        assert body["variables"] == orjson.loads(EXAMPLES[1].variables)

        # A reload loses neither tabs nor the token.
        await tab.until("JSON.parse(localStorage['heatgraph:graphiql:tabState'] ?? '{}').tabs?.[4]?.title == 'ClickMap'")
        authorization, body = await gateway.next_asked(tab.call("Page.reload"))
        assert authorization == "Bearer hg_other"
        assert "__schema" in body["query"]
        await tab.until("document.querySelectorAll('.graphiql-tab-button')[4]?.innerText == 'ClickMap'")
        _, body = await gateway.next_asked(tab.evaluate(RUN))
        assert body["query"] == EXAMPLES[1].query
        assert body["variables"] == orjson.loads(EXAMPLES[1].variables)

        # Nobody else was asked anything, and nothing broke the content security policy.
        foreign = [url for url in tab.requested if not url.startswith((origin, "data:", "blob:"))]
        assert foreign == []
        assert f"{origin}/graphiql/graphiql.min.js" in tab.requested
        assert tab.complaints == []


def test_in_a_browser() -> None:
    require(CHROMIUM, "chromium: apt-get install -y chromium")
    gateway = Gateway()
    with serving(gateway.app) as origin:
        asyncio.run(asyncio.wait_for(explore(origin, gateway), 120))


def test_the_examples_are_five_named_operations_with_variables() -> None:
    assert len(EXAMPLES) == 5
    for example in EXAMPLES:
        document = graphql.parse(example.query)
        operation = document.definitions[0]
        assert isinstance(operation, graphql.OperationDefinitionNode) and operation.name
        assert {definition.variable.name.value for definition in operation.variable_definitions or ()} == orjson.loads(
            example.variables
        ).keys()
        assert example.title and example.description


def test_the_examples_are_valid() -> None:
    schema = graphql.build_schema(build_schema().as_str(), assume_valid_sdl=True)
    for example in EXAMPLES:
        document = graphql.parse(example.query)
        assert graphql.validate(schema, document) == [], example.name
        operation = document.definitions[0]
        assert isinstance(operation, graphql.OperationDefinitionNode)
        given = get_variable_values(schema, operation.variable_definitions or (), orjson.loads(example.variables))
        assert not isinstance(given, list), given  # a list of errors


def test_the_documentation_begins_with_what_exists() -> None:
    schema = build_schema()._schema
    introspected = graphql.introspection_from_schema(schema, schema_description=True)["__schema"]
    told = introspected["description"] or ""
    assert "`site(siteId:)`" in told
    named = {name for written in re.findall("`([^`]+)`", told) for name in re.findall(r"\w+", written)}
    known = {*schema.type_map}
    for kind in schema.type_map.values():
        if isinstance(kind, graphql.GraphQLObjectType):
            known |= kind.fields.keys() | {argument for field in kind.fields.values() for argument in field.args}
    assert named - known == {"errors"}


async def test_the_examples_answer_on_the_demo(client: Client, database: SyncClient) -> None:
    site = create_site(database, Site(DEMO_SITE, "Demo", tuple(DEMO_DOMAINS)))
    load(database, site, (orjson.loads(line) for line in demo_rows(NOW, days=5)))
    for example in EXAMPLES:
        answer = await ask(client, example.query, **orjson.loads(example.variables))
        assert list(empty_places(answer)) == [], example.name


def empty_places(value: Any, path: str = "") -> Iterator[str]:
    """Where an answer has nothing to show."""
    if value is None or value == []:
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from empty_places(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from empty_places(inner, f"{path}.{at}")


def test_the_page_has_no_inline_script_and_no_foreign_address() -> None:
    page = page_html()
    assert page.count("<script") == page.count('<script src="graphiql/') + page.count('type="application/json"')
    assert "http" not in page.split('<script id="examples"')[0]
