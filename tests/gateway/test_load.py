"""Loading files: every format, every kind of damage, any order, and after a kill."""

from __future__ import annotations

import csv
import gzip
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from backports import zstd
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse import received
from clickhouse.errors import BadUserInputError
from clickhouse.rollups import ROLLUPS
from clickhouse.sites import Site
from gateway import lines
from gateway.database import Database
from gateway.forget import forget_visitors
from gateway.load import LoadSummary, load_files
from tests.clickhouse.stored import DERIVED, stored
from tests.reference.rows import DataSet, data_sets

Row = dict[str, Any]

START = (datetime.now(UTC) - timedelta(days=3)).replace(hour=9, minute=0, second=0, microsecond=0)


def visit(number: int, clicks: int = 3) -> list[Row]:
    """A session: a pageview, some clicks on an element that was told, a scroll and a conversion."""
    start_ms = int(START.timestamp() * 1000) + number * 60_000
    base = {"sessionId": f"s{number}", "visitorId": f"v{number % 3}", "url": f"https://a.de/{number % 2}?a={number}", "viewportWidth": 1280}
    rows: list[Row] = [{"type": "pageview", "viewportHeight": 720, "pageHeight": 3000, "country": "DE"}]
    rows += [{"type": "click", "x": 10.5 + step, "y": 20, "selector": "#buy", "fixed": step % 2 == 0} for step in range(clicks)]
    rows += [{"type": "scroll", "scrollY": 900}, {"type": "event", "name": "signup", "value": 2.5, "plan": "pro"}]
    rows += [{"type": "element", "selector": "#buy", "x": 1, "y": 2, "width": 3, "height": 4}]
    return [base | {"timestamp": start_ms + 1000 * at} | row for at, row in enumerate(rows)]


ROWS = [row for number in range(8) for row in visit(number)]


@pytest.fixture
def site() -> Site:
    return Site(f"site_{uuid.uuid4().hex}", "Test")


