"""`python -m gateway COMMAND`: serve, migrate, load, and the administration of sites, cohorts and keys."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from clickhouse.migrations import Step, migrate
from clickhouse.rollups import compile_stale_days, note_site
from clickhouse.sites import Site, compile_sites, insert_site
from gateway.cohorts import cohorts, save_cohort
from gateway.commands import Commands, site_option
from gateway.database import Database, open_database
from gateway.demo import has_demo_of, load_demo, make_demo_key, mark_ctas
from gateway.demo_visitors import demo_cohorts
from gateway.demo_visits import DEMO_DOMAINS, DEMO_SITE, DEMO_TEST_ACCOUNTS, demo_rows
from gateway.deriving import refresh_rollups
from gateway.forget import forget
from gateway.keys import keys
from gateway.load import LoadSummary, load_files
from gateway.secret import token_secret
from gateway.serving import serve
from gateway.settings import Settings, with_settings
from gateway.site_lock import site_lock
from gateway.sites import require_site, sites

DEMO_QUERY = "{ sites { nodes { siteId pages(first: 3) { edges { node { key } totals { clicks rageClicks } } } } } }"


@click.group(cls=Commands, context_settings={"auto_envvar_prefix": "HEATGRAPH", "max_content_width": 120})
def main() -> None:
    """Heatgraph: heatmaps of your pages, from ClickHouse, over GraphQL."""
    for name in ("heatgraph", "clickhouse_connect"):  # a command says it in one line; `serve` has a log
        logging.getLogger(name).addHandler(logging.NullHandler())


main.add_command(sites)
main.add_command(cohorts)
main.add_command(keys)
main.add_command(forget)


@main.command("serve")
@with_settings()
def serve_command(settings: Settings) -> None:
    """Answer GraphQL on /graphql. Every option is also the environment variable shown beside it."""
    serve(settings)


@main.command("migrate")
@with_settings("clickhouse", "cluster", "replicated")
def migrate_command(settings: Settings) -> None:
    """Create the tables, or bring them up to date. Run again, it changes nothing."""
    with open_database(settings) as database:
        for step in bring_up_to_date(settings, database):
            click.echo(f"Applied step {step.number}, {step.name}.")
    click.echo("The tables are up to date.")


def bring_up_to_date(settings: Settings, database: Database) -> list[Step]:
    """Applies the steps that are missing, which are returned, and sums up what is noted; on a cluster the next `load` of a site does that."""
    applied = migrate(database.client, settings.cluster or None, settings.replicated)
    if database.is_cluster:
        return applied
    anew = any(step.makes_rollups for step in applied)
    for row in database.query(compile_sites() if anew else compile_stale_days()):
        with site_lock(settings.clickhouse, row["site_id"], *database.clients):
            if anew:  # a load that ran beside the steps may have summed up what they noted, without the new sums
                database.command(note_site(row["site_id"]))
            refresh_rollups(database, row["site_id"])
    return applied


@main.command("load")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@site_option
@with_settings("clickhouse", "cluster_nodes")
def load_command(settings: Settings, files: tuple[Path, ...], site_id: str) -> None:
    """Store rows of NDJSON (.gz, .zst), CSV or Parquet files. The same rows again change nothing."""
    with open_database(settings, two_sessions=True) as database:
        require_site(database, site_id)
        with site_lock(settings.clickhouse, site_id, *database.clients):
            site = require_site(database, site_id)  # whose retention may have changed while this waited
            summary = load_files(database, site, files, progress=True)
    report(summary)
    if summary.problems:
        sys.exit(2)
    if summary.rejected and not summary.stored_rows and not summary.duplicate_rows:
        sys.exit(1)  # nothing but rejects: a script must not take that for success


def report(summary: LoadSummary) -> None:
    """What was read, stored and rejected, and why."""
    rejected_rows = sum(summary.rejected.values())
    click.echo(
        f"{summary.read_rows} rows read: {summary.stored_rows} stored, {summary.duplicate_rows} known already, "
        f"{rejected_rows} rejected; {summary.derived_sessions} sessions derived."
    )
    for reason, rows in summary.rejected.most_common():
        click.echo(f"  {rows} rejected: {reason}")
    for path in summary.rejects_files:
        click.echo(f"Rejected rows are in {click.format_filename(path)}")
    for problem in summary.problems:
        click.echo(f"Error: {problem}", err=True)


@main.command("schema")
def schema_command() -> None:
    """Print the GraphQL schema (SDL)."""
    from schema.build import build_schema

    click.echo(build_schema().as_str())


@main.command("demo")
@with_settings()
def demo_command(settings: Settings) -> None:
    """Make a demo site with data, print a key for it, and serve both on this machine only."""
    settings = replace(settings, host="127.0.0.1", workers=1, environment="development")
    now = datetime.now(UTC)
    with open_database(settings) as database:
        bring_up_to_date(settings, database)
        database.insert(insert_site(Site(DEMO_SITE, "Demo", tuple(DEMO_DOMAINS), test_account_rules=tuple(DEMO_TEST_ACCOUNTS)), now))
        with site_lock(settings.clickhouse, DEMO_SITE, *database.clients):
            if not has_demo_of(database, now):
                report(load_demo(database, demo_rows(now)))
        for name, visitor_ids in demo_cohorts().items():
            save_cohort(database, DEMO_SITE, name, visitor_ids)
        mark_ctas(database, now)
        token = make_demo_key(database, token_secret(settings), now)
    address = f"http://{settings.host}:{settings.port}/graphql"
    click.echo(f"\nToken    {token}")
    click.echo(f"GraphiQL {address}#token={token}")
    headers = f"-H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'"
    click.echo(f'curl -s {address} {headers} -d \'{{"query": "{DEMO_QUERY}"}}\'\n')
    serve(settings)


if __name__ == "__main__":
    main()
