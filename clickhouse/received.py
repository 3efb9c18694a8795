"""Rows as sent: the statements that parse them, say why one is refused, and store the new ones.

`gateway.load` puts lines into the temporary table `load_lines`, or columns into `load_columns`; the statements here parse
them into `load_rows` and move the good new ones to `received`. One row as sent, and what becomes of it:

    {"type": "click", "timestamp": "2026-11-20T10:00:00Z", "sessionId": "s1", "visitorId": "v1",
     "url": "https://Example.com/pricing/?a=1", "x": 640, "y": "120.5", "viewportWidth": 1280, "plan": "pro"}
    -> page_key https://example.com/pricing, x 640.0, y 120.5, properties {'plan': '"pro"'}

null and "" mean not sent; a number may be sent as text (CSV); a key nobody knows is kept in `properties`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickhouse.row_keys import COLUMNS, DEVICES, IDS, KEYS, KNOWN, ROW_ID, TYPES, Flag, Number, Text
from clickhouse.statement import Params, Statement, drop_temporary
from clickhouse.surrogates import without_halves
from clickhouse.tables import TABLES
from clickhouse.url import ABSOLUTE_URL, page_key_sql, url_rest_sql

MAX_LINE_BYTES = 1 << 20
MAX_KEYS = 200  # different ones in a chunk of lines, to look for each by its name
MAX_KEY_CHARACTERS = 10_000  # of all of them; a bound value is not much longer
MAX_AHEAD = timedelta(days=1)
"""How far a visitor's clock may be ahead of ours."""

# spelled out because ClickHouse reads 25:00 as 01:00 of the next day, and month and day 00 as the first
ISO_8601 = (
    r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$"
)
MILLISECONDS = r"^\d{1,15}(?:\.\d+)?$"


_PARSED = {Number: ("Int64", "UInt64", "Float64"), Flag: ("Bool",)}
"""Types of columns that need no text to be parsed from."""
_TEXTS = ("eventId", *(key.key for key in KEYS if isinstance(key, Text)))
SMALL_BLOCKS = "min_insert_block_size_rows = 30000, min_insert_block_size_bytes = 0"
"""For temporary tables: a block is the unit that threads share."""
UNMERGED = "optimize_on_insert = 0"
"""For rows that hardly share keys: merging them with others later costs less than half of what merging each insert by itself does."""
AS_ONE_PART = "max_insert_threads = 1"
"""Of each month: merging two halves with each other later costs more than writing them at the same time gains."""
STAGE = ("load_lines", "load_columns", "load_rows", "load_known")


def _texts(values: tuple[str, ...]) -> str:
    """Our own constants as a list; what a caller sends is bound."""
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


@dataclass(frozen=True, slots=True)
class Sent:
    """What the rows of a chunk say: `types` of the keys that any of them has, as the tuple `sent` holds them, and the SELECT that makes it."""

    types: Mapping[str, str]
    lines: Sequence[str]
    lists: bool = True  # a text may be an object or a list
    unknown: str = "true"  # the condition that a row may have keys nobody knows; '' when none has

    def missing(self, key: str) -> str:
        """The condition that a row does not have it."""
        if key not in self.types:
            return "true"
        return f"sent.{key} = ''" if self.types[key] == "String" else f"isNull(sent.{key})"

    def text(self, key: str) -> str:
        return f"sent.{key}" if key in self.types else "''"

    def parsed(self, key: Text | Number | Flag) -> str:
        """The value as sent, in its type; NULL when not sent or not of that type."""
        match key:
            case Text():
                return f"sent.{key.key}"
            case Flag() if self.types[key.key] == "String":
                return f"multiIf(lower(sent.{key.key}) IN ('true', '1'), true, lower(sent.{key.key}) IN ('false', '0'), false, NULL)"
            case Number() if self.types[key.key] == "String":
                value = f"toFloat64OrNull(sent.{key.key})"
            case _:
                value = f"sent.{key.key}"
        return f"floor({value} + 0.5)" if isinstance(key, Number) and key.whole else value

    def instant(self, params: Params) -> str:
        """NULL when the timestamp is none."""
        if self.types.get("timestamp", "String") != "String":
            return "toDateTime64(sent.timestamp, 3, 'UTC')"
        text = self.text("timestamp")
        return (
            f"multiIf(match({text}, {params.text(MILLISECONDS)}),\n"
            f"    fromUnixTimestamp64Milli(toInt64(toFloat64OrZero({text})), 'UTC'),\n"
            f"    match({text}, {params.text(ISO_8601)}),\n"
            f"    parseDateTime64BestEffortOrNull({text}, 3, 'UTC'), NULL)"
        )


