"""A real ClickHouse server for tests, without Docker.

The npm package `@chdb/lib-linux-x64-gnu` (see `tests/node/package.json`) holds ClickHouse as a library. Its C function
`chdb_query_cmdline` runs `clickhouse local`, which opens the real HTTP and native listeners in a child process:

    with server() as node: … node.dsn("my_database")        # http://heatgraph:secret@127.0.0.1:40123/my_database
    with cluster() as (first, second): …                    # two shards of the cluster `two_shards`
    node.kill(), node.start(), node.hang(), node.wake()     # what happens to servers
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
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
    <background_pool_size>16</background_pool_size>
    <users_config>{users}</users_config>
    <default_profile>default</default_profile>
    <access_control_improvements><select_from_system_db_requires_grant>true</select_from_system_db_requires_grant></access_control_improvements>
    <remote_servers>
        <two_shards>{shards}</two_shards>
        <one_is_written><shard><internal_replication>true</internal_replication>{replicas}</shard></one_is_written>
        <all_are_written><shard>{replicas}</shard></all_are_written>
    </remote_servers>
</clickhouse>
"""

SHARD = """
            <shard><replica>
                <host>127.0.0.1</host><port>{port}</port><user>{user}</user><password>{password}</password>
            </replica></shard>"""

REPLICAS = "<replica><host>127.0.0.1</host><port>1</port></replica><replica><host>127.0.0.1</host><port>2</port></replica>"
"""Of clusters nobody reaches: `clickhouse local` neither sends parts to replicas nor runs ON CLUSTER."""

USERS = """
<clickhouse>
    <profiles><default/><readonly><readonly>1</readonly></readonly><limited><max_rows_to_read>1000000000</max_rows_to_read></limited></profiles>
    <quotas><default/></quotas>
    <users>
        <default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
        <{user}><password>{password}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></{user}>
        <limited>
            <password>limited</password><networks><ip>127.0.0.1</ip></networks><profile>limited</profile><quota>default</quota>
            <grants>{limited}<query>GRANT SELECT ON system.processes</query></grants>
        </limited>
        <blind>
            <password>blind</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
            <grants>{limited}</grants>
        </blind>
    </users>
</clickhouse>
"""

LIMITED = "<query>GRANT ALL ON limited.*</query><query>GRANT CREATE ARBITRARY TEMPORARY TABLE ON *.*</query><query>GRANT TABLE ENGINE ON *</query>"
"""The rights the README asks for; whoever is `blind` has no more."""


@dataclass(slots=True)
class Node:
    """One server process and its files, which outlive it: it can be killed and started again."""

    http_port: int
    tcp_port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    def dsn(self, database: str = "", password: str = PASSWORD) -> str:
        return f"http://{USER}:{urllib.parse.quote(password, safe='')}@127.0.0.1:{self.http_port}/{database}"

    def configure(self, nodes: Sequence[Node]) -> None:
        """As one of the shards of CLUSTER."""
        shards = "".join(SHARD.format(port=other.tcp_port, user=USER, password=PASSWORD) for other in nodes)
        users, config = self.folder / "users.xml", self.folder / "config.xml"
        users.write_text(USERS.format(user=USER, password=PASSWORD, limited=LIMITED))
        config.write_text(CONFIG.format(users=users, shards=shards, replicas=REPLICAS))

    def start(self) -> None:
        """Returns when it answers."""
        arguments = [
            f"--config-file={self.folder}/config.xml",
            f"--path={self.folder}/data",
            "--listen_host=127.0.0.1",
            f"--http_port={self.http_port}",
            f"--tcp_port={self.tcp_port}",
            "--query",
            LISTEN,
        ]
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__, "clickhouse", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        _wait(self, self._process, self.folder / "log")

    def cpu_s(self) -> float:
        """User and system time since it started."""
        assert self._process
        user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def hang(self) -> None:
        """It takes connections and never answers, until `wake`."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def server(folder: Path | None = None) -> Iterator[Node]:
    """Its files are kept in `folder`, if one is named."""
    with _running(1, folder) as (node,):
        yield node


@contextmanager
def cluster() -> Iterator[tuple[Node, Node]]:
    with _running(2) as (first, second):
        yield first, second


@contextmanager
def _running(count: int, folder: Path | None = None) -> Iterator[list[Node]]:
    with ExitStack() as stack:
        nodes = [_free_node(folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))) for _ in range(count)]
        for node in nodes:
            node.configure(nodes if count > 1 else ())
            stack.callback(node.kill)
            node.start()
        yield nodes


def _wait(node: Node, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{node.http_port}/ping", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"ClickHouse did not start:\n{log.read_text()[-2000:]}")


def _free_node(folder: Path) -> Node:
    with socket.socket() as http, socket.socket() as tcp:
        http.bind(("127.0.0.1", 0))
        tcp.bind(("127.0.0.1", 0))
        return Node(http.getsockname()[1], tcp.getsockname()[1], folder)


def _main(arguments: list[str]) -> None:
    """The child process."""
    library = ctypes.CDLL(str(LIBRARY))
    library.chdb_query_cmdline.restype = ctypes.c_void_p
    argv = (ctypes.c_char_p * len(arguments))(*(argument.encode() for argument in arguments))
    library.chdb_query_cmdline(len(arguments), argv)


if __name__ == "__main__":
    _main(sys.argv[1:])
