"""Tasks that outlive the request that started them, kept until they are done; failures go to the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger("heatgraph.clickhouse")

FINISH_S = 5.0  # what waits for a server that hangs would keep the process from ending


class Background:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def finish(self) -> None:
        """Waits for all that was started, FINISH_S at most; what is not done by then is cancelled."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=FINISH_S)
        for task in late:
            task.cancel()
        if late:
            logger.warning("gave up waiting for work in the background: %d", len(late))
            await asyncio.wait(late, timeout=FINISH_S)  # for what they do at their end

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            logger.warning("work in the background failed: %r", problem)
