"""Loading files that are damaged, cut off, empty, missing, or not what their name says."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from backports import zstd
from clickhouse_connect.driver.client import Client

from clickhouse.sites import Site
from gateway import ndjson_rows, row_files
from gateway.database import Database
from gateway.load import LoadSummary, load_files
from tests.gateway.loading import ROWS, ndjson, visit, write_csv, write_parquet

GZIPPED = gzip.compress(ndjson(ROWS), mtime=0)


DAMAGED: dict[str, tuple[str, bytes, int, str]] = {  # name, content, rows that are stored nevertheless, problem
    "cut off gzip": ("rows.ndjson.gz", GZIPPED[:-20], 1, "the gzip data is cut off"),
    "damaged gzip": ("rows.ndjson.gz", GZIPPED + b"and more", 1, "the gzip data is damaged"),
    "cut off zstd": ("rows.ndjson.zst", zstd.compress(ndjson(ROWS)) + zstd.compress(ndjson(ROWS))[:-9], 1, "the zstd data is cut off"),
    "no gzip": ("rows.ndjson.gz", ndjson(ROWS), 0, "its name says gzip, its content is something else"),
    "gzip by another name": ("rows.ndjson", GZIPPED, 0, "its name says text, its content is gzip"),
    "zstd named gzip": ("rows.ndjson.gz", zstd.compress(b"{}"), 0, "its name says gzip, its content is zstd"),
    "text named Parquet": ("rows.parquet", ndjson(ROWS), 0, "is no Parquet file"),
    "cut off Parquet": ("rows.parquet", b"PAR1" + b"\0" * 100, 0, "is no Parquet file"),
    "Parquet named NDJSON": ("rows.ndjson", b"PAR1" + b"\0" * 100, 0, "its name says text, its content is Parquet"),
    "UTF-16": ("rows.ndjson", "{}".encode("utf-16"), 0, "its name says text, its content is UTF-16"),
    "NDJSON named CSV": ("rows.csv", ndjson(ROWS), 0, "has no column type, timestamp, sessionId, visitorId, url"),
    "a quote in the header": (
        "rows.csv",
        b'type,timestamp,sessionId,visitorId,url,"x\nclick',
        0,
        "has no column type, timestamp",
    ),
    "a header in Latin-1": (
        "rows.csv",
        b"type,timestamp,sessionId,visitorId,url,pr\xe9nom\nclick",
        0,
        "the names of the columns are not UTF-8",
    ),
    "a column twice": ("rows.csv", b"type,timestamp,sessionId,visitorId,url,x,x\n", 0, "two columns are named 'x'; rename"),
    "two columns without a name": ("rows.csv", b"type,timestamp,sessionId,visitorId,url,,\n", 0, "two columns are named ''; rename"),
    "a list": ("rows.json", b"\n[" + b",\n".join(ndjson([row]).rstrip() for row in ROWS) + b"]", 0, "is a JSON list"),
    "no name we know": ("rows.xlsx", b"PK", 0, "the name must say what is in it"),
    "no name at all": ("rows", b"{}", 0, "the name must say what is in it"),
    "a line without end": ("rows.ndjson", ndjson(ROWS[:2]) + b"x" * 3000, 2, "a line is longer than"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files(database: Client, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """Clear words, and what stands before the damage is stored."""
    name, content, at_least_rows, problem = DAMAGED[damage]
    if damage == "a line without end":
        monkeypatch.setattr(row_files, "READ_BYTES", 300)
        monkeypatch.setattr(ndjson_rows, "CHUNK_BYTES", 900)
    file, good = tmp_path / name, tmp_path / "good.ndjson"
    file.write_bytes(content)
    good.write_bytes(ndjson(visit(20)))
    summary = load_files(Database(database), site, [file, good])
    assert len(summary.problems) == 1
    assert summary.problems[0].startswith(f"{name}: {problem}" if not problem.startswith("rows") else problem)
    assert str(tmp_path) not in summary.problems[0]
    assert not summary.rejected
    assert summary.stored_rows >= at_least_rows + len(visit(20))
    assert summary.derived_sessions >= 1 + bool(at_least_rows)


def test_a_column_name_in_parquet_that_is_no_utf_8(database: Client, site: Site, tmp_path: Path) -> None:
    file, good = tmp_path / "rows.parquet", tmp_path / "good.ndjson"
    write_parquet(file, [{**visit(1)[0], "prenom": "a"}])
    file.write_bytes(file.read_bytes().replace(b"prenom", b"pr\xe9nom"))
    good.write_bytes(ndjson(visit(20)))
    summary = load_files(Database(database), site, [file, good])
    assert (summary.stored_rows, summary.problems) == (len(visit(20)), ["rows.parquet: the names of the columns are not UTF-8."])


def test_cut_off_csv_is_read_up_to_the_cut(database: Client, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    write_csv(file, ROWS[:9])
    file.with_suffix(".csv.gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0)[:-8])
    summary = load_files(Database(database), site, [file.with_suffix(".csv.gz")])
    assert summary.stored_rows >= 8
    assert "cut off" in summary.problems[0]


def test_empty_and_missing_files(database: Client, site: Site, tmp_path: Path) -> None:
    for name in ("empty.ndjson", "empty.csv", "empty.ndjson.gz", "blank.ndjson"):
        (tmp_path / name).write_bytes(b"\n \n" if name == "blank.ndjson" else b"")
    summary = load_files(
        Database(database), site, [tmp_path / name for name in ("empty.ndjson", "empty.csv", "empty.ndjson.gz", "blank.ndjson")]
    )
    assert summary == LoadSummary(problems=["empty.ndjson: is empty.", "empty.csv: is empty.", "empty.ndjson.gz: is empty."])
    (tmp_path / "folder.parquet").mkdir()
    missing = [tmp_path / name for name in ("missing.ndjson", "missing.parquet", "folder.parquet", "x" * 300, "x" * 300 + ".parquet")]
    (tmp_path / "good.ndjson").write_bytes(ndjson(ROWS))
    summary = load_files(Database(database), site, [tmp_path / "good.ndjson", *missing, tmp_path])
    assert [problem.split(":")[0] for problem in summary.problems] == [path.name for path in [*missing, tmp_path]]
    assert (summary.stored_rows, summary.derived_sessions) == (len(ROWS), 8)
