"""The demo's data: the same every time, valid input rows, and something to find in it."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from gateway.demo_site import PAGES, lay_out
from gateway.demo_visitors import demo_cohorts
from gateway.demo_visits import DEMO_DAYS, DEMO_DOMAINS, demo_rows, redesigned_on

NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)  # a Wednesday
ROOT = Path(__file__).parents[2]
NEEDED = {
    "pageview": {"device", "browser", "country", "region", "viewportWidth", "viewportHeight", "pageHeight"},
    "click": {"x", "y", "viewportWidth", "viewportHeight", "pageHeight"},
    "dead": {"x", "y", "viewportWidth", "viewportHeight", "pageHeight", "selector", "tag", "interactive"},
    "rage": {"x", "y", "viewportWidth", "viewportHeight", "pageHeight", "selector", "count"},
    "move": {"x", "y", "viewportWidth", "viewportHeight", "pageHeight"},
    "scroll": {"scrollY", "viewportHeight", "pageHeight"},
    "attention": {"scrollY", "seconds", "viewportHeight", "pageHeight"},
    "event": {"name"},
    "element": {"selector", "tag", "x", "y", "width", "height", "viewportWidth", "viewportHeight"},
}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Half of the demo: enough for every claim but its size."""
    return [orjson.loads(line) for line in demo_rows(NOW, days=DEMO_DAYS // 2)]


def path_of(row: Row) -> str:
    return urlsplit(row["url"]).path.rstrip("/") or "/"


def test_is_the_same_in_another_process_and_time_zone() -> None:
    lines = 20_000
    program = (
        "import hashlib, itertools; from datetime import datetime; from gateway.demo_visits import demo_rows;"
        f"rows = itertools.islice(demo_rows(datetime.fromisoformat('{NOW.isoformat()}')), {lines});"
        "print(hashlib.sha256(b''.join(rows)).hexdigest())"
    )
    env = {**os.environ, "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7"}
    there = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout.strip()
    assert there == hashlib.sha256(b"".join(islice(demo_rows(NOW), lines))).hexdigest()


def test_another_run_later_in_the_week_only_adds_rows() -> None:
    def by_id(now: datetime, days: int) -> dict[str, bytes]:
        return {orjson.loads(line)["eventId"]: line for line in demo_rows(now, days) if b'"type":"element"' not in line}

    first, later = by_id(NOW, days=2), by_id(NOW + timedelta(days=1), days=3)
    assert len(later) > len(first)
    assert first.items() <= later.items()


def test_ends_now_and_fills_every_day(rows: list[Row]) -> None:
    days = Counter(datetime.fromtimestamp(row["timestamp"] / 1000, UTC).date() for row in rows if row["type"] == "pageview")
    assert max(row["timestamp"] for row in rows) <= NOW.timestamp() * 1000
    assert {NOW.date() - timedelta(days=age) for age in range(DEMO_DAYS // 2 + 1)} == set(days)
    assert all(count > 600 for day, count in days.items() if day != NOW.date())


def test_every_row_is_a_valid_input_row(rows: list[Row]) -> None:
    assert len({row["eventId"] for row in rows}) == len(rows)
    for row in rows:
        assert row["timestamp"] > 0 and row["sessionId"] and row["visitorId"]
        assert urlsplit(row["url"]).hostname in DEMO_DOMAINS
        assert NEEDED[row["type"]] <= row.keys(), row
        if "x" in row and not (row["x"] == 0 and row["y"] == 0):
            assert 0 <= row["x"] <= row["viewportWidth"], row
            assert 0 <= row["y"] <= (row["viewportHeight"] if row.get("fixed") else row["pageHeight"]), row
        if row["type"] in ("scroll", "attention"):
            assert 0 <= row["scrollY"] <= row["pageHeight"] - row["viewportHeight"], row
        if row["type"] == "rage":
            assert row["count"] >= 5


def test_is_of_the_promised_size() -> None:
    count: Counter[str] = Counter()
    pageviews: Counter[str] = Counter()
    for line in demo_rows(NOW):
        row_type = line.split(b'"', 4)[3].decode()
        count[row_type] += 1
        if row_type == "pageview":
            pageviews[orjson.loads(line)["sessionId"]] += 1
    assert set(count) == set(NEEDED)
    assert count["click"] + count["dead"] + count["move"] + count["rage"] >= 200_000
    assert 24_000 < len(pageviews) < 27_000
    assert set(pageviews.values()) == set(range(1, 9))


def test_is_seen_from_many_places_and_devices(rows: list[Row]) -> None:
    pageviews = [row for row in rows if row["type"] == "pageview"]
    distinct = {name: {row[name] for row in pageviews if name in row} for name in ("device", "country", "browser", "variant", "campaign")}
    assert distinct["device"] == {"desktop", "tablet", "mobile"}
    assert {name: len(values) for name, values in distinct.items()} == {
        "device": 3,
        "country": 12,
        "browser": 5,
        "variant": 2,
        "campaign": 4,
    }
    assert 0.27 < sum("?" in row["url"] for row in pageviews) / len(pageviews) < 0.33
    assert {path_of(row) for row in pageviews} == set(PAGES)


def test_tells_every_element_at_every_breakpoint(rows: list[Row]) -> None:
    told = defaultdict(set)
    for row in rows:
        if row["type"] == "element":
            breakpoint = "DESKTOP" if row["viewportWidth"] >= 1024 else "TABLET" if row["viewportWidth"] >= 768 else "MOBILE"
            told[path_of(row), breakpoint].add(row["selector"])
    for path in PAGES:
        for breakpoint in ("DESKTOP", "TABLET", "MOBILE"):
            assert told[path, breakpoint] == {placed.block.selector for placed in lay_out(path, breakpoint).placed}, (path, breakpoint)


def test_some_test_accounts_say_so_and_others_do_not(rows: list[Row]) -> None:
    sent = {
        (row["visitorId"], row.get("isTest")) for row in rows if row["type"] == "pageview" and row["visitorId"].endswith("@heatgraph.test")
    }
    assert sent == {(f"qa-{number}@heatgraph.test", True if number % 2 else None) for number in range(1, 9)}


def test_cohorts_are_of_visitors_who_came(rows: list[Row]) -> None:
    came = {row["visitorId"] for row in rows}
    cohorts = demo_cohorts()
    assert set(cohorts) == {"newsletter", "paying"}
    for members in cohorts.values():
        assert 200 < len(came & set(members)) < len(came) / 4


def test_a_call_to_action_persuades(rows: list[Row]) -> None:
    converted = {row["sessionId"] for row in rows if row.get("conversion")}
    followed = {row["sessionId"] for row in rows if row.get("selector", "").endswith(("a.cta", "a.choose")) and row["type"] == "click"}
    others = {row["sessionId"] for row in rows} - followed
    assert all(row["value"] > 0 and row["currency"] == "USD" for row in rows if row.get("conversion"))
    assert len(converted & followed) / len(followed) > 3 * len(converted & others) / len(others)


def test_the_redesign_moved_the_plans_above_the_fold(rows: list[Row]) -> None:
    redesign_ms = datetime.combine(redesigned_on(NOW), datetime.min.time(), UTC).timestamp() * 1000
    below: dict[bool, list[bool]] = {True: [], False: []}
    for row in rows:
        if row["type"] == "click" and row.get("selector") == "div.plan-pro a.choose" and row["viewportWidth"] >= 1024:
            below[row["timestamp"] >= redesign_ms].append(row["y"] > row["viewportHeight"])
    assert sum(below[False]) / len(below[False]) > 0.9
    assert sum(below[True]) / len(below[True]) < 0.5


def test_rage_is_at_the_coupon_button_and_labelled_in_some_sessions_only(rows: list[Row]) -> None:
    clicks = Counter(row["sessionId"] for row in rows if row["type"] == "click" and row.get("selector") == "button#apply-coupon")
    bursts = {session for session, count in clicks.items() if count >= 5}
    labelled = Counter(row["selector"] for row in rows if row["type"] == "rage")
    in_labelled = {row["sessionId"] for row in rows if row["type"] == "rage" and row["selector"] == "button#apply-coupon"}
    assert labelled.most_common(1)[0][0] == "button#apply-coupon"
    assert 0.2 < len(bursts & in_labelled) / len(bursts) < 0.6


def test_the_hero_is_clicked_in_vain_and_the_origin_is_a_cluster(rows: list[Row]) -> None:
    dead = Counter((path_of(row), row["selector"]) for row in rows if row["type"] == "dead")
    assert dead.most_common(1)[0][0] == ("/", "section.hero img")
    places = Counter((row["x"], row["y"]) for row in rows if row["type"] == "click")
    assert places.most_common(1)[0][0] == (0, 0)
