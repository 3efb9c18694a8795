"""`make bench`: both layouts, the gateway and its peers, side by side in one run; the result goes into the README.

python -m tests.benchmarks                                     # 3 and 30 million interactions, printed only
python -m tests.benchmarks --millions 3 --folder ../bench      # keeps what it generates
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import click

from clickhouse.client import open_sync
from tests.benchmarks import report
from tests.benchmarks.bench_splice import HEAD, splice, splice_hot_page
from tests.benchmarks.condition_cache import DAYS, in_a_process
from tests.benchmarks.datasets import bytes_by_table, ensure
from tests.benchmarks.ingest import ingest
from tests.benchmarks.readme import write_between
from tests.benchmarks.side_by_side import WINDOWS, Http, Layouts, Measured
from tests.benchmarks.throughput import throughput
from tests.benchmarks.traffic import Traffic
from tests.servers import Node, server


def measure(layouts: Layouts, repetitions: int) -> dict[tuple[str, int], Measured]:
    """Raises AssertionError when the two sides disagree."""
    found = {}
    for question in layouts.questions:
        difference = layouts.difference(question)
        assert not difference, difference
        for days in WINDOWS:
            found[question.name, days] = layouts.measure(question, days, repetitions)
    return found


def storage(node: Node, sizes: list[int], repetitions: int) -> Iterator[str]:
    """PostHog's layout beside ours: times, growth, disk."""
    results, bytes_of = {}, {}
    for interactions in sizes:
        database = ensure(node, interactions)
        client, layouts = open_sync(node.dsn(database)), Layouts(node.dsn(database), Http(node, database))
        try:
            results[interactions] = measure(layouts, repetitions)
            bytes_of[interactions] = bytes_by_table(client)
        finally:
            client.close()
            layouts.close()
        yield f"**{report.millions(interactions)} interactions**, ms in ClickHouse of PostHog's layout → of ours (how many times faster)"
        yield report.ratios(layouts.questions, results[interactions], interactions)
    yield report.growth(layouts.questions, results)
    yield report.disk(bytes_of)


def serving(node: Node, sizes: list[int], folder: Path, seconds: float) -> Iterator[str]:
    """The gateway beside plain SQL and beside graphql-yoga, and what it stores a second; `seconds` are for each line of a table."""
    interactions = sizes[0]
    database = ensure(node, interactions)
    yield "**Ingest**, rows a second"
    yield ingest(node, database, folder, min(interactions, 1_000_000))
    yield "**GraphQL beside the same SQL over HTTP**, the cache off"
    rows, kept = splice(node, folder, seconds)
    rows += [splice_hot_page(node, ensure(node, size), size, folder, seconds) for size in sizes]
    yield f"{report.table(HEAD, rows)}\n\n{kept}"
    yield f"**The gateway beside graphql-yoga with `@clickhouse/client`**, same query, statements and ClickHouse, {report.millions(interactions)} interactions"
    yield throughput(node, database, Traffic(interactions).last_day, folder, slice_s=seconds / 6)


def condition_cache(node: Node, sizes: list[int], repetitions: int) -> Iterator[str]:
    """Ends the server, whose files the embedded engine opens."""
    node.kill()
    yield f"**The condition cache**, ms in the embedded engine of PostHog's layout → of ours over {DAYS} days, without it and with it"
    yield in_a_process(node.folder / "data", sizes, repetitions)


@click.command()
@click.option("--millions", "sizes", multiple=True, type=click.FloatRange(0.001), default=(3, 30), show_default=True, help="Interactions.")
@click.option("--repetitions", default=7, show_default=True, type=click.IntRange(1), help="Of each statement; medians are shown.")
@click.option("--seconds", default=9.0, show_default=True, type=click.FloatRange(0.1), help="For each line about serving.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where generated data is kept; a temporary one by default.")
@click.option("--readme/--no-readme", default=False, help="Write the result into the README.")
def main(sizes: tuple[float, ...], repetitions: int, seconds: float, folder: Path | None, readme: bool) -> None:
    started, sections = perf_counter(), []
    interactions = sorted(round(size * 1e6) for size in sizes)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with server(folder) as node, TemporaryDirectory() as files:
        measured = chain(
            storage(node, interactions, repetitions),
            serving(node, interactions, Path(files), seconds),
            condition_cache(node, interactions, repetitions),
        )
        for section in measured:
            click.echo(section + "\n")
            sections.append(section)
    click.echo(f"Took {perf_counter() - started:.0f} s.", err=True)
    if readme:
        write_between("bench", "\n\n".join(sections))


if __name__ == "__main__":
    main()
