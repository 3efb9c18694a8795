"""What happened: rows as sent -> the pageviews, interactions, events and elements of each session, with everything they inherit."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from urllib.parse import urljoin

from tests.reference.bursts import DEFAULT_RULE, RageRule, bursts
from tests.reference.url import lower_scheme, page_key

Row = Mapping[str, Any]

DIMENSIONS = ("browser", "country", "region", "trafficSource", "campaign", "variant")
PLACED = {"click": "CLICK", "dead": "DEAD_CLICK", "rage": "RAGE_CLICK", "move": "MOVE"}


@dataclass(frozen=True)
class Fact:
    """What pageviews and interactions have in common: all that a lens looks at. `dimensions` holds '' for what nobody sent."""

    timestamp_ms: int
    session: str
    visitor: str
    url: str
    viewport_width: int
    viewport_height: int
    page_height: int
    device: str
    dimensions: Mapping[str, str]
    entry_url: str
    is_test: bool

    @property
    def page_key(self) -> str:
        return page_key(self.url)

    @property
    def breakpoint(self) -> str:
        return breakpoint_of(self.viewport_width)


@dataclass(frozen=True)
class Pageview(Fact):
    """`depths`: (deepest px, deepest share of the page, 0 if its height is unknown) of each look; `looks`: (top px, height px, ms) of each attention row."""

    pageview_id: str = ""
    depths: tuple[tuple[int, Fraction], ...] = ()
    looks: tuple[tuple[int, int, int], ...] = ()
    on_page_ms: int | None = None
    session_pageviews: int = 0

    @property
    def deepest_px(self) -> int:
        return max(px for px, _ in self.depths)

    @property
    def deepest_share(self) -> Fraction:
        return max(share for _, share in self.depths)


@dataclass(frozen=True)
class Interaction(Fact):
    """`clicks` is 1, or the number of clicks of a rage burst; `since_pageview_ms` is None before or without a pageview."""

    kind: str = "CLICK"
    x: Fraction = Fraction(0)
    y: Fraction = Fraction(0)
    fixed: bool = False
    clicks: int = 1
    selector: str = ""
    since_pageview_ms: int | None = None

    @property
    def is_click(self) -> bool:
        return self.kind in ("CLICK", "DEAD_CLICK")

    @property
    def relative_x(self) -> Fraction:
        return self.x / self.viewport_width


@dataclass(frozen=True)
class Event:
    timestamp_ms: int
    session: str
    name: str
    converts: bool


@dataclass(frozen=True)
class ElementRow:
    timestamp_ms: int
    page_key: str
    selector: str
    breakpoint: str
    top: Fraction
    fixed: bool


@dataclass(frozen=True)
class Visit:
    """A session: its first row with all it inherits, and when it ended."""

    first: Fact
    ended_ms: int


@dataclass
class Facts:
    visits: list[Visit] = field(default_factory=list)
    pageviews: list[Pageview] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    elements: list[ElementRow] = field(default_factory=list)
    labelled: set[tuple[str, str]] = field(default_factory=set)  # (session, page key) where the tracker marked rage itself


def breakpoint_of(viewport_width: int) -> str:
    if viewport_width < 768:
        return "MOBILE"
    return "TABLET" if viewport_width < 1024 else "DESKTOP"


def milliseconds(timestamp: str | int) -> int:
    if isinstance(timestamp, int):
        return timestamp
    moment = datetime.fromisoformat(timestamp)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1000 + since_epoch.microseconds // 1000


def distinct(rows: Iterable[Row]) -> list[Row]:
    """The `eventId` is a row's identity within its session and day, and the first such row counts; without one the whole row is."""
    found: dict[object, Row] = {}
    for row in rows:
        named = (row["sessionId"], milliseconds(row["timestamp"]) // 86_400_000, row.get("eventId"))
        found.setdefault(named if row.get("eventId") else json.dumps(row, sort_keys=True), row)
    return [*found.values()]


def facts_of(rows: Iterable[Row]) -> Facts:
    sessions: dict[str, list[Row]] = defaultdict(list)
    for row in distinct(rows):
        sessions[row["sessionId"]].append(row)
    facts = Facts()
    for session_rows in sessions.values():
        Session(session_rows).add_to(facts)
    return facts


class Session:
    """The rows of one session in the order of time, and what they tell about each other."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = sorted(rows, key=lambda row: milliseconds(row["timestamp"]))
        self.entry_url = self._entry_url()

    def add_to(self, facts: Facts) -> None:
        facts.visits.append(Visit(self._fact(self.rows[0]), milliseconds(self.rows[-1]["timestamp"])))
        pageviews = self._pageviews()
        interactions = [self._interaction(row, pageviews) for row in self.rows if row["type"] in PLACED]
        labelled = {(burst.session, burst.page_key) for burst in interactions if burst.kind == "RAGE_CLICK"}
        facts.pageviews += self._with_stays(self._with_depths(pageviews))
        facts.interactions += interactions + derived_bursts(interactions, labelled)
        facts.labelled |= labelled
        for row in self.rows:
            if row["type"] == "event":
                converts = bool(row.get("conversion")) or row.get("value") is not None
                facts.events.append(Event(milliseconds(row["timestamp"]), row["sessionId"], row["name"], converts))
            if row["type"] == "element":
                fact = self._fact(row)
                fixed = bool(row.get("fixed"))
                placed = ElementRow(fact.timestamp_ms, fact.page_key, row["selector"], fact.breakpoint, Fraction(row["y"]), fixed)
                facts.elements.append(placed)

    def _entry_url(self) -> str:
        """What was sent, a path on the first row's origin; else the first pageview, else the first row."""
        sent = [row["entryPage"] for row in self.rows if row.get("entryPage")]
        viewed = [row["url"] for row in self.rows if row["type"] == "pageview"]
        return lower_scheme(urljoin(page_key(self.rows[0]["url"]), str((sent or viewed or [self.rows[0]["url"]])[0])))

    def _inherited(self, row: Row, name: str) -> Any:
        """The row's own value, else the session's first; the viewport: that of the same page first, and a page's height: of it only.
        None when nobody sent one."""
        same_page = [other for other in self.rows if page_key(other["url"]) == page_key(row["url"])]
        of_page = name in ("viewportWidth", "viewportHeight", "pageHeight")
        for candidates in ([row], same_page if of_page else [], self.rows if name != "pageHeight" else []):
            for candidate in candidates:
                if candidate.get(name) not in (None, ""):
                    return candidate[name]
        return None

    def _fact(self, row: Row) -> Fact:
        width = self._inherited(row, "viewportWidth") or 0
        return Fact(
            timestamp_ms=milliseconds(row["timestamp"]),
            session=row["sessionId"],
            visitor=row["visitorId"],
            url=lower_scheme(row["url"]),
            viewport_width=width,
            viewport_height=self._inherited(row, "viewportHeight") or 0,
            page_height=self._inherited(row, "pageHeight") or 0,
            device=(self._inherited(row, "device") or breakpoint_of(width)).upper(),
            dimensions={name: self._inherited(row, name) or "" for name in DIMENSIONS},
            entry_url=self.entry_url,
            is_test=bool(self._inherited(row, "isTest")),
        )

    def _pageviews(self) -> list[Pageview]:
        """Those sent, and one for each page that was scrolled or looked at without one; in the order of time."""
        firsts: dict[str, Row] = {}
        viewed = {page_key(row["url"]) for row in self.rows if row["type"] == "pageview"}
        for row in self.rows:
            if row["type"] in ("scroll", "attention") and page_key(row["url"]) not in viewed:
                firsts.setdefault(page_key(row["url"]), row)
        sent = [row for row in self.rows if row["type"] == "pageview"]
        made = [Pageview(**vars(self._fact(row)), pageview_id=row.get("pageviewId") or "") for row in sent]
        made += [Pageview(**vars(self._fact(row))) for row in firsts.values()]
        return sorted(made, key=lambda view: view.timestamp_ms)

    def _pageview_of(self, row: Row, pageviews: Sequence[Pageview]) -> Pageview | None:
        """The one named by the row, else the latest earlier one of its page, else the first later one."""
        named = [view for view in pageviews if row.get("pageviewId") and view.pageview_id == row["pageviewId"]]
        of_page = [view for view in pageviews if view.page_key == page_key(row["url"])]
        earlier = [view for view in of_page if view.timestamp_ms <= milliseconds(row["timestamp"])]
        for candidates in (named, earlier[-1:], of_page):
            if candidates:
                return candidates[0]
        return None

    def _interaction(self, row: Row, pageviews: Sequence[Pageview]) -> Interaction:
        fact = self._fact(row)
        view = self._pageview_of(row, pageviews)
        known = view is not None and view.timestamp_ms <= fact.timestamp_ms
        return Interaction(
            **vars(fact),
            kind=PLACED[row["type"]],
            x=Fraction(row["x"]),
            y=Fraction(row["y"]),
            fixed=bool(row.get("fixed")),
            clicks=row["count"] if row["type"] == "rage" else 1,
            selector=row.get("selector") or "",
            since_pageview_ms=fact.timestamp_ms - view.timestamp_ms if known and view else None,
        )

    def _with_depths(self, pageviews: Sequence[Pageview]) -> list[Pageview]:
        """Scroll and attention rows go to their pageview. Only scroll rows deepen it, and every pageview reached its own viewport."""
        made = []
        for view in pageviews:
            own = [row for row in self.rows if row["type"] in ("scroll", "attention") and self._pageview_of(row, pageviews) is view]
            depths, looks = [depth(view, 0)], []
            for row in own:
                if row["type"] == "scroll":
                    depths.append(depth(self._fact(row), row["scrollY"]))
                else:
                    looks.append((row["scrollY"], self._fact(row).viewport_height, int(Fraction(str(row["seconds"])) * 1000)))
            made.append(replace(view, depths=tuple(depths), looks=tuple(looks)))
        return made

    def _with_stays(self, pageviews: Sequence[Pageview]) -> list[Pageview]:
        """Time on the page: until the session's next pageview, else until its last row."""
        last_ms = milliseconds(self.rows[-1]["timestamp"])
        ends = [view.timestamp_ms for view in pageviews[1:]] + [last_ms]
        stays = [end - view.timestamp_ms for view, end in zip(pageviews, ends, strict=False)]
        return [
            replace(view, on_page_ms=min(stay, 2**32 - 1) if stay > 0 else None, session_pageviews=len(pageviews))
            for view, stay in zip(pageviews, stays, strict=True)
        ]


def depth(fact: Fact, scroll_y: int) -> tuple[int, Fraction]:
    """The share is 0 when the page's height is unknown, and only then."""
    bottom_px = scroll_y + fact.viewport_height
    return bottom_px, min(Fraction(1), Fraction(bottom_px, fact.page_height)) if fact.page_height else Fraction(0)


def derived_bursts(interactions: Iterable[Interaction], labelled: set[tuple[str, str]], rule: RageRule = DEFAULT_RULE) -> list[Interaction]:
    """Bursts of clicks where the tracker labelled none: at the centre of the clicks, on their most frequent element, else as the first."""
    by_place: dict[tuple[str, str, bool], list[Interaction]] = defaultdict(list)
    for interaction in interactions:
        session, page = interaction.session, interaction.page_key
        if interaction.is_click and (session, page) not in labelled:
            by_place[session, page, interaction.fixed].append(interaction)  # fixed ones measure y from elsewhere
    return [centre(burst) for clicks in by_place.values() for burst in bursts(clicks, rule)]


def centre(burst: Sequence[Interaction]) -> Interaction:
    def middle(of: Callable[[Interaction], Fraction]) -> Fraction:
        return sum((of(click) for click in burst), Fraction(0)) / len(burst)

    x, y = middle(lambda click: click.x), middle(lambda click: click.y)
    counts = Counter(click.selector for click in burst)
    selector = min(counts, key=lambda name: (-counts[name], name))
    return replace(burst[0], kind="RAGE_CLICK", x=x, y=y, clicks=len(burst), selector=selector)
