"""`docker-compose.yml` tells the gateway what the services beside it need."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.settings import Settings

COMPOSE = (Path(__file__).parents[1] / "docker-compose.yml").read_text()


def test_commands_of_the_cluster_know_every_shard() -> None:
    shards = re.findall(r"<host>([\w-]+)</host>", COMPOSE)
    (nodes,) = re.findall(r"HEATGRAPH_CLUSTER_NODES: >-\n((?: {8}\S+\n)+)", COMPOSE)
    assert re.findall(r"@([\w-]+):8123/heatgraph", nodes) == shards == ["shard-1", "shard-2"]


def test_clickhouse_is_healthy_once_only() -> None:
    """To make a database, a user's or ours, its image starts a server that answers, stops it and starts another one; `migrate` makes ours."""
    assert "CLICKHOUSE_DB" not in COMPOSE and "initdb" not in COMPOSE


def test_each_service_that_is_built_has_an_image_of_its_own() -> None:
    """Compose builds them at once, and the second of two of one name fails on a machine that has none yet: `image … already exists`."""
    built = COMPOSE.partition("&gateway")[2].partition("\nx-served:")[0]
    assert "\n  build:\n" in built and "\n  image:" not in built


def test_requests_may_finish_before_a_gateway_is_killed() -> None:
    served = COMPOSE.partition("&served")[2].partition("\nservices:")[0]
    (seconds,) = re.findall(r"stop_grace_period: (\d+)s", served)
    assert int(seconds) > Settings().shutdown_delay_seconds + Settings().shutdown_grace_seconds


def test_settings_of_the_env_file_reach_the_gateway() -> None:
    """Compose itself only puts them where the file says `${…}`."""
    gateway = COMPOSE.partition("&gateway")[2].partition("\nx-served:")[0]
    assert "\n  env_file:\n    - {path: .env, required: false}\n" in gateway
