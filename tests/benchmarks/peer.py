"""PostHog's own layout of the same rows and its own SQL, from its public sources: what our answers are compared with.

Coordinates and viewports are stored ÷ 16, as PostHog stores them. The pages listing is no question PostHog answers from this table;
it is asked the way its SQL would ask it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from clickhouse_connect.driver.client import Client

from tests.benchmarks.traffic import Traffic, insert

DDL = (
    """
    CREATE TABLE heatmaps
    (
        session_id String,
        team_id Int64,
        distinct_id String,
        timestamp DateTime64(6, 'UTC'),
        x Int16,
        y Int16,
        scale_factor Int16,
        viewport_width Int16,
        viewport_height Int16,
        pointer_target_fixed Bool,
        current_url String,
        type LowCardinality(String)
    )
    ENGINE = MergeTree
    PARTITION BY toYYYYMM(timestamp)
    ORDER BY (type, team_id, toDate(timestamp), current_url, viewport_width)
    SETTINGS default_compression_codec = 'LZ4'
    """,
    """
    CREATE TABLE heatmap_cohort (team_id Int64, cohort_id Int64, distinct_id String)
    ENGINE = MergeTree
    ORDER BY (team_id, cohort_id, distinct_id)
    SETTINGS default_compression_codec = 'LZ4'
    """,
)

SHARED = {
    "session_id": "session_key",
    "team_id": "site_number",
    "distinct_id": "visitor_key",
    "timestamp": "timestamp",
    "scale_factor": "16",
    "viewport_width": "intDiv(viewport_width, 16)",
    "viewport_height": "intDiv(viewport_height, 16)",
    "current_url": "url",
}
INTERACTIONS = SHARED | {
    "x": "intDiv(x, 16)",
    "y": "intDiv(y, 16)",
    "pointer_target_fixed": "fixed",
    "type": "multiIf(kind = 'move', 'mousemove', kind = 'rage', 'rageclick', 'click')",
}
SCROLLS = SHARED | {"x": "0", "y": "intDiv(scroll_y, 16)", "pointer_target_fixed": "false", "type": "'scrolldepth'"}

TEN_MILLION = "LIMIT 10000000"


def generate_peer(client: Client, traffic: Traffic) -> Iterator[str]:
    """Makes PostHog's tables in the client's database; the INSERTs of the same rows, which may run side by side."""
    for ddl in DDL:
        client.command(ddl)
    members = traffic.sessions_select({"team_id": "site_number", "distinct_id": "visitor_key", "visitor_id": "visitor_id"})
    yield f"INSERT INTO heatmap_cohort SELECT DISTINCT team_id, 1, distinct_id FROM (\n{members}\n) WHERE visitor_id % 10 = 0"
    for first, count in traffic.batches():
        yield insert("heatmaps", INTERACTIONS, traffic.interactions_select(INTERACTIONS, first, count))
        yield insert("heatmaps", SCROLLS, traffic.pageviews_select(SCROLLS, first, count))


def exact(url: str) -> str:
    return f"trimRight(current_url, '/') = '{url}'"


def pattern(url: str) -> str:
    """`*` is any text."""
    return f"match(current_url, '^{url.replace('.', '[.]').replace('*', '.*')}$')"


def page(key: str) -> str:
    """The page with any query: what PostHog has a pattern for."""
    return f"match(current_url, '^{key.replace('.', '[.]')}([?].*)?$')"


def predicates(team: int, days: tuple[date, date], type_: str, url: str, *more: str) -> str:
    """Both days included."""
    clauses = [
        f"team_id = {team}",
        f"timestamp >= toDateTime64('{days[0]} 00:00:00', 6, 'UTC')",
        f"timestamp <= toDateTime64('{days[1]} 23:59:59.999999', 6, 'UTC')",
        f"type = '{type_}'",
        *([url] if url else []),
        *more,
    ]
    return " AND ".join(clauses)


def heatmap(where: str, first: int, count: str = "count()") -> str:
    """One more point than asked for says whether there are more."""
    return f"""
        SELECT pointer_target_fixed, pointer_relative_x, client_y, {count} AS cnt
        FROM (
            SELECT distinct_id, pointer_target_fixed, round(x / viewport_width, 2) AS pointer_relative_x, y * scale_factor AS client_y
            FROM heatmaps
            WHERE {where} AND NOT (x = 0 AND y = 0)
        )
        GROUP BY pointer_target_fixed, pointer_relative_x, client_y
        ORDER BY cnt DESC
        LIMIT {first + 1}"""


UNIQUE_VISITORS = "count(DISTINCT distinct_id)"


def scroll(where: str) -> str:
    return f"""
        SELECT bucket, cnt AS bucket_count, sum(cnt) OVER (ORDER BY bucket DESC) AS cumulative_count
        FROM (
            SELECT intDiv(scroll_y, 100) * 100 AS bucket, count() AS cnt
            FROM (SELECT distinct_id, (y + viewport_height) * scale_factor AS scroll_y FROM heatmaps WHERE {where})
            GROUP BY bucket
        )
        ORDER BY bucket
        {TEN_MILLION}"""


def fold(where: str) -> str:
    return f"""
        SELECT count(), countIf(y >= viewport_height), quantileExactInclusive(0.5)(viewport_height) * 16
        FROM heatmaps
        WHERE {where} AND NOT pointer_target_fixed AND NOT (x = 0 AND y = 0)"""


def drill_down(where: str, relative_x: float, y: int) -> str:
    return f"""
        SELECT session_id, distinct_id, timestamp, round(x / viewport_width, 2) AS pointer_relative_x, y * scale_factor AS pointer_y,
            current_url, type
        FROM heatmaps
        WHERE {where} AND round(x / viewport_width, 2) = {relative_x} AND y * scale_factor = {y} AND NOT pointer_target_fixed
        ORDER BY timestamp DESC
        LIMIT 51"""


def in_cohort(team: int) -> str:
    return f"distinct_id IN (SELECT distinct_id FROM heatmap_cohort WHERE team_id = {team} AND cohort_id = 1)"


def pages(team: int, days: tuple[date, date], first: int, visitors: bool) -> str:
    people = ", count(DISTINCT distinct_id) AS visitors, count(DISTINCT session_id) AS sessions" if visitors else ""
    where = predicates(team, days, "", "").replace(" AND type = ''", "")
    return f"""
        SELECT cutQueryStringAndFragment(current_url) AS page, countIf(type = 'click') AS clicks, countIf(type = 'rageclick') AS rage_clicks,
            countIf(type = 'scrolldepth') AS pageviews{people}
        FROM heatmaps
        WHERE {where}
        GROUP BY page
        ORDER BY clicks DESC, page
        LIMIT {first + 1}"""
