"""`python -m gateway sites …`: the sites whose visitors are measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

import click

from clickhouse.errors import BadUserInputError, NotFoundError
from clickhouse.names import MAX_VISITOR_ID_CHARACTERS, checked_name
from clickhouse.sites import PLANS, Site, compile_retain, compile_sites, insert_site
from gateway.commands import checked_name_option, checked_site_id, print_table
from gateway.database import Database, open_database
from gateway.setting_types import REPLAY_URL
from gateway.settings import Settings, with_settings
from gateway.site_lock import site_lock

DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}(?::\d{1,5})?")


def _test_accounts(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(checked_name(value, "--test-account", MAX_VISITOR_ID_CHARACTERS) for value in values)


def _domains(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    for value in values:
        if not DOMAIN.fullmatch(value.lower()):
            raise click.BadParameter(f"{value!r} is no host name; give it as in example.com, without https:// and path.")
    return tuple(dict.fromkeys(value.lower() for value in values))


def _time_zone(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and value not in available_timezones():
        raise click.BadParameter(f"{value!r} is no IANA time zone; one reads Europe/Berlin or UTC.")
    return value


def require_site(database: Database, site_id: str) -> Site:
    rows = database.query(compile_sites([site_id]))
    if not rows:
        raise NotFoundError(f"There is no site {site_id!r}; make it with: python -m gateway sites create {site_id}")
    return Site.from_row(rows[0])


@click.group()
def sites() -> None:
    """The sites whose visitors are measured: plan, domains, time zone, test accounts, replays."""


def _site_options(command: Any) -> Any:
    for option in (
        click.argument("site", required=False, callback=checked_site_id),
        click.option("--site", "named_site", metavar="SITE", callback=checked_site_id, help="The site's id, instead of the argument."),
        click.option("--name", callback=checked_name_option, help="What people call it; the id if not given."),
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
            type=REPLAY_URL,
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
