"""Loading Parquet: columns of every type, and cells that are no text or no time of ours."""

from __future__ import annotations

import uuid
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.sites import Site
from gateway.database import Database
from gateway.load import load_files
from tests.clickhouse.stored import stored
from tests.gateway.loading import START, visit

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
