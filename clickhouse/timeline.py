"""A lens's numbers by hour, day or week of the site's time zone; where nothing happened they are zeros.

Instants are put into intervals by the zone's own clock: the day on which clocks change has 23 or 25 hours, and stays one day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from clickhouse.conditions import page_column
from clickhouse.lens import Lens
from clickhouse.selection import Leaf, Selection, Shape, compile_json, json_array
from clickhouse.statement import Params, Statement
from clickhouse.totals import TOTALS, lens_rows

INTERVALS = {
    "HOUR": "addMinutes(subtractMinutes(toStartOfMinute({at}, {zone}), toMinute({at}, {zone})) AS hour, toMinute(hour))",
    "DAY": "toStartOfDay({at}, {zone})",
    "WEEK": "toDateTime(toStartOfWeek({at}, 1, {zone}), {zone})",
}
"""Interval to the instant at which it begins; weeks begin on Monday. An hour begins as many minutes ago as the clock shows; where that
is at half past, clocks were changed by half an hour since, on the hour."""

INTO_NEXT_H = {"HOUR": 1, "DAY": 36, "WEEK": 180}
"""Hours after its start at which the next interval lasts, even where a midnight never is or a whole day is left out."""

STRIDE_S = {"HOUR": 1800, "DAY": 43_200, "WEEK": 86_400}
"""Strides short enough to set foot in every interval, even when clocks change."""

COUNTS = ("pageviews", "visitors", "sessions", "clicks", "rage_clicks", "dead_clicks")

TIMELINE_POINT = Shape(
    "TimelinePoint",
    {
        "start": Leaf("replaceRegexpOne(formatDateTime(start, '%FT%T%z', zone), '(..)$', ':\\\\1')", "String"),
        "isPartial": Leaf("is_partial", "Bool"),
        "pageviews": Leaf("pageviews", "UInt64"),
        "visitors": Leaf("visitors", "UInt64"),
        "sessions": Leaf("sessions", "UInt64"),
        "clicks": Leaf("clicks", "UInt64"),
        "rageClicks": Leaf("rage_clicks", "UInt64"),
        "deadClicks": Leaf("dead_clicks", "UInt64"),
    },
)


@dataclass(frozen=True, slots=True)
class TimelineQuestion:
    """`time_zone` is an IANA name; `selection` is what is wanted of each point."""

    interval: str
    time_zone: str
    selection: Selection


def timeline_rows(lens: Lens, page_keys: tuple[str, ...], question: TimelineQuestion, params: Params) -> list[str]:
    """One row for each page and interval of the window: page and the columns of TIMELINE_POINT."""
    zone = params.text(question.time_zone)
    begin, end = params.utc(lens.window.start), params.utc(lens.window.end)
    start_of = INTERVALS[question.interval]
    next_start = start_of.format(at=f"addHours(start, {INTO_NEXT_H[question.interval]})", zone=zone)
    strides = (lens.window.end - lens.window.start) // timedelta(seconds=STRIDE_S[question.interval])
    moments = f"arrayMap(stride -> addSeconds({begin}, stride * {STRIDE_S[question.interval]}), range({strides + 2}))"
    moment = f"least(arrayJoin({moments}), subtractMilliseconds({end}, 1))"
    columns = (page_column(lens, page_keys, params), f"{start_of.format(at='timestamp', zone=zone)} AS start")
    return [
        f"SELECT page, start, {', '.join(COUNTS)},",
        f"  {zone} AS zone, start < {begin} OR {next_start} > {end} AS is_partial",
        "FROM (",
        f"SELECT DISTINCT arrayJoin({params.texts(page_keys or ('',))}) AS page, {start_of.format(at='moment', zone=zone)} AS start",
        f"FROM (SELECT {moment} AS moment)",
        ") AS intervals",
        "LEFT JOIN (",
        "SELECT page, start,",
        ",\n".join(f"  {TOTALS[count]} AS {count}" for count in COUNTS),
        "FROM (",
        *lens_rows(lens, page_keys, params, columns=columns),
        ")",
        "GROUP BY page, start",
        ") AS counted USING (page, start)",
    ]


def compile_timeline(lens: Lens, page_keys: tuple[str, ...], question: TimelineQuestion) -> Statement:
    """One row a page: `points`, a JSON array in the order of time."""
    params = Params()
    points = json_array(compile_json(question.selection, TIMELINE_POINT), "start")
    return Statement.of(
        [
            f"SELECT page, {points} AS points",
            "FROM (",
            *timeline_rows(lens, page_keys, question, params),
            ")",
            "GROUP BY page",
        ],
        params,
    )
