"""What is derived from rows: against the reference model on random visits, and one by one where the model is silent."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given, settings

from clickhouse.derive import Batch, clear
from clickhouse.sites import Site
from tests.asking import load
from tests.clickhouse.stored import stored
from tests.reference.facts import Fact, facts_of
from tests.reference.rows import DataSet, data_sets

START = (datetime.now(UTC) - timedelta(days=2)).replace(hour=10, minute=0, second=0, microsecond=0)
DIMENSIONS = {"browser": "browser", "country": "country", "region": "region", "trafficSource": "traffic_source", "campaign": "campaign"}

Row = dict[str, Any]


def row(type_: str, at_s: float = 0, url: str = "https://a.de/", **own: Any) -> Row:
    moment = (START + timedelta(seconds=at_s)).isoformat()
    return {"type": type_, "timestamp": moment, "sessionId": "s", "visitorId": "v", "url": url, **own}


def derived(database: Client, *rows: Row) -> dict[str, list[Row]]:
    site = Site(f"site_{uuid.uuid4().hex}", "Test")
    summary = load(database, site, rows)
    assert not summary.rejected
    return stored(database, site.site_id)


def ms(moment: datetime) -> int:
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def seen_by_a_lens(fact: Fact) -> tuple[Any, ...]:
    sizes = (fact.viewport_width, fact.viewport_height, fact.page_height)
    dimensions = tuple(fact.dimensions[name] for name in DIMENSIONS)
    return (fact.timestamp_ms, fact.page_key, fact.url, *sizes, fact.breakpoint, fact.device, *dimensions, fact.is_test)


def seen_in(row: Row) -> tuple[Any, ...]:
    names = ("page_key", "url", "viewport_width", "viewport_height", "page_height", "breakpoint", "device", *DIMENSIONS.values(), "is_test")
    return (ms(row["timestamp"]), *(row[name] for name in names))


@settings(max_examples=8, deadline=None)
@given(data_sets())
def test_agrees_with_the_model(database: Client, data: DataSet) -> None:
    tables, facts = derived(database, *data.rows), facts_of(data.rows)
    assert Counter(
        (*seen_in(row), row["kind"], row["x"], row["y"], row["clicks"], row["since_pageview_ms"]) for row in tables["interactions"]
    ) == Counter(
        (
            *seen_by_a_lens(fact),
            {"CLICK": "click", "DEAD_CLICK": "dead", "RAGE_CLICK": "rage", "MOVE": "move"}[fact.kind],
            float(fact.x),
            float(fact.y),
            fact.clicks,
            -1 if fact.since_pageview_ms is None else fact.since_pageview_ms,
        )
        for fact in facts.interactions
    )
    assert Counter(
        (
            *seen_in(row), row["reached_px"], row["reached_ppt"], row["on_page_ms"], row["session_pageviews"],
            *sorted(zip(row["seen_y_px"], row["seen_height_px"], row["seen_ms"], strict=True)),
        )
        for row in tables["pageviews"]
    ) == Counter(
        (
            *seen_by_a_lens(view), view.deepest_px, int(view.deepest_share * 10**12), view.on_page_ms, view.session_pageviews,
            *sorted(view.looks),
        )
        for view in facts.pageviews
    )  # fmt: skip
    assert Counter((ms(row["timestamp"]), row["name"], row["conversion"]) for row in tables["events"]) == Counter(
        (event.timestamp_ms, event.name, event.converts) for event in facts.events
    )
    latest = {(e.page_key, e.selector, e.breakpoint): float(e.top) for e in sorted(facts.elements, key=lambda e: e.timestamp_ms)}
    assert {(row["page_key"], row["selector"], row["breakpoint"]): row["y"] for row in tables["elements"]} == latest
    assert {row["session_key"]: row["entry_url"] for row in tables["sessions"]} == {
        fact.session: fact.entry_url for fact in [*facts.pageviews, *facts.interactions]
    } | {row["session_key"]: row["entry_url"] for row in tables["sessions"] if not row["pageviews"] + row["clicks"]}


def test_a_session(database: Client) -> None:
    tables = derived(
        database,
        row("pageview", viewportWidth=1024, viewportHeight=700, referrer="https://www.google.com/search", country="DE", isTest=True),
        row("click", 1, x=1, y=1),
        row("dead", 2, x=1, y=1),
        row("pageview", 3, "https://a.de/b", country="US"),
        row("rage", 4, "https://a.de/b", x=1, y=1),
        row("event", 9, "https://a.de/b", name="signup"),
    )
    (session,) = tables["sessions"]
    assert (session["pageviews"], session["pages"], session["clicks"], session["rage_clicks"], session["dead_clicks"]) == (2, 2, 2, 1, 1)
    assert (session["session_key"], tables["visitors"][0]["visitor_key"], session["entry_page"]) == ("s", "v", "https://a.de/")
    assert (session["device"], session["breakpoint"], session["country"], session["traffic_source"]) == (
        "DESKTOP",
        "DESKTOP",
        "DE",
        "google.com",
    )
    assert (ms(session["started_at"]), ms(session["ended_at"]), session["is_test"]) == (ms(START), ms(START) + 9000, True)
    assert [(view["country"], view["on_page_ms"]) for view in tables["pageviews"]] == [("DE", 3000), ("US", 6000)]
    assert [row["clicks"] for row in tables["interactions"] if row["kind"] == "rage"] == [5]
    assert tables["touched_sessions"] == []


def test_the_referrer_of_another_page_of_the_site_is_no_source(database: Client) -> None:
    tables = derived(
        database,
        row("pageview", referrer="https://www.a.de/x"),
        row("pageview", 1, referrer="https://b.de/"),
        row("pageview", 2, trafficSource="mail"),
    )
    assert {view["traffic_source"] for view in tables["pageviews"]} == {"mail"}
    tables = derived(database, row("pageview", referrer="https://www.a.de/x"), row("pageview", 1, referrer="https://b.de/"))
    assert {view["traffic_source"] for view in tables["pageviews"]} == {"b.de"}


def test_a_referrers_host_is_the_same_in_capitals(database: Client) -> None:
    sources = {"https://A.de/x": "", "HTTPS://WWW.A.DE": "", "https://Google.com/X": "google.com", "https://www.google.com/": "google.com"}
    sessions = derived(database, *(row("pageview", sessionId=referrer, referrer=referrer) for referrer in sources))["sessions"]
    assert {session["session_key"]: session["traffic_source"] for session in sessions} == sources


def test_an_entry_page_may_be_a_path(database: Client) -> None:
    (session,) = derived(database, row("click", 1, "http://A.de:80/x", x=1, y=1, entryPage="/Start/?a=1"))["sessions"]
    assert (session["entry_url"], session["entry_page"]) == ("http://a.de/Start/?a=1", "http://a.de/Start")


def test_an_entry_page_is_kept_with_its_scheme_in_lower_case(database: Client) -> None:
    (session,) = derived(database, row("click", x=1, y=1, entryPage="HTTPS://A.de/Start?A"))["sessions"]
    assert (session["entry_url"], session["entry_page"]) == ("https://A.de/Start?A", "https://a.de/Start")
    (session,) = derived(database, row("click", x=1, y=1, entryPage="Start"))["sessions"]
    assert (session["entry_url"], session["entry_page"]) == ("Start", "Start")


def test_an_entry_path_is_of_the_first_pages_origin(database: Client) -> None:
    """However deep that page lies, whatever its path holds, and with its port."""
    origins = ("https://www.b.com", "http://b.com:8080", "https://[2001:db8::1]:444")
    firsts = {origin + path: f"{origin}/pricing" for origin in origins for path in ("", "/docs/x", "/docs/@x/y?z=/#/")}
    sessions = derived(database, *(row("pageview", url=url, sessionId=url, entryPage="/pricing") for url in firsts))["sessions"]
    assert {session["session_key"]: session["entry_page"] for session in sessions} == firsts


def test_an_entry_page_without_a_scheme_has_the_first_pages(database: Client) -> None:
    (session,) = derived(database, row("click", url="https://b.com/x", x=1, y=1, entryPage="//A.de/Start/"))["sessions"]
    assert (session["entry_url"], session["entry_page"]) == ("https://A.de/Start/", "https://a.de/Start")


def test_a_viewport_nobody_sent_is_the_standard_one(database: Client) -> None:
    tables = derived(database, row("click", x=1, y=1, device="mobile"))
    assert [(click["viewport_width"], click["viewport_height"], click["breakpoint"]) for click in tables["interactions"]] == [
        (375, 667, "MOBILE")
    ]
    tables = derived(database, row("click", x=1, y=1))
    assert [(click["viewport_width"], click["viewport_height"], click["device"]) for click in tables["interactions"]] == [
        (1280, 1024, "DESKTOP")
    ]


def test_what_the_tracker_said_of_the_device_counts(database: Client) -> None:
    (click,) = derived(database, row("click", x=1, y=1, device="tablet", viewportWidth=1100))["interactions"]
    assert (click["device"], click["breakpoint"]) == ("TABLET", "DESKTOP")


def test_a_row_of_its_own_is_no_test_account(database: Client) -> None:
    tables = derived(database, row("click", x=1, y=1), row("click", 1, x=1, y=1, isTest=False), row("click", 2, x=1, y=1, isTest=True))
    assert [click["is_test"] for click in sorted(tables["interactions"], key=lambda click: click["timestamp"])] == [True, False, True]


def test_a_page_without_height_is_reached_in_pixels_only(database: Client) -> None:
    (view,) = derived(database, row("pageview", viewportWidth=400, viewportHeight=600), row("scroll", 1, scrollY=99.5))["pageviews"]
    assert (view["reached_px"], view["reached_ppt"], view["on_page_ms"]) == (699, 0, 1000)


def test_a_page_does_not_inherit_the_height_of_another(database: Client) -> None:
    sent: Row = {"viewportWidth": 400, "viewportHeight": 600, "pageHeight": 3000}
    rows = [row("pageview", **sent), row("pageview", 1, "https://a.de/b"), row("pageview", 2), row("click", 3, "https://a.de/b", x=1, y=1)]
    tables, facts = derived(database, *rows), facts_of(rows)
    assert sorted((view["page_key"], view["page_height"], view["reached_px"], view["reached_ppt"]) for view in tables["pageviews"]) == [
        *[("https://a.de/", 3000, 600, 200_000_000_000)] * 2,
        ("https://a.de/b", 0, 600, 0),
    ]
    assert [click["page_height"] for click in tables["interactions"]] == [0]
    assert [(view.page_height, view.deepest_share) for view in facts.pageviews] == [(3000, Fraction(1, 5)), (0, 0), (3000, Fraction(1, 5))]


def test_a_session_of_one_moment_has_no_time_on_page(database: Client) -> None:
    assert [view["on_page_ms"] for view in derived(database, row("pageview"))["pageviews"]] == [None]


def test_a_stay_of_months_is_cut_at_what_the_column_holds(database: Client) -> None:
    days_s = 86_400
    tables = derived(database, row("pageview", -60 * days_s), row("pageview", -10 * days_s, "https://a.de/b"), row("click", x=1, y=1))
    assert [view["on_page_ms"] for view in sorted(tables["pageviews"], key=lambda view: view["timestamp"])] == [
        2**32 - 1,
        10 * days_s * 1000,
    ]


def test_scrolling_makes_a_pageview_and_clicking_does_not(database: Client) -> None:
    assert derived(database, row("click", x=1, y=1))["pageviews"] == []
    tables = derived(database, row("scroll", 1, scrollY=5), row("scroll", 2, scrollY=50), row("click", 3, x=1, y=1))
    assert [ms(view["timestamp"]) for view in tables["pageviews"]] == [ms(START) + 1000]
    assert [click["since_pageview_ms"] for click in tables["interactions"]] == [2000]


def test_a_burst_is_like_its_first_click_with_its_commonest_element(database: Client) -> None:
    tables = derived(
        database,
        *(
            row("click", at / 10, x=10 + at, y=20, selector="#a" if at in (0, 4) else "#b", tag="b", href=f"/{at}", viewportWidth=800)
            for at in range(5)
        ),
    )
    (burst,) = [row for row in tables["interactions"] if row["kind"] == "rage"]
    assert (burst["x"], burst["y"], burst["clicks"], burst["selector"], burst["href"]) == (12, 20, 5, "#b", "/0")
    assert (ms(burst["timestamp"]), burst["viewport_width"], burst["labelled"]) == (ms(START), 800, False)
    assert [session["rage_clicks"] for session in tables["sessions"]] == [1]


@pytest.mark.parametrize("viewed", ["pageview", "scroll"])
def test_a_row_whose_order_is_that_of_a_pageview_is_none(database: Client, viewed: str) -> None:
    """Of rows of one moment 20 bits of their identity tell the order, which these two have in common."""
    alike = "SELECT groupArray(2)(number) AS pair FROM numbers(5000) GROUP BY bitAnd(cityHash64('eventId', toString(number)), 1048575)"
    one, other = database.query(f"SELECT pair FROM ({alike}) WHERE length(pair) = 2 ORDER BY pair LIMIT 1").result_rows[0][0]
    view = row(viewed, eventId=str(one), scrollY=0 if viewed == "scroll" else None)
    tables = derived(database, view, row("element", eventId=str(other), selector="#a"))
    assert [(view["session_pageviews"], session["pageviews"]) for view in tables["pageviews"] for session in tables["sessions"]] == [(1, 1)]


def test_of_two_rows_with_one_event_id_the_first_counts(database: Client) -> None:
    """In one load or in two; in another session or on another day it is another row."""
    site = Site(f"site_{uuid.uuid4().hex}", "Test")
    first = row("click", x=1, y=1, eventId="e")
    rows = [first, first | {"x": 2}, first | {"x": 3, "sessionId": "other"}, row("click", -86_400, x=4, y=1, eventId="e"), first | {"x": 5}]
    load(database, site, rows[:3])
    load(database, site, rows[3:])
    found = sorted(click["x"] for click in stored(database, site.site_id)["interactions"])
    assert found == sorted(click.x for click in facts_of(rows).interactions) == [1, 3, 4]


def test_a_robot_that_clicks_everywhere_at_once(database: Client) -> None:
    """The memory it takes grows with the clicks, not with their square."""
    clicks = [row("click", sessionId="robot", x=number % 150 / 10, y=number // 150 / 10) for number in range(20_000)]
    site = Site(f"site_{uuid.uuid4().hex}", "Test")
    database.set_client_setting("max_memory_usage", 900_000_000)
    try:
        load(database, site, clicks)
    finally:
        database.set_client_setting("max_memory_usage", 0)
    kinds = Counter(str(found["kind"]) for found in stored(database, site.site_id, "interactions")["interactions"])
    assert kinds == {"click": 20_000, "rage": 1}


def test_a_bursts_element_is_the_commonest_selector(database: Client) -> None:
    """A counter tells another text at every click."""
    texts = ["#n 1", "#n 2", "#n 2", "#n 3", "#m x", "#m x", "#m x"]
    clicks = (row("click", at / 10, x=1, y=1, tag="b", selector=text[:2], text=text) for at, text in enumerate(texts))
    (burst,) = [found for found in derived(database, *clicks)["interactions"] if found["kind"] == "rage"]
    assert (burst["clicks"], burst["selector"], burst["text"]) == (7, "#n", "#n 2")


def test_events_convert_by_flag_or_value(database: Client) -> None:
    events = derived(
        database,
        row("event", name="a", plan="pro"),
        row("event", name="b", conversion=True),
        row("event", name="c", value=0, currency="EUR"),
    )["events"]
    assert [(event["name"], event["conversion"], event["properties"]) for event in sorted(events, key=lambda event: event["name"])] == [
        ("a", False, {"plan": '"pro"'}),
        ("b", True, {}),
        ("c", True, {}),
    ]


def test_an_element_moves_when_its_breakpoint_becomes_known(database: Client) -> None:
    """Told without a viewport it stands on the desktop; a late pageview says mobile. The other session's older place comes back."""
    site = Site(f"site_{uuid.uuid4().hex}", "Test")
    element = row("element", 5, selector="#a", x=1, y=100, width=10, height=10)
    load(database, site, [element, {**element, "sessionId": "other", "y": 50, "timestamp": START.isoformat()}])
    assert [(told["breakpoint"], told["y"]) for told in stored(database, site.site_id)["elements"]] == [("DESKTOP", 100)]
    load(database, site, [row("pageview", viewportWidth=400)])
    told = {element["breakpoint"]: element["y"] for element in stored(database, site.site_id)["elements"]}
    assert told == {"MOBILE": 100, "DESKTOP": 50}
    assert stored(database, site.site_id)["touched_sessions"] == []


def test_a_session_derived_by_a_clock_that_was_ahead_is_replaced(database: Client) -> None:
    site = Site(f"site_{uuid.uuid4().hex}", "Test")
    load(database, site, [row("click", x=1, y=1)])
    ahead = "* REPLACE (derived_at + toIntervalHour(1) AS derived_at)"
    database.command(f"INSERT INTO sessions SELECT {ahead} FROM sessions WHERE site_id = '{site.site_id}'")
    load(database, site, [row("click", 1, x=1, y=1)])
    assert [session["clicks"] for session in stored(database, site.site_id)["sessions"]] == [2]


def test_a_node_clears_by_the_sessions_it_holds() -> None:
    for statement in clear(Batch("shop", 0, 2**64 - 1), date(2026, 11, 1), date(2026, 11, 2)):
        on_node = statement.on_node()
        assert on_node.sql.startswith(f"DELETE FROM {statement.changes}_local\n")
        assert re.findall(r"FROM (\w+)", on_node.sql) == [f"{statement.changes}_local", "touched_sessions_local"]
        assert on_node.params == statement.params
