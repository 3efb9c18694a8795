"""What commands write through, beside what they show themselves."""

from __future__ import annotations

from time import monotonic
from unittest.mock import Mock

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from urllib3 import Timeout

from clickhouse.client import open_sync
from clickhouse.errors import SourceUnavailableError
from clickhouse.migrations import migrate
from clickhouse.statement import Statement
from gateway import database
from gateway.database import Database, open_database
from gateway.settings import Settings
from tests.servers import server


def test_why_a_change_failed_is_not_hidden_by_what_fails_after_it() -> None:
    client = Mock(spec=Client)
    client.command.side_effect = DatabaseError("no room")
    client.raw_insert.side_effect = [None, DatabaseError("session is locked")]
    client.query.return_value.named_results.return_value = []
    with pytest.raises(DatabaseError, match="no room"):
        Database(client).command(Statement("INSERT INTO sites SELECT 1", {}, site_ids=frozenset({"site_1"})))
    assert client.raw_insert.call_count == 2


@pytest.mark.parametrize("broken", [OperationalError("reset by peer"), ConnectionResetError("reset by peer")], ids=["driver", "socket"])
def test_a_connection_that_breaks_within_a_command_is_no_wrong_address(broken: Exception) -> None:
    with (
        pytest.raises(SourceUnavailableError, match=r"broke off: .* Run the command again"),
        open_database(Settings(clickhouse="chdb://memory")),
    ):
        raise broken


def test_who_stops_a_command_does_not_wait_for_a_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LAST_WORD", Timeout(connect=1, read=1))
    with server() as own:
        migrate(open_sync(own.dsn("shop")))
        with open_database(Settings(clickhouse=own.dsn("shop"))) as commands:
            commands.client.timeout = Timeout(connect=15, read=15)  # type: ignore[attr-defined]  # without end where a site is locked
            with pytest.raises(KeyboardInterrupt), commands._noting_change({"shop"}):
                own.hang()
                started = monotonic()
                raise KeyboardInterrupt
            assert monotonic() - started < 10
