"""`python -m gateway sites | keys | cohorts …`: who may ask about what. Each command is one process that ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import click

from clickhouse.cohorts import (
    Cohort,
    compile_add_members,
    compile_cohorts,
    compile_named,
    compile_remove_members,
    compile_sizes,
    insert_cohort,
)
from clickhouse.errors import BadUserInputError, NotFoundError
from clickhouse.keys import EVERY_SITE, SCOPES, ApiKey, compile_keys, insert_key
from clickhouse.names import checked_name
from clickhouse.sites import PLANS, Site, compile_retain, compile_sites, insert_site
from clickhouse.statement import portions
from gateway.auth import TOKEN, hash_token, new_token
from gateway.database import Database, open_database
from gateway.settings import Settings, with_settings
from gateway.site_lock import site_lock
from gateway.sources import configured_sources
from resolvers.cohorts import MAX_VISITOR_ID_LENGTH

SITE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}(?::\d{1,5})?")


def _site_id(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not SITE_ID.fullmatch(value):
        raise click.BadParameter(f"{value!r} must be 1 to 64 letters, digits, '_', '.' or '-'.")
    return value


def _name(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return value if value is None else checked_name(value, "--name")


def _test_accounts(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(checked_name(value, "--test-account", MAX_VISITOR_ID_LENGTH) for value in values)


def _domains(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    for value in values:
        if not DOMAIN.fullmatch(value.lower()):
            raise click.BadParameter(f"{value!r} is no host name; give it as in example.com, without https:// and path.")
    return tuple(dict.fromkeys(value.lower() for value in values))


def _time_zone(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and value not in available_timezones():
        raise click.BadParameter(f"{value!r} is no IANA time zone; one reads Europe/Berlin or UTC.")
    return value


def _replay_url(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value:
        parts = urlsplit(value)
        bare = re.sub(r"\{(?:sessionId|visitorId|offsetSeconds|date)\}", "", value)
        if parts.scheme != "https" or not parts.hostname or "{" in parts.netloc or "{sessionId}" not in value or re.search(r"[{}\s]", bare):
            raise click.BadParameter(
                f"{value!r} must be an https:// address with {{sessionId}} behind its host; {{visitorId}}, {{offsetSeconds}} and {{date}} may"
                " stand there too, but no other braces or spaces."
            )
    return value


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


def require_site(database: Database, site_id: str) -> Site:
    rows = database.query(compile_sites([site_id]))
    if not rows:
        raise NotFoundError(f"There is no site {site_id!r}; make it with: python -m gateway sites create {site_id}")
    return Site.from_row(rows[0])


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


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@click.group()
def sites() -> None:
    """The sites whose visitors are measured: plan, domains, time zone, test accounts, replays."""


def _site_options(command: Any) -> Any:
    for option in (
        click.argument("site", required=False, callback=_site_id),
        click.option("--site", "named_site", metavar="SITE", callback=_site_id, help="The site's id, instead of the argument."),
        click.option("--name", callback=_name, help="What people call it; the id if not given."),
        click.option("--domain", "domains", multiple=True, callback=_domains, help="A host name of the site; may be repeated."),
        click.option(
            "--plan", type=click.Choice(list(PLANS), case_sensitive=False), help="Limits pages and retention; ENTERPRISE if not given."
        ),
        click.option("--time-zone", callback=_time_zone, help="IANA name; days like dStart follow it; UTC if not given."),
        click.option("--retention-days", type=click.IntRange(1, 3650), help="How long rows are kept; the plan's if not given."),
        click.option(
            "--test-account",
            "test_account_rules",
            multiple=True,
            callback=_test_accounts,
            help="Visitor ids of test accounts, `*` is one or more characters (*@example.com); may be repeated.",
        ),
        click.option(
            "--replay-url-template",
            callback=_replay_url,
            help="https:// address of a replay, with {sessionId} in it; {visitorId}, {offsetSeconds} and {date}, the UTC day it began, if wanted.",
        ),
    ):
        command = option(command)
    return command


def _named(site: str | None, named_site: str | None) -> str:
    if site and named_site and site != named_site:
        raise BadUserInputError(f"Two sites are named, {site!r} and {named_site!r}; name one.")
    if not (chosen := site or named_site):
        raise BadUserInputError("Name the site: python -m gateway sites … SITE")
    return chosen


def _given(changes: dict[str, Any]) -> dict[str, Any]:
    """Only what was given; a new plan brings its own retention unless that was given, too."""
    given = {name: value for name, value in changes.items() if value not in (None, ())}
    if plan := given.get("plan"):
        given.setdefault("retention_days", PLANS[plan].retention_days)
    return given


@sites.command("create")
@_site_options
@with_settings("clickhouse")
def create_site(settings: Settings, site: str | None, named_site: str | None, **changes: Any) -> None:
    """Make a site, to which rows can then be loaded."""
    site_id = _named(site, named_site)
    with open_database(settings) as database:
        if database.query(compile_sites([site_id])):
            raise BadUserInputError(f"Site {site_id!r} exists; change it with: python -m gateway sites set {site_id} …")
        database.insert(insert_site(replace(Site(site_id, site_id), **_given(changes)), datetime.now(UTC)))
    click.echo(f"Site {site_id} made. Load rows with: python -m gateway load FILE --site {site_id}")


@sites.command("set")
@_site_options
@with_settings("clickhouse", "cluster_nodes")
def set_site(settings: Settings, site: str | None, named_site: str | None, **changes: Any) -> None:
    """Change what is given of a site and leave the rest; a list given replaces the old one."""
    site_id = _named(site, named_site)
    if not (given := _given(changes)):
        raise BadUserInputError("Nothing to change; give an option, for example --plan BUSINESS.")
    with open_database(settings) as database:
        require_site(database, site_id)
        lock = site_lock(settings.clickhouse, site_id, *database.clients)
        with lock if "retention_days" in given else nullcontext():  # rows that are being loaded have the old one
            before = require_site(database, site_id)
            after = replace(before, **given)
            if after.retention_days != before.retention_days:
                database.command(*compile_retain(after))
            after = replace(require_site(database, site_id), **given)  # another may have set something meanwhile
            database.insert(insert_site(after, datetime.now(UTC)))  # last, so that it is done again when this is killed
    click.echo(f"Site {site_id} changed.")


@sites.command("list")
@with_settings("clickhouse")
def list_sites(settings: Settings) -> None:
    """Every site, one a line."""
    with open_database(settings) as database:
        found = [Site.from_row(row) for row in database.query(compile_sites())]
    print_table(
        ("SITE", "NAME", "PLAN", "RETENTION", "TIME ZONE", "DOMAINS", "TEST ACCOUNTS", "REPLAYS"),
        [
            (
                site.site_id,
                site.name,
                site.plan,
                f"{site.retention_days} d",
                site.time_zone,
                " ".join(site.domains),
                " ".join(site.test_account_rules),
                site.replay_url_template,
            )
            for site in found
        ],
    )


@click.group()
def cohorts() -> None:
    """Named sets of visitors to narrow a question to."""


@cohorts.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "site_id", required=True, callback=_site_id, help="The site's id.")
@click.option("--name", required=True, callback=_name, help="The cohort's name; a name that exists gets these visitors in addition.")
@with_settings("clickhouse")
def load_cohort(settings: Settings, file: Path, site_id: str, name: str) -> None:
    """Add the visitor ids in FILE, one a line, to a cohort, which is made if it is not there."""
    visitor_ids = read_visitor_ids(file)
    with open_database(settings) as database:
        require_site(database, site_id)
        cohort_id = save_cohort(database, site_id, name, visitor_ids)
        (sized,) = database.query(compile_sizes(site_id, [cohort_id]))
    click.echo(f"Cohort {cohort_id} ({name}) of site {site_id} has {sized['size']} visitors.")


@cohorts.command("list")
@click.option("--site", "site_id", required=True, callback=_site_id, help="The site's id.")
@with_settings("clickhouse")
def list_cohorts(settings: Settings, site_id: str) -> None:
    """The cohorts of a site, one a line."""
    with open_database(settings) as database:
        require_site(database, site_id)
        found = [Cohort.from_row(row) for row in database.query(compile_cohorts(site_id))]
        sizes = {row["cohort_id"]: row["size"] for row in database.query(compile_sizes(site_id, [cohort.cohort_id for cohort in found]))}
    print_table(("COHORT", "NAME", "VISITORS"), [(one.cohort_id, one.name, str(sizes.get(one.cohort_id, 0))) for one in found])


@cohorts.command("delete")
@click.option("--site", "site_id", required=True, callback=_site_id, help="The site's id.")
@click.option("--name", required=True, help="The cohort's name.")
@with_settings("clickhouse", "cluster_nodes")
def delete_cohort(settings: Settings, site_id: str, name: str) -> None:
    """Delete a cohort, and what is stored of it and of those deleted before."""
    with open_database(settings) as database:
        require_site(database, site_id)
        database.require_nodes()
        cohort, exists = Cohort.named(site_id, name, database.query(compile_named(site_id, name)))
        if not exists:
            raise BadUserInputError(f"Site {site_id} has no cohort {name!r}; `cohorts list` shows those it has.")
        database.insert(insert_cohort(cohort, datetime.now(UTC), deleted=True))
        database.command(compile_remove_members(site_id))
    click.echo(f"Cohort {cohort.cohort_id} ({name}) of site {site_id} deleted.")


def read_visitor_ids(file: Path) -> list[str]:
    """Distinct ids in the file's order; raises BadUserInputError that names the line that is none."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise BadUserInputError(f"{file} is not a text file in UTF-8; write one visitor id a line.") from None
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_VISITOR_ID_LENGTH or "\0" in line:
            raise BadUserInputError(f"Line {number} of {file} is no visitor id; write one a line, at most {MAX_VISITOR_ID_LENGTH} long.")
    visitor_ids = list(dict.fromkeys(stripped for line in lines if (stripped := line.strip())))
    if not visitor_ids:
        raise BadUserInputError(f"{file} is empty; write one visitor id a line.")
    return visitor_ids


