"""What happens below the fold: interactions further down than their own viewport is high."""

from __future__ import annotations

from clickhouse.conditions import lens_clauses, page_column
from clickhouse.lens import Lens
from clickhouse.numbers import IS_ORIGIN, kind_clause
from clickhouse.statement import Params, Statement


def compile_fold(lens: Lens, page_keys: tuple[str, ...], kind: str, hide_origin: bool = True) -> Statement:
    """One row a page: total, below_fold, median_viewport_height of the interactions that scroll with the page."""
    params = Params()
    where = [*lens_clauses(lens, page_keys, params), kind_clause(kind), "NOT fixed", *([f"NOT {IS_ORIGIN}"] if hide_origin else [])]
    return Statement.of(
        [
            f"SELECT {page_column(lens)},",
            "  count() AS total,",
            "  countIf(y > viewport_height) AS below_fold,",
            "  toUInt32(round(quantileExactInclusive(0.5)(viewport_height))) AS median_viewport_height",
            "FROM interactions",
            "WHERE " + "\n  AND ".join(where),
            "GROUP BY page",
        ],
        params,
    )
