"""The 30 pages of the demo's site: what stands on them, and where, on a desktop, a tablet and a phone.

A page is a stack of lines of blocks. `lay_out` flows the same blocks into three columns, two or one, as a responsive
site does, so that one description gives the three layouts. Pure data: no time, no visitors, no randomness.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Literal, NamedTuple

Breakpoint = Literal["DESKTOP", "TABLET", "MOBILE"]

COLUMNS: dict[Breakpoint, int] = {"DESKTOP": 3, "TABLET": 2, "MOBILE": 1}
MARGIN: dict[Breakpoint, float] = {"DESKTOP": 0.12, "TABLET": 0.06, "MOBILE": 0.05}  # of the viewport's width
HEADER_HEIGHT_PX = 72
GAP_PX = 40

PRICING = "/pricing"
CTAS = (("https://example.com/", "section.hero a.cta"), ("https://example.com/pricing", "div.plan-pro a.choose"))
"""Page key and selector of what is marked as a call to action."""


class Block(NamedTuple):
    """Something on a page; `appeal` weighs its clicks, `dead` and `rage` are chances per pageview."""

    selector: str
    text: str = ""
    href: str = ""
    appeal: float = 0
    width: float = 1  # of its column
    dead: float = 0
    rage: float = 0

    @property
    def tag(self) -> str:
        """The element's name: what the selector's last part begins with."""
        return self.selector.split()[-1].split("#")[0].split(".")[0].split("[")[0].split(":")[0]


class Line(NamedTuple):
    """Blocks side by side where there is room, of one height."""

    height_px: int
    blocks: tuple[Block, ...]


class Placed(NamedTuple):
    """A block in a layout: left and width in shares of the viewport, top and height in CSS px.

    A negative top is counted from the viewport's lower edge (fixed ones only), as CSS `bottom` does.
    """

    block: Block
    left: float
    top_px: int
    width: float
    height_px: int
    fixed: bool


class Layout(NamedTuple):
    """A page at one breakpoint."""

    page_height_px: int
    placed: tuple[Placed, ...]


def line(height_px: int, *blocks: Block) -> Line:
    return Line(height_px, blocks)


def call_to_action(selector: str, text: str, href: str, appeal: float = 9) -> Block:
    return Block(selector, text, href, appeal, width=0.5)


def _header(breakpoint: Breakpoint) -> list[Placed]:
    """The bar that stays at the top: a menu button replaces its links on a phone."""
    start = Block("header a.start", "Start free", "/signup", 1.6)
    logo = Block("header a.logo", "Example", "/", 2)
    if breakpoint == "MOBILE":
        items = [(logo, 0.05, 0.25), (start, 0.52, 0.28), (Block("header button.menu", "Menu", appeal=8), 0.85, 0.1)]
    else:
        names = ["Product", "Pricing", "Docs", "Blog", "Customers", "Log in"]
        paths = ["/features", PRICING, "/docs", "/blog", "/customers", "/login"]
        appeals = [4, 6, 3, 2, 1, 1.2]
        links = [Block(f'header a[href="{path}"]', name, path, appeal) for name, path, appeal in zip(names, paths, appeals, strict=True)]
        items = [(logo, 0.02, 0.1), *((link, 0.2 + 0.105 * at, 0.09) for at, link in enumerate(links)), (start, 0.86, 0.12)]
    return [Placed(block, left, 16, width, 40, True) for block, left, width in items]


def _cookie_bar() -> list[Placed]:
    """The bar that stays at the bottom until it is answered."""
    return [
        Placed(Block("#cookies button.accept", "Accept"), 0.6, -60, 0.16, 44, True),
        Placed(Block("#cookies button.decline", "Only necessary"), 0.78, -60, 0.18, 44, True),
    ]


FOOTER = line(
    32,
    Block("footer a.about", "About", "/about", 0.6, 0.4),
    Block("footer a.careers", "Careers", "/careers", 0.5, 0.4),
    Block("footer a.contact", "Contact", "/contact", 0.8, 0.4),
    Block("footer a.privacy", "Privacy", "/docs/privacy", 0.4, 0.4),
    Block("footer a.changelog", "Changelog", "/changelog", 0.6, 0.4),
    Block("footer a.integrations", "Integrations", "/integrations", 0.6, 0.4),
)


def _home() -> list[Line]:
    return [
        line(120, Block("section.hero h1", "See what your visitors see", dead=0.008)),
        line(
            56,
            call_to_action("section.hero a.cta", "Start free", "/signup", 9),
            Block("section.hero a.tour", "Take the tour", "/features", 6, 0.5),
        ),
        line(420, Block("section.hero img", "", dead=0.07)),
        line(64, *(Block(f"section.logos img:nth-child({n})", dead=0.006) for n in (1, 2, 3))),
        line(
            280,
            *(Block(f"section.products a.{name}", name.capitalize(), f"/product/{name}", 4) for name in ("heatmaps", "replays", "funnels")),
        ),
        line(56, Block("section.how h2", "How it works", dead=0.02)),
        line(260, *(Block(f"section.how li:nth-child({n}) img", dead=0.01) for n in (1, 2, 3))),
        line(220, Block("section.quote a", "How Northwind doubled its sign-ups", "/customers/northwind", 3)),
        line(56, call_to_action("section.closing a.cta", "Start free", "/signup", 7)),
    ]


def _pricing(redesigned: bool) -> list[Line]:
    """Before the redesign the comparison came first and the plans below the fold."""
    plans = [
        line(48, Block("section.plans h2", "Plans", dead=0.05)),
        line(
            320,
            Block("div.plan-free", dead=0.01),
            Block("div.plan-pro", dead=0.015),
            Block("div.plan-business", dead=0.01),
        ),
        line(
            52,
            Block("div.plan-free a.choose", "Start free", "/signup", 5, 0.7),
            Block("div.plan-pro a.choose", "Choose Pro", "/checkout", 22, 0.7),
            Block("div.plan-business a.choose", "Talk to sales", "/contact", 3, 0.7),
        ),
    ]
    comparison = [
        line(44, Block("section.compare h2", "Compare all features", dead=0.015)),
        line(760, Block("section.compare table", dead=0.03)),
    ]
    billing = [
        line(
            44,
            Block("button.billing-monthly", "Monthly", appeal=4, width=0.6),
            Block("button.billing-yearly", "Yearly −20 %", appeal=6, width=0.6),
        )
    ]
    questions = [
        line(56, Block(f"section.faq details:nth-child({n}) summary", question, appeal=2)) for n, question in enumerate(QUESTIONS, 1)
    ]
    title = [line(96, Block("main h1", "Simple pricing"))]
    return [*title, *billing, *plans, *comparison, *questions] if redesigned else [*title, *comparison, *billing, *plans, *questions]


QUESTIONS = ("Can I change my plan later?", "What counts as a session?", "Is there a discount for students?", "Where is my data?")


def _product(name: str, *related: str) -> list[Line]:
    return [
        line(96, Block("main h1", name.capitalize(), dead=0.005)),
        line(56, call_to_action("main a.cta", f"Try {name}", "/signup", 5), Block("main a.docs", "Read the docs", "/docs", 3, 0.5)),
        line(460, Block("main figure img", dead=0.05)),
        *(
            line(240, Block(f"section.benefit:nth-of-type({n}) p"), Block(f"section.benefit:nth-of-type({n}) img", dead=0.015))
            for n in (1, 2, 3)
        ),
        line(180, *(Block(f"section.related a.{other}", other.capitalize(), f"/product/{other}", 3) for other in related)),
        line(56, call_to_action("section.closing a.cta", "See pricing", PRICING, 6)),
    ]


def _post(title: str, *related: str) -> list[Line]:
    return [
        line(110, Block("article h1", title)),
        line(360, Block("article figure img", dead=0.02)),
        line(900, Block("article p.lead a", "heatmaps", "/product/heatmaps", 2, 0.2)),
        line(60, Block("article aside a.cta", "Try it on your own site", "/signup", 5, 0.6)),
        line(1100, Block("article p.end a", "the docs", "/docs/quickstart", 1.5, 0.2)),
        line(
            52, Block("form.newsletter input", "", appeal=2, width=0.7), Block("form.newsletter button", "Subscribe", appeal=2, width=0.7)
        ),
        line(
            200,
            *(Block(f'section.more a[href="/blog/{slug}"]', slug.replace("-", " ").capitalize(), f"/blog/{slug}", 3) for slug in related),
        ),
    ]


def _docs(title: str, following: str, *, code_blocks: int = 3) -> list[Line]:
    return [
        line(80, Block("main h1", title)),
        line(
            44,
            Block("nav.docs input.search", "", appeal=5, width=0.8),
            Block("nav.docs a.quickstart", "Quickstart", "/docs/quickstart", 4, 0.6),
        ),
        *(
            row
            for n in range(1, code_blocks + 1)
            for row in (
                line(320, Block(f"pre:nth-of-type({n}) code", dead=0.01)),
                line(32, Block(f"pre:nth-of-type({n}) button.copy", "Copy", appeal=5, width=0.15, rage=0.006 if n == 1 else 0)),
            )
        ),
        line(60, Block("a.next", "Next", following, 8, 0.4), Block("a.api", "API reference", "/docs/api", 3, 0.4)),
    ]


def _form(title: str, submit: str, *fields: str, href: str = "") -> list[Line]:
    return [
        line(90, Block("main h1", title)),
        *(line(52, Block(f"form input[name={field}]", appeal=4, width=0.5)) for field in fields),
        line(24, Block("form button.reveal", "Show", appeal=1, width=0.1, rage=0.012)),
        line(56, Block("form button[type=submit]", submit, appeal=9, width=0.5)),
        line(28, Block("form a.instead", "Log in instead" if href == "/login" else "Create an account", href, 3, 0.3)),
    ]


def _checkout() -> list[Line]:
    return [
        line(90, Block("main h1", "Checkout")),
        line(140, Block("section.summary", dead=0.05)),
        line(48, Block("input#coupon", "", appeal=5, width=0.8), Block("button#apply-coupon", "Apply", appeal=5, width=0.4, rage=0.16)),
        line(
            52,
            Block("input#card", "", appeal=8),
            Block("input#expiry", "", appeal=6, width=0.5),
            Block("input#cvc", "", appeal=5, width=0.5),
        ),
        line(60, Block("button#pay", "Pay now", appeal=14, width=0.9)),
        line(28, Block("main a.plans", "Change plan", PRICING, 3, 0.3), Block("main a.help", "Questions?", "/contact", 2, 0.3)),
    ]


def _list(title: str, paths: Iterable[str], height_px: int = 200) -> list[Line]:
    cards = [Block(f'main a[href="{path}"]', path.rsplit("/", 1)[-1].replace("-", " ").capitalize(), path, 4) for path in paths]
    return [line(100, Block("main h1", title, dead=0.01)), *(line(height_px, *cards[at : at + 3]) for at in range(0, len(cards), 3))]


def _prose(title: str, *links: str) -> list[Line]:
    return [
        line(100, Block("main h1", title)),
        line(620, Block("main p", dead=0.004)),
        line(52, *(Block(f'main a[href="{path}"]', path.rsplit("/", 1)[-1].capitalize(), path, 4, 0.5) for path in links)),
        line(420, Block("main figure img", dead=0.02)),
    ]


POSTS = ("rage-clicks", "above-the-fold", "scroll-depth", "ab-testing", "onboarding")
PRODUCTS = ("heatmaps", "replays", "funnels", "surveys", "analytics")
DOCS = ("quickstart", "tracker", "api", "privacy")

# Most visited first: the demo's traffic falls off along this order.
PAGES: dict[str, Callable[[], list[Line]]] = {
    "/": _home,
    PRICING: lambda: _pricing(True),
    "/blog/rage-clicks": lambda: _post("Rage clicks: what your visitors hate", "above-the-fold", "scroll-depth", "onboarding"),
    "/features": lambda: _list("Everything you need", [*(f"/product/{name}" for name in PRODUCTS), "/integrations"], 260),
    "/product/heatmaps": lambda: _product("heatmaps", "replays", "funnels", "surveys"),
    "/signup": lambda: _form("Create your account", "Sign up", "email", "company", "password", href="/login"),
    "/docs": lambda: _list("Documentation", [f"/docs/{name}" for name in DOCS]),
    "/blog": lambda: _list("Blog", [f"/blog/{slug}" for slug in POSTS], 300),
    "/docs/quickstart": lambda: _docs("Quickstart", "/docs/tracker"),
    "/checkout": _checkout,
    "/product/replays": lambda: _product("replays", "heatmaps", "funnels", "analytics"),
    "/blog/above-the-fold": lambda: _post("Is anything above the fold?", "rage-clicks", "scroll-depth", "ab-testing"),
    "/login": lambda: _form("Welcome back", "Log in", "email", "password", href="/signup"),
    "/docs/api": lambda: _docs("API reference", "/docs/privacy", code_blocks=8),
    "/customers": lambda: _list("Customers", ["/customers/northwind", "/about", "/contact"], 280),
    "/product/funnels": lambda: _product("funnels", "heatmaps", "replays", "analytics"),
    "/blog/scroll-depth": lambda: _post("How far do people scroll?", "rage-clicks", "above-the-fold", "onboarding"),
    "/docs/tracker": lambda: _docs("The tracker", "/docs/api", code_blocks=5),
    "/blog/ab-testing": lambda: _post("A/B tests that end", "rage-clicks", "scroll-depth", "onboarding"),
    "/contact": lambda: _form("Talk to us", "Send", "name", "email", "message", href="/signup"),
    "/checkout/thanks": lambda: _prose("Thank you", "/docs/quickstart", "/docs"),
    "/product/surveys": lambda: _product("surveys", "heatmaps", "analytics", "funnels"),
    "/customers/northwind": lambda: _post("How Northwind doubled its sign-ups", "onboarding", "ab-testing", "rage-clicks"),
    "/product/analytics": lambda: _product("analytics", "funnels", "heatmaps", "surveys"),
    "/blog/onboarding": lambda: _post("The first five minutes", "rage-clicks", "ab-testing", "scroll-depth"),
    "/integrations": lambda: _list("Integrations", ["/docs/tracker", "/docs/api", "/contact"]),
    "/changelog": lambda: _prose("Changelog", "/blog", "/docs"),
    "/about": lambda: _prose("About us", "/careers", "/contact"),
    "/careers": lambda: _prose("Work with us", "/about", "/contact"),
    "/docs/privacy": lambda: _docs("Privacy", "/docs", code_blocks=1),
}


@cache
def lay_out(path: str, breakpoint: Breakpoint, redesigned: bool = True) -> Layout:
    """A page's elements where a browser would put them; `redesigned` matters on /pricing only."""
    lines = _pricing(redesigned) if path == PRICING else PAGES[path]()
    margin = MARGIN[breakpoint]
    placed = [*_header(breakpoint), *_cookie_bar()]
    top_px = HEADER_HEIGHT_PX + GAP_PX
    for height_px, blocks in [*lines, FOOTER]:
        columns = min(len(blocks), COLUMNS[breakpoint])
        column = (1 - 2 * margin) / columns
        for first in range(0, len(blocks), columns):
            for at, block in enumerate(blocks[first : first + columns]):
                width = 0.96 * column * block.width
                placed.append(
                    Placed(block, round(margin + at * column + (column - width) / 2, 4), top_px, round(width, 4), height_px, False)
                )
            top_px += height_px + GAP_PX
    return Layout(top_px + GAP_PX, tuple(placed))