def _stored(key: Text | Number | Flag) -> str:
    match key:
        case Number(whole=whole) if whole:
            return f"accurateCastOr{'Default' if key.unsent else 'Null'}({key.column}, '{whole}')"
        case Number() | Flag() if key.unsent:
            return f"ifNull({key.column}, {key.unsent})"
    return key.column


def _refusals(key: Text | Number | Flag, sent: Sent) -> list[tuple[str, str]]:
    """(condition, reason): why a row is refused for this key."""
    missing = sent.missing(key.key)
    refusals = []
    if key.needed_by == TYPES:
        refusals.append((missing, f"{key.key} is missing"))
    elif key.needed_by:
        needed = f"{sent.text('type')} IN {_texts(key.needed_by)}"
        refusals.append((f"{missing} AND {needed}", f"{key.key} is missing: {', '.join(key.needed_by)} rows need it"))
    if key.key not in sent.types:
        return refusals
    match key:
        case Number():
            within = f"ifNull({key.column} {'>' if key.above else '>='} {key.low!r} AND {key.column} <= {key.high!r}, false)"
            allowed = f"above {key.low:.0f}, at most {key.high:.0f}" if key.above else f"from {key.low:.0f} to {key.high:.0f}"
            refusals.append((f"({missing}) = {within}", f"{key.key} must be a number {allowed}"))  # what is missing is not within
        case Flag():
            refusals.append((f"NOT ({missing}) AND isNull({key.column})", f"{key.key} must be true or false"))
    return refusals


def _reason(sent: Sent, params: Params, now: datetime, retention_days: int) -> str:
    """The first thing wrong with a row, '' when nothing is."""
    oldest = params.utc(datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=retention_days))
    type_ = sent.text("type")
    of_row = [
        (f"length(raw) > {MAX_LINE_BYTES}", f"the row is longer than {MAX_LINE_BYTES} bytes"),
        (f"{type_} = '' AND NOT isValidUTF8(raw)", "the row is not valid UTF-8"),
        ("JSONType(raw) = 'String'", "the row is a text; in CSV a quote is not closed, or something follows a closed one"),
        (f"if(startsWith(raw, '{{'), {type_} = '' AND NOT isValidJSON(raw), JSONType(raw) != 'Object')", "the row is not a JSON object"),
    ]
    nested = f"arrayFirst(p -> p.1 IN {_texts(KNOWN)} AND substring(p.2, 1, 1) IN ('{{', '['), JSONExtractKeysAndValuesRaw(raw)).1"
    of_lists = [(f"({nested} AS nested) != ''", "', nested, ' must be a text, a number, true or false, not an object or a list")]
    of_values = [
        (f"{type_} = ''", "type is missing"),
        (f"{type_} NOT IN {_texts(TYPES)}", f"type must be one of {', '.join(TYPES)}"),
        (sent.missing("timestamp"), "timestamp is missing"),
        ("isNull(instant)", "timestamp must be ISO 8601, like 2026-11-20T10:00:00Z, or milliseconds since 1970"),
        ("instant < toDateTime64(157766400, 3, 'UTC')", "timestamp is before 1975; a number is milliseconds since 1970, not seconds"),
        (f"instant < {oldest}", f"timestamp is older than the {retention_days} days the site keeps"),
        (f"instant > {params.utc(now + MAX_AHEAD)}", "timestamp is more than 1 day in the future"),
    ]
    for key in KEYS:
        of_values += _refusals(key, sent)
        if key.key == "url":
            of_values.append((f"NOT match({sent.text('url')}, {params.text(ABSOLUTE_URL)})", "url must be an absolute http(s) URL"))
    if "device" in sent.types:
        of_values.append((f"lower(sent.device) NOT IN {_texts(('', *DEVICES))}", f"device must be one of {', '.join(DEVICES)}"))
    # Nearly every row is good, and a sum is cheaper to find out than a chain. It may suspect a good row, but must miss no bad one.
    lists = [f"substring({sent.text(key)}, 1, 1) IN ('{{', '[')" for key in _TEXTS if key in sent.types] if sent.lists else []
    suspicious = [of_row[0][0], "NOT startsWith(raw, '{')", *lists, *(condition for condition, _ in of_values)]
    first = ",\n    ".join(
        f"{condition}, concat('{reason}')" for condition, reason in of_row + (of_lists if sent.lists else []) + of_values
    )
    return f"if({' + '.join(f'({condition})' for condition in suspicious)} = 0, '', multiIf(\n    {first},\n    ''))"


