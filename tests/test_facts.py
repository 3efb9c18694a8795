"""What `load` derives is what the plain model of `tests.reference` derives, whatever the order and division of the rows."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.sites import Site
from tests.asking import create_site, load
from tests.reference.facts import PLACED, ElementRow, Fact, Facts, Interaction, Pageview, Visit, facts_of
from tests.reference.rows import Row, data_set
from tests.reference.url import page_key

Stored = dict[str, Any]

COLUMNS = {
    "timestamp": "toUnixTimestamp64Milli(t.timestamp)",
    "started_at": "toUnixTimestamp64Milli(t.started_at)",
    "ended_at": "toUnixTimestamp64Milli(t.ended_at)",
    "kind": "toString(t.kind)",
    "session_key": "s.session_key",
    "visitor_key": "s.visitor_key",
}
"""How a column is read, if not as it is."""
AS_NAMED = {"asterisk_include_alias_columns": 1}


def of_fact(fact: Fact) -> Stored:
    return {
        "timestamp": fact.timestamp_ms,
        "session_key": fact.session,
        "visitor_key": fact.visitor,
        "url": fact.url,
        "page_key": fact.page_key,
        "viewport_width": fact.viewport_width,
        "viewport_height": fact.viewport_height,
        "page_height": fact.page_height,
    } | of_visitor(fact)


def of_visitor(fact: Fact) -> Stored:
    return {
        "device": fact.device,
        "breakpoint": fact.breakpoint,
        **{("traffic_source" if name == "trafficSource" else name): value for name, value in fact.dimensions.items()},
        "entry_page": page_key(fact.entry_url),
        "is_test": fact.is_test,
    }


def of_interaction(one: Interaction) -> Stored:
    return of_fact(one) | {
        "kind": next(kind for kind, name in PLACED.items() if name == one.kind),
        "x": float(one.x),
        "y": float(one.y),
        "fixed": one.fixed,
        "clicks": one.clicks,
        "selector": one.selector,
        "since_pageview_ms": -1 if one.since_pageview_ms is None else one.since_pageview_ms,
    }


def of_pageview(view: Pageview) -> Stored:
    tops, heights, times = zip(*view.looks, strict=True) if view.looks else ((), (), ())
    return of_fact(view) | {
        "reached_px": view.deepest_px,
        "reached_ppt": int(view.deepest_share * 10**12),
        "seen_y_px": [*tops],
        "seen_height_px": [*heights],
        "seen_ms": [*times],
        "on_page_ms": view.on_page_ms,
        "session_pageviews": view.session_pageviews,
    }


def of_visit(visit: Visit, facts: Facts) -> Stored:
    session = visit.first.session
    pageviews = [view for view in facts.pageviews if view.session == session]
    interactions = [one for one in facts.interactions if one.session == session]
    return of_visitor(visit.first) | {
        "session_key": session,
        "visitor_key": visit.first.visitor,
        "started_at": visit.first.timestamp_ms,
        "ended_at": visit.ended_ms,
        "entry_url": visit.first.entry_url,
        "pageviews": len(pageviews),
        "pages": len({view.page_key for view in pageviews}),
        "clicks": sum(one.is_click for one in interactions),
        "rage_clicks": sum(one.kind == "RAGE_CLICK" for one in interactions),
        "dead_clicks": sum(one.kind == "DEAD_CLICK" for one in interactions),
    }


def of_element(row: ElementRow) -> Stored:
    return {
        "timestamp": row.timestamp_ms,
        "page_key": row.page_key,
        "selector": row.selector,
        "breakpoint": row.breakpoint,
        "y": float(row.top),
        "fixed": row.fixed,
    }


def expected(rows: Iterable[Row]) -> dict[str, list[Stored]]:
    """Table -> its rows."""
    facts = facts_of(rows)
    latest = {(row.page_key, row.selector, row.breakpoint): row for row in sorted(facts.elements, key=lambda row: row.timestamp_ms)}
    return {
        "interactions": [of_interaction(one) for one in facts.interactions],
        "pageviews": [of_pageview(view) for view in facts.pageviews],
        "sessions": [of_visit(visit, facts) for visit in facts.visits],
        "events": [
            {"timestamp": one.timestamp_ms, "session_key": one.session, "name": one.name, "conversion": one.converts}
            for one in facts.events
        ],
        "elements": [of_element(row) for row in latest.values()],
    }


def stored(database: SyncClient, site: Site, table: str, columns: Iterable[str]) -> list[Stored]:
    """The table's rows; `session_key` and `visitor_key` are those of the row's `session_id` and `visitor_id`."""
    wanted = ", ".join(f"{COLUMNS.get(column, f't.{column}')} AS `{column}`" for column in columns)
    rows = f"(SELECT * FROM {table} {'FINAL' if table in ('sessions', 'elements') else ''} WHERE site_id = {{site:String}}) AS t"
    sessions = (
        "(SELECT sessions.*, visitor_key FROM sessions FINAL ANY LEFT JOIN (SELECT visitor_id, visitor_key FROM visitors FINAL"
        " WHERE site_id = {site:String}) AS visitors USING (visitor_id) WHERE site_id = {site:String}) AS s"
        " ON t.session_id = s.session_id AND t.visitor_id = s.visitor_id"
    )
    found = database.query(
        f"SELECT {wanted} FROM {rows} {'' if table == 'elements' else 'LEFT JOIN ' + sessions}", {"site": site.site_id}, AS_NAMED
    )
    return list(found.named_results())


def in_order(rows: Iterable[Stored]) -> list[Stored]:
    return sorted(rows, key=lambda row: repr(sorted(row.items())))


@pytest.mark.parametrize("seed", range(2))
def test_tables_are_the_facts(database: SyncClient, seed: int) -> None:
    rows = data_set(Random(seed), sessions=60).rows
    site = create_site(database, Site(f"seed_{seed}", "facts"))
    assert not load(database, site, rows).rejected
    for table, facts in expected(rows).items():
        assert in_order(stored(database, site, table, facts[0])) == in_order(facts), table


def test_order_division_and_repetition_of_rows_change_nothing(database: SyncClient) -> None:
    """Rows go to other files, some late and some twice; every table ends the same, identities of rows included."""
    random = Random(5)
    rows = data_set(random, sessions=40).rows
    at_once, in_parts = (create_site(database, Site(name, name)) for name in ("at_once", "in_parts"))
    load(database, at_once, rows)
    random.shuffle(rows)
    for part in (rows[0::3], rows[1::3], rows[0::3], rows[2::3], rows[::-7]):
        load(database, in_parts, part)
    for table in ("received FINAL", "interactions", "pageviews", "events", "sessions FINAL", "elements FINAL"):
        contents = f"SELECT * EXCEPT (site_id) {'EXCEPT (derived_at)' if 'sessions' in table else ''} FROM {table}"
        one, other = (
            database.query(f"{contents} WHERE site_id = {{site:String}} ORDER BY ALL", {"site": site.site_id}).result_rows
            for site in (at_once, in_parts)
        )
        assert one and one == other, table
