"""Sessions by id: who they were and where their replay begins."""

from __future__ import annotations

from clickhouse.statement import Params, Statement


def compile_sessions(site_id: str, session_ids: tuple[int, ...]) -> Statement:
    """One row for each of the ids that exists."""
    params = Params()
    return Statement.of(
        [
            "SELECT *",
            "FROM sessions FINAL",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND session_id IN {params.bind(list(session_ids), 'Array(UInt64)')}",
        ],
        params,
    )


def compile_session_by_key(site_id: str, session_keys: tuple[str, ...]) -> Statement:
    """The same by the session's id as sent."""
    params = Params()
    return Statement.of(
        [
            "SELECT *",
            "FROM sessions FINAL",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND session_id IN (SELECT cityHash64(arrayJoin({params.texts(session_keys)})))",
        ],
        params,
    )
