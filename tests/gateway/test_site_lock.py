"""Commands that write one site at the same time, each a process of its own, on a real server."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.client import open_sync
from clickhouse.errors import SourceUnavailableError
from clickhouse.migrations import migrate
from clickhouse.sites import Site, insert_site
from gateway.database import Database, open_database
from gateway.load import load_files
from gateway.settings import Settings
from gateway.site_lock import site_lock
from tests.gateway.loading import START, ndjson, visit
from tests.gateway.processes import ROOT, free_port, wait_for
from tests.servers import Node, server

VISITS = 900
HOLD = """
import sys, time
from gateway.site_lock import site_lock
with site_lock(*sys.argv[1:]):
    print("held", flush=True)
    time.sleep(60)
"""

KILLED_WHILE_WRITING = """
import sys
from clickhouse.client import open_sync
from gateway.site_lock import site_lock
client = open_sync(sys.argv[1])
with site_lock(sys.argv[1], "shop", client):
    client.command("INSERT INTO slow SELECT sleepEachRow(0.1) FROM numbers(100) SETTINGS max_block_size = 1")
"""

TAKE_TURNS = """
import pathlib, sys, time
from gateway.site_lock import site_lock
file = pathlib.Path(sys.argv[2])
for number in range(12):
    with site_lock(sys.argv[1], "shop"):
        file.touch(exist_ok=False)
        time.sleep(0.15 * (number % 2))
        file.unlink()
