"""The rows behind the wide answers, flat, for a file: columns carry GraphQL's names, nested ones joined (`reach { value }` is `reachValue`).

Each takes its rows from the function that the GraphQL answer takes them from, so the numbers are the same.
"""

from __future__ import annotations

from dataclasses import replace

from clickhouse.attention import ATTENTION_BAND, AttentionQuestion, band_counts
from clickhouse.breakdown import BREAKDOWN_ROW, BreakdownQuestion, rows_by_dimension
from clickhouse.comparison import (
    CELL_CHANGE,
    ELEMENT_CHANGE,
    SCROLL_BUCKET_CHANGE,
    CellChangeQuestion,
    ElementChangeQuestion,
    ScrollChangeQuestion,
    cell_changes,
    element_changes,
    scroll_changes,
)
from clickhouse.conditions import lens_clauses
from clickhouse.conversions import DepthQuestion, depth_conversions
from clickhouse.element_attributes import attributes_on
from clickhouse.element_marks import from_interactions
from clickhouse.elements import ElementsQuestion, listed_elements
from clickhouse.event_names import EVENT_NAME, event_name_rows
from clickhouse.event_names import ORDERING as NAME_ORDERING
from clickhouse.export_shapes import DEAD_SPOT, DEPTH_CONVERSION, ELEMENT, INTERACTION, RAGE_SPOT, REPLAY, page_shape
from clickhouse.filter_values import FILTER_VALUE, FilterValueQuestion, filter_value_rows
from clickhouse.filter_values import ORDERING as VALUE_ORDERING
from clickhouse.heatmap import HEATMAP_POINT, HeatmapQuestion, heatmap_rows, standard_viewport_px
from clickhouse.hotspots import ORDERING, SpotQuestion, dead_spots, rage_spots
from clickhouse.interactions import InteractionQuestion, interaction_clauses
from clickhouse.lens import Lens
from clickhouse.numbers import kind_clause
from clickhouse.replays import ReplayQuestion, in_lens, listed_replays
from clickhouse.scroll import SCROLL_BUCKET, WHO, ScrollQuestion, depth_counts
from clickhouse.selection import Shape, flat_columns
from clickhouse.sessions import NOT_SHOWN, whole_sessions
from clickhouse.statement import Params, Statement, where_all
from clickhouse.timeline import TIMELINE_POINT, TimelineQuestion, timeline_rows
from clickhouse.totals import ORDERS, page_rows

PageKeys = tuple[str, ...]


def export_points(lens: Lens, page_keys: PageKeys, question: HeatmapQuestion) -> Statement:
    """Hottest first. The question must select an element, so that it is found."""
    params = Params()
    return _file(HEATMAP_POINT, heatmap_rows(lens, page_keys, question, params), ["WHERE place > 0", "ORDER BY place"], params)


def export_scroll(lens: Lens, page_keys: PageKeys, question: ScrollQuestion) -> Statement:
    """From the top down."""
    params = Params()
    arrays = "ARRAY JOIN depths AS depth, reached_by_depth AS reached, ended_by_depth AS ended"
    return _file(
        SCROLL_BUCKET[WHO[question.aggregation]], depth_counts(lens, page_keys, question, params), [arrays, "ORDER BY depth"], params
    )


def export_attention(lens: Lens, page_keys: PageKeys, question: AttentionQuestion) -> Statement:
    """From the top down."""
    params = Params()
    arrays = "ARRAY JOIN tops AS band_top, ms_px_by_band AS ms_px, reached_by_band AS reached"
    return _file(ATTENTION_BAND, band_counts(lens, page_keys, question, params), [arrays, "ORDER BY band_top"], params)


def export_breakdown(lens: Lens, page_keys: PageKeys, question: BreakdownQuestion) -> Statement:
    """Most sessions first, the others last."""
    params = Params()
    return _file(BREAKDOWN_ROW, rows_by_dimension(lens, page_keys, question, params), ["ORDER BY place"], params)


def export_timeline(lens: Lens, page_keys: PageKeys, question: TimelineQuestion) -> Statement:
    """In the order of time."""
    params = Params()
    return _file(TIMELINE_POINT, timeline_rows(lens, page_keys, question, params), ["ORDER BY start"], params)


