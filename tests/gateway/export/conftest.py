"""The site of exports, and a client with a key that may read all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import AsyncClient

from clickhouse.sites import Site
from gateway.app import create_app
from gateway.settings import Settings
from tests.asking import create_site, load
from tests.gateway.applications import make_token, serving
from tests.gateway.export.downloads import SITE
from tests.reference.rows import DataSet, data_set


@pytest.fixture(scope="module")
def data() -> DataSet:
    return data_set(Random(11), sessions=50)


@pytest.fixture(scope="module")
def loaded(database: SyncClient, data: DataSet) -> None:
    create_site(database, SITE)
    load(database, SITE, data.rows)
    create_site(database, Site("site_export_free", "Free", plan="FREE"))


@pytest.fixture
async def http(settings: Settings, loaded: None) -> AsyncIterator[AsyncClient]:
    bearer = make_token(settings, "heatmap:read", "replay:read")
    async with serving(create_app(settings)) as http:
        http.headers["Authorization"] = f"Bearer {bearer}"
        yield http
