"""The lens: which rows a question sees. A site, its pages, a window of time and a segment of visitors.

Frozen and hashable, so that a lens is also the key by which questions are batched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Instants, UTC; `end` is exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class UrlRule:
    """kind: exact | path | ignore_query | prefix | wildcard | regex, or any for WHOLE_SITE."""

    kind: str
    value: str

    @property
    def is_of_keys(self) -> bool:
        """Whether a page's key tells if it matches, not each URL as received."""
        return self.kind in ("path", "ignore_query", "any")


WHOLE_SITE = UrlRule("any", "")
"""All pages merged."""


@dataclass(frozen=True, slots=True)
class WidthRange:
    """CSS px, both inclusive; None is unbounded."""

    min_px: int | None = None
    max_px: int | None = None


@dataclass(frozen=True, slots=True)
class PerformedEvent:
    name: str
    min_count: int = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """All given parts must hold; within a tuple any value matches, but for `cohorts` and `performed`: all of them."""

    device: tuple[str, ...] = ()
    breakpoint: tuple[str, ...] = ()
    viewport_width: WidthRange | None = None
    country: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    browser: tuple[str, ...] = ()
    traffic_source: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    entry_page: UrlRule | None = None
    cohorts: tuple[str, ...] = ()  # cohort ids
    exclude_test_accounts: bool = False
    performed: tuple[PerformedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Lens:
    """Everything but the page. `test_account_rules` are the site's own wildcards on visitor ids.

    `url` merges the pages of a rule; without it a question names its page keys beside the lens.
    `tracked_pages` limits every question to the pages the site's plan covers; None is no limit.
    `has_fixed_marks` says that somebody marked an element of the site as fixed or as not.
    `stale_days` are days of the window whose rollups are out of date; a layout of others has no rollups and no list of pages.
    """

    site_id: str
    window: Window
    segment: Segment = field(default_factory=Segment)
    url: UrlRule | None = None
    test_account_rules: tuple[str, ...] = ()
    tracked_pages: tuple[str, ...] | None = None
    has_fixed_marks: bool = False
    stale_days: tuple[date, ...] = ()
    has_rollups: bool = True
