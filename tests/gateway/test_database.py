"""What commands write through, beside what they show themselves."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.statement import Statement
from gateway.database import Database


def test_why_a_change_failed_is_not_hidden_by_what_fails_after_it() -> None:
    client = Mock(spec=Client)
    client.command.side_effect = DatabaseError("no room")
    client.raw_insert.side_effect = [None, DatabaseError("session is locked")]
    client.query.return_value.named_results.return_value = []
    with pytest.raises(DatabaseError, match="no room"):
        Database(client).command(Statement("INSERT INTO sites SELECT 1", {}, site_ids=frozenset({"site_1"})))
    assert client.raw_insert.call_count == 2
