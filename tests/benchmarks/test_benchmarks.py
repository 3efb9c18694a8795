"""Every benchmark runs on a little data, and both sides of each give the same answers. Times are measured by `make bench` only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks import report
from tests.benchmarks.datasets import ensure
from tests.benchmarks.ingest import COPIED, ingest
from tests.benchmarks.questions import questions
from tests.benchmarks.side_by_side import WINDOWS, Layouts
from tests.benchmarks.throughput import POINTS, throughput
from tests.servers import Node

INTERACTIONS = 40_000


@pytest.fixture(scope="module")
def layouts(node: Node) -> Iterator[Layouts]:
    layouts = Layouts(node, ensure(node, INTERACTIONS))
    yield layouts
    layouts.close()


@pytest.mark.parametrize("number", range(len(questions((0, 0)))), ids=[question.name for question in questions((0, 0))])
def test_both_layouts_give_the_same_answer(layouts: Layouts, number: int) -> None:
    question = layouts.questions[number]
    site, statements = layouts.ours(question, layouts.days(90))
    assert statements and len(question.read(site)) > 0
    for days in WINDOWS:
        assert layouts.difference(question, days) == ""


def test_every_question_is_measured(layouts: Layouts) -> None:
    measured = {question.name: layouts.measure(question, 30, 1, condition_cache=True) for question in layouts.questions}
    results = {(name, days, cached): one for name, one in measured.items() for days in WINDOWS for cached in (False, True)}
    lines = report.ratios(layouts.questions, results, INTERACTIONS).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [f"| {question.name}" for question in layouts.questions]


def test_rows_are_stored(node: Node, tmp_path: Path) -> None:
    lines = ingest(node, ensure(node, INTERACTIONS), tmp_path, 2_000).splitlines()
    assert [line.split(" | ")[0].strip("| ") for line in lines if "`" in line] == [
        "`load` of ndjson",
        "`load` of parquet",
        *(f"INSERT into `{stored}`, one thread" for stored in COPIED),
    ]


def test_graphql_yoga_answers_the_same(node: Node, layouts: Layouts, tmp_path: Path) -> None:
    text = throughput(node, f"bench_{INTERACTIONS}", layouts.last_day, tmp_path, (1,), (2,), slices=1, slice_s=0.5)
    assert len(text.splitlines()) == 2 + len(POINTS)
