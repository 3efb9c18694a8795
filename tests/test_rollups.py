"""What rollups hold is what their rows sum up to: after late rows, a load that was killed, and for rows that were there before them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse import derive, rollups
from clickhouse.client import connect
from clickhouse.data_versions import compile_versions
from clickhouse.memory_cache import MemoryCache
from clickhouse.migrations import migrate
from clickhouse.shared import SharedClient
from clickhouse.sites import Site
from clickhouse.statement import Params
from clickhouse.tables import DDL
from gateway.database import NOTICE_S, Database
from gateway.deriving import refresh_rollups
from gateway.load import load_files
from tests.asking import NOW, ask, create_site, load
from tests.clickhouse.stored import sorting_key
from tests.reference.rows import data_set

Sums = dict[str, list[tuple[Any, ...]]]


def held(database: SyncClient, site: Site) -> Sums:
    """What each rollup holds, by its keys."""
    return {feed.source + feed.rollup: sums(database, site, feed, feed.rollup) for feed in rollups.FEEDS}


def expected(database: SyncClient, site: Site) -> Sums:
    def rows(feed: rollups.Feed) -> str:
        clauses = {"WITH": feed.with_, "WHERE": feed.where, "GROUP BY": feed.group_by}
        with_, where, group_by = (f"{word} {clause}" if clause else "" for word, clause in clauses.items())
        return f"({with_} SELECT {feed.columns} FROM {feed.source} {where} {group_by})"

    return {feed.source + feed.rollup: sums(database, site, feed, rows(feed)) for feed in rollups.FEEDS}


def sums(database: SyncClient, site: Site, feed: rollups.Feed, rows: str) -> list[tuple[Any, ...]]:
    keyed_by = sorting_key(database, feed.rollup)
    keys = ", ".join(keyed_by)
    counted = [name for name in feed.written if name not in (*keyed_by, "expires_on")]
    totals = ", ".join(f"sum({name}) AS all_{name}" for name in counted)
    sql = f"SELECT {keys}, {totals} FROM {rows} WHERE site_id = {{site:String}} GROUP BY {keys}"
    kept = " OR ".join(f"all_{name} != 0" for name in counted)
    return sorted(
        map(tuple, database.query(f"SELECT * FROM ({sql}) WHERE {kept} ORDER BY ALL", {"site": site.site_id}).result_rows), key=repr
    )


def noted(database: SyncClient, site: Site) -> list[Any]:
    return Database(database).query(rollups.compile_stale_days(site.site_id))


def version_of(database: SyncClient, site: Site) -> Any:
    return {row["site_id"]: row["version"] for row in Database(database).query(compile_versions())}[site.site_id]


@pytest.mark.parametrize("parts", [1, 3])
def test_late_rows_are_summed_up_once(database: SyncClient, parts: int) -> None:
    site = create_site(database, Site(f"site_late_{parts}", "Late"))
    rows = data_set(Random(parts), 40).rows
    for part in range(parts):
        load(database, site, rows[part::parts])
        assert held(database, site) == expected(database, site)
        assert not noted(database, site)
    assert all(held(database, site).values())


def test_who_asks_while_days_are_derived_again_gets_no_old_sums_beside_new_ones(
    dsn: str, database: SyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Asked after the rows were derived again and before their days are summed up: with what was known just before, and a moment later."""
    site = create_site(database, Site("site_noticed", "Noticed"))
    day = (NOW - timedelta(days=1)).replace(hour=9)  # today it may be earlier
    rows = [
        {"type": "click", "timestamp": (day - timedelta(days=number % 10)).isoformat(), "sessionId": f"s{number}", "visitorId": "v"}
        | {"url": "https://example.com/", "x": 1, "y": number}
        for number in range(40)
    ]
    load(database, site, rows)
    now_s, answers = 0.0, []
    with asyncio.Runner() as runner:
        gateway = SharedClient(runner.run(connect(dsn)), MemoryCache(1_000_000), version_seconds=1.0, clock=lambda: now_s)

        def asks() -> int:
            lens = '{ insights(window: {last: "-12d"}) { totals { clicks } } }'
            query = f'{{ site(siteId: "{site.site_id}") {{ page(key: "https://example.com/") {lens} }} }}'
            return int(runner.run(ask(gateway, query))["site"]["page"]["insights"]["totals"]["clicks"])

        def passes(seconds: float) -> None:
            nonlocal now_s
            answers.append(asks())
            now_s += seconds

        def summed_up(*args: Any) -> None:
            answers.append(asks())
            refresh_rollups(*args)

        monkeypatch.setattr("gateway.deriving.sleep", passes)
        monkeypatch.setattr("gateway.deriving.refresh_rollups", summed_up)
        assert asks() == 40
        late = [row | {"type": "scroll", "scrollY": 100} for row in rows]
        path = tmp_path / "late.ndjson"
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in late))
        load_files(Database(database, notice_s=NOTICE_S), site, [path])
        answers.append(asks())
        runner.run(gateway.close())
    assert answers == [40, 40, 40]


