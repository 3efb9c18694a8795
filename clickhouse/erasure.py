"""Forgetting visitors: everything they did and were goes, and what they shared with others is derived anew from what is left.

`gateway.forget` runs it in this order; killed anywhere and run again it ends complete:

    touch(…), forget_rows(…)                  of each portion; their sessions are noted before their rows go
    derivation of the touched sessions        takes away what was derived from these rows
    forget_traces(…), forget_pages(…)         their sessions last: they tell a later run what there is to take away
    erase()                                   from the disk too
"""

from __future__ import annotations

from clickhouse.rollups import ROLLUPS
from clickhouse.statement import Params, Statement, union_all, where_all
from clickhouse.tables import TABLES


def compile_rows(site_id: str, visitor_keys: tuple[str, ...]) -> Statement:
    """One row: `rows` and `visitors`, how many rows of how many of the visitors are stored."""
    params = Params()
    return Statement.of(
        ["SELECT count() AS rows, uniqExact(visitor_id) AS visitors", "FROM received", where_all(_theirs(site_id, visitor_keys, params))],
        params,
    )


def touch(site_id: str, visitor_keys: tuple[str, ...]) -> Statement:
    """Notes every session with a row of theirs, or that began as theirs with rows that have expired since, on every day it has rows."""
    params = Params()
    theirs = where_all(_theirs(site_id, visitor_keys, params))
    return Statement.of(
        [
            "INSERT INTO touched_sessions (site_id, session_id, visitor_id, day)",
            "SELECT DISTINCT site_id, session_id, visitor_id, day",
            "FROM received",
            f"WHERE site_id = {params.text(site_id)}",
            "  AND session_id GLOBAL IN (",
            *union_all(["SELECT session_id", f"FROM {table}", theirs] for table in ("received", "sessions")),
            ")",
            "SETTINGS parallel_distributed_insert_select = 0",  # a shard alone cannot find the others' sessions
        ],
        params,
    )


def forget_rows(site_id: str, visitor_keys: tuple[str, ...]) -> Statement:
    return _forget("received", site_id, visitor_keys)


def compile_unseen_pages(site_id: str) -> Statement:
    """Pages that nobody has seen whose rows are left. Asked before they are deleted: a DELETE on one node would ask the others."""
    params = Params()
    return Statement.of(
        [
            "SELECT DISTINCT page_key",
            "FROM pages",
            f"WHERE site_id = {params.text(site_id)}",
            f"  AND page_key GLOBAL NOT IN (SELECT page_key FROM received WHERE site_id = {params.text(site_id)})",
        ],
        params,
    )


def forget_traces(site_id: str, visitor_keys: tuple[str, ...]) -> list[Statement]:
    """Takes them out of cohorts, and deletes who they were and their sessions."""
    return [_forget(table, site_id, visitor_keys) for table in ("cohort_members", "visitors", "sessions")]


def forget_pages(site_id: str, page_keys: tuple[str, ...]) -> Statement:
    params = Params()
    return Statement.delete("pages", [f"site_id = {params.text(site_id)}", f"page_key IN {params.texts(page_keys)}"], params)


def erase() -> list[Statement]:
    """A deleted row is only hidden until its part is merged; this rewrites the parts that have any."""
    of_visitors = (name for name, table in TABLES.items() if "visitor_id" in table.columns)
    tables = (*of_visitors, "elements", "pages", *ROLLUPS, "stale_days")
    return [Statement(f"ALTER TABLE {table} APPLY DELETED MASK", {}, changes=table) for table in tables]


def _forget(table: str, site_id: str, visitor_keys: tuple[str, ...]) -> Statement:
    params = Params()
    return Statement.delete(table, _theirs(site_id, visitor_keys, params), params)


def _theirs(site_id: str, visitor_keys: tuple[str, ...], params: Params) -> list[str]:
    visitors = f"SELECT cityHash64(arrayJoin({params.texts(visitor_keys)}))"
    return [f"site_id = {params.text(site_id)}", f"visitor_id IN ({visitors})"]
