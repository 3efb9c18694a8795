"""The demo's data: 60 days of visits to a small company's site, as rows for `load`. Invented, and the same every time.

    for line in demo_rows(datetime.now(UTC)): …     # NDJSON lines, one session after the other

A session depends on its day alone and each row carries its `eventId`, so that the demo loaded again later in the week
(the redesign of /pricing moves on Mondays) adds days and changes nothing. What there is to find: people rage at the coupon
button of /checkout and click the image on the home page in vain; /pricing was redesigned three to four weeks ago, with the
plans moved above the fold, and tests two texts on its main button; who follows a call to action signs up more often than
who does not; test accounts click all day.
"""

from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from math import exp
from random import Random
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from gateway.demo_site import PAGES, PRICING, Breakpoint, Layout, Placed, lay_out

DEMO_SITE = "site_demo"
DEMO_DOMAINS = ["example.com"]
DEMO_TEST_ACCOUNTS = ["*@heatgraph.test"]  # the site's test-account rules; only half of these visitors also send `isTest`
DEMO_DAYS = 60

ORIGIN = "https://example.com"
SESSIONS_A_DAY = (455, 465, 470, 460, 430, 320, 335)  # Monday first
SESSIONS_AN_HOUR = (2, 1, 1, 1, 1, 2, 4, 6, 9, 11, 12, 12, 11, 12, 13, 13, 12, 11, 10, 10, 10, 9, 7, 4)
PAGEVIEWS_A_SESSION = (36, 22, 15, 10, 7, 5, 3, 2)  # weights of 1 … 8
VISITORS = 14_000
TEST_ACCOUNTS = 8

VIEWPORTS_PX = {
    "DESKTOP": ((1920, 945), (1536, 730), (1440, 790), (1366, 657), (1280, 720), (1280, 1024), (2560, 1300)),
    "TABLET": ((768, 954), (768, 1024), (820, 1106), (810, 1010), (1180, 746)),  # the last one on its side: a desktop's breakpoint
    "MOBILE": ((375, 667), (390, 664), (393, 727), (412, 784), (360, 660), (414, 720), (430, 740)),
}
BROWSERS = {
    "DESKTOP": (("Chrome", 62), ("Edge", 15), ("Safari", 13), ("Firefox", 10)),
    "TABLET": (("Safari", 65), ("Chrome", 30), ("Firefox", 5)),
    "MOBILE": (("Chrome", 48), ("Safari", 41), ("Samsung Internet", 9), ("Firefox", 2)),
}
REGIONS = {  # by country, with the country's weight
    "US": (30, ("California", "New York", "Texas", "Washington")),
    "DE": (14, ("Bavaria", "Berlin", "North Rhine-Westphalia")),
    "GB": (11, ("England", "Scotland")),
    "FR": (8, ("Île-de-France", "Occitanie")),
    "IN": (8, ("Karnataka", "Maharashtra")),
    "CA": (6, ("Ontario", "Quebec")),
    "BR": (5, ("Rio de Janeiro", "São Paulo")),
    "NL": (5, ("North Holland", "Utrecht")),
    "AU": (4, ("New South Wales", "Victoria")),
    "ES": (4, ("Catalonia", "Madrid")),
    "JP": (3, ("Osaka", "Tokyo")),
    "PL": (2, ("Masovia", "Silesia")),
}
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
DEVICE_WEIGHTS = {"DESKTOP": 56, "MOBILE": 37, "TABLET": 7}
VARIANTS = {"control": "Choose Pro", "benefit": "Start 14 days of Pro"}  # the test on /pricing: text of the main button
PLANS = (("pro", 29.0), ("pro", 29.0), ("pro-yearly", 278.0), ("business", 99.0))

Row = dict[str, Any]
T = TypeVar("T")


class Visitor(NamedTuple):
    visitor_id: str
    device: str
    browser: str
    country: str
    region: str
    viewport_px: tuple[int, int]
    breakpoint: Breakpoint
    subscribed: bool
    paying: bool
    is_test: bool | None  # None: not sent


