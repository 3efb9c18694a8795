"""Every way to say a window of time, as instants; pure, the present is an argument.

last("-7d", now)                            now - 7 days … now
between(date(2026, 4, 1), date(2026, 4, 30))  whole UTC days, both included
relative("-1mStart", "-1mEnd", now, zone)   the whole previous month in the site's time zone
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from dateutil.relativedelta import MO, relativedelta

from clickhouse import clock
from clickhouse.errors import BadUserInputError
from clickhouse.lens import Window

PERIODS = {"H24": timedelta(hours=24), "D7": timedelta(days=7), "D30": timedelta(days=30), "D90": timedelta(days=90)}

_RELATIVE = re.compile(r"(?:-([0-9]{1,4}))?([hdwmqy])(Start|End)?")
_STEP = {
    "d": relativedelta(days=1),
    "w": relativedelta(weeks=1),
    "m": relativedelta(months=1),
    "q": relativedelta(months=3),
    "y": relativedelta(years=1),
}
_HOW = "use a count and a unit of h, d, w, m, q, y, as in -7d or -24h, or a unit's edge, as in dStart, -1mStart, -1mEnd"


def moment(text: str, now: datetime, zone: ZoneInfo, argument: str) -> datetime:
    """The UTC instant of `-7d` (rolled back from now), `dStart`, `-1mStart`, `-1mEnd` (edges, in the site's zone) or an ISO date.

    An `…End` is the first instant after the unit, because windows exclude their end.
    """
    match = _RELATIVE.fullmatch(text)
    if not match or (match[1] is None and match[3] is None):
        return _iso(text, zone, argument)
    count, unit, edge = int(match[1] or 0), match[2], match[3]
    try:
        if unit == "h":  # always sixty minutes, also when clocks change, where a local time comes twice or never
            past = _hour_start(now, zone) if edge else now
            return past - timedelta(hours=count - (edge == "End"))
        if edge is None:
            return (now.astimezone(zone) - _STEP[unit] * count).astimezone(UTC)
        start = _unit_start(now.astimezone(zone), unit) - _STEP[unit] * count
        return (start + _STEP[unit] if edge == "End" else start).astimezone(UTC)
    except (OverflowError, ValueError):
        raise BadUserInputError(f"{argument}: {text!r} reaches too far back.", argument=argument) from None


def _iso(text: str, zone: ZoneInfo, argument: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise BadUserInputError(f"{argument}: {text!r} is no relative date; {_HOW}, or an ISO 8601 date.", argument=argument) from None
    return _in_utc(parsed, zone, argument)


def _in_utc(instant: datetime, zone: tzinfo, argument: str) -> datetime:
    """Without a zone of its own it is in `zone`."""
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise BadUserInputError(f"{argument}: the date is out of range.", argument=argument) from None


def _hour_start(now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    return now - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _unit_start(local: datetime, unit: str) -> datetime:
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "d":
            return day
        case "w":
            return day + relativedelta(weekday=MO(-1))
        case "m":
            return day.replace(day=1)
        case "q":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case _:
            return day.replace(month=1, day=1)


def last(text: str, now: datetime) -> Window:
    """`-7d`, `-24h`: until now."""
    match = _RELATIVE.fullmatch(text)
    if not match or match[1] is None or match[3] or int(match[1]) == 0:
        raise BadUserInputError(f"window.last: {text!r} is not understood; use -7d, -24h, -4w or -3m.", argument="window.last")
    return Window(moment(text, now, ZoneInfo("UTC"), "window.last"), now)


def period(name: str, now: datetime) -> Window:
    return Window(now - PERIODS[name], now)


def between(first_day: date, last_day: date) -> Window:
    """Whole UTC days, both included."""
    if first_day > last_day:
        raise BadUserInputError(f"window.between: {first_day} is after {last_day}; swap the two.", argument="window.between")
    try:
        end = last_day + timedelta(days=1)
    except OverflowError:
        raise BadUserInputError("window.between.to: the date is out of range.", argument="window.between.to") from None
    return Window(datetime.combine(first_day, time(), UTC), datetime.combine(end, time(), UTC))


def instants(start: datetime, end: datetime) -> Window:
    """Without a zone an instant is UTC."""
    return Window(_in_utc(start, UTC, "window.instants.from"), _in_utc(end, UTC, "window.instants.to"))


def relative(start: str, end: str | None, now: datetime, zone: ZoneInfo) -> Window:
    begin = moment(start, now, zone, "window.relative.from")
    return Window(begin, moment(end, now, zone, "window.relative.to") if end else now)


def checked(window: Window, max_days: int) -> Window:
    """To the millisecond; an error when reversed, empty or longer than the site allows."""
    start, end = (clock.to_millisecond(instant) for instant in (window.start, window.end))
    if start >= end:
        raise BadUserInputError(
            f"window: it ends ({end.isoformat()}, excluded) before it begins ({start.isoformat()}) or is empty; swap the two or ask for more.",
            argument="window",
        )
    if end - start > timedelta(days=max_days, hours=2):  # two hours: a change of clocks in the site's zone
        raise BadUserInputError(f"window: at most {max_days} days at once; ask for shorter windows.", argument="window", maxDays=max_days)
    if start.year < 1970 or end.year > 2100:
        raise BadUserInputError("window: dates lie between 1970 and 2100.", argument="window")
    return Window(start, end)


def clamped(window: Window, retention_days: int, now: datetime) -> Window:
    """The part of the window that the plan still keeps, by whole UTC days; an error when nothing of it is."""
    kept = datetime.combine(now.date() - timedelta(days=retention_days), time(), UTC)
    if window.end <= kept:
        raise BadUserInputError(
            f"window: the site's plan keeps {retention_days} days; ask for a window that ends after {kept.date().isoformat()}.",
            argument="window",
            retentionDays=retention_days,
        )
    return Window(max(window.start, kept), window.end)
