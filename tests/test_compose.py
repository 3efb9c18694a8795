"""`docker-compose.yml` tells the gateway what the services beside it need."""

from __future__ import annotations

import re
from pathlib import Path

COMPOSE = (Path(__file__).parents[1] / "docker-compose.yml").read_text()


def test_commands_of_the_cluster_know_every_shard() -> None:
    shards = re.findall(r"<host>([\w-]+)</host>", COMPOSE)
    (nodes,) = re.findall(r"HEATGRAPH_CLUSTER_NODES: >-\n((?: {8}\S+\n)+)", COMPOSE)
    assert re.findall(r"@([\w-]+):8123/heatgraph", nodes) == shards == ["shard-1", "shard-2"]
