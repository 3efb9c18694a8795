"""A load on the embedded engine whose process is killed in the middle; alone here, because a process has one embedded engine."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from gateway.database import Database
from gateway.load import load_files
from tests.clickhouse.stored import stored
from tests.gateway.loading import ndjson, visit

KILLED = """
import os, signal, sys, threading
from pathlib import Path
from clickhouse.client import open_sync
from clickhouse.sites import Site
from gateway.database import Database
from gateway.load import load_files
dsn, site_id, file, seconds = sys.argv[1:]
client = open_sync(dsn)
threading.Timer(float(seconds), os.kill, (os.getpid(), signal.SIGKILL)).start()
load_files(Database(client), Site(site_id, "Test"), [Path(file)])
os._exit(0)
"""


def test_killed_for_real(tmp_path: Path) -> None:
    """A process that is killed in the middle of its work on the embedded engine."""
    file = tmp_path / "rows.ndjson"
    file.write_bytes(
        ndjson([{**row, "sessionId": f"{row['sessionId']} {copy}"} for copy in range(10) for number in range(200) for row in visit(number)])
    )
    dsn = f"chdb://{tmp_path}/data"
    database = open_sync(dsn)
    migrate(database)
    load_files(Database(database), Site("undisturbed", "Test"), [file])
    expected = stored(database, "undisturbed")
    database.close()
    delays_s = ("0.2", "0.7")
    for delay_s in delays_s:
        command = [sys.executable, "-c", KILLED, dsn, f"killed {delay_s}", str(file), delay_s]
        died = subprocess.run(command, check=False, capture_output=True, cwd=Path(__file__).parents[2])
        assert died.returncode in (0, -signal.SIGKILL), died.stderr
    database = open_sync(dsn)
    for delay_s in delays_s:
        load_files(Database(database), Site(f"killed {delay_s}", "Test"), [file])
        assert stored(database, f"killed {delay_s}") == expected
    database.close()