def of_lines(keys: Collection[str], params: Params) -> Sent:
    """Of `load_lines`, whose rows have no other keys than these; '' is any."""
    types = {key: "String" for key in KNOWN if key in keys}
    names = ", ".join(f"`{key}` String" for key in types)
    sent = f"JSONExtract(raw, 'Tuple({names})')" if types else "tuple()"
    unknown = [key for key in keys if key not in KNOWN]
    whole = [f"SELECT line, {without_halves('raw', params)} AS raw", "FROM load_lines"]
    lines = [f"SELECT line, raw, {sent} AS sent", "FROM (", *whole, ")", "WHERE notEmpty(trimBoth(raw, ' \\t\\r'))"]
    return Sent(types, lines, unknown=_may_have(unknown, params) if unknown else "")


def _may_have(keys: list[str], params: Params) -> str:
    """The condition that a line has one of these keys, or what could be one in other spelling; looking is much cheaper than parsing."""
    named = len("".join(keys)) <= MAX_KEY_CHARACTERS and all(key.isprintable() and key for key in keys)
    spelled = ["\\", *(f'"{key}"' for key in keys)]  # any character may be written as an escape
    return f"multiSearchAny(raw, {params.texts(tuple(spelled))})" if named else "true"


def of_columns(columns: Mapping[str, str], params: Params) -> Sent:
    """Of `load_columns` with columns of these names and types; `raw` becomes the unknown keys as JSON."""
    numbered = {name: (f"c{number}", type_) for number, (name, type_) in enumerate(columns.items())}
    parsed = {key.key: _PARSED[type(key)] for key in KEYS if isinstance(key, Number | Flag)} | {"timestamp": ("DateTime64",)}
    types, values = {}, {}
    for key in KNOWN:
        if key not in numbered:
            continue
        column, type_ = numbered[key]
        if type_.startswith(parsed.get(key, ())):
            types[key], values[key] = f"Nullable({type_})", f"if(isFinite({column}), {column}, NULL)" if type_ == "Float64" else column
        else:
            types[key], values[key] = "String", _column_text(column, type_)
    texts = [f"ifNull({column}, '')" for column, type_ in numbered.values() if type_ == "String"]
    joined = "concatWithSeparator(' ', '', " + ", ".join(texts or ["''"]) + ")"  # one look at all, and ends of two do not make a character
    valid = f"isValidUTF8({joined}) AND length({joined}) <= {MAX_LINE_BYTES + max(len(texts), 1)}"
    values["type"] = f"if(sound, {values['type']}, '')"  # else everything is `raw`, for which it is refused
    unknown = {name: column for name, column in numbered.items() if name not in KNOWN}
    told = " OR ".join(["false", *(f"notEmpty({_column_text(*numbered[name])})" for name in unknown)])
    names = ", ".join(f"`{key}` {type_}" for key, type_ in types.items()).replace("'", "\\'")
    lines = [
        f"SELECT line, {valid} AS sound,",
        f"  multiIf(NOT sound, concat('', {', '.join(texts)}), {told},    {_json_of(unknown, params)}, '{{}}') AS raw,",
        f"  CAST(({', '.join(values[key] for key in types)}), 'Tuple({names})') AS sent",
        "FROM load_columns",
    ]
    return Sent(types, lines, lists=False, unknown="raw != '{}'" if unknown else "")


def _column_json(column: str, type_: str) -> str:
    if type_ != "Float64":
        return f"toJSONString({column})"
    like_integer = f"abs({column}) >= 9.2e18 AND abs({column}) < 1e21"  # is written without a point, and would be read as a text
    return f"concat(toJSONString({column}), if({like_integer}, '.0', ''))"


def _column_text(column: str, type_: str) -> str:
    return f"ifNull({column}, '')" if type_ == "String" else f"trimBoth(ifNull(nullIf(toJSONString({column}), 'null'), ''), '\"')"


def _json_of(columns: Mapping[str, tuple[str, str]], params: Params) -> str:
    """A JSON object of key -> column and its type."""
    pairs = [
        f"{params.text(f'{comma}{json.dumps(name)}:')}, ifNull({_column_json(*column)}, 'null')"
        for comma, (name, column) in zip(("{", *"," * len(columns)), columns.items(), strict=False)
    ]
    return f"concat({', '.join(pairs)}, '}}')" if pairs else "'{}'"


