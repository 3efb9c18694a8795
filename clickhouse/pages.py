"""Which pages a site has: whether a key was ever seen, and which pages its plan covers."""

from __future__ import annotations

from clickhouse.conditions import url_clauses
from clickhouse.lens import UrlRule
from clickhouse.statement import Params, Statement


def compile_seen(site_id: str, page_keys: tuple[str, ...]) -> Statement:
    """One row for each of the keys that was ever seen: page_key, has_heat."""
    params = Params()
    return Statement.of(
        [
            "SELECT page_key, max(has_heat) AS has_heat",
            "FROM pages",
            f"WHERE site_id = {params.site(site_id)}",
            f"  AND page_key IN {params.texts(page_keys)}",
            "GROUP BY page_key",
        ],
        params,
    )


def compile_tracked(site_id: str, max_pages: int) -> Statement:
    """The pages a plan covers: the first ones seen."""
    params = Params()
    return Statement.of(
        [
            "SELECT page_key",
            "FROM pages",
            f"WHERE site_id = {params.site(site_id)}",
            "GROUP BY page_key",
            "ORDER BY min(first_seen), page_key",
            f"LIMIT {params.bind(max_pages, 'UInt32')}",
        ],
        params,
    )


def compile_extent(site_id: str) -> Statement:
    """One row: when the site's data begins and ends, null without data, and the number of pages."""
    params = Params()
    return Statement.of(
        [
            "SELECT minOrNull(first_seen) AS data_from, maxOrNull(last_seen) AS data_to, uniqExact(page_key) AS pages",
            "FROM pages",
            f"WHERE site_id = {params.site(site_id)}",
        ],
        params,
    )


def compile_tracked_by_rule(site_id: str, rule: UrlRule, tracked: tuple[str, ...] | None) -> Statement:
    """One row: whether pages of the rule that the plan covers, `tracked`, ever had heatmap rows, `has_heat` 0 or 1, and whether other
    pages of it had, `not_covered` 0 or 1.

    Rules on the page key are read off `pages`; those on the URL as received off the rows, because scrolling alone leaves no interaction.
    """
    params = Params()
    where = " AND ".join([f"site_id = {params.site(site_id)}", *url_clauses(rule, params)])
    table, heat = ("pages", "has_heat") if rule.is_of_keys else ("received", "type NOT IN ('pageview', 'event', 'element')")

    def any_row(condition: str) -> str:
        return f"(SELECT toUInt8(count() > 0) FROM (SELECT 1 FROM {table} WHERE {where} AND {condition} LIMIT 1))"

    if tracked is None:
        return Statement.of([f"SELECT {any_row(heat)} AS has_heat, 0 AS not_covered"], params)
    covered = f"page_key IN {params.texts(tracked)}"
    return Statement.of(
        [f"SELECT {any_row(f'{covered} AND {heat}')} AS has_heat, {any_row(f'NOT {covered} AND {heat}')} AS not_covered"], params
    )
