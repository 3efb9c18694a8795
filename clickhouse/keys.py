"""API keys: which scopes on which sites. Of a token only its keyed hash is stored.

key.may("heatmap:read") and key.sees("shop")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from clickhouse import clock
from clickhouse.insert import Insert
from clickhouse.statement import Params, Statement, where_all

SCOPES = ("heatmap:read", "replay:read", "element:write", "cohort:write", "admin")
EVERY_SITE = "*"


@dataclass(frozen=True, slots=True)
class ApiKey:
    key_id: str
    name: str
    scopes: frozenset[str]
    site_ids: frozenset[str]
    expires_at: datetime | None = None
    revoked: bool = False
    token_hash: str = field(default="", repr=False)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    updated_at: datetime | None = field(default=None, compare=False)
    """None for a key that is not stored yet."""

    def may(self, scope: str) -> bool:
        """`admin` is every scope."""
        return scope in self.scopes or "admin" in self.scopes

    def sees(self, site_id: str) -> bool:
        return site_id in self.site_ids or EVERY_SITE in self.site_ids

    @property
    def visible_site_ids(self) -> frozenset[str] | None:
        """The sites it is limited to, None when it sees every site."""
        return None if EVERY_SITE in self.site_ids else self.site_ids

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> ApiKey:
        return cls(
            key_id=row["key_id"],
            name=row["name"],
            scopes=frozenset(row["scopes"]),
            site_ids=frozenset(row["site_ids"]),
            expires_at=row["expires_at"] and row["expires_at"].replace(tzinfo=UTC),
            revoked=bool(row["revoked"]),
            token_hash=row["token_hash"],
            created_at=row["created_at"].replace(tzinfo=UTC),
            updated_at=row["updated_at"].replace(tzinfo=UTC),
        )


def compile_keys(key_id: str | None = None, site_id: str | None = None) -> Statement:
    """Rows for `ApiKey.from_row`, oldest first, revoked ones too; all, the one with this id, or those that see a site."""
    params = Params()
    where = []
    if key_id is not None:
        where.append(f"key_id = {params.text(key_id)}")
    if site_id is not None:
        where.append(f"hasAny(site_ids, {params.texts((site_id, EVERY_SITE))})")
    statement = Statement.of(
        [
            "SELECT key_id, name, scopes, site_ids, expires_at, revoked, token_hash, created_at, updated_at",
            "FROM api_keys FINAL",
            *([where_all(where)] if where else []),
            "ORDER BY created_at, key_id",
        ],
        params,
    )
    return replace(statement, ahead=key_id is not None)


def insert_key(key: ApiKey, now: datetime) -> Insert:
    """Creates the key or replaces it; revoking is inserting it again with `revoked`."""
    row = {
        "key_id": key.key_id,
        "token_hash": key.token_hash,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "site_ids": sorted(key.site_ids),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked": key.revoked,
        "updated_at": clock.later(now, key.updated_at),
    }
    return Insert("api_keys", tuple(row), [tuple(row.values())])
