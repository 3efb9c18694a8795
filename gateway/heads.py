"""Bounds on the head of a request, which Uvicorn has none of: how large it may be, and how long it may take to come.

Trailers are bounded likewise: Uvicorn adds them to the headers.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_BYTES = 64 << 10
MAX_SECONDS = 10.0
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedHeads(HttpToolsProtocol):
    """What is raised in a callback of the parser ends in `send_400_response`."""

    _deadline: TimerHandle | None = None  # of the head that is waited for
    _head_bytes = 0  # that came since the last of a body

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head_bytes > MAX_BYTES:  # of a line without end, or of trailers
            self.send_400_response("")
        elif not self._deadline and self._answers_none:  # empty lines between two requests, for which keep-alive does not wait
            self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._await_head()

    def on_headers_complete(self) -> None:
        self._cancel_deadline()
        self._head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._head_bytes > MAX_BYTES:
            raise ValueError
        self._head_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > MAX_BYTES:
            self.transport.write(TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    @property
    def _answers_none(self) -> bool:
        return not self.cycle or self.cycle.response_complete

    def _await_head(self) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(MAX_SECONDS, self._close_late)

    def _cancel_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = None

    def _close_late(self) -> None:
        if self._answers_none:
            self.transport.close()
        else:  # the answer to an earlier request comes first
            self._await_head()
