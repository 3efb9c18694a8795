"""The lens: a page or a URL rule, a window of time and a segment of visitors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.reference.facts import Event, Fact
from tests.reference.url import UrlRule, wildcard_matches

STANDARD_WIDTH_PX = {"DESKTOP": 1280, "TABLET": 768, "MOBILE": 375}
STANDARD_HEIGHT_PX = {"DESKTOP": 1024, "TABLET": 1024, "MOBILE": 667}
WIDTHS_PX = {"MOBILE": (0, 767), "TABLET": (768, 1023), "DESKTOP": (1024, 65_535)}


@dataclass(frozen=True)
class Segment:
    """All parts that are given must hold.

    `dimensions`: name of `facts.DIMENSIONS` -> allowed values; `performed`: event name -> least count in the session.
    """

    device: frozenset[str] = frozenset()
    breakpoint: frozenset[str] = frozenset()
    viewport_width: tuple[int | None, int | None] = (None, None)
    dimensions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    entry_page: UrlRule | None = None
    cohorts: tuple[str, ...] = ()
    exclude_test_accounts: bool = False
    performed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Lens:
    """Instants are UTC ms, the end is exclusive. Neither page nor URL rule: the whole site."""

    start_ms: int
    end_ms: int
    page_key: str | None = None
    url: UrlRule | None = None
    segment: Segment = Segment()

    def breakpoint(self) -> str | None:
        """The one breakpoint the segment leaves, if it leaves one."""
        low, high = self.segment.viewport_width
        left = {
            name
            for name, (least, most) in WIDTHS_PX.items()
            if (not self.segment.breakpoint or name in self.segment.breakpoint)
            and (low is None or low <= most)
            and (high is None or high >= least)
        }
        left = left & self.segment.device or left
        return left.pop() if len(left) == 1 else None

    def standard_width_px(self) -> int:
        return STANDARD_WIDTH_PX[self.breakpoint() or "DESKTOP"]


@dataclass(frozen=True)
class Visitors:
    """What the site knows of its visitors beside the rows: cohorts, wildcards of its test accounts, and the events of each session."""

    cohorts: Mapping[str, frozenset[str]]
    test_account_rules: tuple[str, ...]
    events: tuple[Event, ...]

    def is_test_account(self, fact: Fact) -> bool:
        return fact.is_test or any(wildcard_matches(rule, fact.visitor) for rule in self.test_account_rules)

    def performed(self, session: str) -> Counter[str]:
        return Counter(event.name for event in self.events if event.session == session)


def in_lens(fact: Fact, lens: Lens, visitors: Visitors) -> bool:
    segment = lens.segment
    low, high = segment.viewport_width
    performed = visitors.performed(fact.session) if segment.performed else Counter()
    return (
        lens.start_ms <= fact.timestamp_ms < lens.end_ms
        and (lens.page_key is None or fact.page_key == lens.page_key)
        and (lens.url is None or lens.url.matches(fact.url))
        and (not segment.device or fact.device in segment.device)
        and (not segment.breakpoint or fact.breakpoint in segment.breakpoint)
        and (low is None or fact.viewport_width >= low)
        and (high is None or fact.viewport_width <= high)
        and all(fact.dimensions[name] in allowed for name, allowed in segment.dimensions.items())
        and (segment.entry_page is None or segment.entry_page.matches(fact.entry_url))
        and all(fact.visitor in visitors.cohorts[cohort] for cohort in segment.cohorts)
        and not (segment.exclude_test_accounts and visitors.is_test_account(fact))
        and all(performed[name] >= least for name, least in segment.performed.items())
    )
