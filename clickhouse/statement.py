"""SQL text and its bound values; pure, no I/O.

    params = Params()
    sql = f"country = {params.bind('DE', 'String')}"     # country = {p0:String}

Every value of a caller reaches ClickHouse as a typed placeholder. A time type must name its zone:
a bare `DateTime64(3)` is read in the process's own zone and loses rows elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from clickhouse.errors import BadUserInputError, TooLongValueError

INSTANT = "DateTime64(3, 'UTC')"
"""The one type of time that is bound, never in a list."""

MAX_ADDRESS_BYTES = 60_000
"""What one value may take in an address: a server takes 128 KiB, and the driver makes two characters of a quote or a backslash."""

MAX_BOUND_VALUES = 900
"""Of a statement: a server takes 1000 fields in an address, of which some are settings."""


def _address_bytes(text: str) -> int:
    return len(quote(text))


def portions(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """As many at once as may be bound as one value; for statements that can be run one after the other."""
    start, size = 0, 0
    for end, text in enumerate(texts):
        own = _address_bytes(f"{text!r}, ")
        if size + own > MAX_ADDRESS_BYTES and end > start:
            yield tuple(texts[start:end])
            start, size = end, 0
        size += own
    if texts:
        yield tuple(texts[start:])


@dataclass(slots=True)
class Params:
    """Collects bound values; equal values of one type share a placeholder."""

    values: dict[str, Any] = field(default_factory=dict)
    site_ids: set[str] = field(default_factory=set)
    until: datetime | None = None
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def bind(self, value: Any, clickhouse_type: str) -> str:
        """The placeholder for `value`, for example `{p0:Array(String)}`; of a list that is too long for one, several."""
        if "DateTime" in clickhouse_type and clickhouse_type != INSTANT:
            raise ValueError(f"a time parameter must name its zone: {INSTANT}, not {clickhouse_type}")
        known = (repr(value), clickhouse_type)
        if known not in self._names:
            if _address_bytes(known[0]) > MAX_ADDRESS_BYTES:
                if not isinstance(value, list) or len(value) < 2:
                    raise TooLongValueError(f"A value takes more than {MAX_ADDRESS_BYTES} bytes of an address; shorten it.")
                half = len(value) // 2
                return f"arrayConcat({self.bind(value[:half], clickhouse_type)}, {self.bind(value[half:], clickhouse_type)})"
            self._names[known] = f"p{len(self._names)}"
            self.values[self._names[known]] = value
        return f"{{{self._names[known]}:{clickhouse_type}}}"

    def utc(self, value: datetime) -> str:
        return self.bind(value, INSTANT)

    def day(self, value: date) -> str:
        return self.bind(value, "Date")

    def days(self, values: Sequence[date]) -> str:
        return self.bind(list(values), "Array(Date)")

    def hashes(self, values: Sequence[int]) -> str:
        """Ids of sessions, visitors, spots and told elements."""
        return self.bind(list(values), "Array(UInt64)")

    def text(self, value: str) -> str:
        return self.bind(value, "String")

    def site(self, site_id: str) -> str:
        """Whose rows the statement is about."""
        self.site_ids.add(site_id)
        return self.text(site_id)

    def texts(self, values: tuple[str, ...]) -> str:
        return self.bind(list(values), "Array(String)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement, one clause a line, with its bound values; `changes` names the table whose rows a DELETE or UPDATE is about.

    `site_ids` are the sites whose rows it reads or changes, empty if that is not known; `until` is the end of its window, None without one.
    `ahead` marks a quick one that questions wait for: while the pool is busy it gets a connection to itself.
    """

    sql: str
    params: dict[str, Any]
    changes: str = ""
    site_ids: frozenset[str] = frozenset()
    until: datetime | None = None
    ahead: bool = False

    def __post_init__(self) -> None:
        if len(self.params) > MAX_BOUND_VALUES:
            raise BadUserInputError(f"The question names more than the {MAX_BOUND_VALUES} values that a statement takes; leave some out.")

    @classmethod
    def of(cls, lines: list[str], params: Params, changes: str = "") -> Statement:
        return cls(_indented("\n".join(lines)), params.values, changes, frozenset(params.site_ids), params.until)

    @classmethod
    def delete(cls, table: str, clauses: Sequence[str], params: Params) -> Statement:
        return cls.of([f"DELETE FROM {table}", where_all(clauses)], params, changes=table)

    def on_node(self) -> Statement:
        """The same for one node's own part of a Distributed table, which refuses a DELETE or UPDATE as a whole.

        Which sessions were touched the node asks itself, as all a session has lies on one node: a change that asks others leaves
        their connections behind.
        """
        own = re.sub(rf"^(DELETE FROM|ALTER TABLE) {self.changes}\b", rf"\1 {self.changes}_local", self.sql)
        return replace(self, sql=re.sub(r"\bFROM touched_sessions\b", "FROM touched_sessions_local", own))

    @classmethod
    def union(cls, statements: list[Statement]) -> Statement:
        """All of them at once; `question` says which one a row answers. They must have the same columns, and their rows no order."""
        parts, params = [], {}
        for number, statement in enumerate(statements):
            renamed = re.sub(r"\{(p\d+):", rf"{{q{number}_\1:", statement.sql)
            parts.append(f"SELECT {number} AS question, *\nFROM (\n{renamed}\n)")
            params.update({f"q{number}_{name}": value for name, value in statement.params.items()})
        site_ids = frozenset().union(*(statement.site_ids for statement in statements))
        until = max((statement.until for statement in statements if statement.until), default=None)
        return cls("\nUNION ALL\n".join(parts), params, site_ids=site_ids, until=until)


def drop_temporary(tables: Iterable[str]) -> list[Statement]:
    """Where there is no such table, nothing is dropped."""
    return [Statement(f"DROP TEMPORARY TABLE IF EXISTS {table}", {}) for table in tables]


def where_all(clauses: Iterable[str]) -> str:
    return "WHERE " + "\n  AND ".join(clauses)


def union_all(selects: Iterable[Sequence[str]]) -> list[str]:
    """The lines of all SELECTs as those of one."""
    return [line for select in selects for line in ("UNION ALL", *select)][1:]


def _indented(sql: str) -> str:
    """Two spaces for each subquery: a line that ends in an open parenthesis begins one, a line that begins with a closing one ends it."""
    lines, depth = [], 0
    for line in sql.split("\n"):
        depth -= line.lstrip().startswith(")")
        lines.append("  " * depth + line)
        depth += line.endswith("(")
    return "\n".join(lines)