def ndjson(rows: list[Row]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def write_csv(path: Path, rows: list[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: list[Row]) -> None:
    names = dict.fromkeys(name for row in rows for name in row)
    pyarrow.parquet.write_table(pyarrow.table({name: [row.get(name) for row in rows] for name in names}), path)


WRITERS: dict[str, Callable[[Path, list[Row]], object]] = {
    "rows.ndjson": lambda path, rows: path.write_bytes(ndjson(rows)),
    "rows.jsonl": lambda path, rows: path.write_bytes(ndjson(rows).rstrip()),
    "bom.json": lambda path, rows: path.write_bytes(b"\xef\xbb\xbf" + ndjson(rows).replace(b"\n", b"\r\n")),
    "rows.ndjson.gz": lambda path, rows: path.write_bytes(gzip.compress(ndjson(rows[:9])) + gzip.compress(ndjson(rows[9:]))),
    "rows.NDJSON.ZST": lambda path, rows: path.write_bytes(zstd.compress(ndjson(rows[:9])) + zstd.compress(ndjson(rows[9:]))),
    "rows.csv": write_csv,
    "rows.parquet": write_parquet,
}


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
    monkeypatch.setattr(lines, "READ_BYTES", 300)
    monkeypatch.setattr(lines.chunks, "__defaults__", (900,))
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


def test_rejects_that_cannot_be_written(database: Client, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson(ROWS[:2]) + b"nope\n")
    Path(f"{file}.rejected.ndjson").mkdir()
    summary = load_files(Database(database), site, [file])
    assert summary.stored_rows == 0
    assert summary.problems == [
        "rows.ndjson.rejected.ndjson: rejected rows cannot be written there: Is a directory. Make room, and load the file again."
    ]


def test_csv_rows(database: Client, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    moment = START.isoformat()
    file.write_bytes(
        "type,timestamp,sessionId,visitorId,url,x,y,text\r\n"
        f'click,{moment},s,v,https://a.de/,1,2,"two\nlines, and a comma"\r\n'
        f"click,{moment},s,v,https://a.de/,1\r\n"
        f"click,{moment},s,v,https://a.de/,1,2,a,b\r\n"
        "\r\n"
        f"click,{moment},s,v,https://a.de/,1,2,é\r\n".encode()
        + f"click,{moment},s,v,https://a.de/,1,2,".encode()
        + b"\xff\r\n"
    )
    summary = load_files(Database(database), site, [file])
    assert sorted(row["text"] for row in stored(database, site.site_id)["received"]) == ["two\nlines, and a comma", "é"]
    assert summary.rejected == {
        "y is missing: click, dead, rage, move rows need it": 1,
        "the row is not a JSON object": 1,
        "the row is not valid UTF-8": 1,
    }


@pytest.mark.parametrize("blank", [b"\n", b"\r\n\r\n", b"\xef\xbb\xbf \n\n"])
def test_blank_lines_before_the_header_of_csv(database: Client, site: Site, tmp_path: Path, blank: bytes) -> None:
    """They count as lines; a file of nothing else has no rows."""
    file, nothing = tmp_path / "rows.csv", tmp_path / "nothing.csv"
    write_csv(file, [*ROWS[:3], {"type": "klick"}])
    file.write_bytes(blank + file.read_bytes())
    nothing.write_bytes(blank)
    summary = load_files(Database(database), site, [nothing, file])
    assert (summary.read_rows, summary.stored_rows, summary.problems) == (4, 3, [])
    assert json.loads(summary.rejects_files[0].read_text())["line"] == blank.count(b"\n") + 5


def test_a_stray_quote_in_csv_costs_its_own_line_only(
    database: Client, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not closed before another quote, within the longest row there may be, and before the end of the file; a text may have line ends."""
    texts = ["a", '"b', *"cdefgh", '"i', "j", '"k"', '"l\nm"', '"n" o', '"p', "q"]
    file = tmp_path / "rows.csv"
    rows = [f"click,{START.isoformat()},s,v,https://a.de/,1,{at},{text}" for at, text in enumerate(texts)]
    file.write_text("type,timestamp,sessionId,visitorId,url,x,y,text\n" + "\n".join(rows))
    for longest in (received.MAX_LINE_BYTES, 100):
        monkeypatch.setattr(lines, "MAX_LINE_BYTES", longest)
        summary = load_files(Database(database), Site(f"{site.site_id}_{longest}", "Test"), [file])
        stored_texts = sorted(row["text"] for row in stored(database, f"{site.site_id}_{longest}")["received"])
        assert stored_texts == [*"acdefghjk", "l\nm", "q"]
        assert summary.rejected == {"the row is a text; in CSV a quote is not closed, or something follows a closed one": 4}
        rejected = [json.loads(line) for line in summary.rejects_files[0].read_text().splitlines()]
        assert [(one["line"], one["row"]) for one in rejected] == [(2 + at, rows[at]) for at in (1, 8, 12, 13)]
        assert summary.problems == []


@pytest.mark.parametrize("names", [("k" * 40_000,), tuple(f"{'é' * 100}{number}" for number in range(150)), tuple(map(str, range(3000)))])
@pytest.mark.parametrize("suffix", ["ndjson", "csv", "parquet"])
def test_long_and_many_keys_are_kept(database: Client, site: Site, tmp_path: Path, names: tuple[str, ...], suffix: str) -> None:
    file = tmp_path / f"rows.{suffix}"
    first, second = visit(1)[:2]
    WRITERS[file.name](file, [first | dict.fromkeys(names, "x"), second])
    summary = load_files(Database(database), site, [file])
    assert (summary.stored_rows, summary.rejected, summary.problems) == (2, {}, [])
    assert {frozenset(row["properties"]) for row in stored(database, site.site_id)["received"]} == {frozenset(names), frozenset()}


PLAIN_COLUMNS: dict[str, Any] = {
    "type": pyarrow.array(["click", "pageview"]).dictionary_encode(),
    "timestamp": pyarrow.array([START, START], pyarrow.timestamp("us", "Europe/Berlin")),
    "sessionId": pyarrow.array([1, 2]),
    "visitorId": pyarrow.array(["v", 'v"1'], pyarrow.large_string()),
    "url": pyarrow.array(["https://a.de/", "https://a.de/"]),
    "x": pyarrow.array([1.5, float("nan")]),
    "y": pyarrow.array([1, None], pyarrow.int32()),
    "fixed": pyarrow.array([True, None]),
    "nothing": pyarrow.nulls(2),
    'since"': pyarrow.array([START.date(), None]),
}


@pytest.mark.parametrize("nested", [False, True])
def test_parquet_types(database: Client, site: Site, tmp_path: Path, nested: bool) -> None:
    """Timestamps without a zone are UTC, NaN is not sent, other types are kept as properties."""
    columns = PLAIN_COLUMNS | ({"tags": pyarrow.array([["a", "b"], None])} if nested else {})
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "zoned.parquet")
    columns["timestamp"] = pyarrow.array([START.replace(tzinfo=None)] * 2, pyarrow.timestamp("ns"))
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "bare.parquet")
    summary = load_files(Database(database), site, [tmp_path / "zoned.parquet", tmp_path / "bare.parquet"])
    assert (summary.stored_rows, summary.duplicate_rows, summary.rejected) == (2, 2, {})
    tables = stored(database, site.site_id)
    click, pageview = sorted(tables["received"], key=lambda row: str(row["type"]))
    assert {row["session_key"] for row in tables["sessions"]} >= {"1"}
    assert 'v"1' in {row["visitor_key"] for row in tables["visitors"]}
    assert (click["timestamp"].replace(tzinfo=UTC), click["x"], pageview["x"]) == (START, 1.5, None)
    assert click["fixed"] is True
    assert click["properties"] == {'since"': f'"{START:%Y-%m-%d}"'} | ({"tags": '["a","b"]'} if nested else {})


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "kind", [pyarrow.binary(), pyarrow.large_binary(), pyarrow.binary(2), pyarrow.binary_view(), pyarrow.string_view()]
)
def test_parquet_bytes_are_text(database: Client, site: Site, tmp_path: Path, kind: Any, nested: bool) -> None:
    """Those that are no UTF-8 cost their own row; 16 bytes are a UUID."""
    number = uuid.UUID(int=2**127 + 5)
    bad = b"\xff\xfe" if kind != pyarrow.string_view() else "v3"
    file = tmp_path / "rows.parquet"
    columns: dict[str, Any] = {
        "type": pyarrow.array([b"pageview"] * 3).dictionary_encode(),
        "timestamp": pyarrow.array([START] * 3),
        "sessionId": pyarrow.array([number.bytes] * 3, pyarrow.binary(16)),
        "visitorId": pyarrow.array(["v1", "v2", bad], kind),
        "url": pyarrow.array([b"https://a.de/"] * 3, pyarrow.large_binary()),
        "trace": pyarrow.array([number.bytes, None, None], pyarrow.uuid()),
    }
    if nested:
        columns["tags"] = pyarrow.array([[b"a"], [], None])
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    summary = load_files(Database(database), site, [file])
    refused = {} if kind == pyarrow.string_view() else {"the row is not valid UTF-8": 1}
    assert (summary.rejected, summary.problems) == (refused, [])
    tables = stored(database, site.site_id)
    assert {row["session_key"] for row in tables["sessions"]} == {str(number)}
    assert {row["visitor_key"] for row in tables["visitors"]} == ({"v1", "v2"} if refused else {"v1", "v2", "v3"})
    assert ({"tags": '["a"]', "trace": f'"{number}"'} if nested else {"trace": f'"{number}"'}) in [
        row["properties"] for row in tables["received"]
    ]


def test_a_list_of_bad_text_in_parquet_costs_its_own_row_only(database: Client, site: Site, tmp_path: Path) -> None:
    tags = pyarrow.array([[b"\xff"], [b"a"]]).cast(pyarrow.list_(pyarrow.string()), safe=False)
    columns = {name: [value] * 2 for name, value in visit(1)[0].items()}
    pyarrow.parquet.write_table(pyarrow.table({**columns, "tags": tags}), tmp_path / "rows.parquet")
    summary = load_files(Database(database), site, [tmp_path / "rows.parquet"])
    assert (summary.rejected, summary.problems) == ({"the row is not valid UTF-8": 1}, [])
    assert [row["properties"] for row in stored(database, site.site_id)["received"]] == [{"tags": '["a"]'}]


DAY_MS = 86_400_000
FAR_OFF: dict[str, tuple[Any, tuple[str, str]]] = {  # two cells, and what is kept of them
    "date32": (pyarrow.array([2_932_896, -62_091], pyarrow.date32()), ('"9999-12-31"', '"1800-01-01"')),
    "date64": (pyarrow.array([2_932_897 * DAY_MS, -62_091 * DAY_MS], pyarrow.date64()), ('"10000-01-01"', '"1800-01-01"')),
    "list of dates": (pyarrow.array([[2_932_897], [0]], pyarrow.list_(pyarrow.date32())), ('["10000-01-01"]', '["1970-01-01"]')),
    "list of instants": (
        pyarrow.array([[2**58], [0]], pyarrow.list_(pyarrow.timestamp("us"))),
        ('["11103-08-29 17:22:31.711744"]', '["1970-01-01T00:00:00"]'),
    ),
    "struct of instants": (
        pyarrow.array([{"at": 2**58}, {"at": 0}], pyarrow.struct([("at", pyarrow.timestamp("us"))])),
        ('{"at":"11103-08-29 17:22:31.711744"}', '{"at":"1970-01-01T00:00:00"}'),
    ),
}


@pytest.mark.parametrize("kind", FAR_OFF)
def test_times_far_off_in_parquet_are_kept(database: Client, site: Site, tmp_path: Path, kind: str) -> None:
    cells, kept = FAR_OFF[kind]
    rows = visit(1)[:2]
    table = pyarrow.table({name: [row.get(name) for row in rows] for name in rows[1] | rows[0]}).append_column("due", cells)
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    summary = load_files(Database(database), site, [tmp_path / "rows.parquet"])
    assert (summary.stored_rows, summary.rejected, summary.problems) == (2, {}, [])
    assert {row["properties"]["due"] for row in stored(database, site.site_id)["received"]} == set(kept)


def test_a_timestamp_far_off_in_parquet_costs_its_own_row_only(database: Client, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    columns = {name: [value] * 2 for name, value in visit(1)[0].items() if name != "timestamp"}
    days = pyarrow.array([2_932_896, START.date().toordinal() - 719_163], pyarrow.date32())
    pyarrow.parquet.write_table(pyarrow.table({**columns, "timestamp": days}), file)
    summary = load_files(Database(database), site, [file])
    assert (summary.stored_rows, summary.rejected) == (1, {"timestamp is more than 1 day in the future": 1})


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
        monkeypatch.setattr(lines, "READ_BYTES", 300)
        monkeypatch.setattr(lines.chunks, "__defaults__", (900,))
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


def load_split(database: Client, site: Site, parts: list[list[Row]], folder: Path) -> None:
    for number, part in enumerate(parts):
        file = folder / f"{uuid.uuid4().hex}-{number}.ndjson"
        file.write_bytes(ndjson(part))
        load_files(Database(database), site, [file])


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data_sets(max_sessions=4), st.integers(1, 3), st.randoms(use_true_random=False))
def test_any_order_and_split(database: Client, tmp_path: Path, data: DataSet, count: int, random: Any) -> None:
    """Rows in several loads, in any order, some twice, end in the same tables as all at once."""
    at_once, in_parts = (Site(f"site_{uuid.uuid4().hex}", "Test") for _ in range(2))
    parts: list[list[Row]] = [[] for _ in range(count + 1)]
    for row in data.rows:
        random.choice(parts).append(row)
    load_split(database, at_once, [data.rows], tmp_path)
    load_split(database, in_parts, parts, tmp_path)
    assert stored(database, in_parts.site_id) == stored(database, at_once.site_id)


class Killed(BaseException):
    """As if the process died."""


class Mortal:
    """A client that dies before its n-th statement that writes; temporary tables go with it."""

    def __init__(self, client: Client, lives: int) -> None:
        self.client, self.lives = client, lives

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def command(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        if sql.startswith(("INSERT INTO", "DELETE FROM")) and "INTO load_rows" not in sql:
            self.lives -= 1
            if self.lives < 0:
                raise Killed
        return self.client.command(sql, *args, **kwargs)


def test_killed_anywhere(database: Client, dsn: str, tmp_path: Path) -> None:
    """Killed before one of its writes and run again, a load of late rows ends as if nothing had happened; each backend tries some of them."""
    early, late = tmp_path / "early.ndjson", tmp_path / "late.ndjson"
    early.write_bytes(ndjson([row for number in range(3) for row in visit(number)[1:]]))
    late.write_bytes(ndjson([row for number in range(3) for row in visit(number, clicks=4)] + visit(9)))
    undisturbed = Site(f"site_{uuid.uuid4().hex}", "Test")
    load_files(Database(database), undisturbed, [early])
    load_files(Database(database), undisturbed, [late])
    expected = stored(database, undisturbed.site_id)
    assert all(expected[table] for table in ("received", *ROLLUPS, *DERIVED))

    for deaths in range(0, 99, 2) if dsn.startswith("chdb") else range(1, 99, 8):
        site = Site(f"site_{uuid.uuid4().hex}", "Test")
        load_files(Database(database), site, [early])
        try:
            load_files(Database(Mortal(database, deaths)), site, [late])  # type: ignore[arg-type]
            break
        except Killed:
            load_files(Database(database), site, [late])
        assert stored(database, site.site_id) == expected, f"killed before write {deaths}"
    assert deaths >= len(DERIVED) + 6  # touched, received, three tables forgotten, settled


def test_killed_before_the_next_load_takes_over(database: Client, site: Site, tmp_path: Path) -> None:
    """Sessions that a killed load stored and did not derive are derived by whatever is loaded next."""
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    first.write_bytes(ndjson(visit(1)))
    second.write_bytes(ndjson(visit(2)))
    with pytest.raises(Killed):
        load_files(Database(Mortal(database, 3)), site, [first])  # type: ignore[arg-type]
    assert load_files(Database(database), site, [second]).derived_sessions == 2
    assert [row["session_key"] for row in stored(database, site.site_id)["sessions"]] == ["s1", "s2"]
