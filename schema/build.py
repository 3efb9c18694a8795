"""The federated schema."""

from __future__ import annotations

from typing import Final

from graphql import GraphQLError
from strawberry.federation import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.elements import Element
from schema.insights import Insights
from schema.mutation import Mutation
from schema.query import Query
from schema.replays import Replay
from schema.splice import SplicingExecutor

FEDERATION_VERSION: Final = "2.9"


class Subgraph(Schema):
    """An Apollo Federation 2 subgraph whose wide lists are spliced."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: the gateway logs what is worth it, beside the request id; the rest is the caller's fault."""


def build_schema() -> Subgraph:
    return Subgraph(
        query=Query,
        mutation=Mutation,
        types=[Insights, Element, Replay],
        execution_context_class=SplicingExecutor,
        config=StrawberryConfig(),
        federation_version=FEDERATION_VERSION,
    )
