"""PostHog's own table asked through the same schema: against a plain recomputation of random rows, and against PostHog's own SQL."""

from __future__ import annotations

import math
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.breaker import GuardedClient
from clickhouse.client import Client, connect, open_sync
from clickhouse.posthog import REASONS, UNKNOWN_MEASURES, PostHog
from clickhouse.sites import Site
from clickhouse.statement import Statement
from resolvers.context import Context
from resolvers.sources import Source, Sources
from schema.exports import compile_export
from tests.asking import EVERYTHING, SCHEMA, answer
from tests.servers import Node

SHOP = Site("shop", "Shop", ("shop.example",), test_account_rules=("*@posthog.com",), has_rollups=False)
TEAMS = {"shop": 7, "blog": 8}
START = datetime(2026, 10, 30, tzinfo=UTC)
DAYS = 4
WINDOW = '{between: {from: "2026-10-30", to: "2026-11-02"}}'
WHOLE = '{prefix: "https://"}'
URLS = (
    "https://shop.example",
    "https://shop.example/?ref=a",
    "https://shop.example/cart",
    "https://shop.example/cart/",
    "https://shop.example/cart?step=2#pay",
    "https://shop.example/cart/gift",
)
CART = "https://shop.example/cart"
KEYS = {url: "https://shop.example/" if url in URLS[:2] else CART if url in URLS[2:5] else url for url in URLS}
OF_TYPE = {"CLICK": "click", "RAGE_CLICK": "rageclick", "MOVE": "mousemove"}
DDL = (
    """
    CREATE TABLE heatmaps
    (
        session_id String, team_id Int64, distinct_id String, timestamp DateTime64(6, 'UTC'), x Int16, y Int16, scale_factor Int16,
        viewport_width Int16, viewport_height Int16, pointer_target_fixed Bool, current_url String, type LowCardinality(String)
    )
    ENGINE = MergeTree
    PARTITION BY toYYYYMM(timestamp)
    ORDER BY (type, team_id, toDate(timestamp), current_url, viewport_width)
    SETTINGS index_granularity = 64
    """,
    "CREATE TABLE person_distinct_ids (team_id Int64, distinct_id String, person_id UUID) ENGINE = MergeTree ORDER BY (team_id, distinct_id)",
    """
    CREATE TABLE cohortpeople (person_id UUID, cohort_id Int64, team_id Int64, sign Int8, version UInt64)
    ENGINE = CollapsingMergeTree(sign)
    ORDER BY (team_id, cohort_id, person_id, version)
    """,
    "CREATE TABLE sessions (session_id String) ENGINE = MergeTree ORDER BY session_id",  # PostHog has tables of our names
)


