"""Wide lists that ClickHouse wrote as JSON pass through graphql-core unread.

A resolver returns `Spliced(json)` for a list field; the executor puts an `orjson.Fragment` in its place, and the gateway
serialises the response with orjson. graphql-core's checks of the list are bypassed: `clickhouse.selection` guarantees types and nulls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


@dataclass(frozen=True, slots=True)
class Spliced:
    """A JSON array in the client's own selection, UTF-8; `counted` is how many objects it holds, if ClickHouse said so."""

    json: bytes
    counted: int | None = None

    @property
    def rows(self) -> int:
        """If nobody counted them: ClickHouse puts no spaces between objects, and a text with `},{` in it counts as one more."""
        if self.counted is not None:
            return self.counted
        return self.json.count(b"},{") + 1 if len(self.json) > len(b"[]") else 0


class SplicingExecutor(StrawberryGraphQLCoreExecutionContext):
    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        if isinstance(result, Spliced):
            fragment = orjson.Fragment(result.json)
            info.context.spliced_rows[id(fragment)] = result.rows
            return fragment
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)