"""


@pytest.fixture
def dsn(node: Node) -> Iterator[str]:
    """A database with the site `shop`."""
    name = f"lock_{uuid.uuid4().hex}"
    open_sync(node.dsn()).command(f"CREATE DATABASE {name}")
    migrate(open_sync(node.dsn(name)))
    with open_database(Settings(clickhouse=node.dsn(name))) as database:
        database.insert(insert_site(Site("shop", "Shop"), START))
    yield node.dsn(name)
    open_sync(node.dsn()).command(f"DROP DATABASE {name}")


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def load(dsn: str, path: Path, site_id: str) -> subprocess.Popen[str]:
    return start("-m", "gateway", "load", path, "--site", site_id, "--clickhouse", dsn)


def hold(dsn: str, site_id: str, first: str = "") -> subprocess.Popen[str]:
    """A process that holds the lock of the site; what it does before that."""
    process = start("-c", first + HOLD, dsn, site_id)
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


def succeed(process: subprocess.Popen[str]) -> None:
    _, problems = process.communicate(timeout=120)
    assert process.returncode == 0, problems


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def files(folder: Path, count: int) -> list[Path]:
    """Visits, each in one of so many files."""
    paths = [folder / f"{number}.ndjson" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(ndjson([row for visitor in range(number, VISITS, count) for row in visit(visitor)]))
    return paths


def derived(dsn: str) -> dict[str, int]:
    """Rows by table."""
    client = open_sync(dsn)
    rows = {name: client.query(f"SELECT count() FROM {name} FINAL").result_rows[0][0] for name in ("received", "sessions")}
    rows |= {name: client.query(f"SELECT count() FROM {name}").result_rows[0][0] for name in ("interactions", "pageviews")}
    rows["clicks by day"] = client.query("SELECT sum(clicks) FROM pages_daily").result_rows[0][0]
    return rows


def test_loads_of_one_site_at_once_lose_nothing(dsn: str, tmp_path: Path) -> None:
    paths = files(tmp_path, 3)
    for process in [load(dsn, path, "shop") for path in paths]:
        succeed(process)
    at_once = derived(dsn)
    load_files(Database(open_sync(dsn)), Site("later", "Later"), paths)
    assert {name: rows * 2 for name, rows in at_once.items()} == derived(dsn)
    assert at_once["sessions"] == VISITS


def test_a_load_waits_and_says_so(dsn: str, tmp_path: Path) -> None:
    (path,) = files(tmp_path, 1)
    holder = hold(dsn, "shop")
    loading = load(dsn, path, "shop")
    assert loading.stderr
    assert loading.stderr.readline() == "Another command is writing the site shop; waiting for it to end.\n"
    forgetting = start("-m", "gateway", "forget", "--visitor", "v1", "--site", "shop", "--clickhouse", dsn)
    time.sleep(1)
    assert (loading.poll(), forgetting.poll(), derived(dsn)["received"]) == (None, None, 0)
    kill(holder)  # which leaves no lock behind
    succeed(loading)
    succeed(forgetting)
    assert derived(dsn)["received"] > 0


def test_it_holds_for_one_site(dsn: str) -> None:
    holder = hold(dsn, "shop")
    with site_lock(dsn, "blog"), site_lock(dsn, "news"):
        assert running(dsn) == 3
    wait_for(lambda: running(dsn) == 1)
    kill(holder)
    wait_for(lambda: running(dsn) == 0)


def test_nobody_holds_it_beside_another(dsn: str, tmp_path: Path) -> None:
    """Each of many turns makes the same file, which must not be there, and takes it away again."""
    processes = [start("-c", TAKE_TURNS, dsn, tmp_path / "turn") for _ in range(3)]
    for process in processes:
        succeed(process)
    assert not (tmp_path / "turn").exists()


def test_it_waits_for_what_a_killed_command_was_writing(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    client = open_sync(dsn)
    client.command("CREATE TABLE slow (number UInt8) ENGINE = Memory")
    process = start("-c", KILLED_WHILE_WRITING, dsn)
    wait_for(lambda: bool(client.query("SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO slow%'").result_rows[0][0]))
    kill(process)
    with site_lock(dsn, "blog", client):  # of which it wrote nothing
        assert rows_of(client, "slow") < 100
    with site_lock(dsn, "shop", client):
        assert rows_of(client, "slow") == 100
    with site_lock(dsn, "shop", client):
        pass
    assert capsys.readouterr().err == "A command that was stopped is still writing the site shop; waiting for it to end.\n"


@pytest.mark.parametrize("ignored", [False, True], ids=["", "in the background of a script"])
def test_a_command_that_loses_it_stops(dsn: str, ignored: bool) -> None:
    holder = hold(dsn, "shop", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" if ignored else "")
    assert running(dsn) == 1
    lock = f"heatgraph writes shop of {dsn.rpartition('/')[2]}"
    open_sync(dsn).command("KILL QUERY WHERE query_id = {lock:String} SYNC", {"lock": lock})
    _, problems = holder.communicate(timeout=20)
    assert holder.returncode
    assert "closed the connection that keeps others from writing the site shop. Run the command again" in problems
    with site_lock(dsn, "shop"):
        assert running(dsn) == 1


def test_it_is_silent_for_longer_than_answers_may_take(dsn: str) -> None:
    holder = hold(dsn + "?send_receive_timeout=1", "shop")
    time.sleep(3)
    assert holder.poll() is None
    kill(holder)


def test_a_load_whose_server_is_killed_says_to_run_it_again(tmp_path: Path) -> None:
    """Whichever connection is seen to break first."""
    (path,) = files(tmp_path, 1)
    for pause in (0.0, 0.3):
        with server() as own:
            migrate(open_sync(own.dsn("shop")))
            with open_database(Settings(clickhouse=own.dsn("shop"))) as database:
                database.insert(insert_site(Site("shop", "Shop"), START))
            loading = load(own.dsn("shop"), path, "shop")
            wait_for(lambda: bool(running(own.dsn("shop"))))
            time.sleep(pause)
            own.kill()
            _, problems = loading.communicate(timeout=60)
        assert loading.returncode == 2
        assert problems.count("\n") == 1 and "Run the command again" in problems and "what was begun is completed" in problems, problems


def test_sums_that_are_new_are_made_after_a_load_that_knows_nothing_of_them(dsn: str, tmp_path: Path) -> None:
    (path,) = files(tmp_path, 1)
    succeed(load(dsn, path, "shop"))
    client = open_sync(dsn)
    folds, version = "SELECT sum(scrolling) FROM folds_daily", "SELECT sum(version) FROM data_versions"
    before, last = client.command(folds), client.command(version)
    for drop in ("VIEW folds_daily_of_interactions", "TABLE folds_daily"):
        client.command(f"DROP {drop}")
    client.command("DELETE FROM migrations WHERE name = 'folds'")
    holder = hold(dsn, "shop")
    migrating = start("-m", "gateway", "migrate", "--clickhouse", dsn)
    wait_for(lambda: client.command(version) != last)
    assert client.command("SELECT count() FROM stale_days") and not client.command(folds)
    client.command("DELETE FROM stale_days WHERE 1")  # as that load does at its end
    kill(holder)
    succeed(migrating)
    assert client.command(folds) == before
    assert not client.command("SELECT count() FROM stale_days")


def test_new_retention_that_did_not_get_its_turn_is_set_by_the_next_try(dsn: str, tmp_path: Path) -> None:
    (path,) = files(tmp_path, 1)
    succeed(load(dsn, path, "shop"))
    change = ("-m", "gateway", "sites", "set", "shop", "--retention-days", "900", "--clickhouse", dsn)
    holder, waiting = hold(dsn, "shop"), start(*change)
    assert waiting.stderr and "Another command is writing the site shop" in waiting.stderr.readline()
    kill(waiting)
    kill(holder)
    succeed(start(*change))
    assert open_sync(dsn).query("SELECT DISTINCT expires_on - day FROM interactions").result_rows == [(901,)]


def test_the_rights_a_user_needs(node: Node, tmp_path: Path) -> None:
    open_sync(node.dsn()).command("CREATE DATABASE limited")
    dsn, blind = (f"http://{user}:{user}@127.0.0.1:{node.http_port}/limited" for user in ("limited", "blind"))
    succeed(start("-m", "gateway", "migrate", "--clickhouse", dsn))
    with open_database(Settings(clickhouse=dsn)) as database:
        database.insert(insert_site(Site("shop", "Shop"), START))
    (path,) = files(tmp_path, 1)
    refused = load(blind, path, "shop")
    assert "GRANT SELECT ON system.processes" in refused.communicate(timeout=60)[1]
    assert refused.returncode == 2
    succeed(load(dsn, path, "shop"))
    succeed(start("-m", "gateway", "forget", "--visitor", "v1", "--site", "shop", "--clickhouse", dsn))
    assert derived(dsn)["sessions"] > 0
    open_sync(node.dsn()).command("DROP DATABASE limited")


def rows_of(client: Client, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


def running(dsn: str) -> int:
    """Locks that are held."""
    name = dsn.rpartition("/")[2]
    held = "SELECT count() FROM system.processes WHERE query_id LIKE {like:String}"
    return int(open_sync(dsn).query(held, {"like": f"heatgraph writes % of {name}"}).result_rows[0][0])


def test_what_is_written_within_may_take_longer_than_a_read(dsn: str) -> None:
    writer = open_sync(f"{dsn}?send_receive_timeout=1")
    with site_lock(dsn, "shop", writer):
        writer.command("SYSTEM STOP MERGES sites")
        Timer(3, lambda: open_sync(dsn).command("SYSTEM START MERGES sites")).start()
        writer.command("ALTER TABLE sites UPDATE name = 'New' WHERE site_id = 'shop'", settings={"mutations_sync": 2})
    assert writer.command("SELECT name FROM sites WHERE site_id = 'shop'") == "New"


def test_an_error_within_frees_it(dsn: str) -> None:
    with pytest.raises(ZeroDivisionError), site_lock(dsn, "shop"):
        raise ZeroDivisionError
    wait_for(lambda: running(dsn) == 0)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(SourceUnavailableError), site_lock(f"http://127.0.0.1:{free_port()}/db", "shop"):
        raise AssertionError


def test_an_embedded_engine_needs_no_lock() -> None:
    with site_lock("chdb://memory/locked", "shop"), site_lock("chdb://memory/locked", "shop"):
        pass
