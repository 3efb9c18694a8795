"""The commands, run as people run them: what they print, what they refuse, and that nothing ends in a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.cohorts import Cohort, cohort_id_of, insert_cohort
from clickhouse.element_attributes import compile_attributes
from clickhouse.element_marks import Mark, compile_mark_changes, compile_marks, record_mark
from clickhouse.errors import HeatgraphError, QueryTooComplexError
from clickhouse.keys import ApiKey, compile_keys, insert_key
from clickhouse.sites import Site, compile_sites, insert_site
from gateway.__main__ import main
from gateway.auth import TOKEN, hash_token
from gateway.commands import Commands
from gateway.database import open_database
from gateway.demo import KEY_ID, has_demo_of
from gateway.demo_site import CTAS
from gateway.demo_visits import DEMO_SITE, demo_rows
from gateway.secret import token_secret
from gateway.settings import Settings
from gateway.sites import require_site
from tests.gateway.processes import ROOT


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("HEATGRAPH_CLICKHOUSE", settings.clickhouse)
    monkeypatch.setenv("HEATGRAPH_SECRET", settings.secret)


@pytest.fixture
def shop(settings: Settings) -> Iterator[str]:
    """A site that is there, and as it was made."""
    assert run("sites", "set", "shop", "--plan", "PRO").exit_code == 0 or run("sites", "create", "shop", "--plan", "PRO").exit_code == 0
    yield "shop"


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refusal(*arguments: object) -> str:
    """The one line after `Error: `; exit code 2."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    return last.removeprefix("Error: ")


def rows(settings: Settings, statement: Any) -> list[dict[str, Any]]:
    with open_database(settings) as database:
        return database.query(statement)


