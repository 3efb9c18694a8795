"""Creates the tables: applies `ddl/NNNN_name.sql` in order and records each step in the table `migrations`.

    migrate(open_sync("./data"))                                    embedded engine or one server
    migrate(client, cluster="main")                                 once per node: local tables below Distributed ones
    migrate(client, cluster="main", replicated=True)                once, on any node: ON CLUSTER, Replicated… (needs Keeper, see `replicas`)

The files are `string.Template`s. `$local` is the suffix of tables that hold rows: empty, or `_local` on a cluster, where
the plain name is the Distributed table; `$stored` is the suffix under which one run sees all rows it is about: those of its node,
or of the cluster when it runs once. Applying what is applied already changes nothing; a file that changed since is an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from clickhouse_connect.driver.client import Client

from clickhouse.errors import BadUserInputError, SourceUnavailableError
from clickhouse.numbers import default_cell_sql
from clickhouse.row_keys import ROW_ID
from clickhouse.statement import Statement
from clickhouse.tables import DDL, Table, parse

EVERYWHERE = "('/clickhouse/tables/{uuid}/all', '{shard}-{replica}')"
"""Arguments of the engine of a table that all nodes share, whatever their shard."""


class MigrationError(SourceUnavailableError):
    """The recorded steps and the files disagree; the message names the step and what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    name: str
    text: str = field(repr=False)

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def makes_rollups(self) -> bool:
        return "MATERIALIZED VIEW" in self.text


@dataclass(frozen=True, slots=True)
class Topology:
    """How one set of files becomes tables on one server, on a cluster, or on a replicated one."""

    cluster: str | None = None
    replicated: bool = False

    def __post_init__(self) -> None:
        if self.replicated and not self.cluster:
            raise BadUserInputError("replicated: needs the name of a cluster; give --cluster too")
        if self.cluster and not re.fullmatch(r"[\w-]+", self.cluster):
            raise BadUserInputError(f"cluster: {self.cluster!r} is no name; letters, digits, _ and - are allowed")

    @property
    def on_cluster(self) -> str:
        return f"ON CLUSTER '{self.cluster}'" if self.replicated else ""

    @property
    def local(self) -> str:
        return "_local" if self.cluster else ""

    def require(self, client: Client) -> None:
        """Raises BadUserInputError for a cluster whose replicas would hold rows twice, or not the same ones."""
        asked = "SELECT if(max(replica_num) > 1, min(internal_replication) + 1, 0) FROM system.clusters WHERE cluster = {cluster:String}"
        written = client.command(asked, {"cluster": self.cluster}, use_database=False) if self.cluster else 0
        if written == 1 and self.replicated:
            raise BadUserInputError(
                f"cluster: ClickHouse writes to every replica of a shard of {self.cluster!r}, and each would also pass on what it was sent: rows"
                " would be there twice. Set <internal_replication>true</internal_replication> for its shards in ClickHouse's configuration."
            )
        if written == 2 and not self.replicated:
            raise BadUserInputError(
                f"cluster: {self.cluster!r} has replicas, and a row would be on one of them only. Give --replicated, too."
            )

    def statements(self, text: str) -> list[str]:
        """The statements of a DDL file, with a Distributed table for each table on a cluster."""
        replicated, stored, everywhere = ("Replicated", "", EVERYWHERE) if self.replicated else ("", self.local, "")
        filled = Template(text).substitute(
            on_cluster=self.on_cluster, local=self.local, replicated=replicated, stored=stored, everywhere=everywhere
        )
        statements = [statement for statement in re.split(r";\s*$", filled, flags=re.MULTILINE) if statement.strip()]
        if not self.cluster:
            return statements
        made = []
        for statement in statements:
            above = re.sub(r"(ALTER TABLE \w+)_local", r"\1", statement)  # a Distributed table does not follow the local one
            made += [statement] if above == statement else [statement, above]
        return made + [self.distributed(table) for table in parse(text)]

    def distributed(self, table: Table) -> str:
        return "\n".join(
            [
                f"CREATE TABLE IF NOT EXISTS {table.name} {self.on_cluster}",
                f"AS {table.name}{self.local}",
                f"ENGINE = Distributed('{self.cluster}', currentDatabase(), '{table.name}{self.local}', {table.sharding_key})",
            ]
        )


def steps(folder: Path = DDL) -> list[Step]:
    """The DDL files in order."""
    return [
        Step(
            int(file.name[:4]),
            file.stem[5:],
            file.read_text().replace("$row_id", ROW_ID).replace("$default_cell", default_cell_sql("x", "y", "viewport_width")),
        )
        for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]


def migrate(client: Client, cluster: str | None = None, replicated: bool = False, folder: Path = DDL) -> list[Step]:
    """Applies the steps this database does not have yet and returns them; raises MigrationError, BadUserInputError."""
    topology = Topology(cluster or None, replicated)
    topology.require(client)
    if client.database:
        client.command(f"CREATE DATABASE IF NOT EXISTS `{client.database}` {topology.on_cluster}", use_database=False)
    for statement in topology.statements(_MIGRATIONS):
        client.command(statement)
    applied: dict[int, str] = {row["step"]: row["checksum"] for row in client.query(compile_applied().sql).named_results()}
    pending = []
    for step in steps(folder):
        if step.number not in applied:
            pending.append(step)
        elif applied[step.number] != step.checksum:
            raise MigrationError(
                f"Step {step.number:04} ({step.name}) was applied from a different file: these tables were made by another version, and are"
                " as they were. Use that version, or load the files again into a new directory or database: --clickhouse DSN."
            )
    for step in pending:
        for statement in topology.statements(step.text):
            client.command(statement)
        client.command(
            "INSERT INTO migrations (step, name, checksum, applied_at) SELECT {step:UInt32}, {name:String}, {checksum:String}, now64(3)",
            parameters={"step": step.number, "name": step.name, "checksum": step.checksum},
        )
    return pending


def compile_applied() -> Statement:
    """One row a step that was applied: step, checksum."""
    return Statement("SELECT step, checksum\nFROM migrations\nORDER BY applied_at", {}, ahead=True)


def compile_distributed() -> Statement:
    """A row if the tables are those of a cluster."""
    return Statement(
        "SELECT name\nFROM system.tables\nWHERE database = currentDatabase()\n  AND name = 'received'\n  AND engine = 'Distributed'", {}
    )


def why_not_current(applied: Iterable[Mapping[str, Any]]) -> str | None:
    """What to do about tables that are not up to date, by the rows of `compile_applied`; None when they are."""
    known = {row["step"]: row["checksum"] for row in applied}
    if all(known.get(step.number) == step.checksum for step in steps()):
        return None
    return "The tables are not up to date. Run: python -m gateway migrate"


def why_not_written(applied: Iterable[Mapping[str, Any]]) -> str | None:
    """What to do before rows are stored in such tables; None when they are this version's own. To answer from newer ones is fine."""
    rows = list(applied)
    newest = max((row["step"] for row in rows), default=0)
    if newest > steps()[-1].number:
        return f"The tables were made by a newer version (step {newest:04}), and this one would leave what is new in them empty. Use that version."
    return why_not_current(rows)


_MIGRATIONS = """
CREATE TABLE IF NOT EXISTS migrations $on_cluster
(
    step       UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ${replicated}MergeTree$everywhere
ORDER BY step;
"""
