"""Loading files of every format: what is stored, and what is refused row by row (of CSV, of Parquet: `test_load_csv.py`, `test_load_parquet.py`)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.errors import BadUserInputError
from clickhouse.sites import Site
from gateway import ndjson_rows, row_files
from gateway.database import Database
from gateway.forget import forget_visitors
from gateway.load import load_files
from tests.clickhouse.stored import stored
from tests.gateway.loading import ROWS, WRITERS, ndjson, visit


@pytest.mark.parametrize("name", WRITERS)
def test_formats(database: Client, site: Site, tmp_path: Path, name: str) -> None:
    """Each format stores the same, and what is stored already by another format is known."""
    file, plain = tmp_path / name, tmp_path / "plain.ndjson"
    WRITERS[name](file, ROWS)
    plain.write_bytes(ndjson(ROWS))
    first = load_files(Database(database), site, [file])
    assert (first.read_rows, first.stored_rows, first.rejected, first.problems) == (len(ROWS), len(ROWS), {}, [])
    assert first.derived_sessions == 8
    before = stored(database, site.site_id)
    again = load_files(Database(database), site, [plain])
    assert (again.read_rows, again.stored_rows, again.duplicate_rows, again.derived_sessions) == (len(ROWS), 0, len(ROWS), 0)
    assert stored(database, site.site_id) == before


def test_small_chunks(database: Client, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are counted through, whatever the chunks, and a row that comes again in another chunk is known."""
    monkeypatch.setattr(row_files, "READ_BYTES", 300)
    monkeypatch.setattr(ndjson_rows, "CHUNK_BYTES", 900)
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson([*ROWS, *ROWS[:5]]) + b"nope\n" + ndjson(ROWS[:1]))
    summary = load_files(Database(database), site, [file])
    assert (summary.read_rows, summary.stored_rows, summary.duplicate_rows) == (len(ROWS) + 7, len(ROWS), 6)
    (reject,) = map(json.loads, summary.rejects_files[0].read_text().splitlines())
    assert reject == {"line": len(ROWS) + 6, "reason": "the row is not a JSON object", "row": "nope"}


def test_rejects(database: Client, site: Site, tmp_path: Path) -> None:
    """Nothing is lost: each refused row stands in the file beside, as it was sent, with its line and the reason."""
    bad = [b'{"type": "klick"}', b"nope", b'\xff{"a": 1}', b'  {"type": "click",  "x": "a"} ']
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson(ROWS[:2]) + b"\n" + b"\n".join(bad) + b"\n" + ndjson(ROWS[2:3]))
    Path(f"{file}.rejected.ndjson").write_text("of an earlier load")
    summary = load_files(Database(database), site, [file])
    rejected = [json.loads(line) for line in summary.rejects_files[0].read_text().splitlines()]
    assert [reject["line"] for reject in rejected] == [4, 5, 6, 7]
    assert [reject.get("row") for reject in rejected] == [{"type": "klick"}, "nope", None, {"type": "click", "x": "a"}]
    assert rejected[2]["row_base64"] == "/3siYSI6IDF9"
    assert summary.rejected == {reject["reason"]: 1 for reject in rejected}
    assert (summary.read_rows, summary.stored_rows) == (7, 3)


def test_rejects_of_an_earlier_load_go_once_there_are_none(database: Client, site: Site, tmp_path: Path) -> None:
    """Not before the whole file was read, not another file's, and not what is to be loaded itself."""
    file, other = tmp_path / "rows.ndjson", tmp_path / "other.ndjson"
    rejects, others = Path(f"{file}.rejected.ndjson"), Path(f"{other}.rejected.ndjson")
    others.write_text("of another file")
    file.write_bytes(ndjson(ROWS[:2]) + b"nope\n")
    assert load_files(Database(database), site, [file]).rejects_files == [rejects]
    before = rejects.read_text()
    cut_off = gzip.compress(ndjson(ROWS[:2]))[:-9]
    file.with_suffix(".ndjson.gz").write_bytes(cut_off)
    rejects_of_cut_off = Path(f"{file}.gz.rejected.ndjson")
    rejects_of_cut_off.write_text("of an earlier load")
    assert load_files(Database(database), site, [Path(f"{file}.gz")]).problems and rejects_of_cut_off.exists()
    file.write_bytes(ndjson(ROWS[:2]))
    for spelled in (rejects, tmp_path / ".." / tmp_path.name / rejects.name):
        load_files(Database(database), site, [file, spelled])
        assert rejects.read_text() == before
    assert load_files(Database(database), site, [file]).problems == []
    assert not rejects.exists() and others.read_text() == "of another file"


def test_rejects_of_an_earlier_load_that_cannot_be_removed(
    database: Client, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson(ROWS[:2]))
    Path(f"{file}.rejected.ndjson").write_text("of an earlier load")

    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    summary = load_files(Database(database), site, [file])
    assert summary.stored_rows == 2 and not summary.rejects_files
    assert summary.problems == [
        "rows.ndjson.rejected.ndjson: is of an earlier load, this one had no rejects; it cannot be removed: Permission denied."
    ]


def test_rejects_that_cannot_be_written(database: Client, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once, and good rows are stored: whoever made room loads the file again, for its rejects."""
    monkeypatch.setattr(row_files, "READ_BYTES", 300)
    monkeypatch.setattr(ndjson_rows, "CHUNK_BYTES", 900)
    file = tmp_path / "rows.ndjson"
    file.write_bytes((ndjson(ROWS[:2]) + b"nope\n") * 9)
    Path(f"{file}.rejected.ndjson").mkdir()
    summary = load_files(Database(database), site, [file])
    assert (summary.stored_rows, summary.rejected.total(), summary.rejects_files) == (2, 9, [])
    assert summary.problems == [
        "rows.ndjson.rejected.ndjson: rejected rows cannot be written there: Is a directory. Make room, and load the file again."
    ]


@pytest.mark.parametrize("names", [("k" * 40_000,), tuple(f"{'é' * 100}{number}" for number in range(150)), tuple(map(str, range(3000)))])
@pytest.mark.parametrize("suffix", ["ndjson", "csv", "parquet"])
def test_long_and_many_keys_are_kept(database: Client, site: Site, tmp_path: Path, names: tuple[str, ...], suffix: str) -> None:
    file = tmp_path / f"rows.{suffix}"
    first, second = visit(1)[:2]
    WRITERS[file.name](file, [first | dict.fromkeys(names, "x"), second])
    summary = load_files(Database(database), site, [file])
    assert (summary.stored_rows, summary.rejected, summary.problems) == (2, {}, [])
    assert {frozenset(row["properties"]) for row in stored(database, site.site_id)["received"]} == {frozenset(names), frozenset()}


def test_tables_of_a_newer_version(database: Client, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson(ROWS))
    database.command("INSERT INTO migrations (step, name, checksum, applied_at) VALUES (9999, 'new', '', now64(3))")
    try:
        with pytest.raises(BadUserInputError, match="made by a newer version"):
            load_files(Database(database), site, [file])
        with pytest.raises(BadUserInputError, match="made by a newer version"):
            forget_visitors(Database(database), site.site_id, ("v1",))
    finally:
        database.command("ALTER TABLE migrations DELETE WHERE step = 9999", settings={"mutations_sync": 2})
    assert load_files(Database(database), site, [file]).stored_rows == len(ROWS)