def export_pages(lens: Lens, search: str | None, order: str, descending: bool, first: int, unknown: tuple[str, ...] = ()) -> Statement:
    """As listed; `unknown` are measures that the source cannot tell."""
    params = Params()
    direction = "DESC" if descending else "ASC"
    by = f"page {direction}" if order == "KEY" else f"ifNull(toFloat64({ORDERS[order]}), -1.) {direction}, page"
    rows = page_rows(lens, search, params)
    return _file(page_shape(unknown), rows, [f"ORDER BY {by}", f"LIMIT {params.bind(first, 'UInt32')}"], params)


def export_interactions(lens: Lens, page_keys: PageKeys, question: InteractionQuestion, with_people: bool, url_template: str) -> Statement:
    """Newest first; without `with_people` what tells of sessions and visitors is null."""
    params = Params()
    columns = (
        "kind, timestamp, row_id, viewport_width, x, y, fixed, url, toString(selector) AS selector, toString(tag) AS tag,"
        f" toString(text) AS text, {params.text(url_template)} AS url_template"
    )
    where = [*from_interactions(lens, params), where_all(interaction_clauses(lens, page_keys, question, params))]
    seen = ["FROM interactions", where_all(lens_clauses(lens, page_keys, params))]
    if with_people:
        sessions = whole_sessions(lens.site_id, params, "\n".join(["session_id IN (", "SELECT session_id", *seen, ")"]))
        rows = [
            "SELECT *",
            "FROM (",
            f"SELECT session_id, visitor_id, {columns}",
            *where,
            ") AS interactions",
            "LEFT JOIN (",
            "SELECT session_id, session_key, started_at, visitor_key AS replay_visitor_key",
            "FROM (",
            *sessions,
            ")",
            ") AS sessions USING (session_id)",
            "ANY LEFT JOIN (",
            "SELECT visitor_id, visitor_key",
            "FROM visitors",
            f"WHERE site_id = {params.site(lens.site_id)}",
            "  AND visitor_id IN (",
            "SELECT visitor_id",
            *seen,
            ")",
            ") AS visitors USING (visitor_id)",
        ]
    else:
        rows = [f"SELECT {columns}, '' AS session_key, '' AS visitor_key, '' AS replay_visitor_key, timestamp AS started_at", *where]
    return _file(INTERACTION, rows, ["ORDER BY timestamp DESC, row_id", f"LIMIT {params.bind(question.first, 'UInt32')}"], params)


def export_elements(lens: Lens, page_keys: PageKeys, question: ElementsQuestion) -> Statement:
    """As listed."""
    params = Params()
    rows = [
        f"SELECT *, {_lens_clicks(lens, page_keys, params)}",
        "FROM (",
        *listed_elements(lens, page_keys, question, params),
        ") AS stats",
        "INNER JOIN (",
        *attributes_on(lens, page_keys, params),
        ") AS element USING (page_key, selector)",
        "LEFT JOIN (",
        "SELECT page_key, selector, name, is_cta, is_fixed",
        "FROM element_marks FINAL",
        f"WHERE site_id = {params.site(lens.site_id)}",
        ") AS mark USING (page_key, selector)",
    ]
    return _file(ELEMENT, rows, [f"ORDER BY {question.sort.ordering}", f"LIMIT {params.bind(question.first, 'UInt32')}"], params)


def export_rage_clicks(lens: Lens, page_keys: PageKeys, question: SpotQuestion) -> Statement:
    """Most bursts first."""
    params = Params()
    return _spots(RAGE_SPOT, lens, rage_spots(lens, page_keys, question, params), question, params)


def export_dead_clicks(lens: Lens, page_keys: PageKeys, question: SpotQuestion) -> Statement:
    """Most dead clicks first."""
    params = Params()
    rows = [f"SELECT *, {_lens_clicks(lens, page_keys, params)}", "FROM (", *dead_spots(lens, page_keys, question, params), ")"]
    return _spots(DEAD_SPOT, lens, rows, question, params)


def export_filter_values(lens: Lens, page_keys: PageKeys, question: FilterValueQuestion) -> Statement:
    """Most sessions first."""
    params = Params()
    return _file(FILTER_VALUE, filter_value_rows(lens, page_keys, question, params), [f"ORDER BY {VALUE_ORDERING}"], params)


