"""Whole points of a timeline where days are not alike: a midnight that never is, a day left out, half an hour more or less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.lens import Lens, Window
from clickhouse.selection import everything
from clickhouse.statement import Params
from clickhouse.timeline import TIMELINE_POINT, TimelineQuestion, timeline_rows


@pytest.mark.parametrize(
    ("zone", "interval", "edges"),
    [
        pytest.param("America/Santiago", "DAY", ["2026-09-05T04", "2026-09-06T04", "2026-09-07T03", "2026-09-08T03"], id="begins at one"),
        pytest.param("America/Santiago", "DAY", ["2026-04-04T03", "2026-04-05T04", "2026-04-06T04"], id="23 o'clock comes twice"),
        pytest.param("Pacific/Apia", "DAY", ["2011-12-29T10", "2011-12-30T10", "2011-12-31T10"], id="a day is left out"),
        pytest.param("Pacific/Apia", "WEEK", ["2011-12-26T10", "2012-01-01T10", "2012-01-08T10"], id="a week of six days"),
        pytest.param(
            "Asia/Tehran", "WEEK", ["2021-03-14T20:30", "2021-03-21T20:30", "2021-03-28T19:30", "2021-04-04T19:30"], id="a Monday at one"
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "HOUR",
            ["2026-10-03T14:30", "2026-10-03T15:30", "2026-10-03T16", "2026-10-03T17"],
            id="begins at half past",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "HOUR",
            ["2026-04-04T14", "2026-04-04T15", "2026-04-04T15:30", "2026-04-04T16:30"],
            id="half an hour twice",
        ),
        pytest.param("Australia/Lord_Howe", "HOUR", ["2026-10-04T11", "2026-10-04T12", "2026-10-04T13"], id="the end of such a day"),
        pytest.param("Pacific/Chatham", "HOUR", ["2026-09-26T12:15", "2026-09-26T13:15", "2026-09-26T14:15"], id="an hour in two parts"),
        pytest.param("Europe/Berlin", "HOUR", ["2026-10-24T23", "2026-10-25T00", "2026-10-25T01", "2026-10-25T02"], id="two o'clock twice"),
    ],
)
def test_a_point_is_whole_until_the_next_begins(database: Client, zone: str, interval: str, edges: list[str]) -> None:
    instants = [datetime.fromisoformat(edge).replace(tzinfo=UTC) for edge in edges]
    question, params = TimelineQuestion(interval, zone, everything(TIMELINE_POINT)), Params()

    def points(window: Window) -> list[tuple[datetime, bool]]:
        rows = " ".join(timeline_rows(Lens("site", window), (), question, params))
        found = database.query(f"SELECT toUnixTimestamp(start) AS at, is_partial FROM ({rows}) ORDER BY at", params.values).result_rows
        return [(datetime.fromtimestamp(at, UTC), bool(is_partial)) for at, is_partial in found]

    assert points(Window(instants[0], instants[-1])) == [(instant, False) for instant in instants[:-1]]
    for start, end in pairwise(instants):
        assert points(Window(start, end)) == [(start, False)]
        assert points(Window(start, end - timedelta(minutes=1))) == [(start, True)]