def compile_keys() -> Statement:
    """One row: `keys` that the lines have, '' for all that nobody knows if these are many."""
    params = Params()
    every = f"arraySort(key -> key NOT IN {_texts(KNOWN)}, groupUniqArrayArray(JSONExtractKeys({without_halves('raw', params)})))"
    keys = f"if(length({every} AS every) > {MAX_KEYS}, arrayPushBack(arraySlice(every, 1, {len(KNOWN)}), ''), every)"
    return Statement.of([f"SELECT {keys} AS keys", "FROM load_lines"], params)


def compile_parse(
    site_id: str, retention_days: int, now: datetime, *, keys: Collection[str] = (), columns: Mapping[str, str] | None = None
) -> Statement:
    """Parses `load_lines` with these `keys`, or `load_columns` with these columns, into `load_rows`, refused rows with their `reason`.

    Empty lines are no rows. Each level of SELECT names what the next one uses: an alias used twice in one level would be planned twice.
    """
    params = Params()
    known = _texts(KNOWN)
    sent = of_lines(keys, params) if columns is None else of_columns(columns, params)
    told = [key for key in KEYS if key.key in sent.types]
    replaced = ", ".join(f"{_stored(key)} AS {key.column}" for key in told if _stored(key) != key.column)
    values = {
        "site_id": params.text(site_id),
        "timestamp": "ifNull(instant, toDateTime64(0, 3, 'UTC'))",
        "day": "toDate(timestamp, 'UTC')",
        "expires_on": f"day + {params.bind(retention_days + 1, 'UInt16')}",
        "session_id": f"cityHash64({sent.text('sessionId')})",
        "visitor_id": f"cityHash64({sent.text('visitorId')})",
        "type": f"if({sent.text('type')} IN {_texts(TYPES)}, {sent.text('type')}, 'pageview')",
        "page_key": page_key_sql(sent.text("url")),
        "url_rest": url_rest_sql(sent.text("url"), "page_key"),
    }
    if "eventId" in sent.types:
        values["event_id"] = "if(sent.eventId != '', cityHash64('eventId', sent.eventId), 0)"
    if "device" in sent.types:
        values["device"] = f"if(lower(sent.device) IN {_texts(DEVICES)}, upper(sent.device), '')"
    if sent.unknown:
        values["properties"] = "CAST(unknown, 'Map(String, String)')"
    values |= {key.column: key.unsent for key in KEYS if key.key not in sent.types and isinstance(key, Number | Flag) and key.unsent}
    written = ", ".join((*values, *(key.column for key in told)))
    unknown = (
        f"if({sent.unknown} AND arrayExists(key -> key NOT IN {known}, JSONExtractKeys(raw)), arraySort(arrayFilter(",
        f"    p -> p.1 NOT IN {known} AND p.2 NOT IN ('null', '\"\"'), JSONExtractKeysAndValuesRaw(raw))), []) AS unknown,",
    )
    return Statement.of(
        [
            f"INSERT INTO load_rows (line, reason, {written})",
            f"SELECT line, reason, {written}",
            "FROM (",
            f"SELECT * {f'REPLACE ({replaced})' if replaced else ''},",
            ",\n".join(f"  {value} AS {column}" for column, value in values.items()),
            "FROM (",
            "SELECT *,",
            f"  {_reason(sent, params, now, retention_days)} AS reason",
            "FROM (",
            "SELECT line, raw, sent,",
            *(unknown if sent.unknown else ()),
            ",\n".join((f"  {sent.instant(params)} AS instant", *(f"  {sent.parsed(key)} AS {key.column}" for key in told))),
            "FROM (",
            *sent.lines,
            ")",
            ")",
            ")",
            ")",
            f"SETTINGS {SMALL_BLOCKS}",
        ],
        params,
    )


def compile_stage() -> list[Statement]:
    """Fresh temporary tables for a chunk: its lines as read, its rows as parsed, texts not yet in dictionaries, and who is stored already."""
    columns = ", ".join(f"{name} {type_.replace('LowCardinality(String)', 'String')}" for name, type_ in TABLES["received"].columns.items())
    ids = ", ".join(f"{name} String" for name in IDS)
    return [
        *drop_temporary(STAGE),
        Statement("CREATE TEMPORARY TABLE load_lines (line UInt64 DEFAULT rowNumberInAllBlocks(), raw String) ENGINE = Memory", {}),
        Statement(
            "CREATE TEMPORARY TABLE load_rows (line UInt64, reason LowCardinality(String),"
            f" {columns}, {ids}, row_id UInt64 MATERIALIZED {ROW_ID}) ENGINE = Memory",
            {},
        ),
    ]


