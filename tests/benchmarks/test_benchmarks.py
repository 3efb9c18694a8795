"""Every benchmark runs on a little data, and both sides of each give the same answers. Times are measured by `make bench` only."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from tests.benchmarks.__main__ import main
from tests.benchmarks.bench_splice import SIZES
from tests.benchmarks.datasets import ensure
from tests.benchmarks.ingest import COPIED
from tests.benchmarks.questions import questions
from tests.benchmarks.side_by_side import WINDOWS, Http, Layouts
from tests.benchmarks.throughput import POINTS
from tests.servers import Node

INTERACTIONS = 40_000


@pytest.fixture(scope="module")
def layouts(node: Node) -> Iterator[Layouts]:
    database = ensure(node, INTERACTIONS)
    layouts = Layouts(node.dsn(database), Http(node, database))
    yield layouts
    layouts.close()


@pytest.mark.parametrize("number", range(len(questions((0, 0)))), ids=[question.name for question in questions((0, 0))])
def test_both_layouts_give_the_same_answer(layouts: Layouts, number: int) -> None:
    question = layouts.questions[number]
    site, statements = layouts.ours(question, layouts.days(90))
    assert statements and len(question.read(site)) > 0
    for days in WINDOWS:
        assert layouts.difference(question, days) == ""


def test_all_of_it_runs() -> None:
    """Every question, both ways of loading, every number of points over plain SQL, both caches and graphql-yoga are in what is printed."""
    ran = CliRunner().invoke(main, ["--millions", "0.04", "--seconds", "0.2", "--repetitions", "1"], catch_exceptions=False)
    assert ran.exit_code == 0
    rows = [line.split(" | ")[0].strip("| ") for line in ran.output.splitlines()]
    names = [question.name for question in questions((0, 0))]
    stored = ["`load` of ndjson", "`load` of parquet", *(f"INSERT into `{table}`, one thread" for table in COPIED)]
    for name in [*names, *names, *names, *stored, *(f"{size:,}" for size in SIZES), "40 of the hot page of 0.04 M", "PostHog's layout"]:
        assert name in rows, name
        rows.remove(name)
    assert re.search(r"^5,000 points from the cache: \d+\.\d ms, compressed with gzip \d+\.\d ms\.$", ran.output, re.MULTILINE)
    beside_yoga = [line for line in ran.output.splitlines() if re.match(r"\| [\d,]+ \| \d \| \d+ \|.*×", line)]
    assert len(beside_yoga) == len(POINTS) * 2 * 3
    still_read = [int(line.split(" | ")[-1].rstrip("% |")) for line in ran.output.splitlines() if line.endswith("% |")]
    assert len(still_read) == len(names) and min(still_read) < 100  # else there was no condition cache
