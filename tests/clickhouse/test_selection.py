"""Selections as SQL tuples."""

from __future__ import annotations

import pytest

from clickhouse.selection import Field, Leaf, Selection, Shape, compile_json

ELEMENT = Shape("PointElement", {"text": Leaf("nullIf(text, '')", "Nullable(String)")}, null_when="selector = ''")
POINT = Shape("HeatmapPoint", {"x": Leaf("column * 12.8", "Float64"), "element": ELEMENT})


def selection(*fields: Field) -> Selection:
    return Selection(fields)


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        pytest.param(selection(Field("x", "x")), "CAST(tuple(column * 12.8), 'Tuple(`x` Float64)')", id="a field"),
        pytest.param(
            selection(Field("b", "x"), Field("a", "x")),
            "CAST(tuple(column * 12.8, column * 12.8), 'Tuple(`b` Float64, `a` Float64)')",
            id="aliases in the client's order",
        ),
        pytest.param(selection(Field("t", "__typename")), "CAST(tuple('HeatmapPoint'), 'Tuple(`t` String)')", id="typename"),
        pytest.param(
            selection(Field("element", "element", selection(Field("text", "text")))),
            "CAST(tuple(if(selector = '', NULL, CAST(tuple(nullIf(text, '')), 'Nullable(Tuple(`text` Nullable(String)))'))),"
            " 'Tuple(`element` Nullable(Tuple(`text` Nullable(String))))')",
            id="a nullable object",
        ),
    ],
)
def test_compile_json(selected: Selection, expected: str) -> None:
    assert compile_json(selected, POINT) == expected


def test_an_unknown_field_raises() -> None:
    with pytest.raises(KeyError):
        compile_json(selection(Field("z", "z")), POINT)


def test_an_object_needs_a_selection() -> None:
    with pytest.raises(ValueError, match="needs a selection"):
        compile_json(selection(Field("element", "element")), POINT)
