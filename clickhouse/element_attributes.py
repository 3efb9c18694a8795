"""What an element is, whatever the lens: its tag, text and link, where it is and how large.

As the tracker told it last, else as it was clicked last; top and left of an element never told are the medians of its clicks not at
(0, 0), CSS px. Clicks that say the same of an element are taken together before texts are compared: of a busy page there are many.
"""

from __future__ import annotations

from clickhouse.element_counts import on_pages
from clickhouse.lens import Lens
from clickhouse.numbers import IS_PLACED, LABEL, kind_clause
from clickhouse.statement import Params, Statement, where_all

MEDIAN = "quantileExactInclusive"
NO_CLICKS = f"arrayReduce('{MEDIAN}State(0.5)', emptyArrayFloat64())"
TEXTS = ("tag", "text", "href")
SIZES = ("width", "height", "viewport_width")


def compile_attributes(site_id: str, keys: tuple[tuple[str, str], ...]) -> Statement:
    """One row for each (page key, selector) that was ever told or clicked; of several pages, for each of the selectors on each of them."""
    params = Params()
    pages, selectors = (tuple(sorted(set(names))) for names in zip(*keys, strict=True))
    clauses = [f"site_id = {params.site(site_id)}", f"page_key IN {params.texts(pages)}", f"selector IN {params.texts(selectors)}"]
    return Statement.of(_attributes(clauses), params)


def attributes_on(lens: Lens, page_keys: tuple[str, ...], params: Params) -> list[str]:
    """The rows of `compile_attributes` for every element on the lens's pages."""
    return _attributes([f"site_id = {params.site(lens.site_id)}", on_pages(lens, page_keys, params), "selector != ''"])


def _attributes(clauses: list[str]) -> list[str]:
    key = "toString(page_key) AS page_key, toString(selector) AS selector"
    texts = ", ".join(f"toString({column}) AS {column}" for column in TEXTS)
    last = "argMaxIf(said.{0}, (told, said.timestamp, said.{0}), said.{0} != '') AS {0}"
    placed = f"if(max(told), argMaxIf({{0}}, said.timestamp, told), ifNotFinite({MEDIAN}Merge(0.5)({{1}}), 0))"  # NaN: at (0, 0) only
    size = "if(max(told), argMaxIf(said.{0}, said.timestamp, told), NULL) AS {0}"
    return [
        f"SELECT page_key, selector, {', '.join(TEXTS)}, top, left_px, {', '.join(SIZES)}, said_fixed, {LABEL} AS label",
        "FROM (",
        "SELECT page_key, selector,",
        "  " + ", ".join(last.format(column) for column in TEXTS) + ",",
        f"  {placed.format('y', 'clicked_y')} AS top, {placed.format('x', 'clicked_x')} AS left_px,",
        "  " + ", ".join(size.format(column) for column in SIZES) + ",",
        "  max(fixed) AS said_fixed",
        "FROM (",
        f"SELECT {key}, {texts}, timestamp, fixed, true AS told,",
        f"  x, y, {', '.join(SIZES)}, {NO_CLICKS} AS clicked_x, {NO_CLICKS} AS clicked_y",
        "FROM elements FINAL",
        where_all(clauses),
        "UNION ALL",
        f"SELECT {key}, {texts}, max(timestamp), max(fixed), false,",
        f"  0., 0., 0., 0., 0, {MEDIAN}StateIf(0.5)(x, {IS_PLACED}), {MEDIAN}StateIf(0.5)(y, {IS_PLACED})",
        "FROM interactions",
        where_all([*clauses, kind_clause("CLICK")]),
        f"GROUP BY page_key, selector, {', '.join(TEXTS)}",
        ") AS said",
        "GROUP BY page_key, selector",
        ")",
    ]
