"""Both layouts asked the same questions in turn, in one server; what each costs.

Our side is what the product sends: the statements of a GraphQL request as the client's listener sees them, with the client's settings.
Those that look up the site, the page or the cohort are kept apart, as the peer has them in another database.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPConnection
from statistics import median
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson
from clickhouse_connect.driver.binding import bind_query

from clickhouse.client import connect, open_sync
from clickhouse.reading import Limits
from clickhouse.statement import Statement
from clickhouse.target import SETTINGS
from tests.asking import answer
from tests.benchmarks.questions import HOT_PAGE, SITE, Days, Question, questions
from tests.servers import PASSWORD, USER, Node

WINDOWS = (7, 30, 90)
SHOWN_POINTS = 500
ALL_POINTS = 100_000
LOOKUPS = {"sites", "pages", "cohorts", "cohort_members", "element_marks", "stale_days", "data_versions"}
PRODUCT = {**SETTINGS, **Limits().settings(), "default_format": "Native", "max_execution_time": 0}
"""As the product asks, but for its deadline, which PostHog's listing of 90 days misses at 100 million."""
TOLD_AT_THE_END = {"wait_end_of_query": 1}
"""ClickHouse says what a statement took and read before its answer, so it has to hold the answer back."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians in ms inside ClickHouse; `lookups_ms` is what finding site, page and cohort takes besides."""

    peer_ms: float
    ours_ms: float
    lookups_ms: float
    peer_rows: int
    our_rows: int

    @property
    def ratio(self) -> float:
        return self.peer_ms / self.ours_ms


class Timed(Protocol):
    """A ClickHouse that says what a statement cost."""

    def ms(self, statement: Statement, **settings: Any) -> float:
        """What it took inside ClickHouse; `settings` besides PRODUCT."""

    def rows_read(self, statement: Statement, **settings: Any) -> int: ...

    def close(self) -> None: ...


class Http:
    """A server asked on one kept connection, as the product's client asks it."""

    def __init__(self, node: Node, database: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", node.http_port)
        self._headers = {"X-ClickHouse-User": USER, "X-ClickHouse-Key": PASSWORD, "X-ClickHouse-Database": database}

    def close(self) -> None:
        self._connection.close()

    def ms(self, statement: Statement, **settings: Any) -> float:
        """What ClickHouse says it took, from the statement's arrival to its last row; the way there and back is not in it."""
        return int(self._ask(statement, settings)["elapsed_ns"]) / 1e6

    def rows_read(self, statement: Statement, **settings: Any) -> int:
        return int(self._ask(statement, settings)["read_rows"])

    def _ask(self, statement: Statement, settings: dict[str, Any]) -> Any:
        sql, bound = bind_query(statement.sql, statement.params)
        path = "/?" + urlencode({**PRODUCT, **TOLD_AT_THE_END, **settings, **bound})
        body = sql if isinstance(sql, bytes) else sql.encode()
        try:
            return self._send(path, body)
        except ConnectionError:  # idle for too long: servers close such connections
            self._connection.close()
            return self._send(path, body)

    def _send(self, path: str, body: bytes) -> Any:
        self._connection.request("POST", path, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer[-2000:]
        return orjson.loads(response.headers["X-ClickHouse-Summary"])


class Layouts:
    """One database with the same traffic in both layouts, which `timed` asks; `last_day` is that of the data."""

    def __init__(self, dsn: str, timed: Timed) -> None:
        self._timed = timed
        self._loop = asyncio.Runner()
        self._client = self._loop.run(connect(dsn))
        self._sync = open_sync(dsn)
        self.last_day: date = self._sync.query("SELECT max(day) FROM interactions").result_rows[0][0]
        self.questions = questions(self._hottest())

    def days(self, count: int) -> Days:
        return self.last_day - timedelta(days=count - 1), self.last_day

    def ours(self, question: Question, days: Days, first: int = SHOWN_POINTS) -> tuple[Any, list[Statement]]:
        """The site's part of the answer, and the statements it took."""
        ran: list[Statement] = []

        self._client.on_statement = ran.append
        answered = self._loop.run(answer(self._client, question.graphql, **question.variables(days, first)))
        assert not answered["errors"], (question.name, answered["errors"])
        return answered["data"]["site"], ran

    def difference(self, question: Question, count: int = 30) -> str:
        """What the two answers disagree in, '' when they are equal."""
        days = self.days(count)
        ours = question.read(self.ours(question, days, ALL_POINTS)[0])
        peers = question.read_peer([tuple(row) for row in self._sync.query(question.sql(days, ALL_POINTS)).result_rows])
        return "" if ours == peers else f"{question.name}: {str(ours)[:500]} ≠ {str(peers)[:500]}"

    def measure(self, question: Question, count: int, repetitions: int, **settings: Any) -> Measured:
        """Both sides in turn, so that what slows the machine slows both."""
        days = self.days(count)
        lookups, answers = parted(self.ours(question, days)[1])
        peer = Statement(question.sql(days, SHOWN_POINTS), {})
        sides: list[list[float]] = [[], [], []]
        for _ in range(repetitions + 1):
            for times, statements in zip(sides, ([peer], answers, lookups), strict=True):
                times.append(sum(self._timed.ms(statement, **settings) for statement in statements))
        peer_ms, ours_ms, lookups_ms = (median(times[1:]) for times in sides)
        rows = [sum(self._timed.rows_read(statement, **settings) for statement in statements) for statements in ([peer], answers)]
        return Measured(peer_ms, ours_ms, lookups_ms, rows[0], rows[1])

    def _hottest(self) -> tuple[float, int]:
        """Of the non-fixed clicks of the hot page."""
        found = self._sync.query(
            "SELECT least(99, floor(100 * x / viewport_width)) / 100 AS column, floor(y / 16) * 16 AS y_px FROM interactions"
            f" WHERE site_id = '{SITE}' AND page_key = '{HOT_PAGE}' AND kind IN ('click', 'dead') AND NOT fixed AND y > 0"
            " GROUP BY column, y_px ORDER BY count() DESC, column, y_px LIMIT 1"
        )
        relative_x, y = found.result_rows[0]
        return float(relative_x), int(y)

    def close(self) -> None:
        self._loop.run(self._client.close())
        self._loop.close()
        self._sync.close()
        self._timed.close()


def parted(statements: Iterable[Statement]) -> tuple[list[Statement], list[Statement]]:
    """Those that look up what is asked about, and those that answer."""
    lookups: list[Statement] = []
    answers: list[Statement] = []
    for statement in statements:
        read = set(re.findall(r"\bFROM (\w+)", statement.sql))
        (lookups if read <= LOOKUPS else answers).append(statement)
    return lookups, answers
