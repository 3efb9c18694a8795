"""Rage bursts: the SQL against a plain model of the rule."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from typing import Any

from clickhouse_connect.driver.client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from clickhouse.rage import DEFAULT_RULE, RageRule, bursts
from clickhouse.statement import Params
from tests.reference.bursts import RageRule as ModelRule
from tests.reference.bursts import bursts as model_bursts


@dataclass(frozen=True, order=True)
class Click:
    session_id: int
    page_key: str
    fixed: bool
    timestamp_ms: int
    x: Fraction
    y: Fraction
    selector: str


def found(database: Client, clicks: list[Click], rule: RageRule = DEFAULT_RULE) -> list[tuple[Any, ...]]:
    """(session, page, fixed, first ms, centre x, centre y, clicks, selector, payload), sorted."""
    params = Params()
    rows = params.bind(
        [(c.session_id, c.page_key, c.fixed, c.timestamp_ms, float(c.x), float(c.y), c.selector) for c in clicks],
        "Array(Tuple(UInt64, String, Bool, Int64, Float64, Float64, String))",
    )
    return found_in(database, f"(SELECT arrayJoin({rows}) AS click)", params, rule)


def found_in(
    database: Client, clicks: str, params: Params, rule: RageRule = DEFAULT_RULE, settings: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    select = [
        "SELECT click.1 AS session_id, click.2 AS page_key, click.3 AS fixed, fromUnixTimestamp64Milli(click.4, 'UTC') AS timestamp,",
        "  click.5 AS x, click.6 AS y, click.7 AS selector, 'a' AS tag, '' AS text, concat(click.2, '?') AS url",
        f"FROM {clicks}",
    ]
    columns = "session_id, page_key, fixed, toUnixTimestamp64Milli(timestamp), x, y, clicks, selector, url"
    sql = "\n".join([f"SELECT {columns}", "FROM (", *bursts(select, rule, ("url",), params), ")"])
    return sorted(tuple(row) for row in database.query(sql, params.values, settings).result_rows)


def expected(clicks: list[Click], rule: RageRule = DEFAULT_RULE) -> list[tuple[Any, ...]]:
    def place(click: Click) -> tuple[int, str, bool]:
        return click.session_id, click.page_key, click.fixed

    all_of_them = []
    for (session_id, page_key, fixed), of_place in groupby(sorted(clicks), place):
        for burst in model_bursts(list(of_place), ModelRule(rule.min_clicks, rule.window_ms, int(rule.radius_px))):
            x, y = float(sum(click.x for click in burst) / len(burst)), float(sum(click.y for click in burst) / len(burst))
            selectors = [click.selector for click in burst]
            top = min(set(selectors), key=lambda selector: (-selectors.count(selector), selector))
            all_of_them.append((session_id, page_key, fixed, burst[0].timestamp_ms, x, y, len(burst), top, page_key + "?"))
    return sorted(all_of_them)


clicks = st.builds(
    Click,
    st.integers(1, 2),
    st.sampled_from(["https://a/", "https://b/"]),
    st.booleans(),
    st.integers(0, 30).map(lambda step: step * 100),
    st.integers(0, 8).map(lambda step: Fraction(step * 8)),
    st.sampled_from([Fraction(0), Fraction(24), Fraction(100)]),
    st.sampled_from(["#a", "#b"]),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(clicks, max_size=60),
    st.sampled_from([DEFAULT_RULE, RageRule(2, 0, 0), RageRule(3, 500, 16), RageRule(2, 3000, 200)]),
)
def test_sql_agrees_with_the_model(database: Client, some: list[Click], rule: RageRule) -> None:
    some = [replace(click) for click in some]  # the model tells alike ones apart by being another object
    assert found(database, some, rule) == expected(some, rule)


def click(timestamp_ms: int, x: int, y: int = 0, selector: str = "#a", fixed: bool = False) -> Click:
    return Click(1, "https://a/", fixed, timestamp_ms, Fraction(x), Fraction(y), selector)


def test_edges_are_inclusive(database: Client) -> None:
    assert [row[6] for row in found(database, [click(ms, 0) for ms in (0, 250, 500, 750, 1000)])] == [5]
    assert found(database, [click(ms, 0) for ms in (0, 250, 500, 750, 1001)]) == []
    assert [row[6] for row in found(database, [click(ms, 30 * (ms // 400)) for ms in (0, 100, 200, 300, 400)])] == [5]
    assert found(database, [click(ms, 31 * (ms // 400)) for ms in (0, 100, 200, 300, 400)]) == []


def test_a_click_is_in_one_burst_at_most(database: Client) -> None:
    some = [click(ms * 100, 0) for ms in range(11)] + [click(1100 + ms, 5) for ms in range(4)]
    assert [(row[3], row[6]) for row in found(database, some)] == [(0, 11)]


def test_fixed_clicks_make_their_own_bursts(database: Client) -> None:
    assert found(database, [click(ms * 100, ms, fixed=ms % 2 == 0) for ms in range(8)]) == []


def test_a_long_row_of_clicks(database: Client) -> None:
    """A robot that clicks every 100 ms for minutes: the work is bounded by clicks a window, not by clicks a session."""
    robot = "(SELECT (1::UInt64, 'https://a/', false, number * 100, 0., 0., '#a') AS click FROM numbers(2200))"
    assert [row[6] for row in found_in(database, robot, Params())] == [11] * 200


def test_of_the_places_of_a_second_the_first_hundred_count(database: Client) -> None:
    """Alike clicks are one place, however many; the hundred and first of one second are not looked at, those of the next are."""
    at_once = [click(500, number, number % 3) for number in range(130) for _ in range(1 + number % 2)]
    some = [*at_once, *(click(990 + number, 900) for number in range(8)), *(click(1000 + number, 900 + number) for number in range(150))]
    assert found(database, some) == expected(some)
    assert sum(row[6] for row in found(database, some)) == 150 + 100


def test_the_work_does_not_grow_with_the_square_of_clicks(database: Client) -> None:
    """At one moment, on one place and on many; all within a second; with a text of their own."""
    robots = (("0", "0", "'#a'", 20_000), ("0", "number / 1000", "'#a'", 100), ("number % 1000", "0", "toString(number)", 100 * 20))
    for ms, x, selector, in_burst in robots:
        robot = f"(SELECT (1::UInt64, 'https://a/', false, toInt64({ms}), toFloat64({x}), 0., {selector}) AS click FROM numbers(20000))"
        began_s = time.monotonic()
        (burst,) = found_in(database, robot, Params(), settings={"max_memory_usage": 500_000_000})
        assert (burst[6], time.monotonic() - began_s < 10) == (in_burst, True)