class Weighted(Generic[T]):
    """Things to draw from by weight."""

    def __init__(self, things: list[tuple[T, float]]) -> None:
        self.things = [thing for thing, _ in things]
        self.cumulated = list(accumulate(weight for _, weight in things))

    def draw(self, random: Random) -> T:
        return self.things[bisect(self.cumulated, random.random() * self.cumulated[-1], hi=len(self.things) - 1)]


class Scene(NamedTuple):
    """A layout, sorted by what visitors do with its elements."""

    layout: Layout
    clicked: Weighted[Placed]
    links: Weighted[Placed]
    dead: list[Placed]
    raged: list[Placed]


@cache
def _scene(path: str, breakpoint: Breakpoint, redesigned: bool, variant: str) -> Scene:
    layout = lay_out(path, breakpoint, redesigned)
    if variant:
        layout = layout._replace(placed=tuple(_with_variant(placed, variant) for placed in layout.placed))
    appealing = [(placed, placed.block.appeal) for placed in layout.placed if placed.block.appeal]
    return Scene(
        layout,
        Weighted(appealing),
        Weighted([(placed, appeal) for placed, appeal in appealing if placed.block.href not in ("", path)]),
        [placed for placed in layout.placed if placed.block.dead],
        [placed for placed in layout.placed if placed.block.rage],
    )


def _with_variant(placed: Placed, variant: str) -> Placed:
    if placed.block.selector != "div.plan-pro a.choose":
        return placed
    appeal = placed.block.appeal * (1.5 if variant == "benefit" else 1)
    return placed._replace(block=placed.block._replace(text=VARIANTS[variant], appeal=appeal))


@cache
def _visitors() -> list[Visitor]:
    """Everybody who ever comes; the test accounts last."""
    random = Random("visitors")
    devices = Weighted(list(DEVICE_WEIGHTS.items()))
    browsers = {device: Weighted(list(shares)) for device, shares in BROWSERS.items()}
    countries = Weighted([(country, weight) for country, (weight, _) in REGIONS.items()])
    visitors = []
    for number in range(VISITORS + TEST_ACCOUNTS):
        account = number - VISITORS + 1
        device = "DESKTOP" if account > 0 else devices.draw(random)
        country = countries.draw(random)
        viewport_px = random.choice(VIEWPORTS_PX[device])
        visitors.append(
            Visitor(
                visitor_id=f"qa-{account}@heatgraph.test" if account > 0 else f"v-{random.getrandbits(40):010x}",
                device=device,
                browser=browsers[device].draw(random),
                country=country,
                region=random.choice(REGIONS[country][1]),
                viewport_px=viewport_px,
                breakpoint="DESKTOP" if viewport_px[0] >= 1024 else "TABLET" if viewport_px[0] >= 768 else "MOBILE",
                subscribed=random.random() < 0.18,
                paying=random.random() < 0.06,
                is_test=True if account > 0 and account % 2 else None,
            )
        )
    return visitors


def demo_cohorts() -> dict[str, list[str]]:
    """Visitor ids by the cohort's name."""
    return {
        "newsletter": [visitor.visitor_id for visitor in _visitors() if visitor.subscribed],
        "paying": [visitor.visitor_id for visitor in _visitors() if visitor.paying],
    }


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
    visitors = _visitors()
    hours = Weighted([(hour, float(weight)) for hour, weight in enumerate(SESSIONS_AN_HOUR)])
    entries = Weighted([(path, 1 / rank) for rank, path in enumerate(PAGES, 1) if not path.startswith("/checkout")])
    sources = Weighted([((source, referrer, campaign), float(weight)) for source, referrer, campaign, weight in SOURCES])
    lengths = Weighted([(length, float(weight)) for length, weight in enumerate(PAGEVIEWS_A_SESSION, 1)])
    midnight_ms = int(datetime.combine(day, time(), UTC).timestamp() * 1000)
    for number in range(SESSIONS_A_DAY[day.weekday()] + day.toordinal() * 7 % 31 - 15):
        random = Random(f"{day.isoformat()} {number}")
        if random.random() < 0.012:  # noqa: SIM108
            visitor = visitors[VISITORS + random.randrange(TEST_ACCOUNTS)]
        else:
            visitor = visitors[int(VISITORS * random.random() ** 1.5)]  # some come back often
        start_ms = midnight_ms + hours.draw(random) * 3_600_000 + random.randrange(3_600_000)
        visit = Visit(random, visitor, f"{random.getrandbits(48):012x}", start_ms, redesigned, standing)
        yield visit.walk(entries.draw(random), lengths.draw(random), sources.draw(random))