def compile_columns(types: Mapping[str, str]) -> Statement:
    """Creates `load_columns` (c0, c1, … of these types) for rows that come as columns."""
    columns = ", ".join(f"c{number} Nullable({type_})" for number, type_ in enumerate(types.values()))
    return Statement(f"CREATE TEMPORARY TABLE load_columns (line UInt64 DEFAULT rowNumberInAllBlocks(), {columns}) ENGINE = Memory", {})


def compile_known(site_id: str) -> Statement:
    """`load_known`: rows of the chunk that are stored already."""
    params = Params()
    return Statement.of(
        [
            "CREATE TEMPORARY TABLE load_known ENGINE = Memory AS",
            f"SELECT day, session_id, {ROW_ID} AS row_id",
            "FROM received",
            f"WHERE site_id = {params.text(site_id)}",
            "  AND (day, session_id) IN (SELECT day, session_id FROM load_rows WHERE reason = '')",
        ],
        params,
    )


_NEW = "reason = '' AND (day, session_id, row_id) NOT IN (SELECT day, session_id, row_id FROM load_known)"


def compile_outcome() -> Statement:
    """One row a `reason`, '' for good ones: `rows`, `new_rows` that are not stored yet, and `distinct_rows` among these."""
    return Statement.of(
        [
            "SELECT reason, count() AS rows, countIf(new) AS new_rows, uniqExactIf(cityHash64(day, session_id, row_id), new) AS distinct_rows",
            "FROM (",
            f"SELECT reason, day, session_id, row_id, {_NEW} AS new",
            "FROM load_rows",
            ")",
            "GROUP BY reason",
        ],
        Params(),
    )


def compile_touch() -> list[Statement]:
    """Notes which sessions must be derived anew, and the ids as sent; comes before `compile_store`, so that a kill between them loses nothing."""
    return [
        Statement.of(
            [
                "INSERT INTO visitors (site_id, visitor_id, visitor_key, day, expires_on)",
                "SELECT any(site_id), visitor_id, any(visitor_key), max(day), max(expires_on)",
                "FROM load_rows",
                f"WHERE {_NEW}",
                "GROUP BY visitor_id",
                f"SETTINGS {UNMERGED}",
            ],
            Params(),
        ),
        Statement.of(
            [
                "INSERT INTO touched_sessions (site_id, session_id, visitor_id, day, session_key)",
                "SELECT any(site_id), session_id, visitor_id, day, any(session_key)",
                "FROM load_rows",
                f"WHERE {_NEW}",
                "GROUP BY session_id, visitor_id, day",
                f"SETTINGS {UNMERGED}",
            ],
            Params(),
        ),
    ]


def compile_store(*, distinct: bool) -> Statement:
    """The new rows, each once: of rows with one identity the first is kept. `distinct` says that no two have one."""
    columns = ", ".join(COLUMNS)
    return Statement.of(
        [
            f"INSERT INTO received ({columns})",
            f"SELECT {columns}",
            "FROM load_rows",
            f"WHERE {_NEW}",
            *([] if distinct else ["ORDER BY line", "LIMIT 1 BY day, session_id, row_id"]),
            f"SETTINGS {UNMERGED}, {AS_ONE_PART}",
        ],
        Params(),
    )


def compile_rejects(first_line: int, columns: Mapping[str, str] | None = None) -> Statement:
    """One column of JSON: {"line": …, "reason": …, "row": as sent}; text that is no JSON is a string, in base64 if it is no UTF-8."""
    params = Params()
    rows = "load_lines"
    if columns is not None:
        numbered = {name: (f"c{number}", type_) for number, (name, type_) in enumerate(columns.items())}
        rows = f"(SELECT line, {_json_of(numbered, params)} AS raw FROM load_columns) AS sent"
    return Statement.of(
        [
            f"SELECT concat('{{\"line\":', toString(line + {params.bind(first_line, 'UInt64')}),",
            "  ',\"reason\":', toJSONString(toString(reason)),",
            "  multiIf(isValidJSON(raw), concat(',\"row\":', trimBoth(raw, ' \\t\\r')),",
            "    isValidUTF8(raw), concat(',\"row\":', toJSONString(raw)),",
            "    concat(',\"row_base64\":\"', base64Encode(raw), '\"')), '}')",
            "FROM load_rows",
            f"INNER JOIN {rows} USING line",
            "WHERE reason != ''",
            "ORDER BY line",
        ],
        params,
    )
