"""Enumerations of the graph; each value says what it means."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import enum_value


@strawberry.enum(description="What kind of interaction a map shows.")
class PointKind(Enum):
    CLICK = enum_value("CLICK", description="Clicks and taps, dead ones included.")
    RAGE_CLICK = enum_value("RAGE_CLICK", description="Rage bursts, each counted once at its centre.")
    DEAD_CLICK = enum_value("DEAD_CLICK", description="Clicks on something not interactive that changed nothing.")
    MOVE = enum_value("MOVE", description="Positions of the mouse, as often as the tracker sent them.")


@strawberry.enum(description="What a count counts.")
class Aggregation(Enum):
    TOTAL = enum_value("TOTAL", description="Every interaction, or every pageview.")
    UNIQUE_VISITORS = enum_value("UNIQUE_VISITORS", description="Distinct visitors, each once.")
    UNIQUE_SESSIONS = enum_value("UNIQUE_SESSIONS", description="Distinct sessions, each once.")


@strawberry.enum(description="A window that rolls back from now.")
class Period(Enum):
    H24 = enum_value("H24", description="The last 24 hours, until now.")
    D7 = enum_value("D7", description="The last 7 times 24 hours, until now.")
    D30 = enum_value("D30", description="The last 30 times 24 hours, until now.")
    D90 = enum_value("D90", description="The last 90 times 24 hours, until now.")


@strawberry.enum(description="What the tracker said the device is, else what its viewport width suggests.")
class Device(Enum):
    DESKTOP = enum_value("DESKTOP", description="A desktop or a laptop.")
    TABLET = enum_value("TABLET", description="A tablet, whichever way it is held.")
    MOBILE = enum_value("MOBILE", description="A phone.")


@strawberry.enum(description="Which range of widths the viewport was in, CSS px: pages lay themselves out by it.")
class Breakpoint(Enum):
    DESKTOP = enum_value("DESKTOP", description="Viewports 1024 px wide and wider.")
    TABLET = enum_value("TABLET", description="Viewports 768 to 1023 px wide.")
    MOBILE = enum_value("MOBILE", description="Viewports below 768 px wide.")


@strawberry.enum(description="What scroll depth is measured in.")
class ScrollUnit(Enum):
    PERCENT = enum_value(
        "PERCENT",
        description="Percent of the page's height, 0 to 100; a pageview counts as 0 when no row of its page in its session told that height.",
    )
    PIXEL = enum_value("PIXEL", description="CSS px from the top of the page.")


@strawberry.enum(description="What the denominator of a rate counts.")
class RateBasis(Enum):
    CLICKS = enum_value(
        "CLICKS",
        description="All clicks of the lens. Without those at (0, 0): for the fold all interactions of the kind, below an element all clicks on"
        " it, that scroll with the page; for `Comparison.cells` all interactions of the kind, be they no clicks.",
    )
    PAGEVIEWS = enum_value("PAGEVIEWS", description="All pageviews of the lens.")
    REACHED_PAGEVIEWS = enum_value("REACHED_PAGEVIEWS", description="Pageviews that reached the place in question.")
    SESSIONS = enum_value("SESSIONS", description="Distinct sessions of the lens.")
    VISITORS = enum_value("VISITORS", description="Distinct visitors of the lens.")


@strawberry.enum(description="How bad a rage spot is, by the average clicks of its bursts.")
class Severity(Enum):
    LOW = enum_value("LOW", description="Fewer than 6 clicks a burst on average.")
    MEDIUM = enum_value("MEDIUM", description="6 to fewer than 10 clicks a burst on average.")
    HIGH = enum_value("HIGH", description="10 clicks a burst on average or more: a critical issue.")


@strawberry.enum(description="What a site's plan covers.")
class Plan(Enum):
    FREE = enum_value("FREE", description="No heatmaps: no page is covered.")
    PRO = enum_value("PRO", description="10 pages, kept for 90 days.")
    BUSINESS = enum_value("BUSINESS", description="50 pages, kept for 1 year.")
    ENTERPRISE = enum_value("ENTERPRISE", description="All pages, kept for 2 years.")


@strawberry.enum(description="Whether a lens has anything to show.")
class InsightsStatus(Enum):
    OK = enum_value("OK", description="There are rows in this lens.")
    EMPTY = enum_value("EMPTY", description="The page is tracked, but nothing happened in this window and segment.")
    PLAN_REQUIRED = enum_value(
        "PLAN_REQUIRED",
        description="There is heatmap data for what the lens asks, but only of pages that the site's plan does not cover; upgrade to see it.",
    )
    NOT_TRACKED = enum_value(
        "NOT_TRACKED",
        description="No heatmap data was ever received for what the lens asks: check the page key or the URL rule (`prefix`, `wildcard` and"
        " `regex` are held against the whole URL, its origin included), else enable heatmap tracking and wait for visits.",
    )


@strawberry.enum(description="What pages are sorted by.")
class PageOrderField(Enum):
    CLICKS = enum_value("CLICKS", description="Clicks and taps, dead ones included.")
    RAGE_CLICKS = enum_value("RAGE_CLICKS", description="Rage bursts, each counted once.")
    DEAD_CLICKS = enum_value("DEAD_CLICKS", description="Clicks on something not interactive that changed nothing.")
    RAGE_RATE = enum_value("RAGE_RATE", description="Rage bursts ÷ clicks; pages without clicks count as lowest.")
    DEAD_RATE = enum_value("DEAD_RATE", description="Dead clicks ÷ clicks; pages without clicks count as lowest.")
    ISSUE_SCORE = enum_value("ISSUE_SCORE", description="The issue score; pages without sessions count as lowest.")
    PAGEVIEWS = enum_value("PAGEVIEWS", description="Times the page was opened.")
    VISITORS = enum_value("VISITORS", description="Distinct visitors of the page.")
    SESSIONS = enum_value("SESSIONS", description="Distinct sessions on the page.")
    BOUNCE_RATE = enum_value("BOUNCE_RATE", description="Sessions whose only pageview in all is in the lens ÷ sessions.")
    AVERAGE_SECONDS_ON_PAGE = enum_value("AVERAGE_SECONDS_ON_PAGE", description="Average seconds on the page; unknown counts as lowest.")
    KEY = enum_value("KEY", description="The page's key, alphabetically.")


@strawberry.enum(description="What replays are sorted by.")
class ReplayOrderField(Enum):
    MOST_WORTH_WATCHING = enum_value("MOST_WORTH_WATCHING", description="The watch score of the whole session.")
    STARTED_AT = enum_value("STARTED_AT", description="When the session began: its first row.")
    DURATION = enum_value("DURATION", description="Time from the session's first row to its last.")


@strawberry.enum(description="What elements are sorted by. An unknown value, with nothing to divide by, counts as lowest.")
class ElementOrderField(Enum):
    POSITION = enum_value("POSITION", description="Its `y`, before it is rounded.")
    KEY = enum_value("KEY", description="What it is grouped by: selector, href, text or name, alphabetically.")
    DISPLAYS = enum_value("DISPLAYS", description="Pageviews that reached it.")
    CLICKS = enum_value("CLICKS", description="Clicks on it, dead ones included.")
    CLICK_RATE = enum_value("CLICK_RATE", description="Clicks ÷ displays: the pageviews that reached it.")
    CLICK_SHARE = enum_value("CLICK_SHARE", description="Clicks ÷ all clicks of the lens.")
    VISITORS = enum_value("VISITORS", description="Distinct visitors who clicked it.")
    SESSIONS = enum_value("SESSIONS", description="Distinct sessions that clicked it.")
    CONVERSIONS = enum_value("CONVERSIONS", description="Sessions that clicked it and converted afterwards.")
    AVERAGE_SECONDS_TO_CLICK = enum_value("AVERAGE_SECONDS_TO_CLICK", description="Mean seconds from the pageview to the click.")
    RAGE_CLICKS = enum_value("RAGE_CLICKS", description="Rage bursts on it, each counted once.")
    DEAD_CLICKS = enum_value("DEAD_CLICKS", description="Dead clicks on it.")
    BELOW_FOLD = enum_value("BELOW_FOLD", description="Its clicks below the fold ÷ those that scroll with the page.")


@strawberry.enum(description="What the element menu changes.")
class MarkField(Enum):
    NAME = enum_value("NAME", description="The name given by `renameElement`.")
    CTA = enum_value("CTA", description="Whether it is marked as a call to action.")
    FIXED = enum_value("FIXED", description="Whether it is marked as fixed, or as not.")
    DELETED = enum_value("DELETED", description="Whether it is deleted from the lists.")


@strawberry.enum(description="What makes several elements one row. One that has no such thing stands alone, by its selector.")
class ElementGrouping(Enum):
    SELECTOR = enum_value("SELECTOR", description="The CSS selector: each element of a page by itself; those of merged pages together.")
    HREF = enum_value("HREF", description="Where it leads: all links to one target.")
    TEXT = enum_value("TEXT", description="The text it shows: all elements that say the same.")
    NAME = enum_value("NAME", description="The name given by `renameElement`: all elements of one name.")


@strawberry.enum(description="Which way a list is sorted.")
class Direction(Enum):
    ASC = enum_value("ASC", description="Smallest first, texts alphabetically.")
    DESC = enum_value("DESC", description="Largest first, texts from z to a.")


@strawberry.enum(description="What visits can be told apart by; each is a field of a segment too.")
class Dimension(Enum):
    DEVICE = enum_value("DEVICE", description="What the tracker said, else the breakpoint.")
    BREAKPOINT = enum_value("BREAKPOINT", description="The range of widths the viewport was in.")
    BROWSER = enum_value("BROWSER", description="Browser as the tracker sent it.")
    COUNTRY = enum_value("COUNTRY", description="Country as the tracker sent it.")
    REGION = enum_value("REGION", description="Region as the tracker sent it.")
    TRAFFIC_SOURCE = enum_value(
        "TRAFFIC_SOURCE", description="Traffic source as sent, else the referrer's host, lower case and without `www.`."
    )
    CAMPAIGN = enum_value("CAMPAIGN", description="Campaign as the tracker sent it.")
    VARIANT = enum_value("VARIANT", description="Variant of an A/B test, as the tracker sent it.")
    ENTRY_PAGE = enum_value(
        "ENTRY_PAGE", description="Key of the page on which the session began; in a segment `entryPage: {ignoreQuery: …}`."
    )


@strawberry.enum(description="What a list of changes is sorted by, largest absolute change first.")
class ChangeOrder(Enum):
    COUNT = enum_value("COUNT", description="The change of the count: what moved most. Meant for windows and segments of one size.")
    SHARE = enum_value(
        "SHARE",
        description="The change of the share of all clicks (for cells: of the kind), whatever the sizes of the sides; equal ones as by COUNT.",
    )


@strawberry.enum(description="Why two lenses may not be comparable.")
class ComparisonWarningCode(Enum):
    CLAMPED = enum_value("CLAMPED", description="The plan's retention cut off the beginning of a window.")
    DIFFERENT_WIDTHS = enum_value(
        "DIFFERENT_WIDTHS", description="breakpoint, device or viewportWidth differ: at another width elements stand elsewhere."
    )
    FEW_SESSIONS = enum_value("FEW_SESSIONS", description="Fewer than 1000 sessions on a side.")
    DIFFERENT_LENGTHS = enum_value(
        "DIFFERENT_LENGTHS",
        description="The windows differ in length by more than a change of clocks, 1 h, or 5 %, of the two the smaller.",
    )
    DIFFERENT_WEEKDAYS = enum_value(
        "DIFFERENT_WEEKDAYS",
        description="A weekday's share of the time differs by more than 0.05 between the windows, in the site's time zone.",
    )
    OVERLAPPING = enum_value(
        "OVERLAPPING",
        description="The windows overlap, and one side's segment and URLs hold all visits of the other's: some visits count on both sides.",
    )


@strawberry.enum(description="How long each point of a timeline is.")
class Interval(Enum):
    HOUR = enum_value("HOUR", description="A full hour of the clock; a half one where clocks change by half an hour.")
    DAY = enum_value("DAY", description="A day of the site's time zone; 23 or 25 hours when clocks change.")
    WEEK = enum_value("WEEK", description="A week of the site's time zone, from Monday.")
