"""The commands, run as people run them: what they print, what they refuse, and that nothing ends in a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.errors import HeatgraphError, QueryTooComplexError
from clickhouse.sites import Site, compile_sites
from gateway.__main__ import main
from gateway.commands import Commands
from gateway.database import open_database
from gateway.settings import Settings
from tests.gateway.cli.running import lines, refusal, rows, run
from tests.gateway.processes import ROOT

# Tables


def test_migrate_again_changes_nothing() -> None:
    assert run("migrate").stdout == "The tables are up to date.\n"


def test_migrate_names_the_steps_it_applied() -> None:
    applied = run("migrate", "--clickhouse", "chdb://memory/new_here").stdout.splitlines()
    assert applied[0] == "Applied step 1, administration."
    assert applied[-1] == "The tables are up to date."


def test_a_database_without_tables_says_what_to_do() -> None:
    assert "python -m gateway migrate" in refusal("sites", "list", "--clickhouse", "chdb://memory/never_migrated")


@pytest.mark.parametrize("clickhouse", ["ftp://somewhere", "http://", "chdb://", "", " "])
def test_what_is_no_database_is_refused(clickhouse: str) -> None:
    for command in ("migrate", "serve"):
        assert f"{clickhouse!r} is not a data source" in refusal(command, "--clickhouse", clickhouse)


@pytest.mark.parametrize("redis", ["localhost:6379", "redis://localhost:99999", "http://x", "redis://secret@h:x/0", "redis://h?nonsense=1"])
def test_what_is_no_redis_is_refused_before_workers_start(monkeypatch: pytest.MonkeyPatch, redis: str) -> None:
    monkeypatch.setattr("uvicorn.run", lambda *arguments, **options: pytest.fail("served"))
    said = refusal("serve", "--redis", redis)
    assert said.startswith("Invalid value for '--redis'")
    assert "redis://[user:password@]host:6379/0" in said and "secret" not in said


def test_a_server_that_could_answer_no_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.run", lambda *arguments, **options: pytest.fail("served"))
    assert "without --trusted-documents" in refusal("serve", "--only-trusted-documents")


def test_serving_without_tables_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.run", lambda *arguments, **options: None)
    monkeypatch.setattr("os.environ", dict(os.environ))
    served = run("serve", "--clickhouse", "chdb://memory/never_migrated")
    assert served.exit_code == 0
    assert served.stderr.startswith("Warning: The data source has no tables yet.")


def test_what_clickhouse_says_is_shown_when_we_have_nothing_better() -> None:
    assert "'nope' not found" in refusal("migrate", "--clickhouse", "chdb://memory/with_cluster", "--cluster", "nope")


@pytest.mark.parametrize("code", [159, 241])
def test_a_command_that_meets_a_limit_of_clickhouse_says_whose_it_is(settings: Settings, code: int) -> None:
    """The caps of the gateway's questions are none of its."""
    with pytest.raises(QueryTooComplexError, match="Raise that limit"), open_database(settings) as database:
        database.client.command(f"SELECT throwIf(1, 'limit', {code}::Int16) SETTINGS allow_custom_error_code_in_throwif = 1")


def test_a_server_that_is_down() -> None:
    assert "cannot be reached" in refusal("migrate", "--clickhouse", "http://127.0.0.1:9/db")