def save_cohort(database: Database, site_id: str, name: str, visitor_ids: Sequence[str]) -> str:
    """The cohort's id. Members first, so that a cohort that is seen is whole; the same again changes nothing."""
    cohort, exists = Cohort.named(site_id, name, database.query(compile_named(site_id, name)))
    for portion in portions(visitor_ids):
        database.command(compile_add_members(site_id, cohort.cohort_id, portion))
    if not exists:
        database.insert(insert_cohort(cohort, datetime.now(UTC)))
    return cohort.cohort_id


@click.group()
def keys() -> None:
    """API keys: which scopes on which sites."""


@keys.command("create")
@click.option("--site", "site_ids", multiple=True, required=True, help="A site it may ask about, '*' for every site; may be repeated.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="What it may do; may be repeated.")
@click.option("--name", callback=_name, help="What it is for.")
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
        database.insert(insert_key(replace(old, key_id=key_id, token_hash=hashed, created_at=now), now))
        database.insert(insert_key(replace(old, expires_at=ends_at), now))
    click.echo(
        f"Key {key_id} made; {old.key_id} works until {ends_at:%Y-%m-%d %H:%M} UTC. This is the new token; it is not shown again:", err=True
    )
    click.echo(token)


@keys.command("list")
@click.option("--site", "site_id", callback=_site_id, help="Only keys that may ask about this site.")
@with_settings("clickhouse")
def list_keys(settings: Settings, site_id: str | None) -> None:
    """Every key, one a line; never its token."""
    with open_database(settings) as database:
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
@with_settings("clickhouse")
def revoke_key(settings: Settings, key: str) -> None:
    """End a key, named by its id or its token. Servers notice within seconds."""
    with open_database(settings) as database:
        revoked = replace(require_key(database, key), revoked=True)
        database.insert(insert_key(revoked, datetime.now(UTC)))
    click.echo(f"Key {revoked.key_id} revoked.")


def require_key(database: Database, key: str) -> ApiKey:
    """The key of an id or a token."""
    key_id = match[1] if (match := TOKEN.fullmatch(key)) else key
    rows = database.query(compile_keys(key_id=key_id))
    if not rows:
        raise NotFoundError(f"There is no key {key_id!r}; see: python -m gateway keys list")
    return ApiKey.from_row(rows[0])


def token_secret(settings: Settings) -> bytes:
    try:
        return settings.token_secret()
    except OSError as error:
        raise BadUserInputError(f"The secret file cannot be used: {error}. Set HEATGRAPH_SECRET or HEATGRAPH_SECRET_FILE.") from error
