"""Settings that name the module's database, on both backends, and a site for each test that loads."""

from __future__ import annotations

import uuid

import pytest

from clickhouse.sites import Site
from gateway.settings import Settings


@pytest.fixture
def settings(dsn: str) -> Settings:
    return Settings(clickhouse=dsn, secret="only for tests", pool_size=2)


@pytest.fixture
def site() -> Site:
    return Site(f"site_{uuid.uuid4().hex}", "Test")
