"""PostHog's table `heatmaps` under our tables' names, so that the same SQL answers from it; read only.

    rewrite = PostHog({"shop": 42})                         # site id -> team id
    rewrite(Statement("SELECT … FROM interactions WHERE site_id = {p0:String} …", …))
    -> WITH interactions AS (SELECT … FROM heatmaps WHERE team_id = … AND type = 'click' UNION ALL …) SELECT …

What a statement asks of these subqueries ClickHouse pushes down to `heatmaps`, whose sort key is (type, team_id, day, current_url):
a kind is a constant of its own branch, so that the other branches are not read, and a page is also a prefix of the URL.
A scroll depth row stands for the pageview it ends. What the table does not hold is an error that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from clickhouse.errors import BadUserInputError
from clickhouse.numbers import breakpoint_sql, default_cell_sql
from clickhouse.statement import Statement
from clickhouse.tables import TABLES, tables_read
from clickhouse.url import url_rest_sql

KINDS = {"click": "click", "rage": "rageclick", "move": "mousemove"}
"""Our kind to PostHog's type."""

CLICKS_OF_A_RAGE_CLICK = 3  # PostHog's tracker sends one at the third click; how many followed it does not say
MAX_PREFIXES = 20
PERSON_DISTINCT_IDS = "person_distinct_ids"

_BARE_URL = "trim(TRAILING '/' FROM cutQueryStringAndFragment(current_url))"
PAGE_KEY = f"if(position({_BARE_URL}, '/', 9) = 0, concat({_BARE_URL}, '/'), {_BARE_URL})"
"""Browsers write scheme and host in lower case and leave the default port out, so that nothing else needs to be normalised."""

WIDTH_PX = "toUInt16(viewport_width * scale_factor)"
BREAKPOINT = breakpoint_sql(WIDTH_PX)

ROW = {
    "page_key": PAGE_KEY,
    "url_rest": url_rest_sql("current_url", "page_key"),
    "url": "current_url",
    "day": "toDate(timestamp)",
    "timestamp": "toDateTime64(timestamp, 3, 'UTC')",
    "visitor_id": "cityHash64(distinct_id)",
    "session_id": "cityHash64(session_id)",
    "viewport_width": WIDTH_PX,
    "viewport_height": "toUInt16(viewport_height * scale_factor)",
    "breakpoint": BREAKPOINT,
    "device": BREAKPOINT,
    "sample_rate": "CAST(NULL, 'Nullable(Float32)')",
}
INTERACTION = ROW | {
    "row_id": "cityHash64(session_id, timestamp, type, x, y, current_url)",
    "x": "toFloat64(x * scale_factor)",
    "y": "toFloat64(y * scale_factor)",
    "fixed": "pointer_target_fixed",
    "clicks": f"toUInt32(if(type = 'rageclick', {CLICKS_OF_A_RAGE_CLICK}, 1))",
    "labelled": "type = 'rageclick'",
    "since_pageview_ms": "toInt64(-1)",
    "default_cell": default_cell_sql("x * scale_factor", "y * scale_factor", WIDTH_PX),
}
PAGEVIEW = ROW | {"reached_px": "toUInt32((y + viewport_height) * scale_factor)", "on_page_ms": "CAST(NULL, 'Nullable(UInt32)')"}
PAGE = {
    "page_key": PAGE_KEY,
    "url": "current_url",
    "first_seen": "toDateTime64(timestamp, 3, 'UTC')",
    "last_seen": "toDateTime64(timestamp, 3, 'UTC')",
    "has_heat": "toUInt8(1)",
}
RECEIVED = ROW | {"type": "toString(type)"}
VISITOR = {"visitor_id": "cityHash64(distinct_id)", "visitor_key": "distinct_id", "day": "toDate(max(timestamp))"}
SESSION = {
    "session_id": "cityHash64(session_id)",
    "session_key": "session_id",
    "visitor_id": "cityHash64(argMin(distinct_id, timestamp))",
    "started_at": "toDateTime64(min(timestamp), 3, 'UTC')",
    "ended_at": "toDateTime64(max(timestamp), 3, 'UTC')",
    "entry_url": "argMin(current_url, timestamp)",
    "entry_page": f"argMin({PAGE_KEY}, timestamp)",
    "breakpoint": f"argMin({BREAKPOINT}, timestamp)",
    "device": f"argMin({BREAKPOINT}, timestamp)",
    "pageviews": "toUInt32(countIf(type = 'scrolldepth'))",
    "pages": f"toUInt32(uniqExact({PAGE_KEY}))",
    "clicks": "toUInt32(countIf(type = 'click'))",
    "rage_clicks": "toUInt32(countIf(type = 'rageclick'))",
    "conversions": "CAST(NULL, 'Nullable(UInt32)')",
}

