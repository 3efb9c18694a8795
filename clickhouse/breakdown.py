"""Who is behind the numbers: a lens's rows by device, country, traffic source and the like, most sessions first.

A row of the answer is what the lens would give with its segment narrowed to that value. Values beyond the first ones are folded
into a last row, so that pageviews and clicks add up to the totals; sessions do too, but for those seen under two values.
"""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.lens import Lens
from clickhouse.numbers import kind_clause, rate_shape
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement
from clickhouse.totals import lens_rows

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
    """`rows` are the selections by the key each answers under."""

    dimension: str
    first: int
    rows: tuple[tuple[str, Selection], ...] = ()


def breakdown_rows(rows: list[str], first: int, params: Params, by: str = "page") -> list[str]:
    """One row for each of the `first` values and one for the others, per `by`: `place` and the columns of BREAKDOWN_ROW.

    `rows` are lines of a SELECT with the columns of `by` and value (String), kind, session_id, visitor_id.
    """
    last = params.bind(first + 1, "UInt32")
    counts = ("pageviews", "clicks", "rage_clicks", "dead_clicks")
    return [
        f"SELECT {by}, place, place = {last} AS is_other, if(is_other, '', any(value)) AS value,",
        *[f"  sum({count}) AS {count}," for count in counts],
        "  uniqExactMerge(visitor_states) AS visitors,",
        "  uniqExactMerge(session_states) AS sessions,",
        "  any(all_sessions) AS all_sessions",
        "FROM (",
        f"SELECT *, uniqExactMerge(session_states) OVER (PARTITION BY {by}) AS all_sessions,",
        f"  row_number() OVER (PARTITION BY {by} ORDER BY finalizeAggregation(session_states) DESC, clicks DESC, value) AS rank,",
        f"  least(rank, {last}) AS place",
        "FROM (",
        f"SELECT {by}, value,",
        "  countIf(kind = 'pageview') AS pageviews,",
        f"  countIf({kind_clause('CLICK')}) AS clicks,",
        "  countIf(kind = 'rage') AS rage_clicks,",
        "  countIf(kind = 'dead') AS dead_clicks,",
        "  uniqExactState(visitor_id) AS visitor_states,",
        "  uniqExactState(session_id) AS session_states",
        "FROM (",
        *rows,
        ")",
        f"GROUP BY {by}, value",
        ")",
        ")",
        f"GROUP BY {by}, place",
    ]


def breakdown_json(selection: Selection) -> str:
    """A JSON array of the rows in the order of `place`, under a GROUP BY of what they are per."""
    row = compile_json(selection, BREAKDOWN_ROW)
    return f"toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray((place, {row})))))"


def compile_breakdown_rows(lens: Lens, page_keys: tuple[str, ...], question: BreakdownQuestion) -> Statement:
    """The rows themselves: page, place and the columns of BREAKDOWN_ROW."""
    params = Params()
    return Statement.of(_rows(lens, page_keys, question, params), params)


def compile_breakdown(lens: Lens, page_keys: tuple[str, ...], question: BreakdownQuestion) -> Statement:
    """One row a page: `rows_KEY`, a JSON array, for each selection."""
    params = Params()
    lists = "".join(f",\n  {breakdown_json(selection)} AS `rows_{key}`" for key, selection in question.rows)
    return Statement.of([f"SELECT page{lists}", "FROM (", *_rows(lens, page_keys, question, params), ")", "GROUP BY page"], params)


def _rows(lens: Lens, page_keys: tuple[str, ...], question: BreakdownQuestion, params: Params) -> list[str]:
    dimension = f"toString({DIMENSIONS[question.dimension]}) AS value"
    page = "'' AS page" if lens.url else "row_page AS page"
    rows = [f"SELECT {page}, value, kind, session_id, visitor_id", "FROM (", *lens_rows(lens, page_keys, params, columns=(dimension,)), ")"]
    return breakdown_rows(rows, question.first, params)
