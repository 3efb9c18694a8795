"""From what a client asked (window, segment, URL rule) to the lens every field below uses."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import re2

from clickhouse.errors import BadUserInputError
from clickhouse.lens import WHOLE_SITE, Lens, PerformedEvent, Segment, UrlRule, WidthRange, Window
from clickhouse.reading import Row
from clickhouse.sites import Site
from clickhouse.statement import Statement
from clickhouse.totals import compile_measures
from clickhouse.url import page_key
from resolvers import cursors, windows
from resolvers.context import Context
from resolvers.questions import Question

DEFAULT_WINDOW_SPEC = "last -7d"
MAX_URL_CHARACTERS = 2048
MAX_REGEX_CHARACTERS = 512
MAX_SEGMENT_VALUES = 200
MAX_EVENTS = MAX_COHORTS = 20  # each is a subquery
MAX_INT = 2**31 - 1
"""GraphQL's largest Int."""

QUIET = re2.Options()
QUIET.log_errors = False  # to standard error, with the line breaks of who sent the pattern


@dataclass(frozen=True, slots=True)
class AskedWindow:
    """`spec` says how it was asked; two equal specs asked at different times are the same window rolled on."""

    window: Window
    spec: str


@dataclass(frozen=True, slots=True)
class AskedLens:
    """A lens on one page, or on the pages of its URL rule; what was asked is kept for `meta` and for cursors."""

    site: Site
    lens: Lens
    page_key: str | None
    requested: Window
    spec: str

    @property
    def clamped(self) -> bool:
        return self.requested.start != self.lens.window.start

    @property
    def page_keys(self) -> tuple[str, ...]:
        """As `compile_*` functions take it: empty for the pages of the URL rule."""
        return () if self.page_key is None else (self.page_key,)

    def question(self, compile_: Callable[..., Statement], *args: Hashable) -> Question:
        """Answered by one row."""
        return Question(compile_, self.lens, self.page_key, args)

    def list_question(self, compile_: Callable[..., Statement], *args: Hashable) -> Question:
        """Answered by rows in an order."""
        return Question(compile_, self.lens, self.page_key, args, ordered=True)

    def measures(self, names: Iterable[str]) -> Question:
        return Question(compile_measures, self.lens, self.page_key, measures=tuple(names))

    def binding(self, *parts: object) -> str:
        """What a cursor under this lens is bound to; its window travels in the cursor."""
        return cursors.digest(self.site.site_id, self.page_key, self.lens.url, self.lens.segment, *parts)

    def cursor(self, binding: str, *values: Any) -> str:
        return cursors.encode(binding, cursors.Cursor(self.lens.window, self.spec, values))

    def resumed(
        self, context: Context, after: str | None, binding: str, kinds: tuple[cursors.Kind, ...]
    ) -> tuple[AskedLens, tuple[Any, ...] | None]:
        """This lens in the window in which the sequence of `after` began, and the sort values to go on from.

        The checksum has no secret, so that the window is checked like one that is sent.
        """
        if after is None:
            return self, None
        cursor = cursors.decode(after, binding, kinds)
        if cursor.window == self.lens.window:
            return self, cursor.values
        if cursor.window_spec != self.spec:
            raise cursors.foreign()
        window = windows.checked(cursor.window, context.max_window_days)
        window = windows.clamped(window, self.site.retention_days, context.now)
        return replace(self, lens=replace(self.lens, window=window, stale_days=_stale_days(self.site, window))), cursor.values


async def resolve(
    context: Context, site: Site, window: AskedWindow, segment: Segment, url: UrlRule | None = None, page: str | None = None
) -> AskedLens:
    """Checks lengths, retention and cohorts, and adds what the site itself decides: its test accounts and tracked pages."""
    requested = windows.checked(window.window, context.max_window_days)
    kept = windows.clamped(requested, site.retention_days, context.now)
    if len(segment.cohorts) > MAX_COHORTS:
        raise BadUserInputError(f"segment.cohorts: at most {MAX_COHORTS}.", argument="segment.cohorts")
    cohorts = await asyncio.gather(*(context.cohort(site.site_id, cohort_id) for cohort_id in segment.cohorts))
    for cohort_id, cohort in zip(segment.cohorts, cohorts, strict=True):
        if cohort is None:
            raise BadUserInputError(
                f"segment.cohorts: the site has no cohort with the id {cohort_id!r}; `site {{ cohorts }}` lists ids and names.",
                argument="segment.cohorts",
            )
    lens = Lens(
        site_id=site.site_id,
        window=kept,
        segment=segment,
        url=url,
        test_account_rules=site.test_account_rules if segment.exclude_test_accounts else (),
        tracked_pages=await context.tracked_pages(site),
        has_fixed_marks=site.has_fixed_marks,
        stale_days=_stale_days(site, kept),
        has_rollups=site.has_rollups,
    )
    return AskedLens(site, lens, page, requested, window.spec)


