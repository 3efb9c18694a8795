"""What a page sums up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Self

import strawberry

from clickhouse.totals import DEAD_WEIGHT, RAGE_WEIGHT
from schema.definitions import (
    BOUNCE_RATE,
    CLICKS,
    CLICKS_OF_BREAKPOINT,
    DEAD_CLICKS_TOLD,
    DEAD_RATE,
    PAGEVIEWS,
    RAGE_CLICKS,
    RAGE_RATE,
    SESSIONS,
    VISITORS,
)
from schema.enums import Breakpoint, RateBasis
from schema.rate import Rate

MEASURES = {
    "pageviews": ("pageviews",),
    "visitors": ("visitors",),
    "sessions": ("sessions",),
    "bounceRate": ("bounced_sessions", "sessions"),
    "averageSecondsOnPage": ("on_page_ms", "timed_pageviews"),
    "clicks": ("clicks",),
    "rageClicks": ("rage_clicks",),
    "deadClicks": ("dead_clicks",),
    "rageRate": ("rage_clicks", "clicks"),
    "deadRate": ("dead_clicks", "clicks"),
    "issueScore": ("rage_sessions", "dead_sessions", "sessions"),
    "breakpoints": ("desktop_clicks", "tablet_clicks", "mobile_clicks"),
}
"""Field of PageTotals to the measures it is made of."""


def measures_of(names: Iterable[str]) -> tuple[str, ...]:
    """What these fields need."""
    return tuple(sorted({measure for name in names for measure in MEASURES.get(name, ())}))


@strawberry.type(description="Clicks at one breakpoint.")
class BreakpointCount:
    breakpoint: Breakpoint = strawberry.field(description="Which breakpoint.")
    clicks: int = strawberry.field(description=CLICKS_OF_BREAKPOINT)


@strawberry.type(description="One part of an issue score.")
class IssuePart:
    weight: float = strawberry.field(description="Its weight; the weights add up to 1.")
    rate: Rate = strawberry.field(description="Sessions with the issue ÷ all sessions.")
    score: float | None = strawberry.field(description="100 × weight × the lower end of the rate's interval: its points of the score.")


@strawberry.type(
    description="How much is wrong with a page, 0 to 100: 100 × (0.6 × low(rage sessions ÷ sessions) + 0.4 × low(dead sessions ÷ sessions)),"
    " low being the lower end of the 95 % Wilson interval, so that a page with three visits does not lead."
)
class IssueScore:
    value: float | None = strawberry.field(description="The score; null without sessions.")
    rage: IssuePart = strawberry.field(description="Sessions with a rage burst; weight 0.6.")
    dead: IssuePart = strawberry.field(description="Sessions with a dead click; weight 0.4.")

    @classmethod
    def of(cls, rage: IssuePart, dead: IssuePart) -> Self:
        """The same order of operations as `clickhouse.totals.ISSUE_SCORE`, so the same digits."""
        if rage.rate.low is None or dead.rate.low is None:
            return cls(value=None, rage=rage, dead=dead)
        return cls(value=100 * (rage.weight * rage.rate.low + dead.weight * dead.rate.low), rage=rage, dead=dead)


@strawberry.type(description="The numbers of a page, or of the pages of a URL rule, under one lens.")
class PageTotals:
    pageviews: int = strawberry.field(description=PAGEVIEWS)
    visitors: int = strawberry.field(description=VISITORS)
    sessions: int = strawberry.field(description=SESSIONS)
    bounce_rate: Rate = strawberry.field(description=BOUNCE_RATE)
    average_seconds_on_page: float | None = strawberry.field(
        description="Seconds from a pageview to the session's next one, else to its last row; averaged over the pageviews for which that is known."
    )
    clicks: int = strawberry.field(description=CLICKS)
    rage_clicks: int = strawberry.field(description=RAGE_CLICKS)
    dead_clicks: int = strawberry.field(description=DEAD_CLICKS_TOLD)
    rage_rate: Rate = strawberry.field(description=RAGE_RATE)
    dead_rate: Rate = strawberry.field(description=DEAD_RATE)
    issue_score: IssueScore = strawberry.field(description="How much is wrong with the page, with its parts.")
    breakpoints: list[BreakpointCount] = strawberry.field(description="Clicks by breakpoint; they add up to `clicks`.")

    @classmethod
    def from_row(cls, measured: dict[str, Any]) -> Self:
        """What was not measured was not selected either."""
        row: defaultdict[str, Any] = defaultdict(int, measured)

        def part(name: str, weight: float) -> IssuePart:
            rate = Rate.subset(row[f"{name}_sessions"], row["sessions"], RateBasis.SESSIONS)
            return IssuePart(weight=weight, rate=rate, score=None if rate.low is None else 100 * weight * rate.low)

        return cls(
            pageviews=row["pageviews"],
            visitors=row["visitors"],
            sessions=row["sessions"],
            bounce_rate=Rate.subset(row["bounced_sessions"], row["sessions"], RateBasis.SESSIONS),
            average_seconds_on_page=row["on_page_ms"] / (1000 * row["timed_pageviews"]) if row["timed_pageviews"] else None,
            clicks=row["clicks"],
            rage_clicks=row["rage_clicks"],
            dead_clicks=row["dead_clicks"] or 0,
            rage_rate=Rate.plain(row["rage_clicks"], row["clicks"], RateBasis.CLICKS),
            dead_rate=Rate.subset(row["dead_clicks"], row["clicks"], RateBasis.CLICKS),
            issue_score=IssueScore.of(part("rage", RAGE_WEIGHT), part("dead", DEAD_WEIGHT)),
            breakpoints=[
                BreakpointCount(breakpoint=breakpoint, clicks=row[f"{breakpoint.name.lower()}_clicks"]) for breakpoint in Breakpoint
            ],
        )
