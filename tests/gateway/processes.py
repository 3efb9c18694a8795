"""`python -m gateway serve` as a process of its own.

with running(tmp_path, HEATGRAPH_LOG_FORMAT="json") as gateway: httpx.get(gateway.address + "/health/live")
gateway.log()      # once it has ended
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Gateway:
    port: int
    process: subprocess.Popen[bytes]
    log_path: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        return self.log_path.read_text()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + TIMEOUT_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running(directory: Path, **settings: str) -> Iterator[Gateway]:
    """Over an embedded engine in `directory` unless `settings` name another; migrated and live."""
    port = free_port()
    ours = {"HEATGRAPH_CLICKHOUSE": str(directory / "data"), "HEATGRAPH_SECRET": "only for tests", "HEATGRAPH_PORT": str(port)}
    environment = os.environ | ours | settings
    subprocess.run([sys.executable, "-m", "gateway", "migrate"], cwd=ROOT, env=environment, check=True, capture_output=True)
    log_path = directory / f"gateway-{port}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "gateway", "serve"], cwd=ROOT, env=environment, stderr=log)
    gateway = Gateway(port, process, log_path)

    def is_live() -> bool:
        assert process.poll() is None, gateway.log()
        try:
            return httpx.get(f"{gateway.address}/health/live").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_for(is_live)
        yield gateway
    finally:
        if process.poll() is None:
            gateway.stop()
        process.wait(TIMEOUT_S)
