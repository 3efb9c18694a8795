"""What was read for an answer: to whoever asks with a header, and for the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from clickhouse.reading import Read

HEADER = "X-Heatgraph-Reads"


def reads_asked(request: Request, reads: Sequence[Read]) -> dict[str, Any]:
    """`extensions.reads`, if the request's header asks for it: for each statement its tables, rows, bytes, ms, `cached` and `shared`."""
    if request.headers.get(HEADER.lower()) not in ("1", "true"):
        return {}
    return {"reads": [read.facts() for read in reads]}


def total(reads: Sequence[Read]) -> dict[str, str | int]:
    """For the request's log line."""
    return {
        "tables": ",".join(sorted({table for read in reads for table in read.tables})),
        "read_rows": sum(read.answer.read_rows for read in reads if not read.answer.cached),
        "read_bytes": sum(read.answer.read_bytes for read in reads if not read.answer.cached),
        "statements": len(reads),
        "cached": sum(read.answer.cached for read in reads),
    }
