"""What files of rows are cut into.

    for chunk in ahead(chunks(path)):
        chunk.lines or chunk.columns, chunk.first_line, chunk.read_bytes

Chunks are bounded by rows and bytes, because a few of them are in memory at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Any, TypeVar

import orjson

from gateway.row_columns import Columns

T = TypeVar("T")

CHUNK_BYTES = 128 << 20
WIDE_BYTES = 2 * CHUNK_BYTES  # of a chunk of CSV or Parquet whose rows are so wide that fewer of them are enough


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines, in blocks; `first_line` counts from 1 (in CSV with the header, in Parquet rows are counted)."""

    lines: Sequence[bytes]
    first_line: int
    read_bytes: int  # of the file, so far
    columns: Columns | None = None  # instead of lines


def ahead(chunks: Iterator[T]) -> Iterator[T]:
    """The same ones; each is made while the one before it is being used. Who stops waits for none: a pipe may never say more."""

    def make(making: Future[T | None]) -> None:
        try:
            making.set_result(next(chunks, None))
        except BaseException as error:  # is whose who waits for it
            making.set_exception(error)

    def begin() -> Future[T | None]:
        making = Future[T | None]()
        Thread(target=make, args=[making], daemon=True).start()
        return making

    making = begin()
    while chunk := making.result():
        making = begin()
        yield chunk


def json_line(row: Any) -> bytes:
    """With its end; bytes that are no UTF-8 stay what they are, to be refused with their row."""
    try:
        return orjson.dumps(row, default=_text, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # surrogates
        return json.dumps(row, ensure_ascii=False, default=_text).encode(errors="surrogateescape") + b"\n"


def _text(value: object) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)
