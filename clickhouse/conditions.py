"""The lens as SQL conditions: pure functions from the frozen lens to clauses of a WHERE, values bound.

    lens_clauses(lens, ("https://example.com/pricing",), params)
    -> ["site_id = {p0:String}", "page_key IN {p1:Array(String)}", "day BETWEEN {p2:Date} AND {p3:Date}", …]

The same clauses fit every table of answers, because interactions and pageviews carry the same dimensions.
"""

from __future__ import annotations

import re
from datetime import time, timedelta

from clickhouse.lens import Lens, PerformedEvent, UrlRule, Window
from clickhouse.statement import Params
from clickhouse.url import lower_scheme, page_key

MIDNIGHT = time()

SEGMENT_COLUMNS = ("device", "breakpoint", "country", "region", "browser", "traffic_source", "campaign", "variant")
"""Parts of a segment that are columns: any of the given values matches."""


def lens_clauses(lens: Lens, page_keys: tuple[str, ...], params: Params, *, with_test_accounts: bool = False) -> list[str]:
    """Which rows the lens sees; `page_keys` empty means every page, or those of the lens's URL rule.

    `with_test_accounts` leaves the exclusion of test accounts out, for counting what it hides.
    """
    clauses = [f"site_id = {params.site(lens.site_id)}"]
    if page_keys:
        clauses.append(f"page_key IN {params.texts(page_keys)}")
    clauses += covered_clauses(lens, params)
    clauses += window_clauses(lens.window, params)
    if lens.url and lens.url.kind == "path" and lens.has_rollups:  # matched on the pages, which are few, so that only their rows are read
        of_site = f"site_id = {params.site(lens.site_id)}"
        clauses.append(f"page_key IN (SELECT page_key FROM pages WHERE {' AND '.join([of_site, *url_clauses(lens.url, params)])})")
    elif lens.url:
        clauses += stored_url_clauses(lens.url, params)
    clauses += segment_clauses(lens, params)
    if lens.segment.exclude_test_accounts and not with_test_accounts:
        clauses.append(f"NOT ({is_test_account(lens, params)})")
    return clauses


def covered_clauses(lens: Lens, params: Params) -> list[str]:
    """Which pages the plan covers."""
    return [] if lens.tracked_pages is None else [f"page_key IN {params.texts(lens.tracked_pages)}"]


def page_column(lens: Lens, page_keys: tuple[str, ...], params: Params) -> str:
    """The column answers are grouped by: the page's key, or '' for all pages of a URL rule together. A single page is a constant,
    by which ClickHouse need not group."""
    if lens.url:
        return "'' AS page"
    return f"{params.text(page_keys[0])} AS page" if len(page_keys) == 1 else "page_key AS page"


def pages_apart(lens: Lens, page_keys: tuple[str, ...]) -> bool:
    """Whether that column tells several pages apart; rows of one page are better not grouped by it at all."""
    return lens.url is None and len(page_keys) != 1


def window_clauses(window: Window, params: Params) -> list[str]:
    """Whole days by `day`, which is in the sort key; `timestamp` only where an edge is not midnight."""
    params.until = max(window.end, params.until or window.end)
    last = window.end - timedelta(milliseconds=1)
    clauses = [f"day BETWEEN {params.day(window.start.date())} AND {params.day(last.date())}"]
    if window.start.time() != MIDNIGHT:
        clauses.append(f"timestamp >= {params.utc(window.start)}")
    if window.end.time() != MIDNIGHT:
        clauses.append(f"timestamp < {params.utc(window.end)}")
    return clauses


def url_clauses(rule: UrlRule, params: Params, url: str = "url", key: str = "page_key") -> list[str]:
    """`url` and `key` name the columns that hold the URL as received and its page key."""
    whole = lower_scheme(rule.value)
    match rule.kind:
        case "exact":
            return [
                f"{key} = {params.text(page_key(rule.value))}",
                f"trim(TRAILING '/' FROM cutFragment({url})) = {params.text(whole.split('#')[0].rstrip('/'))}",
            ]
        case "path":
            return [f"path({key}) = {params.text(rule.value.rstrip('/') or '/')}"]
        case "ignore_query":
            return [f"{key} = {params.text(page_key(rule.value))}"]
        case "prefix":
            return [*_beginning(whole, params, key), f"startsWith({url}, {params.text(whole)})"]
        case "wildcard":
            return [*_beginning(whole.split("*")[0], params, key), f"match({url}, {params.text(wildcard_pattern(whole))})"]
        case "regex":
            return [*_beginning(literal_head(rule.value), params, key), f"match({url}, {params.text(f'^(?:{rule.value})$')})"]
        case "any":
            return []
    raise ValueError(f"unknown URL rule {rule.kind}")


