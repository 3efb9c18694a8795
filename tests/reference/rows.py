"""Small believable data sets, full of edges, from a `random.Random`: seeded for a test, or Hypothesis's own so that failures shrink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.reference.facts import milliseconds
from tests.reference.url import page_key

Row = dict[str, Any]

DAY_MS = 86_400_000
URLS = (
    "https://example.com/pricing",
    "https://example.com/pricing/",
    "https://example.com/pricing?plan=pro&utm_source=mail",
    "https://example.com/pricing?utm_source=mail&plan=pro",
    "HTTPS://EXAMPLE.com:443/pricing#faq",
    "https://example.com/",
    "https://example.com",
    "https://example.com/?ref=a.b*c",
    "https://example.com/pricing/enterprise",
    "http://shop.example.com:8080/pricing/",
)
ENTRIES = (*URLS[:-2], "/", "/pricing/?plan=pro")
"""As many as URLS, and two of them are paths."""
VIEWPORTS = {"DESKTOP": ((1280, 1024), (1920, 937), (1024, 768)), "TABLET": ((768, 1024), (1023, 700)), "MOBILE": ((375, 667), (767, 801))}
ELEMENTS = {  # selector -> tag, text, fixed
    "#signup": ("button", "Get Started", False),
    "a.pricing-link": ("a", "View Features", False),
    "div.hero-image": ("div", "", False),
    "#chat": ("button", "Chat", True),
}
VALUES = {
    "browser": ("Chrome", "Safari"),
    "country": ("DE", "US", "FR"),
    "region": ("BE", "CA"),
    "trafficSource": ("google", "mail"),
    "campaign": ("spring",),
    "variant": ("A", "B"),
}
VISITORS = (*(f"visitor-{number}" for number in range(9)), "qa-1@example.com")
TEST_ACCOUNT_RULES = ("qa-*@example.com",)
COHORTS = {"even": VISITORS[0:9:2], "early": VISITORS[:5]}
EVENTS = ("signup", "purchase")
SIZES = ("viewportWidth", "viewportHeight", "pageHeight")


@dataclass(frozen=True)
class DataSet:
    """Rows, shuffled, some of them twice; their first UTC day and the number of days."""

    rows: list[Row]
    first_day: date
    days: int

    @property
    def start_ms(self) -> int:
        return int(datetime(self.first_day.year, self.first_day.month, self.first_day.day, tzinfo=UTC).timestamp()) * 1000


def data_set(random: Random, sessions: int = 12, days: int = 3, first_day: date | None = None) -> DataSet:
    """By default of last week, so that no retention ever takes it away."""
    made = DataSet([], first_day or datetime.now(UTC).date() - timedelta(days=days + 4), days)
    for number in range(sessions):
        made.rows.extend(Visit(random, made, f"session-{number}").rows())
    made.rows.extend([dict(row) for row in made.rows if random.random() < 0.05])
    random.shuffle(made.rows)
    return made


def crowd(random: Random, sessions: int = 12) -> DataSet:
    """All at once and in one corner: rows of several sessions share a millisecond, and clicks of all sorts a cell."""
    made = data_set(random, sessions, days=1)
    began_ms: dict[str, int] = {}
    for row in made.rows:
        began_ms[row["sessionId"]] = min(milliseconds(row["timestamp"]), began_ms.get(row["sessionId"], 2**63))
    for row in made.rows:
        own = Random(f"{row['sessionId']} {row['timestamp']}")  # a row that is there twice stays so
        row["timestamp"] = made.start_ms + milliseconds(row["timestamp"]) - began_ms[row["sessionId"]]
        if row["type"] in ("click", "dead", "rage", "move"):
            row |= {"x": own.choice((0, 0, 1)), "y": own.choice((0, 0, 1)), "fixed": own.random() < 0.5}
            if own.random() < 0.6:
                row |= dict.fromkeys(("selector", "tag", "text"))
    return made


def data_sets(max_sessions: int = 8) -> st.SearchStrategy[DataSet]:
    return st.builds(data_set, st.randoms(use_true_random=False), st.integers(1, max_sessions))


class Visit:
    """One session: page after page, each with what a visitor does there. No two rows share a millisecond."""

    def __init__(self, random: Random, data: DataSet, session: str) -> None:
        self.random, self.session = random, session
        self.visitor = random.choice(VISITORS)
        self.device = random.choice(tuple(VIEWPORTS))
        self.sizes = self._sizes()
        late = DAY_MS - random.choice((1, 500, 60_000))  # about to cross midnight
        self.now_ms = data.start_ms + random.randrange(data.days) * DAY_MS + random.choice((0, late, random.randrange(DAY_MS)))
        self.common: Row = {name: random.choice(values) for name, values in VALUES.items()}
        self.common |= {"device": self.device, "isTest": random.random() < 0.15}
        self.entry = {"entryPage": random.choice(ENTRIES)} if random.random() < 0.3 else {}
        self.made: list[Row] = []

    def rows(self) -> list[Row]:
        for page in range(self.random.randint(1, 3)):
            self._page(f"{self.session}/{page}" if self.random.random() < 0.5 else None)
        self._complete()
        return self.made

    def _sizes(self) -> Row:
        width, height = self.random.choice(VIEWPORTS[self.device])
        return dict(zip(SIZES, (width, height, self.random.choice((height // 2, 2000, 4000, 4 * height))), strict=True))

    def _page(self, pageview_id: str | None) -> None:
        self.url = self.random.choice(URLS)
        self.pageview_id = pageview_id
        if self.random.random() < 0.2:
            self.sizes = self._sizes()  # the window was resized or the phone turned
        if self.random.random() < 0.85:
            self._add("pageview")
        kinds: tuple[Callable[[], None], ...] = (self._click, self._click, self._moves, self._burst, self._scroll, self._attention)
        kinds += (self._labelled, self._event, self._element, self._corner)
        weights = (6, 6, 3, 2, 4, 3, 0.4, 1, 1, 0.6)
        for act in self.random.choices(kinds, weights, k=self.random.randint(0, 7)):
            act()

    def _add(self, kind: str, pause_ms: int | None = None, **own: Any) -> None:
        self.now_ms += self.random.choice((1, 17, 999, 4321, 45_000)) if pause_ms is None else pause_ms
        row: Row = {"type": kind, "timestamp": self.now_ms, "sessionId": self.session, "visitorId": self.visitor, "url": self.url}
        if self.pageview_id and (kind == "pageview" or self.random.random() < 0.7):
            row["pageviewId"] = self.pageview_id
        self.made.append(row | self.sizes | {name: value for name, value in own.items() if value is not None})

    def _place(self) -> Row:
        width, height = self.sizes["viewportWidth"], self.sizes["pageHeight"]
        selector = self.random.choice((*ELEMENTS, None))
        tag, text, fixed = ELEMENTS[selector] if selector else (None, None, self.random.random() < 0.1)
        x = self.random.choice((0, 1, width // 100, width // 2, width - 1, width, self.random.randint(0, 4 * width) / 4))
        edges = (0, 15, 16, self.sizes["viewportHeight"], self.sizes["viewportHeight"] + 1, height)
        y = self.random.choice((*edges, self.random.randint(0, height)))
        return {"x": x, "y": y, "selector": selector, "tag": tag, "text": text, "fixed": fixed or None}

    def _click(self) -> None:
        self._add(self.random.choice(("click", "click", "dead")), **self._place())

    def _moves(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self._add("move", **self._place())

    def _corner(self) -> None:
        self._add(self.random.choice(("click", "dead", "move")), **self._place() | {"x": 0, "y": 0})

    def _burst(self) -> None:
        """Four to seven clicks, the last one on this or that side of a second, another one on this or that side of 30 px."""
        place, last = self._place(), self.random.choice((400, 999, 1000, 1001))
        dx, dy = self.random.choice(((29.75, 0), (30, 0), (18, 24), (30.25, 0), (18, 24.25), (0, 0)))
        since_first_ms = [*range(self.random.randint(3, 6)), last]
        for index, offset_ms in enumerate(since_first_ms):
            pause_ms = offset_ms - since_first_ms[index - 1] if index else None
            moved = {"x": min(place["x"] + dx, self.sizes["viewportWidth"]), "y": place["y"] + dy} if index == 1 else {}
            self._add(self.random.choice(("click", "dead")), pause_ms, **place | moved)

    def _labelled(self) -> None:
        self._add("rage", **self._place(), count=self.random.choice((5, 6, 9, 10, 23)))

    def _scroll(self) -> None:
        """To a place, or to the very top, 25 %, 50 % or bottom of the page."""
        height, viewport = self.sizes["pageHeight"], self.sizes["viewportHeight"]
        bottom = self.random.choice((viewport, height // 4, height // 2, height, self.random.randint(0, height)))
        self._add("scroll", scrollY=max(0, bottom - viewport))

    def _attention(self) -> None:
        scroll_y = self.random.choice((0, 1, 200, max(0, self.sizes["pageHeight"] - self.sizes["viewportHeight"])))
        self._add("attention", scrollY=scroll_y, seconds=self.random.choice((0.25, 1, 12.5, 0.001)))

    def _event(self) -> None:
        value = self.random.choice((None, 9.5))
        conversion = self.random.choice((None, True, False))
        self._add("event", name=self.random.choice(EVENTS), conversion=conversion, value=value, currency="EUR" if value else None)

    def _element(self) -> None:
        selector = self.random.choice(tuple(ELEMENTS))
        tag, text, fixed = ELEMENTS[selector]
        top = self.random.choice((100, 600, 1500))
        self._add("element", selector=selector, tag=tag, text=text, fixed=fixed, x=40, y=top, width=200, height=48)

    def _complete(self) -> None:
        """Dimensions on some rows only and sizes left out on some, so that they are inherited; ids, and both spellings of the time.
        The height of some pages is never told."""
        endless = {key for key in sorted({page_key(row["url"]) for row in self.made}) if self.random.random() < 0.1}
        for index, row in enumerate(self.made):
            if page_key(row["url"]) in endless:
                del row["pageHeight"]
            if index == 0 or self.random.random() < 0.4:
                row.update({name: value for name, value in self.common.items() if self.random.random() < 0.6})
                row.update(self.entry)
            elif self.random.random() < 0.3:
                for name in SIZES:
                    row.pop(name, None)
            if self.random.random() < 0.05:
                row["country"] = "FR"  # the visitor turned on a VPN
            if self.random.random() < 0.3:
                row["eventId"] = f"{self.session}#{index}"
            elif self.random.random() < 0.3:
                row["timestamp"] = iso(row["timestamp"])


def iso(timestamp_ms: int) -> str:
    moment = datetime.fromtimestamp(timestamp_ms // 1000, UTC) + timedelta(milliseconds=timestamp_ms % 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
