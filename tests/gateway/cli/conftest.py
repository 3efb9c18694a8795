"""The settings of every command here, and a site."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.settings import Settings
from tests.gateway.cli.running import run


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("HEATGRAPH_CLICKHOUSE", settings.clickhouse)
    monkeypatch.setenv("HEATGRAPH_SECRET", settings.secret)


@pytest.fixture
def shop(settings: Settings) -> Iterator[str]:
    """A site that is there, and as it was made."""
    assert run("sites", "set", "shop", "--plan", "PRO").exit_code == 0 or run("sites", "create", "shop", "--plan", "PRO").exit_code == 0
    yield "shop"
