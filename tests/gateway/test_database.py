"""What commands write through, beside what they show themselves."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from clickhouse.errors import SourceUnavailableError
from clickhouse.statement import Statement
from gateway.database import Database, open_database
from gateway.settings import Settings


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