class Visit:
    """One session on its way through the site."""

    def __init__(
        self,
        random: Random,
        visitor: Visitor,
        session_id: str,
        start_ms: int,
        redesigned: bool,
        standing: set[tuple[str, Breakpoint, bool]],
    ) -> None:
        self.random = random
        self.visitor = visitor
        self.session_id = session_id
        self.now_ms = start_ms
        self.redesigned = redesigned
        self.standing = standing
        self.rows: list[Row] = []
        self.told = 0
        self.url = ""
        self.pageview_id = ""
        self.page: Row = {}
        self.persuaded = False  # followed a call to action
        self.annoyed = False
        self.cookies_asked = random.random() < 0.55

    def walk(self, entry: str, pageviews: int, source: tuple[str, str, str]) -> list[Row]:
        """The session's rows; each pageview but the last ends with a click on the link to the next one."""
        path: str = entry
        for number in range(pageviews):
            destination = self.look_at(path, number, source, leaves=number == pageviews - 1)
            if not destination:
                break
            path = destination
        return self.rows

    def add(self, type: str, at_ms: float, **fields: Any) -> None:
        self.told += type == "element"  # told once in the whole data: the other rows' ids must not depend on it
        number = f"e{self.told}" if type == "element" else len(self.rows) - self.told
        self.rows.append(
            {
                "type": type,
                "eventId": f"{self.session_id}.{number}",
                "timestamp": int(at_ms),
                "sessionId": self.session_id,
                "visitorId": self.visitor.visitor_id,
                "url": self.url,
                "pageviewId": self.pageview_id,
                **fields,
            }
        )

    def look_at(self, path: str, number: int, source: tuple[str, str, str], leaves: bool) -> str:
        """One pageview; returns the path of the next one, '' at the end of the session."""
        random, visitor = self.random, self.visitor
        width, height = visitor.viewport_px
        variant = ("control", "benefit")[sum(visitor.visitor_id.encode()) % 2] if path == PRICING else ""
        scene = _scene(path, visitor.breakpoint, self.redesigned or path != PRICING, variant)
        page_height = max(scene.layout.page_height_px, height)
        self.page = {"viewportWidth": width, "viewportHeight": height, "pageHeight": page_height}
        self.url = self._address(path, number, source)
        self.pageview_id = f"{self.session_id}.p{number}"
        start_ms = self.now_ms
        seconds = min(900.0, exp(random.gauss(3.1 if leaves else 2.9, 0.8)))
        self.now_ms = start_ms + int(seconds * 1000)

        traits: Row = {"device": visitor.device.lower(), "browser": visitor.browser, "country": visitor.country, "region": visitor.region}
        if number == 0:
            sent = {"trafficSource": source[0], "referrer": source[1], "campaign": source[2], "entryPage": self.url}
            traits |= {name: value for name, value in sent.items() if value}
        if variant:
            traits["variant"] = variant
        if visitor.is_test is not None:
            traits["isTest"] = visitor.is_test
        self.add("pageview", start_ms, **self.page, **traits)
        self._tell_elements(path, scene.layout, start_ms)
        bottom_px = self._scroll(start_ms, seconds, page_height, height)
        if visitor.breakpoint == "DESKTOP":
            self._move(scene, start_ms, seconds, bottom_px)
        self._click(scene, path, start_ms, seconds, bottom_px)
        self._rage(scene, start_ms, seconds, bottom_px)
        if number == 0 and self.cookies_asked:
            bar = scene.layout.placed[_cookie_button(scene.layout, accepts=random.random() < 0.8)]
            self._hit("click", bar, start_ms + random.uniform(800, 4000))
        converted_to = self._convert(path)
        if converted_to or leaves:
            return converted_to
        return self._follow(scene, bottom_px)

    def _address(self, path: str, number: int, source: tuple[str, str, str]) -> str:
        """The page's URL as a browser shows it: three in ten with a query, some with a slash or a fragment."""
        random = self.random
        if number == 0 and source[2]:
            return f"{ORIGIN}{path}?utm_source={source[0]}&utm_campaign={source[2]}"
        chance = random.random()
        if chance < 0.2:
            return f"{ORIGIN}{path}?{random.choice(('ref=nav', 'lang=en', 'lang=de', 'plan=pro', 'q=heatmap'))}"
        if chance < 0.23 and path != "/":
            return f"{ORIGIN}{path}/"
        return f"{ORIGIN}{path}#top" if chance < 0.25 else ORIGIN + path

    def _tell_elements(self, path: str, layout: Layout, at_ms: int) -> None:
        """The tracker tells where elements stand the first time it sees a layout."""
        layout_seen = (path, self.visitor.breakpoint, self.redesigned if path == PRICING else True)
        if layout_seen in self.standing:
            return
        self.standing.add(layout_seen)
        width, height = self.visitor.viewport_px
        for placed in layout.placed:
            self.add(
                "element",
                at_ms + 50,
                **self.page,
                **_description(placed),
                x=round(placed.left * width, 1),
                y=_top_px(placed, height),
                width=round(placed.width * width, 1),
                height=placed.height_px,
            )

    def _scroll(self, start_ms: int, seconds: float, page_height: int, height: int) -> int:
        """Scroll and attention rows; returns the deepest y in CSS px that came into view."""
        random = self.random
        room_px = page_height - height
        if room_px < 40 or random.random() < 0.22:
            self.add("attention", start_ms + seconds * 990, **self.page, scrollY=0, seconds=round(seconds * random.uniform(0.6, 1), 1))
            return height
        deepest_px = int(room_px * min(1.0, random.expovariate(1 / 0.55)))
        stops = sorted({0, int(deepest_px * random.uniform(0.3, 0.7)), deepest_px})
        shares = [random.random() + 0.15 for _ in stops]
        elapsed = 0.0
        for stop_px, share in zip(stops, shares, strict=True):
            spent = seconds * 0.95 * share / sum(shares)
            elapsed += spent
            if stop_px:
                self.add("scroll", start_ms + (elapsed - spent) * 1000 + 20, **self.page, scrollY=stop_px)
            self.add("attention", start_ms + elapsed * 1000, **self.page, scrollY=stop_px, seconds=round(spent, 1))
        return deepest_px + height

    def _move(self, scene: Scene, start_ms: int, seconds: float, bottom_px: int) -> None:
        """The mouse rests near what appeals."""
        random = self.random
        width = self.visitor.viewport_px[0]
        for _ in range(min(12, int(random.expovariate(1 / 5.0)))):
            near = scene.clicked.draw(random)
            if near.fixed or near.top_px > bottom_px:
                x, y = width * random.uniform(0.1, 0.9), bottom_px * random.random()
            else:
                x = width * (near.left + near.width / 2 + random.gauss(0, 0.06))
                y = near.top_px + near.height_px / 2 + random.gauss(0, 40)
            place = {"x": round(min(max(x, 1), width - 1)), "y": round(min(max(y, 1), bottom_px))}
            self.add("move", start_ms + random.random() * seconds * 1000, **self.page, **place)

    def _click(self, scene: Scene, path: str, start_ms: int, seconds: float, bottom_px: int) -> None:
        """Clicks that lead nowhere else: on buttons and fields, beside everything, and in vain."""
        random = self.random
        eagerness = 3.5 if self.visitor.visitor_id.startswith("qa-") else 1.0
        for _ in range(min(12, int(random.expovariate(1 / (2.2 * eagerness))))):
            at_ms = start_ms + random.random() * seconds * 1000
            placed = scene.clicked.draw(random)
            if random.random() < 0.07:
                beside = {"x": random.randrange(self.visitor.viewport_px[0]), "y": random.randrange(bottom_px)}
                self.add("click", at_ms, **self.page, **beside)
            elif not placed.block.href and _in_view(placed, bottom_px):
                self._hit("click", placed, at_ms)
        if path in ("/signup", "/login", "/contact") and random.random() < 0.12:  # Enter pressed in a form is a click at (0, 0)
            self.add("click", start_ms + seconds * 900, **self.page, x=0, y=0, selector="form button[type=submit]", tag="button")
        for placed in scene.dead:
            if random.random() < placed.block.dead * eagerness and _in_view(placed, bottom_px):
                self._hit("dead", placed, start_ms + random.random() * seconds * 1000)

    def _rage(self, scene: Scene, start_ms: int, seconds: float, bottom_px: int) -> None:
        """Bursts of clicks; in four sessions of ten the tracker labels them, in the others nobody does."""
        random = self.random
        for placed in scene.raged:
            if random.random() >= placed.block.rage * (1.4 if self.visitor.breakpoint == "MOBILE" else 1) or not _in_view(
                placed, bottom_px
            ):
                continue
            self.annoyed = True
            at_ms = start_ms + (0.3 + 0.5 * random.random()) * seconds * 1000
            clicks = random.choice((5, 5, 6, 6, 7, 8, 10, 12))
            x, y = self._point(placed)
            for n in range(clicks):
                point = {"x": max(0, round(x + random.gauss(0, 3))), "y": max(0, round(y + random.gauss(0, 3)))}
                self.add("click", at_ms + n * 80, **self.page, **_description(placed), **point)
            if int(self.session_id[-2:], 16) % 10 < 4:
                self.add("rage", at_ms + clicks * 80, **self.page, **_description(placed), x=x, y=y, count=clicks)
            if placed.block.selector == "button#apply-coupon":
                self.add("event", at_ms + clicks * 80 + 200, name="coupon_rejected", coupon="WELCOME10")

    def _convert(self, path: str) -> str:
        """A form sent or an order paid; returns where that leads, '' when nothing of the kind happened."""
        random = self.random
        if path == "/signup" and random.random() < (0.34 if self.persuaded else 0.11):
            self.add("event", self.now_ms, name="signup", conversion=True, value=20.0, currency="USD")
            self.now_ms += 900
            return "/docs/quickstart"
        if path == "/checkout" and random.random() < (0.44 if self.persuaded else 0.18) * (0.4 if self.annoyed else 1):
            plan, price = random.choice(PLANS)
            self.add("event", self.now_ms, name="purchase", conversion=True, value=price, currency="USD", plan=plan)
            self.now_ms += 900
            return "/checkout/thanks"
        return ""

    def _follow(self, scene: Scene, bottom_px: int) -> str:
        """The click that leaves the page; the header is always in reach."""
        for _ in range(4):
            link = scene.links.draw(self.random)
            if _in_view(link, bottom_px):
                break
        else:
            link = next(placed for placed in scene.layout.placed if placed.fixed and placed.block.href and placed in scene.links.things)
        self._hit("click", link, self.now_ms)
        self.now_ms += self.random.randrange(250, 1400)
        if link.block.selector.endswith(("a.cta", "a.choose")):
            self.persuaded = True
        return link.block.href

    def _point(self, placed: Placed) -> tuple[int, int]:
        """A place on an element, more often near its middle."""
        width, height = self.visitor.viewport_px
        across = min(max(self.random.gauss(0.5, 0.17), 0.02), 0.98)
        down = min(max(self.random.gauss(0.5, 0.17), 0.02), 0.98)
        return round((placed.left + placed.width * across) * width), round(_top_px(placed, height) + placed.height_px * down)

    def _hit(self, type: str, placed: Placed, at_ms: float) -> None:
        x, y = self._point(placed)
        self.add(type, at_ms, **self.page, **_description(placed), x=x, y=y, interactive=type != "dead")


def _description(placed: Placed) -> Row:
    """What a tracker says of an element; what it does not have is left out."""
    block = placed.block
    row: Row = {"selector": block.selector, "tag": block.tag}
    if block.text:
        row["text"] = block.text
    if block.href:
        row["href"] = block.href
    if placed.fixed:
        row["fixed"] = True
    return row


def _top_px(placed: Placed, viewport_height_px: int) -> int:
    return placed.top_px if placed.top_px >= 0 else viewport_height_px + placed.top_px


def _in_view(placed: Placed, bottom_px: int) -> bool:
    return placed.fixed or placed.top_px + placed.height_px <= bottom_px


def _cookie_button(layout: Layout, accepts: bool) -> int:
    wanted = "#cookies button.accept" if accepts else "#cookies button.decline"
    return next(at for at, placed in enumerate(layout.placed) if placed.block.selector == wanted)
