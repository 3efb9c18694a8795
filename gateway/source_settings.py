"""The configuration file of further sources (`--sources`), beside the one of `--clickhouse`, which is the first and holds the keys.

    [[sources]]
    name = "europe"                                        # `capabilities`, `viewer` and `meta` name it so
    dsn = "https://reader:${EUROPE_PASSWORD}@eu.example.com:8443/heatgraph"
    max_execution_ms = 5000                                # limits of its own; those of the settings if not given
    max_memory_bytes = 1000000000
    max_rows_to_read = 100000000
    pool_size = 8                                          # statements at once
    allow_partial = true                                   # a cluster answers without shards that are down, and `meta` says so

    [[sources]]
    name = "posthog"
    layout = "posthog"                                     # PostHog's own tables, read only
    dsn = "http://reader:${POSTHOG_PASSWORD}@localhost:8123/posthog"
    person_distinct_ids = "person_distinct_id2"            # for cohorts: the table from distinct ids to persons

    [[sources.sites]]
    site_id = "shop"
    team_id = 1
    name = "Shop"                                          # and domains, time_zone, test_account_rules, replay_url_template, if wanted

A site lives in one source: in whose table `sites` it is, or under which it stands here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from string import Template
from typing import Any, get_args, get_origin
from zoneinfo import available_timezones

from clickhouse.errors import BadUserInputError
from clickhouse.posthog import PERSON_DISTINCT_IDS, PostHog
from clickhouse.reading import Limits
from clickhouse.sites import Site
from clickhouse.target import Target
from gateway.setting_types import check_replay_url
from gateway.settings import MOST, Settings

FIRST = "default"
HIGHEST = {row.name: row.metadata["maximum"] for row in fields(Settings)}
TABLES = list[dict[str, Any]]
WRITTEN: dict[Any, str] = {
    str: "a text in quotes", int: "a number from 1 to {most}", bool: "true or false", list[str]: "a list of texts in quotes",
    TABLES: "a table [[sources.sites]] for each site",
}  # fmt: skip
LIMITS = ("max_execution_ms", "max_memory_bytes", "max_rows_to_read")
COMMON: dict[str, Any] = {"name": str, "dsn": str, "pool_size": int} | dict.fromkeys(LIMITS, int)
LAYOUTS: dict[str, dict[str, Any]] = {"heatgraph": {"allow_partial": bool}, "posthog": {"person_distinct_ids": str, "sites": TABLES}}
SITE: dict[str, Any] = {
    "site_id": str, "team_id": int, "name": str, "domains": list[str], "time_zone": str, "test_account_rules": list[str], "replay_url_template": str,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceSettings:
    name: str
    dsn: str
    limits: Limits
    pool_size: int
    allow_partial: bool = False
    sites: Mapping[str, Site] | None = None
    posthog: PostHog | None = None


def configured_sources(settings: Settings) -> list[SourceSettings]:
    """In order; raises BadUserInputError that says what is wrong with the file."""
    first = SourceSettings(FIRST, settings.clickhouse, settings.limits, settings.pool_size)
    if not settings.sources:
        return [first]
    try:
        read = tomllib.loads(Path(settings.sources).read_text())
    except (OSError, ValueError) as error:
        raise BadUserInputError(f"{settings.sources} cannot be read: {error}. It holds TOML, [[sources]] with name and dsn.") from error
    tables = read.get("sources")
    if set(read) != {"sources"} or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadUserInputError(f"{settings.sources}: write one [[sources]] for each source, and nothing else.")
    found = [first, *(_source(table, first, f"{settings.sources}, source {number}") for number, table in enumerate(tables, 1))]
    site_ids = [site_id for source in found for site_id in source.sites or ()]
    if doubles := {site_id for site_id in site_ids if site_ids.count(site_id) > 1}:
        raise BadUserInputError(f"{settings.sources}: site {min(doubles)!r} stands in two sources; it lives in one.")
    names = [source.name for source in found]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise BadUserInputError(f"{settings.sources}: {min(doubles)!r} names two sources; {FIRST!r} is that of --clickhouse.")
    return found


def _source(table: dict[str, Any], first: SourceSettings, where: str) -> SourceSettings:
    layout = table.pop("layout", "heatgraph")
    if layout not in LAYOUTS:
        raise BadUserInputError(f"{where}: layout is one of {', '.join(LAYOUTS)}.")
    given = _checked(table, COMMON | LAYOUTS[layout], ("name", "dsn"), where)
    limits = replace(first.limits, **{name: given[name] for name in LIMITS if name in given})
    source = SourceSettings(given["name"], _dsn(given["dsn"], where), limits, given.get("pool_size", first.pool_size))
    if layout == "heatgraph":
        return replace(source, allow_partial=given.get("allow_partial", False))
    sites = [
        _checked(site, SITE, ("site_id", "team_id"), f"{where}, site {number}") for number, site in enumerate(given.get("sites", []), 1)
    ]
    team_ids = {site["site_id"]: site.pop("team_id") for site in sites}
    if not team_ids or len(team_ids) < len(sites):
        raise BadUserInputError(f"{where}: write one [[sources.sites]] for each site, with site_id and team_id.")
    found = {site["site_id"]: _site(site, f"{where}, site {site['site_id']!r}") for site in sites}
    person_distinct_ids = given.get("person_distinct_ids", PERSON_DISTINCT_IDS)
    return replace(source, sites=found, posthog=PostHog(team_ids, person_distinct_ids))


def _site(given: dict[str, Any], where: str) -> Site:
    if given.get("time_zone", "UTC") not in available_timezones():
        raise BadUserInputError(f"{where}: time_zone is an IANA name; one reads Europe/Berlin or UTC.")
    try:
        check_replay_url(given.get("replay_url_template", ""))
    except ValueError as error:
        raise BadUserInputError(f"{where}: replay_url_template {error}") from error
    return Site(
        **{"name": given["site_id"], "has_rollups": False}
        | {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    )


def _checked(table: dict[str, Any], known: Mapping[str, Any], needed: Sequence[str], where: str) -> dict[str, Any]:
    for name, value in table.items():
        if name not in known:
            raise BadUserInputError(f"{where}: {name!r} is unknown; known are {', '.join(known)}.")
        most = HIGHEST.get(name, MOST)
        if not _is(known[name], value) or value == "" or (type(value) is int and not 1 <= value <= most):
            raise BadUserInputError(f"{where}: {name} is {WRITTEN[known[name]].format(most=most)}.")
    for name in needed:
        if name not in table:
            raise BadUserInputError(f"{where}: {name} is missing.")
    return table


def _is(kind: Any, value: Any) -> bool:
    """Whether a value as TOML has it is of a kind of WRITTEN; of a list all entries are looked at."""
    if get_origin(kind) is not list:
        return type(value) is kind
    entry = get_origin(get_args(kind)[0]) or get_args(kind)[0]
    return type(value) is list and all(type(one) is entry for one in value)


def _dsn(template: str, where: str) -> str:
    """With `${VARIABLE}` filled in from the environment."""
    try:
        dsn = Template(template).substitute(os.environ)
        if Target.parse(dsn).is_embedded:
            raise BadUserInputError(
                f"{where}: dsn must be a server, http(s)://user:password@host:8123/db; one directory is all --clickhouse."
            )
    except KeyError as error:
        raise BadUserInputError(f"{where}: dsn names the variable {error.args[0]}, which is not in the environment.") from None
    except ValueError:
        raise BadUserInputError(f"{where}: dsn must be http(s)://user:password@host:8123/db; a dollar sign is written $$.") from None
    return dsn
