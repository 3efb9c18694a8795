"""The events a tracker sent, by name, so that conversions, segments and cohorts can name them."""

from __future__ import annotations

from clickhouse.conditions import window_clauses
from clickhouse.lens import Lens
from clickhouse.selection import Leaf, Selection, Shape, compile_json
from clickhouse.statement import Params, Statement, where_all

ORDERING = "sessions DESC, events DESC, event_name"

EVENT_NAME = Shape(
    "EventName",
    {
        "name": Leaf("event_name", "String"),
        "events": Leaf("events", "UInt64"),
        "sessions": Leaf("sessions", "UInt64"),
        "isConversion": Leaf("is_conversion", "Bool"),
    },
)


def compile_event_names(lens: Lens, search: str, first: int, selection: Selection) -> Statement:
    """One row: `values`, a JSON array. Of the lens its site and window count, as wherever an event is named."""
    params = Params()
    values = f"SELECT toJSONString(groupArray({compile_json(selection, EVENT_NAME)})) AS values"
    return Statement.of([values, "FROM (", *event_name_rows(lens, search, first, params), ")"], params)


def event_name_rows(lens: Lens, search: str, first: int, params: Params) -> list[str]:
    """One row a name, most sessions first; `search` is part of it in any case, '' for all."""
    where = [f"site_id = {params.site(lens.site_id)}", *window_clauses(lens.window, params)]
    if search:
        where.append(f"positionCaseInsensitiveUTF8(toString(name), {params.text(search)}) > 0")
    return [
        "SELECT toString(name) AS event_name, count() AS events, uniqExact(session_id) AS sessions, max(conversion) AS is_conversion",
        "FROM events",
        where_all(where),
        "GROUP BY event_name",
        f"ORDER BY {ORDERING}",
        f"LIMIT {params.bind(first, 'UInt32')}",
    ]
