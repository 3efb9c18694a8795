"""The rows behind the wide answers, flat, for a file: columns carry GraphQL's names, nested ones joined (`reach { value }` is `reachValue`).

Each takes its rows from the function that the GraphQL answer takes them from, so the numbers are the same.
"""

from __future__ import annotations

from clickhouse.attention import ATTENTION_BAND, AttentionQuestion, band_counts
from clickhouse.breakdown import BREAKDOWN_ROW, BreakdownQuestion, rows_by_dimension
from clickhouse.conditions import lens_clauses
from clickhouse.element_marks import from_interactions
from clickhouse.elements import ElementsQuestion, listed_elements
from clickhouse.heatmap import HEATMAP_POINT, POINT_ELEMENT, HeatmapQuestion, heatmap_rows, standard_viewport_px
from clickhouse.hotspots import ORDERING, SpotQuestion, dead_spots, rage_spots
from clickhouse.interactions import InteractionQuestion, interaction_clauses
from clickhouse.lens import Lens
from clickhouse.numbers import kind_clause, rate_shape, ratio
from clickhouse.scroll import SCROLL_BUCKET, WHO, ScrollQuestion, depth_counts
from clickhouse.selection import Leaf, Shape, compile_columns
from clickhouse.statement import Params, Statement
from clickhouse.timeline import TIMELINE_POINT, TimelineQuestion, timeline_rows
from clickhouse.totals import ISSUE_SCORE, ORDERS, page_rows

PageKeys = tuple[str, ...]

PAGE = Shape(
    "PageEdge",
    {
        "key": Leaf("page", "String"),
        "pageviews": Leaf("pageviews", "UInt64"),
        "visitors": Leaf("visitors", "UInt64"),
        "sessions": Leaf("sessions", "UInt64"),
        "bounceRate": rate_shape("bounced_sessions", "sessions", "SESSIONS", subset=True),
        "averageSecondsOnPage": Leaf(ratio("on_page_ms", "(1000 * timed_pageviews)"), "Nullable(Float64)"),
        "clicks": Leaf("clicks", "UInt64"),
        "rageClicks": Leaf("rage_clicks", "UInt64"),
        "deadClicks": Leaf("dead_clicks", "UInt64"),
        "rageRate": rate_shape("rage_clicks", "clicks", "CLICKS", subset=False),
        "deadRate": rate_shape("dead_clicks", "clicks", "CLICKS", subset=True),
        "issueScore": Leaf(ISSUE_SCORE, "Nullable(Float64)"),
        "desktopClicks": Leaf("desktop_clicks", "UInt64"),
        "tabletClicks": Leaf("tablet_clicks", "UInt64"),
        "mobileClicks": Leaf("mobile_clicks", "UInt64"),
    },
)

INTERACTION = Shape(
    "Interaction",
    {
        "kind": Leaf(
            "transform(toString(kind), ['click', 'dead', 'rage', 'move'], ['CLICK', 'DEAD_CLICK', 'RAGE_CLICK', 'MOVE'])", "String"
        ),
        "timestamp": Leaf("timestamp", "DateTime64(3, \\'UTC\\')"),
        "relativeX": Leaf("x / viewport_width", "Float64"),
        "y": Leaf("floor(y)", "Int64"),
        "fixed": Leaf("fixed", "Bool"),
        "url": Leaf("url", "String"),
        "element": POINT_ELEMENT,
        "sessionId": Leaf("nullIf(session_key, '')", "Nullable(String)"),
        "visitorId": Leaf("nullIf(visitor_key, '')", "Nullable(String)"),
    },
)

