"""Exports: the parameters of a URL, read as the arguments of the GraphQL field of the same answer, become a statement for its rows.

await compile_export(schema, context, "scroll", {"siteId": "site_abc123", "page": "https://example.com/", "unit": "PIXEL"})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from strawberry.schema import Schema

from clickhouse import export
from clickhouse import replays as sql
from clickhouse.attention import ATTENTION_BAND, AttentionQuestion
from clickhouse.breakdown import BREAKDOWN_ROW, BreakdownQuestion
from clickhouse.comparison import CELL_CHANGE, ELEMENT_CHANGE, SCROLL_BUCKET_CHANGE, ElementChangeQuestion, ScrollChangeQuestion
from clickhouse.elements import ElementScope, ElementsQuestion
from clickhouse.errors import BadUserInputError, NotFoundError
from clickhouse.event_names import EVENT_NAME
from clickhouse.export_shapes import DEAD_SPOT, DEPTH_CONVERSION, ELEMENT, INTERACTION, PAGE, RAGE_SPOT, REPLAY
from clickhouse.filter_values import FILTER_VALUE
from clickhouse.heatmap import HEATMAP_POINT, Cell, HeatmapQuestion
from clickhouse.hotspots import SpotQuestion
from clickhouse.lens import WHOLE_SITE
from clickhouse.rage import DEFAULT_RULE
from clickhouse.scroll import SCROLL_BUCKET, ScrollQuestion
from clickhouse.selection import Shape, everything
from clickhouse.sites import Site
from clickhouse.statement import Statement
from clickhouse.timeline import TIMELINE_POINT
from resolvers import comparison, conversions, depths, discovery, lenses
from resolvers.comparison import Compared
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.listing import MAX_POINTS, page_size, search_text
from schema.arguments import argument_names, read_arguments
from schema.enums import Aggregation, ChangeOrder, Dimension, ElementGrouping, Interval, PointKind, ScrollUnit
from schema.inputs import CellInput, ElementOrder, PageOrder, PointInput, RageRule, given, plain_segment, resolved_window
from schema.interactions import interaction_question
from schema.replays import ReplayFilter, ReplayOrder

MAX_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Export:
    """`field` of GraphQL type `owner` is what is exported; `compile` takes its arguments by their Python names.

    `shape` is what a row holds, `lens` are the parameters that say what is looked at.
    """

    owner: str
    field: str
    compile: Callable[..., Statement]
    shape: Shape
    lens: tuple[str, ...] = ("page", "url", "window", "segment")


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
    first, wanted = page_size(first, MAX_POINTS), (("rows", everything(HEATMAP_POINT)),)
    question = HeatmapQuestion(kind.name, counted, size, hide_origin is not False, bool(ctas_only), first, None, wanted)
    return export.export_points(asked.lens, asked.page_keys, question)


def _scroll(
    context: Context, asked: AskedLens, unit: ScrollUnit | None = None, step: int | None = None, aggregation: Aggregation | None = None
) -> Statement:
    return export.export_scroll(asked.lens, asked.page_keys, _scroll_question(unit, step, aggregation))


def _scroll_question(unit: ScrollUnit | None, step: int | None, aggregation: Aggregation | None) -> ScrollQuestion:
    name = (unit or ScrollUnit.PERCENT).name
    return ScrollQuestion(name, depths.scroll_step(name, step), (aggregation or Aggregation.UNIQUE_VISITORS).name)


def _attention(context: Context, asked: AskedLens, band_height: int | None = None, top: int | None = None) -> Statement:
    height, top = given(band_height, 200), top or 0
    depths.check_bands(height, top)
    return export.export_attention(asked.lens, asked.page_keys, AttentionQuestion(height, top))


def _breakdown(context: Context, asked: AskedLens, by: Dimension, first: int) -> Statement:
    question = BreakdownQuestion(by.name, page_size(first, discovery.MAX_VALUES), everything(BREAKDOWN_ROW))
    return export.export_breakdown(asked.lens, asked.page_keys, question)


def _timeline(context: Context, asked: AskedLens, interval: Interval | None = None) -> Statement:
    question = discovery.timeline_question(asked, (interval or Interval.DAY).name, everything(TIMELINE_POINT))
    return export.export_timeline(asked.lens, asked.page_keys, question)


def _interactions(
    context: Context,
    asked: AskedLens,
    kind: PointKind,
    first: int,
    points: list[PointInput] | None = None,
    cell: CellInput | None = None,
    hide_origin: bool | None = True,
) -> Statement:
    question = interaction_question(asked, kind, points, cell, hide_origin, page_size(first, MAX_ROWS))
    may_see, template = context.key.may("replay:read"), asked.site.replay_url_template
    return export.export_interactions(asked.lens, asked.page_keys, question, may_see, template)


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
    return export.export_elements(asked.lens, asked.page_keys, question)


def _rage_clicks(context: Context, asked: AskedLens, first: int, rule: RageRule | None = None) -> Statement:
    applied = rule.plain() if rule else DEFAULT_RULE
    question = SpotQuestion(Cell.of(asked.lens), page_size(first, MAX_ROWS), rule=None if applied == DEFAULT_RULE else applied)
    return export.export_rage_clicks(asked.lens, asked.page_keys, question)


def _dead_clicks(context: Context, asked: AskedLens, first: int) -> Statement:
    question = SpotQuestion(Cell.of(asked.lens), page_size(first, MAX_ROWS))
    return export.export_dead_clicks(asked.lens, asked.page_keys, question)


def _pages(context: Context, asked: AskedLens, first: int, search: str | None = None, order_by: PageOrder | None = None) -> Statement:
    order = order_by or PageOrder()
    unknown, size = context.sources.of(asked.site.site_id).unknown_measures, page_size(first, MAX_ROWS)
    return export.export_pages(asked.lens, search_text(search), order.field.name, order.descending, size, unknown)


def _filter_values(context: Context, asked: AskedLens, dimension: Dimension, first: int, search: str | None = None) -> Statement:
    question = discovery.filter_value_question(dimension.name, search, first, everything(FILTER_VALUE))
    return export.export_filter_values(asked.lens, asked.page_keys, question)


def _event_names(context: Context, asked: AskedLens, first: int, search: str | None = None) -> Statement:
    return export.export_event_names(asked.lens, search_text(search) or "", page_size(first, discovery.MAX_VALUES))


def _depth_conversions(
    context: Context, asked: AskedLens, event: str | None = None, unit: ScrollUnit | None = None, step: int | None = None
) -> Statement:
    question = conversions.depth_question(event, (unit or ScrollUnit.PERCENT).name, step)
    return export.export_depth_conversions(asked.lens, asked.page_keys, question)


def _replays(
    context: Context, asked: AskedLens, first: int, having: ReplayFilter | None = None, order_by: ReplayOrder | None = None
) -> Statement:
    context.require("replay:read")
    order, wanted = order_by or ReplayOrder(), having.plain() if having else sql.ReplayFilter()
    question = sql.ReplayQuestion(order.field.name, order.descending, page_size(first, MAX_ROWS), wanted)
    return export.export_replays(asked.lens, asked.page_keys, question, asked.site.replay_url_template)


def _element_changes(context: Context, compared: Compared, first: int, order_by: ChangeOrder | None = None) -> Statement:
    by_share, size = order_by is ChangeOrder.SHARE, page_size(first, MAX_ROWS)
    question = ElementChangeQuestion(compared.candidate.lens, by_share, size, everything(ELEMENT_CHANGE))
    return export.export_element_changes(compared.baseline.lens, compared.baseline.page_keys, question)


def _cell_changes(context: Context, compared: Compared, kind: PointKind, first: int, order_by: ChangeOrder | None = None) -> Statement:
    by_share = order_by is ChangeOrder.SHARE
    question = comparison.cell_question(compared, kind.name, by_share, first, everything(CELL_CHANGE))
    return export.export_cell_changes(compared.baseline.lens, compared.baseline.page_keys, question)


def _scroll_changes(
    context: Context, compared: Compared, unit: ScrollUnit | None = None, step: int | None = None, aggregation: Aggregation | None = None
) -> Statement:
    question = ScrollChangeQuestion(compared.candidate.lens, _scroll_question(unit, step, aggregation))
    return export.export_scroll_changes(compared.baseline.lens, compared.baseline.page_keys, question)


OF_SITE = ("url", "window", "segment")
OF_COMPARISON = ("page", "baseline", "candidate")

EXPORTS = {
    "points": Export("Insights", "heatmap", _points, HEATMAP_POINT),
    "scroll": Export("Insights", "scroll", _scroll, SCROLL_BUCKET["VISITORS"]),
    "attention": Export("Insights", "attention", _attention, ATTENTION_BAND),
    "breakdown": Export("Insights", "breakdown", _breakdown, BREAKDOWN_ROW),
    "timeline": Export("Insights", "timeline", _timeline, TIMELINE_POINT),
    "interactions": Export("Insights", "interactions", _interactions, INTERACTION),
    "elements": Export("Insights", "elements", _elements, ELEMENT),
    "rageClicks": Export("Insights", "rageClicks", _rage_clicks, RAGE_SPOT),
    "deadClicks": Export("Insights", "deadClicks", _dead_clicks, DEAD_SPOT),
    "conversionsByDepth": Export("Insights", "conversionsByDepth", _depth_conversions, DEPTH_CONVERSION),
    "pages": Export("Site", "pages", _pages, PAGE, OF_SITE),
    "replays": Export("Site", "replays", _replays, REPLAY),
    "filterValues": Export("Site", "filterValues", _filter_values, FILTER_VALUE, ("window",)),
    "eventNames": Export("Site", "eventNames", _event_names, EVENT_NAME, ("window",)),
    "elementChanges": Export("Comparison", "elements", _element_changes, ELEMENT_CHANGE, OF_COMPARISON),
    "cellChanges": Export("Comparison", "cells", _cell_changes, CELL_CHANGE, OF_COMPARISON),
    "scrollChanges": Export("Comparison", "scroll", _scroll_changes, SCROLL_BUCKET_CHANGE["VISITORS"], OF_COMPARISON),
}


async def compile_export(schema: Schema, context: Context, name: str, parameters: Mapping[str, str], for_csv: bool = False) -> Statement:
    """The statement whose rows are the answer. `first` is as many as allowed when left out; there is no `after`."""
    one = EXPORTS[name]
    own = argument_names(schema, one.owner, one.field) - {"after", *one.lens}
    known = {"siteId", *one.lens, *own}
    if unknown := parameters.keys() - known:
        raise BadUserInputError(f"{min(unknown)}: no parameter of this export; it takes {', '.join(sorted(known))}.", argument=min(unknown))
    if "siteId" not in parameters:
        raise BadUserInputError("siteId: which site? `viewer { sites }` lists those this key may read.", argument="siteId")
    site = await context.readable_site(parameters["siteId"])
    page = await _seen_page(context, site, parameters.get("page"))
    lens = {name: text for name, text in parameters.items() if name in one.lens and name != "page"}
    asked = await (
        _compared(schema, context, site, lens, page) if one.owner == "Comparison" else _asked(schema, context, one, site, lens, page)
    )
    arguments = read_arguments(schema, one.owner, one.field, {name: parameters[name] for name in parameters.keys() & own})
    if "first" in own and ("first" not in parameters or arguments["first"] is None):
        arguments["first"] = MAX_ROWS
    statement = one.compile(context, asked, **{name: value for name, value in arguments.items() if name not in ("after", *one.lens)})
    return export.for_csv(statement, one.shape) if for_csv else statement


async def _seen_page(context: Context, site: Site, key: str | None) -> str | None:
    if key is None:
        return None
    seen = await lenses.seen_page(context, site, key, "page")
    if seen is None:
        raise NotFoundError(f"page: the site never saw {key}; `/export/pages.csv` lists those it saw.", argument="page")
    return seen[0]


async def _asked(schema: Schema, context: Context, one: Export, site: Site, parameters: Mapping[str, str], page: str | None) -> AskedLens:
    """The lens on `page` or `url`; where the whole site can be asked, on neither."""
    if (page is not None and "url" in parameters) or (one.owner == "Insights" and page is None and "url" not in parameters):
        raise BadUserInputError("page: give exactly one of `page` (a key) and `url` (a URL rule).", argument="page")
    lens = read_arguments(schema, "Site", "pages", {name: parameters[name] for name in ("window", "segment") if name in parameters})
    url = read_arguments(schema, "Site", "insights", {"url": parameters["url"]})["url"].rule("url") if "url" in parameters else None
    if page is None and url is None:
        url = WHOLE_SITE
    window = resolved_window(lens.get("window"), site, context.now)
    return await lenses.resolve(context, site, window, plain_segment(lens.get("segment")), url, page)


async def _compared(schema: Schema, context: Context, site: Site, parameters: Mapping[str, str], page: str | None) -> Compared:
    lens = read_arguments(schema, "Site", "compare", parameters)
    sides = (lens[side].asked(context, site, side, page) for side in ("baseline", "candidate"))
    return await comparison.resolve_both(*sides)
