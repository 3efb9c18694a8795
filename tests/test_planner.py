"""The planner takes the cheapest tables that answer exactly: from rollups, from rows and by the plain model, the numbers are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse.attention import AttentionQuestion, compile_attention
from clickhouse.client import Client, connect
from clickhouse.elements import ElementScope, ElementSort, ElementsQuestion, compile_elements
from clickhouse.lens import Lens, Segment, UrlRule, WidthRange, Window
from clickhouse.planner import ROWS, plan
from clickhouse.reading import ignore
from clickhouse.rollups import ROLLUPS
from clickhouse.statement import Statement
from clickhouse.tables import tables_read
from tests.against_model import AGGREGATIONS, KINDS, RATE, Asked, Loaded, asking, differences, load_site
from tests.elements_of_model import Case, expected_rows
from tests.elements_of_model import Site as MarkedSite
from tests.reference.lenses import Question, random_rule
from tests.reference.rows import DAY_MS, data_set, iso

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


@pytest.mark.parametrize(("height", "top", "tables"), [(200, 0, 2), (100, 300, 2), (250, 0, 1), (200, 50, 1)])
def test_bands_are_put_together_from_whole_ones(height: int, top: int, tables: int) -> None:
    read = tables_read(compile_attention(WEEK, ("https://example.com/",), AttentionQuestion(height, top)).sql)
    assert read == {"pageviews", "attention_daily"} if tables == 2 else read == {"pageviews"}


def test_displays_are_counted_from_depths() -> None:
    whole = replace(WEEK, window=Window(MIDNIGHT, MIDNIGHT + 7 * DAY))
    question = ElementsQuestion(ElementScope(), ElementSort("DISPLAYS", descending=True), 10, wanted=frozenset())
    for lens, of_pageviews in ((WEEK, {"depths_daily", "pageviews"}), (whole, {"depths_daily"})):
        read = tables_read(compile_elements(lens, ("https://example.com/",), question).sql)
        assert read & {"depths_daily", "pageviews"} == of_pageviews


# -- the same numbers, whatever they are read from

SUMS = f"pageviews clicks rageClicks deadClicks rageRate {RATE} deadRate {RATE} averageSecondsOnPage breakpoints {{ breakpoint clicks }}"
ELEMENT_SUMS = f"key clicks rageClicks deadClicks averageSecondsToClick belowFold {RATE} clickShare {RATE}"
KNOWN_TO_SUMS = ("device", "breakpoint", "excludeTestAccounts")
SITES = (0, 1, 2)
EXAMPLES = 30


@pytest.fixture(scope="module")
async def client(dsn: str) -> AsyncIterator[Client]:
    client = await connect(dsn)
    yield client
    await client.close()


@pytest.fixture(scope="module")
def sites(database: SyncClient) -> list[Loaded]:
    """Ten days each, and no rules of test accounts: nobody is one but by the flag, which sums know."""
    return [load_site(database, f"planned_{number}", data_set(Random(number), 90, days=10), 2, rules=()) for number in SITES]


def drawn(client: Client, sites: list[Loaded], seed: int) -> Asked:
    """A random lens; three of four times over days enough for sums and without what no sum knows."""
    random = Random(seed)
    site = random.choice(sites)
    asked = asking(client, site, random)
    if seed % 4 == 0:
        return asked
    start_ms, end_ms = site.data.start_ms, site.data.start_ms + site.data.days * DAY_MS
    start_ms, end_ms = (start_ms + hours(random, 0, 4 * 24), end_ms + hours(random, -24, 12))
    window = {"instants": {"from": iso(start_ms), "to": iso(end_ms)}}
    variables = asked.question.variables | {"window": window}
    variables["segment"] = {name: value for name, value in variables["segment"].items() if name in KNOWN_TO_SUMS}
    segment = asked.lens.segment
    segment = type(segment)(device=segment.device, breakpoint=segment.breakpoint, exclude_test_accounts=segment.exclude_test_accounts)
    rule = asked.lens.url
    if rule:
        rule = random_rule(random, random.choice(("path", "ignoreQuery")))
        variables["url"] = {rule.kind: rule.value}
    return replace(asked, question=Question(variables, replace(asked.lens, start_ms=start_ms, end_ms=end_ms, url=rule, segment=segment)))


def hours(random: Random, low: int, high: int) -> int:
    """In ms: whole days as often as not."""
    return random.randint(low, high) // random.choice((1, 24)) * 3_600_000


@given(seed=st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_rollup_rows_and_model_agree(seed: int, client: Client, sites: list[Loaded], database: SyncClient) -> None:
    asked = drawn(client, sites, seed)
    kind, aggregation = asked.random.choice(KINDS), asked.random.choice(("TOTAL", "TOTAL", *AGGREGATIONS))
    hide = asked.random.random() < 0.7
    points = "maxCount points { x y relativeX fixed count share }"
    heatmap = f"heatmap(kind: {kind}, aggregation: {aggregation}, hideOrigin: {str(hide).lower()}, first: 100000)"
    unit = asked.random.choice(("PIXEL", "PERCENT"))
    scroll = f"scroll(unit: {unit}, aggregation: TOTAL) {{ pageviews averageDepth medianDepth buckets {{ depth visitors count }} }}"
    elements = f"elements(orderBy: {{field: CLICKS}}, first: 100) {{ nodes {{ {ELEMENT_SUMS} }} }} unattributed"
    displayed = "displayed: elements(first: 100) { nodes { key displays } }"
    fold = f"fold(kind: {kind}) {{ total belowFold {RATE} medianViewportHeight }}"
    height, top = asked.random.choice((100, 200, 700, 250)), asked.random.choice((0, 0, 300, 50))
    attention = (
        f"attention(bandHeight: {height}, top: {top}) {{ pageviews seconds bands {{ y height attention averageSeconds reach {RATE} }} }}"
    )
    fields = f"totals {{ {SUMS} }} {fold} {heatmap} {{ total hidden {{ origin testAccounts }} {points} }} {scroll} {attention} {elements} {displayed}"
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
    assert not differences(summed["attention"]["seconds"], asked.model.seconds_in_view(asked.lens))
    bands = {band.pop("y"): band for band in summed["attention"]["bands"]}
    assert not differences(bands, asked.model.attention(asked.lens, height, top))
    assert sorted(point["count"] for point in summed["heatmap"]["points"]) == sorted(
        point["count"] for point in expected["points"].values()
    )
    assert summed["unattributed"] == asked.model.unattributed(asked.lens)
    loaded = next(one for one in sites if one.site == asked.site)
    elements_of_model = expected_rows(Case(asked, MarkedSite(loaded, {})), "SELECTOR")
    displays = {node["key"]: node["displays"] for node in summed["displayed"]["nodes"]}
    assert displays == {row["key"]: row["displays"] for row in elements_of_model.values()}
    if asked.lens.page_key:
        placed = asked.model.elements(asked.lens)
        names = ("clicks", "rageClicks", "deadClicks", "averageSecondsToClick", "clickShare")
        got = {node["key"]: {name: node[name] for name in names} for node in summed["elements"]["nodes"] if node["clicks"]}
        wanted = {key: {name: element[name] for name in names} for key, element in placed.items() if element["clicks"]}
        assert not differences(got, wanted)


async def test_most_lenses_drawn_read_every_rollup(client: Client, sites: list[Loaded]) -> None:
    """With edges of days, devices, breakpoints and test accounts among them; else the property above would compare rows with rows."""
    rollups = dict.fromkeys(ROLLUPS, 0)
    told: Counter[str] = Counter()
    for seed in range(EXAMPLES):
        asked = drawn(client, sites, seed)
        read: list[Statement] = []
        client.on_statement = read.append
        found = await asked.insights(
            "totals { clicks } fold { total } scroll(aggregation: TOTAL) { buckets { count } } attention { bands { y } } unattributed"
        )
        client.on_statement = ignore
        used = {rollup for rollup in ROLLUPS if any(f"FROM {rollup}" in statement.sql for statement in read)}
        for rollup in used:
            rollups[rollup] += 1
        if used and found["totals"]["clicks"]:
            told.update(list(asked.question.variables["segment"]))
            told["edges"] += any("UNION ALL" in statement.sql for statement in read)
    assert min(rollups.values()) >= EXAMPLES // 2, rollups
    assert min(told[name] for name in ("edges", *KNOWN_TO_SUMS)) >= 3, told
