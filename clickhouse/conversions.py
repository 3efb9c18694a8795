"""Who converted: sessions that did something under a lens and had a converting event afterwards, with its value.

A value is summed in millionths, an integer, and divided once; ten values of the largest that may be sent would overflow an Int64.
"""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.conditions import lens_clauses, page_column
from clickhouse.lens import Lens
from clickhouse.scroll import MAX_BUCKETS, PPT_PER_PERCENT
from clickhouse.statement import Params, Statement, union_all, where_all

MICROS = 1_000_000

REVENUE = "sumMap(revenue_micros) AS revenue_micros"
"""Currency to millionths of it, of many sessions."""


def converted_sessions(rows: list[str], group: str, lens: Lens, event: str | None, params: Params) -> list[str]:
    """One row a group and session that converted after its first of `rows`: group, session_id, events, revenue_micros by currency.

    `rows` have session_id, timestamp and the columns of `group`. `event` None: every event that converts.
    """
    named = "conversion" if event is None else f"name = {params.text(event)}"
    micros = f"toInt128(round(ifNull(value, 0) * {MICROS}))"
    return [
        f"SELECT {group}, session_id, count() AS events, sumMapIf(map(currency, {micros}), value IS NOT NULL) AS revenue_micros",
        "FROM (",
        f"SELECT {group}, session_id, min(timestamp) AS first_at",
        "FROM (",
        *rows,
        ")",
        f"GROUP BY {group}, session_id",
        ") AS session",
        "INNER JOIN (",
        "SELECT session_id, timestamp, value, toString(currency) AS currency",
        "FROM events",
        f"WHERE site_id = {params.site(lens.site_id)}",
        f"  AND day >= {params.day(lens.window.start.date())}",
        f"  AND {named}",
        ") AS event USING (session_id)",
        "WHERE event.timestamp > first_at",
        f"GROUP BY {group}, session_id",
    ]


def compile_lens_conversions(lens: Lens, page_keys: tuple[str, ...], event: str | None) -> Statement:
    """One row a page: `conversions`, the sessions of the lens that converted after their first row in it."""
    params = Params()
    where = where_all(lens_clauses(lens, page_keys, params))
    seen = f"SELECT {page_column(lens, page_keys, params)}, session_id, timestamp"
    rows = union_all([seen, f"FROM {table}", where] for table in ("pageviews", "interactions"))
    return Statement.of(
        [
            "SELECT page, count() AS conversions",
            "FROM (",
            *converted_sessions(rows, "page", lens, event, params),
            ")",
            "GROUP BY page",
        ],
        params,
    )


@dataclass(frozen=True, slots=True)
class DepthQuestion:
    """Depths in steps of percent of the page's height, or px; `event` None: every event that converts."""

    unit: str
    step: int
    event: str | None


def compile_depth_conversions(lens: Lens, page_keys: tuple[str, ...], question: DepthQuestion) -> Statement:
    """One row a page and depth, as far as anybody got: depth, and sessions, conversions and revenue_micros of those that reached it.

    A session's deepest point counts; it converted when it did so after its first pageview in the lens.
    """
    params = Params()
    return Statement.of(depth_conversions(lens, page_keys, question, params), params)


def depth_conversions(lens: Lens, page_keys: tuple[str, ...], question: DepthQuestion, params: Params) -> list[str]:
    """The rows of `compile_depth_conversions`, in its order."""
    percent = question.unit == "PERCENT"
    column, scale = ("reached_ppt", PPT_PER_PERCENT) if percent else ("reached_px", 1)
    step = params.bind(question.step * scale, "UInt64")
    where = where_all(lens_clauses(lens, page_keys, params))
    rows = [f"SELECT {page_column(lens, page_keys, params)}, session_id, timestamp", "FROM pageviews", where]
    return [
        f"SELECT page, toUInt32(bucket * {params.bind(question.step, 'UInt32')}) AS depth,",
        "  sum(ended) AS sessions, sum(ended_converted) AS conversions, sumMap(ended_micros) AS revenue_micros",
        "FROM (",
        "SELECT page, arrayJoin(range(last_bucket + 1)) AS bucket, ended, ended_converted, ended_micros",
        "FROM (",
        "SELECT page, last_bucket, count() AS ended, countIf(events > 0) AS ended_converted, sumMap(revenue_micros) AS ended_micros",
        "FROM (",
        f"SELECT {page_column(lens, page_keys, params)}, session_id, toUInt32(least(intDiv(max({column}), {step}), {MAX_BUCKETS - 1})) AS last_bucket",
        "FROM pageviews",
        where,
        "GROUP BY page, session_id",
        ") AS session",
        "LEFT JOIN (",
        *converted_sessions(rows, "page", lens, question.event, params),
        ") AS converted USING (page, session_id)",
        "GROUP BY page, last_bucket",
        ")",
        ")",
        "GROUP BY page, bucket",
        "ORDER BY page, bucket",
    ]
