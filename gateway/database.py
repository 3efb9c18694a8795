"""ClickHouse for commands: synchronous connections that are closed at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.httpclient import HttpClient
from urllib3 import Timeout

from clickhouse.client import open_sync
from clickhouse.data_versions import changed_sites, insert_change
from clickhouse.errors import BEHIND, BadUserInputError, DeadlineError, QueryTooComplexError, SourceUnavailableError, from_driver
from clickhouse.insert import Insert
from clickhouse.migrations import compile_applied, compile_distributed, why_not_written
from clickhouse.replicas import CLUSTER_NODES, REPLICA, REPLICATED, catch_up, written_to_all
from clickhouse.statement import Statement
from clickhouse.target import Target
from gateway.setting_types import listed
from gateway.settings import Settings

ON_NODE = {"distributed_product_mode": "allow", "mutations_sync": 2, "allow_nondeterministic_mutations": 1}
"""A DELETE knows no GLOBAL IN; an UPDATE is done when the command returns; what a subquery of either asks, every replica has by then."""
NOTICE_S = 2.0
"""Gateways look for changes every `--version-seconds`, by default 1, and have answers under way."""
LAST_WORD = Timeout(connect=10, read=10)
"""Whoever stops a command because the server hangs does not wait for it."""

SESSION_S = 600
"""Temporary tables wait that long for a statement of another session, instead of ClickHouse's minute; the driver waits 300 s for one."""

AT_LIMIT = (
    "ClickHouse ended a statement at a limit of its user or of the server, on memory, rows or time; its log tells which."
    " Raise that limit and run the command again: what was begun is completed."
)
BROKEN_OFF = (
    "The connection to the data source broke off: it ended, or it ended a statement at a limit, of which its log tells."
    " Run the command again when that is mended: what was begun is completed."
)


class Database:
    """`nodes` are those of a cluster, one of each shard of which changes its rows; after `notice_s` gateways have seen a change.

    `beside` is a second session, for what can be done at the same time.
    """

    def __init__(self, client: Client, nodes: Sequence[Client] = (), notice_s: float = 0.0) -> None:
        self.client = client
        self.nodes = nodes
        self.notice_s = notice_s
        self.beside: Database | None = None
        if nodes:  # all a session has lies on one node, so that subqueries need not look at the others
            client.set_client_setting("distributed_product_mode", "local")

    @property
    def clients(self) -> tuple[Client, ...]:
        """All that write."""
        return (self.client, *self.nodes)

    def query(self, statement: Statement) -> list[dict[str, Any]]:
        return _rows(self.client, statement)

    def require_nodes(self) -> None:
        """Raises BadUserInputError on a cluster not all of whose nodes are known: what changes rows is better not begun there."""
        if self.is_cluster:
            _ = self._changing_nodes

    def require_own_tables(self) -> None:
        """Raises BadUserInputError where rows that this version derives would not be what the tables hold."""
        if problem := why_not_written(self.query(compile_applied())):
            raise BadUserInputError(problem)

    @cached_property
    def is_cluster(self) -> bool:
        return bool(self.query(compile_distributed()))

    @cached_property
    def _changing_nodes(self) -> list[Client]:
        """One node of each shard, after all replicas have caught up: what one changes changes on the others."""
        changing, known = list(self.nodes), len(self.nodes)
        if known and self._to_all_replicas:
            places = [(place, node) for node in self.nodes for place in _rows(node, REPLICA)]
            known = len({place["replica"] for place, _ in places})
            changing = list({place["shard"]: node for place, node in places}.values())
        if not known or known < (nodes := self.query(CLUSTER_NODES)[0]["nodes"]):
            raise BadUserInputError(
                "On a cluster each node changes its own rows. Give the addresses of all of them, replicas too, separated by commas, with"
                " --cluster-nodes or HEATGRAPH_CLUSTER_NODES." + (f" {known} of {nodes} nodes are known." if known else "")
            )
        if self._to_all_replicas:
            self._catch_up()
        return changing

    def _catch_up(self) -> None:
        try:
            for node in self.nodes:
                for statement in catch_up():
                    node.command(statement)
        except ClickHouseError as error:
            raise SourceUnavailableError(BEHIND) from error

    @cached_property
    def _to_all_replicas(self) -> dict[str, Any]:
        """Settings of an INSERT, empty without replicas."""
        return written_to_all(self.query(REPLICA)[0]["replicas"]) if self.query(REPLICATED) else {}

    def command(self, *statements: Statement) -> None:
        if any(statement.changes for statement in statements):
            self.require_nodes()
        with self._noting_change({site_id for statement in statements for site_id in statement.site_ids}):
            for statement in statements:
                if statement.changes and self.is_cluster:
                    for node in self._changing_nodes:
                        node.command(statement.on_node().sql, statement.params, settings=ON_NODE)
                else:
                    settings = {"mutations_sync": 2} if statement.changes else self._to_all_replicas
                    self.client.command(statement.sql, statement.params, settings=settings)

    def insert(self, insert: Insert) -> None:
        with self._noting_change(changed_sites(insert.columns, insert.rows)):
            self.client.insert(insert.table, insert.rows, column_names=insert.columns, settings=self._to_all_replicas)

    @contextmanager
    def _noting_change(self, site_ids: set[str]) -> Iterator[None]:
        """Before and after: what is done inside may be done though its answer was lost, or this process is killed before it is noted."""
        self.changed(*site_ids)
        try:
            yield
        except BaseException:
            if isinstance(self.client, HttpClient):
                self.client.timeout = LAST_WORD
            with suppress(ClickHouseError, OSError):  # which would hide why the change failed
                self.changed(*site_ids)
            raise
        self.changed(*site_ids)

    def changed(self, *site_ids: str) -> None:
        """To be said after anything of these sites has changed, so that no gateway answers from what it cached before."""
        if site_ids:
            change = insert_change(site_ids)
            rows = b"\n".join(map(orjson.dumps, change.rows))
            self.client.raw_insert(  # `insert` would import pandas: 0.8 s
                change.table, change.columns, rows, settings=self._to_all_replicas, fmt="JSONCompactEachRow"
            )


def _rows(client: Client, statement: Statement) -> list[dict[str, Any]]:
    return list(client.query(statement.sql, statement.params).named_results())


@contextmanager
def open_database(settings: Settings, two_sessions: bool = False) -> Iterator[Database]:
    """Raises HeatgraphError that says what to do: a path that is in use, a server that does not answer, tables that are not there.

    With `two_sessions` there is one beside it, but for the embedded engine, which must not be closed while a thread uses it.
    """
    with ExitStack() as opened:

        def opened_at(address: str) -> Client:
            client = open_sync(address)
            opened.callback(client.close)
            return client

        client = opened_at(settings.clickhouse)
        nodes = [opened_at(address) for address in dict.fromkeys(listed(settings.cluster_nodes))]
        is_embedded = Target.parse(settings.clickhouse).is_embedded
        database = Database(client, nodes, 0.0 if is_embedded else NOTICE_S)
        if two_sessions and not is_embedded:
            database.beside = Database(opened_at(settings.clickhouse), nodes, NOTICE_S)
            for session in (database, database.beside):
                session.client.set_client_setting("session_timeout", SESSION_S)
        try:
            yield database
        except (ClickHouseError, OSError) as error:
            failure = from_driver(error)
            if isinstance(failure, QueryTooComplexError | DeadlineError):
                failure = QueryTooComplexError(AT_LIMIT)
            if isinstance(failure, SourceUnavailableError) and not getattr(error, "code", None):  # it was reached when it was opened
                failure = SourceUnavailableError(BROKEN_OFF)
            raise failure from error
