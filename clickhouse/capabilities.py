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
} | {column: ("sessions", f"{column} != ''") for column in DIMENSIONS.values()}
"""What was received, the columns of dimensions among it: the table in which it is found, and by which condition."""

EARLY = "max_threads = 1, max_block_size = 8192"
"""One granule after the other until a row is found. Without it each thread begins with tens of thousands of rows. Of the statement, not
of each subquery: those would ask shards side by side and hang up on them, which has been seen to end the process of a shard."""


def compile_received_kinds(site_id: str, names: Collection[str]) -> Statement:
    """One row of true and false for those of `names`, which are names of ROWS. For what was never sent one column of all the site's rows is read."""
    params = Params()
    site = f"site_id = {params.site(site_id)}"
    found = [
        f"  (SELECT count() FROM (SELECT 1 FROM {table} WHERE {site} AND {where} LIMIT 1)) > 0 AS {name}"
        for name, (table, where) in ROWS.items()
        if name in names
    ]
    return Statement.of(["SELECT", ",\n".join(found), f"SETTINGS {EARLY}"], params)
