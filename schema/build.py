"""The federated schema."""

from __future__ import annotations

from typing import Final

from strawberry.federation import Schema
from strawberry.schema.config import StrawberryConfig

from schema.elements import Element
from schema.insights import Insights
from schema.mutation import Mutation
from schema.query import Query
from schema.replays import Replay
from schema.splice import SplicingExecutor

FEDERATION_VERSION: Final = "2.9"


def build_schema() -> Schema:
    """An Apollo Federation 2 subgraph whose wide lists are spliced."""
    return Schema(
        query=Query,
        mutation=Mutation,
        types=[Insights, Element, Replay],
        execution_context_class=SplicingExecutor,
        config=StrawberryConfig(),
        federation_version=FEDERATION_VERSION,
    )
