"""Every benchmark runs on a little data, and both sides of each give the same answers. Times are measured by `make bench` only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.benchmarks import report
from tests.benchmarks.datasets import ensure
from tests.benchmarks.questions import questions
from tests.benchmarks.side_by_side import WINDOWS, Layouts
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
