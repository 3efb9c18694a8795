"""Every way to say a window, as instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clickhouse.errors import BadUserInputError
from clickhouse.lens import Window
from resolvers import windows

NOW = datetime(2026, 11, 21, 13, 45, 30, 123456, tzinfo=UTC)  # a Saturday
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("-7d", "2026-11-14T13:45:30.123456+00:00", id="days roll"),
        pytest.param("-24h", "2026-11-20T13:45:30.123456+00:00", id="hours roll"),
        pytest.param("-2w", "2026-11-07T13:45:30.123456+00:00", id="weeks roll"),
        pytest.param("-1m", "2026-10-21T12:45:30.123456+00:00", id="a month keeps the local time of day"),
        pytest.param("-1q", "2026-08-21T12:45:30.123456+00:00", id="a quarter is three months"),
        pytest.param("-1y", "2025-11-21T13:45:30.123456+00:00", id="years roll"),
        pytest.param("dStart", "2026-11-21T00:00:00+01:00", id="today begins in the site's zone"),
        pytest.param("dEnd", "2026-11-22T00:00:00+01:00", id="today ends in the site's zone"),
        pytest.param("-1dStart", "2026-11-20T00:00:00+01:00", id="yesterday begins"),
        pytest.param("-1dEnd", "2026-11-21T00:00:00+01:00", id="yesterday ends where today begins"),
        pytest.param("wStart", "2026-11-16T00:00:00+01:00", id="weeks begin on Monday"),
        pytest.param("mStart", "2026-11-01T00:00:00+01:00", id="this month"),
        pytest.param("-1mStart", "2026-10-01T00:00:00+02:00", id="last month began in summer time"),
        pytest.param("-1mEnd", "2026-11-01T00:00:00+01:00", id="and ended in winter time"),
        pytest.param("qStart", "2026-10-01T00:00:00+02:00", id="this quarter"),
        pytest.param("-1yEnd", "2026-01-01T00:00:00+01:00", id="last year's end"),
        pytest.param("hStart", "2026-11-21T14:00:00+01:00", id="this hour"),
        pytest.param("2026-11-01", "2026-11-01T00:00:00+01:00", id="a date is in the site's zone"),
        pytest.param("2026-11-01T00:00:00Z", "2026-11-01T00:00:00+00:00", id="unless it says otherwise"),
    ],
)
def test_moment(text: str, expected: str) -> None:
    assert windows.moment(text, NOW, BERLIN, "window") == at(expected)


@pytest.mark.parametrize(
    "text",
    ["7d", "-7", "-7x", "d", "-d", "", "now", "-7dstart", "-99999d", "-7d ", "-9999y", "-7d\n", "-\uff11d", "9999-12-31T23:59:59-10:00"],
)
def test_a_moment_that_is_not_understood_says_what_is(text: str) -> None:
    with pytest.raises(BadUserInputError, match=r"window\.relative\.from"):
        windows.moment(text, NOW, BERLIN, "window.relative.from")


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        pytest.param("2026-03-29T01:10:00Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", id="an hour is left out"),
        pytest.param("2026-10-25T01:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", id="an hour comes twice"),
        pytest.param("2026-10-25T02:10:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z", id="and is over"),
    ],
)
def test_the_last_hour_is_sixty_minutes_also_when_clocks_change(now: str, start: str, end: str) -> None:
    assert windows.relative("-1hStart", "-1hEnd", at(now), BERLIN) == Window(at(start), at(end))
    assert windows.relative("hStart", None, at(now), BERLIN) == Window(at(end), at(now))


def test_days_are_of_24_hours_in_last_and_of_the_sites_clock_in_relative() -> None:
    for now, hours in (("2026-10-26T12:00:00Z", 169), ("2026-03-30T12:00:00Z", 167), ("2026-11-21T12:00:00Z", 168)):
        week, local = windows.last("-7d", at(now)), windows.relative("-7d", None, at(now), BERLIN)
        assert (week.end - week.start, local.end - local.start) == (timedelta(hours=168), timedelta(hours=hours))


def test_instants_out_of_range() -> None:
    with pytest.raises(BadUserInputError, match=r"window\.instants\.from"):
        windows.instants(datetime.fromisoformat("0001-01-01T00:00:00+14:00"), NOW)


@pytest.mark.parametrize("text", ["7d", "dStart", "-1mStart", "-0d", "2026-11-01"])
def test_last_only_rolls(text: str) -> None:
    with pytest.raises(BadUserInputError, match=r"window\.last"):
        windows.last(text, NOW)


@pytest.mark.parametrize(("name", "days"), [("H24", 1), ("D7", 7), ("D30", 30), ("D90", 90)])
def test_periods_roll_back_from_now(name: str, days: int) -> None:
    assert windows.period(name, NOW) == Window(NOW - timedelta(days=days), NOW)


def test_the_last_day_is_included() -> None:
    window = windows.between(date(2026, 4, 1), date(2026, 4, 30))
    assert window == Window(at("2026-04-01T00:00:00+00:00"), at("2026-05-01T00:00:00+00:00"))


def test_instants_without_a_zone_are_utc() -> None:
    window = windows.instants(datetime(2026, 4, 1, 12), datetime(2026, 4, 1, 15, tzinfo=BERLIN))
    assert window == Window(at("2026-04-01T12:00:00+00:00"), at("2026-04-01T13:00:00+00:00"))


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        pytest.param("2026-04-02T00:00:00+00:00", "2026-04-01T00:00:00+00:00", "before it begins", id="reversed"),
        pytest.param("2026-04-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00", "or is empty", id="empty"),
        pytest.param("2026-01-01T00:00:00+00:00", "2026-04-04T00:00:00+00:00", "at most 92 days", id="93 days"),
        pytest.param("1960-01-01T00:00:00+00:00", "1960-01-02T00:00:00+00:00", "between 1970", id="before time"),
    ],
)
def test_impossible_windows(start: str, end: str, reason: str) -> None:
    with pytest.raises(BadUserInputError, match=reason):
        windows.checked(Window(at(start), at(end)), max_days=92)


def test_exactly_the_longest_window_is_allowed() -> None:
    window = windows.between(date(2026, 1, 1), date(2026, 4, 2))
    assert (window.end - window.start).days == 92
    assert windows.checked(window, max_days=92) == window


def test_what_the_plan_no_longer_keeps_is_cut_off() -> None:
    window = Window(NOW - timedelta(days=100), NOW)
    assert windows.clamped(window, 90, NOW).start == at("2026-08-23T00:00:00+00:00")
    assert windows.clamped(Window(NOW - timedelta(days=90), NOW), 90, NOW).start == NOW - timedelta(days=90)


def test_a_window_that_is_wholly_gone_is_an_error() -> None:
    with pytest.raises(BadUserInputError, match="keeps 90 days"):
        windows.clamped(Window(NOW - timedelta(days=200), NOW - timedelta(days=100)), 90, NOW)
