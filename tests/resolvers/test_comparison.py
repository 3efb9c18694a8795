"""When two lenses are not comparable."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from clickhouse.conditions import SEGMENT_COLUMNS
from clickhouse.lens import WHOLE_SITE, Lens, PerformedEvent, Segment, UrlRule, WidthRange, Window
from clickhouse.sites import Site
from resolvers.comparison import Compared, warnings
from resolvers.lenses import AskedLens

SITE = Site("site_comparison", "Comparison", time_zone="Europe/Berlin")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
VARIANTS = Segment(variant=("control",)), Segment(variant=("benefit",))


def seen(start_day: float, days: float, segment: Segment = Segment(), url: UrlRule | None = None, cut_off: float = 0) -> AskedLens:  # noqa: B008
    """Days after a Monday, UTC."""
    window = Window(MONDAY + timedelta(days=start_day), MONDAY + timedelta(days=start_day + days))
    requested = replace(window, start=window.start - timedelta(days=cut_off))
    return AskedLens(SITE, Lens(SITE.site_id, window, segment, url), None, requested, "")


@pytest.mark.parametrize(
    ("baseline", "candidate", "codes"),
    [
        pytest.param(seen(0, 7), seen(7, 7), [], id="whole weeks"),
        pytest.param(seen(0.3, 7), seen(7.3, 7), [], id="weeks rolled back"),
        pytest.param(seen(0, 30), seen(30, 30), [], id="30 days and 30 days"),
        pytest.param(seen(13 + 23 / 24, 7), seen(20 + 23 / 24, 7 - 1 / 24), [], id="a change of clocks"),
        pytest.param(seen(0, 7), seen(7, 14), ["DIFFERENT_LENGTHS"], id="one week and two"),
        pytest.param(seen(0, 1), seen(7, 0.9), ["DIFFERENT_LENGTHS"], id="a day and most of one"),
        pytest.param(seen(0, 5), seen(5, 5), ["DIFFERENT_WEEKDAYS"], id="working days and a weekend"),
        pytest.param(seen(0, 7), seen(7, 5), ["DIFFERENT_LENGTHS", "DIFFERENT_WEEKDAYS"], id="without the weekend"),
        pytest.param(seen(0, 7), seen(6, 7), ["OVERLAPPING"], id="a day in common"),
        pytest.param(seen(0, 7), seen(0, 7, VARIANTS[0]), ["OVERLAPPING"], id="all and a part"),
        pytest.param(seen(0, 7, VARIANTS[1]), seen(0, 7), ["OVERLAPPING"], id="a part and all"),
        pytest.param(seen(0, 7, VARIANTS[0]), seen(0, 7, VARIANTS[1]), [], id="A/B"),
        pytest.param(seen(0, 7, url=UrlRule("path", "/a")), seen(0, 7, url=UrlRule("path", "/b")), [], id="two rules"),
        pytest.param(seen(0, 7, url=UrlRule("path", "/a")), seen(0, 7, url=WHOLE_SITE), ["OVERLAPPING"], id="a rule and the site"),
        pytest.param(seen(0, 7), seen(7, 7, cut_off=2), ["CLAMPED"], id="clamped"),
        pytest.param(seen(0, 7, Segment(device=("MOBILE",))), seen(7, 7), ["DIFFERENT_WIDTHS"], id="device"),
        pytest.param(seen(0, 7), seen(7, 7, Segment(breakpoint=("MOBILE",))), ["DIFFERENT_WIDTHS"], id="breakpoint"),
        pytest.param(
            seen(0, 7, Segment(viewport_width=WidthRange(400, 500))),
            seen(7, 7, Segment(viewport_width=WidthRange(400, 501))),
            ["DIFFERENT_WIDTHS"],
            id="viewport width",
        ),
    ],
)
def test_warnings(baseline: AskedLens, candidate: AskedLens, codes: list[str]) -> None:
    assert [warning.code for warning in warnings(Compared(baseline, candidate), (1000, 1000))] == codes


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        *((Segment(**{name: ("a", "b")}), Segment(**{name: ("b",)})) for name in SEGMENT_COLUMNS),  # type: ignore[arg-type]
        (Segment(viewport_width=WidthRange(100, None)), Segment(viewport_width=WidthRange(200, None))),
        (Segment(viewport_width=WidthRange(None, 900)), Segment(viewport_width=WidthRange(200, 800))),
        (Segment(cohorts=("c1",)), Segment(cohorts=("c1", "c2"))),
        (Segment(performed=(PerformedEvent("signup"),)), Segment(performed=(PerformedEvent("buy"), PerformedEvent("signup", 2)))),
        (Segment(), Segment(exclude_test_accounts=True)),
        (Segment(), Segment(entry_page=UrlRule("path", "/"))),
    ],
)
def test_a_side_that_holds_the_other_overlaps_it(wide: Segment, narrow: Segment) -> None:
    """Whichever it is; sides that only share some may do so by chance, as those of an A/B test."""
    country, other = replace(wide, country=("DE",)), replace(narrow, country=("FR",))
    for one, two, overlap in ((wide, narrow, True), (narrow, wide, True), (wide, wide, True), (country, other, False)):
        codes = [warning.code for warning in warnings(Compared(seen(0, 7, one), seen(0, 7, two)), (1000, 1000))]
        assert ("OVERLAPPING" in codes) == overlap


def test_every_part_of_a_segment_is_looked_at() -> None:
    parts = {field.name for field in fields(Segment)}
    assert parts - set(SEGMENT_COLUMNS) == {"viewport_width", "entry_page", "cohorts", "exclude_test_accounts", "performed"}


@pytest.mark.parametrize(("sessions_", "few"), [((1000, 1000), False), ((999, 5000), True), ((5000, 999), True)])
def test_1000_sessions_are_enough(sessions_: tuple[int, int], few: bool) -> None:
    assert [warning.code for warning in warnings(Compared(seen(0, 7), seen(7, 7)), sessions_)] == (["FEW_SESSIONS"] if few else [])
