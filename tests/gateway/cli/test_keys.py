"""`python -m gateway keys …`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clickhouse.cohorts import Cohort, insert_cohort
from clickhouse.keys import ApiKey, compile_keys, insert_key
from clickhouse.sites import insert_site
from gateway.auth import TOKEN, hash_token
from gateway.database import open_database
from gateway.secret import token_secret
from gateway.settings import Settings
from gateway.sites import require_site
from tests.gateway.cli.running import lines, refusal, rows, run


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
