"""What listens at the address of a Redis and is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

REPLIES = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+PONG\r\n", b":7\r\n", b":x\r\n", b"*1\r\n:1\r\n", b"$-7\r\nx\r\n", b"\x16\x03\x01\r\n"]


@asynccontextmanager
async def no_redis(reply: bytes) -> AsyncIterator[str]:
    """Its address; it replies so to whatever it is sent."""

    ended: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(end := asyncio.Event())
        with suppress(ConnectionError):
            while await reader.read(65_536):
                writer.write(reply)
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()
        end.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        for end in ended:
            await end.wait()
