"""Sessions by id: who they were and where their replay begins."""

from __future__ import annotations

from clickhouse.statement import Params, Statement

NOT_SHOWN = "is_test, pageviews, derived_at, expires_on"
_SELDOM_SHOWN = "region, campaign, variant"
"""Columns that no replay shows, and those that are asked for on their own (`compile_session_columns`): each costs a seek a session."""


def compile_sessions(site_id: str, session_ids: tuple[int, ...]) -> Statement:
    """One row for each of the ids that exists."""
    params = Params()
    return Statement.of(whole_sessions(site_id, params, f"session_id IN {params.hashes(session_ids)}"), params)


def compile_session_columns(columns: tuple[str, ...], site_id: str, session_ids: tuple[int, ...]) -> Statement:
    """The same, of each only its id and these columns: for many sessions every column costs."""
    params = Params()
    return Statement.of(
        [
            f"SELECT session_id, {', '.join(columns)}",
            "FROM sessions FINAL",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND session_id IN {params.hashes(session_ids)}",
        ],
        params,
    )


def compile_visitor_names(site_id: str, visitor_ids: tuple[int, ...]) -> Statement:
    """The ids of visitors as sent; a row may be there more than once."""
    params = Params()
    return Statement.of(
        [
            "SELECT visitor_id, visitor_key",
            "FROM visitors",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND visitor_id IN {params.hashes(visitor_ids)}",
        ],
        params,
    )


def compile_sessions_by_key(site_id: str, session_keys: tuple[str, ...]) -> Statement:
    """The rows of `compile_sessions`, by the sessions' ids as sent."""
    params = Params()
    wanted = f"session_id IN (SELECT cityHash64(arrayJoin({params.texts(session_keys)})))"
    return Statement.of(whole_sessions(site_id, params, wanted), params)


def whole_sessions(site_id: str, params: Params, wanted: str, left_out: str = f"{_SELDOM_SHOWN}, {NOT_SHOWN}") -> list[str]:
    """Lines of a SELECT of the site's `wanted` sessions, with the visitor's id as sent."""
    of_site = f"WHERE site_id = {params.site(site_id)}"
    where = [of_site, f"  AND {wanted}"]
    return [
        "SELECT *",
        "FROM (",
        f"SELECT * EXCEPT ({left_out})",
        "FROM sessions FINAL",
        *where,
        ") AS known",
        "ANY LEFT JOIN (",
        "SELECT visitor_id, visitor_key",
        "FROM visitors",
        of_site,
        "  AND visitor_id IN (",
        "SELECT visitor_id",
        "FROM sessions",
        *where,
        ")",
        ") AS visitors USING (visitor_id)",
    ]
