"""Arguments of a GraphQL field that come as texts, as in a URL, read by the types, defaults and rules of the schema.

read_arguments(schema, "Insights", "breakdown", {"by": "COUNTRY", "first": "5"})   -> {"by": Dimension.COUNTRY, "first": 5}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLError, GraphQLInputType, GraphQLObjectType, GraphQLString, Undefined, get_nullable_type
from graphql.utilities import coerce_input_value, validate_input_value
from strawberry.schema import Schema
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryObjectDefinition

from clickhouse.errors import BadUserInputError


def argument_names(schema: Schema, owner: str, field: str) -> frozenset[str]:
    return frozenset(_field(schema, owner, field).args)


def _field(schema: Schema, owner: str, field: str) -> Any:
    kind = schema._schema.type_map[owner]
    assert isinstance(kind, GraphQLObjectType)
    return kind.fields[field]


def read_arguments(schema: Schema, owner: str, field: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of the field by their Python names, as a resolver gets them; BadUserInputError names what is wrong."""
    values = {}
    for name, argument in _field(schema, owner, field).args.items():
        if name in given:
            values[name] = _value(name, given[name], argument.type)
        elif argument.default_value is not Undefined:
            values[name] = argument.default_value
        elif argument.type is not get_nullable_type(argument.type):
            raise BadUserInputError(f"{name}: is needed; give it as a parameter of the URL.", argument=name)
    definition = schema.get_type_by_name(owner)
    assert isinstance(definition, StrawberryObjectDefinition)
    arguments = next(one.arguments for one in definition.fields if schema.config.name_converter.get_graphql_name(one) == field)
    return convert_arguments(values, arguments, schema.schema_converter.scalar_registry, schema.config)


def _value(name: str, text: str, kind: GraphQLInputType) -> Any:
    """Words and enum values as they are, everything else as JSON."""
    bare = get_nullable_type(kind)
    value: Any = text
    if bare is not GraphQLString and not isinstance(bare, GraphQLEnumType):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise BadUserInputError(f"{name}: not valid JSON ({error.msg}).", argument=name) from None

    def refuse(error: GraphQLError, path: list[str | int]) -> None:
        raise BadUserInputError(f"{'.'.join(map(str, [name, *path]))}: {error.message}", argument=name)

    try:
        validate_input_value(value, kind, refuse)
        return coerce_input_value(value, kind)
    except GraphQLError as error:  # Strawberry's own check of @oneOf
        raise BadUserInputError(f"{name}: {error.message}", argument=name) from None
