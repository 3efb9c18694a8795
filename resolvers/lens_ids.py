"""Ids of insights: the page or URL rule and the resolved lens, so that exactly these numbers can be fetched again."""

from __future__ import annotations

import dataclasses
from typing import Any

from clickhouse import clock
from clickhouse.conditions import DIMENSIONS
from clickhouse.lens import Segment, UrlRule, Window
from resolvers import ids
from resolvers.context import Context
from resolvers.lenses import AskedLens, AskedWindow, performed_events, resolve, seen_page, url_rule, width_range

_PARTS = tuple(part.name for part in dataclasses.fields(Segment))
_RULES = ("any", "exact", "path", "ignore_query", "prefix", "wildcard", "regex")
_TEXTS = (*DIMENSIONS, "cohorts")


def encode(asked: AskedLens) -> str:
    window = asked.requested
    segment = {name: value for name in _PARTS if (value := getattr(asked.lens.segment, name))}
    rule = asked.lens.url and [asked.lens.url.kind, asked.lens.url.value]
    span = [clock.milliseconds(window.start), clock.milliseconds(window.end)]
    return ids.encode("Insights", asked.site.site_id, asked.page_key, rule, span, segment)


async def load(context: Context, key: list[Any], argument: str = "id") -> AskedLens | None:
    """None when the page was never seen; BadUserInputError when the id, given as `argument`, was tampered with."""
    try:
        site_id, page_key, rule, (start_ms, end_ms), parts = key
        window = Window(clock.instant(start_ms), clock.instant(end_ms))
        segment = _segment(parts, argument)
        url = _rule(rule, argument) if rule else None
        if not isinstance(site_id, str) or (page_key is None) == (url is None):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError):
        raise ids.no_id_of_ours(argument) from None
    site = await context.readable_site(site_id)
    if page_key is not None and await seen_page(context, site, str(page_key), argument) is None:
        return None
    return await resolve(context, site, AskedWindow(window, argument), segment, url, None if page_key is None else str(page_key))


def _rule(parts: Any, argument: str) -> UrlRule:
    kind, value = parts
    if kind not in _RULES:
        raise ValueError
    return url_rule(kind, value, argument)


def _segment(parts: dict[str, Any], argument: str) -> Segment:
    known: dict[str, Any] = {}
    for name, value in parts.items():
        if name in _TEXTS:
            if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
                raise ValueError
            known[name] = tuple(value)
        elif name == "viewport_width":
            known[name] = width_range(*(None if value[end] is None else int(value[end]) for end in ("min_px", "max_px")))
        elif name == "entry_page":
            known[name] = _rule((value["kind"], value["value"]), argument)
        elif name == "performed":
            known[name] = performed_events([(str(event["name"]), int(event["min_count"])) for event in value], "segment.performed")
        elif name == "exclude_test_accounts":
            known[name] = bool(value)
        else:
            raise ValueError
    return Segment(**known)