def test_the_driver_adds_nothing_to_what_a_command_says() -> None:
    """In a process of its own: here pytest catches what is logged."""
    command = [sys.executable, "-m", "gateway", "sites", "list", "--clickhouse", "http://127.0.0.1:9/db"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("Error: The data source cannot be reached.") and ran.stderr.count("\n") == 1


# Sites


def test_a_site_keeps_what_is_not_changed(settings: Settings) -> None:
    made = run(
        *("sites", "create", "acme", "--name", "Acme", "--plan", "pro", "--domain", "Acme.example", "--domain", "www.acme.example"),
        *("--time-zone", "Europe/Berlin", "--test-account", "*@acme.example", "--test-account", "bot-*"),
        *("--replay-url-template", "https://replays.example/{sessionId}?t={offsetSeconds}&date={date}"),
    )
    assert made.exit_code == 0 and "--site acme" in made.stdout
    assert run("sites", "set", "acme", "--plan", "BUSINESS").exit_code == 0
    (row,) = rows(settings, compile_sites(["acme"]))
    assert Site.from_row(row) == Site(
        "acme",
        "Acme",
        domains=("acme.example", "www.acme.example"),
        plan="BUSINESS",
        time_zone="Europe/Berlin",
        retention_days=365,
        test_account_rules=("*@acme.example", "bot-*"),
        replay_url_template="https://replays.example/{sessionId}?t={offsetSeconds}&date={date}",
    )
    assert ["acme", "Acme", "BUSINESS", "365", "d", "Europe/Berlin"] in [cells[:6] for cells in lines(run("sites", "list"))]


def test_a_site_may_be_named_by_an_option(settings: Settings) -> None:
    assert run("sites", "create", "--site", "by_option", "--retention-days", "7").exit_code == 0
    (row,) = rows(settings, compile_sites(["by_option"]))
    assert (row["plan"], row["retention_days"], row["time_zone"]) == ("ENTERPRISE", 7, "UTC")
    assert "two sites" in refusal("sites", "set", "one", "--site", "two", "--plan", "PRO").lower()
    assert "Name the site" in refusal("sites", "set", "--plan", "PRO")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sites", "create", "a b"), "letters, digits"),
        (("load", "x.ndjson", "--site", "a/b"), "letters, digits"),
        (("forget", "--visitor", "v", "--site", "a/b"), "letters, digits"),
        (("sites", "create", "x", "--plan", "GOLD"), "'GOLD'"),
        (("sites", "create", "x", "--time-zone", "Mars/Olympus"), "'Mars/Olympus'"),
        (("sites", "create", "x", "--domain", "https://example.com/"), "host name"),
        (("sites", "create", "x", "--replay-url-template", "http://r.example/{sessionId}"), "https://"),
        (("sites", "create", "x", "--replay-url-template", "https://r.example/"), "{sessionId}"),
        (("sites", "create", "x", "--replay-url-template", "https://r.example/{sessionId}/{userId}"), "no other braces"),
        (("sites", "create", "x", "--replay-url-template", "https://{sessionId}.r.example/"), "behind its host"),
        (("sites", "create", "x", "--replay-url-template", "https://[::1/{sessionId}"), "behind its host"),
        (("sites", "create", "x", "--retention-days", "0"), "1<=x<=3650"),
        (("sites", "set", "nobody", "--plan", "PRO"), "sites create nobody"),
        (("sites", "set", "nobody"), "Nothing to change"),
        (("load", "rows.ndjson", "--site", "nobody"), "sites create nobody"),
        (("cohorts", "list", "--site", "nobody"), "sites create nobody"),
        (("keys", "create", "--site", "nobody", "--scope", "admin"), "sites create nobody"),
        (("keys", "create", "--site", "*", "--scope", "everything"), "'everything'"),
        (("keys", "create", "--site", "*", "--scope", "admin", "--expires", "soon"), "90d"),
        (("keys", "create", "--site", "*", "--scope", "admin", "--expires", "2020-01-01"), "future"),
        (("keys", "create", "--site", "*", "--scope", "admin", "--expires", "2026-02-30"), "2027-01-31"),
        (("keys", "revoke", "nobody"), "keys list"),
        (("keys", "create", "--site", "*", "--scope", "admin", "--name", "a\nb"), "--name: 1 to 200 printable characters."),
        (("sites", "create", "x", "--name", " "), "--name: 1 to 200 printable characters."),
        (("sites", "create", "x", "--test-account", ""), "--test-account: 1 to 1000 printable characters."),
        (("forget", "--site", "nobody", "--visitor", "v", "--visitor", ""), "Nobody to forget"),
        (("keys", "rotate", "nobody", "--grace-hours", "999999999"), "0<=x<=87600"),
        (("keys", "create", "--site", "*", "--scope", "admin", "--expires", "9999-99-99"), "2027-01-31"),
        (("serve", "--workers", "2", "--clickhouse", "chdb://memory"), "one process a path"),
        (("serve", "--port", "http"), "'http'"),
        (("keys", "create", "--site", "si\udcff", "--scope", "admin"), r"'si\udcff' is not UTF-8"),
        (("load", "--site", "x\udcff", "rows.ndjson"), r"'x\udcff' is not UTF-8"),
        (("cohorts", "delete", "--site", "x", "--name", "n\x01\udcff"), r"'n\x01\udcff' is not UTF-8"),
        (("forget", "--site", "x", "--visitor", "\udcff"), r"'\udcff' is not UTF-8"),
    ],
)
def test_what_commands_refuse(arguments: tuple[str, ...], said: str) -> None:
    assert said in refusal(*arguments)


