"""One command at a time writes a site: `load`, `forget`, `demo`, new retention and the sums of `migrate` wait for each other.

    with site_lock("http://user:password@host:8123/database", "site_abc123", client): …

The lock is a statement that never ends. ClickHouse refuses a second one of the same id, and ends one whose asker is gone, so that a
command leaves no lock behind, even when it is killed. What a killed command was writing goes on to its end, so whoever comes next waits for
that, too. A command that loses the lock, say because a proxy closes its connection, stops as if it were killed. It holds for all who go
through the same server. The embedded engine needs none, because its directory has one process.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import click
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.httpclient import HttpClient
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from clickhouse.client import open_sync
from clickhouse.errors import SourceUnavailableError
from clickhouse.target import Target

ALREADY_RUNNING = 216
ACCESS_DENIED = 497
RETRY_S = 0.1
RELEASE_S = 5
WITHOUT_END = Timeout(connect=10, read=None)
"""Of what is written: an UPDATE says nothing until it is done, and that may take hours. A server that hangs is noticed by the lock's silence."""
SILENCE = Timeout(connect=10, read=300)
"""Whatever the address says of how long answers may take: the lock's byte comes every 20 seconds."""
PATIENCE_S = 2  # a command that was killed a moment ago is not worth a word

STILL_WRITING = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = {lock:String} AND query_id != queryID()"
FOREVER = "SELECT if(number = 0, repeat(' ', 65536), '') FROM numbers(1000000000000) WHERE number % 200 = 0 OR sleepEachRow(0.1)"
"""One row that says that it runs, more than a proxy holds back; then a byte every 20 seconds, or a proxy would take it for dead."""
SETTINGS = {
    "max_block_size": 1,
    "buffer_size": 1,
    "max_execution_time": 0,
    "max_rows_to_read": 0,
    "max_rows_to_read_leaf": 0,
    "readonly": 2,
    "cancel_http_readonly_queries_on_client_close": 1,
}


@contextmanager
def site_lock(dsn: str, site_id: str, *writers: Client) -> Iterator[None]:
    """Waits until nobody else writes the site; `writers` are the clients that will. Raises HeatgraphError, and as they do."""
    if Target.parse(dsn).is_embedded:
        yield
        return
    lost = threading.Event()
    with closing(open_sync(dsn)) as client:
        assert isinstance(client, HttpClient)
        client.timeout = SILENCE
        lock = f"heatgraph writes {site_id} of {client.database}"
        try:
            # Closing it ends it; KILL QUERY … SYNC would go on to end the statement of whoever comes next.
            with closing(_hold(client, lock, site_id)) as stream, _watched(stream, lost):
                for writer in writers:
                    _wait_for_killed(writer, lock, site_id)
                    writer.set_client_setting("log_comment", lock)
                    assert isinstance(writer, HttpClient)
                    writer.timeout = WITHOUT_END
                yield
        except (KeyboardInterrupt, ClickHouseError, OSError) as error:
            if not lost.is_set():
                raise
            raise SourceUnavailableError(
                f"ClickHouse ended, or something closed the connection that keeps others from writing the site {site_id}. "
                "Run the command again: what was begun is completed."
            ) from error


def _hold(client: Client, lock: str, site_id: str) -> Any:
    """The stream of the statement that runs."""
    patience = Patience(f"Another command is writing the site {site_id}; waiting for it to end.")
    while True:
        try:
            stream: Any = client.raw_stream(FOREVER, settings=SETTINGS | {"query_id": lock}, fmt="RowBinary")
            stream.read(1)
            return stream
        except ClickHouseError as error:
            if getattr(error, "code", None) != ALREADY_RUNNING:
                raise
        except HTTPError as error:
            raise ConnectionError("ClickHouse ended before its first byte") from error
        patience.wait()


@contextmanager
def _watched(stream: Any, lost: threading.Event) -> Iterator[None]:
    """Interrupts what is done inside when the statement ends by itself, which `lost` tells: somebody else may write now."""
    left = threading.Event()

    def watch() -> None:
        with suppress(Exception):  # however it ends
            stream.read()
        if not left.is_set():
            lost.set()
            signal.pthread_kill(writing, signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # as a shell starts what a script leaves in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    writing = threading.get_ident()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        left.set()
        with suppress(RuntimeError, ValueError):  # there is nothing to shut down when it has ended
            stream.shutdown()
        watcher.join(RELEASE_S)
        if before is signal.SIG_IGN:
            signal.signal(signal.SIGINT, before)


def _wait_for_killed(writer: Client, lock: str, site_id: str) -> None:
    """Until the statements of a command that held the lock have ended."""
    patience = Patience(f"A command that was stopped is still writing the site {site_id}; waiting for it to end.")
    try:
        while writer.query(STILL_WRITING, {"lock": lock}).result_rows[0][0]:
            patience.wait()
    except ClickHouseError as error:
        if getattr(error, "code", None) != ACCESS_DENIED:
            raise
        raise SourceUnavailableError(
            "The data source does not tell which statements run, so nobody knows whether another command still writes. "
            "Give its user the right to see them: GRANT SELECT ON system.processes."
        ) from error


class Patience:
    """Says why it waits when that takes long."""

    def __init__(self, why: str) -> None:
        self._why = why
        self._since = time.monotonic()

    def wait(self) -> None:
        if self._why and time.monotonic() - self._since > PATIENCE_S:
            click.echo(self._why, err=True)
            self._why = ""
        time.sleep(RETRY_S)
