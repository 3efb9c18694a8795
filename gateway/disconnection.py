"""Work for a client that may go away before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

T = TypeVar("T")

CLIENT_CLOSED_REQUEST = 499  # nobody reads it, but the access log shows it


async def unless_disconnected(request: Request, execution: Coroutine[Any, Any, T]) -> T:
    """The result of `execution`, which is cancelled, and its statements with it, when the client goes away (ClientDisconnect)."""
    running, has_gone, is_over = asyncio.current_task(), False, False
    assert running

    def leave(gone: asyncio.Task[None]) -> None:
        nonlocal has_gone
        if not gone.cancelled() and not is_over:  # what is scheduled is called, though it was removed
            has_gone = running.cancel()

    gone = asyncio.create_task(_disconnected(request))
    gone.add_done_callback(leave)
    try:
        return await execution
    except asyncio.CancelledError:
        if has_gone and not running.uncancel():  # else somebody else cancelled it, too
            raise ClientDisconnect from None
        raise
    finally:
        is_over = True
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
