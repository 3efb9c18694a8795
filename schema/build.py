"""The federated schema."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, Literal

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLObjectType
from strawberry.federation import Schema
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.elements import Element
from schema.entities import Entities
from schema.insights import Insights
from schema.instants import SCALARS
from schema.mutation import Mutation
from schema.query import Query
from schema.replays import Replay
from schema.splice import SplicingExecutor

DESCRIPTION = "\n\n".join(
    (
        "Where people click, rage, click in vain, move, scroll and look, on which pages, and in whose session.",
        "Begin at `site(siteId:)`; `sites` lists the ids. Go to a `page(key:)`, or to all pages of a URL rule at once with `insights(url:)`."
        " `insights(window:, segment:)` is a lens: every field below it sees exactly the same rows."
        " Two lenses side by side are two aliases, or `compare`.",
        "A share is a fraction, 0.25 for 25 %, and most come as a `Rate`, with what was divided and an interval. Places are CSS px."
        " Without a window it is the last 7 days. What goes wrong is in `errors`, with a code and what to do;"
        " `capabilities` says what a site can answer.",
    )
)
"""What the documentation in GraphiQL begins with."""

Version = Literal["2.3", "2.9"]
FEDERATION_VERSION: Final = "2.9"


class Subgraph(Schema):
    """An Apollo Federation 2 subgraph whose wide lists are spliced."""

    def __init__(
        self, *, query: type, mutation: type | None = None, types: Sequence[type] = (), federation_version: Version = FEDERATION_VERSION
    ) -> None:
        super().__init__(
            query=query,
            mutation=mutation,
            types=types,
            execution_context_class=SplicingExecutor,
            config=StrawberryConfig(scalar_map=SCALARS),
            federation_version=federation_version,
        )
        self._schema.description = DESCRIPTION
        for kind in self._schema.type_map.values():
            if isinstance(kind, GraphQLInputObjectType):  # Strawberry's own check does not say where in a variable it failed
                kind.is_one_of = kind.extensions["strawberry-definition"].is_one_of
        self._entities = Entities(self._schema)
        service = self._schema.type_map["_Service"]
        assert isinstance(service, GraphQLObjectType)
        service.fields["sdl"].resolve = lambda *_: self.sdl

    @cached_property
    def sdl(self) -> str:
        """Printed once: anybody may ask for it, and it takes long."""
        return self.as_str()

    def entities_resolver(self, info: strawberry.Info[Any], representations: list[FederationAny]) -> list[FederationAny]:
        return self._entities.resolve(info, representations)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: the gateway logs what is worth it, beside the request id; the rest is the caller's fault."""


def build_schema() -> Subgraph:
    return Subgraph(query=Query, mutation=Mutation, types=[Insights, Element, Replay])
