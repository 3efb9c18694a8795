"""Queries drawn from the schema itself: any fields, arguments, aliases and fragments, with values from a pool of what exists.

    random_query(random, schema, ["site", "node"], {"siteId": ["site_a", "site_b"], "key": […], …})     -> (document, variables)

A pool names an argument or a field of an input; what is in none is made up by its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
)

Pool = Mapping[str, list[Any]]

MAX_DEPTH = 8
MAX_FIELDS = 40
NUMBERS: dict[str, list[Any]] = {"Int": [1, 2, 7, 50], "Float": [0.25, 0.7, 1.0, 40.5], "Boolean": [True, False]}


def random_query(random: Random, schema: GraphQLSchema, roots: list[str], pool: Pool) -> tuple[str, dict[str, Any]]:
    """A document and its variables."""
    document = Document(random, schema, pool)
    return document.text(random.choice(roots)), document.variables


def random_arguments(random: Random, given: Mapping[str, GraphQLArgument], pool: Pool) -> dict[str, Any]:
    """JSON by name; optional ones now and then."""
    return {
        name: _value(random, name, argument.type, pool)
        for name, argument in given.items()
        if isinstance(argument.type, GraphQLNonNull) or random.random() < 0.3
    }


def _value(random: Random, name: str, kind: GraphQLInputType, pool: Pool) -> Any:
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        return [_value(random, name, bare.of_type, pool) for _ in range(random.randint(1, 3))]
    if name in pool:
        return random.choice(pool[name])
    if isinstance(bare, GraphQLEnumType):
        return random.choice(list(bare.values))
    if isinstance(bare, GraphQLInputObjectType):
        needed = [field for field in bare.fields if isinstance(bare.fields[field].type, GraphQLNonNull)]
        optional = [field for field in bare.fields if field not in needed]
        chosen = random.sample(optional, 1 if bare.is_one_of else random.randint(0, min(2, len(optional))))
        return {field: _value(random, field, bare.fields[field].type, pool) for field in (*needed, *chosen)}
    return random.choice(NUMBERS.get(str(bare), pool["text"]))


class Document:
    """One operation while it is being drawn."""

    def __init__(self, random: Random, schema: GraphQLSchema, pool: Pool) -> None:
        self.random, self.schema, self.pool = random, schema, pool
        self.variables: dict[str, Any] = {}
        self.declared: list[str] = []
        self.fields_left = MAX_FIELDS

    def text(self, root: str) -> str:
        query = self.schema.type_map["Query"]
        assert isinstance(query, GraphQLObjectType)
        selection = self._field("f", root, query.fields[root], 0)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        return f"query {declared} {{ {selection} }}"

    def _field(self, alias: str, name: str, field: GraphQLField, depth: int) -> str:
        self.fields_left -= 1
        passed = []
        for argument, given in random_arguments(self.random, field.args, self.pool).items():
            variable = f"v{len(self.variables)}"
            self.variables[variable] = given
            self.declared.append(f"${variable}: {field.args[argument].type}")
            passed.append(f"{argument}: ${variable}")
        called = f"{alias}: {name}" + (f"({', '.join(passed)})" if passed else "")
        return called + self._selection(get_named_type(field.type), depth + 1)

    def _selection(self, kind: Any, depth: int) -> str:
        if is_abstract_type(kind):
            types = self.schema.get_possible_types(kind)
            return f" {{ __typename {' '.join(f'... on {one.name}{self._selection(one, depth)}' for one in types)} }}"
        if not isinstance(kind, GraphQLObjectType):
            return ""
        ends = self.fields_left <= 0 or depth >= MAX_DEPTH
        names = [name for name, field in kind.fields.items() if not ends or isinstance(get_named_type(field.type), GraphQLLeafType)]
        chosen = self.random.sample(names, min(len(names), self.random.randint(1, 4)))
        fields = [self._field(f"{name}{number}", name, kind.fields[name], depth) for number, name in enumerate(chosen)]
        return f" {{ __typename {' '.join(fields)} }}"
