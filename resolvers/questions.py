"""Questions about pages under a lens, answered together: one statement for all pages that ask the same, and for sibling lenses.

    rows = await context.answers.load(Question(compile_scroll, lens, page_key, (scroll_question,)))

`compile_*` functions of `clickhouse` take (lens, page_keys, *args) and name each row's page in the column `page`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from clickhouse.client import Client
from clickhouse.errors import BusySourceError, SilentSourceError, SourceUnavailableError, TooLongValueError
from clickhouse.lens import Lens
from clickhouse.reading import Row
from clickhouse.statement import Statement

T = TypeVar("T")

MAX_SIBLING_LENSES = 8
OF_THE_SOURCE = (SourceUnavailableError, BusySourceError, SilentSourceError)
"""Failures that no lens is to blame for."""


@dataclass(frozen=True, slots=True)
class Question:
    """`page_key` is None where the lens merges the pages of a URL rule.

    `measures` are what is wanted of a statement that can carry more, columns, ids or kinds: those of all questions that differ only in them
    are asked at once.
    `ordered` answers have several rows a page whose order counts, so that they keep a statement of their own.
    """

    compile: Callable[..., Statement]
    lens: Lens
    page_key: str | None
    args: tuple[Hashable, ...] = ()
    measures: tuple[Any, ...] = ()
    ordered: bool = False


@lru_cache(256)
def _compiled(compile_: Callable[..., Statement], *args: Hashable) -> Statement:
    """A window that is over is asked for again and again, with the same text."""
    return compile_(*args)


async def answer(client: Client, questions: list[Question]) -> list[list[Row] | BaseException]:
    """The rows of each question, in order; a statement that fails costs only the questions it was for."""
    alike: defaultdict[tuple[Hashable, ...], list[Question]] = defaultdict(list)
    for question in questions:
        alike[question.compile, question.args, question.lens.url is None].append(question)
    answers: dict[Question, list[Row] | BaseException] = {}
    await together([_answer_alike(client, group, answers) for group in alike.values()])
    return [answers[question] for question in questions]


async def _answer_alike(client: Client, questions: list[Question], answers: dict[Question, list[Row] | BaseException]) -> None:
    """Questions that differ in lens, page and measures only: a few lenses a statement."""
    first = questions[0]
    measures = tuple(sorted({name for question in questions for name in question.measures}))
    lenses: defaultdict[Lens, list[Question]] = defaultdict(list)
    for question in questions:
        lenses[question.lens].append(question)

    def compiled(lens: Lens) -> Statement:
        pages = {question.page_key for question in lenses[lens] if question.page_key is not None}
        return _compiled(first.compile, lens, tuple(sorted(pages)), *first.args, *([measures] if measures else []))

    async def run(siblings: list[Lens]) -> None:
        try:
            statements = [compiled(lens) for lens in siblings]
            rows = await client.query(statements[0] if len(siblings) == 1 else Statement.union(statements))
        except Exception as error:
            if len(siblings) > 1 and not isinstance(error, OF_THE_SOURCE):  # find out which lens it was
                await asyncio.gather(*(run([lens]) for lens in siblings))
                return
            asked = [question for lens in siblings for question in lenses[lens]]
            if isinstance(error, TooLongValueError) and len(asked) > 1:  # of one question: find out which
                half = len(asked) // 2
                await asyncio.gather(*(_answer_alike(client, part, answers) for part in (asked[:half], asked[half:])))
                return
            answers.update((question, error) for question in asked)
            return
        found: defaultdict[tuple[Lens, str], list[Row]] = defaultdict(list)
        for row in rows:
            found[siblings[row.get("question", 0)], row["page"]].append(row)
        answers.update((question, found[lens, question.page_key or ""]) for lens in siblings for question in lenses[lens])

    at_once = 1 if first.ordered else MAX_SIBLING_LENSES
    distinct = list(lenses)
    await together([run(distinct[start : start + at_once]) for start in range(0, len(distinct), at_once)])


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """What they return, all at once; a single one needs no task of its own."""
    return [await work[0]] if len(work) == 1 else await asyncio.gather(*work)
