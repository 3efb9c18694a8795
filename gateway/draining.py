"""Leaving without cutting anybody off: told to stop, the server says so on /health/ready, and goes on answering for a moment.

Load balancers see it and send new requests elsewhere; only then does Uvicorn close the door and wait for what still runs.
"""

from __future__ import annotations

import asyncio
import signal
from types import FrameType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

SAME_SIGNAL_S = 1.0
"""Two so close are one: who stops a whole process group reaches each worker, and so does its parent, which passes it on."""


class Draining:
    """Whether SIGTERM has come; `delay_seconds` later it reaches who handled it before. A later one goes through at once."""

    def __init__(self, delay_seconds: float) -> None:
        self.begun = False
        self._begun_at = 0.0
        self._delay_seconds = delay_seconds

    def watch(self) -> None:
        """Call it in the running loop of the main thread; does nothing where nobody handles the signal yet."""
        previous = signal.getsignal(signal.SIGTERM)
        if not callable(previous):
            return
        handle, loop = previous, asyncio.get_running_loop()

        def begin(number: int, frame: FrameType | None) -> None:
            if not self.begun:
                self.begun, self._begun_at, delay_seconds = True, loop.time(), self._delay_seconds
            elif loop.time() - self._begun_at < SAME_SIGNAL_S:
                return
            else:
                delay_seconds = 0
            loop.call_soon_threadsafe(loop.call_later, delay_seconds, handle, number, None)

        signal.signal(signal.SIGTERM, begin)


class Workers(Multiprocess):
    """Uvicorn's parent of several workers: told to stop, it lets go of their port, too, as it accepts nobody itself.

    So who comes after the last of them has closed the door is refused, instead of waiting until all is done and being cut off then.
    """

    def terminate_all(self) -> None:
        super().terminate_all()
        for listening in self.sockets:
            listening.close()


class LastAnswers:
    """ASGI middleware: while draining each answer ends its connection, so that none is closed on a request under way."""

    def __init__(self, app: ASGIApp, draining: Draining) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if self._draining.begun and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_last)
