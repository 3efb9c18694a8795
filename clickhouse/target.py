"""Where the data is: a DSN, and the driver's client for it.

Target.parse("./data")                                  -> the embedded engine in that directory
Target.parse("http://user:password@host:8123/db")       -> a server
Target.parse(dsn).open()                                -> the driver's synchronous client
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import clickhouse_connect
from aiohttp import ClientResponse
from clickhouse_connect.driver._backend.http_async import release_lease
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError, ProgrammingError
from clickhouse_connect.driver.httpclient import HttpClient
from urllib3 import BaseHTTPResponse

from clickhouse.errors import BadUserInputError, SourceUnavailableError, from_driver

SETTINGS = {
    "session_timezone": "UTC",
    "date_time_output_format": "iso",
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_named_tuples_as_objects": 1,
    "allow_experimental_nullable_tuple_type": 1,
    "distributed_product_mode": "global",
    "distributed_foreground_insert": 1,  # a row is on its shard when its insert returns
    "insert_deduplicate": 0,  # rows that were deleted and are derived again are no retry; replicated tables would leave them out
    "join_use_nulls": 0,
    "optimize_use_projections": 0,  # our tables have none, and looking for some takes half a millisecond a statement
    "max_query_size": 10_000_000,
    "use_index_for_in_with_subqueries_max_values": 1_000,  # some pages are found by the index; for the members of a cohort it costs more
}
"""What the meaning and the speed of our SQL rely on, the same for every statement."""
EMBEDDED_OPTIONS = {"background_pool_size": 4}
"""With its own 2 the engine (chDB 26.9) lets a DELETE or UPDATE wait for up to a second, though nothing else is done."""
SUMMARY = "X-ClickHouse-Summary"
NOT_AN_OPTION = "The data source's address has an option after its `?` that the driver does not know, or a value it does not take."


@dataclass(frozen=True, slots=True)
class Target:
    """`address` is the driver's DSN without the database; `path` the embedded engine's directory, None in memory and for servers."""

    address: str
    database: str = ""
    path: Path | None = None

    @classmethod
    def parse(cls, dsn: str) -> Target:
        """A directory, `chdb:///path[?database=db]`, `chdb://memory[/db]` or `http(s)://user:password@host:8123/db`; raises ValueError."""
        if dsn.strip() and "://" not in dsn:  # none is that of a variable that was not set
            return cls.parse(f"chdb://{Path(dsn).absolute()}")
        parts = urlsplit(dsn)
        if _is_server(parts):
            return cls(parts._replace(path="").geturl(), unquote(parts.path.strip("/")))
        if parts.scheme == "chdb" and parts.netloc == "memory":
            return cls("chdb://memory", parts.path.strip("/"))
        if parts.scheme == "chdb" and not parts.netloc and parts.path.strip("/"):
            return cls(f"chdb://{parts.path}", parse_qs(parts.query).get("database", [""])[0], Path(parts.path))
        raise ValueError("not a data source; give a directory, chdb:///path, chdb://memory or http(s)://user:password@host:8123/database")

    @property
    def is_embedded(self) -> bool:
        return self.address.startswith("chdb:")

    @property
    def scheme(self) -> str:
        """Told to the driver, which would go by the port alone, and send passwords unencrypted to an https:// that is none of its ports."""
        return self.address.partition(":")[0].lower()

    def open(self) -> Client:
        """Raises SourceUnavailableError, BadUserInputError. The database need not exist yet."""
        try:
            options: dict[str, Any] = {"chdb_options": EMBEDDED_OPTIONS} if self.is_embedded else {"dedicated_pool": True}
            client = clickhouse_connect.get_client(dsn=self.address, interface=self.scheme, settings=dict(SETTINGS), **options)
        except (TypeError, ClickHouseError, OSError) as exception:
            if self.path and isinstance(exception, ProgrammingError):
                raise _not_opened(self.path) from exception
            if isinstance(exception, TypeError | ProgrammingError) and not self.is_embedded:
                raise BadUserInputError(NOT_AN_OPTION) from exception
            raise from_driver(exception) from exception
        client.database = self.database or client.database
        if isinstance(client, HttpClient):
            client.http.urlopen = _whole(client.http.urlopen)  # type: ignore[method-assign]
        return client

    async def open_async(self, max_connections: int) -> AsyncClient:
        """For servers only; raises SourceUnavailableError, and what the driver raises."""
        try:
            client = await clickhouse_connect.get_async_client(
                dsn=self.address,
                interface=self.scheme,
                settings=dict(SETTINGS),
                connector_limit=max_connections,
                connector_limit_per_host=max_connections,
            )
        except (TypeError, ProgrammingError) as exception:
            raise SourceUnavailableError(NOT_AN_OPTION) from exception
        client.database = self.database or client.database
        client._backend.request = _whole_async(client._backend.request)  # type: ignore[method-assign]
        return client


def refuse_strange(status: int, headers: Mapping[str, str]) -> None:
    """Raises OperationalError for an answer of which the server died within the head, and for a success that is not ClickHouse's: either
    would be taken for an answer without rows, or for a write that is done."""
    if headers.get("Transfer-Encoding", "").lower() != "chunked" and not headers.get("Content-Length", "").isdigit():
        raise OperationalError("the answer broke off")
    if 200 <= status < 300 and SUMMARY not in headers:
        raise OperationalError("the answer is not ClickHouse's")


def _whole(ask: Callable[..., BaseHTTPResponse]) -> Callable[..., BaseHTTPResponse]:
    @wraps(ask)
    def checked(*args: Any, **kwargs: Any) -> BaseHTTPResponse:
        answer = ask(*args, **kwargs)
        try:
            refuse_strange(answer.status, answer.headers)
        except OperationalError:
            answer.close()
            raise
        return answer

    return checked


def _whole_async(ask: Callable[..., Coroutine[Any, Any, ClientResponse]]) -> Callable[..., Coroutine[Any, Any, ClientResponse]]:
    @wraps(ask)
    async def checked(*args: Any, **kwargs: Any) -> ClientResponse:
        answer = await ask(*args, **kwargs)
        try:
            refuse_strange(answer.status, answer.headers)
        except OperationalError:
            answer.close()
            release_lease(answer)
            raise
        return answer

    return checked


def _is_server(parts: SplitResult) -> bool:
    try:
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is none
        return False


def _not_opened(path: Path) -> SourceUnavailableError:
    """Why the embedded engine did not open its directory; it holds a lock on its file `status` while it runs."""
    try:
        with (path / "status").open() as status:
            fcntl.flock(status, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return SourceUnavailableError(
            f"{path} is in use by another process, and the embedded engine allows one at a time. Stop the other one (a running `serve`?) "
            "and try again, or keep the data in a ClickHouse server: --clickhouse http://user:password@host:8123/database"
        )
    except OSError:
        pass
    return SourceUnavailableError(f"{path} cannot be opened as the embedded engine's directory. Check that it is one and can be written.")
