"""Inputs, and what they mean to the resolvers: each turns itself into plain values, with errors that name the argument."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from clickhouse import lens, rage
from clickhouse.conditions import SEGMENT_COLUMNS
from clickhouse.elements import ElementSort
from clickhouse.errors import BadUserInputError
from clickhouse.heatmap import CellSize
from clickhouse.sites import Site
from resolvers import heatmaps, hotspots, lenses, windows
from resolvers.cohorts import cohort_id
from resolvers.context import Context
from resolvers.elements import element_sort
from schema.cost import EVENT, PATTERN
from schema.definitions import SITE_ID
from schema.enums import Breakpoint, Device, Direction, ElementOrderField, PageOrderField, Period


def given(value: Any, default: Any = None) -> Any:
    """The default for an argument that was left out or is null."""
    return default if value is UNSET or value is None else value


def names(values: Any) -> list[str] | None:
    """The names of a list of enum values."""
    return None if not given(values) else [value.name if isinstance(value, Enum) else value for value in values]


def only_one(source: object, argument: str) -> tuple[str, Any]:
    """The one field given; composition can lose @oneOf, so it is enforced here too."""
    found = [(name, value) for name, value in vars(source).items() if value is not UNSET and value is not None]
    if len(found) != 1:
        raise BadUserInputError(f"{argument}: give exactly one of its fields, not {len(found)}.", argument=argument)
    return found[0]


@contextmanager
def within(argument: str) -> Iterator[None]:
    """Errors that name an argument name it as one inside `argument`."""
    try:
        yield
    except BadUserInputError as error:
        if "argument" not in error.details:
            raise
        details = error.details | {"argument": f"{argument}.{error.details['argument']}"}
        raise BadUserInputError(f"{argument}.{error.message}", **details) from None


@strawberry.input(description="Whole UTC days, both included.")
class DateRange:
    from_: dt.date = strawberry.field(name="from", description="First day, as in 2026-04-01.")
    to: dt.date = strawberry.field(description="Last day, included, as in 2026-04-30.")


@strawberry.input(description="Two instants; without a zone they are UTC.")
class InstantRange:
    from_: dt.datetime = strawberry.field(name="from", description="Start, included, as in 2026-04-01T00:00:00Z.")
    to: dt.datetime = strawberry.field(description="End, excluded, as in 2026-05-01T00:00:00Z.")


@strawberry.input(
    description="Relative dates, by the clock of the site's time zone: `-7d`, `-4w`, `-3m` roll back from now to the same time of day, so that"
    " 7 days are 167 or 169 hours when clocks change; `dStart`, `-1mStart`, `-1mEnd` are edges of a unit (h, d, w, m for months, q, y), an end being where"
    " the next one starts. `-24h` is hours of 60 minutes. An ISO 8601 date is also understood."
)
class RelativeRange:
    from_: str = strawberry.field(name="from", description="Start, included; a date is its midnight.")
    to: str | None = strawberry.field(
        default=UNSET, description="End, excluded: a date is its midnight, and that day is no part of the window; now when left out."
    )


@strawberry.input(one_of=True, description="The window of time a lens looks through; exactly one field. At most 92 days by default.")
class Window:
    last: str | None = strawberry.field(
        default=UNSET,
        description="Back from now, in hours (h), days, weeks, months (m), quarters or years: `-7d`, `-24h`, `-4w`, `-3m`;"
        " by UTC, so that a day is 24 hours also when clocks change.",
    )
    period: Period | None = strawberry.field(
        default=UNSET, description="Back from now by a usual period: 24 hours, or 7, 30 or 90 days of 24 hours."
    )
    between: DateRange | None = strawberry.field(default=UNSET, description="Whole UTC days, both included.")
    instants: InstantRange | None = strawberry.field(default=UNSET, description="Two instants, the end excluded.")
    relative: RelativeRange | None = strawberry.field(default=UNSET, description="Two relative dates, as in `-7d` to `dStart`.")

    def resolved(self, site: Site, now: dt.datetime) -> lenses.AskedWindow:
        match only_one(self, "window"):
            case "last", str(text):
                return lenses.AskedWindow(windows.last(text, now), f"last {text}")
            case "period", Period() as period:
                return lenses.AskedWindow(windows.period(period.name, now), f"period {period.name}")
            case "between", DateRange() as days:
                return lenses.AskedWindow(windows.between(days.from_, days.to), f"between {days.from_} {days.to}")
            case "instants", InstantRange() as range_:
                return lenses.AskedWindow(windows.instants(range_.from_, range_.to), f"instants {range_.from_} {range_.to}")
            case "relative", RelativeRange() as range_:
                end = given(range_.to)
                window = windows.relative(range_.from_, end, now, ZoneInfo(site.time_zone))
                return lenses.AskedWindow(window, f"relative {range_.from_} {end}")
        raise BadUserInputError("window: give exactly one of its fields.", argument="window")


def resolved_window(window: Window | None, site: Site, now: dt.datetime) -> lenses.AskedWindow:
    """The last 7 days when none was asked for."""
    if not window:
        return lenses.AskedWindow(windows.last("-7d", now), lenses.DEFAULT_WINDOW_SPEC)
    return window.resolved(site, now)


@strawberry.input(
    one_of=True,
    description="Which URLs are meant; exactly one field. URLs are compared as received, up to 2048 characters, but for the scheme: they are kept"
    " with it in lower case, as `https://`, and what is given here is read so too; only a `regex` has to write it so.",
)
class UrlMatch:
    exact: str | None = strawberry.field(default=UNSET, description="This URL; a trailing slash and the fragment are ignored.")
    path: str | None = strawberry.field(
        default=UNSET, description="Every URL of this path, as in `/pricing`, whatever the origin or query."
    )
    ignore_query: str | None = strawberry.field(default=UNSET, description="This URL's page: query and fragment are ignored.")
    prefix: str | None = strawberry.field(default=UNSET, description="URLs that begin so, origin included.")
    wildcard: str | None = strawberry.field(
        default=UNSET, description="`*` is one or more characters, everything else literal; the whole URL must match."
    )
    regex: str | None = strawberry.field(
        default=UNSET, description="RE2; the whole URL must match. At most 512 characters.", directives=[PATTERN]
    )

    def rule(self, argument: str) -> lens.UrlRule:
        kind, value = only_one(self, argument)
        return lenses.url_rule(kind, value, argument)


@strawberry.input(description="A range of whole numbers, both ends included; an end left out is open.")
class IntRange:
    min: int | None = strawberry.field(default=UNSET, description="The smallest, included; open when left out.")
    max: int | None = strawberry.field(default=UNSET, description="The largest, included; open when left out.")


@strawberry.input(description="An event that was performed, and how often.")
class EventMatch:
    name: str = strawberry.field(description="The event's name, as the tracker sent it; `eventNames` lists them.", directives=[EVENT])
    min_count: int = strawberry.field(default=1, description="At least so many times, in one session unless said otherwise.")


MOST_EVENTS = f"at most {lenses.MAX_EVENTS} different ones"


def performed_events(events: list[EventMatch] | None, argument: str = "segment.performed") -> tuple[lens.PerformedEvent, ...]:
    return lenses.performed_events([(event.name, event.min_count) for event in events or ()], argument)


LISTED = "`filterValues` lists them, upper and lower case matter; an empty text is for visits without one."


@strawberry.input(
    description="Which visits a lens sees. All given fields must hold; of a list any value may match, but all cohorts and all performed events must."
    " An empty list is no filter."
)
class Segment:
    device: list[Device] | None = strawberry.field(default=UNSET, description="What the tracker said, else the breakpoint.")
    breakpoint: list[Breakpoint] | None = strawberry.field(default=UNSET, description="By viewport width.")
    viewport_width: IntRange | None = strawberry.field(default=UNSET, description="Viewport width in CSS px, exact and inclusive.")
    country: list[str] | None = strawberry.field(default=UNSET, description=f"Countries as the tracker sent them; {LISTED}")
    region: list[str] | None = strawberry.field(default=UNSET, description=f"Regions as the tracker sent them; {LISTED}")
    browser: list[str] | None = strawberry.field(default=UNSET, description=f"Browsers as the tracker sent them; {LISTED}")
    traffic_source: list[str] | None = strawberry.field(default=UNSET, description=f"Traffic sources, else the referrer's host; {LISTED}")
    campaign: list[str] | None = strawberry.field(default=UNSET, description=f"Campaigns as the tracker sent them; {LISTED}")
    variant: list[str] | None = strawberry.field(default=UNSET, description=f"Variants of an A/B test, as the tracker sent them; {LISTED}")
    entry_page: UrlMatch | None = strawberry.field(
        default=UNSET,
        description="URL on which the session began: `entryPage` as sent, a path being one on the origin of the session's first page,"
        " else that of its first pageview, else of its first row.",
    )
    cohorts: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description=f"Cohorts by cohortId or id, at most {lenses.MAX_COHORTS}; a visitor must be in all of them."
    )
    exclude_test_accounts: bool | None = strawberry.field(
        default=False, description="Leave out test accounts: flagged by the tracker, or by the site's rules on visitor ids."
    )
    performed: list[EventMatch] | None = strawberry.field(
        default=UNSET, description=f"Events, all of them in the same session; {MOST_EVENTS}."
    )

    def plain(self) -> lens.Segment:
        width, entry = self.viewport_width, self.entry_page
        texts = {
            name: lenses.values(names(getattr(self, name)), f"segment.{to_camel_case(name)}") for name in (*SEGMENT_COLUMNS, "cohorts")
        }
        texts["cohorts"] = tuple(sorted({cohort_id(name) for name in texts["cohorts"]}))
        return lens.Segment(
            **texts,
            viewport_width=lenses.width_range(given(width.min), given(width.max), "segment.viewportWidth") if width else None,
            entry_page=entry.rule("segment.entryPage") if entry else None,
            exclude_test_accounts=bool(given(self.exclude_test_accounts)),
            performed=performed_events(self.performed),
        )


def plain_segment(segment: Segment | None) -> lens.Segment:
    return segment.plain() if segment else lens.Segment()


@strawberry.input(description="Through what a page or site is seen: one side of a comparison.")
class Lens:
    window: Window | None = strawberry.field(default=UNSET, description="The window of time; the last 7 days when left out.")
    segment: Segment | None = strawberry.field(default=UNSET, description="Which visits; all when left out.")
    url: UrlMatch | None = strawberry.field(
        default=UNSET, description="Which URLs, whose pages are merged; the whole site when left out. Not allowed on a page."
    )

    async def asked(self, context: Context, site: Site, argument: str, page_key: str | None = None) -> lenses.AskedLens:
        """On the page, or on the pages of its URL rule; errors name the `argument` the lens was given as."""
        if page_key is not None and self.url:
            raise BadUserInputError(
                f"{argument}.url: a page is its own URL; leave it out, or compare on the site.", argument=f"{argument}.url"
            )
        with within(argument):
            url = None if page_key is not None else self.url.rule("url") if self.url else lens.WHOLE_SITE
            window = resolved_window(self.window, site, context.now)
            return await lenses.resolve(context, site, window, plain_segment(self.segment), url, page_key)


@strawberry.input(description="The grid of a map, in CSS px on the standard viewport.")
class CellInput:
    width: float = strawberry.field(description="Width of a cell, 1 to 10 000.")
    height: int = strawberry.field(description="Height of a cell, 1 to 100 000.")

    def plain(self) -> CellSize:
        return heatmaps.cell_size(self.width, self.height)


@strawberry.input(description="A point as returned by `heatmap { points }`; all of its cell is meant.")
class PointInput:
    relative_x: float = strawberry.field(description="x ÷ viewport width, a fraction: 1 is the right edge, beyond which there may be more.")
    y: int = strawberry.field(description="CSS px from the top of the page, or of the viewport for a fixed element.")
    fixed: bool | None = strawberry.field(default=False, description="Whether the point lies on a fixed element.")

    def plain(self) -> heatmaps.Point:
        return heatmaps.Point(self.relative_x, self.y, bool(self.fixed))


@strawberry.input(description="When clicks are a rage burst: so many, within so much time, all inside such a radius of each other.")
class RageRule:
    min_clicks: int = strawberry.field(default=5, description="Clicks of a burst, at least, 2 to 100.")
    window_ms: int = strawberry.field(default=1000, description="Milliseconds from first to last, 100 to 10 000.")
    radius_px: float = strawberry.field(default=30, description="Largest distance between any two, CSS px, 0 to 1000.")

    def plain(self) -> rage.RageRule:
        return hotspots.rage_rule(self.min_clicks, self.window_ms, self.radius_px)


@strawberry.input(description="How pages are sorted; ties by key.")
class PageOrder:
    field: PageOrderField = strawberry.field(default=PageOrderField.CLICKS, description="By which number of the pages.")
    direction: Direction = strawberry.field(default=Direction.DESC, description="Largest or smallest first.")

    @property
    def descending(self) -> bool:
        return self.direction is Direction.DESC


@strawberry.input(description="How elements are sorted; ties by what they are grouped by.")
class ElementOrder:
    field: ElementOrderField = strawberry.field(default=ElementOrderField.POSITION, description="By which column of the list.")
    direction: Direction | None = strawberry.field(
        default=UNSET,
        description="When left out: POSITION and KEY ascending, from the top of the page or alphabetically; all others largest first.",
    )

    event: str | None = strawberry.field(
        default=UNSET, description="With CONVERSIONS: the event that counts, by name; when left out every event that converts."
    )

    def plain(self) -> ElementSort:
        usual = Direction.ASC if self.field in (ElementOrderField.POSITION, ElementOrderField.KEY) else Direction.DESC
        return element_sort(self.field.name, (given(self.direction) or usual) is Direction.DESC, given(self.event))


SiteIdArgument = Annotated[str, strawberry.argument(description=SITE_ID)]
WindowArgument = Annotated[Window | None, strawberry.argument(description="The window of time; the last 7 days when left out.")]
SegmentArgument = Annotated[Segment | None, strawberry.argument(description="Which visits; all when left out.")]
UrlArgument = Annotated[UrlMatch, strawberry.argument(description="Which URLs; the pages they belong to are merged.")]
AfterArgument = Annotated[
    str | None,
    strawberry.argument(
        description="Cursor after which to go on, in the window the list began in if it has one; from the beginning when left out."
    ),
]
AfterInLensArgument = Annotated[
    str | None,
    strawberry.argument(
        description="Cursor after which to go on, in the window the list began in; from the beginning when left out. Other fields of the answer"
        " are of the window asked for, which may have rolled on: ask `node(id:)` of the first answer's insights to keep all in one."
    ),
]
FirstArgument = Annotated[
    int | None, strawberry.argument(description="At most so many, 1 to 100; any other counts as the nearest of these.")
]
CellArgument = Annotated[CellInput | None, strawberry.argument(description="The grid; by default 100 columns, and rows of 16 px.")]
BaselineArgument = Annotated[Lens, strawberry.argument(description="What to compare with: before, the control, everybody else.")]
CandidateArgument = Annotated[Lens, strawberry.argument(description="What to look at: after, the variant, this cohort.")]
