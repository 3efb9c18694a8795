"""How long rows are kept follows the site's plan, also for rows that were loaded under another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from clickhouse.client import open_sync
from clickhouse.sites import LAST_DAY, Site, compile_retain, insert_site
from clickhouse.statement import Statement
from gateway import sites
from gateway.__main__ import main
from gateway.database import open_database
from gateway.settings import Settings
from gateway.sites import require_site
from tests.asking import NOW


def run(dsn: str, *arguments: str) -> None:
    result = CliRunner().invoke(main, [*arguments, "--clickhouse", dsn])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("plan", "days"), [("business", 365), ("pro", 90)])
def test_a_new_plan_keeps_what_is_there(dsn: str, tmp_path: Path, plan: str, days: int) -> None:
    site = f"site_{plan}"
    run(dsn, "sites", "create", site, "--retention-days", "100")
    day = NOW - timedelta(days=85)
    base = {
        "timestamp": day.isoformat(),
        "sessionId": "s",
        "visitorId": "v",
        "url": "https://example.com/",
        "viewportWidth": 800,
        "x": 1,
        "y": 1,
    }
    types = {"pageview": {}, "click": {}, "event": {"name": "signup"}, "element": {"selector": "#buy"}}
    file = tmp_path / "rows.ndjson"
    file.write_bytes(b"".join(orjson.dumps(base | {"type": kind} | fields) + b"\n" for kind, fields in types.items()))
    run(dsn, "load", str(file), "--site", site)
    run(dsn, "sites", "set", site, "--plan", plan)
    database = open_sync(dsn)
    for table in LAST_DAY:
        found = database.query(f"SELECT DISTINCT expires_on FROM {table} WHERE site_id = {{site:String}}", {"site": site}).result_rows
        assert found == [((day + timedelta(days=days + 1)).date(),)], table
    database.close()


def test_what_is_no_longer_kept_goes(dsn: str, tmp_path: Path) -> None:
    site = "site_short"
    run(dsn, "sites", "create", site)
    row = {"timestamp": (NOW - timedelta(days=9)).isoformat(), "sessionId": "s", "visitorId": "v", "url": "https://example.com/"}
    file = tmp_path / "rows.ndjson"
    file.write_bytes(orjson.dumps(row | {"type": "click", "x": 1, "y": 1}) + b"\n")
    run(dsn, "load", str(file), "--site", site)
    run(dsn, "sites", "set", site, "--retention-days", "5")
    database = open_sync(dsn)
    for table in ("received", "interactions", "sessions"):
        database.command(f"OPTIMIZE TABLE {table} FINAL")
        assert database.command(f"SELECT count() FROM {table} WHERE site_id = '{site}'") == 0, table
    database.close()


def test_what_is_set_while_retention_changes_stays(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = "site_renamed"
    run(dsn, "sites", "create", site, "--name", "Old")

    def meanwhile(changed: Site) -> list[Statement]:
        with open_database(Settings(clickhouse=dsn)) as database:
            database.insert(insert_site(replace(require_site(database, site), name="New"), datetime.now(UTC)))
        return compile_retain(changed)

    monkeypatch.setattr(sites, "compile_retain", meanwhile)
    run(dsn, "sites", "set", site, "--retention-days", "5")
    with open_database(Settings(clickhouse=dsn)) as database:
        changed = require_site(database, site)
    assert (changed.name, changed.retention_days) == ("New", 5)
