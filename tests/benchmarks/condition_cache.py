"""ClickHouse's condition cache off and on: it keeps which granules a filter found nothing in, from one statement to the next.

Measured in the embedded engine, on the files of a server that has ended: `clickhouse local`, which is the server elsewhere here, makes
that cache without room for anything, whatever its configuration says.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from clickhouse import native
from clickhouse.embedded import settings_clause
from clickhouse.statement import Statement
from clickhouse.target import Target
from tests.benchmarks import report
from tests.benchmarks.datasets import name_of
from tests.benchmarks.side_by_side import PRODUCT, Layouts, Measured

DAYS = 30
ROOT = Path(__file__).parents[2]


class Embedded:
    """The embedded engine of this process, asked in its own thread."""

    def __init__(self, dsn: str) -> None:
        self._driver = Target.parse(dsn).open()

    def close(self) -> None:
        self._driver.close()

    def ms(self, statement: Statement, **settings: Any) -> float:
        started = perf_counter()
        self._ask(statement, settings)
        return (perf_counter() - started) * 1000

    def rows_read(self, statement: Statement, **settings: Any) -> int:
        return int(self._ask(statement, settings).storage_rows_read())

    def _ask(self, statement: Statement, settings: dict[str, Any]) -> Any:
        asked = {name: value for name, value in PRODUCT.items() if name != "default_format"} | settings
        sql = f"{statement.sql}\nSETTINGS {settings_clause(asked)}\nFORMAT Native"
        return self._driver._backend._run(sql, "Native", native.bound(statement), self._driver.database)  # type: ignore[attr-defined]


def measured(layouts: Layouts, repetitions: int) -> list[dict[tuple[str, int], Measured]]:
    """Without the cache and with it, question by question, so that what slows the machine slows both."""
    found: list[dict[tuple[str, int], Measured]] = [{}, {}]
    for question in layouts.questions:
        for cached, results in enumerate(found):
            results[question.name, DAYS] = layouts.measure(question, DAYS, repetitions, use_query_condition_cache=cached)
    return found


def in_a_process(data: Path, interactions: list[int], repetitions: int) -> str:
    """What `main` prints: a process has one embedded engine, which does not let go of its files."""
    sizes = [argument for size in interactions for argument in ("--interactions", str(size))]
    command = [sys.executable, "-m", "tests.benchmarks.condition_cache", str(data), *sizes, "--repetitions", str(repetitions)]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.option("--interactions", "sizes", multiple=True, type=int)
@click.option("--repetitions", type=int)
def main(data: Path, sizes: tuple[int, ...], repetitions: int) -> None:
    """Prints a table for each size of those that `ensure` made in the directory."""
    for size in sizes:
        dsn = f"chdb://{data}?database={name_of(size)}"
        layouts = Layouts(dsn, Embedded(dsn))
        off, on = measured(layouts, repetitions)
        click.echo(report.condition_cache(layouts.questions, off, on, size) + "\n")
        layouts.close()


if __name__ == "__main__":
    main()
