"""What was used last, up to a number of entries and up to their size together; the least recently used goes first.

recent = Recent[str, DocumentNode](max_entries=256, max_size=250_000)
recent.put(text, document, len(text))
recent.get(text)            -> the document, or None
"""

from __future__ import annotations

from collections import OrderedDict
from math import inf
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Sizes are in whatever unit `put` is told."""

    def __init__(self, max_entries: float = inf, max_size: int = 0) -> None:
        self._max_entries = max_entries
        self._max_size = max_size
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def get(self, key: K) -> V | None:
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: K, value: V, size: int = 0) -> None:
        """A value larger than `max_size` is not remembered."""
        self.forget(key)
        if size > self._max_size:
            return
        self._entries[key] = value, size
        self.size += size
        while self.size > self._max_size or len(self) > self._max_entries:
            self.size -= self._entries.popitem(last=False)[1][1]

    def forget(self, key: K) -> None:
        self.size -= self._entries.pop(key, (None, 0))[1]
