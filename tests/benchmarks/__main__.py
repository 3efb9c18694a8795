"""`make bench`: both layouts, the gateway and its peers, side by side in one run; the result goes into the README.

python -m tests.benchmarks                                     # 3 and 30 million interactions, printed only
python -m tests.benchmarks --millions 3 --folder ../bench      # keeps what it generates
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import click

from clickhouse.client import open_sync
from tests.benchmarks import report
from tests.benchmarks.datasets import bytes_by_table, ensure
from tests.benchmarks.readme import write_between
from tests.benchmarks.side_by_side import WINDOWS, Layouts, Measured
from tests.servers import Node, server


def measure(layouts: Layouts, repetitions: int) -> dict[tuple[str, int, bool], Measured]:
    """Raises AssertionError when the two sides disagree."""
    found = {}
    for question in layouts.questions:
        difference = layouts.difference(question)
        assert not difference, difference
        for days in WINDOWS:
            for cached in (False, True):
                found[question.name, days, cached] = layouts.measure(question, days, repetitions, condition_cache=cached)
    return found


def storage(node: Node, sizes: list[int], repetitions: int) -> str:
    """PostHog's layout beside ours: times, growth, disk."""
    results, bytes_of = {}, {}
    sections = []
    for interactions in sizes:
        database = ensure(node, interactions)
        client, layouts = open_sync(node.dsn(database)), Layouts(node, database)
        try:
            results[interactions] = measure(layouts, repetitions)
            bytes_of[interactions] = bytes_by_table(client)
        finally:
            client.close()
            layouts.close()
        sections.append(report.ratios(layouts.questions, results[interactions], interactions))
        click.echo(sections[-1] + "\n")
    sections += [report.growth(layouts.questions, results), report.disk(bytes_of)]
    click.echo("\n\n".join(sections[-2:]))
    return "\n\n".join(sections)


@click.command()
@click.option("--millions", "sizes", multiple=True, type=click.FloatRange(0.001), default=(3, 30), show_default=True, help="Interactions.")
@click.option("--repetitions", default=7, show_default=True, type=click.IntRange(1), help="Of each statement; medians are shown.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where generated data is kept; a temporary one by default.")
@click.option("--readme/--no-readme", default=False, help="Write the result into the README.")
def main(sizes: tuple[float, ...], repetitions: int, folder: Path | None, readme: bool) -> None:
    started = perf_counter()
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with server(folder) as node:
        text = storage(node, [round(size * 1e6) for size in sizes], repetitions)
    click.echo(f"\nTook {perf_counter() - started:.0f} s.", err=True)
    if readme:
        write_between("bench", text)


if __name__ == "__main__":
    main()
