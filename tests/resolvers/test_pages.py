"""What speaks against the numbers of a lens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickhouse.lens import Lens, Segment, Window
from clickhouse.sites import Site
from resolvers.lenses import AskedLens
from resolvers.pages import warnings

SITE = Site("site_warned", "Warned", plan="BUSINESS")
WINDOW = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))
WHOLE = AskedLens(SITE, Lens(SITE.site_id, WINDOW, Segment(), None), None, WINDOW, "")
CUT_OFF = replace(WHOLE, requested=replace(WINDOW, start=WINDOW.start - timedelta(days=1)))


@pytest.mark.parametrize(
    ("asked", "extent", "partial", "covers_all", "said"),
    [
        pytest.param(WHOLE, {}, False, True, [], id="nothing"),
        pytest.param(WHOLE, {"sample_rate": None}, False, True, [], id="no sample rate known"),
        pytest.param(WHOLE, {"sessions": 999}, False, True, ["999 sessions: 1000 are"], id="few sessions"),
        pytest.param(WHOLE, {"sample_rate": 10.0}, False, True, ["The tracker recorded as few as 10 % of"], id="a tenth"),
        pytest.param(WHOLE, {"sample_rate": 12.5}, False, True, ["The tracker recorded as few as 12.5 % of"], id="sampled"),
        pytest.param(CUT_OFF, {}, False, True, ["The plan's retention"], id="clamped"),
        pytest.param(WHOLE, {}, False, False, ["The BUSINESS plan covers 50 pages"], id="more pages than the plan covers"),
        pytest.param(WHOLE, {}, True, True, ["Some shards"], id="partial"),
    ],
)
def test_warnings(asked: AskedLens, extent: dict[str, Any], partial: bool, covers_all: bool, said: list[str]) -> None:
    found = warnings(asked, {"sessions": 1000, "sample_rate": 100.0} | extent, partial, covers_all)
    assert len(found) == len(said) and all(text.startswith(start) for text, start in zip(found, said, strict=True)), found
