"""Tables and their columns, read from `ddl/*.sql`, the one place that defines them; identifiers in SQL come from here.

TABLES["interactions"].column("page_key")     -> "page_key"; an unknown name raises KeyError
TABLES["interactions"].columns["page_key"]    -> "LowCardinality(String)"
TABLES["interactions"].sharding_key           -> "cityHash64(site_id, visitor_id)"
tables_read("SELECT 1 FROM pages")            -> {"pages"}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DDL = Path(__file__).parent / "ddl"

_READ = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")

_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)\$local.*?\n\(\n(.*?)\n\)\nENGINE", re.DOTALL)
_ADDED = re.compile(r"ALTER TABLE (\w+)\$local \$on_cluster\s+ADD COLUMN IF NOT EXISTS (.*?);", re.DOTALL)
_COLUMN = re.compile(r"(\w+)\s+(.+?)(?:\s+(?:CODEC\(.*\)|ALIAS .*|DEFAULT .*))?,?")


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: Mapping[str, str]
    """Column -> ClickHouse type, in the order of the DDL."""

    def column(self, name: str) -> str:
        if name not in self.columns:
            raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(self.columns)}")
        return name

    @property
    def sharding_key(self) -> str:
        """Rows that are joined or replace each other share a shard: those of a visitor, else of a site, else of one key."""
        if "visitor_id" in self.columns:
            return "cityHash64(site_id, visitor_id)"
        return f"cityHash64({next(iter(self.columns))})"


def parse(ddl: str) -> list[Table]:
    """The tables of one DDL file."""
    return [Table(name, dict(_parse_column(line) for line in body.splitlines())) for name, body in _TABLE.findall(ddl)]


def _parse_column(line: str) -> tuple[str, str]:
    declaration = line.split("--")[0].strip()
    if (match := _COLUMN.fullmatch(declaration)) is None:
        raise ValueError(f"not a column: {line!r}; write one column a line")
    return match[1], match[2]


def read(folder: Path) -> dict[str, Table]:
    """The tables of all DDL files, with the columns that later ones add."""
    ddl = "\n".join(file.read_text() for file in sorted(folder.glob("*.sql")))
    tables = {table.name: table for table in parse(ddl)}
    for name, declaration in _ADDED.findall(ddl):
        column, type_ = _parse_column(declaration)
        tables[name] = Table(name, {**tables[name].columns, column: type_})
    return tables


TABLES: Mapping[str, Table] = read(DDL)


@lru_cache(256)
def tables_read(sql: str) -> frozenset[str]:
    """Names of our tables after FROM and JOIN."""
    return frozenset(_READ.findall(sql)) & TABLES.keys()
