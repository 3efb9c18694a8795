"""`python -m gateway cohorts …`: named sets of visitors, and files of visitors' ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

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
from clickhouse.errors import BadUserInputError
from clickhouse.names import MAX_VISITOR_ID_CHARACTERS
from clickhouse.statement import portions
from gateway.commands import checked_name_option, print_table, site_option
from gateway.database import Database, open_database
from gateway.settings import Settings, with_settings
from gateway.sites import require_site


@click.group()
def cohorts() -> None:
    """Named sets of visitors to narrow a question to."""


@cohorts.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@site_option
@click.option(
    "--name", required=True, callback=checked_name_option, help="The cohort's name; a name that exists gets these visitors in addition."
)
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
@site_option
@with_settings("clickhouse")
def list_cohorts(settings: Settings, site_id: str) -> None:
    """The cohorts of a site, one a line."""
    with open_database(settings) as database:
        require_site(database, site_id)
        found = [Cohort.from_row(row) for row in database.query(compile_cohorts(site_id))]
        sizes = {row["cohort_id"]: row["size"] for row in database.query(compile_sizes(site_id, [cohort.cohort_id for cohort in found]))}
    print_table(("COHORT", "NAME", "VISITORS"), [(one.cohort_id, one.name, str(sizes.get(one.cohort_id, 0))) for one in found])


@cohorts.command("delete")
@site_option
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
        if len(line) > MAX_VISITOR_ID_CHARACTERS or "\0" in line:
            raise BadUserInputError(
                f"Line {number} of {file} is no visitor id; write one a line, at most {MAX_VISITOR_ID_CHARACTERS} long."
            )
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
