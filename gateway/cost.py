"""What an operation costs, by the @cost and @listSize its schema declares (`schema.cost` has the rules).

costs = Costs(schema)
asked = costs.of(operation, document, variables)
asked.estimated                 -> before it is executed: lists as long as they may become
asked.actual(result.data, …)    -> afterwards: lists as long as they are
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import DocumentNode, FragmentDefinitionNode, GraphQLError, OperationDefinitionNode
from strawberry.schema import Schema

from clickhouse.recent import Recent
from gateway.cost_actual import Actual
from gateway.cost_arguments import Arguments
from gateway.cost_estimate import Estimate
from gateway.cost_weights import Weights
from gateway.documents import MAX_REMEMBERED_CHARACTERS, REMEMBERED_CHARACTERS, DocumentError
from gateway.shape import shown, too_complex

REMEMBERED_OPERATIONS = 256
MAX_REMEMBERED_BYTES = 2_000  # of variables


class Costs:
    """Of the operations of a schema; those asked for last are remembered."""

    def __init__(self, schema: Schema) -> None:
        self._weights = Weights(schema)
        self._remembered = Recent[tuple[int, int, bytes], OperationCost](REMEMBERED_OPERATIONS, REMEMBERED_CHARACTERS)

    def of(self, operation: OperationDefinitionNode, document: DocumentNode, variables: dict[str, Any] | None) -> OperationCost:
        """Of a valid document; variables as they were sent, for a value that does not fit is refused anyway."""
        try:
            sent = orjson.dumps(variables or {})
        except TypeError:  # nested too deeply to be printed: refused with its value
            return OperationCost(self._weights, operation, document, variables or {})
        key = id(document), id(operation), sent  # a remembered cost holds its nodes, so that no others have their ids
        if (cost := self._remembered.get(key)) is None:
            cost = OperationCost(self._weights, operation, document, variables or {})
            # A longer document is parsed anew each time, so that its cost would keep it in memory and never be found.
            length = len(document.loc.source.body) if document.loc else 0
            if length <= MAX_REMEMBERED_CHARACTERS and len(sent) <= MAX_REMEMBERED_BYTES:
                self._remembered.put(key, cost, length)
        return cost


class OperationCost:
    """Of one operation with its variables."""

    def __init__(self, weights: Weights, operation: OperationDefinitionNode, document: DocumentNode, variables: dict[str, Any]) -> None:
        self._document, self._operation = document, operation
        self._root = weights.roots.get(operation.operation.value, "")
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        arguments = Arguments(weights, operation, variables)
        estimate = Estimate(weights, arguments, fragments)
        self._actual = Actual(weights, arguments, fragments, estimate)
        self.estimated = estimate.selected(operation.selection_set, self._root).total({})

    def actual(self, data: dict[str, Any] | None, spliced_rows: Mapping[int, int]) -> int:
        """Never more than the estimate. `spliced_rows` are those of spliced lists, by the id() of their fragments."""
        return min(self.estimated, self._actual.found(self._operation.selection_set, self._root, data, spliced_rows)) if data else 0


def refuse_expensive(estimated: int, allowed: int) -> None:
    """Raises DocumentError with QUERY_TOO_COMPLEX."""
    if estimated > allowed:
        message = (
            f"The query may cost {shown(estimated)}, and {allowed} is the most: ask for fewer rows (`first`), or for less of each,"
            " or send several queries."
        )
        raise DocumentError([GraphQLError(message, original_error=too_complex(message, "cost", estimated, allowed))])
