"""Forgetting visitors leaves what would be there without them, also after a kill and on a cluster."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from clickhouse.rollups import ROLLUPS
from clickhouse.sites import Site, compile_retain
from gateway.__main__ import main
from gateway.cohorts import save_cohort
from gateway.database import Database
from gateway.forget import forget_visitors
from gateway.load import load_files
from tests.asking import create_site
from tests.clickhouse.stored import DERIVED, stored
from tests.gateway.loading import Killed, Mortal, ndjson, visit
from tests.servers import CLUSTER, Node

FORGOTTEN = ("v0", "v1", "nobody")
SHARED = {"sessionId": "shared", "url": "https://a.de/shared", "timestamp": visit(1)[0]["timestamp"]}
ROWS = [
    *(row for number in range(9) for row in visit(number)),  # all tell the same element
    *({**row, "url": "https://a.de/own"} for row in visit(30)),  # of v0, who alone saw the page
    SHARED | {"type": "pageview", "visitorId": "v0"},  # logs in
    SHARED | {"type": "click", "visitorId": "v2", "x": 1, "y": 2, "timestamp": SHARED["timestamp"] + 5},
]


def left(database: Client, site_id: str) -> dict[str, Any]:
    """What is stored; of a page the key alone, because its first and last visits are kept as moments of nobody."""
    tables = stored(database, site_id)
    members = database.query("SELECT visitor_id FROM cohort_members FINAL WHERE site_id = {site:String}", {"site": site_id}).result_rows
    return tables | {"pages": sorted(row["page_key"] for row in tables["pages"]), "members": sorted(member for (member,) in members)}


def loaded(database: Client, tmp_path: Path, rows: list[dict[str, Any]], members: tuple[str, ...], nodes: tuple[Client, ...] = ()) -> str:
    """The site they were loaded into."""
    site = create_site(database, Site(f"site_{uuid.uuid4().hex}", "Test"))
    file = tmp_path / "rows.ndjson"
    file.write_bytes(ndjson(rows))
    load_files(Database(database, nodes), site, [file])
    save_cohort(Database(database, nodes), site.site_id, "All", members)
    return site.site_id


@pytest.fixture
def expected(database: Client, tmp_path: Path) -> dict[str, Any]:
    site_id = loaded(database, tmp_path, [row for row in ROWS if row["visitorId"] not in FORGOTTEN], ("v2",))
    found = left(database, site_id)
    assert all(found[table] for table in ("received", "members", *ROLLUPS, *DERIVED))
    return found


def test_a_forgotten_visitor_was_never_there(database: Client, dsn: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    site_id = loaded(database, tmp_path, ROWS, ("v0", "v2"))
    assert left(database, site_id) != expected
    file = tmp_path / "visitors.txt"
    file.write_text("v1\nnobody\n")
    said = forget_visitors(Database(database), site_id, FORGOTTEN)
    rows = sum(row["visitorId"] in FORGOTTEN for row in ROWS)
    assert said == f"2 of 3 visitors had rows: {rows} rows deleted, 8 sessions derived anew."
    assert left(database, site_id) == expected
    assert forget_visitors(Database(database), site_id, FORGOTTEN).startswith("0 of 3 visitors had rows: 0 rows deleted, 0 sessions")
    assert left(database, site_id) == expected


def test_what_a_session_told_before_it_logged_in_comes_back(database: Client, tmp_path: Path) -> None:
    """Two visitors of one session told the same element, the later one with their name in it."""
    told = SHARED | {"type": "element", "selector": "#account", "x": 1, "y": 2, "viewportWidth": 1280}
    before = told | {"visitorId": "anonymous", "text": "Log in"}
    after = told | {"visitorId": "alice", "text": "Hello Alice", "timestamp": SHARED["timestamp"] + 5}
    without, site_id = (loaded(database, tmp_path, rows, ("v2",)) for rows in ([before], [before, after]))
    assert [element["text"] for element in left(database, site_id)["elements"]] == ["Hello Alice"]
    forget_visitors(Database(database), site_id, ("alice",))
    assert left(database, site_id) == left(database, without)


def test_a_session_that_began_as_theirs_is_that_of_who_is_left(database: Client, tmp_path: Path) -> None:
    """Of who it began as no rows are kept any more; of who logged in there are."""
    after = SHARED | {"type": "pageview", "visitorId": "alice"}
    before = after | {"visitorId": "anonymous", "timestamp": SHARED["timestamp"] - 20 * 86_400_000}
    without, site_id = (loaded(database, tmp_path, rows, ("v2",)) for rows in ([after], [before, after]))
    for site in (without, site_id):
        Database(database).command(*compile_retain(Site(site, "Test", retention_days=10)))
    assert [row["visitor_key"] for row in left(database, site_id)["visitors"]] == ["alice"]
    forget_visitors(Database(database), site_id, ("anonymous",))
    assert left(database, site_id)["sessions"] == left(database, without)["sessions"] != []


def test_killed_anywhere(database: Client, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, Any]) -> None:
    """A portion for each of them, so that it is killed between two as well."""
    monkeypatch.setattr("gateway.forget.portions", lambda texts: [(text,) for text in texts])
    for deaths in itertools.count(0, 4 if dsn.startswith("chdb") else 9):
        site_id = loaded(database, tmp_path, ROWS, ("v0", "v2"))
        try:
            forget_visitors(Database(Mortal(database, deaths)), site_id, FORGOTTEN)  # type: ignore[arg-type]
            break
        except Killed:
            forget_visitors(Database(database), site_id, FORGOTTEN)
        assert left(database, site_id) == expected, f"killed before write {deaths}"
    assert deaths > len(DERIVED) + 6


def test_more_than_an_address_holds(database: Client, tmp_path: Path) -> None:
    """Ids of many bytes each, among which a handful were there."""
    ids = tuple(f"{number} {'é' * 90}'\\" for number in range(6000))
    site_id = loaded(database, tmp_path, [{**row, "visitorId": ids[7 * number]} for number in range(3) for row in visit(number)], ids)
    assert len(left(database, site_id)["members"]) == len(ids)
    assert forget_visitors(Database(database), site_id, ids).startswith("3 of 6000 visitors had rows")
    assert not any(left(database, site_id).values())


def hidden(database: Client) -> set[str]:
    """Tables with rows that are deleted but still on the disk."""
    parts = "SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND active AND has_lightweight_delete"
    return {table for (table,) in database.query(parts).result_rows}


def test_nothing_is_left_on_the_disk(database: Client, tmp_path: Path) -> None:
    site_id = loaded(database, tmp_path, ROWS, ("v0", "v2"))
    forget_visitors(Database(database), site_id, FORGOTTEN)
    assert not hidden(database)


@pytest.fixture
def shards(nodes: tuple[Node, Node]) -> Iterator[tuple[Client, Client]]:
    name = f"forget_{uuid.uuid4().hex}"
    here, there = (open_sync(node.dsn(name)) for node in nodes)
    for client in (here, there):
        migrate(client, CLUSTER)
    yield here, there
    for client in (here, there):
        client.close()


def test_on_a_cluster(shards: tuple[Client, Client], tmp_path: Path) -> None:
    rows = [row for row in ROWS if row["sessionId"] != "shared"]  # a session's rows lie on the shard of its visitor
    without = loaded(shards[0], tmp_path, [row for row in rows if row["visitorId"] not in FORGOTTEN], ("v2",), shards)
    site_id = loaded(shards[0], tmp_path, rows, ("v0", "v2"), shards)
    forget_visitors(Database(shards[0], shards), site_id, FORGOTTEN)
    assert not any(hidden(shard) for shard in shards)
    found = left(shards[0], site_id)
    assert all(found[table] for table in ("received", "members", *ROLLUPS, *DERIVED))
    assert found == left(shards[0], without)


def test_the_command(dsn: str, database: Client, tmp_path: Path, expected: dict[str, Any]) -> None:
    site_id = loaded(database, tmp_path, ROWS, ("v0", "v2"))
    file = tmp_path / "visitors.txt"
    file.write_text("v1\nnobody\n")
    database.close()
    runner = CliRunner()
    result = runner.invoke(main, ["forget", "--site", site_id, "--visitor", "v0", "--file", str(file), "--clickhouse", dsn])
    assert (result.exit_code, result.output.startswith("2 of 3 visitors")) == (0, True), result.output
    result = runner.invoke(main, ["forget", "--site", site_id, "--clickhouse", dsn])
    assert (result.exit_code, "Nobody to forget" in result.output) == (2, True)
    result = runner.invoke(main, ["forget", "--site", "nowhere", "--visitor", "v0", "--clickhouse", dsn])
    assert result.exit_code == 2
    reopened = open_sync(dsn)
    assert left(reopened, site_id) == expected
    reopened.close()