def lines(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


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


# Cohorts


def test_loading_a_cohort_again_changes_nothing_and_adds_what_is_new(shop: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes("\ufeffann\r\nbob\n\n ann \nzoë\u2028x\n".encode())
    (tmp_path / "two").write_text("bob\ncid")
    load = ("cohorts", "load", "--site", shop, "--name", "Big spenders")
    cohort_id = cohort_id_of(shop, "Big spenders")
    assert run(*load, tmp_path / "one").stdout == f"Cohort {cohort_id} (Big spenders) of site shop has 3 visitors.\n"
    assert "has 3 visitors" in run(*load, tmp_path / "one").stdout
    assert "has 4 visitors" in run(*load, tmp_path / "two").stdout
    assert [cohort_id, "Big", "spenders", "4"] in lines(run("cohorts", "list", "--site", shop))


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\nb"])
def test_a_cohort_is_named_as_over_the_api(shop: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "ids").write_text("v1\n")
    assert refusal("cohorts", "load", "--site", shop, "--name", name, tmp_path / "ids") == "--name: 1 to 200 printable characters."


def test_spaces_around_a_name_make_no_second_cohort(shop: str, tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("v1\n")
    run("cohorts", "load", "--site", shop, "--name", "padded", tmp_path / "ids")
    again = run("cohorts", "load", "--site", shop, "--name", " padded ", tmp_path / "ids")
    assert again.stdout == f"Cohort {cohort_id_of(shop, 'padded')} (padded) of site shop has 1 visitors.\n"


def test_a_deleted_cohort_leaves_nothing(shop: str, tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("v1\nv2\n")
    named = ("--site", shop, "--name", "brief")
    run("cohorts", "load", *named, tmp_path / "ids")
    deleted = cohort_id_of(shop, "brief")
    assert run("cohorts", "delete", *named).stdout == f"Cohort {deleted} (brief) of site shop deleted.\n"
    assert "no cohort 'brief'" in refusal("cohorts", "delete", *named)
    (tmp_path / "ids").write_text("v3\n")
    assert "has 1 visitors" in run("cohorts", "load", *named, tmp_path / "ids").stdout
    assert deleted not in run("cohorts", "list", "--site", shop).stdout


def test_a_cohort_of_many(shop: str, tmp_path: Path) -> None:
    (tmp_path / "many").write_text("\n".join(f"visitor-{number}" for number in range(5001)))
    assert "has 5001 visitors" in run("cohorts", "load", "--site", shop, "--name", "many", tmp_path / "many").stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"ann\nb\x00b\n", "Line 2"),
        (b"x" * 1001, "Line 1"),
        (b"PAR1\xff\xfe", "UTF-8"),
    ],
)
def test_files_that_are_no_cohort(shop: str, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert said in refusal("cohorts", "load", "--site", shop, "--name", "n", tmp_path / "file")
    assert "does not exist" in refusal("cohorts", "load", "--site", shop, "--name", "n", tmp_path / "nowhere")


# Keys


def test_a_token_is_printed_once_and_only_its_hash_is_stored(settings: Settings, shop: str) -> None:
    made = run("keys", "create", "--site", shop, "--scope", "heatmap:read", "--scope", "replay:read", "--name", "CI", "--expires", "90d")
    assert made.exit_code == 0
    token = made.stdout.strip()
    match = TOKEN.fullmatch(token)
    assert match and match[1] in made.stderr
    (row,) = rows(settings, compile_keys(key_id=match[1]))
    key = ApiKey.from_row(row)
    assert (key.scopes, key.site_ids, key.name, key.revoked) == (frozenset({"heatmap:read", "replay:read"}), frozenset({shop}), "CI", False)
    assert key.token_hash == hash_token(token, token_secret(settings))
    assert key.expires_at and 89 <= (key.expires_at - datetime.now(UTC)).days <= 90
    listed = run("keys", "list", "--site", shop).stdout
    assert match[1] in listed and token not in listed and key.token_hash not in listed


def test_a_key_for_every_site_is_listed_with_each(shop: str) -> None:
    key_id = run("keys", "create", "--site", "*", "--scope", "admin").stdout.split("_")[1]
    assert [key_id, "*", "admin"] in [cells[:3] for cells in lines(run("keys", "list", "--site", shop))]


@pytest.mark.parametrize("named_by", ["key id", "token"])
def test_a_revoked_key_stays_listed_as_such(shop: str, named_by: str) -> None:
    token = run("keys", "create", "--site", shop, "--scope", "admin", "--name", "old").stdout.strip()
    key_id = token.split("_")[1]
    assert run("keys", "revoke", token if named_by == "token" else key_id).stdout == f"Key {key_id} revoked.\n"
    (listed,) = (cells for cells in lines(run("keys", "list")) if cells[0] == key_id)
    assert listed[1] == "old" and listed[-1] == "revoked"


def test_what_a_machine_whose_clock_is_ahead_wrote_can_be_changed(shop: str, settings: Settings) -> None:
    key_id = run("keys", "create", "--site", shop, "--scope", "admin").stdout.split("_")[1]
    later = datetime.now(UTC) + timedelta(hours=1)
    with open_database(settings) as database:
        database.insert(insert_key(ApiKey.from_row(database.query(compile_keys(key_id=key_id))[0]), later))
        database.insert(insert_site(require_site(database, shop), later))
        database.insert(insert_cohort(Cohort(shop, "co_ahead", "ahead"), later))
    run("keys", "revoke", key_id)
    assert [cells[-1] for cells in lines(run("keys", "list")) if cells[0] == key_id] == ["revoked"]
    run("sites", "set", shop, "--name", "New")
    assert [cells[1] for cells in lines(run("sites", "list")) if cells[0] == shop] == ["New"]
    run("cohorts", "delete", "--site", shop, "--name", "ahead")
    assert "ahead" not in run("cohorts", "list", "--site", shop).stdout


def test_keys_of_a_site_are_listed_and_ended_only_of_that_site(shop: str) -> None:
    key_id = run("keys", "create", "--site", shop, "--scope", "admin").stdout.split("_")[1]
    assert "There is no site 'site_nowhere'" in refusal("keys", "list", "--site", "site_nowhere")
    assert f"Key {key_id} is none of 'site_nowhere'" in refusal("keys", "revoke", key_id, "--site", "site_nowhere")
    assert [cells[-1] for cells in lines(run("keys", "list", "--site", shop)) if cells[0] == key_id] == ["valid"]
    assert run("keys", "revoke", key_id, "--site", shop).stdout == f"Key {key_id} revoked.\n"


def test_rotating_a_key_makes_one_alike_and_ends_the_old_one_after_its_grace(shop: str, settings: Settings) -> None:
    old_token = run("keys", "create", "--site", shop, "--scope", "replay:read", "--name", "CI").stdout.strip()
    rotated = run("keys", "rotate", old_token, "--grace-hours", "2")
    new_token = rotated.stdout.strip()
    assert "works until" in rotated.stderr and TOKEN.fullmatch(new_token)
    old, new = (ApiKey.from_row(rows(settings, compile_keys(key_id=token.split("_")[1]))[0]) for token in (old_token, new_token))
    assert (new.name, new.scopes, new.site_ids, new.expires_at) == ("CI", old.scopes, old.site_ids, None)
    assert new.token_hash == hash_token(new_token, token_secret(settings))
    assert old.expires_at and 7100 < (old.expires_at - datetime.now(UTC)).total_seconds() <= 7200


def test_a_key_that_ended_is_not_rotated_and_a_grace_never_prolongs(shop: str, settings: Settings) -> None:
    key_id = run("keys", "create", "--site", shop, "--scope", "admin", "--expires", "1d").stdout.split("_")[1]
    (before,) = rows(settings, compile_keys(key_id=key_id))
    assert run("keys", "rotate", key_id, "--grace-hours", "1000").exit_code == 0
    (after,) = rows(settings, compile_keys(key_id=key_id))
    assert after["expires_at"] == before["expires_at"]
    assert run("keys", "rotate", key_id, "--grace-hours", "0").exit_code == 0
    assert "is expired" in refusal("keys", "rotate", key_id)


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


# Demo


@pytest.mark.parametrize(
    ("now", "newest", "is_there"),
    [
        ("2026-11-22T12:00", "2026-11-22T11:59", True),
        ("2026-11-22T12:00", "2026-11-22T00:10", True),
        ("2026-11-22T12:00", "2026-11-21T23:59", False),
        ("2026-11-22T00:06", "2026-11-21T23:50", True),  # nobody has come yet today
        ("2026-11-22T00:06", "2026-11-21T12:00", False),
    ],
)
def test_a_demo_is_of_today(now: str, newest: str, is_there: bool) -> None:
    answers = iter([[{"data_to": datetime.fromisoformat(newest)}], [{"sessions": 0}]])
    database: Any = SimpleNamespace(query=lambda statement: next(answers))
    assert has_demo_of(database, datetime.fromisoformat(now).replace(tzinfo=UTC)) is is_there


def test_the_demo_is_loaded_once_a_day_and_its_link_stays_the_same(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("gateway.__main__.serve", served.append)
    monkeypatch.setattr("gateway.__main__.demo_rows", lambda now: demo_rows(now, days=1))
    first = run("demo", "--host", "0.0.0.0", "--environment", "production")
    assert first.exit_code == 0
    assert "stored" in first.stdout
    again = run("demo")
    assert "stored" not in again.stdout
    token = again.stdout.split("#token=")[1].split()[0]
    assert token in first.stdout
    assert [(settings.host, settings.environment) for settings in served] == [("127.0.0.1", "development")] * 2
    (row,) = rows(settings, compile_keys(key_id=token.split("_")[1]))
    assert row["token_hash"] == hash_token(token, token_secret(settings))
    assert row["site_ids"] == [DEMO_SITE]


def test_the_demo_marks_calls_to_action_and_leaves_what_was_marked_since(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.__main__.serve", lambda settings: None)
    monkeypatch.setattr("gateway.__main__.demo_rows", lambda now: demo_rows(now, days=1))

    def marks() -> dict[tuple[str, str], Mark]:
        return {(row["page_key"], row["selector"]): Mark.from_row(row) for row in rows(settings, compile_marks(DEMO_SITE, CTAS))}

    run("demo")
    assert {place: (mark.is_cta, mark.updated_by) for place, mark in marks().items()} == dict.fromkeys(CTAS, (True, KEY_ID))
    assert {(row["page_key"], row["selector"]) for row in rows(settings, compile_attributes(DEMO_SITE, CTAS))} == {*CTAS}
    before = marks()[CTAS[0]]
    with open_database(settings) as database:
        for insert in record_mark(before, replace(before, is_cta=False), "k_other", datetime.now(UTC)):
            database.insert(insert)
    run("demo")
    assert [(marks()[place].is_cta, marks()[place].updated_by) for place in CTAS] == [(False, "k_other"), (True, KEY_ID)]
    changes = {row["page_key"]: len(row["changes"]) for row in rows(settings, compile_mark_changes(DEMO_SITE, CTAS))}
    assert [changes[page_key] for page_key, _ in CTAS] == [2, 1]


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