ALL_TYPES = "type IN ('click', 'rageclick', 'mousemove', 'scrolldepth')"
HAS_VIEWPORT = "viewport_width > 0"  # else a place on the page is none

HOLDS_NOT = {
    r"\bseen_ms\b": "attention: PostHog's `heatmaps` does not record how long people look.",
    r"\breached_ppt\b": "unit PERCENT: PostHog's `heatmaps` does not hold the page's height; ask for unit: PIXEL.",
    r"\bconversions\b": "conversions: PostHog's `heatmaps` holds no events.",
    r"kind IN \('dead'\)": "dead clicks: PostHog's `heatmaps` does not tell them apart.",
    r"\b(?:browser|country|region|traffic_source|campaign|variant|entry_page)(?: IN \{|\) AS value)|\bentry_(?:url|page)\b": (
        "PostHog's `heatmaps` holds no country, region, browser, source, campaign, variant and entry page; segments and breakdowns by"
        " device, breakpoint and viewport width work."
    ),
}
"""What a statement says when it asks for it, and what to say about it."""

UNKNOWN_MEASURES = ("bounced_sessions", "dead_clicks", "dead_sessions")
"""Of `clickhouse.totals`: nothing in the table tells them, so that 0 would be a lie."""

_RECORDS_NOT = "PostHog's table `heatmaps` does not record it."
REASONS = {
    "totals { bounceRate }": _RECORDS_NOT,
    "totals { averageSecondsOnPage }": _RECORDS_NOT,
    "totals { deadClicks deadRate issueScore }": _RECORDS_NOT,
    "timeline { deadClicks }": _RECORDS_NOT,
    "breakdown { deadClicks }": _RECORDS_NOT,
    "scroll(unit: PERCENT)": "PostHog's table `heatmaps` does not hold the page's height; ask for unit: PIXEL.",
} | dict.fromkeys(
    (
        "deadClicks",
        "attention",
        "elements",
        "elements { element { top } }",
        "elements { conversions }",
        "elements { conversions(event:) }",
        "conversionsByDepth",
        "replays",
        "replays { url }",
        *(f"breakdown(by: {name})" for name in ("BROWSER", "COUNTRY", "REGION", "TRAFFIC_SOURCE", "CAMPAIGN", "VARIANT", "ENTRY_PAGE")),
    ),
    _RECORDS_NOT,
)
"""Field of Insights to why it cannot be answered."""

_TABLE = re.compile(r"\b(FROM|JOIN) (\w+)( FINAL)?")
_PAGES = re.compile(r"\bpage_key (?:IN|=) \{(\w+):(?:Array\(String\)|String)\}")


