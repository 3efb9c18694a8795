"""What the client selected below a wide field, with fragments, directives and aliases resolved by graphql-core itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from graphql import FieldNode, GraphQLObjectType, GraphQLResolveInfo, get_named_type, value_from_ast_untyped
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values

from clickhouse.selection import Field, Selection


def own_selection(info: GraphQLResolveInfo[Any]) -> Selection:
    """What is selected below the field being resolved."""
    parent = cast(GraphQLObjectType, get_named_type(info.return_type))
    return Selection(_collect(info, parent, [FieldDetails(node, None) for node in info.field_nodes]))


def selected_names(info: GraphQLResolveInfo[Any]) -> frozenset[str]:
    """The names of the fields directly below the field being resolved."""
    top = [FieldDetails(node, None) for node in info.field_nodes]
    parent = cast(GraphQLObjectType, get_named_type(info.return_type))
    return frozenset(details[0].node.name.value for details in _grouped(info, parent, top).values())


def arguments_below(info: GraphQLResolveInfo[Any], name: str, argument: str) -> Iterator[Any]:
    """The argument's values in the fields `name` right below the field being resolved; not in fragments or under directives."""
    for top in info.field_nodes:
        for node in top.selection_set.selections if top.selection_set else ():
            if isinstance(node, FieldNode) and node.name.value == name and not node.directives:
                values = (given.value for given in node.arguments or () if given.name.value == argument)
                yield from (value_from_ast_untyped(value, cast(dict[str, Any], info.variable_values)) for value in values)


def argument_values(info: GraphQLResolveInfo[Any], path: tuple[str, ...], argument: str) -> frozenset[Any]:
    """What the argument is in the fields at the end of the path below the field being resolved; None where it is not given."""
    level = [(cast(GraphQLObjectType, get_named_type(info.return_type)), [FieldDetails(node, None) for node in info.field_nodes])]
    for name in path[:-1]:
        level = [
            (cast(GraphQLObjectType, get_named_type(parent.fields[name].type)), group)
            for parent, details in level
            for group in _grouped(info, parent, details).values()
            if group[0].node.name.value == name
        ]
    variables = VariableValues({}, cast(dict[str, Any], info.variable_values))
    return frozenset(
        get_argument_values(parent.fields[path[-1]], group[0].node, variables).get(argument)
        for parent, details in level
        for group in _grouped(info, parent, details).values()
        if group[0].node.name.value == path[-1]
    )


def _grouped(info: GraphQLResolveInfo[Any], parent: GraphQLObjectType, details: list[FieldDetails]) -> dict[str, list[FieldDetails]]:
    fragments = {name: FragmentDetails(definition) for name, definition in info.fragments.items()}
    variables = VariableValues({}, cast(dict[str, Any], info.variable_values))  # Strawberry passes the plain dict
    return collect_subfields(info.schema, fragments, variables, info.operation, parent, details).grouped_field_set


def _collect(info: GraphQLResolveInfo[Any], parent: GraphQLObjectType, details: list[FieldDetails]) -> tuple[Field, ...]:
    fields = []
    for key, group in _grouped(info, parent, details).items():
        name = group[0].node.name.value
        definition = parent.fields.get(name)
        below = get_named_type(definition.type) if definition else None
        selection = Selection(_collect(info, below, group)) if isinstance(below, GraphQLObjectType) else None
        fields.append(Field(key, name, selection))
    return tuple(fields)
