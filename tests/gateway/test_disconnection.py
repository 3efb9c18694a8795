"""Clients that go away before their answer is there, and just as it is."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from gateway.disconnection import unless_disconnected


def request(gone: asyncio.Future[None]) -> Request:
    async def receive() -> Message:
        await gone
        return {"type": "http.disconnect"}

    return Request({"type": "http"}, receive)


async def test_work_for_a_client_that_is_gone_is_cancelled() -> None:
    gone, started = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    waiting = asyncio.create_task(unless_disconnected(request(gone), work()))
    await started.wait()
    gone.set_result(None)
    with pytest.raises(ClientDisconnect):
        await waiting


async def test_who_goes_just_as_the_answer_is_there_cancels_nothing_after_it() -> None:
    gone = asyncio.get_running_loop().create_future()

    async def work() -> str:
        await asyncio.sleep(0)
        await gone  # is done in the same round as the answer
        return "answer"

    async def serve() -> str:
        answer = await unless_disconnected(request(gone), work())
        await asyncio.sleep(0.01)  # the answer is being sent
        return answer

    serving = asyncio.create_task(serve())
    await asyncio.sleep(0.01)
    gone.set_result(None)
    assert await serving == "answer"


async def test_who_is_cancelled_by_somebody_else_is_cancelled() -> None:
    gone = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(unless_disconnected(request(gone), asyncio.sleep(60)))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