@dataclass(frozen=True, slots=True)
class PostHog:
    """Rewrites statements about `team_ids`, by site id; `person_distinct_ids` is the table from distinct ids to persons, for cohorts."""

    team_ids: Mapping[str, int]
    person_distinct_ids: str = PERSON_DISTINCT_IDS

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w+", self.person_distinct_ids):
            raise BadUserInputError("person_distinct_ids is the name of a table.")

    def __call__(self, statement: Statement) -> Statement:
        """BadUserInputError for what PostHog's table cannot tell, and for everything but reading."""
        if not statement.sql.lstrip().startswith(("SELECT", "WITH")):
            raise BadUserInputError("PostHog's tables are only read: cohorts and marks of its sites are made in PostHog.")
        read = tables_read(statement.sql)
        if not read:
            return statement
        for asked, reason in HOLDS_NOT.items():
            if re.search(asked, statement.sql):
                raise BadUserInputError(reason + " `capabilities { fields }` tells what this site can answer.")
        sites = sorted(self.team_ids.keys() & statement.site_ids)
        params = dict(statement.params)
        tables: dict[str, list[str]] = {}
        for number, site_id in enumerate(sites):
            params[f"site_{number}"], params[f"team_{number}"] = site_id, self.team_ids[site_id]
            for name, selects in self._tables(f"{{site_{number}:String}}", f"{{team_{number}:Int64}}").items():
                tables.setdefault(name, []).extend(selects)
        if missing := read - tables.keys():
            raise BadUserInputError(
                f"PostHog's `heatmaps` holds no {' and '.join(sorted(missing)).replace('_', ' ')}; `capabilities {{ fields }}` tells what this"
                " site can answer."
            )
        subqueries = [f"{name} AS (\n" + "\nUNION ALL\n".join(tables[name]) + "\n)" for name in sorted(read)]
        sql = _PAGES.sub(lambda found: found[0] + _prefixes(found[1], params), _TABLE.sub(r"\1 \2", statement.sql))
        return replace(statement, sql="WITH " + ",\n".join(subqueries) + "\n" + sql, params=params, site_ids=frozenset())

    def _tables(self, site: str, team: str) -> dict[str, list[str]]:
        """Table to the SELECTs that make it up for one site."""
        of_team = f"FROM heatmaps\nWHERE team_id = {team}"

        def select(table: str, values: dict[str, str], where: str, after: str = "") -> str:
            return f"SELECT {_columns(table, values | {'site_id': site})}\n{of_team} AND {where}{after}"

        persons = f"SELECT distinct_id, person_id FROM {self.person_distinct_ids} WHERE team_id = {team}"
        if self.person_distinct_ids == "person_distinct_id2":  # keeps every version of a row
            persons = (
                f"SELECT distinct_id, argMax(person_id, version) AS person_id FROM person_distinct_id2 WHERE team_id = {team}"
                " GROUP BY distinct_id HAVING argMax(is_deleted, version) = 0"
            )
        members = f"SELECT person_id, cohort_id FROM cohortpeople WHERE team_id = {team} GROUP BY person_id, cohort_id HAVING sum(sign) > 0"
        return {
            "interactions": [
                select("interactions", INTERACTION | {"kind": f"'{kind}'"}, f"type = '{type_}' AND {HAS_VIEWPORT}")
                for kind, type_ in KINDS.items()
            ],
            "pageviews": [select("pageviews", PAGEVIEW, f"type = 'scrolldepth' AND {HAS_VIEWPORT}")],
            "pages": [select("pages", PAGE, ALL_TYPES)],
            "received": [select("received", RECEIVED, ALL_TYPES)],
            "sessions": [select("sessions", SESSION, ALL_TYPES, "\nGROUP BY session_id")],
            "visitors": [select("visitors", VISITOR, ALL_TYPES, "\nGROUP BY distinct_id")],
            "cohorts": [
                f"SELECT DISTINCT {site} AS site_id, toString(cohort_id) AS cohort_id, concat('PostHog cohort ', toString(cohort_id)) AS name,"
                f" toDateTime64(0, 3, 'UTC') AS created_at, created_at AS updated_at, false AS deleted\nFROM ({members})"
            ],
            "cohort_members": [
                f"SELECT {site} AS site_id, toString(cohort_id) AS cohort_id, cityHash64(distinct_id) AS visitor_id\n"
                f"FROM ({persons}) AS ids\nINNER JOIN ({members}) AS members USING (person_id)"
            ],
        }


def _columns(table: str, values: Mapping[str, str]) -> str:
    """All columns of our table and what else is given; what PostHog has not is empty."""
    columns = {name: f"defaultValueOfTypeName('{_plain(type_)}')" for name, type_ in TABLES[table].columns.items()} | dict(values)
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _plain(type_: str) -> str:
    """An aggregate's type as that of a value, with its quotes escaped."""
    found = re.match(r"SimpleAggregateFunction\(\w+, (.*)\)$", type_)
    plain = found[1] if found else type_
    return ("String" if plain.startswith("Enum") else plain).replace("'", "\\'")


def _prefixes(name: str, params: dict[str, object]) -> str:
    """What follows for the URL from naming page keys: a condition the sort key can be searched by; none for many pages."""
    named = params[name]
    keys = named if isinstance(named, list) else [named]
    if not 1 <= len(keys) <= MAX_PREFIXES:
        return ""
    clauses = []
    for number, key in enumerate(keys):
        params[f"{name}_{number}"] = str(key).rstrip("/")
        clauses.append(f"startsWith(url, {{{name}_{number}:String}})")
    return f" AND ({' OR '.join(clauses)})"
