"""Cursors come back unchanged, and nothing else is taken for one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickhouse import clock
from clickhouse.errors import BadUserInputError
from clickhouse.lens import Lens, Window
from clickhouse.sites import Site
from resolvers import cursors
from resolvers.context import Context
from resolvers.lenses import AskedLens
from resolvers.sources import Sources
from tests.asking import EVERYTHING

WINDOW = Window(datetime(2026, 11, 14, tzinfo=UTC), datetime(2026, 11, 21, 12, 0, 0, 7000, tzinfo=UTC))
VALUES = st.lists(
    st.one_of(st.integers(0, 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text()), max_size=6
)


@given(VALUES, st.text(max_size=20))
def test_round_trip(values: list[int | float | bool | str], spec: str) -> None:
    cursor = cursors.Cursor(WINDOW, spec, tuple(values))
    kinds = tuple(cursors.UINT64 if type(value) is int else type(value) for value in values)
    try:
        text = cursors.encode("list", cursor)
    except (UnicodeEncodeError, TypeError):  # lone surrogates cannot come from ClickHouse
        return
    assert cursors.decode(text, "list", kinds) == cursor


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_changed_character_is_noticed(place: int, other: str) -> None:
    text = cursors.encode("list", cursors.Cursor(WINDOW, "last -7d", (12, "https://example.com/")))
    place %= len(text)
    changed = text[:place] + other + text[place + 1 :]
    if changed != text:
        with pytest.raises(BadUserInputError, match="no cursor of ours"):
            cursors.decode(changed, "list", (cursors.UINT64, str))


@given(st.text())
def test_any_other_text_is_malformed(text: str) -> None:
    with pytest.raises(BadUserInputError, match="no cursor of ours"):
        cursors.decode(text, "list", ())


def test_a_cursor_of_another_list_is_foreign() -> None:
    text = cursors.encode("one list", cursors.Cursor(WINDOW, "", (1,)))
    with pytest.raises(BadUserInputError, match="belongs to another list"):
        cursors.decode(text, "another", (cursors.UINT64,))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, cursors.UINT8),
        (1.0, cursors.UINT8),
        (256, cursors.UINT8),
        (-1, cursors.UINT64),
        (-(2**63), cursors.INT64),
        (1, bool),
        (1, float),
    ],
)
def test_values_of_another_kind_are_forged(value: float, kind: cursors.Kind) -> None:
    text = cursors.encode("list", cursors.Cursor(WINDOW, "", (value,)))
    with pytest.raises(BadUserInputError, match="no cursor of ours"):
        cursors.decode(text, "list", (kind,))


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))
def test_instants_keep_their_millisecond(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1000 * 1000)
    assert clock.instant(clock.milliseconds(moment)) == moment
    assert clock.milliseconds(moment + timedelta(milliseconds=1)) == clock.milliseconds(moment) + 1


NOTED = (date(2026, 11, 12), date(2026, 11, 18))
SITE = Site("shop", "Shop", stale_days=NOTED, retention_days=30)
ROLLING = AskedLens(SITE, Lens("shop", WINDOW, stale_days=NOTED[1:]), None, WINDOW, "last -7d")
CONTEXT = Context(Sources([]), EVERYTHING, max_window_days=14, now=WINDOW.end)


def resumed_in(window: Window) -> AskedLens:
    resumed, values = ROLLING.resumed(CONTEXT, cursors.encode("list", cursors.Cursor(window, "last -7d", (1,))), "list", (cursors.UINT64,))
    assert values == (1,)
    return resumed


def test_a_sequence_goes_on_with_the_days_noted_in_its_own_window() -> None:
    began = Window(WINDOW.start - timedelta(days=3), WINDOW.end - timedelta(days=3))
    resumed = resumed_in(began)
    assert (resumed.lens.window, resumed.lens.stale_days) == (began, NOTED)


@pytest.mark.parametrize(
    ("days", "problem"),
    [((0, 15), "at most 14 days"), ((0, -1), "ends .* before it begins"), ((-40, -35), "the site's plan keeps 30 days")],
)
def test_a_window_forged_into_a_cursor_is_refused(days: tuple[int, int], problem: str) -> None:
    start, end = (WINDOW.start + timedelta(days=number) for number in days)
    with pytest.raises(BadUserInputError, match=problem):
        resumed_in(Window(start, end))


def test_the_part_of_a_forged_window_that_is_older_than_the_plan_keeps_is_left_out() -> None:
    end = WINDOW.end - timedelta(days=25)
    assert resumed_in(Window(end - timedelta(days=14), end)).lens.window == Window(datetime(2026, 10, 22, tzinfo=UTC), end)
