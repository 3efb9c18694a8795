"""A cache of answers in memory, bounded by bytes; what was not used for longest goes first.

cache = MemoryCache(max_bytes=64_000_000)
cache.put("key", answer)
cache.get("key")     -> answer, or None
"""

from __future__ import annotations

import sys
from typing import Any

from clickhouse.reading import Answer
from clickhouse.recent import Recent

OBJECT_BYTES = 64  # about what a number costs, and what comes on top of a list
LARGEST_SHARE = 8  # one answer takes at most this part of the memory


class MemoryCache:
    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._answers = Recent[Any, Answer](max_size=max_bytes)

    @property
    def used_bytes(self) -> int:
        return self._answers.size

    def get(self, key: Any) -> Answer | None:
        return self._answers.get(key)

    def put(self, key: Any, answer: Answer) -> None:
        size = size_bytes(key) + size_bytes(answer.rows)
        if size <= self._max_bytes // LARGEST_SHARE:
            self._answers.put(key, answer, size)


def size_bytes(value: Any) -> int:
    """About what it takes in memory."""
    if isinstance(value, str) and not value.isascii():
        return sys.getsizeof(value) + sys.getsizeof(value.encode())  # up to 4 bytes a character, and UTF-8 that stays once it was asked for
    if isinstance(value, str | bytes):
        return sys.getsizeof(value)
    if isinstance(value, dict):
        return OBJECT_BYTES + sum(OBJECT_BYTES + size_bytes(part) for part in value.values())  # rows share their keys
    if isinstance(value, list | tuple):
        return OBJECT_BYTES + sum(map(size_bytes, value))
    return OBJECT_BYTES
