"""`python -m gateway keys …`: which scopes on which sites a token opens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click

from clickhouse.errors import BadUserInputError, NotFoundError
from clickhouse.keys import EVERY_SITE, SCOPES, ApiKey, compile_keys, insert_key
from clickhouse.sites import compile_sites
from gateway.auth import TOKEN, hash_token, new_token
from gateway.commands import checked_name_option, checked_site_id, print_table
from gateway.database import Database, open_database
from gateway.secret import token_secret
from gateway.settings import Settings, with_settings
from gateway.sites import require_site
from gateway.source_settings import configured_sources


def _expiry(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """`90d`, or a UTC day, whose midnight it is."""
    if value is None:
        return None
    try:
        days = re.fullmatch(r"(\d{1,4})d", value)
        expiry = datetime.now(UTC) + timedelta(days=int(days[1])) if days else datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise click.BadParameter(f"{value!r} must be a number of days as in 90d, or a day as in 2027-01-31.") from None
    if expiry <= datetime.now(UTC):
        raise click.BadParameter(f"{value!r} is not in the future.")
    return expiry


def require_site_somewhere(settings: Settings, database: Database, site_id: str) -> None:
    """In the first source, where keys are, or in one of the others."""
    others = configured_sources(settings)[1:]
    if any(site_id in source.sites for source in others if source.sites):
        return
    for source in (other for other in others if other.sites is None):
        with open_database(replace(settings, clickhouse=source.dsn, cluster_nodes="")) as other:
            if other.query(compile_sites([site_id])):
                return
    require_site(database, site_id)


@click.group()
def keys() -> None:
    """API keys: which scopes on which sites."""


@keys.command("create")
@click.option("--site", "site_ids", multiple=True, required=True, help="A site it may ask about, '*' for every site; may be repeated.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="What it may do; may be repeated.")
@click.option("--name", callback=checked_name_option, help="What it is for.")
@click.option("--expires", "expires_at", callback=_expiry, help="Days from now (90d) or a UTC day (2027-01-31); never if not given.")
@with_settings("clickhouse", "sources", "secret", "secret_file")
def create_key(settings: Settings, site_ids: Sequence[str], scopes: Sequence[str], name: str | None, expires_at: datetime | None) -> None:
    """Make a key and print its token, once: only a hash of it is stored."""
    key_id, token = new_token()
    with open_database(settings) as database:
        for site_id in site_ids:
            if site_id != EVERY_SITE:
                require_site_somewhere(settings, database, site_id)
        hashed = hash_token(token, token_secret(settings))
        key = ApiKey(key_id, name or "", frozenset(scopes), frozenset(site_ids), expires_at, token_hash=hashed)
        database.insert(insert_key(key, datetime.now(UTC)))
    click.echo(f"Key {key_id} made. This is its token; it is not shown again:", err=True)
    click.echo(token)


@keys.command("rotate")
@click.argument("key")
@click.option("--grace-hours", default=24, show_default=True, type=click.IntRange(0, 87_600), help="How long the old token still works.")
@with_settings("clickhouse", "secret", "secret_file")
def rotate_key(settings: Settings, key: str, grace_hours: int) -> None:
    """Make a key like KEY (its id or token) and print its token, once; the old one works until its grace is over."""
    key_id, token = new_token()
    with open_database(settings) as database:
        old, now = require_key(database, key), datetime.now(UTC)
        if _state(old) != "valid":
            raise BadUserInputError(f"Key {old.key_id} is {_state(old)}; make a new one with: python -m gateway keys create …")
        ends_at = min(old.expires_at or datetime.max.replace(tzinfo=UTC), now + timedelta(hours=grace_hours))
        hashed = hash_token(token, token_secret(settings))
        database.insert(insert_key(replace(old, key_id=key_id, token_hash=hashed, created_at=now, updated_at=None), now))
        database.insert(insert_key(replace(old, expires_at=ends_at), now))
    click.echo(
        f"Key {key_id} made; {old.key_id} works until {ends_at:%Y-%m-%d %H:%M} UTC. This is the new token; it is not shown again:", err=True
    )
    click.echo(token)


@keys.command("list")
@click.option("--site", "site_id", callback=checked_site_id, help="Only keys that may ask about this site.")
@with_settings("clickhouse", "sources")
def list_keys(settings: Settings, site_id: str | None) -> None:
    """Every key, one a line; never its token."""
    with open_database(settings) as database:
        if site_id is not None:
            require_site_somewhere(settings, database, site_id)
        found = [ApiKey.from_row(row) for row in database.query(compile_keys(site_id=site_id))]
    print_table(
        ("KEY", "NAME", "SITES", "SCOPES", "MADE", "EXPIRES", "STATE"),
        [
            (
                key.key_id,
                key.name,
                " ".join(sorted(key.site_ids)),
                " ".join(sorted(key.scopes)),
                f"{key.created_at:%Y-%m-%d}",
                f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "never",
                _state(key),
            )
            for key in found
        ],
    )


def _state(key: ApiKey) -> str:
    if key.revoked:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= datetime.now(UTC) else "valid"


@keys.command("revoke")
@click.argument("key")
@click.option("--site", "site_id", callback=checked_site_id, help="Only if it may ask about this site.")
@with_settings("clickhouse")
def revoke_key(settings: Settings, key: str, site_id: str | None) -> None:
    """End a key, named by its id or its token. Servers notice within seconds."""
    with open_database(settings) as database:
        revoked = replace(require_key(database, key), revoked=True)
        if site_id is not None and not revoked.sees(site_id):
            raise NotFoundError(f"Key {revoked.key_id} is none of {site_id!r}; see: python -m gateway keys list --site {site_id}")
        database.insert(insert_key(revoked, datetime.now(UTC)))
    click.echo(f"Key {revoked.key_id} revoked.")


def require_key(database: Database, key: str) -> ApiKey:
    """The key of an id or a token."""
    key_id = match[1] if (match := TOKEN.fullmatch(key)) else key
    rows = database.query(compile_keys(key_id=key_id))
    if not rows:
        raise NotFoundError(f"There is no key {key_id!r}; see: python -m gateway keys list")
    return ApiKey.from_row(rows[0])
