"""One command at a time writes a site: `load`, `forget`, `demo` and the sums of `migrate` wait for each other.

    with site_lock("http://user:password@host:8123/database", "site_abc123"): …

The lock is a statement that never ends. ClickHouse refuses a second one of the same id, and ends one whose asker is gone, so that a
command leaves no lock behind, even when it is killed. It holds for all who go through the same server. The embedded engine needs none, because
its directory has one process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import click
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.errors import from_driver
from clickhouse.target import Target

ALREADY_RUNNING = 216
RETRY_S = 0.1
PATIENCE_S = 2  # a command that was killed a moment ago is not worth a word

FOREVER = "SELECT if(number = 0, repeat(' ', 65536), '') FROM system.numbers WHERE number % 200 = 0 OR sleepEachRow(0.1)"
"""One row that says that it runs, more than a proxy holds back; then a byte every 20 seconds, or a proxy would take it for dead."""
SETTINGS = {
    "max_block_size": 1,
    "buffer_size": 1,
    "max_execution_time": 0,
    "readonly": 2,
    "cancel_http_readonly_queries_on_client_close": 1,
}


@contextmanager
def site_lock(dsn: str, site_id: str) -> Iterator[None]:
    """Waits until nobody else writes the site; raises HeatgraphError when the server does not answer."""
    target = Target.parse(dsn)
    if target.is_embedded:
        yield
        return
    with closing(target.open()) as client:
        query_id = f"heatgraph writes {site_id} of {client.database}"
        with closing(_hold(client, query_id, site_id)):  # KILL QUERY … SYNC would go on to end the statement of whoever comes next
            yield


def _hold(client: Client, query_id: str, site_id: str) -> Any:
    """The stream of the statement that runs."""
    since, told = time.monotonic(), False
    while True:
        try:
            stream: Any = client.raw_stream(FOREVER, settings=SETTINGS | {"query_id": query_id}, fmt="RowBinary")
            stream.read(1)
            return stream
        except ClickHouseError as error:
            if getattr(error, "code", None) != ALREADY_RUNNING:
                raise from_driver(error) from error
        if not told and time.monotonic() - since > PATIENCE_S:
            click.echo(f"Another command is writing the site {site_id}; waiting for it to end.", err=True)
            told = True
        time.sleep(RETRY_S)
