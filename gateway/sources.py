"""The configuration file of further sources (`--sources`), beside the one of `--clickhouse`, which is the first and holds the keys.

    [[sources]]
    name = "europe"                                        # `capabilities`, `viewer` and `meta` name it so
    dsn = "https://reader:${EUROPE_PASSWORD}@eu.example.com:8443/heatgraph"
    max_execution_ms = 5000                                # limits of its own; those of the settings if not given
    max_memory_bytes = 1000000000
    max_rows_to_read = 100000000
    pool_size = 8                                          # statements at once
    allow_partial = true                                   # a cluster answers without shards that are down, and `meta` says so

A site lives in one source, in whose table `sites` it is.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Any

from clickhouse.breaker import GuardedClient
from clickhouse.client import Limits, Target, connect
from clickhouse.errors import BadUserInputError
from clickhouse.kept import Kept
from clickhouse.reading import DEADLINE_GRACE_MS
from clickhouse.shared import SharedClient
from gateway.settings import Settings
from gateway.statements import ObservedClient
from resolvers.sources import Source, Sources

FIRST = "default"
WRITTEN = {str: "a text in quotes", int: "a number from 1 on", bool: "true or false"}
LIMITS = ("max_execution_ms", "max_memory_bytes", "max_rows_to_read")


@dataclass(frozen=True, slots=True)
class SourceSettings:
    name: str
    dsn: str
    limits: Limits
    pool_size: int
    allow_partial: bool = False


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
    names = [source.name for source in found]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise BadUserInputError(f"{settings.sources}: {min(doubles)!r} names two sources; {FIRST!r} is that of --clickhouse.")
    return found


def _source(table: Mapping[str, Any], first: SourceSettings, where: str) -> SourceSettings:
    known = {"name": str, "dsn": str, "allow_partial": bool, "pool_size": int} | dict.fromkeys(LIMITS, int)
    for name, value in table.items():
        if name not in known:
            raise BadUserInputError(f"{where}: {name!r} is unknown; known are {', '.join(known)}.")
        if type(value) is not known[name] or value == "" or (type(value) is int and value < 1):
            raise BadUserInputError(f"{where}: {name} is {WRITTEN[known[name]]}.")
    for name in ("name", "dsn"):
        if name not in table:
            raise BadUserInputError(f"{where}: {name} is missing.")
    limits = replace(first.limits, **{name: table[name] for name in LIMITS if name in table})
    pool_size, allow_partial = table.get("pool_size", first.pool_size), table.get("allow_partial", False)
    return SourceSettings(table["name"], _dsn(table["dsn"], where), limits, pool_size, allow_partial)


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


async def open_sources(settings: Settings) -> Sources:
    """Raises BadUserInputError, and SourceUnavailableError for an embedded engine that does not open; servers are first asked when needed."""
    kept = Kept(settings.cache_bytes)

    async def opened(source: SourceSettings) -> Source:
        client = SharedClient(await connect(source.dsn, source.limits, source.pool_size), kept, settings.version_seconds)
        without_shards = replace(source.limits, skip_unavailable_shards=True)
        remaining = await connect(source.dsn, without_shards, source.pool_size) if source.allow_partial else None
        timeout_s = (source.limits.max_execution_ms + DEADLINE_GRACE_MS) / 1000
        return Source(source.name, ObservedClient(source.name, GuardedClient(source.name, client, timeout_s, remaining)))

    return Sources([await opened(source) for source in configured_sources(settings)])
