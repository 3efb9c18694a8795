"""Heads of requests that are too large, or never end."""

from __future__ import annotations

import asyncio
import gc
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.heads import MAX_BYTES, BoundedHeads
from gateway.serving import uvicorn_options
from gateway.settings import Settings

SECONDS = 0.3
HEAD = b"POST /%s HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """The body; at /slow after three times what a head may take."""
    body = b""
    while len(body) < 2:
        body += (await receive())["body"]
    await asyncio.sleep(3 * SECONDS if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connection(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """To a server with the gateway's options."""
    monkeypatch.setattr("gateway.heads.MAX_SECONDS", SECONDS)
    ours = {"app": echo, "factory": False, "lifespan": "off", "log_config": None}
    server = uvicorn.Server(uvicorn.Config(**uvicorn_options(Settings()) | ours))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            server.should_exit = True
            await running


async def status(reader: StreamReader) -> bytes:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    if head.startswith(b"HTTP/1.1 200"):
        assert await reader.readexactly(2) == b"ok"
    return head.split()[1]


LINE = b"a: 1234567890\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n0\r\n"
LARGE = {  # the last piece is as much as is refused, so that nothing is left unread, for which a connection is reset
    "at once": [HEAD % b"" + b"a: %s\r\n\r\nok" % (b"x" * MAX_BYTES)],
    "lines without end": [HEAD % b"", LINE * (MAX_BYTES // len(LINE) + 1)],
    "a line without end": [HEAD % b"" + b"a: ", b"x" * (MAX_BYTES + 1)],
    "trailers without end": [CHUNKED, LINE * (MAX_BYTES // len(LINE) + 1)],
    "a trailer without end": [CHUNKED + b"a: ", b"x" * (MAX_BYTES + 1)],
    "a path without end": [b"GET /", b"x" * (MAX_BYTES + 1)],
}


@pytest.mark.parametrize("pieces", LARGE.values(), ids=LARGE)
async def test_a_head_too_large(monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]) -> None:
    async with connection(monkeypatch) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.05)
        assert await status(reader) == b"431"
        assert await reader.read() == b""


async def test_a_head_as_large_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connection(monkeypatch) as (reader, writer):
        writer.write(HEAD % b"" + b"a: %s\r\n\r\nok" % (b"x" * (MAX_BYTES - 100)))
        assert await status(reader) == b"200"


LATE = {"nothing": b"", "an empty line": b"\r\n", "half a head": HEAD % b""}


@pytest.mark.parametrize("sent", LATE.values(), ids=LATE)
async def test_a_head_that_does_not_end(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    async with connection(monkeypatch) as (reader, writer):
        writer.write(sent)
        assert await asyncio.wait_for(reader.read(), 2) == b""


async def test_an_empty_line_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connection(monkeypatch) as (reader, writer):
        writer.write(HEAD % b"" + b"\r\nok")
        assert await status(reader) == b"200"
        writer.write(b"\r\n")
        assert await asyncio.wait_for(reader.read(), 2) == b""


async def test_what_is_large_but_no_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body in pieces, and the heads of many requests."""
    async with connection(monkeypatch) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n")
        assert await status(reader) == b"200"
        for _ in range(4):
            writer.write(b"%x\r\n%s\r\n" % (MAX_BYTES, b"x" * MAX_BYTES))
            await asyncio.sleep(0.05)
        writer.write(b"0\r\n\r\n")
        for _ in range(3):
            writer.write(HEAD % b"" + b"a: %s\r\n\r\nok" % (b"x" * (MAX_BYTES // 2)))
            assert await status(reader) == b"200"


async def test_nothing_is_left_of_a_client_that_leaves_in_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connection(monkeypatch) as (_, writer):
        writer.write(HEAD % b"slow" + b"\r\nok" + HEAD % b"")
        await asyncio.sleep(SECONDS / 2)
        assert connections() == 1
        writer.close()
        await asyncio.sleep(4 * SECONDS)
        assert connections() == 0


def connections() -> int:
    gc.collect()
    return sum(isinstance(one, BoundedHeads) for one in gc.get_objects())


async def test_what_is_slow_but_no_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body, the time between two requests, and an answer with half of the next head behind it."""
    async with connection(monkeypatch) as (reader, writer):
        writer.write(HEAD % b"" + b"\r\no")
        await asyncio.sleep(2 * SECONDS)
        writer.write(b"k")
        assert await status(reader) == b"200"
        await asyncio.sleep(2 * SECONDS)
        writer.write(HEAD % b"slow" + b"\r\nok" + HEAD % b"")
        assert await status(reader) == b"200"
