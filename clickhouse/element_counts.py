"""The numbers of each element of a page: its clicks, summed up, and what the tracker told of it, before anybody's marks."""

from __future__ import annotations

from collections.abc import Mapping

from clickhouse.conditions import covered_clauses, lens_clauses, url_clauses
from clickhouse.heatmap import breakpoints
from clickhouse.lens import WHOLE_SITE, Lens
from clickhouse.numbers import IS_ORIGIN, kind_clause
from clickhouse.planner import plan
from clickhouse.statement import Params, union_all, where_all

IS_CLICK = kind_clause("CLICK")
PLACED = f"{IS_CLICK} AND NOT ({IS_ORIGIN})"
BELOW_FOLD = "y > viewport_height"
MEDIAN = "quantileExactInclusiveOrNull"
RELATIVE_X = "if(viewport_width = 0, NULL, x / viewport_width)"

SUMS = {
    "clicks": f"countIf({IS_CLICK})",
    "dead_clicks": "countIf(kind = 'dead')",
    "rage_clicks": "countIf(kind = 'rage')",
    "waits": f"countIf({IS_CLICK} AND since_pageview_ms >= 0)",
    "waited_ms": f"sumIf(since_pageview_ms, {IS_CLICK} AND since_pageview_ms >= 0)",
    "placed_clicks": f"countIf({PLACED})",
    "placed_below": f"countIf({PLACED} AND {BELOW_FOLD})",
    "scrolling_clicks": f"countIf({PLACED} AND NOT fixed)",
    "scrolling_below": f"countIf({PLACED} AND NOT fixed AND {BELOW_FOLD})",
}
"""Numbers that add up, over rows of interactions; columns of a rollup."""

STATES = {
    "visitor_states": f"uniqExactStateIf(visitor_id, {IS_CLICK})",
    "session_states": f"uniqExactStateIf(session_id, {IS_CLICK})",
    "clicked_top": f"{MEDIAN}If(0.5)(y, {PLACED})",
    "clicked_x": f"{MEDIAN}If(0.5)({RELATIVE_X}, {PLACED})",
    "clicked_ever_fixed": f"maxIf(fixed, {IS_CLICK})",
    "clicked_always_fixed": f"minIf(fixed, {IS_CLICK})",
    "clicked_text": "maxIf((timestamp, toString(text)), text != '').2",
    "clicked_href": "maxIf((timestamp, toString(href)), href != '').2",
}
"""Numbers that do not add up."""

OF_CLICKS = {
    "place": ("clicked_top", "clicked_x"),
    "displays": ("clicked_top", "clicked_ever_fixed", "clicked_always_fixed"),
    "fixed": ("clicked_ever_fixed", "clicked_always_fixed"),
    "visitors": ("visitor_states",),
    "sessions": ("session_states",),
    "waits": ("waits", "waited_ms"),
    "fold": ("placed_clicks", "placed_below", "scrolling_clicks", "scrolling_below"),
    "TEXT": ("clicked_text",),
    "HREF": ("clicked_href",),
}
"""What is wanted of an element, or makes its group, to the numbers of its clicks that this takes."""


