"""The demo's data: 60 days of visits to a small company's site, as rows for `load`. Invented, and the same every time.

    for line in demo_rows(datetime.now(UTC)): …     # NDJSON lines, one session after the other

A session depends on its day alone and each row carries its `eventId`, so that the demo loaded again later in the week
(the redesign of /pricing moves on Mondays) adds days and changes nothing. What there is to find: people rage at the coupon
button of /checkout and click the image on the home page in vain; /pricing was redesigned three to four weeks ago, with the
plans moved above the fold, and tests two texts on its main button; who follows a call to action signs up more often than
who does not; test accounts click all day.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import orjson

from gateway.demo_session import Row, Visit
from gateway.demo_site import PAGES, Breakpoint
from gateway.demo_visitors import TEST_ACCOUNTS, VISITORS, visitors
from gateway.demo_weighted import Weighted

DEMO_SITE = "site_demo"
DEMO_DOMAINS = ["example.com"]
DEMO_TEST_ACCOUNTS = ["*@heatgraph.test"]  # the site's test-account rules; only half of these visitors also send `isTest`
DEMO_DAYS = 60
SESSIONS_A_DAY = (455, 465, 470, 460, 430, 320, 335)  # Monday first
SESSIONS_AN_HOUR = (2, 1, 1, 1, 1, 2, 4, 6, 9, 11, 12, 12, 11, 12, 13, 13, 12, 11, 10, 10, 10, 9, 7, 4)
PAGEVIEWS_A_SESSION = (36, 22, 15, 10, 7, 5, 3, 2)  # weights of 1 … 8
SOURCES = (  # source, referrer, campaign, weight
    ("direct", "", "", 26),
    ("google", "https://www.google.com/", "", 34),
    ("google", "https://www.google.com/", "brand-search", 9),
    ("newsletter", "", "weekly-digest", 9),
    ("linkedin", "https://www.linkedin.com/", "product-managers", 8),
    ("github", "https://github.com/", "", 6),
    ("partner", "https://partner.example.org/", "partner-autumn", 5),
    ("bing", "https://www.bing.com/", "", 3),
)


def redesigned_on(now: datetime) -> date:
    """The Monday, three to four weeks before `now`, on which the new /pricing went live."""
    today = now.astimezone(UTC).date()
    return today - timedelta(days=21 + today.weekday())


def demo_rows(now: datetime, days: int = DEMO_DAYS) -> Iterator[bytes]:
    """NDJSON lines of the last `days` UTC days and of today until `now`, which must name its zone; about 9 500 a day."""
    now_ms = int(now.timestamp() * 1000)
    today = now.astimezone(UTC).date()
    redesign = redesigned_on(now)
    standing: set[tuple[str, Breakpoint, bool]] = set()  # layouts whose elements were told
    for age in range(days, -1, -1):
        day = today - timedelta(days=age)
        for rows in _day(day, day >= redesign, standing):
            for row in rows:
                if row["timestamp"] <= now_ms:
                    yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _day(day: date, redesigned: bool, standing: set[tuple[str, Breakpoint, bool]]) -> Iterator[list[Row]]:
    """The sessions that begin on a day, each a list of rows in no order of time."""
    everybody = visitors()
    hours = Weighted([(hour, float(weight)) for hour, weight in enumerate(SESSIONS_AN_HOUR)])
    entries = Weighted([(path, 1 / rank) for rank, path in enumerate(PAGES, 1) if not path.startswith("/checkout")])
    sources = Weighted([((source, referrer, campaign), float(weight)) for source, referrer, campaign, weight in SOURCES])
    lengths = Weighted([(length, float(weight)) for length, weight in enumerate(PAGEVIEWS_A_SESSION, 1)])
    midnight_ms = int(datetime.combine(day, time(), UTC).timestamp() * 1000)
    for number in range(SESSIONS_A_DAY[day.weekday()] + day.toordinal() * 7 % 31 - 15):
        random = Random(f"{day.isoformat()} {number}")
        if random.random() < 0.012:  # noqa: SIM108
            visitor = everybody[VISITORS + random.randrange(TEST_ACCOUNTS)]
        else:
            visitor = everybody[int(VISITORS * random.random() ** 1.5)]  # some come back often
        start_ms = midnight_ms + hours.draw(random) * 3_600_000 + random.randrange(3_600_000)
        visit = Visit(random, visitor, f"{random.getrandbits(48):012x}", start_ms, redesigned, standing)
        yield visit.walk(entries.draw(random), lengths.draw(random), sources.draw(random))
