"""From a GraphQL selection to the SQL expression whose JSON is the answer.

    compile_json(Selection((Field("a", "x"), Field("e", "element", Selection((Field("label", "label"),))))), HEATMAP_POINT)
    -> CAST(tuple(x, if(selector = '', NULL, CAST(tuple(label), 'Nullable(Tuple(`label` String))'))),
            'Tuple(`a` Float64, `e` Nullable(Tuple(`label` String)))')

ClickHouse prints a named tuple as a JSON object in the tuple's order, so aliases, order and nesting come out as GraphQL
demands, and no Python object is made for a row. Response keys are GraphQL names ([_A-Za-z][_0-9A-Za-z]*), safe between
backticks. graphql-core's own checks are bypassed: the types and nulls declared in a shape are the guarantee.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clickhouse.errors import BadUserInputError

WIDE = re.compile(r"rows|values|points|(points|buckets|bands)_\w+")
"""Names of the columns that hold such JSON, a list of objects; they come as bytes, UTF-8, and are passed on as they are."""


@dataclass(frozen=True, slots=True)
class Field:
    """One selected field: the key it answers under, its name, and what is selected below it."""

    key: str
    name: str
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    fields: tuple[Field, ...]

    def names(self) -> frozenset[str]:
        """Every field name at this level."""
        return frozenset(field.name for field in self.fields)

    def of(self, name: str) -> tuple[tuple[str, Selection], ...]:
        """What is selected below the fields of this name, by the key each answers under."""
        return tuple((field.key, field.selection) for field in self.fields if field.name == name and field.selection is not None)

    def below(self, *path: str) -> frozenset[str]:
        """Every field name at the end of the path, whatever the keys on it."""
        if not path:
            return self.names()
        found = (field.selection.below(*path[1:]) for field in self.fields if field.name == path[0] and field.selection)
        return frozenset[str]().union(*found)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or enum: its SQL expression and exact ClickHouse type."""

    sql: str
    type: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A GraphQL object type as SQL: its name, its fields, and the condition under which it is null (None: never)."""

    typename: str
    fields: dict[str, Leaf | Shape]
    null_when: str | None = None

    __hash__ = None  # type: ignore[assignment]


def compile_json(selection: Selection, shape: Shape) -> str:
    """The tuple expression of one object."""
    return _tuple(selection, shape)[0]


def json_array(row: str, place: str) -> str:
    """A JSON array of the rows of a group in the order of `place`; `row` is the tuple expression of one."""
    return f"toJSONString(arrayMap(row -> row.2, arraySort(row -> row.1, groupArray(({place}, {row})))))"


EMPTY = "Map(String, UInt8)"
"""An object of which every field is skipped, as a tuple of nothing is written as []; a map cannot be null, but in a Variant."""


def _tuple(selection: Selection, shape: Shape) -> tuple[str, str]:
    if not selection.fields:
        empty = f"CAST(map(), '{EMPTY}')"
        if shape.null_when is None:
            return empty, EMPTY
        return f"if({shape.null_when}, NULL, CAST({empty}, 'Variant({EMPTY})'))", f"Variant({EMPTY})"
    members = [_member(field, shape) for field in selection.fields]
    names = ", ".join(f"`{field.key}` {kind}" for field, (_, kind) in zip(selection.fields, members, strict=True))
    values = ", ".join(sql for sql, _ in members)
    if shape.null_when is None:
        kind = f"Tuple({names})"
        return f"CAST(tuple({values}), '{kind}')", kind
    kind = f"Nullable(Tuple({names}))"
    return f"if({shape.null_when}, NULL, CAST(tuple({values}), '{kind}'))", kind


def _member(field: Field, shape: Shape) -> tuple[str, str]:
    if field.key == "null":
        raise BadUserInputError(f"ClickHouse keeps the name `null` for itself: give {field.name} of {shape.typename} another alias.")
    if field.name == "__typename":
        return f"'{shape.typename}'", "String"
    part = shape.fields[field.name]
    if isinstance(part, Leaf):
        return part.sql, part.type
    if field.selection is None:
        raise ValueError(f"{shape.typename}.{field.name} needs a selection")
    return _tuple(field.selection, part)


def everything(shape: Shape) -> Selection:
    """Every field of the shape, and all below."""
    return Selection(tuple(Field(name, name, everything(part) if isinstance(part, Shape) else None) for name, part in shape.fields.items()))


def flat_columns(shape: Shape, prefix: str = "", null_when: str | None = None) -> dict[str, Leaf]:
    """The shape's leaves as columns of a flat row, by name; nested names are joined: `reach { value }` becomes `reachValue`."""
    found: dict[str, Leaf] = {}
    for name, part in shape.fields.items():
        key = prefix + name[0].upper() + name[1:] if prefix else name
        if isinstance(part, Shape):
            found |= flat_columns(part, key, part.null_when or null_when)
        elif null_when is None:
            found[key] = part
        else:
            kind = part.type if part.type.startswith("Nullable") else f"Nullable({part.type})"
            found[key] = Leaf(f"if({null_when}, NULL, {part.sql})", kind)
    return found