def test_a_load_that_was_killed_ends_right_when_it_runs_again(database: SyncClient) -> None:
    site = create_site(database, Site("site_killed", "Killed"))
    rows = data_set(Random(5), 30).rows
    load(database, site, rows)
    before = held(database, site)
    batch = derive.Batch(site.site_id, 0, 2**64 - 1)
    commands = Database(database)
    columns = "site_id, session_id, visitor_id, day"
    touch = f"INSERT INTO touched_sessions ({columns}) SELECT DISTINCT {columns} FROM received WHERE site_id = {{site:String}}"
    database.command(touch, {"site": site.site_id})
    known = commands.query(derive.compile_known(batch))[0]
    commands.command(*derive.stage(batch), rollups.note_sessions(batch), *derive.clear(batch, known["first"], known["last"]))
    commands.command(*derive.derive(batch)[:2])  # killed after sessions and pageviews were written again
    assert held(database, site) != expected(database, site)
    (row,) = noted(database, site)
    assert row["days"] == sorted(
        {day for (day,) in database.query("SELECT DISTINCT day FROM received WHERE site_id = 'site_killed'").result_rows}
    )
    load(database, site, [])
    assert held(database, site) == expected(database, site) == before
    assert not noted(database, site)


def test_deleted_rows_are_taken_off_when_their_days_are_summed_up_again(database: SyncClient) -> None:
    site = create_site(database, Site("site_deleted", "Deleted"))
    load(database, site, data_set(Random(7), 30).rows)
    visitor = database.query("SELECT any(visitor_id) FROM interactions WHERE site_id = 'site_deleted'").result_rows[0][0]
    commands = Database(database)
    params = Params()
    clauses = [f"site_id = {params.text(site.site_id)}", f"visitor_id = {params.bind(visitor, 'UInt64')}"]
    commands.command(rollups.note(clauses, params))
    for table in rollups.SOURCES:
        database.command(f"DELETE FROM {table} WHERE site_id = 'site_deleted' AND visitor_id = {visitor}")
    assert held(database, site) != expected(database, site)
    refresh_rollups(commands, site.site_id)
    assert held(database, site) == expected(database, site)


def test_rows_stored_before_there_were_rollups_are_noted_and_summed_up(database: SyncClient) -> None:
    site = create_site(database, Site("site_backfill", "Backfill"))
    load(database, site, data_set(Random(9), 30).rows)
    before = held(database, site)
    for rollup in rollups.ROLLUPS:
        database.command(f"TRUNCATE TABLE {rollup}")
    database.command((DDL / "0006_noted_days.sql").read_text().replace("$stored", "").rstrip(";\n"))
    cached = version_of(database, site)
    refresh_rollups(Database(database), site.site_id)
    assert held(database, site) == expected(database, site) == before
    assert version_of(database, site) != cached  # a gateway may have cached that the days were noted


def test_a_rollup_that_is_new_is_summed_up_when_its_step_is_applied(database: SyncClient) -> None:
    site = create_site(database, Site("site_step", "Step"))
    load(database, site, data_set(Random(11), 30).rows)
    before = held(database, site)
    database.command("DROP VIEW folds_daily_of_interactions")
    database.command("DROP TABLE folds_daily")
    database.command("DELETE FROM migrations WHERE name = 'folds'")
    assert [step.name for step in migrate(database)] == ["folds"]
    assert held(database, site) != before
    assert rollups.note_site(site.site_id).site_ids == {site.site_id}  # which tells gateways of it
    refresh_rollups(Database(database), site.site_id)
    assert held(database, site) == expected(database, site) == before
