"""Kept HTTP/1.1 connections to one server: a request out, its whole answer back, in a fraction of what a general client takes for it.

    connections = Connections("http://localhost:8123/", {"Authorization": "Basic …"}, tls=None)
    answer = await connections.post("query_id=1", b"SELECT 1")      -> Response(200, {"x-clickhouse-summary": "…"}, b"1\\n")

A connection whose request is cancelled is closed. A server may close one that nobody uses: then the request goes out on another.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

import httptools

MAX_IDLE_S = 30.0  # who knows what on the way has forgotten it by then
MAX_AGE_S = 600.0  # a name may lead to another server by now


@dataclass(slots=True)
class Response:
    """Names of headers are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class UnusedConnectionError(ConnectionError):
    """It was closed before anything came back."""


class Connections:
    def __init__(self, url: str, headers: Mapping[str, str], tls: ssl.SSLContext | None) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._address = (parts.hostname, parts.port or (443 if tls else 80))
        self._tls = tls
        self._path = parts.path or "/"
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in {"Host": parts.netloc.rpartition("@")[2], **headers}.items())
        self._idle: list[_Connection] = []

    async def post(self, parameters: str, body: bytes) -> Response:
        """Raises OSError."""
        head = f"POST {self._path}?{parameters} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        request = head.encode("latin-1") + body
        while self._idle:
            connection = self._idle.pop()
            if connection.is_stale:
                connection.close()
                continue
            try:
                return await self._ask(connection, request)
            except UnusedConnectionError:
                continue
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, *self._address, ssl=self._tls)
        return await self._ask(connection, request)

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # for their sockets

    async def _ask(self, connection: _Connection, request: bytes) -> Response:
        try:
            answer = await connection.ask(request)
        except BaseException:
            connection.close()
            raise
        if connection.is_open:
            self._idle.append(connection)
        return answer


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.is_open = True
        self._answering: asyncio.Future[Response] | None = None
        self._answer, self._parts = Response(), list[bytes]()
        self._parser = httptools.HttpResponseParser(self)
        self._opened_at = self._used_at = monotonic()

    @property
    def is_stale(self) -> bool:
        now = monotonic()
        return now > self._used_at + MAX_IDLE_S or now > self._opened_at + MAX_AGE_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    async def ask(self, request: bytes) -> Response:
        if not self.is_open:
            raise UnusedConnectionError
        self._parser = httptools.HttpResponseParser(self)
        self._answering = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answering

    def close(self) -> None:
        self.is_open = False
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(ConnectionError(f"no HTTP: {error}"))
            self.close()

    def on_message_begin(self) -> None:
        if not self._answering:  # nobody asked: it must not become the answer of who asks next
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._answering:
            self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        if not self._answering:
            return
        self._answer.status = self._parser.get_status_code()
        self._answer.body = b"".join(self._parts)
        self._used_at = monotonic()
        self.is_open = self._parser.should_keep_alive()
        if not self.is_open:
            self.close()
        self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answering:
            began = self._answer.headers or self._parts
            self._end(ConnectionError("the answer broke off") if began else UnusedConnectionError("closed without an answer"))

    def _end(self, error: Exception | None) -> None:
        """Of the request under way, if it still is."""
        answering, self._answering = self._answering, None
        answer, self._answer, self._parts = self._answer, Response(), []  # an answer may be large: an idle connection has none
        if answering and not answering.done():
            if error:
                answering.set_exception(error)
            else:
                answering.set_result(answer)
