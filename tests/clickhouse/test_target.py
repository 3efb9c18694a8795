"""The driver's client, when its server dies within the head of an answer."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.client import open_sync
from tests.servers import Node

MARK = b"/* cut */"
HEAD = (
    b'HTTP/1.1 200 OK\r\nX-ClickHouse-Summary: {"read_rows":"1"}\r\nDate: Mon, 23 Nov 2026 05:30:39 GMT\r\n'
    b"Transfer-Encoding: chunked\r\nX-ClickHouse-Format: Native\r\n\r\n"
)


class Dying(ThreadingHTTPServer):
    """It passes on what `node` is asked, and ends answers to statements with MARK after so many bytes."""

    node: Node
    sent_bytes: int


class Answers(BaseHTTPRequestHandler):
    server: Dying

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if MARK in asked:
            self.wfile.write(HEAD[: self.server.sent_bytes])
            return
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.node.http_port}{self.path}", asked, dict(self.headers))
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
        self.send_response(200)
        for name in ("Content-Type", "Content-Encoding"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        pass


@pytest.fixture
def dying(node: Node) -> Iterator[Dying]:
    with Dying(("127.0.0.1", 0), Answers) as server:
        server.node = node
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("sent_bytes", [0, 10, *range(15, len(HEAD), 6), len(HEAD)])
def test_an_answer_that_ends_within_its_head_is_none(dying: Dying, sent_bytes: int) -> None:
    dying.sent_bytes = sent_bytes
    with closing(open_sync(dying.node.dsn().replace(str(dying.node.http_port), str(dying.server_port)))) as client:
        assert client.query("SELECT 1").result_rows == [(1,)]
        with pytest.raises(ClickHouseError):
            _ = client.query(f"SELECT 1 {MARK.decode()}").result_rows
        with pytest.raises(ClickHouseError):
            client.command(f"SYSTEM FLUSH LOGS {MARK.decode()}")
        with pytest.raises(ClickHouseError):
            client.raw_query(f"SELECT 1 {MARK.decode()}")
