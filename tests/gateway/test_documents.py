"""What is wrong with a document is told with its place."""

from __future__ import annotations

import pytest

from gateway.documents import DocumentError, Documents
from gateway.settings import Settings
from tests.asking import SCHEMA

ARGUMENT = '{\n  site(siteId: "s") { pages('


@pytest.mark.parametrize(
    ("arguments", "column"),
    [
        ("first: {a: 1}", 29 + 7),
        ("first: [2]", 29 + 7),
        ("first: {}", 29 + 7),
        ('first: "2"', 29 + 7),
        ("window: {last: {days: 7}}", 29 + 8),
        ("window: {last: 7}", 29 + 15),
        ("orderBy: {field: [CLICKS]}", 29 + 9),
    ],
)
@pytest.mark.parametrize("introspection", [True, False])
def test_a_wrong_value_has_a_place(arguments: str, column: int, introspection: bool) -> None:
    """That of the argument, if it is a list or an object where neither can be."""
    documents = Documents(SCHEMA, 3_000, Settings().shape_limits, introspection=introspection)
    with pytest.raises(DocumentError) as refused:
        documents.prepare(f"{ARGUMENT}{arguments}) {{ totalCount }} }} }}")
    (error,) = refused.value.errors
    assert [(place.line, place.column) for place in error.locations or ()] == [(2, column)]
