"""Tables are what the DDL says, and what ClickHouse makes of it."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.tables import TABLES, parse

TWO_COLUMNS = """
CREATE TABLE IF NOT EXISTS t$local $on_cluster
(
    a    Enum8('x, y' = 1, 'z' = 2) CODEC(T64, LZ4),  -- of a kind, with a comma
    b    Map(String, String) CODEC(ZSTD(1))-- last
)
ENGINE = MergeTree
ORDER BY a;
"""


def test_parses_types_without_codecs_and_comments() -> None:
    (table,) = parse(TWO_COLUMNS)
    assert table.name == "t"
    assert dict(table.columns) == {"a": "Enum8('x, y' = 1, 'z' = 2)", "b": "Map(String, String)"}


def test_a_line_that_is_no_column_is_an_error() -> None:
    with pytest.raises(ValueError, match="one column a line"):
        parse(TWO_COLUMNS.replace("    b ", "    INDEX\n    b "))


def test_knows_exactly_the_columns_that_clickhouse_has(database: SyncClient) -> None:
    views = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'"
    columns = (
        f"SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table NOT IN ({views}) ORDER BY table, position"
    )
    rows = database.query(columns).result_rows
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    assert found.pop("migrations") == ["step", "name", "checksum", "applied_at"]
    assert found == {table.name: list(table.columns) for table in TABLES.values()}


def test_an_unknown_column_is_an_error_that_names_the_known_ones() -> None:
    assert TABLES["interactions"].column("page_key") == "page_key"
    with pytest.raises(KeyError, match="interactions has no column 'pagekey'; it has site_id, kind, page_key"):
        TABLES["interactions"].column("pagekey")


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("interactions", "cityHash64(site_id, visitor_id)"),
        ("sessions", "cityHash64(site_id, visitor_id)"),
        ("cohort_members", "cityHash64(site_id, visitor_id)"),
        ("pages", "cityHash64(site_id)"),
        ("element_marks", "cityHash64(site_id)"),
        ("api_keys", "cityHash64(key_id)"),
    ],
)
def test_rows_of_a_visitor_share_a_shard(table: str, key: str) -> None:
    assert TABLES[table].sharding_key == key


def test_every_table_names_its_rows_owner_first() -> None:
    assert {next(iter(table.columns)) for table in TABLES.values()} == {"site_id", "key_id"}
