"""Questions about pages under a lens, answered together: one statement for all pages that ask the same.

    rows = await context.answers.load(Question(compile_fold, lens, page_key, ("CLICK",)))

`compile_*` functions of `clickhouse` take (lens, page_keys, *args) and name each row's page in the column `page`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from clickhouse.client import Client
from clickhouse.lens import Lens
from clickhouse.statement import Statement

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """`page_key` is None where the lens merges the pages of a URL rule."""

    compile: Callable[..., Statement]
    lens: Lens
    page_key: str | None
    args: tuple[Hashable, ...] = ()


async def answer(client: Client, questions: list[Question]) -> list[list[Row] | BaseException]:
    """The rows of each question, in order; a statement that fails costs only the questions it was for."""
    groups: dict[tuple[Callable[..., Statement], Lens, tuple[Hashable, ...], bool], list[Question]] = {}
    for question in questions:
        groups.setdefault((question.compile, question.lens, question.args, question.page_key is None), []).append(question)
    answers: dict[Question, list[Row] | BaseException] = {}

    async def run(group: list[Question]) -> None:
        first = group[0]
        page_keys = tuple(sorted(question.page_key for question in group if question.page_key is not None))
        try:
            rows = await client.query(first.compile(first.lens, page_keys, *first.args))
        except Exception as error:
            answers.update((question, error) for question in group)
            return
        by_page: dict[str, list[Row]] = {}
        for row in rows:
            by_page.setdefault(row["page"], []).append(row)
        answers.update((question, by_page.get(question.page_key or "", [])) for question in group)

    await asyncio.gather(*(run(group) for group in groups.values()))
    return [answers[question] for question in questions]
