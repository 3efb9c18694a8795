"""From files of rows to the tables questions are answered from.

    summary = load_files(database, site, [Path("clicks.ndjson.gz")], progress=True)

Each chunk of rows is parsed and checked (`gateway.staging`) and stored by ClickHouse; the sessions it touched are derived at the end.
Killed anywhere and run again it ends complete, because touched sessions are noted before their rows are stored. One load a site at a
time (`gateway.site_lock`).
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from clickhouse import received
from clickhouse.errors import BadUserInputError
from clickhouse.sites import Site
from gateway.database import Database
from gateway.deriving import derive_touched
from gateway.staging import Staged, drop_stages, staged


@dataclass(slots=True)
class LoadSummary:
    """read_rows = stored_rows + duplicate_rows + the sum of `rejected`."""

    read_rows: int = 0
    stored_rows: int = 0
    duplicate_rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)  # reason -> rows
    rejects_files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # files that could not be read to their end, and why
    derived_sessions: int = 0


def load_files(database: Database, site: Site, paths: Sequence[Path], progress: bool = False) -> LoadSummary:
    """Stores the rows of the files and derives the sessions they touch; bad rows go to FILE.rejected.ndjson.

    Where such a file of an earlier load is, it goes when this one read FILE to its end without any.
    """
    database.require_nodes()
    database.require_own_tables()
    now = datetime.now(UTC)
    summary = LoadSummary()
    sizes = {path: os.path.getsize(path) if os.path.exists(path) else 0 for path in paths}  # pathlib raises for a name too long
    hidden = not (progress and sys.stderr.isatty())
    with click.progressbar(length=sum(sizes.values()), label="Reading", file=sys.stderr, hidden=hidden) as bar:
        for path in paths:
            before, problems = bar.pos, len(summary.problems)
            try:
                for chunk in staged(database, site, path, now):
                    _store(chunk, path, summary)
                    bar.update(before + chunk.read_bytes - bar.pos)
                if len(summary.problems) == problems and os.path.abspath(_rejects_of(path)) not in map(
                    os.path.abspath, (*summary.rejects_files, *paths)
                ):
                    _remove_rejects(_rejects_of(path))
            except BadUserInputError as error:
                summary.problems.append(error.message)
            bar.update(before + sizes[path] - bar.pos)
    drop_stages(database)
    summary.derived_sessions = derive_touched(database, site.site_id, hidden)
    return summary


def _store(chunk: Staged, path: Path, summary: LoadSummary) -> None:
    database = chunk.database
    database.command(received.compile_known(chunk.site_id))
    outcomes = {outcome.pop("reason"): outcome for outcome in database.query(received.compile_outcome())}
    if any(outcomes):
        _write_rejects(chunk, _rejects_of(path), summary)
    good = outcomes.pop("", {"rows": 0, "new_rows": 0, "distinct_rows": 0})
    if good["new_rows"]:
        database.command(*received.compile_touch(), received.compile_store(distinct=good["distinct_rows"] == good["new_rows"]))
    summary.stored_rows += good["distinct_rows"]
    summary.duplicate_rows += good["rows"] - good["distinct_rows"]
    summary.read_rows += good["rows"] + sum(outcome["rows"] for outcome in outcomes.values())
    for reason, outcome in outcomes.items():
        summary.rejected[reason] += outcome["rows"]


def _rejects_of(path: Path) -> Path:
    return path.with_name(path.name + ".rejected.ndjson")


def _remove_rejects(path: Path) -> None:
    try:
        if os.path.isfile(path):
            path.unlink()
    except OSError as error:
        raise BadUserInputError(
            f"{path.name}: is of an earlier load, this one had no rejects; it cannot be removed: {error.strerror}."
        ) from error


def _write_rejects(chunk: Staged, path: Path, summary: LoadSummary) -> None:
    rejects = received.compile_rejects(chunk.first_line, chunk.types)
    lines = chunk.database.client.raw_query(rejects.sql, rejects.params, fmt="TSVRaw")
    try:
        with path.open("ab" if path in summary.rejects_files else "wb") as file:
            file.write(lines)
    except OSError as error:
        problem = f"{path.name}: rejected rows cannot be written there: {error.strerror}. Make room, and load the file again."
        if problem not in summary.problems:  # once a file; its good rows are stored nevertheless
            summary.problems.append(problem)
    else:
        if path not in summary.rejects_files:
            summary.rejects_files.append(path)
