"""Chunks that are parsed in one session while the one before is stored in another."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import get_ident

import pytest

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from clickhouse.statement import Statement
from gateway import ndjson_rows, row_files, staging
from gateway.database import Database, open_database
from gateway.load import load_files
from gateway.settings import Settings
from tests.clickhouse.stored import stored
from tests.gateway.loading import ROWS, ndjson, visit
from tests.servers import Node


@pytest.fixture(scope="module")
def address(node: Node) -> str:
    address = node.dsn(f"test_{uuid.uuid4().hex}")
    client = open_sync(address)
    migrate(client)
    client.close()
    return address


@pytest.fixture
def two_sessions(address: str) -> Iterator[Database]:
    with open_database(Settings(clickhouse=address), two_sessions=True) as database:
        yield database


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_files, "READ_BYTES", 300)
    monkeypatch.setattr(ndjson_rows, "CHUNK_BYTES", 900)


@pytest.mark.usefixtures("small_chunks")
def test_two_sessions_store_what_one_does(two_sessions: Database, site: Site, tmp_path: Path) -> None:
    """Each row once, also those that come again in the next chunk, and rejects in the order of their lines."""
    alone = Site(f"{site.site_id}_alone", "Test")
    file = tmp_path / "rows.ndjson"
    file.write_bytes(b"".join(ndjson([row, row]) + b"nope\n" for row in ROWS))
    summary = load_files(two_sessions, site, [file, file])
    rejects = summary.rejects_files[0].read_text()
    assert (summary.stored_rows, summary.duplicate_rows, summary.rejected.total()) == (len(ROWS), 3 * len(ROWS), 2 * len(ROWS))
    assert summary.read_rows == 6 * len(ROWS)

    one = load_files(Database(two_sessions.client), alone, [file, file])
    assert (one.stored_rows, one.duplicate_rows, one.rejected) == (summary.stored_rows, summary.duplicate_rows, summary.rejected)
    assert one.rejects_files[0].read_text() == rejects
    assert stored(two_sessions.client, site.site_id) == stored(two_sessions.client, alone.site_id)


@pytest.mark.usefixtures("small_chunks")
def test_what_stands_before_the_damage_is_stored(two_sessions: Database, site: Site, tmp_path: Path) -> None:
    damaged, good = tmp_path / "damaged.ndjson", tmp_path / "good.ndjson"
    damaged.write_bytes(ndjson(ROWS) + b"x" * 3000)
    good.write_bytes(ndjson(visit(20)))
    summary = load_files(two_sessions, site, [damaged, good])
    assert (summary.stored_rows, summary.derived_sessions) == (len(ROWS) + len(visit(20)), 9)
    (problem,) = summary.problems
    assert problem.startswith("damaged.ndjson: a line is longer than")


@pytest.mark.usefixtures("small_chunks")
def test_the_next_chunk_is_parsed_in_the_other_session(two_sessions: Database, site: Site, tmp_path: Path) -> None:
    """By another thread, and not the one after it, whose tables would be those of this one."""
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson(ROWS))
    parsed = []
    stage = staging._stage

    def noted(database: Database, *others: object) -> staging.Staged:
        parsed.append((database, get_ident()))
        return stage(database, *others)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "_stage", noted)
        for number, chunk in enumerate(staging.staged(two_sessions, site, file, datetime.now(UTC)), 1):
            assert number <= len(parsed) <= number + 1
            assert chunk.database is parsed[number - 1][0]
    assert len(parsed) > 4
    assert [database for database, _ in parsed] == [two_sessions, two_sessions.beside] * (len(parsed) // 2) + [two_sessions] * (
        len(parsed) % 2
    )
    assert get_ident() not in {thread for _, thread in parsed}


def test_the_embedded_engine_has_one_session(tmp_path: Path) -> None:
    """Two would be closed at the end while a thread uses one."""
    with open_database(Settings(clickhouse=str(tmp_path)), two_sessions=True) as database:
        assert database.beside is None


def test_sessions_outlive_a_slow_statement_of_each_other(two_sessions: Database) -> None:
    assert two_sessions.beside
    for session in (two_sessions, two_sessions.beside):
        assert session.client.get_client_setting("session_timeout") == "600"


def test_threads_share_a_chunk(two_sessions: Database, site: Site, tmp_path: Path) -> None:
    """A block is the unit they share, and ClickHouse's own would hold them all."""
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson(visit(1)[:1]) * 150_000)
    (chunk,) = staging.staged(two_sessions, site, file, datetime.now(UTC))
    (blocks,) = chunk.database.query(Statement("SELECT count() AS rows, max(blockSize()) AS largest FROM load_rows", {}))
    assert blocks["rows"] == 150_000 and blocks["largest"] < 100_000
