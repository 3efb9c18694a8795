"""What a row as sent may say, key by key, and who it is (`ROW_ID`).

KEYS[4]      -> Number("x", "x", 0, 65535, needed_by=("click", "dead", "rage", "move"))
ROW_ID       -> "if(event_id != 0, event_id, cityHash64(type, timestamp, …))"
"""

from __future__ import annotations

from dataclasses import dataclass

TYPES = ("pageview", "click", "dead", "rage", "move", "scroll", "attention", "event", "element")
POINTS = ("click", "dead", "rage", "move")
DEVICES = ("desktop", "tablet", "mobile")


@dataclass(frozen=True, slots=True)
class Text:
    """A key whose value is kept as text; `needed_by` names the types of row that cannot do without."""

    key: str
    column: str
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """From `low` (or `above` it) to `high`. `whole` is the integer type it is rounded to, half up; `unsent` what is stored without it."""

    key: str
    column: str
    low: float
    high: float
    whole: str = ""
    unsent: str = ""
    above: bool = False
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    key: str
    column: str
    unsent: str = ""
    needed_by: tuple[str, ...] = ()


KEYS: tuple[Text | Number | Flag, ...] = (
    Text("sessionId", "session_key", TYPES),
    Text("visitorId", "visitor_key", TYPES),
    Text("url", "url", TYPES),
    Text("pageviewId", "pageview_key"),
    Number("x", "x", 0, 65_535, needed_by=POINTS),
    Number("y", "y", 0, 10_000_000, needed_by=POINTS),
    Number("width", "width", 0, 10_000_000),
    Number("height", "height", 0, 10_000_000),
    Number("viewportWidth", "viewport_width", 1, 65_535, "UInt16", "0"),
    Number("viewportHeight", "viewport_height", 1, 65_535, "UInt16", "0"),
    Number("pageHeight", "page_height", 0, 10_000_000, "UInt32", "0"),
    Flag("fixed", "fixed", "false"),
    Flag("interactive", "interactive"),
    Text("selector", "selector", ("element",)),
    Text("tag", "tag"),
    Text("text", "text"),
    Text("href", "href"),
    Number("scrollY", "scroll_y", 0, 10_000_000, needed_by=("scroll", "attention")),
    Number("seconds", "seconds", 0, 86_400, needed_by=("attention",)),
    Number("count", "count", 1, 100_000, "UInt32"),
    Text("name", "name", ("event",)),
    Flag("conversion", "conversion", "false"),
    Number("value", "value", -1e12, 1e12),
    Text("currency", "currency"),
    Text("browser", "browser"),
    Text("country", "country"),
    Text("region", "region"),
    Text("referrer", "referrer"),
    Text("trafficSource", "traffic_source"),
    Text("campaign", "campaign"),
    Text("variant", "variant"),
    Text("entryPage", "entry_url"),
    Flag("isTest", "is_test"),
    Number("sampleRate", "sample_rate", 0, 100, unsent="100", above=True),
)
KNOWN = ("type", "timestamp", "device", "eventId", *(key.key for key in KEYS))
IDS = ("session_key", "visitor_key")
"""Kept once, in `sessions` and `visitors`; the rows of `received` hold their hashes."""
SHORTENED = (*IDS, "url")
"""Columns of `load_rows` that follow from others in `received`."""
COLUMNS = (
    "site_id", "day", "session_id", "event_id", "type", "timestamp", "visitor_id", "page_key", "url_rest", "device", "properties",
    "expires_on", *(key.column for key in KEYS if key.column not in SHORTENED),
)  # fmt: skip


def _row_id() -> str:
    parts = ["type", "timestamp", "device", "visitor_id", "page_key", "url_rest"]
    for key in (key for key in KEYS if key.column not in SHORTENED):
        parts.append(key.column if isinstance(key, Text) or key.unsent else f"isNull({key.column}), ifNull({key.column}, 0)")
    parts += ["mapKeys(properties)", "arrayMap(value -> trimBoth(value, '\"'), mapValues(properties))"]  # CSV does not tell "12" from 12
    return f"if(event_id != 0, event_id, cityHash64({', '.join(parts)}))"


ROW_ID = _row_id()
"""Who a row is within its session and day, from the columns of `received`: its eventId, else all that was sent; equal for one row
in NDJSON, CSV and Parquet, whatever the order of its keys. It is computed, as 8 random bytes a row would be a third of the table."""
