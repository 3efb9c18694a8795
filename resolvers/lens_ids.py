"""Ids of insights: the page or URL rule and the resolved lens, so that exactly these numbers can be fetched again."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from clickhouse import clock
from clickhouse.conditions import SEGMENT_COLUMNS
from clickhouse.errors import BadUserInputError
from clickhouse.lens import Segment, UrlRule, Window
from clickhouse.numbers import BREAKPOINTS_PX, STANDARD_VIEWPORT_PX
from resolvers import ids
from resolvers.context import Context
from resolvers.lenses import AskedLens, AskedWindow, performed_events, resolve, seen_page, url_rule, values, width_range

_PARTS = tuple(part.name for part in dataclasses.fields(Segment))
_RULES = ("any", "exact", "path", "ignore_query", "prefix", "wildcard", "regex")
_TEXTS = (*SEGMENT_COLUMNS, "cohorts")
_NAMES = {"device": STANDARD_VIEWPORT_PX.keys(), "breakpoint": BREAKPOINTS_PX.keys()}

T = TypeVar("T")


def encode(asked: AskedLens) -> str:
    window = asked.requested
    segment = {name: value for name in _PARTS if (value := getattr(asked.lens.segment, name))}
    rule = asked.lens.url and [asked.lens.url.kind, asked.lens.url.value]
    span = [clock.milliseconds(window.start), clock.milliseconds(window.end)]
    return ids.encode("Insights", asked.site.site_id, asked.page_key, rule, span, segment)


async def load(context: Context, key: list[Any], argument: str = "id") -> AskedLens | None:
    """None when the page was never seen; BadUserInputError when the id, given as `argument`, was tampered with or its lens is none any more."""
    try:
        site_id, page_key, rule, span, parts = key
        start, end = (clock.instant(_exactly(int, ms)) for ms in span)
        window = Window(start, end)
        segment = _segment(parts, argument)
        url = _rule(rule, argument) if rule else None
        if not isinstance(site_id, str) or (page_key is None) == (url is None):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError):
        raise ids.no_id_of_ours(argument) from None
    site = await context.readable_site(site_id)
    if page_key is not None and await seen_page(context, site, str(page_key), argument) is None:
        return None
    asked_window = AskedWindow(window, f"{argument} {span}")  # no other id's, whose cursors are of other lists
    try:
        return await resolve(context, site, asked_window, segment, url, None if page_key is None else str(page_key))
    except BadUserInputError as error:  # of a cohort that was deleted, a window that is over: nobody wrote those as arguments
        reason = error.message.removeprefix(f"{error.details.get('argument')}: ")
        raise BadUserInputError(f"{argument}: its lens cannot be asked: {reason}", **error.details | {"argument": argument}) from None


def _rule(parts: Any, argument: str) -> UrlRule:
    kind, value = parts
    if kind not in _RULES:
        raise ValueError
    return url_rule(kind, _exactly(str, value), argument)


def _segment(parts: dict[str, Any], argument: str) -> Segment:
    """Checked as the arguments of a segment are."""
    known: dict[str, Any] = {}
    for name, value in parts.items():
        if name in _TEXTS:
            known[name] = values([_exactly(str, text) for text in _exactly(list, value)], argument)
            if name in _NAMES and not _NAMES[name] >= set(known[name]):
                raise ValueError
        elif name == "viewport_width":
            low, high = (None if px is None else _exactly(int, px) for px in (value["min_px"], value["max_px"]))
            known[name] = width_range(low, high, argument)
        elif name == "entry_page":
            known[name] = _rule((value["kind"], value["value"]), argument)
        elif name == "performed":
            events = [(_exactly(str, event["name"]), _exactly(int, event["min_count"])) for event in value]
            known[name] = performed_events(events, argument)
        elif name == "exclude_test_accounts":
            known[name] = _exactly(bool, value)
        else:
            raise ValueError
    return Segment(**known)


def _exactly(kind: type[T], value: Any) -> T:
    if type(value) is not kind:
        raise ValueError
    return value
