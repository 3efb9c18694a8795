"""One session on its way through the demo's site: the rows that a tracker would have sent."""

from functools import cache
from math import exp
from random import Random
from typing import Any, NamedTuple

from gateway.demo_site import PRICING, Breakpoint, Layout, Placed, lay_out
from gateway.demo_visitors import Visitor
from gateway.demo_weighted import Weighted

ORIGIN = "https://example.com"
VARIANTS = {"control": "Choose Pro", "benefit": "Start 14 days of Pro"}  # the test on /pricing: text of the main button
PLANS = (("pro", 29.0), ("pro", 29.0), ("pro-yearly", 278.0), ("business", 99.0))
Row = dict[str, Any]


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
