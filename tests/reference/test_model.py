"""The model held against numbers worked out by hand, and those that peers document."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from tests.reference.facts import facts_of
from tests.reference.lens import Lens, Segment
from tests.reference.lenses import question
from tests.reference.model import Cell, Model, issue_score, severity
from tests.reference.rates import median_px, rate, wilson
from tests.reference.rows import COHORTS, TEST_ACCOUNT_RULES, URLS, DataSet, data_set, data_sets
from tests.reference.url import UrlRule, page_key

PRICING = "https://example.com/pricing"
ALL = Lens(0, 10_000_000, page_key=PRICING)


def row(kind: str, timestamp: int = 1000, session: str = "s", **own: Any) -> dict[str, Any]:
    sizes = {"viewportWidth": 1280, "viewportHeight": 1000, "pageHeight": 4000}
    common = {"type": kind, "timestamp": timestamp, "sessionId": session, "visitorId": f"visitor of {session}", "url": PRICING}
    return common | sizes | own


def clicks(*places: tuple[int, float, float], **own: Any) -> list[dict[str, Any]]:
    return [row("click", timestamp, x=x, y=y, **own) for timestamp, x, y in places]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("HTTPS://Example.COM:443/Pricing/?a=1#top", "https://example.com/Pricing"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("http://example.com:80", "http://example.com/"),
        ("https://example.com/?q=/a/", "https://example.com/"),
    ],
)
def test_page_key(url: str, key: str) -> None:
    assert page_key(url) == key


@pytest.mark.parametrize(
    ("kind", "value", "matching"),
    [
        ("exact", "https://example.com/pricing/#x", {0, 1}),
        ("exact", "https://example.com", {5, 6}),
        ("path", "/pricing/", {0, 1, 2, 3, 4, 9}),
        ("ignoreQuery", "https://example.com/?other", {5, 6, 7}),
        ("prefix", "https://example.com/pricing?", {2, 3}),
        ("wildcard", "https://example.com/*", {0, 1, 2, 3, 7, 8}),
        ("wildcard", "https://example.com/?ref=a.b*c", {7}),
        ("regex", "https://example.com/pricing", {0}),
    ],
)
def test_url_rules(kind: str, value: str, matching: set[int]) -> None:
    assert {index for index, url in enumerate(URLS) if UrlRule(kind, value).matches(url)} == matching


def test_documented_percentages() -> None:
    assert [round(100 * rate(*numbers, subset=True)["value"], 1) for numbers in ((876, 3421), (4742, 5432), (357, 3421))] == [
        25.6,
        87.3,
        10.4,
    ]


def test_documented_share_of_a_point_and_of_a_dead_spot() -> None:
    signup = [row("click", session=f"{number}", x=512, y=234) for number in range(876)]
    others = [row("click", session=f"{number}", x=900, y=600) for number in range(876, 3421)]
    points = Model(signup + others).heatmap(ALL, "CLICK")["points"]
    assert {place: (point["x"], point["y"], round(100 * point["share"], 1)) for place, point in points.items()} == {
        (False, 40, 14): (512.0, 224, 25.6),
        (False, 70, 37): (896.0, 592, 74.4),
    }


def test_wilson_interval_of_one_in_ten() -> None:
    assert wilson(1, 10) == pytest.approx((0.017876213095072924, 0.40415002679523837), rel=1e-9)  # textbook: 1.79 % to 40.42 %
    assert wilson(0, 0) is None
    assert rate(3, 0, subset=True)["value"] is None


def test_issue_score_does_not_let_three_visits_lead() -> None:
    assert issue_score(3, 0, 3)["value"] < issue_score(600, 0, 1000)["value"] < issue_score(1000, 1000, 1000)["value"] < 100
    assert issue_score(0, 0, 0)["value"] is None


def test_documented_severities() -> None:
    assert [severity(Fraction(tenths, 10)) for tenths in (50, 59, 60, 62, 83, 99, 100)] == ["LOW"] * 2 + ["MEDIUM"] * 4 + ["HIGH"]


def test_median_rounds_halves_to_even() -> None:
    assert (median_px([667, 668]), median_px([668, 669]), median_px([])) == (668, 668, None)


@pytest.mark.parametrize(("last_ms", "bursts"), [(999, 1), (1000, 1), (1001, 0)])
def test_a_burst_lasts_a_second(last_ms: int, bursts: int) -> None:
    rows = clicks((0, 10, 10), (1, 10, 10), (2, 10, 10), (3, 10, 10), (last_ms, 10, 10))
    assert Model(rows).totals(ALL)["rageClicks"] == bursts


@pytest.mark.parametrize(("dx", "dy", "bursts"), [(29.9, 0, 1), (30, 0, 1), (18, 24, 1), (30.1, 0, 0)])
def test_a_burst_stays_within_30_px_of_all_its_clicks(dx: float, dy: float, bursts: int) -> None:
    rows = clicks((0, 10, 10), (1, 10, 10), (2, 10 + dx, 10 + dy), (3, 10, 10), (4, 10, 10))
    assert Model(rows).totals(ALL)["rageClicks"] == bursts


def test_a_click_is_in_at_most_one_burst_and_a_false_start_costs_one_click() -> None:
    false_start = [(0, 900, 10)]
    rows = clicks(*false_start, *((10 + ms, 10, 10) for ms in range(11)))
    [burst] = [one for one in Model(rows).all.interactions if one.kind == "RAGE_CLICK"]
    assert (burst.timestamp_ms, burst.clicks, float(burst.x), float(burst.y)) == (10, 11, 10, 10)


def test_a_burst_stands_at_its_centre_and_its_clicks_are_clicks() -> None:
    rows = clicks((0, 100, 50), (1, 110, 50), (2, 100, 60), (3, 100, 50), (4, 100, 50), selector="#submit")
    model = Model([*rows, *rows])  # each row twice is each row once
    assert model.heatmap(ALL, "RAGE_CLICK")["points"][(False, 7, 3)]["selector"] == "#submit"
    counts = {"count": 1, "clicks": 5, "averageClicks": 5.0, "maxClicks": 5, "severity": "LOW"}
    assert model.rage_clicks(ALL) == {
        "#submit": {"pageKey": PRICING, "pageCount": 1, "x": 102.0, "relativeX": 102 / 1280, "y": 52, "fixed": False} | counts
    }
    assert (model.totals(ALL)["clicks"], model.totals(ALL)["rageRate"]["value"]) == (5, 0.2)


def test_labelled_bursts_stand_alone_in_their_session_and_page() -> None:
    five = clicks(*((ms, 10, 10) for ms in range(5)))
    labelled = row("rage", 5, x=10, y=10, count=23)
    elsewhere = [one | {"url": "https://example.com/"} for one in five]
    model = Model([*five, labelled, *elsewhere])
    assert [spot["clicks"] for spot in model.rage_clicks(ALL).values()] == [23]
    assert model.totals(Lens(0, 10_000))["rageClicks"] == 2


def test_fixed_clicks_and_others_make_no_burst_together() -> None:
    rows = clicks(*((ms, 10, 10) for ms in range(4)))
    assert Model([*rows, row("click", 4, x=10, y=10, fixed=True)]).totals(ALL)["rageClicks"] == 0


def test_a_dead_click_counts_twice_and_shares_in_all_clicks() -> None:
    model = Model([*clicks((0, 5, 5), (2000, 5, 5), (4000, 5, 5)), row("dead", 6000, x=5, y=5, selector="h2")])
    totals = model.totals(ALL)
    assert (totals["clicks"], totals["deadClicks"], totals["deadRate"]["value"]) == (4, 1, 0.25)
    assert model.dead_clicks(ALL) == {
        "h2": {"pageKey": PRICING, "pageCount": 1, "x": 5.0, "relativeX": 5 / 1280, "y": 5, "fixed": False, "clicks": 1, "share": 0.25}
    }
    assert model.heatmap(ALL, "DEAD_CLICK")["points"][(False, 0, 0)]["share"] == 1.0


def test_cells_the_right_edge_and_the_hidden_corner() -> None:
    model = Model(clicks((0, 1280, 16), (2000, 1279, 31), (4000, 1267, 15), (6000, 0, 0), (8000, 0, 1)))
    heatmap = model.heatmap(ALL, "CLICK")
    assert {place: point["count"] for place, point in heatmap["points"].items()} == {(False, 99, 1): 2, (False, 98, 0): 1, (False, 0, 0): 1}
    assert (heatmap["total"], heatmap["hidden"]["origin"], heatmap["points"][(False, 98, 0)]["share"]) == (4, 1, 0.25)
    assert model.heatmap(ALL, "CLICK", cell=Cell(Fraction(640), 1000))["points"][(False, 1, 0)]["count"] == 3
    assert len(model.interactions(ALL, "CLICK", [(False, 99, 1)])) == 2
    phones = Lens(0, 10_000, segment=Segment(device=frozenset({"MOBILE"})))
    assert phones.standard_width_px() == 375


def test_unique_visitors_are_not_summed_over_cells() -> None:
    model = Model([*clicks((0, 10, 10), (2000, 10, 10), (4000, 900, 10)), row("click", session="t", x=10, y=10)])
    heatmap = model.heatmap(ALL, "CLICK", "UNIQUE_VISITORS")
    assert [(point["count"], point["share"]) for point in heatmap["points"].values()] == [(2, 1.0), (1, 0.5)]
    assert heatmap["visitors"] == 2


def test_fold_leaves_fixed_elements_out() -> None:
    model = Model([*clicks((0, 1, 1000), (2000, 1, 1001)), row("click", 4000, x=1, y=1500, fixed=True)])
    assert model.fold(ALL)["belowFold"]["value"] == 0.5


def test_totals_of_visits() -> None:
    home = {"url": "https://example.com/"}
    rows = [row("pageview", 1000), row("pageview", 4000, **home), row("event", 9000, name="signup", **home)]
    rows += [row("pageview", 5000, session="bounced"), row("click", 5000, session="no pageview", x=1, y=1)]
    model = Model(rows)
    totals = model.totals(ALL)
    assert (totals["pageviews"], totals["sessions"], totals["visitors"]) == (2, 3, 3)
    assert (totals["bounceRate"]["numerator"], totals["bounceRate"]["denominator"]) == (1, 3)
    assert totals["averageSecondsOnPage"] == 3.0
    assert model.totals(Lens(0, 10_000, page_key=page_key(home["url"])))["averageSecondsOnPage"] == 5.0
    assert sorted(model.pages(Lens(0, 10_000), search="PRIC")) == [PRICING]


def test_a_bounce_is_counted_where_its_pageview_is() -> None:
    model = Model([row("pageview", 1000), row("click", 3000, x=1, y=1)])
    rates = [model.totals(Lens(*window))["bounceRate"] for window in ((0, 2000), (2000, 4000), (0, 4000))]
    assert [(found["numerator"], found["denominator"]) for found in rates] == [(1, 1), (0, 1), (1, 1)]


def test_the_end_of_a_window_is_outside() -> None:
    model = Model([row("pageview", 1000), row("pageview", 2000)])
    assert model.totals(Lens(1000, 2000))["pageviews"] == 1


def test_scrolling_without_a_pageview_is_one_pageview() -> None:
    rows = [row("scroll", 1000, scrollY=0), row("scroll", 2000, scrollY=1000), row("attention", 3000, scrollY=0, seconds=1)]
    [view] = Model(rows).all.pageviews
    assert (view.timestamp_ms, view.deepest_px, view.on_page_ms) == (1000, 2000, 2000)


def test_scroll_belongs_to_the_pageview_named_else_the_latest_earlier_one() -> None:
    rows = [
        row("scroll", 500, scrollY=100),
        row("pageview", 1000, pageviewId="a"),
        row("scroll", 1500, scrollY=200),
        row("pageview", 2000, pageviewId="b"),
        row("scroll", 2000, scrollY=50),
        row("scroll", 2500, scrollY=300, pageviewId="a"),
        row("scroll", 3000, scrollY=40, pageviewId="unknown"),
    ]
    assert [view.deepest_px for view in Model(rows).all.pageviews] == [1300, 1050]


def test_scroll_reach_is_unique_first() -> None:
    rows = [row("pageview", 1000), row("scroll", 1001, scrollY=3000), row("pageview", 2000), row("pageview", 3000, session="t")]
    model = Model(rows)
    visitors = model.scroll(ALL)
    assert [(bucket["visitors"], bucket["count"]) for bucket in visitors["buckets"].values()] == [(2, 0), (2, 1), (1, 0), (1, 0), (1, 1)]
    assert (visitors["averageDepth"], visitors["medianDepth"], visitors["foldHeight"], visitors["medianPageHeight"]) == (
        62.5,
        62.5,
        1000,
        4000,
    )
    pageviews = model.scroll(ALL, "PIXEL", 1000, "TOTAL")
    assert [bucket["visitors"] for bucket in pageviews["buckets"].values()] == [3, 3, 1, 1, 1]
    assert (model.depth_reached_by(ALL, "0.7"), model.depth_reached_by(ALL, "0.5")) == (25.0, 100.0)


def test_attention_is_shared_by_what_is_visible() -> None:
    rows = [row("pageview", 1000), row("attention", 2000, scrollY=100, seconds=10), row("pageview", 1000, session="t", viewportHeight=400)]
    bands = Model(rows).attention(ALL, band_height=400)
    assert [(y, band["averageSeconds"], band["reach"]["value"], band["attention"]) for y, band in bands.items()] == [
        (0, 3.75, 1.0, 750.0),
        (400, 5.0, 1.0, 1000.0),
        (800, 7.5, 0.5, 750.0),
    ]


def test_dimensions_are_inherited_from_the_session() -> None:
    rows = [row("pageview", 2000, country="DE", isTest=True), row("click", 1000, x=1, y=1), row("click", 3000, x=1, y=1, country="US")]
    facts = facts_of(rows)
    assert [(one.dimensions["country"], one.is_test, one.device) for one in facts.interactions] == [
        ("DE", True, "DESKTOP"),
        ("US", True, "DESKTOP"),
    ]


def test_segments() -> None:
    rows = [
        row("click", session="a", x=1, y=1, viewportWidth=767, entryPage="https://example.com/?ref=1"),
        row("click", session="b", x=1, y=1, viewportWidth=768),
        row("event", 9_999, session="b", name="signup"),
        row("click", session="c", x=1, y=1, isTest=True),
    ]
    model = Model(rows, {"ab": ["visitor of a", "visitor of b"], "bc": ["visitor of b", "visitor of c"]}, ["* of b"])

    def seen(**segment: Any) -> str:
        lens = Lens(0, 2000, segment=Segment(**segment))
        return "".join(sorted(one.session for one in model.seen(lens).interactions))

    assert seen() == "abc"
    assert seen(breakpoint=frozenset({"TABLET", "DESKTOP"})) == "bc"
    assert seen(viewport_width=(767, 768)) == "ab"
    assert seen(cohorts=("ab", "bc")) == "b"
    assert seen(exclude_test_accounts=True) == "a"
    assert seen(performed={"signup": 1}) == "b"
    assert seen(performed={"signup": 2}) == ""
    assert seen(entry_page=UrlRule("path", "/")) == "a"


def test_elements() -> None:
    rows = [
        row("pageview", 1000),
        row("click", 3000, x=5, y=1200, selector="#buy"),
        row("event", 3000, name="signup", conversion=True),
        row("event", 4000, name="purchase", value=5),
        row("pageview", 1000, session="t"),
        row("scroll", 1500, session="t", scrollY=300),
        row("click", 1600, session="t", x=5, y=5),
        row("element", 1700, session="t", selector="#idle", x=1, y=2000, width=1, height=1),
    ]
    model = Model(rows)
    buy, idle = model.elements(ALL)["#buy"], model.elements(ALL)["#idle"]
    assert (buy["displays"], buy["clicks"], buy["clickShare"]["value"], buy["conversions"], buy["averageSecondsToClick"]) == (
        1,
        1,
        0.5,
        1,
        2.0,
    )
    assert (model.conversions(ALL, "#buy", "purchase"), model.conversions(ALL, "#buy", "signup")) == (1, 0)  # afterwards, not at once
    assert (idle["displays"], idle["clicks"], model.unattributed(ALL)) == (0, 0, 1)


def test_random_data_has_the_edges() -> None:
    facts = facts_of(data_set(Random(1), sessions=200).rows)
    kinds = {one.kind for one in facts.interactions}
    assert kinds == {"CLICK", "DEAD_CLICK", "RAGE_CLICK", "MOVE"}
    assert any(one.x == one.viewport_width for one in facts.interactions)
    assert any(one.x == one.y == 0 for one in facts.interactions)
    assert {Fraction(1, 4), Fraction(1, 2), Fraction(1)} <= {view.deepest_share for view in facts.pageviews}
    assert {one.page_key for one in facts.pageviews} == {page_key(url) for url in URLS}


@given(data_sets())
@settings(max_examples=30, deadline=None)
def test_numbers_of_a_lens_agree(data: DataSet) -> None:
    model = Model(data.rows, COHORTS, TEST_ACCOUNT_RULES)
    for seed in range(5):
        lens = question(Random(seed), data).lens
        totals, clicks = model.totals(lens), model.heatmap(lens, "CLICK", hide_origin=False)
        assert sum(point["count"] for point in clicks["points"].values()) == clicks["total"] == totals["clicks"]
        assert sum(spot["clicks"] for spot in model.elements(lens).values()) + model.unattributed(lens) == totals["clicks"]
        reach = [bucket["visitors"] for bucket in model.scroll(lens)["buckets"].values()]
        assert reach == sorted(reach, reverse=True) and max(reach, default=0) == model.scroll(lens)["visitors"]
        assert sum(bucket["count"] for bucket in model.scroll(lens)["buckets"].values()) == max(reach, default=0)
        for other in (model.breakdown(lens, "COUNTRY"), model.timeline(lens), model.pages(lens)):
            assert sum(part["pageviews"] for part in other.values()) == totals["pageviews"]
