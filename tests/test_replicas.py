"""What is written waits for all replicas, and what changes rows is said to one of each shard.

Two shards of two replicas each, as far as our side goes: `clickhouse local` replicates nothing.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.client import connect
from clickhouse.data_versions import insert_change
from clickhouse.errors import BadUserInputError, SourceUnavailableError
from clickhouse.migrations import compile_distributed
from clickhouse.replicas import CLUSTER_NODES, REPLICA, REPLICATED
from clickhouse.statement import Statement
from clickhouse.tables import TABLES
from gateway.database import Database

ADD = Statement("INSERT INTO stale_days SELECT 1", {}, site_ids=frozenset({"shop"}))
DELETE = Statement("DELETE FROM stale_days\nWHERE 1", {}, changes="stale_days")


def told(shard: int, replica: int) -> dict[str, list[dict[str, Any]]]:
    """What a node says about itself."""
    keeper = f"/tables/u/{shard}"
    return {
        compile_distributed().sql: [{"name": "received"}],
        REPLICATED.sql: [{"name": "received_local"}],
        REPLICA.sql: [{"shard": keeper, "replica": f"{keeper}/replicas/{replica}", "replicas": 2}],
        CLUSTER_NODES.sql: [{"nodes": 4}],
    }


def replica(shard: int, replica: int) -> Mock:
    rows = told(shard, replica)
    node = Mock(spec=Client)
    node.query.side_effect = lambda sql, params: Mock(named_results=lambda: iter(rows[sql]))
    return node


@pytest.fixture
def nodes() -> list[Mock]:
    return [replica(shard, number) for shard in (1, 2) for number in (1, 2)]


def said(node: Mock) -> list[str]:
    return [call.args[0] for call in node.command.call_args_list]


def test_every_row_of_a_command_is_written_to_all_replicas() -> None:
    database = Database(client := replica(1, 1))
    database.command(ADD)
    database.insert(insert_change(["shop"]))
    for written in (client.command, client.insert, client.raw_insert):
        assert written.call_args_list
        assert all(call.kwargs["settings"] == {"insert_quorum": 2} for call in written.call_args_list), written


def test_rows_are_changed_by_one_replica_of_each_shard_when_all_have_caught_up(nodes: list[Mock]) -> None:
    database = Database(nodes[0], nodes)
    database.command(DELETE, DELETE)
    caught_up = [f"SYSTEM SYNC REPLICA {table}_local LIGHTWEIGHT" for table in TABLES]
    deleted = ["DELETE FROM stale_days_local\nWHERE 1"] * 2
    for shard in (nodes[:2], nodes[2:]):
        changing, other = sorted(shard, key=lambda node: -len(said(node)))
        assert (said(changing), said(other)) == (caught_up + deleted, caught_up)
        settings = changing.command.call_args.kwargs["settings"]
        assert (settings["mutations_sync"], settings["allow_nondeterministic_mutations"]) == (2, 1)


@pytest.mark.parametrize(("known", "count"), [([0, 1], 2), ([0, 2], 2), ([0, 1, 2, 2], 3)])
def test_not_all_replicas_are_known(nodes: list[Mock], known: list[int], count: int) -> None:
    with pytest.raises(BadUserInputError, match=f"{count} of 4 nodes are known"):
        Database(nodes[0], [nodes[number] for number in known]).command(ADD, DELETE)
    assert not any(map(said, nodes))


def test_a_replica_that_does_not_catch_up_ends_the_command(nodes: list[Mock]) -> None:
    nodes[3].command.side_effect = DatabaseError("timed out", code=159)
    with pytest.raises(SourceUnavailableError, match="down or behind"):
        Database(nodes[0], nodes).command(ADD, DELETE)
    assert ADD.sql not in said(nodes[0])


@pytest.mark.parametrize("replicated", [True, False])
async def test_what_a_gateway_writes_waits_for_all_replicas(replicated: bool) -> None:
    rows = told(1, 1) if replicated else {REPLICATED.sql: []}
    driver = Mock(spec=AsyncClient, query=AsyncMock(), command=AsyncMock(), insert=AsyncMock(), close=AsyncMock())
    driver.query.side_effect = lambda sql: Mock(result_rows=rows[sql], named_results=lambda: iter(rows[sql]))
    client = await connect("http://nowhere/shop")
    client._opened = driver  # type: ignore[attr-defined]
    await client.command(ADD)
    await client.insert(*insert_change(["shop"]))
    await client.close()
    for written in (driver.command, driver.insert):
        settings = written.call_args.kwargs["settings"]
        assert (settings.get("insert_quorum"), settings.get("insert_quorum_timeout")) == ((2, 10_000) if replicated else (None, None))
