"""The planner takes the cheapest tables that answer exactly: from rollups, from rows and by the plain model, the numbers are the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse.client import Client, connect
from clickhouse.lens import Lens, Segment, UrlRule, WidthRange, Window
from clickhouse.planner import ROWS, plan
from clickhouse.rollups import ROLLUPS
from tests.reference.lenses import Question
from tests.reference.rows import data_set
from tests.test_numbers import AGGREGATIONS, KINDS, RATE, Asked, Loaded, asking, differences, load_site

DAY = timedelta(days=1)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
SUMMED = frozenset({"clicks", "pageviews"})
WEEK = Lens("s", Window(NOON, NOON + 7 * DAY))


def days(*numbers: int) -> tuple[date, ...]:
    return tuple((MIDNIGHT + number * DAY).date() for number in numbers)


def test_whole_days_come_from_the_rollup_and_the_edges_from_rows() -> None:
    chosen = plan(WEEK, SUMMED)
    assert chosen.rollup == "pages_daily"
    assert chosen.window == Window(MIDNIGHT + DAY, MIDNIGHT + 7 * DAY)
    assert chosen.raw_days == days(0, 7)


def test_whole_days_alone_need_no_rows() -> None:
    chosen = plan(replace(WEEK, window=Window(MIDNIGHT, MIDNIGHT + 7 * DAY)), {"clicks"})
    assert (chosen.rollup, chosen.raw_days) == ("pages_daily", ())


def test_days_whose_sums_are_out_of_date_come_from_rows() -> None:
    chosen = plan(replace(WEEK, stale_days=days(0, 3, 30)), SUMMED)
    assert chosen.stale_days == days(3)
    assert chosen.raw_days == days(0, 3, 7)


@pytest.mark.parametrize(
    "segment",
    [
        Segment(viewport_width=WidthRange(1, 2)),
        Segment(country=("DE",)),
        Segment(cohorts=("c",)),
        Segment(entry_page=UrlRule("path", "/")),
    ],
)
def test_what_a_rollup_does_not_have_is_read_from_rows(segment: Segment) -> None:
    assert plan(replace(WEEK, segment=segment), SUMMED) == ROWS


def test_few_days_and_urls_as_received_are_read_from_rows() -> None:
    assert plan(replace(WEEK, window=Window(NOON, NOON + 3 * DAY)), SUMMED) == ROWS
    assert plan(replace(WEEK, url=UrlRule("wildcard", "*")), SUMMED) == ROWS
    assert plan(replace(WEEK, url=UrlRule("path", "/")), SUMMED).rollup == "pages_daily"
    assert plan(WEEK, SUMMED | {"visitor_id"}) == ROWS


def test_test_accounts_are_left_out_of_sums_by_their_flag_only() -> None:
    flagged = replace(WEEK, segment=Segment(exclude_test_accounts=True))
    assert plan(flagged, SUMMED).rollup == "pages_daily"
    assert plan(replace(flagged, test_account_rules=("qa-*",)), SUMMED) == ROWS


# -- the same numbers, whatever they are read from

SUMS = f"pageviews clicks rageClicks deadClicks rageRate {RATE} deadRate {RATE} averageSecondsOnPage breakpoints {{ breakpoint clicks }}"


@pytest.fixture(scope="module")
async def client(dsn: str) -> AsyncIterator[Client]:
    client = await connect(dsn)
    yield client
    await client.close()


@pytest.fixture(scope="module")
def loaded(database: SyncClient) -> Loaded:
    return load_site(database, "planned", data_set(Random("planned"), 60), 2)


def drawn(client: Client, site: Loaded, seed: int) -> Asked:
    """A random lens; three of four times without what no rollup knows, so that rollups are asked too."""
    random = Random(seed)
    asked = asking(client, site, random)
    if seed % 4 == 0:
        return asked
    hours = [random.randrange(24) for _ in range(2)]
    first, last = site.data.start_ms + hours[0] * 3_600_000, site.data.start_ms + site.data.days * 86_400_000 + hours[1] * 3_600_000
    instants = {side: datetime.fromtimestamp(ms / 1000, UTC).isoformat() for side, ms in (("from", first), ("to", last))}
    kept = {name: value for name, value in asked.question.variables["segment"].items() if name in ("device", "breakpoint")}
    segment = replace(type(asked.lens.segment)(), device=asked.lens.segment.device, breakpoint=asked.lens.segment.breakpoint)
    lens = replace(asked.lens, start_ms=first, end_ms=last, segment=segment)
    return replace(asked, question=Question(asked.question.variables | {"window": {"instants": instants}, "segment": kept}, lens))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_rollup_rows_and_model_agree(seed: int, client: Client, loaded: Loaded, database: SyncClient) -> None:
    asked = drawn(client, loaded, seed)
    kind, aggregation = asked.random.choice(KINDS), asked.random.choice(("TOTAL", "TOTAL", *AGGREGATIONS))
    hide = asked.random.random() < 0.7
    points = "maxCount points { x y relativeX fixed count share }"
    heatmap = f"heatmap(kind: {kind}, aggregation: {aggregation}, hideOrigin: {str(hide).lower()}, first: 100000)"
    unit = asked.random.choice(("PIXEL", "PERCENT"))
    scroll = f"scroll(unit: {unit}, aggregation: TOTAL) {{ pageviews averageDepth medianDepth buckets {{ depth visitors count }} }}"
    elements = "elements(orderBy: {field: CLICKS}, first: 100) { nodes { key clicks rageClicks averageSecondsToClick } } unattributed"
    fold = f"fold(kind: {kind}) {{ total belowFold {RATE} medianViewportHeight }}"
    fields = f"totals {{ {SUMS} }} {fold} {heatmap} {{ total hidden {{ origin testAccounts }} {points} }} {scroll} {elements}"
    summed = await asked.insights(fields)
    whole = f"SELECT '{asked.site.site_id}', day FROM pageviews UNION DISTINCT SELECT '{asked.site.site_id}', day FROM interactions"
    database.command(f"INSERT INTO stale_days (site_id, day) {whole}")
    try:
        assert await asked.insights(fields) == summed
    finally:
        database.command("DELETE FROM stale_days WHERE 1")
    if summed is None:
        return
    expected = asked.model.heatmap(asked.lens, kind, aggregation, None, hide)
    totals = asked.model.totals(asked.lens)
    got = {"hidden": summed["heatmap"]["hidden"], "total": summed["heatmap"]["total"], "maxCount": summed["heatmap"]["maxCount"]}
    assert not differences(got, {name: expected[name] for name in got})
    assert not differences(summed["totals"], {name: totals[name] for name in summed["totals"]})
    assert not differences(summed["fold"], asked.model.fold(asked.lens, kind))
    depths = asked.model.scroll(asked.lens, unit, None, "TOTAL")
    depths["buckets"] = [
        {"depth": depth, **{name: bucket[name] for name in ("visitors", "count")}} for depth, bucket in depths["buckets"].items()
    ]
    assert not differences(summed["scroll"], {name: depths[name] for name in summed["scroll"]}, rel=1e-9)
    assert len(summed["heatmap"]["points"]) == len(expected["points"])
    assert sum(point["count"] for point in summed["heatmap"]["points"]) == sum(point["count"] for point in expected["points"].values())


async def test_the_lenses_drawn_do_read_rollups(client: Client, loaded: Loaded) -> None:
    read: list[Any] = []
    client.on_statement = read.append
    for seed in range(12):
        await drawn(client, loaded, seed).insights(
            "totals { clicks } fold { total } scroll(aggregation: TOTAL) { buckets { count } } unattributed"
        )
    for rollup in ROLLUPS:
        assert any(f"FROM {rollup}" in statement.sql and "UNION ALL" in statement.sql for statement in read)
