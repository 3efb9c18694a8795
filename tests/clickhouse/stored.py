"""What the tables hold for a site, in a form that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from clickhouse.rollups import ROLLUPS
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
    keys = sorting_key(database, table)
    if table in ROLLUPS:
        columns, group = _sums(table, keys), "GROUP BY ALL"
    final = "FINAL" if table in _FINAL else ""
    sql = f"SELECT {columns} FROM {table} {final} WHERE site_id = {{site:String}} {group}"
    rows = list(database.query(sql, {"site": site_id}).named_results())
    for row in rows:
        row.pop("derived_at", None)
    if table in ROLLUPS:  # where all adds up to nothing, a merge leaves it out
        rows = [row for row in rows if any(row[name] for name in row.keys() - set(keys))]
    return sorted(rows, key=repr)


def sorting_key(database: Client, table: str) -> list[str]:
    """The columns by which the table is sorted; of a Distributed one, that which holds its rows."""
    asked = (
        "SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name IN ({table:String}, {table:String} || '_local')"
    )
    return str(database.command(f"{asked} ORDER BY sorting_key DESC LIMIT 1", {"table": table})).split(", ")


def _sums(rollup: str, keys: Sequence[str]) -> str:
    """Columns by which it makes no difference how much of a rollup is merged, on which node, and when its rows expire."""
    columns = TABLES[rollup].columns.keys() - {"site_id", "expires_on"}
    return ", ".join(name if name in keys else f"sum({name}) AS {name}" for name in sorted(columns))