@dataclass(frozen=True)
class Row:
    """As PostHog stores it; coordinates and viewport ÷ 16."""

    session_id: str
    team_id: int
    distinct_id: str
    timestamp: datetime
    x: int
    y: int
    scale_factor: int
    viewport_width: int
    viewport_height: int
    pointer_target_fixed: bool
    current_url: str
    type: str

    @property
    def key(self) -> str:
        return KEYS[self.current_url]

    @property
    def is_origin(self) -> bool:
        return self.x == 0 and self.y == 0

    @property
    def cell(self) -> tuple[bool, int, int]:
        return self.pointer_target_fixed, self.y, min(99, 100 * self.x // self.viewport_width)


def random_rows(seed: int, count: int = 3000) -> list[Row]:
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        visitor = rng.randrange(60)
        width, height = rng.choice([(24, 41), (47, 64), (48, 64), (63, 60), (64, 48), (80, 50), (120, 60)])
        type_ = rng.choice(["click", "click", "rageclick", "mousemove", "scrolldepth"])
        origin = rng.random() < 0.05
        rows.append(
            Row(
                f"s{visitor}-{rng.randrange(3)}",
                rng.choice(list(TEAMS.values())),
                f"v{visitor}" + ("@posthog.com" if visitor % 9 == 0 else ""),
                START + timedelta(microseconds=rng.randrange(DAYS * 86_400_000_000)),
                0 if origin or type_ == "scrolldepth" else rng.randint(0, width),
                0 if origin else rng.randrange(200),
                16,
                width,
                height,
                rng.random() < 0.2 and type_ != "scrolldepth",
                rng.choice(URLS),
                type_,
            )
        )
    return rows


@pytest.fixture(scope="module")
def posthog(empty_dsn: str) -> Iterable[tuple[str, list[Row]]]:
    """The address of PostHog's tables, and the rows of both teams."""
    database = open_sync(empty_dsn)
    if database.database:
        database.command(f"CREATE DATABASE IF NOT EXISTS `{database.database}`", use_database=False)
    for ddl in DDL:
        database.command(ddl)
    rows = random_rows(1)
    database.insert("heatmaps", [list(vars(row).values()) for row in rows], column_names=list(vars(rows[0])))
    persons = [[7, f"v{visitor}", uuid.UUID(int=visitor // 2)] for visitor in range(60)]
    database.insert("person_distinct_ids", persons, column_names=["team_id", "distinct_id", "person_id"])
    members = [[uuid.UUID(int=person), 5, 7, sign, 1] for person in range(10) for sign in ((1,) if person % 3 else (1, -1))]
    for sign in (1, -1):  # not in one block, which would collapse
        block = [member for member in members if member[3] == sign]
        database.insert("cohortpeople", block, column_names=["person_id", "cohort_id", "team_id", "sign", "version"])
    yield empty_dsn, rows
    database.close()


@pytest.fixture
def shop(posthog: tuple[str, list[Row]]) -> list[Row]:
    return [row for row in posthog[1] if row.team_id == 7]


@pytest.fixture
async def raw(posthog: tuple[str, list[Row]]) -> AsyncIterator[Client]:
    client = await connect(posthog[0])
    yield client
    await client.close()


@pytest.fixture
def source(raw: Client) -> Sources:
    client = GuardedClient("posthog", raw, rewrite=PostHog(TEAMS))
    return Sources([Source("posthog", client, {"shop": SHOP, "blog": Site("blog", "Blog", has_rollups=False)}, REASONS, UNKNOWN_MEASURES)])


async def ask(source: Sources, below: str) -> Any:
    answered = await answer(source, f'{{ site(siteId: "shop") {{ {below} }} }}')
    assert answered["errors"] == []
    return answered["data"]["site"]


async def insights(source: Sources, below: str, segment: str = "{}", url: str = "{any: true}") -> Any:
    return (await ask(source, f"insights(url: {url}, window: {WINDOW}, segment: {segment}) {{ {below} }}"))["insights"]


RULES: dict[str, Callable[[Row], bool]] = {
    WHOLE: lambda row: True,
    f'{{exact: "{CART}"}}': lambda row: row.current_url in (CART, CART + "/"),
    '{path: "/cart"}': lambda row: row.key == CART,
    f'{{ignoreQuery: "{CART}?x=1"}}': lambda row: row.key == CART,
    f'{{wildcard: "{CART}*"}}': lambda row: len(row.current_url) > len(CART) and row.current_url.startswith(CART),
    '{regex: "https://shop[.]example/(cart)?"}': lambda row: row.current_url == CART,
}
SEGMENTS: dict[str, Callable[[Row], bool]] = {
    "{}": lambda row: True,
    "{viewportWidth: {min: 768, max: 1008}}": lambda row: 768 <= row.viewport_width * 16 <= 1008,
    "{breakpoint: [TABLET]}": lambda row: 768 <= row.viewport_width * 16 <= 1023,
    "{device: [MOBILE, DESKTOP]}": lambda row: not 768 <= row.viewport_width * 16 <= 1023,
    "{excludeTestAccounts: true}": lambda row: not row.distinct_id.endswith("@posthog.com"),
    '{cohorts: ["5"]}': lambda row: row.distinct_id in {f"v{v}" for v in range(20) if v // 2 % 3},
}


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("kind", OF_TYPE)
@pytest.mark.parametrize("aggregation", ["TOTAL", "UNIQUE_VISITORS", "UNIQUE_SESSIONS"])
async def test_maps(source: Sources, shop: list[Row], kind: str, aggregation: str, segment: str) -> None:
    arguments = f"kind: {kind}, aggregation: {aggregation}, first: 100000"
    below = (
        f"heatmap({arguments}) {{ total visitors sessions maxCount hidden {{ origin testAccounts }} points {{ relativeX y fixed count }} }}"
    )
    found = (await insights(source, below, segment, WHOLE))["heatmap"]
    of_kind = [row for row in shop if row.type == OF_TYPE[kind] and SEGMENTS[segment](row)]
    shown = [row for row in of_kind if not row.is_origin]
    cells = defaultdict(list)
    for row in shown:
        who = {"TOTAL": id(row), "UNIQUE_VISITORS": row.distinct_id, "UNIQUE_SESSIONS": row.session_id}[aggregation]
        cells[row.cell].append(who)
    expected = {(column / 100, y * 16, fixed): len(set(who)) for (fixed, y, column), who in cells.items()}
    assert {(point["relativeX"], point["y"], point["fixed"]): point["count"] for point in found["points"]} == expected
    assert (found["total"], found["visitors"]) == (len(shown), len({row.distinct_id for row in shown}))
    assert found["hidden"]["origin"] == len(of_kind) - len(shown) > 0
    if "exclude" in segment:
        assert found["hidden"]["testAccounts"] == sum(row.type == OF_TYPE[kind] for row in shop) - len(of_kind) > 0


@pytest.mark.parametrize("rule", RULES)
async def test_url_rules_and_totals(source: Sources, shop: list[Row], rule: str) -> None:
    below = """totals { clicks rageClicks pageviews visitors sessions rageRate { numerator denominator } breakpoints { breakpoint clicks }
        bounceRate { value } deadRate { value } averageSecondsOnPage issueScore { value rage { rate { numerator denominator } } } }
        meta { status sessions pagesMatched sampleRate } fold { total belowFold { numerator } medianViewportHeight }"""
    found = await insights(source, below, url=rule)
    rows = [row for row in shop if RULES[rule](row)]
    types = Counter(row.type for row in rows)
    totals = found["totals"]
    assert rows
    assert (totals["clicks"], totals["rageClicks"], totals["pageviews"]) == (types["click"], types["rageclick"], types["scrolldepth"])
    assert totals["visitors"] == len({row.distinct_id for row in rows})
    assert totals["sessions"] == found["meta"]["sessions"] == len({row.session_id for row in rows})
    assert found["meta"] | {"sessions": 0} == {
        "status": "OK",
        "sessions": 0,
        "pagesMatched": len({row.key for row in rows}),
        "sampleRate": None,
    }
    assert totals["rageRate"] == {"numerator": types["rageclick"], "denominator": types["click"]}
    rage_sessions = len({row.session_id for row in rows if row.type == "rageclick"})
    assert totals["issueScore"] == {"value": None, "rage": {"rate": {"numerator": rage_sessions, "denominator": totals["sessions"]}}}
    assert [totals["bounceRate"]["value"], totals["deadRate"]["value"], totals["averageSecondsOnPage"]] == [None] * 3
    assert {one["breakpoint"]: one["clicks"] for one in totals["breakpoints"]} == {
        name: sum(row.type == "click" and low <= row.viewport_width * 16 <= high for row in rows)
        for name, low, high in (("DESKTOP", 1024, 9999), ("TABLET", 768, 1023), ("MOBILE", 0, 767))
    }
    folds = [row for row in rows if row.type == "click" and not row.is_origin and not row.pointer_target_fixed]
    assert found["fold"] == {
        "total": len(folds),
        "belowFold": {"numerator": sum(row.y > row.viewport_height for row in folds)},
        "medianViewportHeight": round(median(row.viewport_height * 16 for row in folds)),
    }


@pytest.mark.parametrize("aggregation", ["TOTAL", "UNIQUE_VISITORS", "UNIQUE_SESSIONS"])
async def test_scroll(source: Sources, shop: list[Row], aggregation: str) -> None:
    below = f"""scroll(unit: PIXEL, step: 100, aggregation: {aggregation}) {{ pageviews averageDepth medianDepth foldHeight medianPageHeight
        buckets {{ depth visitors count }} depthReachedBy(share: 0.5) }}"""
    found = (await insights(source, below, url=WHOLE))["scroll"]
    rows = [row for row in shop if row.type == "scrolldepth"]
    deepest: dict[Any, int] = {}
    for row in rows:
        who = {"TOTAL": id(row), "UNIQUE_VISITORS": row.distinct_id, "UNIQUE_SESSIONS": row.session_id}[aggregation]
        deepest[who] = max(deepest.get(who, 0), (row.y + row.viewport_height) * 16)
    depths = sorted(deepest.values(), reverse=True)
    assert [(bucket["depth"], bucket["visitors"]) for bucket in found["buckets"]] == [
        (depth, sum(reached >= depth for reached in depths)) for depth in range(0, depths[0] + 1, 100)
    ]
    assert math.isclose(found["averageDepth"], sum(depths) / len(depths))
    assert (found["pageviews"], found["medianDepth"], found["medianPageHeight"]) == (len(rows), median(depths), None)
    assert found["depthReachedBy"] == depths[math.ceil(len(depths) / 2) - 1]


async def test_listing_of_pages(source: Sources, shop: list[Row]) -> None:
    below = f"""pages(window: {WINDOW}, search: "CART", orderBy: {{field: RAGE_CLICKS}}) {{ totalCount
        edges {{ node {{ key }} totals {{ clicks rageClicks visitors bounceRate {{ value }} }} }} }}"""
    found = (await ask(source, below))["pages"]
    pages = defaultdict(list)
    for row in shop:
        if "cart" in row.key:
            pages[row.key].append(row)
    expected = [
        {
            "node": {"key": key},
            "totals": {
                "clicks": sum(row.type == "click" for row in rows),
                "rageClicks": sum(row.type == "rageclick" for row in rows),
                "visitors": len({row.distinct_id for row in rows}),
                "bounceRate": {"value": None},
            },
        }
        for key, rows in pages.items()
    ]
    assert found["totalCount"] == len(pages) == 2
    assert found["edges"] == sorted(expected, key=lambda edge: -edge["totals"]["rageClicks"])  # type: ignore[index]


async def test_a_page_and_the_single_clicks_of_a_point(source: Sources, shop: list[Row]) -> None:
    assert (await ask(source, 'page(key: "https://shop.example/cart/nowhere") { key }'))["page"] is None
    below = (
        f'page(key: "{CART}/?a=b") {{ key insights(window: {WINDOW}) {{ heatmap(first: 1) {{ points {{ relativeX y fixed count }} }} }} }}'
    )
    found = (await ask(source, below))["page"]
    (point,) = found["insights"]["heatmap"]["points"]
    asked = f"{{relativeX: {point['relativeX']}, y: {point['y']}, fixed: {str(point['fixed']).lower()}}}"
    below = f"""page(key: "{CART}") {{ insights(window: {WINDOW}) {{ interactions(points: [{asked}]) {{
        totalCount nodes {{ timestamp url sessionId visitorId relativeX y }} }} }} }}"""
    listed = (await ask(source, below))["page"]["insights"]["interactions"]
    cell = (point["fixed"], point["y"] // 16, round(point["relativeX"] * 100))
    rows = [row for row in shop if row.type == "click" and row.key == CART and row.cell == cell and not row.is_origin]
    rows.sort(key=lambda row: row.timestamp, reverse=True)
    assert listed["totalCount"] == point["count"] == len(rows) > 1
    assert [(node["sessionId"], node["visitorId"], node["url"], node["y"]) for node in listed["nodes"]] == [
        (row.session_id, row.distinct_id, row.current_url, row.y * 16) for row in rows
    ]
    stamps = [f"{row.timestamp:%Y-%m-%dT%H:%M:%S}.{row.timestamp.microsecond // 1000:03}" for row in rows]
    assert [node["timestamp"][:23] for node in listed["nodes"]] == stamps


async def test_rage_spots_timeline_and_devices(source: Sources, shop: list[Row]) -> None:
    below = """rageClicks(first: 100) { totalCount nodes { count averageClicks } } timeline { clicks rageClicks deadClicks }
        breakdown(by: DEVICE) { value sessions clicks }"""
    found = await insights(source, below, url=WHOLE)
    bursts = [row for row in shop if row.type == "rageclick"]
    assert found["rageClicks"]["totalCount"] == len({row.cell for row in bursts})
    assert found["rageClicks"]["nodes"][0] == {"count": max(Counter(row.cell for row in bursts).values()), "averageClicks": 3}
    days = [[row.type for row in shop if (row.timestamp - START).days == day] for day in range(DAYS)]
    assert found["timeline"] == [{"clicks": day.count("click"), "rageClicks": day.count("rageclick"), "deadClicks": 0} for day in days]
    assert sum(row["clicks"] for row in found["breakdown"]) == sum(row.type == "click" for row in shop)
    assert {row["value"] for row in found["breakdown"]} == {"DESKTOP", "TABLET", "MOBILE"}


async def test_cohorts_are_those_of_posthog(source: Sources) -> None:
    found = (await ask(source, "cohorts { totalCount nodes { cohortId name size } }"))["cohorts"]
    assert found == {"totalCount": 1, "nodes": [{"cohortId": "5", "name": "PostHog cohort 5", "size": 12}]}


async def test_cohorts_by_the_versions_of_persons(posthog: tuple[str, list[Row]], raw: Client) -> None:
    database = open_sync(posthog[0])
    database.command("CREATE TABLE person_distinct_id2 (team_id Int64, distinct_id String, person_id UUID, is_deleted Int8, version Int64)"
                     " ENGINE = ReplacingMergeTree(version) ORDER BY (team_id, distinct_id)")  # fmt: skip
    member, other = uuid.UUID(int=1), uuid.UUID(int=99)
    for version, rows in enumerate([{"v1": other, "v2": member, "v3": member}, {"v1": member, "v2": other}]):
        values = [[7, distinct_id, person, 0, version] for distinct_id, person in rows.items()]
        database.insert("person_distinct_id2", values, column_names=["team_id", "distinct_id", "person_id", "is_deleted", "version"])
    database.close()
    client = GuardedClient("posthog", raw, rewrite=PostHog(TEAMS, "person_distinct_id2"))
    found = await ask(Sources([Source("posthog", client, {"shop": SHOP})]), "cohorts { nodes { size } }")
    assert found == {"cohorts": {"nodes": [{"size": 2}]}}  # v1 and v3


CANNOT = {
    "elements { totalCount }": "elements",
    "attention { pageviews }": "attention",
    "deadClicks { total }": "deadClicks",
    "conversionsByDepth { unit }": "conversionsByDepth",
    "replays { totalCount }": "replays",
    "breakdown(by: COUNTRY) { value }": "breakdown(by: COUNTRY)",
    "scroll { pageviews buckets { depth } }": "scroll(unit: PERCENT)",
}


@pytest.mark.parametrize("field", CANNOT)
async def test_what_it_cannot_answer_is_null_beside_what_it_can(source: Sources, field: str) -> None:
    query = f'{{ site(siteId: "shop") {{ insights(url: {WHOLE}, window: {WINDOW}) {{ {field} totals {{ clicks }} }} }} }}'
    answered = await answer(source, query)
    found = answered["data"]["site"]["insights"]
    assert found.pop("totals")["clicks"] > 0
    assert list(found.values()) == [None]
    assert [(error["code"], error["path"]) for error in answered["errors"]] == [("BAD_USER_INPUT", ["site", "insights", *found])]
    capabilities = (await ask(source, "capabilities { dataFrom sources { name healthy } fields { field available reason } }"))[
        "capabilities"
    ]
    reasons = {one["field"]: one["reason"] for one in capabilities["fields"] if not one["available"]}
    assert "PostHog" in reasons[CANNOT[field]]
    assert set(reasons) == set(REASONS)
    assert reasons["timeline { deadClicks }"] == reasons["breakdown { deadClicks }"] == reasons["deadClicks"]
    assert capabilities["sources"] == [{"name": "posthog", "healthy": True}]
    assert capabilities["dataFrom"] is not None


async def test_a_file_of_pages_says_no_more_than_it_can_tell(source: Sources) -> None:
    """The rates and the score that PageTotals has as null."""
    context = Context(source, EVERYTHING)
    window = {"between": {"from": "2026-10-30", "to": "2026-11-02"}}
    statement = await compile_export(SCHEMA, context, "pages", {"siteId": "shop", "window": orjson.dumps(window).decode()})
    file = b"".join([chunk async for chunk in context.client_of("shop").stream(statement, "JSONEachRow")])
    rate = "{ value numerator denominator basis low high }"
    totals = f"pageviews clicks deadClicks averageSecondsOnPage bounceRate {rate} rageRate {rate} deadRate {rate}"
    listed = (await ask(source, f"pages(window: {WINDOW}) {{ edges {{ totals {{ {totals} issueScore {{ value }} }} }} }}"))["pages"][
        "edges"
    ]
    rows = [orjson.loads(line) for line in file.splitlines()]
    assert len(rows) == len(listed) > 0
    for row, edge in zip(rows, listed, strict=True):
        expected = edge["totals"] | {"issueScore": edge["totals"]["issueScore"]["value"]}
        for name in ("bounceRate", "rageRate", "deadRate"):
            expected |= {f"{name}{part[0].upper()}{part[1:]}": value for part, value in expected.pop(name).items()}
        assert {name: row[name] for name in expected} == expected
        assert expected["bounceRateValue"] is expected["deadRateValue"] is expected["issueScore"] is None


async def test_it_holds_no_events_to_name(source: Sources) -> None:
    answered = await answer(source, f'{{ site(siteId: "shop") {{ name eventNames(window: {WINDOW}) {{ name }} }} }}')
    assert answered["data"]["site"]["eventNames"] is None
    assert [error["code"] for error in answered["errors"]] == ["BAD_USER_INPUT"]
    assert "events" in answered["errors"][0]["message"]


@pytest.mark.parametrize("field", ["conversions", "watchScore { value }"])
async def test_it_does_not_say_that_nobody_converted(source: Sources, field: str) -> None:
    rage = f"rageClicks(first: 1) {{ nodes {{ replays(first: 1) {{ replay {{ sessionId {field} }} }} }} }}"
    answered = await answer(source, f'{{ site(siteId: "shop") {{ insights(url: {WHOLE}, window: {WINDOW}) {{ {rage} }} }} }}')
    assert [(error["code"], error["path"][-1]) for error in answered["errors"]] == [("BAD_USER_INPUT", field.split()[0])]
    assert "events" in answered["errors"][0]["message"]


async def test_a_segment_it_cannot_tell_is_refused_and_not_taken_for_nobody(source: Sources) -> None:
    query = (
        f'{{ site(siteId: "shop") {{ insights(url: {WHOLE}, window: {WINDOW}, segment: {{country: ["DE"]}}) {{ totals {{ clicks }} }} }} }}'
    )
    answered = await answer(source, query)
    assert answered["data"]["site"]["insights"] == {"totals": None}
    assert answered["errors"][0]["code"] == "BAD_USER_INPUT"


async def test_only_reads(source: Sources) -> None:
    client = source.first.client
    with pytest.raises(Exception, match="only read"):
        await client.command(Statement("DELETE FROM interactions WHERE 1", {}))
    with pytest.raises(Exception, match="only read"):
        await client.insert("cohorts", ["site_id"], [["shop"]])


async def test_its_own_sql_counts_the_same(source: Sources, raw: Client) -> None:
    """PostHog rounds x to hundredths where we cut, so that its points are compared by rows of y."""
    of_shop = f"team_id = 7 AND timestamp >= '{START:%F}' AND timestamp < '{START + timedelta(days=DAYS):%F}'"
    of_page = "trimRight(current_url, '/') = 'https://shop.example/cart'"
    points = await raw.query(
        Statement(
            "SELECT pointer_target_fixed AS fixed, y * scale_factor AS client_y, count() AS cnt, count(DISTINCT distinct_id) AS people FROM heatmaps"
            f" WHERE {of_shop} AND {of_page} AND type = 'click' AND NOT (x = 0 AND y = 0) GROUP BY fixed, client_y",
            {},
        )
    )
    depths = await raw.query(
        Statement(
            "SELECT bucket, cnt, sum(cnt) OVER (ORDER BY bucket DESC) AS cumulative FROM ("
            "SELECT intDiv(scroll_y, 100) * 100 AS bucket, count() AS cnt FROM ("
            f"SELECT (y + viewport_height) * scale_factor AS scroll_y FROM heatmaps WHERE {of_shop} AND {of_page} AND type = 'scrolldepth'"
            ") GROUP BY bucket) ORDER BY bucket",
            {},
        )
    )
    below = "heatmap(first: 100000) { points { y fixed count } } scroll(unit: PIXEL, step: 100, aggregation: TOTAL) { buckets { depth visitors count } }"
    found = await insights(source, below, url=f'{{exact: "{CART}"}}')
    by_row: Counter[tuple[bool, int]] = Counter()
    for point in found["heatmap"]["points"]:
        by_row[point["fixed"], point["y"]] += point["count"]
    assert by_row == {(bool(row["fixed"]), row["client_y"]): row["cnt"] for row in points}
    buckets = {bucket["depth"]: (bucket["count"], bucket["visitors"]) for bucket in found["scroll"]["buckets"] if bucket["count"]}
    assert buckets == {row["bucket"]: (row["cnt"], row["cumulative"]) for row in depths}


MANY_ROWS = """
    INSERT INTO heatmaps
    SELECT toString(number), 7 + number % 2, toString(number % 999), toDateTime64('2026-10-30 00:00:00', 6, 'UTC') + intDiv(number, 400) * 691,
        number % 80, number % 200, 16, 80, 50, false, concat('https://shop.example/p', toString(intDiv(number, 8) % 50)),
        ['click', 'rageclick', 'mousemove', 'scrolldepth'][1 + intDiv(number, 2) % 4]
    FROM numbers(200000)
"""


async def test_reads_little(node: Node) -> None:
    """Of 200 000 rows those of one type, team and page, day by day, as the sort key allows."""
    dsn = node.dsn(f"posthog_{uuid.uuid4().hex}")
    database = open_sync(dsn)
    database.command(f"CREATE DATABASE `{database.database}`", use_database=False)
    database.command(DDL[0])
    database.command(MANY_ROWS)
    client = await connect(dsn)
    statements: list[Statement] = []
    client.on_statement = statements.append
    source = Sources([Source("posthog", GuardedClient("posthog", client, rewrite=PostHog(TEAMS)), {"shop": SHOP})])
    key = "https://shop.example/p24"
    found = await ask(source, f'page(key: "{key}") {{ insights(window: {WINDOW}) {{ heatmap {{ total points {{ x }} }} }} }}')
    by_path = await ask(source, f'insights(url: {{path: "/p24"}}, window: {WINDOW}) {{ heatmap {{ total }} }}')
    await client.close()
    assert by_path["insights"]["heatmap"]["total"] == 500
    assert found["page"]["insights"]["heatmap"]["total"] == 500
    page, heatmap, path = (read_rows(database, statement) for statement in statements)
    database.close()
    assert page <= 4 * (500 + 64 * 3 * DAYS)
    assert 500 <= heatmap <= 500 + 64 * 3 * DAYS
    assert path <= 25_000 + 64 * 3 * DAYS  # the clicks of the team


def read_rows(database: SyncClient, statement: Statement) -> int:
    settings = {"prefer_column_name_to_alias": 1}
    return int(database.query(statement.sql, statement.params, settings=settings).summary["read_rows"])
