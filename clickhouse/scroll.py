"""How far down people get: the deepest point of each pageview, visitor or session first, then how many reached a depth."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.conditions import lens_clauses, page_column
from clickhouse.lens import Lens
from clickhouse.numbers import rate_shape
from clickhouse.planner import planned
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement, where_all

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


OF_DEPTHS = frozenset({"average_depth", "median_depth"})
"""Numbers that are counted along with the depths."""

OPTIONAL = OF_DEPTHS | {"visitors", "fold_height", "median_page_height"}
"""Numbers that are counted only if they are asked for; those not in OF_DEPTHS by another pass over the pageviews."""


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
    rows = ["FROM pageviews", where_all(lens_clauses(lens, page_keys, params))]
    if aggregation == "TOTAL":
        return [f"SELECT {page_column(lens, page_keys, params)}, {column} AS deepest, 1 AS views", *rows]
    who = "visitor_id" if aggregation == "UNIQUE_VISITORS" else "session_id"
    return [f"SELECT {page_column(lens, page_keys, params)}, max({column}) AS deepest, count() AS views", *rows, f"GROUP BY page, {who}"]


@dataclass(frozen=True, slots=True)
class _Depths:
    """Rows to count: their page, the deepest point, how many ended there and the pageviews behind them, as SQL; a point may come twice."""

    lines: list[str]
    page: str
    deepest: str
    ended: str
    pageviews: str


def _depths(lens: Lens, page_keys: tuple[str, ...], unit: str, aggregation: str, params: Params) -> _Depths:
    if aggregation != "TOTAL":
        return _Depths(["FROM (", *_deepest(lens, page_keys, unit, aggregation, params), ")"], "page", "deepest", "1", "views")
    page, column = page_column(lens, page_keys, params), _column(unit)
    of_depth, lines = planned(lens, page_keys, {column: column, "pageviews": "1"}, "pageviews", params)
    return _Depths(lines, page, of_depth[column], of_depth["pageviews"], of_depth["pageviews"])


def depth_counts(
    lens: Lens, page_keys: tuple[str, ...], question: ScrollQuestion, params: Params, wanted: frozenset[str] = frozenset()
) -> list[str]:
    """One row a page: population, pageviews, what is `wanted` of OF_DEPTHS, and arrays from the top down: depths, ended_by_depth,
    reached_by_depth."""
    percent = question.unit == "PERCENT"
    step = params.bind(question.step * PPT_PER_PERCENT if percent else question.step, "UInt64")
    between = params.bind(question.step, "UInt32")
    scale = f" / {PPT_PER_PERCENT}" if percent else ""
    buckets = f"0, {params.bind(100 // question.step + 1, 'UInt64')}" if percent else "0"  # in px as far as somebody got
    rows = _depths(lens, page_keys, question.unit, question.aggregation, params)
    of_bucket = {
        "average_depth": f"sum(toUInt128({rows.deepest}) * {rows.ended}) AS depth_sum",
        "median_depth": f"quantileExactWeightedInterpolatedState(0.5)({rows.deepest}, {rows.ended}) AS median_state",
    }
    of_page = {
        "average_depth": f"sum(depth_sum) / population{scale} AS average_depth",
        "median_depth": f"quantileExactWeightedInterpolatedMerge(0.5)(median_state){scale} AS median_depth",
    }
    numbers = sorted(wanted & OF_DEPTHS)
    return [
        "SELECT page, sum(ended) AS population, sum(pageviews) AS pageviews,",
        *[f"  {of_page[name]}," for name in numbers],
        f"  groupArrayInsertAt({buckets})(ended, bucket) AS ended_by_depth,",
        "  arrayReverse(arrayCumSum(arrayReverse(ended_by_depth))) AS reached_by_depth,",
        f"  range(0, toUInt32(length(ended_by_depth) * {between}), {between}) AS depths",
        "FROM (",
        f"SELECT {rows.page}, toUInt32(least(intDiv({rows.deepest}, {step}), {MAX_BUCKETS - 1})) AS bucket,",
        *[f"  {of_bucket[name]}," for name in numbers],
        f"  sum({rows.ended}) AS ended, sum({rows.pageviews}) AS pageviews",
        *rows.lines,
        "GROUP BY page, bucket",
        ")",
        "GROUP BY page",
    ]


def compile_scroll(lens: Lens, page_keys: tuple[str, ...], question: ScrollQuestion) -> Statement:
    """One row a page: pageviews, visitors if `wanted` (else the population), what else is, and `buckets_KEY`, JSON, for each selection."""
    params = Params()
    lists = []
    for key, selection in question.buckets:
        bucket = compile_json(selection, SCROLL_BUCKET[WHO[question.aggregation]])
        rows = f"arrayMap((depth, reached, ended) -> {bucket}, depths, reached_by_depth, ended_by_depth)"
        lists.append(f"  toJSONString({rows}) AS `buckets_{key}`")
    again = question.wanted - OF_DEPTHS - ({"visitors"} if question.aggregation == "UNIQUE_VISITORS" else frozenset())
    visitors = "visitors" if "visitors" in again else "population AS visitors"
    columns = ["page", "pageviews", visitors, *sorted(question.wanted - {"visitors"})]
    numbers = {
        "visitors": "uniqExact(visitor_id)",
        "fold_height": "toUInt32(round(quantileExactInclusive(0.5)(viewport_height)))",
        "median_page_height": "toUInt32(round(quantileExactInclusiveOrNullIf(0.5)(page_height, page_height != 0)))",
    }
    populations = [
        ") AS depths",
        "INNER JOIN (",
        f"SELECT {page_column(lens, page_keys, params)}, {', '.join(f'{numbers[name]} AS {name}' for name in sorted(again))}",
        "FROM pageviews",
        where_all(lens_clauses(lens, page_keys, params)),
        "GROUP BY page",
        ") AS population_of_page USING (page)",
    ]
    return Statement.of(
        [
            "SELECT " + ", ".join(columns) + ("," if lists else ""),
            ",\n".join(lists),
            "FROM (",
            *depth_counts(lens, page_keys, question, params, question.wanted),
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
