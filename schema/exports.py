"""Exports: the parameters of a URL, read as the arguments of the GraphQL field of the same answer, become a statement for its rows.

await compile_export(schema, context, "scroll", {"siteId": "site_abc123", "page": "https://example.com/", "unit": "PIXEL"})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from strawberry.schema import Schema

from clickhouse import export
from clickhouse.attention import AttentionQuestion
from clickhouse.breakdown import BREAKDOWN_ROW, BreakdownQuestion
from clickhouse.elements import ElementScope, ElementsQuestion
from clickhouse.errors import BadUserInputError, NotFoundError
from clickhouse.heatmap import HEATMAP_POINT, Cell, HeatmapQuestion
from clickhouse.hotspots import SpotQuestion
from clickhouse.interactions import InteractionQuestion
from clickhouse.rage import DEFAULT_RULE
from clickhouse.scroll import ScrollQuestion
from clickhouse.selection import everything
from clickhouse.statement import Statement
from clickhouse.timeline import TIMELINE_POINT
from resolvers import depths, discovery, heatmaps, lenses
from resolvers.context import Context
from resolvers.lenses import AskedLens, page_size
from schema.arguments import argument_names, read_arguments
from schema.enums import Aggregation, Dimension, ElementGrouping, Interval, PointKind, ScrollUnit
from schema.inputs import CellInput, ElementOrder, PageOrder, PointInput, RageRule, plain_segment, resolved_window

MAX_ROWS = 1_000_000
MAX_SEARCH_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Export:
    """`field` of GraphQL type `owner` is what is exported; `compile` takes its arguments by their Python names."""

    owner: str
    field: str
    compile: Callable[..., Statement]


def _points(
    context: Context,
    asked: AskedLens,
    kind: PointKind,
    first: int,
    aggregation: Aggregation | None = None,
    cell: CellInput | None = None,
    hide_origin: bool | None = True,
    ctas_only: bool | None = False,
) -> Statement:
    counted, size = (aggregation or Aggregation.TOTAL).name, cell.plain() if cell else None
    first, wanted = page_size(first, context.max_points), (("rows", everything(HEATMAP_POINT)),)
    question = HeatmapQuestion(kind.name, counted, size, hide_origin is not False, bool(ctas_only), first, None, wanted)
    return export.export_points(asked.lens, _page_keys(asked), question)


def _scroll(
    context: Context, asked: AskedLens, unit: ScrollUnit | None = None, step: int | None = None, aggregation: Aggregation | None = None
) -> Statement:
    name = (unit or ScrollUnit.PERCENT).name
    question = ScrollQuestion(name, depths.scroll_step(name, step), (aggregation or Aggregation.UNIQUE_VISITORS).name)
    return export.export_scroll(asked.lens, _page_keys(asked), question)


def _attention(context: Context, asked: AskedLens, band_height: int | None = None, top: int | None = None) -> Statement:
    height, top = 200 if band_height is None else band_height, top or 0
    depths.check_bands(height, top)
    return export.export_attention(asked.lens, _page_keys(asked), AttentionQuestion(height, top))


def _breakdown(context: Context, asked: AskedLens, by: Dimension, first: int) -> Statement:
    question = BreakdownQuestion(by.name, page_size(first, discovery.MAX_VALUES), everything(BREAKDOWN_ROW))
    return export.export_breakdown(asked.lens, _page_keys(asked), question)


def _timeline(context: Context, asked: AskedLens, interval: Interval | None = None) -> Statement:
    question = discovery.timeline_question(asked, (interval or Interval.DAY).name, everything(TIMELINE_POINT))
    return export.export_timeline(asked.lens, _page_keys(asked), question)


def _interactions(
    context: Context,
    asked: AskedLens,
    kind: PointKind,
    first: int,
    points: list[PointInput] | None = None,
    cell: CellInput | None = None,
    hide_origin: bool | None = True,
) -> Statement:
    grid = Cell.of(asked.lens, cell.plain() if cell else None)
    cells = None if points is None else heatmaps.cells_of([point.plain() for point in points], grid)
    question = InteractionQuestion(kind.name, grid, hide_origin is not False, page_size(first, MAX_ROWS), cells)
    return export.export_interactions(asked.lens, _page_keys(asked), question, context.key.may("replay:read"))


def _elements(
    context: Context,
    asked: AskedLens,
    first: int,
    order_by: ElementOrder | None = None,
    ctas_only: bool | None = False,
    group_by: ElementGrouping | None = None,
    deleted: bool | None = False,
) -> Statement:
    scope = ElementScope((group_by or ElementGrouping.SELECTOR).name, bool(ctas_only), bool(deleted))
    question = ElementsQuestion(scope, (order_by or ElementOrder()).plain(), page_size(first, MAX_ROWS))
    return export.export_elements(asked.lens, _page_keys(asked), question)


def _rage_clicks(context: Context, asked: AskedLens, first: int, rule: RageRule | None = None) -> Statement:
    applied = rule.plain() if rule else DEFAULT_RULE
    question = SpotQuestion(Cell.of(asked.lens), page_size(first, MAX_ROWS), rule=None if applied == DEFAULT_RULE else applied)
    return export.export_rage_clicks(asked.lens, _page_keys(asked), question)


def _dead_clicks(context: Context, asked: AskedLens, first: int) -> Statement:
    question = SpotQuestion(Cell.of(asked.lens), page_size(first, MAX_ROWS))
    return export.export_dead_clicks(asked.lens, _page_keys(asked), question)


def _pages(context: Context, asked: AskedLens, first: int, search: str | None = None, order_by: PageOrder | None = None) -> Statement:
    if search and len(search) > MAX_SEARCH_LENGTH:
        raise BadUserInputError(f"search: at most {MAX_SEARCH_LENGTH} characters.", argument="search")
    order = order_by or PageOrder()
    return export.export_pages(asked.lens, search, order.field.name, order.direction.name == "DESC", page_size(first, MAX_ROWS))


EXPORTS = {
    "points": Export("Insights", "heatmap", _points),
    "scroll": Export("Insights", "scroll", _scroll),
    "attention": Export("Insights", "attention", _attention),
    "breakdown": Export("Insights", "breakdown", _breakdown),
    "timeline": Export("Insights", "timeline", _timeline),
    "interactions": Export("Insights", "interactions", _interactions),
    "elements": Export("Insights", "elements", _elements),
    "rageClicks": Export("Insights", "rageClicks", _rage_clicks),
    "deadClicks": Export("Insights", "deadClicks", _dead_clicks),
    "pages": Export("Site", "pages", _pages),
}

LENS = ("window", "segment", "url")


async def compile_export(schema: Schema, context: Context, name: str, parameters: Mapping[str, str]) -> Statement:
    """The statement whose rows are the answer. `first` is as many as allowed when left out; there is no `after`."""
    one = EXPORTS[name]
    takes = argument_names(schema, one.owner, one.field)
    whole_site = one.owner == "Site"
    known = {"siteId", *LENS, *takes, *([] if whole_site else ["page"])} - {"after"}
    if unknown := parameters.keys() - known:
        raise BadUserInputError(f"{min(unknown)}: no parameter of this export; it takes {', '.join(sorted(known))}.", argument=min(unknown))
    asked = await _asked(schema, context, parameters, whole_site=whole_site)
    own = {name: text for name, text in parameters.items() if name not in ("siteId", "page", *LENS)}
    arguments = read_arguments(schema, one.owner, one.field, own)
    if "first" in takes and ("first" not in own or arguments["first"] is None):
        arguments["first"] = MAX_ROWS
    return one.compile(context, asked, **{name: value for name, value in arguments.items() if name not in ("after", *LENS)})


async def _asked(schema: Schema, context: Context, parameters: Mapping[str, str], *, whole_site: bool) -> AskedLens:
    """The lens of `page` or `url`; where the whole site can be asked, of neither."""
    if "siteId" not in parameters:
        raise BadUserInputError("siteId: which site? `viewer { sites }` lists those this key may read.", argument="siteId")
    site = await context.readable_site(parameters["siteId"])
    if not whole_site and ("page" in parameters) == ("url" in parameters):
        raise BadUserInputError("page: give exactly one of `page` (a key) and `url` (a URL rule).", argument="page")
    lens = read_arguments(schema, "Site", "pages", {name: parameters[name] for name in ("window", "segment") if name in parameters})
    url = read_arguments(schema, "Site", "insights", {"url": parameters["url"]})["url"].rule("url") if "url" in parameters else None
    page = None
    if "page" in parameters:
        seen = await lenses.seen_page(context, site, parameters["page"])
        if seen is None:
            raise NotFoundError(f"page: the site never saw {parameters['page']}; `/export/pages.csv` lists those it saw.", argument="page")
        page = seen[0]
    window = resolved_window(lens.get("window"), site, context.now)
    return await lenses.resolve(context, site, window, plain_segment(lens.get("segment")), url, page)


def _page_keys(asked: AskedLens) -> tuple[str, ...]:
    return () if asked.page_key is None else (asked.page_key,)
