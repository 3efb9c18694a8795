"""Entities that another subgraph refers to by key: each representation is resolved, or refused, by itself.

    {"__typename": "Page", "siteId": "site_a", "key": "https://example.com/"}   -> Page.resolve_reference(info, siteId=…, key=…)

`resolve_reference` takes a key's fields under their own names and loads through the request's loaders, so that many representations
share statements. Whatever else a representation carries is for other subgraphs and is ignored.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, GraphQLUnionType, Undefined, is_input_type
from graphql.utilities import coerce_input_value

from clickhouse.errors import BadUserInputError

MAX_REPRESENTATIONS = 1000
MAX_KEY_CHARACTERS = 4096
_SENT = "a gateway sends them as {__typename, and the fields of a @key}"


@dataclass(frozen=True, slots=True)
class Reference:
    """How the entities of one type are found."""

    type: GraphQLObjectType
    resolve: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]

    def arguments(self, representation: dict[str, Any]) -> dict[str, Any]:
        """The fields `resolve` takes; BadUserInputError names the one that is missing or wrong."""
        missing = [
            name for name, parameter in self.parameters.items() if parameter.default is parameter.empty and name not in representation
        ]
        if missing:
            raise _refused(f"a {self.type} needs {' and '.join(missing)}")
        return {name: self._checked(name, representation[name]) for name in self.parameters if name in representation}

    def _checked(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and len(value) > MAX_KEY_CHARACTERS:
            raise _refused(f"{name} of a {self.type} is longer than {MAX_KEY_CHARACTERS} characters")
        kind = self.type.fields[name].type
        if not is_input_type(kind):
            return value
        coerced = coerce_input_value(value, kind)
        if coerced is Undefined:
            raise _refused(f"{name} of a {self.type} must be a {kind}")
        return coerced


class Entities:
    """All entities of a schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        union = schema.type_map["_Entity"]
        assert isinstance(union, GraphQLUnionType)
        self._references = {kind.name: _reference(kind) for kind in union.types}

    def resolve(self, info: strawberry.Info[Any], representations: list[Any]) -> list[Any]:
        """One answer to each, in order: an entity or what to await for it, or the error it gets in its place."""
        if len(representations) > MAX_REPRESENTATIONS:
            raise BadUserInputError(f"representations: at most {MAX_REPRESENTATIONS} at once.", argument="representations")
        return [self._resolve(info, representation) for representation in representations]

    def _resolve(self, info: strawberry.Info[Any], representation: Any) -> Any:
        try:
            if not isinstance(representation, dict):
                raise _refused("each is an object")
            typename = representation.get("__typename")
            if not isinstance(typename, str) or typename not in self._references:
                raise _refused(f"__typename is one of {', '.join(self._references)}")
            reference = self._references[typename]
            return reference.resolve(info=info, **reference.arguments(representation))
        except BadUserInputError as error:
            return error


def _reference(kind: GraphQLObjectType) -> Reference:
    resolve = kind.extensions["strawberry-definition"].origin.resolve_reference
    parameters = dict(inspect.signature(resolve).parameters)
    del parameters["info"]
    return Reference(kind, resolve, parameters)


def _refused(problem: str) -> BadUserInputError:
    return BadUserInputError(f"representations: {problem}; {_SENT}.", argument="representations")
