"""What is derived from stored rows: the sessions that they touched, and the sums of the days these lie on.

    derive_touched(database, "site_abc123")     -> how many sessions had to be derived

Killed anywhere and run again it ends complete: what is noted as touched or stale is settled last.
"""

from __future__ import annotations

import sys
from time import sleep

import click

from clickhouse import derive, rollups
from clickhouse.statement import drop_temporary
from gateway.database import Database

BATCH_ROWS = 1_250_000  # take about a gigabyte of memory
DAYS_AT_ONCE = 7  # whose sums fit into memory


def derive_touched(database: Database, site_id: str, hidden: bool = True) -> int:
    """How many sessions had to be derived. Without `hidden` a progress bar is shown."""
    sessions: int = database.query(derive.compile_touched(site_id))[0]["sessions"]
    if sessions:
        database.changed(site_id)  # before the sessions are settled: until then nobody keeps answers, and from then on all are new
        _derive(database, site_id, hidden)
    refresh_rollups(database, site_id)
    return sessions


def _derive(database: Database, site_id: str, hidden: bool) -> None:
    """Derives all touched sessions, and once more with those that share elements with a session whose breakpoint turned out another."""
    stale: set[int] = set()
    batches = derive.batches(site_id, database.query(derive.compile_waiting(site_id))[0]["rows"], BATCH_ROWS)
    known = {batch: found for batch in batches if (found := database.query(derive.compile_known(batch))[0])["sessions"]}
    if known:
        database.command(*map(rollups.note_sessions, known))
        sleep(database.notice_s)  # a gateway that does not know that these days are noted would add up their old and their new sums
    with click.progressbar(batches, label="Deriving", file=sys.stderr, hidden=hidden) as bar:
        for batch in bar:
            database.command(*derive.stage(batch))
            if batch in known:
                database.command(*derive.clear(batch, known[batch]["first"], known[batch]["last"]))
            database.command(*derive.derive(batch))
            if batch in known:
                stale |= {row["element"] for row in database.query(derive.compile_stale_elements(batch))}
    database.command(*drop_temporary(derive.STAGE))
    if stale:
        for start in range(0, len(stale), derive.MAX_STALE):
            database.command(*derive.retell(site_id, sorted(stale)[start : start + derive.MAX_STALE]))
        _derive(database, site_id, hidden)
    database.command(derive.settled(site_id))


def refresh_rollups(database: Database, site_id: str) -> None:
    """Sums up every day of the site that was noted."""
    for row in database.query(rollups.compile_stale_days(site_id)):
        for start in range(0, len(row["days"]), DAYS_AT_ONCE):
            database.command(*rollups.refresh(row["site_id"], row["days"][start : start + DAYS_AT_ONCE]))
        database.changed(row["site_id"])  # what was kept meanwhile says that these days are noted