def stored_url_clauses(rule: UrlRule, params: Params) -> list[str]:
    """The same for tables that store a URL as its page key and `url_rest`: few URLs are put together, as the key decides where it can."""
    whole = lower_scheme(rule.value)
    match rule.kind:
        case "exact":
            key, asked = page_key(rule.value), whole.split("#")[0].rstrip("/")
            rests = {asked, *([asked[len(key) :]] if asked.startswith(key) else []), *([""] if asked == key.rstrip("/") else [])}
            return [
                f"page_key = {params.text(key)}",
                f"trim(TRAILING '/' FROM cutFragment(url_rest)) IN {params.texts(tuple(sorted(rests)))}",
            ]
        case "prefix":
            return _by_key(whole, url_clauses(rule, params), params, longer=False)
        case "wildcard" if rule.value.find("*") == len(rule.value) - 1:
            return _by_key(whole[:-1], url_clauses(rule, params), params, longer=True)
    return url_clauses(rule, params)


def _by_key(head: str, clauses: list[str], params: Params, *, longer: bool) -> list[str]:
    """`clauses` that say that a URL begins with `head` (and is `longer`), decided by its page key alone where that can be."""
    *beginning, whole = clauses
    known = _key_of(head)
    unsure = ["startsWith(url_rest, 'http')"]  # the URL does not begin with its page key
    if known and (longer or known != head):
        unsure.append(f"page_key = {params.text(known)}")
    return [*beginning, f"if({' OR '.join(unsure)}, {whole}, startsWith(page_key, {params.text(head)}))"]


def _key_of(head: str) -> str | None:
    """The page key of a URL's beginning, None if it names no host."""
    if head.count("/") < 3:
        return None
    try:
        return page_key(head)
    except ValueError:
        return None


def _beginning(head: str, params: Params, key: str) -> list[str]:
    """What the page key of every URL that begins with `head` begins with, so that other pages are not read; nothing if it names no host."""
    known = _key_of(head)
    if known is None:
        return []
    return [f"{key} = {params.text(known)}" if "?" in head or "#" in head else f"startsWith({key}, {params.text(known)})"]


def literal_head(regex: str) -> str:
    """Text that everything the regex matches as a whole begins with; '' when that is not plain to see."""
    if "|" in regex:
        return ""
    literal = r"[^\\.^$*+?{}\[\]()]|\\[^\w\s]"
    head = re.match(rf"\^?((?:(?:{literal})(?![*?{{]))*)", regex)
    return re.sub(r"\\(.)", r"\1", head[1]) if head else ""


def wildcard_pattern(wildcard: str) -> str:
    """RE2 for the whole text; `*` is one or more characters, everything else literal."""
    return "(?s)^" + ".+".join(re.escape(part) for part in wildcard.split("*")) + "$"


def segment_clauses(lens: Lens, params: Params) -> list[str]:
    """Every part of the segment but the exclusion of test accounts."""
    segment = lens.segment
    clauses = [f"{column} IN {params.texts(values)}" for column in SEGMENT_COLUMNS if (values := getattr(segment, column))]
    if width := segment.viewport_width:
        if width.min_px is not None:
            clauses.append(f"viewport_width >= {params.bind(width.min_px, 'Int64')}")
        if width.max_px is not None:
            clauses.append(f"viewport_width <= {params.bind(width.max_px, 'Int64')}")
    if segment.entry_page and segment.entry_page.is_of_keys:
        clauses += url_clauses(segment.entry_page, params, key="entry_page")
    elif segment.entry_page:
        entry = " AND ".join(
            [f"site_id = {params.site(lens.site_id)}", *url_clauses(segment.entry_page, params, "entry_url", "entry_page")]
        )
        clauses.append(f"session_id IN (SELECT session_id FROM sessions FINAL WHERE {entry})")
    for cohort_id in segment.cohorts:
        clauses.append(
            "visitor_id IN (SELECT visitor_id FROM cohort_members"
            f" WHERE site_id = {params.site(lens.site_id)} AND cohort_id = {params.text(cohort_id)})"
        )
    return clauses + [performed_clause(lens.site_id, event, params) for event in segment.performed]


def performed_clause(site_id: str, event: PerformedEvent, params: Params) -> str:
    """Sessions that performed the event, whenever."""
    return (
        "session_id IN (SELECT session_id FROM events"
        f" WHERE site_id = {params.site(site_id)} AND name = {params.text(event.name)}"
        f" GROUP BY session_id HAVING count() >= {params.bind(event.min_count, 'UInt32')})"
    )


def is_test_account(lens: Lens, params: Params) -> str:
    """True for rows of test accounts: flagged by the tracker, or by the site's wildcards on visitor ids."""
    if not lens.test_account_rules:
        return "is_test"
    rules = " OR ".join(f"match(visitor_key, {params.text(wildcard_pattern(rule))})" for rule in lens.test_account_rules)
    return f"is_test OR visitor_id IN (SELECT visitor_id FROM visitors WHERE site_id = {params.site(lens.site_id)} AND ({rules}))"
