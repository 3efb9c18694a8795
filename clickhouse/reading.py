"""What every read-only statement carries: an id, a comment that says whose it is, a deadline and caps.

reading = Reading.of(Statement("SELECT 1", {}), Limits(max_execution_ms=500))
reading.statement_id, reading.settings, reading.timeout_s
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from clickhouse.errors import BusySourceError, request_tag
from clickhouse.statement import Statement
from clickhouse.tables import tables_read

Row = dict[str, Any]
Listener = Callable[[Statement], None]

logger = logging.getLogger("heatgraph.clickhouse")

reads: ContextVar[list[Read] | None] = ContextVar("reads", default=None)
"""What was asked for the request that is being answered; the gateway puts an empty list there."""

DEADLINE_GRACE_MS = 1_000  # ClickHouse looks at its deadline between blocks, so it is given this long before it is killed


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may cost."""

    max_execution_ms: int = 10_000
    max_memory_bytes: int = 2_000_000_000
    max_rows_to_read: int = 1_000_000_000
    max_result_rows: int = 1_000_000
    max_stream_ms: int = 60_000  # of an answer that is streamed, to whoever reads it slowly
    max_queue_ms: int = 5_000  # of waiting for a free connection
    skip_unavailable_shards: bool = False  # answer from the rest of a cluster

    def settings(self) -> dict[str, Any]:
        return {
            "readonly": 2,  # 1 would forbid the settings that come with the statement
            "max_execution_time": self.max_execution_ms / 1000,
            "max_memory_usage": self.max_memory_bytes,
            "max_rows_to_read": self.max_rows_to_read,
            "max_result_rows": self.max_result_rows,
            "result_overflow_mode": "throw",
            "prefer_column_name_to_alias": 1,  # an aggregate may carry its column's name
            **({"skip_unavailable_shards": 1} if self.skip_unavailable_shards else {}),
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """One run of a statement; `settings` are its own, `timeout_s` is when to stop waiting for it."""

    statement_id: str
    settings: dict[str, Any]
    timeout_s: float

    @classmethod
    def streamed(cls, statement: Statement, limits: Limits) -> Reading:
        """With the deadline of a stream; `timeout_s` is how long to wait for its next chunk."""
        settings = {
            "max_execution_time": limits.max_stream_ms / 1000,
            "format_csv_null_representation": "",
            "output_format_json_escape_forward_slashes": 0,  # URLs in files are searched for
        }
        reading = cls.of(statement, limits)
        return replace(reading, settings=reading.settings | settings, timeout_s=(limits.max_stream_ms + DEADLINE_GRACE_MS) / 1000)

    @classmethod
    def of(cls, statement: Statement, limits: Limits) -> Reading:
        """Raises ValueError for anything but a SELECT, which would leave an embedded client read-only for good."""
        if not statement.sql.lstrip().startswith(("SELECT", "WITH")):
            raise ValueError(f"query() takes a SELECT, not {statement.sql[:20]!r}…; use command()")
        statement_id = uuid.uuid4().hex
        return cls(
            statement_id,
            limits.settings() | {"log_comment": comment(statement=statement_id)},
            (limits.max_execution_ms + DEADLINE_GRACE_MS) / 1000,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One dict a row, texts as str but those of `selection.WIDE` as bytes, times as naive UTC; and what they cost: rows and bytes ClickHouse
    read, 0 where it does not say."""

    rows: list[Row]
    read_rows: int = 0
    read_bytes: int = 0
    ms: float = 0.0
    cached: bool = False
    shared: bool = False  # with a request that had asked the same just before
    native: bytes = field(default=b"", repr=False, compare=False)  # what the rows were read from, for a cache elsewhere

    @classmethod
    def of(cls, rows: list[Row], summary: Mapping[str, Any], started: float) -> Answer:
        """Asked at `started` by perf_counter; `summary` is ClickHouse's own."""
        ms = (perf_counter() - started) * 1000
        return cls(rows, int(summary.get("read_rows", 0)), int(summary.get("read_bytes", 0)), ms)


@dataclass(frozen=True, slots=True)
class Read:
    statement: Statement
    answer: Answer

    @property
    def tables(self) -> list[str]:
        """In alphabetical order."""
        return sorted(tables_read(self.statement.sql))

    def facts(self) -> dict[str, Any]:
        """For people and machines; no SQL."""
        answer = self.answer
        return {
            "tables": self.tables,
            "rows": answer.read_rows,
            "bytes": answer.read_bytes,
            "ms": round(answer.ms, 1),
            "cached": answer.cached,
            "shared": answer.shared,
        }


def note(statement: Statement, answer: Answer) -> None:
    """Remembers it for the request, and logs it."""
    read = Read(statement, answer)
    if (noted := reads.get()) is not None:
        noted.append(read)
    if logger.isEnabledFor(logging.DEBUG):
        facts = read.facts()
        logger.debug("read %s", " ".join(f"{name}={value}" for name, value in facts.items()), extra=facts)


def comment(**more: str) -> str:
    """The request's tag as JSON, for ClickHouse's `log_comment`."""
    return json.dumps({**request_tag.get(), **more})


@asynccontextmanager
async def in_queue(limits: Limits) -> AsyncIterator[None]:
    """Around the wait for a free connection; raises BusySourceError when it takes too long."""
    try:
        async with asyncio.timeout(limits.max_queue_ms / 1000):
            yield
    except TimeoutError:
        raise BusySourceError("The data source is busy with other questions. Try again in a moment.") from None


def ignore(statement: Statement) -> None:
    """The listener of a client nobody listens to."""
