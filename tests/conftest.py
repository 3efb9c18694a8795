"""A migrated, empty ClickHouse for each test module, on both backends.

    async def test_something(client): …          an asynchronous client; the test runs once per backend
    def test_something(dsn): …                    the address alone, for commands and applications
    async def test_cost(client, statements): …    `statements` is every statement the client ran

Async tests need no mark. What a machine lacks skips the tests that need it; in CI (CI=true) it fails them.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client, connect, open_sync
from clickhouse.migrations import migrate
from clickhouse.statement import Statement
from tests import servers
from tests.javascript import SCRIPTS
from tests.served import Served, served


def require(available: object, what: str) -> None:
    """Skips the test when something of the machine is missing; in CI that is a failure."""
    if not available:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"needs {what}")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def node() -> Iterator[servers.Node]:
    """One ClickHouse server."""
    require(servers.LIBRARY.exists(), "ClickHouse from npm; run the tests with: make test")
    with servers.server() as node:
        yield node


@pytest.fixture(scope="session")
def nodes() -> Iterator[tuple[servers.Node, servers.Node]]:
    """A cluster of two shards, `servers.CLUSTER`."""
    require(servers.LIBRARY.exists(), "ClickHouse from npm; run the tests with: make test")
    with servers.cluster() as nodes:
        yield nodes


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway that runs, and the packages of npm that are held against it."""
    require((SCRIPTS / "node_modules/graphql-http").exists(), "packages from npm; run the tests with: make test")
    with served(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """The address of a Redis."""
    require(shutil.which("redis-server"), "redis-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


@pytest.fixture(scope="module", params=["embedded", "server"])
def empty_dsn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a place that has no tables yet."""
    if request.param == "embedded":
        return f"chdb://{tmp_path_factory.mktemp('clickhouse')}"
    node: servers.Node = request.getfixturevalue("node")
    return node.dsn(f"test_{uuid.uuid4().hex}")


@pytest.fixture(scope="module")
def dsn(empty_dsn: str) -> str:
    client = open_sync(empty_dsn)
    migrate(client)
    client.close()
    return empty_dsn


@pytest.fixture(scope="module")
def database(dsn: str) -> Iterator[SyncClient]:
    """The driver's synchronous client, as commands and `load` use it."""
    client = open_sync(dsn)
    yield client
    client.close()


@pytest.fixture
async def client(dsn: str, database: SyncClient) -> AsyncIterator[Client]:
    """`database` keeps the embedded engine running from test to test."""
    client = await connect(dsn)
    yield client
    await client.close()


@pytest.fixture
def statements(client: Client) -> list[Statement]:
    """The statements the client ran, in order."""
    ran: list[Statement] = []
    client.on_statement = ran.append
    return ran
