"""A few rows to write, as data; `client.insert(*insert)` runs it. Bulk rows never come this way."""

from __future__ import annotations

from typing import Any, NamedTuple


class Insert(NamedTuple):
    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