def counted_elements(
    lens: Lens, page_keys: tuple[str, ...], grouping: str, wanted: frozenset[str], selectors: tuple[str, ...], params: Params
) -> list[str]:
    """One row an element and page, before anybody's marks."""
    names = dict.fromkeys(["clicks", "dead_clicks", "rage_clicks"])
    names |= dict.fromkeys(name for part, columns in OF_CLICKS.items() if part in wanted or part == grouping for name in columns)
    numbers = {name: sql for name, sql in (SUMS | STATES).items() if name in names}
    chosen = [f"selector IN {params.texts(selectors)}"] if selectors else ["selector != ''"]
    columns = [name for name in numbers if not name.startswith("clicked_")]
    told = []
    in_breakpoints = f"breakpoint IN {params.texts(tuple(sorted(breakpoints(lens))))}"
    if wanted & {"place", "displays"}:
        columns.append("coalesce(told_top_here, clicked_top, told_top, 0) AS top")
        told += [f"{MEDIAN}If(0.5)(y, {in_breakpoints}) AS told_top_here", f"{MEDIAN}(0.5)(y) AS told_top"]
    if "place" in wanted:
        columns.append("coalesce(told_x_here, clicked_x, told_x, 0) AS relative_x")
        told += [f"{MEDIAN}If(0.5)({RELATIVE_X}, {in_breakpoints}) AS told_x_here", f"{MEDIAN}(0.5)({RELATIVE_X}) AS told_x"]
    if wanted & {"displays", "fixed"}:
        columns.append("clicked_ever_fixed OR told_ever_fixed AS ever_fixed")
        columns.append("(clicked_always_fixed OR clicks = 0) AND (told_always_fixed OR NOT is_told) AS always_fixed")
        told += ["max(fixed) AS told_ever_fixed", "min(fixed) AS told_always_fixed"]
    if grouping in ("TEXT", "HREF"):
        text = grouping.lower()
        columns.append(f"if(told_{text} != '', told_{text}, clicked_{text}) AS {text}")
        told.append(f"maxIf((timestamp, {text}), {text} != '').2 AS told_{text}")
    where = [f"site_id = {params.site(lens.site_id)}", on_pages(lens, page_keys, params), *chosen]
    return [
        "SELECT toString(page_key) AS page_key, toString(selector) AS selector,",
        ",\n".join(f"  {column}" for column in columns),
        "FROM (",
        *counted_clicks(lens, page_keys, numbers, chosen, params),
        ") AS clicked",
        "FULL JOIN (",
        f"SELECT {', '.join(['page_key, selector, true AS is_told', *told])}",
        "FROM elements FINAL",
        where_all(where),
        "GROUP BY page_key, selector",
        ") AS told USING (page_key, selector)",
        "WHERE clicks > 0 OR rage_clicks > 0 OR is_told",
    ]


def counted_clicks(lens: Lens, page_keys: tuple[str, ...], numbers: Mapping[str, str], chosen: list[str], params: Params) -> list[str]:
    """One row an element and page with clicks or bursts in the lens: page_key, selector and `numbers`, of SUMS and STATES."""
    by = "page_key, selector"
    sums = ",\n".join(f"  sum({name}) AS {name}" for name in numbers)
    counts = ",\n".join(f"  {sql} AS {name}" for name, sql in numbers.items())
    selects = []
    for table, clauses in plan(lens, {"selector", *numbers}).sources("interactions", lens, page_keys, params):
        rows = table == "interactions"
        where = [*clauses, *(["kind IN ('click', 'dead', 'rage')"] if rows else []), *chosen]
        selects.append([f"SELECT {by},", counts if rows else sums, f"FROM {table}", where_all(where), f"GROUP BY {by}"])
    if len(selects) == 1:
        return selects[0]
    return [
        f"SELECT {by},",
        sums,
        "FROM (",
        *union_all(selects),
        ")",
        f"GROUP BY {by}",
    ]


def on_pages(lens: Lens, page_keys: tuple[str, ...], params: Params) -> str:
    """The condition on rows of these pages; if none are named, of pages whose key, read as a URL, matches the lens's rule, and of
    those with a pageview or an interaction in the lens."""
    if page_keys:
        return f"page_key IN {params.texts(page_keys)}"
    rule = lens.url or WHOLE_SITE
    sources: dict[str, list[str]] = {}
    if lens.has_rollups:
        sources["pages"] = [
            f"site_id = {params.site(lens.site_id)}",
            *covered_clauses(lens, params),
            *url_clauses(rule, params, "page_key"),
        ]
    if not (lens.has_rollups and rule.is_of_keys):  # of whose pages those are all
        sources["pageviews"] = sources["interactions"] = lens_clauses(lens, (), params)
    found = [f"page_key IN (SELECT page_key FROM {table} WHERE {' AND '.join(clauses)})" for table, clauses in sources.items()]
    return f"({' OR '.join(found)})"  # a cluster takes one table in each IN
