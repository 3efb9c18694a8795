"""Rows as sent: what each key must hold, the reason a row is refused, and who it is (`row_id`), all as SQL.

`gateway.load` puts lines into the temporary table `load_lines`; the statements here parse them into `load_rows` and
move the good new ones to `received`. One row as sent, and what becomes of it:

    {"type": "click", "timestamp": "2026-11-20T10:00:00Z", "sessionId": "s1", "visitorId": "v1",
     "url": "https://Example.com/pricing/?a=1", "x": 640, "y": "120.5", "viewportWidth": 1280, "plan": "pro"}
    -> page_key https://example.com/pricing, x 640.0, y 120.5, properties {'plan': '"pro"'}

null and "" mean not sent; a number may be sent as text (CSV); a key nobody knows is kept in `properties`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clickhouse.statement import Params, Statement
from clickhouse.url import ABSOLUTE_URL, page_key_sql

TYPES = ("pageview", "click", "dead", "rage", "move", "scroll", "attention", "event", "element")
POINTS = ("click", "dead", "rage", "move")
DEVICES = ("desktop", "tablet", "mobile")
MAX_LINE_BYTES = 1 << 20
MAX_AHEAD = timedelta(days=1)
"""How far a visitor's clock may be ahead of ours."""

# hours and minutes are spelled out because ClickHouse reads 25:00 as 01:00 of the next day
ISO_8601 = (
    r"^\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$"
)
MILLISECONDS = r"^\d{1,15}(?:\.\d+)?$"


@dataclass(frozen=True, slots=True)
class Text:
    """A key whose value is kept as text; `needed_by` names the types of row that cannot do without."""

    key: str
    column: str
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """From `low` to `high`, both inclusive. `whole` is the integer type it is rounded to, half up; `unsent` what is stored without it."""

    key: str
    column: str
    low: float
    high: float
    whole: str = ""
    unsent: str = ""
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
    Number("value", "value", -1e15, 1e15),
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
    Number("sampleRate", "sample_rate", 0, 100, unsent="100"),
)
KNOWN = ("type", "timestamp", "device", "eventId", *(key.key for key in KEYS))
COLUMNS = (
    "site_id", "day", "session_id", "row_id", "type", "timestamp", "visitor_id", "page_key", "device", "properties", "expires_on",
    *(key.column for key in KEYS),
)  # fmt: skip

STAGE = ("load_lines", "load_rows", "load_known")


def _texts(values: tuple[str, ...]) -> str:
    """Our own constants as a list; what a caller sends is bound."""
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def _number(key: Number) -> str:
    return f"floor(toFloat64OrNull(sent.{key.key}) + 0.5)" if key.whole else f"toFloat64OrNull(sent.{key.key})"


def _value(key: Text | Number | Flag) -> str:
    match key:
        case Text():
            return f"sent.{key.key}"
        case Flag():
            return f"multiIf(lower(sent.{key.key}) IN ('true', '1'), true, sent.{key.key} != '', false, {key.unsent or 'NULL'})"
        case Number():
            number = f"accurateCastOrNull({_number(key)}, '{key.whole}')" if key.whole else _number(key)
            return f"ifNull({number}, {key.unsent})" if key.unsent else number


def _refusals(key: Text | Number | Flag) -> list[tuple[str, str]]:
    """(condition, reason): why a row is refused for this key."""
    refusals = []
    if key.needed_by == TYPES:
        refusals.append((f"sent.{key.key} = ''", f"{key.key} is missing"))
    elif key.needed_by:
        refusals.append(
            (
                f"sent.{key.key} = '' AND sent.type IN {_texts(key.needed_by)}",
                f"{key.key} is missing: {', '.join(key.needed_by)} rows need it",
            )
        )
    match key:
        case Number():
            allowed = f"{_number(key)} BETWEEN {key.low!r} AND {key.high!r}"
            if key.key == "sampleRate":
                allowed = f"{_number(key)} > 0 AND {allowed}"
            refusals.append((f"sent.{key.key} != '' AND NOT ifNull({allowed}, false)", f"{key.key} must be a number {_range(key)}"))
        case Flag():
            refusals.append((f"lower(sent.{key.key}) NOT IN ('', 'true', 'false', '1', '0')", f"{key.key} must be true or false"))
        case Text():
            pass
    return refusals


