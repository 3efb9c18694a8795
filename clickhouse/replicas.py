"""Replicas of a shard, each of which has a row a moment after it was written to another one.

What is written waits until all of them have it: rows by a quorum of all, deletes and updates by `mutations_sync`. So whoever reads next
finds it on whichever replica: a session would be derived from some of its rows, and an answer without the others be kept as the new one.
A replica that is down misses nothing, as nothing is written then; questions are answered by the others. Shards have equally many.
"""

from __future__ import annotations

from typing import Any

from clickhouse.statement import Statement
from clickhouse.tables import TABLES

REPLICATED = Statement(
    "SELECT name\nFROM system.tables\nWHERE database = currentDatabase()\n  AND name = 'received_local'\n  AND engine LIKE 'Replicated%'",
    {},
)
"""A row if the tables are replicated; every user may ask that."""

REPLICA = Statement(
    "SELECT zookeeper_path AS shard, replica_path AS replica, total_replicas AS replicas\n"
    "FROM system.replicas\n"
    "WHERE database = currentDatabase()\n"
    "  AND table = 'received_local'",
    {},
)
"""One row of a replicated node: whose `shard` it holds as which `replica`, and how many `replicas` the shard has."""

CLUSTER_NODES = Statement(
    "SELECT count() AS nodes\n"
    "FROM system.clusters\n"
    "WHERE cluster = (\n"
    "  SELECT extract(engine_full, '^Distributed\\\\(\\'([^\\']+)')\n"
    "  FROM system.tables\n"
    "  WHERE database = currentDatabase()\n"
    "    AND name = 'received'\n"
    ")",
    {},
)
"""One row: `nodes`, how many the cluster has over which the tables are distributed."""


def written_to_all(replicas: int) -> dict[str, Any]:
    """Settings of an INSERT."""
    return {"insert_quorum": replicas} if replicas > 1 else {}


def catch_up() -> list[str]:
    """Waits until the node it is sent to has what the others have, say of a command that was broken off."""
    return [f"SYSTEM SYNC REPLICA {table}_local LIGHTWEIGHT" for table in TABLES]
