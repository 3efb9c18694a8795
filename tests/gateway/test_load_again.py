"""Loads in parts, in any order, and once more after a kill: all end in the same tables."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse.rollups import ROLLUPS
from clickhouse.sites import Site
from gateway.database import Database
from gateway.load import load_files
from tests.clickhouse.stored import DERIVED, stored
from tests.gateway.loading import Killed, Mortal, Row, ndjson, visit
from tests.reference.rows import DataSet, data_sets


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