def _range(key: Number) -> str:
    if key.key == "sampleRate":
        return "above 0, at most 100"
    return f"from {key.low:.0f} to {key.high:.0f}"


def _reason(params: Params, now: datetime, retention_days: int) -> str:
    """The first thing wrong with a row, '' when nothing is."""
    too_old = f"toDate({params.day(now.date() - timedelta(days=retention_days))})"
    refusals = [
        (f"length(raw) > {MAX_LINE_BYTES}", f"'the row is longer than {MAX_LINE_BYTES} bytes'"),
        ("sent.type = '' AND NOT isValidUTF8(raw)", "'the row is not valid UTF-8'"),
        ("if(startsWith(raw, '{'), sent.type = '' AND NOT isValidJSON(raw), JSONType(raw) != 'Object')", "'the row is not a JSON object'"),
        ("nested != ''", "concat(nested, ' must be a text, a number or true or false, not an object or a list')"),
        ("sent.type = ''", "'type is missing'"),
        (f"sent.type NOT IN {_texts(TYPES)}", f"'type must be one of {', '.join(TYPES)}'"),
        ("sent.timestamp = ''", "'timestamp is missing'"),
        ("isNull(instant)", "'timestamp must be ISO 8601, like 2026-11-20T10:00:00Z, or milliseconds since 1970'"),
        (f"day <= {too_old}", f"'timestamp is older than the {retention_days} days the site keeps'"),
        (f"timestamp > {params.utc(now + MAX_AHEAD)}", "'timestamp is more than 1 day in the future'"),
    ]
    for key in KEYS:
        refusals += [(condition, f"'{reason}'") for condition, reason in _refusals(key)]
        if key.key == "url":
            refusals.append((f"NOT match(sent.url, {params.text(ABSOLUTE_URL)})", "'url must be an absolute http(s) URL'"))
    refusals.append((f"lower(sent.device) NOT IN {_texts(('', *DEVICES))}", f"'device must be one of {', '.join(DEVICES)}'"))
    return "multiIf(\n    " + ",\n    ".join(f"{condition}, {reason}" for condition, reason in refusals) + ",\n    '')"


def compile_parse(site_id: str, retention_days: int, now: datetime) -> Statement:
    """Parses `load_lines` into `load_rows`, refused rows with their `reason`; empty lines are no rows."""
    params = Params()
    identity = [
        "type", "timestamp", "session_key", "visitor_key", "url", "device",
        *(
            key.column if isinstance(key, Text) else f"ifNull(toString({key.column}), '')"
            for key in KEYS
            if key.column not in ("session_key", "visitor_key", "url")
        ),
        # CSV knows only texts: there "12" and 12 are the same
        "arrayMap(p -> (p.1, trimBoth(p.2, '\"')), unknown)",
    ]  # fmt: skip
    values = {
        "site_id": params.text(site_id),
        "day": "toDate(timestamp, 'UTC')",
        "session_id": "cityHash64(session_key)",
        "row_id": f"if(sent.eventId != '', cityHash64('eventId', sent.eventId), cityHash64({', '.join(identity)}))",
        "type": f"if(sent.type IN {_texts(TYPES)}, sent.type, 'pageview')",
        "timestamp": "ifNull(instant, toDateTime64(0, 3, 'UTC'))",
        "visitor_id": "cityHash64(visitor_key)",
        "page_key": page_key_sql("sent.url"),
        "device": f"if(lower(sent.device) IN {_texts(DEVICES)}, upper(sent.device), '')",
        "properties": "CAST(unknown, 'Map(String, String)')",
        "expires_on": f"day + {params.bind(retention_days, 'UInt16')}",
    } | {key.column: _value(key) for key in KEYS}
    parsed_time = (
        f"multiIf(match(sent.timestamp, {params.text(MILLISECONDS)}), fromUnixTimestamp64Milli(toInt64(toFloat64OrZero(sent.timestamp)), 'UTC'),"
        f" match(sent.timestamp, {params.text(ISO_8601)}), parseDateTime64BestEffortOrNull(sent.timestamp, 3, 'UTC'), NULL)"
    )
    known = _texts(KNOWN)
    return Statement.of(
        [
            f"INSERT INTO load_rows (line, reason, {', '.join(values)})",
            "WITH",
            f"  JSONExtract(raw, 'Tuple({', '.join(f'`{key}` String' for key in KNOWN)})') AS sent,",
            f"  if(arrayExists(key -> key NOT IN {known}, JSONExtractKeys(raw)),"
            f" arraySort(arrayFilter(p -> p.1 NOT IN {known} AND p.2 NOT IN ('null', '\"\"'), JSONExtractKeysAndValuesRaw(raw))), []) AS unknown,",
            "  if(match(raw, ':\\\\s*[\\\\[{]'),"
            f" arrayFirst(p -> p.1 IN {known} AND substring(p.2, 1, 1) IN ('{{', '['), JSONExtractKeysAndValuesRaw(raw)).1, '') AS nested,",
            f"  {parsed_time} AS instant",
            "SELECT",
            "  line,",
            f"  {_reason(params, now, retention_days)} AS reason,",
            ",\n".join(f"  {value} AS {column}" for column, value in values.items()),
            "FROM load_lines",
            "WHERE notEmpty(trimBoth(raw, ' \\t\\r'))",
        ],
        params,
    )


