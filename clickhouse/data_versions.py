"""The version of a site's data: another number after each change of its rows, marks, cohorts or settings.

    client.insert(*insert_change(["shop"]))        # whoever changes something, before it and after it, even if it failed

A site nobody has changed since the table exists has no version, and neither has one that is being loaded, or whose load was broken off.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any

from clickhouse.insert import Insert
from clickhouse.statement import Statement


def compile_versions() -> Statement:
    """One row a site that is at rest: site_id, version."""
    return Statement(
        "SELECT site_id, sum(version) AS version\n"
        "FROM data_versions\n"
        "WHERE site_id NOT IN (SELECT site_id FROM touched_sessions)\n"
        "GROUP BY site_id",
        {},
        ahead=True,
    )


def insert_change(site_ids: Collection[str]) -> Insert:
    return Insert("data_versions", ("site_id", "version"), [(site_id, secrets.randbits(64)) for site_id in sorted(site_ids)])


def changed_sites(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> set[str]:
    """The sites rows to insert belong to."""
    if "site_id" not in columns:
        return set()
    at = list(columns).index("site_id")
    return {row[at] for row in rows}
