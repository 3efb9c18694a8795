"""What the tables hold for a site, in a form that can be compared."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.client import Client

from clickhouse.rollups import FEEDS, ROLLUPS
from clickhouse.tables import TABLES

DERIVED = ("interactions", "pageviews", "events", "sessions", "elements", "pages", "visitors")
_FINAL = ("received", "sessions", "elements", "visitors")


def stored(database: Client, site_id: str, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table but for their site and the moment they were derived, in one order; of a rollup its sums."""
    every = ("received", "touched_sessions", "stale_days", *DERIVED, *ROLLUPS)
    return {table: _rows(database, site_id, table) for table in tables or every}


def _rows(database: Client, site_id: str, table: str) -> list[dict[str, Any]]:
    columns, group = ("* EXCEPT site_id", "")
    if table in ("interactions", "pageviews"):
        columns += ", url"
    if table == "pages":
        columns, group = ("page_key, min(first_seen), max(last_seen), max(has_heat)", "GROUP BY page_key")
    if table in ROLLUPS:
        columns, group = _sums(table), "GROUP BY ALL"
    final = "FINAL" if table in _FINAL else ""
    sql = f"SELECT {columns} FROM {table} {final} WHERE site_id = {{site:String}} {group}"
    rows = list(database.query(sql, {"site": site_id}).named_results())
    for row in rows:
        row.pop("derived_at", None)
    return sorted(rows, key=repr)


def _sums(rollup: str) -> str:
    """Columns by which it makes no difference how much of a rollup is merged, on which node, and when its rows expire."""
    added = {name for feed in FEEDS if feed.rollup == rollup for name in feed.written if name not in feed.copied}
    columns = TABLES[rollup].columns.keys() - {"site_id", "expires_on"}
    return ", ".join(f"sum({name}) AS {name}" if name in added else name for name in sorted(columns))
