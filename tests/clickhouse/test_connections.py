"""Requests over kept connections, to a server that does as each test says, and what a source does then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from clickhouse import connections
from clickhouse.client import Client, connect, open_sync
from clickhouse.connections import Connections
from clickhouse.errors import HeatgraphError, SourceUnavailableError
from clickhouse.server import ServerClient
from clickhouse.statement import Params, Statement
from tests.servers import Node

KEPT = b"HTTP/1.1 200 OK\r\nX-Said: yes\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
UNASKED = [KEPT + KEPT.replace(b"ok", b"no"), KEPT + b"HTTP/1.1 200 OK\r\nX-Said: no\r\nX-More: "]
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"
NO_HTTP = b"SSH-2.0-OpenSSH\r\n"
NOTHING = b""


class Server:
    """It answers each request with the next of its answers, and hangs up after those that cannot be followed by another."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.opened = 0
        self.requests: list[bytes] = []
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.writer = writer
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                if not self.answers:
                    await reader.read()  # says nothing until the other side hangs up
                    break
                writer.write(answer := self.answers.pop(0))
                if answer == LAST:
                    await reader.read()
                if answer not in (KEPT, CHUNKED, *UNASKED):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.gone.set()
            writer.close()


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[Connections]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    opened = Connections(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/proxied", {"Authorization": "Basic eA=="}, tls=None)
    try:
        yield opened
    finally:
        await opened.close()
        listener.close()


async def test_a_connection_serves_one_request_after_the_other() -> None:
    server = Server(KEPT, CHUNKED, KEPT)
    async with listening(server) as opened:
        answers = [await opened.post(f"a={number}", b"SELECT 1") for number in range(3)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok")] * 3
    assert answers[0].headers["x-said"] == "yes"
    assert server.opened == 1
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /proxied?a=0 HTTP/1.1\r\n") and b"Authorization: Basic eA==" in head and body == b"SELECT 1"


async def test_requests_at_once_have_a_connection_each() -> None:
    server = Server(KEPT, KEPT, KEPT)
    async with listening(server) as opened:
        assert {answer.body for answer in await asyncio.gather(*(opened.post("", b"") for _ in range(3)))} == {b"ok"}
    assert server.opened == 3


@pytest.mark.parametrize("first", [LAST, *UNASKED], ids=["said to be the last", "two answers", "one and a half"])
async def test_a_connection_that_cannot_be_used_again_is_not(first: bytes) -> None:
    server = Server(first, KEPT)
    async with listening(server) as opened, asyncio.timeout(10):
        answers = [await opened.post("", b"") for _ in range(2)]
    assert [answer.body for answer in answers] == [b"ok", b"ok"]
    assert answers[0].headers.get("x-said") != "no"
    assert server.opened == 2


async def test_what_comes_unasked_answers_nobody() -> None:
    server = Server(KEPT, KEPT)
    async with listening(server) as opened:
        await opened.post("", b"")
        server.writer.write(KEPT.replace(b"ok", b"no"))
        async with asyncio.timeout(10):
            await server.gone.wait()
        assert (await opened.post("", b"")).body == b"ok"


async def test_one_that_was_closed_meanwhile_costs_no_request() -> None:
    server = Server(KEPT, NOTHING, KEPT)
    async with listening(server) as opened:
        assert [(await opened.post("", b"")).body for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 2


@pytest.mark.parametrize("limit", ["MAX_IDLE_S", "MAX_AGE_S"])
async def test_an_old_one_is_left(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(KEPT, KEPT)
    monkeypatch.setattr(connections, limit, -1.0)
    async with listening(server) as opened:
        assert [(await opened.post("", b"")).body for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 2


@pytest.mark.parametrize("answer", [BROKEN, NO_HTTP, NOTHING], ids=["broken off", "no HTTP", "nothing"])
async def test_half_an_answer_is_none(answer: bytes) -> None:
    server = Server(answer, KEPT)
    async with listening(server) as opened:
        with pytest.raises(ConnectionError):
            await opened.post("", b"")
        assert len(server.requests) == 1
        assert (await opened.post("", b"")).body == b"ok"


async def test_a_request_that_is_cancelled_closes_its_connection() -> None:
    server = Server()
    async with listening(server) as opened:
        asking = asyncio.create_task(opened.post("", b""))
        while not server.requests:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        async with asyncio.timeout(10):
            await server.gone.wait()


@pytest.fixture
async def source(node: Node) -> AsyncIterator[Client]:
    client = await connect(node.dsn())
    yield client
    await client.close()


@pytest.mark.parametrize("length", [10, 20_000, 1_000_000], ids=["in the address", "at its end", "too long for it"])
async def test_a_list_of_any_length_can_be_asked_for(source: Client, length: int) -> None:
    params = Params()
    texts = tuple(f"{number:09}" for number in range(length // 10))
    assert await source.query(Statement(f"SELECT length({params.texts(texts)}) AS many", params.values)) == [{"many": len(texts)}]


async def reached_through(source: Client, opened: Connections) -> None:
    assert isinstance(source, ServerClient)
    await source.query(Statement("SELECT 1 AS one", {}))
    assert source._asking
    await source._asking.close()
    source._asking._connections = opened


async def test_what_a_source_reads_is_counted(source: Client) -> None:
    answer = await source.run(Statement("SELECT sum(number) AS total FROM numbers(1000)", {}))
    assert answer.rows == [{"total": 499_500}]
    assert (answer.read_rows, answer.read_bytes) == (1000, 8000)


@pytest.mark.parametrize("broken", [BROKEN, NOTHING], ids=["broken off", "nothing"])
async def test_a_server_that_dies_in_an_answer_is_unavailable(source: Client, broken: bytes) -> None:
    server = Server(broken)
    async with listening(server) as opened:
        await reached_through(source, opened)
        with pytest.raises(SourceUnavailableError):
            await source.query(Statement("SELECT 1 AS one", {}))
    assert len(server.requests) == 1


async def test_a_server_that_is_overloaded_is_asked_again(source: Client) -> None:
    busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    server = Server(busy, busy, busy, busy)
    async with listening(server) as opened:
        await reached_through(source, opened)
        with pytest.raises(HeatgraphError):
            await source.query(Statement("SELECT 1 AS one", {}))
    assert len(server.requests) == 3


@pytest.mark.parametrize(("scheme", "begins"), [("https", b"\x16\x03"), ("http", b"POST /")])
async def test_an_address_is_asked_as_its_scheme_says_whatever_its_port(scheme: str, begins: bytes) -> None:
    """A TLS handshake, before anything that holds the password."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1") as listener:
        port = listener.sockets[0].getsockname()[1]
        dsn = f"{scheme}://reader:password@127.0.0.1:{port}/heat"
        client = await connect(dsn)
        with pytest.raises(SourceUnavailableError):
            await client.query(Statement("SELECT 1", {}))
        await client.close()
        with pytest.raises(SourceUnavailableError):
            await asyncio.to_thread(open_sync, dsn)
    assert heard and {first[: len(begins)] for first in heard} == {begins}
