"""Settings that name the module's database, on both backends."""

from __future__ import annotations

import pytest

from gateway.settings import Settings


@pytest.fixture
def settings(dsn: str) -> Settings:
    return Settings(clickhouse=dsn, secret="only for tests", pool_size=2)
