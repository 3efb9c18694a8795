"""What a row of an exported file holds, where no GraphQL answer has the same shape: connections and what is made in Python there."""

from __future__ import annotations

from collections.abc import Collection

from clickhouse.conversions import MICROS
from clickhouse.heatmap import POINT_ELEMENT
from clickhouse.numbers import HIGH_SEVERITY_CLICKS, MEDIUM_SEVERITY_CLICKS, rate_shape, ratio
from clickhouse.replays import DURATION_MS, WATCH_PARTS, WATCH_SCORE
from clickhouse.selection import Leaf, Shape
from clickhouse.totals import ISSUE_SCORE


def page_shape(unknown: Collection[str] = ()) -> Shape:
    """A row of `page_rows`. A rate of `unknown` measures is one of nothing out of nothing, and a score with one is null."""

    def rate(numerator: str, denominator: str, basis: str, *, subset: bool) -> Shape:
        return rate_shape(*(("0", "0") if numerator in unknown else (numerator, denominator)), basis, subset=subset)

    return Shape(
        "PageEdge",
        {
            "key": Leaf("page", "String"),
            "path": Leaf("substring(page, position(page, '/', position(page, '://') + 3))", "String"),
            "pageviews": Leaf("pageviews", "UInt64"),
            "visitors": Leaf("visitors", "UInt64"),
            "sessions": Leaf("sessions", "UInt64"),
            "bounceRate": rate("bounced_sessions", "sessions", "SESSIONS", subset=True),
            "averageSecondsOnPage": Leaf(ratio("on_page_ms", "(1000 * timed_pageviews)"), "Nullable(Float64)"),
            "clicks": Leaf("clicks", "UInt64"),
            "rageClicks": Leaf("rage_clicks", "UInt64"),
            "deadClicks": Leaf("dead_clicks", "UInt64"),
            "rageRate": rate("rage_clicks", "clicks", "CLICKS", subset=False),
            "deadRate": rate("dead_clicks", "clicks", "CLICKS", subset=True),
            "issueScore": Leaf("NULL" if {"rage_sessions", "dead_sessions"}.intersection(unknown) else ISSUE_SCORE, "Nullable(Float64)"),
            "desktopClicks": Leaf("desktop_clicks", "UInt64"),
            "tabletClicks": Leaf("tablet_clicks", "UInt64"),
            "mobileClicks": Leaf("mobile_clicks", "UInt64"),
        },
    )


PAGE = page_shape()


def replay_url(visitor: str, offset_ms: str) -> Leaf:
    """The site's template filled in, as `schema.replays.replay_url` does it; `visitor` holds the id of the session's visitor as sent."""
    return Leaf(
        "if(url_template = '' OR session_key = '', NULL, replaceAll(replaceAll(replaceAll(replaceAll(url_template,"
        f" '{{sessionId}}', encodeURLComponent(session_key)), '{{visitorId}}', encodeURLComponent({visitor})),"
        f" '{{offsetSeconds}}', toString(greatest(0, intDiv({offset_ms}, 1000)))), '{{date}}', toString(toDate(started_at))))",
        "Nullable(String)",
    )


OFFSET_MS = "dateDiff('millisecond', started_at, timestamp)"

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
        "offsetSeconds": Leaf(f"if(session_key = '', NULL, {OFFSET_MS} / 1000)", "Nullable(Float64)"),
        "replayUrl": replay_url("replay_visitor_key", OFFSET_MS),
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
                "label": Leaf("label", "String"),
                "tag": Leaf("tag", "String"),
                "text": Leaf("nullIf(text, '')", "Nullable(String)"),
                "href": Leaf("nullIf(href, '')", "Nullable(String)"),
                "name": Leaf("nullIf(name, '')", "Nullable(String)"),
                "isCta": Leaf("is_cta", "Bool"),
                "isFixed": Leaf("ifNull(is_fixed, said_fixed)", "Bool"),
                "top": Leaf("floor(top)", "Nullable(Int64)"),
                "left": Leaf("left_px", "Nullable(Float64)"),
                "width": Leaf("floor(width)", "Nullable(Int64)"),
                "height": Leaf("floor(height)", "Nullable(Int64)"),
                "viewportWidth": Leaf("viewport_width", "Nullable(UInt16)"),
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
    "pageKey": Leaf("page_key", "String"),
    "pageCount": Leaf("page_count", "UInt64"),
    "x": Leaf("if(selector = '', spot_column * standard_width_px / cell_columns, relative_x * standard_width_px)", "Float64"),
    "relativeX": Leaf("if(selector = '', spot_column / cell_columns, relative_x)", "Float64"),
    "y": Leaf("if(selector = '', spot_row * cell_height_px, floor(y))", "Int64"),
    "fixed": Leaf("fixed", "Bool"),
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
        "severity": Leaf(
            f"multiIf(clicks / count < {MEDIUM_SEVERITY_CLICKS}, 'LOW', clicks / count < {HIGH_SEVERITY_CLICKS}, 'MEDIUM', 'HIGH')",
            "String",
        ),
    },
)

DEAD_SPOT = Shape("DeadClick", SPOT | {"clicks": Leaf("clicks", "UInt64"), "share": Leaf("clicks / lens_clicks", "Float64")})

DEPTH_CONVERSION = Shape(
    "DepthConversion",
    {
        "depth": Leaf("depth", "UInt32"),
        "sessions": Leaf("sessions", "UInt64"),
        "conversions": Leaf("conversions", "UInt64"),
        "rate": rate_shape("conversions", "sessions", "SESSIONS", subset=True),
        "revenue": Leaf(
            f"arrayMap((currency, micros) -> (nullIf(currency, ''), micros / {MICROS}), mapKeys(revenue_micros), mapValues(revenue_micros))",
            "Array(Tuple(currency Nullable(String), amount Float64))",
        ),
    },
)

REPLAY = Shape(
    "Replay",
    {
        "sessionId": Leaf("session_key", "String"),
        "visitorId": Leaf("visitor_key", "String"),
        "url": replay_url("visitor_key", "0"),
        "startedAt": Leaf("started_at", "DateTime64(3, \\'UTC\\')"),
        "durationSeconds": Leaf(f"{DURATION_MS} / 1000", "Float64"),
        "breakpoint": Leaf("breakpoint", "String"),
        "device": Leaf("device", "String"),
        "country": Leaf("nullIf(toString(country), '')", "Nullable(String)"),
        "browser": Leaf("nullIf(toString(browser), '')", "Nullable(String)"),
        "entryPage": Leaf("nullIf(toString(entry_page), '')", "Nullable(String)"),
        "trafficSource": Leaf("nullIf(toString(traffic_source), '')", "Nullable(String)"),
        "region": Leaf("nullIf(toString(region), '')", "Nullable(String)"),
        "campaign": Leaf("nullIf(toString(campaign), '')", "Nullable(String)"),
        "variant": Leaf("nullIf(toString(variant), '')", "Nullable(String)"),
        "pages": Leaf("pages", "UInt64"),
        "clicks": Leaf("clicks", "UInt64"),
        "rageClicks": Leaf("rage_clicks", "UInt64"),
        "deadClicks": Leaf("dead_clicks", "UInt64"),
        "conversions": Leaf("conversions", "UInt64"),
        "watchScore": Shape(
            "WatchScore", {"value": Leaf(WATCH_SCORE, "Int64"), **{part: Leaf(sql, "Int64") for part, sql in WATCH_PARTS.items()}}
        ),
    },
)
