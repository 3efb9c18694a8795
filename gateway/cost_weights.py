"""The weights of a schema, as its @cost and @listSize declare them (`schema.cost` has the rules)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.schema import Schema


@dataclass(frozen=True, slots=True)
class WeighedField:
    """`weight` is its own, `type_weight` that of each object it returns."""

    weight: int
    type_name: str
    type_weight: int
    is_list: bool
    size: ListSize | None
    arguments: dict[str, tuple[str, Any]]
    """The named type and the default of each."""


class Weights:
    """`fields` by (type, field); `inputs`, the weight and the named type of each, by (input type, field); `roots`: operation -> type."""

    def __init__(self, schema: Schema) -> None:
        self.fields: dict[tuple[str, str], WeighedField] = {}
        self.inputs: dict[tuple[str, str], tuple[int, str]] = {}
        core = schema._schema
        self.roots = {kind: str(root) for kind in ("query", "mutation") if (root := getattr(core, f"{kind}_type"))}
        for name, kind in core.type_map.items():
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__"):
                self.fields |= {(name, field_name): _weighed(field) for field_name, field in kind.fields.items()}
            elif isinstance(kind, GraphQLInputObjectType):
                for field_name, field in kind.fields.items():
                    self.inputs[name, field_name] = (_weight(field, 0), str(get_named_type(field.type)))


def _weighed(field: GraphQLField) -> WeighedField:
    kind = get_named_type(field.type)
    composite = isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
    sizes = [directive for directive in _directives(field) if isinstance(directive, ListSize)]
    arguments = {
        name: (str(get_named_type(argument.type)), None if argument.default_value is Undefined else argument.default_value)
        for name, argument in field.args.items()
    }
    return WeighedField(
        _weight(field, 0),
        str(kind),
        _weight(kind, int(composite)),
        is_list_type(get_nullable_type(field.type)),
        next(iter(sizes), None),
        arguments,
    )


def _weight(declared: Any, default: int) -> int:
    return next((directive.weight for directive in _directives(declared) if isinstance(directive, Cost)), default)


def _directives(declared: Any) -> list[object]:
    definition = declared.extensions.get("strawberry-definition")
    return list(getattr(definition, "directives", None) or ())