def test_a_site_is_made_once(shop: str) -> None:
    assert f"sites set {shop}" in refusal("sites", "create", shop)


# Rows and schema


def test_load_reports_what_became_of_the_rows(shop: str, tmp_path: Path) -> None:
    row: dict[str, Any] = {
        "type": "click",
        "timestamp": datetime.now(UTC).isoformat(),
        "sessionId": "s",
        "visitorId": "v",
        "url": "https://a.example/",
    }
    row |= {"x": 1, "y": 2, "viewportWidth": 1280}
    good = json.dumps(row)
    (tmp_path / "rows.ndjson").write_text(good + "\n" + good.replace("timestamp", "time") + "\n")
    first = run("load", tmp_path / "rows.ndjson", "--site", shop)
    assert first.exit_code == 0
    assert first.stdout.startswith("2 rows read: 1 stored, 0 known already, 1 rejected; 1 sessions derived.")
    assert "timestamp" in first.stdout and str(tmp_path / "rows.ndjson.rejected.ndjson") in first.stdout
    assert run("load", tmp_path / "rows.ndjson", "--site", shop).stdout.startswith("2 rows read: 0 stored, 1 known already, 1 rejected")


def test_load_of_a_bad_file_keeps_the_good_one(shop: str, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_text("this is no Parquet")
    result = run("load", tmp_path / "bad.parquet", tmp_path / "nowhere.csv", "--site", shop)
    assert result.exit_code == 2
    problems = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert [name for name in ("bad.parquet", "nowhere.csv") if not any(name in problem for problem in problems)] == []


def test_schema_prints_the_sdl() -> None:
    assert "type Site" in run("schema").stdout


def test_every_command_explains_itself() -> None:
    def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, command in group.commands.items():
            yield (*path, name), command
            if hasattr(command, "commands"):
                yield from commands(command, (*path, name))

    found = dict(commands(main))
    assert {("serve",), ("load",), ("keys", "rotate")} <= found.keys()
    for path, command in found.items():
        assert command.help, path
        assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == [], path
        assert run(*path, "--help").exit_code == 0


def test_a_file_may_have_any_name(shop: str, tmp_path: Path) -> None:
    file = tmp_path / "rows\udcff.ndjson"
    file.write_bytes(b"nope\n")
    assert "Rejected rows are in" in run("load", file, "--site", shop).stdout


def test_nothing_but_rejects_is_a_failure(shop: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_text('{"type": "click"}\n')
    result = run("load", file, "--site", shop)
    assert result.exit_code == 1
    assert "1 rejected: timestamp is missing" in result.output


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", "--port", port, "--clickhouse", tmp_path / "data")
    assert result.exit_code == 2
    assert f"port {port}" in result.output
    assert "--port" in result.output
    assert not (tmp_path / "data").exists()


def test_of_what_nobody_foresaw_one_line_is_told() -> None:
    """With it ClickHouse may send where in its source that was."""

    @click.command("fail")
    def fail() -> None:
        raise HeatgraphError("Something went wrong.") from DatabaseError("Code: 1. Why.\n\n0. ? @ 0x000000000e87006c")

    result = CliRunner().invoke(Commands(commands=[fail]), ["fail"])
    assert (result.exit_code, result.stderr) == (2, "Error: Something went wrong. (Code: 1. Why.)\n")
