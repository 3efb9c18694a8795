"""Every request has an id: the client's `x-request-id` if it sent a sane one, else a new one; sent back, and found in the logs."""

from __future__ import annotations

import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clickhouse.errors import request_tag

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """ASGI middleware; sets scope["request_id"] and the tag that statements carry in their log_comment."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = scope["request_id"] = sent if SANE.fullmatch(sent) else uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        tag = request_tag.set({"request": request_id})
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            request_tag.reset(tag)
