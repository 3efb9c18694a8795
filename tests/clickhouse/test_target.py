"""The driver's clients, when their server dies within the head of an answer, or something else answers in its place."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.client import connect, open_sync
from clickhouse.errors import SourceUnavailableError, from_driver
from clickhouse.statement import Statement
from tests.servers import Node

MARK = b"/* cut */"
HEAD = (
    b'HTTP/1.1 200 OK\r\nX-ClickHouse-Summary: {"read_rows":"1"}\r\nDate: Mon, 23 Nov 2026 05:30:39 GMT\r\n'
    b"Transfer-Encoding: chunked\r\nX-ClickHouse-Format: Native\r\n\r\n"
)


class Dying(ThreadingHTTPServer):
    """It passes on what `node` is asked, and gives `answer` to statements with MARK."""

    node: Node
    answer: bytes


class Answers(BaseHTTPRequestHandler):
    server: Dying

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if MARK in asked or MARK.decode() in unquote(self.path):
            self.wfile.write(self.server.answer)
            self.close_connection = True
            return
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.node.http_port}{self.path}", asked, dict(self.headers))
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
        self.send_response(200)
        for name in ("Content-Type", "Content-Encoding", "X-ClickHouse-Summary"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        pass


NOT_CLICKHOUSE = {
    "nothing": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "nothing, as it says": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<html>Log in!\n",
    "until it hangs up": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "elsewhere": b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
    "a gateway": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 11\r\n\r\nBad Gateway",
}
"""Answers of proxies, of what took over an address, and of a ClickHouse cut off."""


@pytest.fixture
def dying(node: Node) -> Iterator[Dying]:
    with Dying(("127.0.0.1", 0), Answers) as server:
        server.node = node
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("sent_bytes", [0, 10, *range(15, len(HEAD), 6), len(HEAD)])
def test_an_answer_that_ends_within_its_head_is_none(dying: Dying, sent_bytes: int) -> None:
    dying.answer = HEAD[:sent_bytes]
    with closing(open_sync(dying.node.dsn().replace(str(dying.node.http_port), str(dying.server_port)))) as client:
        assert client.query("SELECT 1").result_rows == [(1,)]
        with pytest.raises(ClickHouseError):
            _ = client.query(f"SELECT 1 {MARK.decode()}").result_rows
        with pytest.raises(ClickHouseError):
            client.command(f"SYSTEM FLUSH LOGS {MARK.decode()}")
        with pytest.raises(ClickHouseError):
            client.raw_query(f"SELECT 1 {MARK.decode()}")


@pytest.mark.parametrize("answer", NOT_CLICKHOUSE.values(), ids=NOT_CLICKHOUSE)
def test_an_answer_of_something_else_is_none(dying: Dying, answer: bytes) -> None:
    dying.answer = answer
    with closing(open_sync(dying.node.dsn().replace(str(dying.node.http_port), str(dying.server_port)))) as client:
        for ask in (client.query, client.command, client.raw_query):
            with pytest.raises(ClickHouseError) as raised:
                ask(f"SELECT 1 {MARK.decode()}")
            assert isinstance(from_driver(raised.value), SourceUnavailableError)


@pytest.mark.parametrize("answer", NOT_CLICKHOUSE.values(), ids=NOT_CLICKHOUSE)
async def test_nor_is_it_for_a_gateway(dying: Dying, answer: bytes) -> None:
    """Neither on its own connections nor on the driver's: for long questions, files, writes."""
    dying.answer = answer
    marked, long = f"SELECT 1 AS one {MARK.decode()}", {"long": "x" * 30_000}
    client = await connect(dying.node.dsn().replace(str(dying.node.http_port), str(dying.server_port)))
    assert await client.query(Statement("SELECT 1 AS one", {})) == [{"one": 1}]
    with pytest.raises(SourceUnavailableError):
        await client.query(Statement(marked, {}))
    with pytest.raises(SourceUnavailableError):
        await client.query(Statement(f"{marked}, {{long:String}} AS long", long))
    with pytest.raises(SourceUnavailableError):
        _ = [chunk async for chunk in client.stream(Statement(marked, {}), "JSONEachRow")]
    with pytest.raises(SourceUnavailableError):
        await client.command(Statement(f"SYSTEM FLUSH LOGS {MARK.decode()}", {}))
    await client.close()


def test_deletions_in_the_embedded_engine_do_not_wait(tmp_path: Path) -> None:
    """They did for up to a second in two of five cases, as long as two threads worked in the background."""
    with closing(open_sync(str(tmp_path))) as engine:
        threads = engine.command("SELECT toUInt32(value) FROM system.server_settings WHERE name = 'background_pool_size'")
    assert isinstance(threads, int) and threads > 2
