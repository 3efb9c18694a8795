"""Chunks of a file in temporary tables: parsed by ClickHouse, and checked.

    for chunk in staged(database, site, Path("clicks.ndjson.gz"), now):
        chunk.database.query(received.compile_outcome())

A chunk's tables are there until the next chunk is asked for. Where a second session is at hand (`Database.beside`) the next chunk
is parsed in it meanwhile: storing rows keeps one processor busy, parsing them all.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path

from clickhouse import received
from clickhouse.sites import Site
from clickhouse.statement import drop_temporary
from gateway.database import Database
from gateway.row_chunks import Chunk, ahead
from gateway.row_files import chunks

BLOCK_ROWS = 30_000  # the unit that threads share
IN_ORDER = {
    "input_format_parallel_parsing": 0,
    "max_insert_threads": 1,
    "max_insert_block_size": BLOCK_ROWS,
    "min_insert_block_size_rows": BLOCK_ROWS,
}


@dataclass(frozen=True, slots=True)
class Staged:
    """A chunk in the tables of `clickhouse.received.STAGE`; `types` of its columns, None of lines."""

    database: Database  # in whose session they are
    site_id: str
    first_line: int
    read_bytes: int  # of the file, so far
    types: dict[str, str] | None


def staged(database: Database, site: Site, path: Path, now: datetime) -> Iterator[Staged]:
    """The file's chunks in order. Raises BadUserInputError, after what stands before the damage."""
    sessions = _sessions(database)
    parsed = (_stage(session, site, chunk, now) for session, chunk in zip(cycle(sessions), ahead(chunks(path)), strict=False))
    return ahead(parsed) if len(sessions) > 1 else parsed


def drop_stages(database: Database) -> None:
    for session in _sessions(database):
        session.command(*drop_temporary(received.STAGE))


def _sessions(database: Database) -> Sequence[Database]:
    return (database, database.beside) if database.beside else (database,)


def _stage(database: Database, site: Site, chunk: Chunk, now: datetime) -> Staged:
    database.command(*received.compile_stage())
    types, keys = None, list[str]()
    if chunk.columns:
        types = chunk.columns.types
        database.command(received.compile_columns(types))
        names = [f"c{number}" for number in range(len(types))]
        database.client.raw_insert("load_columns", names, _one_by_one(chunk.columns.stream), settings=IN_ORDER, fmt="ArrowStream")
    else:
        database.client.raw_insert("load_lines", ["raw"], _one_by_one(chunk.lines), settings=IN_ORDER, fmt="LineAsString")
        keys = database.query(received.compile_keys())[0]["keys"]
    database.command(received.compile_parse(site.site_id, site.retention_days, now, keys=keys, columns=types))
    return Staged(database, site.site_id, chunk.first_line, chunk.read_bytes, types)


def _one_by_one(blocks: Sequence[bytes]) -> Generator[bytes, None, None]:
    """For the driver, which takes no list: joined they would all be copied."""
    yield from blocks