def _stale_days(site: Site, window: Window) -> tuple[date, ...]:
    return tuple(day for day in site.stale_days if window.start.date() <= day <= window.end.date())


def url_rule(kind: str, value: str, argument: str) -> UrlRule:
    """A URL rule whose value can be matched; BadUserInputError names what is allowed."""
    if kind == WHOLE_SITE.kind:
        return WHOLE_SITE
    limit = MAX_REGEX_CHARACTERS if kind == "regex" else MAX_URL_CHARACTERS
    argument = f"{argument}.{kind}" if kind != "ignore_query" else f"{argument}.ignoreQuery"
    if not 1 <= len(value) <= limit:
        raise BadUserInputError(f"{argument}: 1 to {limit} characters.", argument=argument)
    if kind in ("exact", "ignore_query"):
        absolute_url(value, argument)
    if kind == "path" and (not value.startswith("/") or "?" in value or "#" in value):
        raise BadUserInputError(f"{argument}: a path begins with / and has no query or fragment, as in /pricing.", argument=argument)
    if (kind == "prefix" and not _may_begin_url(value)) or (kind == "wildcard" and not _may_begin_url(value.split("*")[0])):
        raise BadUserInputError(
            f"{argument}: whole URLs are compared, from https:// on; begin with that, or a wildcard with *. `path` compares paths.",
            argument=argument,
        )
    if kind == "regex":
        try:
            re2.compile(value, QUIET)
        except re2.error as error:
            reason = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else "not understood"
            raise BadUserInputError(
                f"{argument}: no valid RE2 ({reason}); RE2 has no look-around or back-references.", argument=argument
            ) from None
    return UrlRule(kind, value)


def _may_begin_url(start: str) -> bool:
    """Also of other schemes, as an entry page may be of an app."""
    return "://" in start or any(scheme.startswith(start.lower()) for scheme in ("http://", "https://"))


def absolute_url(value: str, argument: str) -> str:
    """The page key of an absolute http(s) URL."""
    try:
        return page_key(value)
    except ValueError:
        raise BadUserInputError(f"{argument}: an absolute URL is needed, as in https://example.com/pricing.", argument=argument) from None


def width_range(min_px: int | None, max_px: int | None, argument: str) -> WidthRange:
    if min_px is not None and max_px is not None and min_px > max_px:
        raise BadUserInputError(f"{argument}: min ({min_px}) is larger than max ({max_px}); swap the two.", argument=argument)
    if not all(0 <= px <= MAX_INT for px in (min_px, max_px) if px is not None):
        raise BadUserInputError(f"{argument}: widths are CSS px, 0 to {MAX_INT}.", argument=argument)
    return WidthRange(min_px, max_px)


def performed_events(given: Iterable[tuple[str, int]], argument: str) -> tuple[PerformedEvent, ...]:
    """Of names and least counts, sorted and without repetition, so that equal segments are equal lenses."""
    distinct = sorted(set(given))
    if not all(name and 1 <= min_count <= MAX_INT for name, min_count in distinct):
        raise BadUserInputError(f"{argument}: an event has a name, and a minCount of 1 to {MAX_INT}.", argument=argument)
    if len(distinct) > MAX_EVENTS:
        raise BadUserInputError(f"{argument}: at most {MAX_EVENTS} different events.", argument=argument)
    return tuple(PerformedEvent(name, min_count) for name, min_count in distinct)


def values(given: list[str] | None, argument: str) -> tuple[str, ...]:
    """Sorted and without repetition, so that equal segments are equal lenses; none given is no filter."""
    distinct = tuple(sorted(set(given or ())))
    if len(distinct) > MAX_SEGMENT_VALUES or any(len(value) > MAX_URL_CHARACTERS for value in distinct):
        raise BadUserInputError(f"{argument}: at most {MAX_SEGMENT_VALUES} values of {MAX_URL_CHARACTERS} characters.", argument=argument)
    return distinct


def finite(value: float, argument: str, low: float, high: float) -> float:
    if not math.isfinite(value) or not low <= value <= high:
        raise BadUserInputError(f"{argument}: a number from {low:g} to {high:g}.", argument=argument)
    return value


async def seen_page(context: Context, site: Site, key: str, argument: str) -> tuple[str, Row] | None:
    """The page's normalised key and its row, None when it was never seen; `argument` is what the key was given as."""
    normalised = absolute_url(key, argument)
    row = await context.page(site, normalised)
    return (normalised, row) if row else None
