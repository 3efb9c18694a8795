"""Random lenses over a `rows.DataSet`, each twice: as the arguments of a GraphQL field and as the model's `Lens`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from tests.reference.facts import milliseconds
from tests.reference.lens import Lens, Segment
from tests.reference.rows import COHORTS, DAY_MS, EVENTS, URLS, VALUES, DataSet, iso
from tests.reference.url import UrlRule, page_key

Variables = dict[str, Any]

RULES = ("exact", "path", "ignoreQuery", "prefix", "wildcard", "regex")


@dataclass(frozen=True)
class Question:
    """`variables` holds `window`, `segment` and one of `page` (a key) and `url` (a `UrlMatch`); cohorts go by name."""

    variables: Variables
    lens: Lens

    def with_cohort_ids(self, ids: Mapping[str, str]) -> Variables:
        segment = dict(self.variables["segment"])
        if "cohorts" in segment:
            segment["cohorts"] = [ids[name] for name in segment["cohorts"]]
        return self.variables | {"segment": segment}


def question(random: Random, data: DataSet) -> Question:
    window, (start_ms, end_ms) = random_window(random, data)
    segment_variables, segment = random_segment(random)
    variables: Variables = {"window": window, "segment": segment_variables}
    if random.random() < 0.5:
        key = page_key(random.choice(URLS))
        return Question(variables | {"page": key}, Lens(start_ms, end_ms, page_key=key, segment=segment))
    rule = random_rule(random)
    return Question(variables | {"url": {rule.kind: rule.value}}, Lens(start_ms, end_ms, url=rule, segment=segment))


def random_window(random: Random, data: DataSet) -> tuple[Variables, tuple[int, int]]:
    """All days, whole UTC days, or instants that fall on rows."""
    days = data.days + 1  # sessions run past midnight of the last
    form = random.choice(("all", "days", "instants"))
    if form == "instants":
        moments = [milliseconds(row["timestamp"]) for row in data.rows]
        first, last = sorted((random.choice(moments), random.choice(moments)))
        return {"instants": {"from": iso(first), "to": iso(last + 1)}}, (first, last + 1)
    first_day, last_day = sorted((random.randrange(days), random.randrange(days))) if form == "days" else (0, days - 1)
    between = {name: str(data.first_day + timedelta(days=day)) for name, day in (("from", first_day), ("to", last_day))}
    return {"between": between}, (data.start_ms + first_day * DAY_MS, data.start_ms + (last_day + 1) * DAY_MS)


def random_rule(random: Random, kind: str | None = None) -> UrlRule:
    url = random.choice(URLS)
    wildcards = ("https://example.com/*", "*pricing*", "*?ref=a.b*c", "http*example.com*", url.replace("example", "*"))
    kind = kind or random.choice(RULES)
    values = {
        "exact": url,
        "path": random.choice(("/pricing", "/pricing/", "/")),
        "ignoreQuery": url,
        "prefix": url[: random.randint(8, len(url))],
        "wildcard": random.choice(wildcards),
        "regex": random.choice((r"https://example\.com/pricing.*", r"(?i)https://example\.com(:\d+)?/[a-z]*#?.*", re.escape(url), ".*/")),
    }
    return UrlRule(kind, values[kind])


def random_segment(random: Random) -> tuple[Variables, Segment]:
    """Each part with a small chance, so that most lenses still see rows."""
    variables: Variables = {}
    segment: dict[str, Any] = {}
    if random.random() < 0.25:
        devices = random.sample(("DESKTOP", "TABLET", "MOBILE"), random.randint(1, 2))
        variables["device"], segment["device"] = devices, frozenset(devices)
    if random.random() < 0.25:
        breakpoints = random.sample(("DESKTOP", "TABLET", "MOBILE"), random.randint(1, 2))
        variables["breakpoint"], segment["breakpoint"] = breakpoints, frozenset(breakpoints)
    if random.random() < 0.2:
        low, high = random.choice(((768, None), (None, 767), (375, 1023), (1024, 1024), (None, None)))
        variables["viewportWidth"] = {name: px for name, px in (("min", low), ("max", high)) if px is not None}
        segment["viewport_width"] = (low, high)
    dimensions = {name: random.sample(values, random.randint(1, len(values))) for name, values in VALUES.items() if random.random() < 0.1}
    variables |= dimensions
    segment["dimensions"] = {name: frozenset(values) for name, values in dimensions.items()}
    if random.random() < 0.1:
        rule = random_rule(random)
        variables["entryPage"], segment["entry_page"] = {rule.kind: rule.value}, rule
    if random.random() < 0.2:
        cohorts = random.sample(tuple(COHORTS), random.randint(1, len(COHORTS)))
        variables["cohorts"], segment["cohorts"] = cohorts, tuple(cohorts)
    if random.random() < 0.3:
        variables["excludeTestAccounts"] = segment["exclude_test_accounts"] = True
    if random.random() < 0.15:
        least = {name: random.choice((1, 1, 2)) for name in random.sample(EVENTS, random.choice((1, 1, 2)))}
        variables["performed"] = [{"name": name} | ({"minCount": count} if count > 1 else {}) for name, count in least.items()]
        segment["performed"] = least
    return variables, Segment(**segment)
