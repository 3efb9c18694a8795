"""A real ClickHouse server for tests, without Docker.

The npm package `@chdb/lib-linux-x64-gnu` (see `tests/node/package.json`) holds ClickHouse as a library. Its C function
`chdb_query_cmdline` runs `clickhouse local`, which opens the real HTTP and native listeners in a child process:

    with server() as node: … node.dsn("my_database")        # http://heatgraph:secret@127.0.0.1:40123/my_database
    with cluster() as (first, second): …                    # two shards of the cluster `two_shards`
"""

from __future__ import annotations

import ctypes
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

LIBRARY = Path(__file__).parent / "node/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
CLUSTER = "two_shards"
USER = "heatgraph"
PASSWORD = "secret:with/marks"
START_TIMEOUT_S = 60

LISTEN = """
SYSTEM START LISTEN HTTP;
SYSTEM START LISTEN TCP;
SELECT sleepEachRow(1) FROM system.numbers SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null
"""

CONFIG = """
<clickhouse>
    <logger><level>warning</level><console>1</console></logger>
    <users_config>{users}</users_config>
    <default_profile>default</default_profile>
    <remote_servers>
        <two_shards>{shards}</two_shards>
    </remote_servers>
</clickhouse>
"""

SHARD = """
            <shard><replica>
                <host>127.0.0.1</host><port>{port}</port><user>{user}</user><password>{password}</password>
            </replica></shard>"""

USERS = """
<clickhouse>
    <profiles><default/><readonly><readonly>1</readonly></readonly></profiles>
    <quotas><default/></quotas>
    <users>
        <default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
        <{user}><password>{password}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></{user}>
    </users>
</clickhouse>
"""


@dataclass(frozen=True, slots=True)
class Node:
    http_port: int
    tcp_port: int

    def dsn(self, database: str = "", password: str = PASSWORD) -> str:
        return f"http://{USER}:{urllib.parse.quote(password, safe='')}@127.0.0.1:{self.http_port}/{database}"


@contextmanager
def server() -> Iterator[Node]:
    with _running(_free_node(), ()) as node:
        yield node


@contextmanager
def cluster() -> Iterator[tuple[Node, Node]]:
    nodes = _free_node(), _free_node()
    with ExitStack() as running:
        for node in nodes:
            running.enter_context(_running(node, nodes))
        yield nodes


@contextmanager
def _running(node: Node, nodes: tuple[Node, ...]) -> Iterator[Node]:
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "wb") as log:
        users = Path(folder, "users.xml")
        users.write_text(USERS.format(user=USER, password=PASSWORD))
        shards = "".join(SHARD.format(port=other.tcp_port, user=USER, password=PASSWORD) for other in nodes)
        config = Path(folder, "config.xml")
        config.write_text(CONFIG.format(users=users, shards=shards))
        process = subprocess.Popen(
            [
                sys.executable,
                __file__,
                "clickhouse",
                f"--config-file={config}",
                f"--path={folder}/data",
                "--listen_host=127.0.0.1",
                f"--http_port={node.http_port}",
                f"--tcp_port={node.tcp_port}",
                "--query",
                LISTEN,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(node, process, Path(log.name))
            yield node
        finally:
            process.kill()
            process.wait()


def _wait(node: Node, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{node.http_port}/ping", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"ClickHouse did not start:\n{log.read_text()[-2000:]}")


def _free_node() -> Node:
    with socket.socket() as http, socket.socket() as tcp:
        http.bind(("127.0.0.1", 0))
        tcp.bind(("127.0.0.1", 0))
        return Node(http.getsockname()[1], tcp.getsockname()[1])


def _main(arguments: list[str]) -> None:
    """The child process."""
    library = ctypes.CDLL(str(LIBRARY))
    library.chdb_query_cmdline.restype = ctypes.c_void_p
    argv = (ctypes.c_char_p * len(arguments))(*(argument.encode() for argument in arguments))
    library.chdb_query_cmdline(len(arguments), argv)


if __name__ == "__main__":
    _main(sys.argv[1:])