ELEMENT = Shape(
    "ElementStats",
    {
        "key": Leaf("key", "String"),
        "elementCount": Leaf("element_count", "UInt64"),
        "element": Shape(
            "Element",
            {
                "pageKey": Leaf("page_key", "String"),
                "selector": Leaf("selector", "String"),
                "name": Leaf("nullIf(name, '')", "Nullable(String)"),
                "isCta": Leaf("is_cta", "Bool"),
            },
        ),
        "x": Leaf("x", "Nullable(Float64)"),
        "y": Leaf("floor(y)", "Nullable(Int64)"),
        "displays": Leaf("displays", "UInt64"),
        "clicks": Leaf("clicks", "UInt64"),
        "clickRate": rate_shape("clicks", "displays", "REACHED_PAGEVIEWS", subset=False),
        "clickShare": rate_shape("clicks", "lens_clicks", "CLICKS", subset=True),
        "visitors": Leaf("visitors", "UInt64"),
        "sessions": Leaf("sessions", "UInt64"),
        "averageSecondsToClick": Leaf(ratio("waited_ms", "(1000 * waits)"), "Nullable(Float64)"),
        "rageClicks": Leaf("rage_clicks", "UInt64"),
        "deadClicks": Leaf("dead_clicks", "UInt64"),
        "belowFold": rate_shape("fold_below", "fold_clicks", "CLICKS", subset=True),
    },
)

SPOT: dict[str, Leaf | Shape] = {
    "x": Leaf("if(selector = '', spot_column * standard_width_px / cell_columns, relative_x * standard_width_px)", "Float64"),
    "y": Leaf("if(selector = '', spot_row * cell_height_px, floor(y))", "Int64"),
    "element": POINT_ELEMENT,
}

RAGE_SPOT = Shape(
    "RageClick",
    SPOT
    | {
        "count": Leaf("count", "UInt64"),
        "clicks": Leaf("clicks", "UInt64"),
        "averageClicks": Leaf("clicks / count", "Float64"),
        "maxClicks": Leaf("max_clicks", "UInt64"),
        "severity": Leaf("multiIf(clicks / count < 6, 'LOW', clicks / count < 10, 'MEDIUM', 'HIGH')", "String"),
    },
)

DEAD_SPOT = Shape("DeadClick", SPOT | {"clicks": Leaf("clicks", "UInt64"), "share": Leaf("clicks / page_clicks", "Float64")})


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


def export_pages(lens: Lens, search: str | None, order: str, descending: bool, first: int) -> Statement:
    """As listed."""
    params = Params()
    direction = "DESC" if descending else "ASC"
    by = f"page {direction}" if order == "KEY" else f"ifNull(toFloat64({ORDERS[order]}), -1.) {direction}, page"
    rows = page_rows(lens, search, params)
    return _file(PAGE, rows, [f"ORDER BY {by}", f"LIMIT {params.bind(first, 'UInt32')}"], params)


def export_interactions(lens: Lens, page_keys: PageKeys, question: InteractionQuestion, with_people: bool) -> Statement:
    """Newest first; without `with_people` the ids of sessions and visitors are null."""
    params = Params()
    columns = "kind, timestamp, row_id, viewport_width, x, y, fixed, url, toString(selector) AS selector, toString(tag) AS tag, toString(text) AS text"
    where = [*from_interactions(lens, params), "WHERE " + "\n  AND ".join(interaction_clauses(lens, page_keys, question, params))]
    people = [
        "LEFT JOIN (",
        "SELECT session_id, session_key, visitor_key",
        "FROM sessions FINAL",
        f"WHERE site_id = {params.site(lens.site_id)}",
        ") AS sessions USING (session_id)",
    ]
    if with_people:
        rows = ["SELECT *", "FROM (", f"SELECT session_id, {columns}", *where, ") AS interactions", *people]
    else:
        rows = [f"SELECT {columns}, '' AS session_key, '' AS visitor_key", *where]
    return _file(INTERACTION, rows, ["ORDER BY timestamp DESC, row_id", f"LIMIT {params.bind(question.first, 'UInt32')}"], params)


def export_elements(lens: Lens, page_keys: PageKeys, question: ElementsQuestion) -> Statement:
    """As listed."""
    params = Params()
    clicks = " AND ".join([*lens_clauses(lens, page_keys, params), kind_clause("CLICK")])
    rows = [
        f"SELECT *, (SELECT count() FROM interactions WHERE {clicks}) AS lens_clicks",
        "FROM (",
        *listed_elements(lens, page_keys, question, params),
        ") AS stats",
        "LEFT JOIN (",
        "SELECT page_key, selector, name, is_cta",
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
    return _spots(DEAD_SPOT, lens, dead_spots(lens, page_keys, question, params), question, params)


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
    return Statement.of(["SELECT " + ",\n  ".join(compile_columns(shape)), "FROM (", *rows, ")", *tail], params)
