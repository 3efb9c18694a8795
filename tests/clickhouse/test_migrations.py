"""Steps are applied once, in order, and a changed one is refused; the same files make one server and a cluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.client import open_sync
from clickhouse.errors import BadUserInputError
from clickhouse.migrations import MigrationError, Topology, migrate, steps, why_not_current, why_not_written
from clickhouse.tables import DDL, TABLES
from tests.servers import Node


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0002_two.sql").write_text(
        "CREATE TABLE IF NOT EXISTS two$local $on_cluster (b UInt8) ENGINE = ${replicated}MergeTree ORDER BY b;\n"
    )
    (tmp_path / "0001_one.sql").write_text(
        "-- First; of two.\nCREATE TABLE IF NOT EXISTS one (a UInt8) ENGINE = Memory;\nINSERT INTO one VALUES (7);\n"
    )
    return tmp_path


@pytest.fixture
def empty(empty_dsn: str) -> Iterator[SyncClient]:
    client = open_sync(empty_dsn)
    yield client
    for table in ("migrations", "one", "two", *TABLES):
        client.command(f"DROP TABLE IF EXISTS {table}")
    client.close()


def test_creates_a_missing_database_and_every_table_and_runs_twice(empty: SyncClient) -> None:
    assert [step.name for step in migrate(empty)] == [step.name for step in steps()]
    assert migrate(empty) == []
    assert set(TABLES) <= {name for (name,) in empty.query("SHOW TABLES").result_rows}


def test_applies_steps_in_order_and_records_them(empty: SyncClient, folder: Path) -> None:
    assert [step.number for step in migrate(empty, folder=folder)] == [1, 2]
    (folder / "0003_three.sql").write_text("INSERT INTO one VALUES (8);")
    assert [step.name for step in migrate(empty, folder=folder)] == ["three"]
    assert empty.query("SELECT a FROM one ORDER BY a").result_rows == [(7,), (8,)]
    recorded = empty.query("SELECT step, name, length(checksum), applied_at > now() - 60 FROM migrations ORDER BY step").result_rows
    assert recorded == [(1, "one", 64, 1), (2, "two", 64, 1), (3, "three", 64, 1)]


def test_a_step_that_failed_is_tried_again(empty: SyncClient, folder: Path) -> None:
    second = folder / "0002_two.sql"
    right = second.read_text()
    second.write_text("CREATE TABLE nonsense;")
    with pytest.raises(ClickHouseError):
        migrate(empty, folder=folder)
    second.write_text(right)
    assert [step.number for step in migrate(empty, folder=folder)] == [2]


def test_an_added_column_is_one_of_its_table_and_filled_from_what_is_stored(empty: SyncClient, tmp_path: Path) -> None:
    assert list(TABLES["sessions"].columns)[-1] == "conversions"
    for file in sorted(DDL.glob("*.sql"))[:8]:
        shutil.copy(file, tmp_path)
    migrate(empty, folder=tmp_path)
    sessions = (
        "INSERT INTO sessions (site_id, session_id, session_key, derived_at, expires_on) SELECT 's', number, {}, now64(3), today() + 9"
    )
    for key in ("'old'", "concat('new', toString(number))"):
        empty.command(sessions.format(key) + " FROM numbers(3)")
    events = "INSERT INTO events (site_id, session_id, conversion, expires_on) SELECT {}, {}, {}, today() + 9 FROM numbers({})"
    for site, session, conversion, rows in (("'s'", 1, 1, 3), ("'s'", 1, 0, 5), ("'s'", 2, 0, 1), ("'other'", 0, 1, 1)):
        empty.command(events.format(site, session, conversion, rows))
    assert next(step.name for step in migrate(empty)) == "session_conversions"
    found = empty.query("SELECT session_key, conversions FROM sessions FINAL ORDER BY session_id").result_rows
    assert found == [("new0", 0), ("new1", 3), ("new2", 0)]


def test_a_changed_step_is_refused(empty: SyncClient, folder: Path) -> None:
    migrate(empty, folder=folder)
    (folder / "0001_one.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationError, match="Step 0001 \\(one\\) was applied from a different file"):
        migrate(empty, folder=folder)


def test_replicated_statements_run_on_the_cluster(folder: Path) -> None:
    topology = Topology("main", replicated=True)
    assert topology.statements((folder / "0002_two.sql").read_text()) == [
        "CREATE TABLE IF NOT EXISTS two_local ON CLUSTER 'main' (b UInt8) ENGINE = ReplicatedMergeTree ORDER BY b"
    ]
    assert topology.distributed(TABLES["sessions"]) == (
        "CREATE TABLE IF NOT EXISTS sessions ON CLUSTER 'main'\n"
        "AS sessions_local\n"
        "ENGINE = Distributed('main', currentDatabase(), 'sessions_local', cityHash64(site_id, visitor_id))"
    )


def test_every_replica_of_every_shard_knows_the_steps() -> None:
    client = Mock(spec=SyncClient, database="")
    client.command.return_value = 0
    client.query.return_value.named_results.return_value = [{"step": step.number, "checksum": step.checksum} for step in steps()]
    assert migrate(client, "main", replicated=True) == []
    made = client.command.call_args.args[0]
    assert "migrations ON CLUSTER 'main'" in made
    assert "ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/all', '{shard}-{replica}')" in made


@pytest.mark.parametrize(
    ("cluster", "replicated", "problem"),
    [("one_is_written", False, "Give --replicated, too"), ("all_are_written", True, "<internal_replication>true</internal_replication>")],
)
def test_replicas_that_would_hold_other_rows_are_refused(nodes: tuple[Node, Node], cluster: str, replicated: bool, problem: str) -> None:
    client = open_sync(nodes[0].dsn(name := f"refused_{cluster}"))
    with pytest.raises(BadUserInputError, match=problem):
        migrate(client, cluster, replicated)
    assert client.command("EXISTS DATABASE " + name, use_database=False) == 0
    client.close()


def test_a_column_is_added_to_the_local_table_and_the_distributed_one() -> None:
    added = "ALTER TABLE two$local $on_cluster\n    ADD COLUMN IF NOT EXISTS c UInt8;\n"
    assert Topology().statements(added) == ["ALTER TABLE two \n    ADD COLUMN IF NOT EXISTS c UInt8"]
    assert Topology("main").statements(added) == [
        "ALTER TABLE two_local \n    ADD COLUMN IF NOT EXISTS c UInt8",
        "ALTER TABLE two \n    ADD COLUMN IF NOT EXISTS c UInt8",
    ]


def test_every_table_becomes_a_local_and_a_distributed_one() -> None:
    statements = [statement for step in steps() for statement in Topology("main").statements(step.text)]
    assert len([statement for statement in statements if "CREATE TABLE" in statement]) == 2 * len(TABLES)
    assert not any("ON CLUSTER" in statement or "Replicated" in statement for statement in statements)


@pytest.mark.parametrize(("cluster", "replicated"), [(None, True), ("ma'in", False)])
def test_bad_arguments_are_named(cluster: str | None, replicated: bool) -> None:
    with pytest.raises(BadUserInputError, match="cluster"):
        Topology(cluster, replicated)


def test_tables_of_another_version_are_not_up_to_date() -> None:
    applied = [{"step": step.number, "checksum": step.checksum} for step in steps()]
    assert why_not_current(applied) is None
    assert why_not_current(applied[:-1]) == "The tables are not up to date. Run: python -m gateway migrate"
    assert why_not_current([*applied[:-1], applied[-1] | {"checksum": "other"}]) is not None


def test_tables_of_a_newer_version_are_read_but_not_written() -> None:
    applied = [{"step": step.number, "checksum": step.checksum} for step in steps()]
    newer = [*applied, {"step": 9999, "checksum": "new"}]
    assert why_not_current(newer) is None
    assert "made by a newer version (step 9999)" in str(why_not_written(newer))
    assert why_not_written(applied) is None
    assert why_not_written(applied[:-1]) == why_not_current(applied[:-1])
