"""The fold: interactions that scroll with the page, those below their own fold, and how high their viewports are."""

from __future__ import annotations

from clickhouse.conditions import page_column, pages_apart
from clickhouse.element_marks import from_interactions
from clickhouse.lens import Lens
from clickhouse.numbers import IS_ORIGIN, kind_clause
from clickhouse.planner import plan
from clickhouse.statement import Params, Statement, union_all, where_all

SUMS = frozenset({"kind", "viewport_height", "scrolling", "scrolling_below"})
"""The columns of a rollup that it takes."""


def compile_fold(lens: Lens, page_keys: tuple[str, ...], kinds: tuple[str, ...]) -> Statement:
    """One row a page with interactions of the kinds, which are PointKinds; of each KIND: KIND_total, KIND_below_fold and
    KIND_median_viewport_height, px, null without any."""
    params = Params()
    apart = pages_apart(lens, page_keys)
    columns = f"{'page_key, ' if apart else ''}kind, viewport_height"
    selects = []
    for table, clauses in plan(lens, SUMS | ({"fixed"} if lens.has_fixed_marks else set())).sources(
        "interactions", lens, page_keys, params
    ):
        rows = table == "interactions"
        scrolling = f"NOT fixed AND NOT ({IS_ORIGIN}) AS scrolling, y > viewport_height AS scrolling_below"
        selects.append(
            [
                f"SELECT {columns}, {scrolling if rows else 'scrolling, scrolling_below'}",
                *(from_interactions(lens, params) if rows else [f"FROM {table}"]),
                where_all([*clauses, kind_clause(*kinds)]),
            ]
        )
    return Statement.of(
        [
            f"SELECT {page_column(lens, page_keys, params)},",
            ",\n".join(f"  {sql} AS {kind}_{name}" for kind in kinds for name, sql in _measures(kind).items()),
            "FROM (",
            *union_all(selects),
            ")",
            "GROUP BY page_key" if apart else "HAVING count() > 0",
        ],
        params,
    )


def _measures(kind: str) -> dict[str, str]:
    counted = f"scrolling AND {kind_clause(kind)}"
    return {
        "total": f"sumIf(scrolling, {counted})",
        "below_fold": f"sumIf(scrolling_below, {counted})",
        "median_viewport_height": f"toUInt32(round(quantileExactWeightedInterpolatedOrNullIf(0.5)(viewport_height, scrolling, {counted})))",
    }
