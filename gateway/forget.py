"""`python -m gateway forget`: deletes all that is stored about visitors of a site."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from clickhouse import erasure
from clickhouse.errors import BadUserInputError
from clickhouse.statement import portions
from gateway.cohorts import read_visitor_ids
from gateway.commands import site_option
from gateway.database import Database, open_database
from gateway.deriving import derive_touched
from gateway.settings import Settings, with_settings
from gateway.site_lock import site_lock
from gateway.sites import require_site


@click.command("forget")
@click.option("--visitor", "visitor_ids", multiple=True, help="A visitor's id as it was sent; may be repeated.")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of visitor ids, one a line.")
@site_option
@with_settings("clickhouse", "cluster_nodes")
def forget(settings: Settings, visitor_ids: Sequence[str], file: Path | None, site_id: str) -> None:
    """Delete all that is stored about visitors. Run again, it changes nothing; loading their rows again brings them back."""
    keys = tuple(dict.fromkeys([*visitor_ids, *(read_visitor_ids(file) if file else [])]))
    if not keys or "" in keys:
        raise BadUserInputError("Nobody to forget; give --visitor ID or --file FILE.")
    with open_database(settings) as database:
        require_site(database, site_id)
        with site_lock(settings.clickhouse, site_id, *database.clients):
            click.echo(forget_visitors(database, site_id, keys))


def forget_visitors(database: Database, site_id: str, visitor_keys: tuple[str, ...]) -> str:
    """What was done, in words."""
    database.require_own_tables()
    parts = list(portions(visitor_keys))
    rows, known = 0, 0
    for portion in parts:
        stored = database.query(erasure.compile_rows(site_id, portion))[0]
        rows, known = rows + stored["rows"], known + stored["visitors"]
        database.command(erasure.touch(site_id, portion), erasure.forget_rows(site_id, portion))
    derived_sessions = derive_touched(database, site_id)
    unseen = [row["page_key"] for row in database.query(erasure.compile_unseen_pages(site_id))]
    database.command(*(erasure.forget_pages(site_id, portion) for portion in portions(unseen)))
    for portion in parts:
        database.command(*erasure.forget_traces(site_id, portion))
    database.changed(site_id)
    database.command(*erasure.erase())
    return f"{known} of {len(visitor_keys)} visitors had rows: {rows} rows deleted, {derived_sessions} sessions derived anew."