def export_event_names(lens: Lens, search: str, first: int) -> Statement:
    """Most sessions first."""
    params = Params()
    return _file(EVENT_NAME, event_name_rows(lens, search, first, params), [f"ORDER BY {NAME_ORDERING}"], params)


def export_depth_conversions(lens: Lens, page_keys: PageKeys, question: DepthQuestion) -> Statement:
    """From the top down."""
    params = Params()
    return _file(DEPTH_CONVERSION, depth_conversions(lens, page_keys, question, params), ["ORDER BY depth"], params)


def export_replays(lens: Lens, page_keys: PageKeys, question: ReplayQuestion, url_template: str) -> Statement:
    """As listed; the URLs are of the replays' beginnings."""
    params = Params()
    rows = [
        f"SELECT *, {params.text(url_template)} AS url_template",
        "FROM (",
        "SELECT session_id, sort_value",
        "FROM (",
        *listed_replays(lens, page_keys, question, params),
        ")",
        ") AS listed",
        "INNER JOIN (",
        *whole_sessions(lens.site_id, params, in_lens(lens, page_keys, params), left_out=NOT_SHOWN),
        ") AS sessions USING (session_id)",
    ]
    return _file(REPLAY, rows, [f"ORDER BY {question.ordering}", f"LIMIT {params.bind(question.first, 'UInt32')}"], params)


def export_element_changes(baseline: Lens, page_keys: PageKeys, question: ElementChangeQuestion) -> Statement:
    """Biggest change first."""
    params = Params()
    return _file(ELEMENT_CHANGE, element_changes(baseline, page_keys, question, params), ["ORDER BY place"], params)


def export_cell_changes(baseline: Lens, page_keys: PageKeys, question: CellChangeQuestion) -> Statement:
    """Biggest change first."""
    params = Params()
    return _file(CELL_CHANGE, cell_changes(baseline, page_keys, question, params), ["ORDER BY place"], params)


def export_scroll_changes(baseline: Lens, page_keys: PageKeys, question: ScrollChangeQuestion) -> Statement:
    """From the top down."""
    params = Params()
    shape = SCROLL_BUCKET_CHANGE[WHO[question.scroll.aggregation]]
    return _file(shape, scroll_changes(baseline, page_keys, question, params), ["ORDER BY place"], params)


def for_csv(statement: Statement, shape: Shape) -> Statement:
    """CSV knows no lists: they are the text that NDJSON has there, `[{"currency":"EUR","amount":12.5}]`. And a spreadsheet computes what
    begins like a formula, as texts of visitors may: an apostrophe before it says that it is none."""
    cells = []
    for name, leaf in flat_columns(shape).items():
        if leaf.type in ("String", "Nullable(String)"):
            cells.append(rf"replaceRegexpOne({name}, '^[-=+@＝＋－＠\t\r\n]', '\'\\0') AS {name}")
        elif leaf.type.startswith("Array"):
            cells.append(f"toJSONString({name}) AS {name}")
    return replace(statement, sql=f"SELECT * REPLACE ({', '.join(cells)})\nFROM (\n{statement.sql}\n)") if cells else statement


def _lens_clicks(lens: Lens, page_keys: PageKeys, params: Params) -> str:
    """All clicks of the lens, which shares are out of."""
    clicks = " AND ".join([*lens_clauses(lens, page_keys, params), kind_clause("CLICK")])
    return f"(SELECT count() FROM interactions WHERE {clicks}) AS lens_clicks"


def _spots(shape: Shape, lens: Lens, spots: list[str], question: SpotQuestion, params: Params) -> Statement:
    rows = [
        f"SELECT *, {params.bind(standard_viewport_px(lens)[0], 'UInt32')} AS standard_width_px,",
        f"  {params.bind(question.cell.columns, 'Float64')} AS cell_columns, {params.bind(question.cell.height_px, 'UInt32')} AS cell_height_px",
        "FROM (",
        *spots,
        ")",
    ]
    return _file(shape, rows, [f"ORDER BY {ORDERING}", f"LIMIT {params.bind(question.first, 'UInt32')}"], params)


def _file(shape: Shape, rows: list[str], tail: list[str], params: Params) -> Statement:
    cells = (f"CAST({leaf.sql}, '{leaf.type}') AS `{name}`" for name, leaf in flat_columns(shape).items())
    return Statement.of(["SELECT " + ",\n  ".join(cells), "FROM (", *rows, ")", *tail], params)
