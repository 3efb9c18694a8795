"""`python -m gateway demo`, run again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from clickhouse.element_attributes import compile_attributes
from clickhouse.element_marks import Mark, compile_mark_changes, compile_marks, record_mark
from clickhouse.keys import compile_keys
from gateway.auth import hash_token
from gateway.database import open_database
from gateway.demo import KEY_ID, has_demo_of
from gateway.demo_site import CTAS
from gateway.demo_visits import DEMO_SITE, demo_rows
from gateway.secret import token_secret
from gateway.settings import Settings
from tests.gateway.cli.running import rows, run


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
