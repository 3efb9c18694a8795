"""The values a segment can name, most frequent first, so that a front end can build its menus."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse.breakdown import DIMENSIONS
from clickhouse.conditions import page_column
from clickhouse.lens import Lens
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement
from clickhouse.totals import TOTALS, lens_rows

COUNTS = ("pageviews", "visitors", "sessions")

ORDERING = "sessions DESC, pageviews DESC, value"

FILTER_VALUE = Shape(
    "FilterValue",
    {
        "value": Leaf("value", "String"),
        "pageviews": Leaf("pageviews", "UInt64"),
        "visitors": Leaf("visitors", "UInt64"),
        "sessions": Leaf("sessions", "UInt64"),
    },
)


@dataclass(frozen=True, slots=True)
class FilterValueQuestion:
    """`search` is part of a value in any case, '' for all; `selection` is what is wanted of each value."""

    dimension: str
    search: str
    first: int
    selection: Selection


def compile_filter_values(lens: Lens, page_keys: tuple[str, ...], question: FilterValueQuestion) -> Statement:
    """One row a page that has such rows: `values`, a JSON array. Unknown values are left out."""
    params = Params()
    rows = filter_value_rows(lens, page_keys, question, params)
    values = f"toJSONString(groupArray({compile_json(question.selection, FILTER_VALUE)})) AS values"
    return Statement.of([f"SELECT page, {values}", "FROM (", *rows, ")", "GROUP BY page"], params)


def filter_value_rows(lens: Lens, page_keys: tuple[str, ...], question: FilterValueQuestion, params: Params) -> list[str]:
    """One row a page and value, most sessions first."""
    column = DIMENSIONS[question.dimension]
    wanted = [f"{column} != ''"] if question.dimension not in ("DEVICE", "BREAKPOINT") else []
    if question.search:
        wanted.append(f"positionCaseInsensitiveUTF8(toString({column}), {params.text(question.search)}) > 0")
    return [
        "SELECT page, value,",
        ",\n".join(f"  {TOTALS[count]} AS {count}" for count in COUNTS),
        "FROM (",
        *lens_rows(lens, page_keys, params, tuple(wanted), (page_column(lens, page_keys, params), f"toString({column}) AS value")),
        ")",
        "GROUP BY page, value",
        f"ORDER BY {ORDERING}",
        f"LIMIT {params.bind(question.first, 'UInt32')} BY page",
    ]