def compile_stage() -> list[Statement]:
    """Fresh temporary tables for a chunk: its lines as read, its rows as parsed, and who of them is stored already."""
    return [
        *(Statement(f"DROP TEMPORARY TABLE IF EXISTS {table}", {}) for table in STAGE),
        Statement("CREATE TEMPORARY TABLE load_lines (line UInt64 DEFAULT rowNumberInAllBlocks(), raw String) ENGINE = Memory", {}),
        Statement(
            "CREATE TEMPORARY TABLE load_rows ENGINE = Memory AS"
            " SELECT toUInt64(0) AS line, toLowCardinality('') AS reason, received.* FROM received LIMIT 0",
            {},
        ),
    ]


def compile_known(site_id: str) -> Statement:
    """`load_known`: rows of the chunk that are stored already."""
    params = Params()
    return Statement.of(
        [
            "CREATE TEMPORARY TABLE load_known ENGINE = Memory AS",
            "SELECT day, session_id, row_id",
            "FROM received",
            f"WHERE site_id = {params.text(site_id)}",
            "  AND (day, session_id, row_id) IN (SELECT day, session_id, row_id FROM load_rows WHERE reason = '')",
        ],
        params,
    )


_NEW = "reason = '' AND (day, session_id, row_id) NOT IN (SELECT day, session_id, row_id FROM load_known)"


def compile_outcome() -> Statement:
    """One row a `reason`, '' for good ones: `rows`, and `new_rows`, those that are not stored yet."""
    return Statement(
        "SELECT reason, count() AS rows, uniqExactIf((day, session_id, row_id), " + _NEW + ") AS new_rows\nFROM load_rows\nGROUP BY reason",
        {},
    )


def compile_touch() -> Statement:
    """Notes which sessions must be derived anew; comes before `compile_store`, so that a kill between them loses nothing."""
    return Statement(
        f"INSERT INTO touched_sessions (site_id, session_id, visitor_id, day)\n"
        f"SELECT DISTINCT site_id, session_id, visitor_id, day\nFROM load_rows\nWHERE {_NEW}",
        {},
    )


def compile_store() -> Statement:
    """The new rows, each once: of rows with one identity the first is kept."""
    columns = ", ".join(COLUMNS)
    return Statement(
        f"INSERT INTO received ({columns})\nSELECT {columns}\nFROM load_rows\nWHERE {_NEW}\n"
        "ORDER BY day, session_id, row_id, line\nLIMIT 1 BY day, session_id, row_id",
        {},
    )


def compile_rejects(first_line: int) -> Statement:
    """One column of JSON: {"line": …, "reason": …, "row": as sent}; text that is no JSON is a string, in base64 if it is no UTF-8."""
    params = Params()
    return Statement.of(
        [
            f"SELECT concat('{{\"line\":', toString(line + {params.bind(first_line, 'UInt64')}), ',\"reason\":', toJSONString(toString(reason)),",
            "  multiIf(isValidJSON(raw), concat(',\"row\":', trimBoth(raw, ' \\t\\r')),",
            "    isValidUTF8(raw), concat(',\"row\":', toJSONString(raw)), concat(',\"row_base64\":', toJSONString(base64Encode(raw)))), '}')",
            "FROM load_rows",
            "INNER JOIN load_lines USING line",
            "WHERE reason != ''",
            "ORDER BY line",
        ],
        params,
    )
