"""What a row must hold: each reason for refusal, each way of writing that is accepted, and who a row is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pyarrow
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse import received
from clickhouse.row_keys import KNOWN, POINTS
from clickhouse.statement import Statement
from gateway.row_columns import columns_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RETENTION_DAYS = 90
Row = dict[str, Any]

ROW: Row = {"type": "pageview", "timestamp": "2026-11-20T10:00:00Z", "sessionId": "s", "visitorId": "v", "url": "https://a.de/b?c=1"}
CLICK = {**ROW, "type": "click", "x": 10, "y": 20}
SCROLL = {**ROW, "type": "scroll", "scrollY": 100}
ATTENTION = {**SCROLL, "type": "attention", "seconds": 2.5}
EVENT = {**ROW, "type": "event", "name": "signup"}
ELEMENT = {**ROW, "type": "element", "selector": "#buy"}


def parsed(database: Client, texts: list[bytes]) -> list[Row]:
    """The rows of `load_rows`, in order."""
    for statement in received.compile_stage():
        run(database, statement)
    database.raw_insert("load_lines", ["raw"], b"\n".join(texts) + b"\n", fmt="LineAsString", settings={"input_format_parallel_parsing": 0})
    of_keys = received.compile_keys()
    (keys,) = database.query(of_keys.sql, of_keys.params).result_rows[0]
    run(database, received.compile_parse("site", RETENTION_DAYS, NOW, keys=keys))
    return parsed_rows(database)


def parsed_with_every_key(database: Client) -> list[Row]:
    """The rows of the same lines, read as if each key were in one of them."""
    database.command("TRUNCATE TABLE load_rows")
    run(database, received.compile_parse("site", RETENTION_DAYS, NOW, keys=[*KNOWN, ""]))
    return parsed_rows(database)


def parsed_rows(database: Client) -> list[Row]:
    return list(database.query("SELECT *, row_id FROM load_rows ORDER BY line").named_results())


def run(database: Client, statement: Statement) -> None:
    database.command(statement.sql, statement.params)


def parse(database: Client, *rows: Row) -> list[Row]:
    return parsed(database, [json.dumps(row).encode() for row in rows])


def reasons(database: Client, *rows: Row) -> list[str]:
    return [row["reason"] for row in parse(database, *rows)]


@pytest.fixture(autouse=True)
def dropped(database: Client) -> Iterator[None]:
    yield
    for table in received.STAGE:
        database.command(f"DROP TEMPORARY TABLE IF EXISTS {table}")


REFUSED: list[tuple[Row, str]] = [
    ({**ROW, "type": ""}, "type is missing"),
    ({**ROW, "type": "klick"}, "type must be one of pageview, click, dead, rage, move, scroll, attention, event, element"),
    ({**ROW, "type": "Click"}, "type must be one of pageview, click, dead, rage, move, scroll, attention, event, element"),
    ({**ROW, "timestamp": None}, "timestamp is missing"),
    *(
        ({**ROW, "timestamp": timestamp}, "timestamp must be ISO 8601, like 2026-11-20T10:00:00Z, or milliseconds since 1970")
        for timestamp in (
            "yesterday",
            "20.11.2026",
            "2026-11-20T25:00:00Z",
            "2026-11-20T10:60",
            "2026-02-30T10:00:00Z",
            "2026-13-01",
            "2026-00-20",
            "2026-11-00T10:00:00Z",
            True,
            -5,
        )
    ),
    ({**ROW, "timestamp": "2026-08-21T23:59:59.999Z"}, "timestamp is older than the 90 days the site keeps"),
    ({**ROW, "timestamp": 1763632800}, "timestamp is before 1975; a number is milliseconds since 1970, not seconds"),
    ({**ROW, "timestamp": "2026-11-21T12:00:00.001Z"}, "timestamp is more than 1 day in the future"),
    ({**ROW, "sessionId": ""}, "sessionId is missing"),
    ({**ROW, "visitorId": None}, "visitorId is missing"),
    ({key: value for key, value in ROW.items() if key != "url"}, "url is missing"),
    *(
        ({**ROW, "url": url}, "url must be an absolute http(s) URL")
        for url in ("/pricing", "a.de", "ftp://a.de", "https://", "javascript:alert(1)")
    ),
    *(
        ({**CLICK, "type": type_, "x": None}, "x is missing: click, dead, rage, move rows need it")
        for type_ in ("click", "dead", "rage", "move")
    ),
    ({**CLICK, "y": ""}, "y is missing: click, dead, rage, move rows need it"),
    *(({**CLICK, "x": x}, "x must be a number from 0 to 65535") for x in (-0.1, 65535.1, "ten", "1,5", "NaN", "inf", "1e999", True)),
    *(({**CLICK, "y": y}, "y must be a number from 0 to 10000000") for y in (-1, 10_000_001)),
    ({**CLICK, "x": [1]}, "x must be a text, a number, true or false, not an object or a list"),
    ({**CLICK, "selector": {"id": "a"}}, "selector must be a text, a number, true or false, not an object or a list"),
    *(({**CLICK, "viewportWidth": width}, "viewportWidth must be a number from 1 to 65535") for width in (0, 0.4, 65535.5, -1, "wide")),
    ({**CLICK, "viewportHeight": 0}, "viewportHeight must be a number from 1 to 65535"),
    ({**CLICK, "pageHeight": 10_000_001}, "pageHeight must be a number from 0 to 10000000"),
    ({**CLICK, "fixed": "yes"}, "fixed must be true or false"),
    ({**CLICK, "interactive": 2}, "interactive must be true or false"),
    ({**SCROLL, "scrollY": None}, "scrollY is missing: scroll, attention rows need it"),
    ({**SCROLL, "scrollY": -1}, "scrollY must be a number from 0 to 10000000"),
    ({**ATTENTION, "scrollY": None}, "scrollY is missing: scroll, attention rows need it"),
    ({**ATTENTION, "seconds": None}, "seconds is missing: attention rows need it"),
    ({**ATTENTION, "seconds": 86_401}, "seconds must be a number from 0 to 86400"),
    ({**EVENT, "name": ""}, "name is missing: event rows need it"),
    *(({**EVENT, "value": value}, "value must be a number from -1000000000000 to 1000000000000") for value in ("much", 1.1e12, -1.1e12)),
    ({**EVENT, "conversion": "maybe"}, "conversion must be true or false"),
    ({**ELEMENT, "selector": None}, "selector is missing: element rows need it"),
    ({**CLICK, "type": "rage", "count": 0}, "count must be a number from 1 to 100000"),
    ({**ROW, "device": "watch"}, "device must be one of desktop, tablet, mobile"),
    ({**ROW, "sampleRate": 0}, "sampleRate must be a number above 0, at most 100"),
    ({**ROW, "sampleRate": 100.1}, "sampleRate must be a number above 0, at most 100"),
    ({**ROW, "isTest": "x"}, "isTest must be true or false"),
    ({**ROW, "text": "x" * received.MAX_LINE_BYTES}, "the row is longer than 1048576 bytes"),
]


def test_refused_rows(database: Client) -> None:
    assert reasons(database, *(row for row, _ in REFUSED)) == [reason for _, reason in REFUSED]


def test_refused_lines(database: Client) -> None:
    lines = [b"nope", b"[1, 2]", b"17", b'"click"', b'{"type": "click"', b'{"type": "\xff"}', b"{}", b'{"type": NaN}', b"null"]
    assert [row["reason"] for row in parsed(database, lines)] == [
        *["the row is not a JSON object"] * 3,
        "the row is a text; in CSV a quote is not closed, or something follows a closed one",
        "the row is not a JSON object",
        "the row is not valid UTF-8",
        "type is missing",
        *["the row is not a JSON object"] * 2,
    ]


def test_empty_lines_are_no_rows(database: Client) -> None:
    line = json.dumps(CLICK).encode()
    assert [(row["line"], row["reason"]) for row in parsed(database, [b"", line, b"  \t", b"\r", b" \t" + line + b"\r"])] == [
        (1, ""),
        (4, ""),
    ]


def test_half_a_character_is_left_out(database: Client) -> None:
    """JavaScript writes one where a text was cut within it; whole ones, and a backslash that is one, stay as they are."""
    texts = {
        r"Buy \ud83d": "Buy ",
        r"\uDE00\ud83d\ude00!": "😀!",
        r"\ud83d\ud83d\uDE00": "😀",
        r"C:\\ud83d \u00fc": r"C:\ud83d ü",
    }
    rows = parsed(database, [json.dumps({**CLICK, "text": "?"}).replace("?", text).encode() for text in texts])
    assert [(row["reason"], row["text"]) for row in rows] == [("", text) for text in texts.values()]


TIMESTAMPS = {
    "2026-11-20T10:00:00Z": "10:00:00.000",
    "2026-11-20T10:00:00": "10:00:00.000",
    "2026-11-20 10:00": "10:00:00.000",
    "2026-11-20T10:00:00.1234567Z": "10:00:00.123",
    "2026-11-20T10:00:00.999999999999+05:30": "04:30:00.999",
    "2026-11-20T10:00:00-0230": "12:30:00.000",
    "2026-11-20T10:00:00+02": "08:00:00.000",
    "2026-11-20": "00:00:00.000",
    "1795168800123": "10:00:00.123",
    "1795168800123.9": "10:00:00.123",
}


def test_timestamps(database: Client) -> None:
    rows = parse(database, *({**ROW, "timestamp": timestamp} for timestamp in TIMESTAMPS), {**ROW, "timestamp": 1795168800123})
    assert [row["reason"] for row in rows] == [""] * len(rows)
    assert [f"{row['timestamp']:%T.%f}"[:-3] for row in rows] == [*TIMESTAMPS.values(), "10:00:00.123"]


def test_edges_of_time(database: Client) -> None:
    assert reasons(database, {**ROW, "timestamp": "2026-08-22T00:00:00Z"}, {**ROW, "timestamp": "2026-11-21T12:00:00Z"}) == ["", ""]


def test_a_whole_row(database: Client) -> None:
    (row,) = parse(
        database,
        {
            **CLICK, "x": "10.5", "viewportWidth": 1279.5, "viewportHeight": "720", "pageHeight": 0, "fixed": "TRUE", "interactive": 0,
            "selector": 'a[href="/x"]', "device": "Mobile", "isTest": "1", "sampleRate": "12.5", "sessionId": 17,
            "plan": {"b": [1, "2"]}, "n": None,
        },
    )  # fmt: skip
    assert row["reason"] == ""
    assert (row["x"], row["y"], row["viewport_width"], row["viewport_height"], row["page_height"]) == (10.5, 20, 1280, 720, 0)
    assert (row["fixed"], row["interactive"], row["is_test"], row["device"], row["sample_rate"]) == (True, False, True, "MOBILE", 12.5)
    assert (row["session_key"], row["selector"], row["page_key"]) == ("17", 'a[href="/x"]', "https://a.de/b")
    assert row["properties"] == {"plan": '{"b":[1,"2"]}'}
    assert f"{row['day']} {row['expires_on']}" == "2026-11-20 2027-02-19"


def test_a_bare_row(database: Client) -> None:
    (row,) = parse(database, {**ROW, "x": None, "viewportWidth": "", "fixed": None})
    assert row["reason"] == ""
    assert (row["x"], row["viewport_width"], row["fixed"], row["is_test"], row["sample_rate"]) == (None, 0, False, None, 100)


SAME = [
    ({**CLICK, "x": 10.0}, "a float"),
    ({**CLICK, "x": "10"}, "a text"),
    (dict(reversed(CLICK.items())), "another order"),
    ({**CLICK, "timestamp": 1795168800000}, "milliseconds"),
    ({**CLICK, "timestamp": "2026-11-20T11:00:00+01:00"}, "another zone"),
    ({**CLICK, "selector": "", "fixed": False, "sampleRate": 100, "foo": None}, "what is not sent, said"),
]
OTHER = [
    {**CLICK, "x": 11},
    {**CLICK, "url": "https://a.de/b?c=2"},
    {**CLICK, "selector": "a"},
    {**CLICK, "tag": "a"},
    {**CLICK, "isTest": False},
    {**CLICK, "foo": "bar"},
    {**CLICK, "type": "dead"},
]


def test_identity(database: Client) -> None:
    ids = [row["row_id"] for row in parse(database, CLICK, *(row for row, _ in SAME))]
    assert len(set(ids)) == 1
    ids = [row["row_id"] for row in parse(database, CLICK, *OTHER)]
    assert len(set(ids)) == len(ids)


def test_the_event_id_is_the_identity(database: Client) -> None:
    named = parse(
        database, {**CLICK, "eventId": "e1"}, {**CLICK, "x": 99, "eventId": "e1"}, {**CLICK, "eventId": "e2"}, {**CLICK, "eventId": 2}
    )
    ids = [row["row_id"] for row in named]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all("eventId" not in row["properties"] for row in named)


def test_properties_are_compared_as_text(database: Client) -> None:
    first, second, third = parse(database, {**CLICK, "a": 1, "b": "x"}, {**CLICK, "b": "x", "a": "1"}, {**CLICK, "a": 2, "b": "x"})
    assert first["row_id"] == second["row_id"] != third["row_id"]


def test_spelling_is_no_difference(database: Client) -> None:
    lines = [
        json.dumps(CLICK | {"a": "x/é", "b": {"c": [1]}}).encode(),
        json.dumps(CLICK).encode()[:-1] + rb', "a": "x\/\u00e9", "b":{"c":[ 1 ]}}',
    ]
    first, second = parsed(database, lines)
    assert first["row_id"] == second["row_id"]
    assert first["properties"] == second["properties"] == {"a": '"x/é"', "b": '{"c":[1]}'}


scalars = st.none() | st.booleans() | st.integers(-10, 10**9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=3
)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(KNOWN), anything, max_size=8).map(lambda row: {**CLICK, **row}) | anything,
        min_size=1,
        max_size=30,
    )
)
def test_no_row_breaks_the_others(database: Client, rows: list[Any]) -> None:
    """Whatever is sent, each line is one row, good or refused, and what is good is within bounds."""
    outcome = parsed(database, [json.dumps(row).encode() for row in [*rows, CLICK]])
    assert [row["line"] for row in outcome] == list(range(len(rows) + 1))
    assert outcome[-1]["reason"] == ""
    assert parsed_with_every_key(database) == outcome
    assert all(0 <= row["x"] <= 65_535 and 0 <= row["y"] <= 10_000_000 for row in outcome if not row["reason"] and row["type"] in POINTS)


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from((*["click"] * 6, "scroll", "", None, "klick")),
    "timestamp": st.sampled_from((NOW, NOW - timedelta(days=2, microseconds=7), NOW, NOW, None)),
    "sessionId": st.text(min_size=1, max_size=3),
    "visitorId": st.integers(0, 2**63 - 1),
    "url": st.sampled_from((*["https://a.de/b?c", "http://A.de:80/"] * 3, "nowhere", None)),
    "x": st.sampled_from((None, math.nan, math.inf, 10.25, 1e300, -1.0)),
    "y": st.none() | st.floats(0, 100),
    "fixed": st.none() | st.booleans(),
    "text": st.none() | st.text(max_size=3) | st.sampled_from(('{"a": 1}', "null")),
    "plan": st.none() | st.text(max_size=3) | st.just("a/b"),
    "age": st.none()
    | (st.sampled_from((2.0**63, 2.0**64, -1e19, 9e20, 1e21)) | st.floats()).map(lambda age: age + 0.0),  # -0.0 is spelled in two ways
}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(COLUMNS), min_size=9, max_size=30), st.sets(st.sampled_from(("x", "fixed", "text", "plan", "age"))))
def test_columns_are_read_like_lines(database: Client, rows: list[Row], unsent: set[str]) -> None:
    rows = [{key: value for key, value in row.items() if key not in unsent} for row in rows]
    table = pyarrow.table({key: pyarrow.array([row[key] for row in rows], _arrow_type(key)) for key in rows[0]})
    columns = columns_of(table.to_batches(max_chunksize=7))
    assert columns is not None
    of_lines = parsed(database, [orjson.dumps(row) for row in rows])
    for statement in (*received.compile_stage(), received.compile_columns(columns.types)):
        run(database, statement)
    names = [f"c{number}" for number in range(len(columns.types))]
    database.raw_insert("load_columns", names, b"".join(columns.stream), fmt="ArrowStream")
    run(database, received.compile_parse("site", RETENTION_DAYS, NOW, columns=columns.types))
    assert parsed_rows(database) == of_lines


def _arrow_type(key: str) -> Any:
    kinds = {"timestamp": pyarrow.timestamp("us", "UTC"), "visitorId": pyarrow.int64(), "fixed": pyarrow.bool_()}
    return kinds.get(key, pyarrow.float64() if key in ("x", "y", "age") else pyarrow.string())


def test_columns_of_bad_text_are_refused(database: Client) -> None:
    types = {"type": "String", "timestamp": "String", "sessionId": "String", "visitorId": "String", "url": "String", "text": "String"}
    for statement in (*received.compile_stage(), received.compile_columns(types)):
        run(database, statement)
    good = "'pageview', '2026-11-20', 's', 'v', 'https://a.de/'"
    long = f"repeat('xx', {received.MAX_LINE_BYTES // 2})"
    database.command(f"INSERT INTO load_columns (c0, c1, c2, c3, c4, c5) VALUES ({good}, unhex('FF')), ({good}, {long})")
    run(database, received.compile_parse("site", RETENTION_DAYS, NOW, columns=types))
    assert [row["reason"] for row in parsed_rows(database)] == ["the row is not valid UTF-8", "the row is longer than 1048576 bytes"]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param('"plan": 1, "\\u0062ig": 2', id="a name with an escape"),
        pytest.param('"plan": 1, "a\\"b\\\\": "x"', id="a name with quotes"),
        pytest.param('"plan": 1, "": 2, "text": "plan"', id="no name"),
        pytest.param(", ".join(f'"key_{number:04}": {number}' for number in range(received.MAX_KEYS + 9)), id="many names"),
    ],
)
def test_keys_nobody_knows_are_kept(database: Client, raw: str) -> None:
    """However a name is written, also beside rows without any."""
    line = json.dumps(CLICK).removesuffix("}") + ", " + raw + "}"
    sent = {key: value for key, value in json.loads(line).items() if key not in KNOWN}
    bare, whole = parsed(database, [json.dumps(CLICK).encode(), line.encode()])
    assert (bare["properties"], whole["properties"]) == ({}, {key: json.dumps(value) for key, value in sent.items()})
