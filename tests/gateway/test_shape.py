"""What is too large is told apart by its shape alone, in time linear in the document."""

from __future__ import annotations

import pytest
from graphql import parse

from clickhouse.errors import QueryTooComplexError
from gateway.shape import ShapeLimits, refuse_oversized

SMALL = ShapeLimits(depth=3, width=4, root_fields=2, fields=8, aliases=2, directives=2)
CHAIN = "".join(f" fragment F{number} on Q {{ a{number} ...F{number + 1} ...F{number + 1} }}" for number in range(400))


@pytest.mark.parametrize(
    ("document", "limit", "asked"),
    [
        ("{ a { b { c { d } } } }", "depth", 4),
        ("{ a { ...F } } fragment F on Q { b { ... { c { d } } } }", "depth", 4),
        ("{ a { b c d e f } }", "width", 5),
        ("{ a b c }", "root_fields", 3),
        ("{ ...F ...F } fragment F on Q { a ... on Q { b } }", "root_fields", 4),
        ("{ a { ...F ...F ...F } } fragment F on Q { b c d }", "fields", 10),
        ("{ x: a { y: b z: c } }", "aliases", 3),
        ("{ x: a { ...F } y: b { ...F } } fragment F on Q { z: c }", "aliases", 4),
        ("query @a { b @a c @a }", "directives", 3),
        ("fragment F on Q @a { b @a ... @a { c } }", "directives", 3),
        ("{ a { ...F0 } }" + CHAIN, "fields", 2**31 - 1),
    ],
)
def test_each_limit_refuses_and_says_how_much(document: str, limit: str, asked: int) -> None:
    with pytest.raises(QueryTooComplexError) as refused:
        refuse_oversized(parse(document), SMALL)
    assert refused.value.details == {"limit": limit, "allowed": getattr(SMALL, limit), "asked": asked}
    assert f"at most {getattr(SMALL, limit)}" in refused.value.message


@pytest.mark.parametrize(
    "document",
    [
        "{ a { b { c } } d { e f g h } }",
        "{ ...A } fragment A on Q { ...B } fragment B on Q { ...A a }",
        "{ ...Missing a }",
        "{ a } { b } { c }",
    ],
)
def test_what_stays_within_is_left_to_validation(document: str) -> None:
    refuse_oversized(parse(document), SMALL)
