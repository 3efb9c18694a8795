"""How far down people get: the deepest point of each pageview, visitor or session first, then how many reached a depth."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.conditions import lens_clauses, page_column
from clickhouse.lens import Lens
from clickhouse.numbers import rate_shape
from clickhouse.planner import plan
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement

MAX_BUCKETS = 2000
PPT_PER_PERCENT = 10_000_000_000

SCROLL_BUCKET = {
    basis: Shape(
        "ScrollBucket",
        {
            "depth": Leaf("depth", "UInt32"),
            "visitors": Leaf("reached", "UInt64"),
            "count": Leaf("ended", "UInt64"),
            "reach": rate_shape("reached", "population", basis, subset=True),
        },
    )
    for basis in ("PAGEVIEWS", "VISITORS", "SESSIONS")
}

WHO = {"TOTAL": "PAGEVIEWS", "UNIQUE_VISITORS": "VISITORS", "UNIQUE_SESSIONS": "SESSIONS"}
"""Aggregation to whose deepest point counts, which is also the basis of the reach."""


OPTIONAL = frozenset({"visitors", "fold_height"})
"""Numbers that need another pass over the pageviews."""


@dataclass(frozen=True, slots=True)
class ScrollQuestion:
    """`step` is in percent of the page's height or in px; `buckets` are the selections by the key each answers under.

    `wanted` are those of OPTIONAL that are asked for.
    """

    unit: str
    step: int
    aggregation: str
    buckets: tuple[tuple[str, Selection], ...] = ()
    wanted: frozenset[str] = frozenset()


def _column(unit: str) -> str:
    return "reached_ppt" if unit == "PERCENT" else "reached_px"


def _deepest(lens: Lens, page_keys: tuple[str, ...], unit: str, aggregation: str, params: Params) -> list[str]:
    """One row a pageview, visitor or session: page, deepest (1e-12 of the page's height, or px) and the pageviews behind it."""
    column = _column(unit)
    rows = ["FROM pageviews", "WHERE " + "\n  AND ".join(lens_clauses(lens, page_keys, params))]
    if aggregation == "TOTAL":
        return [f"SELECT {page_column(lens, page_keys, params)}, {column} AS deepest, 1 AS views", *rows]
    who = "visitor_id" if aggregation == "UNIQUE_VISITORS" else "session_id"
    return [f"SELECT {page_column(lens, page_keys, params)}, max({column}) AS deepest, count() AS views", *rows, f"GROUP BY page, {who}"]


def _depths(lens: Lens, page_keys: tuple[str, ...], unit: str, aggregation: str, params: Params) -> list[str]:
    """Rows of a page and a depth: how many `ended` there, and the pageviews behind them; a depth may come twice."""
    if aggregation != "TOTAL":
        rows = _deepest(lens, page_keys, unit, aggregation, params)
        return ["SELECT page, deepest, count() AS ended, sum(views) AS pageviews", "FROM (", *rows, ")", "GROUP BY page, deepest"]
    column = _column(unit)
    chosen = plan(lens, {column, "pageviews"})
    tables = {
        **({chosen.rollup: ("sum(pageviews)", chosen.rollup_clauses(lens, page_keys, params))} if chosen.rollup else {}),
        **({"pageviews": ("count()", chosen.raw_clauses(lens, page_keys, params))} if chosen.reads_rows else {}),
    }
    selects = [
        [
            f"SELECT {page_column(lens, page_keys, params)}, {column} AS deepest, {count} AS ended, ended AS pageviews",
            f"FROM {table}",
            "WHERE " + "\n  AND ".join(clauses),
            "GROUP BY page, deepest",
        ]
        for table, (count, clauses) in tables.items()
    ]
    return [line for select in selects for line in ("UNION ALL", *select)][1:]


def _median(ladder: str, count: str) -> str:
    """Of `ladder`, an array of (value, how many) in order; between two values their mean."""
    places = (f"intDiv({count} - 1, 2)", f"intDiv({count}, 2)")
    return (
        "(" + " + ".join(f"{ladder}.1[arrayFirstIndex(passed -> passed > {place}, arrayCumSum({ladder}.2))]" for place in places) + ") / 2"
    )


def depth_counts(lens: Lens, page_keys: tuple[str, ...], question: ScrollQuestion, params: Params) -> list[str]:
    """One row a page: population, pageviews, average_depth, median_depth, and arrays from the top down: depths, ended_by_depth, reached_by_depth."""
    percent = question.unit == "PERCENT"
    step = params.bind(question.step * PPT_PER_PERCENT if percent else question.step, "UInt64")
    scale = f" / {PPT_PER_PERCENT}" if percent else ""
    last = f"intDiv({100 * PPT_PER_PERCENT}, {step})" if percent else "max(bucket)"
    return [
        f"SELECT page, population, pageviews, average_depth, {_median('ladder', 'population')}{scale} AS median_depth,",
        f"  arrayMap(bucket -> toUInt32(bucket * {params.bind(question.step, 'UInt32')}), range(last_bucket + 1)) AS depths,",
        "  arrayMap(bucket -> ended_in[toUInt32(bucket)], range(last_bucket + 1)) AS ended_by_depth,",
        "  arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth",
        "FROM (",
        "SELECT page, sum(ended) AS population, sum(pageviews) AS pageviews,",
        f"  sum(deepest_sum) / population{scale} AS average_depth,",
        "  arraySort(arrayFlatten(groupArray(ladder))) AS ladder,",
        f"  toUInt32({last}) AS last_bucket,",
        "  sumMap(map(bucket, ended)) AS ended_in",
        "FROM (",
        f"SELECT page, toUInt32(least(intDiv(deepest, {step}), {MAX_BUCKETS - 1})) AS bucket, sum(ended) AS ended, sum(pageviews) AS pageviews,",
        "  sum(toUInt128(deepest) * ended) AS deepest_sum, groupArray((deepest, ended)) AS ladder",
        "FROM (",
        *_depths(lens, page_keys, question.unit, question.aggregation, params),
        ")",
        "GROUP BY page, bucket",
        ")",
        "GROUP BY page",
        ")",
    ]


def compile_scroll(lens: Lens, page_keys: tuple[str, ...], question: ScrollQuestion) -> Statement:
    """One row a page: pageviews, average_depth, median_depth and `buckets_KEY`, JSON, for each selection; visitors and fold_height if `wanted`."""
    params = Params()
    lists = []
    for key, selection in question.buckets:
        bucket = compile_json(selection, SCROLL_BUCKET[WHO[question.aggregation]])
        rows = f"arrayMap((depth, reached, ended) -> {bucket}, depths, reached_by_depth, ended_by_depth)"
        lists.append(f"  toJSONString({rows}) AS `buckets_{key}`")
    again = question.wanted - ({"visitors"} if question.aggregation == "UNIQUE_VISITORS" else frozenset())
    numbers = {
        "visitors": "uniqExact(visitor_id)",
        "fold_height": "toUInt32(round(quantileExactInclusive(0.5)(viewport_height)))",
    }
    populations = [
        ") AS depths",
        "INNER JOIN (",
        f"SELECT {page_column(lens, page_keys, params)}, {', '.join(f'{numbers[name]} AS {name}' for name in sorted(again))}",
        "FROM pageviews",
        "WHERE " + "\n  AND ".join(lens_clauses(lens, page_keys, params)),
        "GROUP BY page",
        ") AS population_of_page USING (page)",
    ]
    visitors = "visitors" if "visitors" in again else "population AS visitors"
    fold_height = "fold_height" if "fold_height" in again else "0 AS fold_height"
    return Statement.of(
        [
            f"SELECT page, pageviews, {visitors}, {fold_height}, average_depth, median_depth" + ("," if lists else ""),
            ",\n".join(lists),
            "FROM (",
            *depth_counts(lens, page_keys, question, params),
            *(populations if again else [")"]),
        ],
        params,
    )


def compile_depth_reached(lens: Lens, page_keys: tuple[str, ...], unit: str, aggregation: str, shares: tuple[float, ...]) -> Statement:
    """One row a page: `depths`, for each share the depth that at least this share of them reached."""
    params = Params()
    scale = f" / {PPT_PER_PERCENT}" if unit == "PERCENT" else ""
    places = ", ".join(f"greatest(1, toUInt64(ceil(length(sorted) * {params.bind(share, 'Float64')} - 1e-9)))" for share in shares)
    return Statement.of(
        [
            f"SELECT page, arrayMap(place -> toFloat64(sorted[place]{scale}), [{places}]) AS depths",
            "FROM (",
            "SELECT page, arrayReverseSort(groupArray(deepest)) AS sorted",
            "FROM (",
            *_deepest(lens, page_keys, unit, aggregation, params),
            ")",
            "GROUP BY page",
            ")",
        ],
        params,
    )
