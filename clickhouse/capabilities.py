"""Which kinds of rows a site ever sent, and so which questions it can answer."""

from __future__ import annotations

from collections.abc import Collection

from clickhouse.breakdown import DIMENSIONS
from clickhouse.numbers import kind_clause
from clickhouse.statement import Params, Statement

ROWS = {
    "sessions": ("pages", "1"),
    "clicks": ("interactions", kind_clause("CLICK")),
    "dead_clicks": ("interactions", kind_clause("DEAD_CLICK")),
    "moves": ("interactions", kind_clause("MOVE")),
    "selectors": ("interactions", f"{kind_clause('CLICK')} AND selector != ''"),
    "positions": ("elements", "1"),
    "scrolls": ("pageviews", "reached_px > viewport_height"),
    "attention": ("pageviews", "notEmpty(seen_ms)"),
    "events": ("events", "1"),
    "conversions": ("events", "conversion"),
}
"""What was received: the table in which it is found, and by which condition."""


def compile_received_kinds(site_id: str, names: Collection[str]) -> Statement:
    """One row of true and false for those of `names`: `sessions`, names of ROWS, and columns of DIMENSIONS, true where any session has a value.

    The sessions themselves are read for dimensions only.
    """
    params = Params()
    site = f"site_id = {params.site(site_id)}"
    dimensions = [column for column in DIMENSIONS.values() if column in names]
    found = [
        f"  (SELECT count() FROM (SELECT 1 FROM {table} WHERE {site} AND {where} LIMIT 1)) > 0 AS {name}"
        for name, (table, where) in ROWS.items()
        if name in names and not (dimensions and name == "sessions")
    ]
    values = [f"  countIf({column} != '') > 0 AS {column}" for column in dimensions]
    if not dimensions:
        return Statement.of(["SELECT", ",\n".join(found)], params)
    return Statement.of(["SELECT count() > 0 AS sessions,", ",\n".join(found + values), "FROM sessions", f"WHERE {site}"], params)
