"""Who is behind the numbers: a lens's sessions by device, country, traffic source and the like, most sessions first.

A session counts under one value, that of its first row, with all it did; and values beyond the first ones are folded into a last row.
So sessions, pageviews and clicks add up to the totals. Visitors need not: one who came from two places is counted at both.
"""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.conditions import page_column
from clickhouse.lens import Lens
from clickhouse.numbers import rate_shape
from clickhouse.selection import Leaf, Selection, Shape, compile_json, json_array
from clickhouse.statement import Params, Statement
from clickhouse.totals import COUNTS, TOTALS, lens_rows

DIMENSIONS = {
    "DEVICE": "device",
    "BREAKPOINT": "breakpoint",
    "BROWSER": "browser",
    "COUNTRY": "country",
    "REGION": "region",
    "TRAFFIC_SOURCE": "traffic_source",
    "CAMPAIGN": "campaign",
    "VARIANT": "variant",
    "ENTRY_PAGE": "entry_page",
}
"""Dimension to the column that interactions, pageviews and sessions have it in; '' is unknown."""

FIRST_VALUE = "substring(min(concat(reverse(reinterpretAsFixedString(toUnixTimestamp64Milli(timestamp))), value)), 9)"
"""That of a session's first row, of several at once the least, as `argMin(value, (timestamp, value))` has it, in half the time: the bytes of an
instant, highest first, sort as it does."""

BREAKDOWN_ROW = Shape(
    "BreakdownRow",
    {
        "value": Leaf("nullIf(value, '')", "Nullable(String)"),
        "label": Leaf("multiIf(is_other, 'Other', value = '', 'Unknown', value)", "String"),
        "isOther": Leaf("is_other", "Bool"),
        "pageviews": Leaf("pageviews", "UInt64"),
        "visitors": Leaf("visitors", "UInt64"),
        "sessions": Leaf("sessions", "UInt64"),
        "clicks": Leaf("clicks", "UInt64"),
        "rageClicks": Leaf("rage_clicks", "UInt64"),
        "deadClicks": Leaf("dead_clicks", "UInt64"),
        "share": rate_shape("sessions", "all_sessions", "SESSIONS", subset=True),
    },
)


@dataclass(frozen=True, slots=True)
class BreakdownQuestion:
    """`selection` is what is wanted of each row."""

    dimension: str
    first: int
    selection: Selection


def breakdown_rows(rows: list[str], first: int, params: Params, by: str = "page") -> list[str]:
    """One row for each of the `first` values and one for the others, per `by`: `place` and the columns of BREAKDOWN_ROW.

    `rows` are lines of a SELECT with the columns of `by` and value (String), kind, timestamp, session_id, visitor_id.
    """
    last = params.bind(first + 1, "UInt32")
    sums = [f"  sum({count}) AS {count}," for count in COUNTS]
    return [
        f"SELECT {by}, place, place = {last} AS is_other, if(is_other, '', any(value)) AS value,",
        *sums,
        "  uniqExactMerge(people) AS visitors, sum(sessions) AS sessions, any(all_sessions) AS all_sessions",
        "FROM (",
        f"SELECT *, sum(sessions) OVER (PARTITION BY {by}) AS all_sessions,",
        f"  least({last}, row_number() OVER (PARTITION BY {by} ORDER BY sessions DESC, clicks DESC, value)) AS place",
        "FROM (",
        f"SELECT {by}, value,",
        *sums,
        "  uniqExactStateArray(people) AS people, count() AS sessions",
        "FROM (",
        f"SELECT {by}, {FIRST_VALUE} AS value,",
        *[f"  {TOTALS[count]} AS {count}," for count in COUNTS],
        "  groupUniqArray(visitor_id) AS people",
        "FROM (",
        *rows,
        ")",
        f"GROUP BY {by}, session_id",
        ")",
        f"GROUP BY {by}, value",
        ")",
        ")",
        f"GROUP BY {by}, place",
    ]


def breakdown_json(selection: Selection) -> str:
    """A JSON array of the rows in the order of `place`, under a GROUP BY of what they are per."""
    return json_array(compile_json(selection, BREAKDOWN_ROW), "place")


def compile_breakdown(lens: Lens, page_keys: tuple[str, ...], question: BreakdownQuestion) -> Statement:
    """One row a page that has rows: `rows`, a JSON array."""
    params = Params()
    rows = rows_by_dimension(lens, page_keys, question, params)
    return Statement.of([f"SELECT page, {breakdown_json(question.selection)} AS rows", "FROM (", *rows, ")", "GROUP BY page"], params)


def rows_by_dimension(lens: Lens, page_keys: tuple[str, ...], question: BreakdownQuestion, params: Params) -> list[str]:
    columns = (f"toString({DIMENSIONS[question.dimension]}) AS value", "timestamp", page_column(lens, page_keys, params))
    return breakdown_rows(lens_rows(lens, page_keys, params, columns=columns), question.first, params)
