"""Bounds on the head of a request, which Uvicorn has none of: how large it may be, and how long it may take to come."""

from __future__ import annotations

from asyncio import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_BYTES = 64 << 10
MAX_SECONDS = 10.0
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedHeads(HttpToolsProtocol):
    """What is raised in a callback of the parser ends in `send_400_response`."""

    _deadline: TimerHandle | None = None  # of the head that is being read
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        before = self._deadline
        super().data_received(data)
        if before and self._deadline is before and not self.transport.is_closing():  # then all of it is head
            self._head_bytes += len(data)
            if self._head_bytes > MAX_BYTES:
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._deadline = self.loop.call_later(MAX_SECONDS, self._close_late)

    def on_headers_complete(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = None
        self._head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._head_bytes > MAX_BYTES:
            raise ValueError
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > MAX_BYTES:
            self.transport.write(TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _close_late(self) -> None:
        if self.cycle and not self.cycle.response_complete:  # the answer to an earlier request comes first
            self._deadline = self.loop.call_later(MAX_SECONDS, self._close_late)
        else:
            self.transport.close()
