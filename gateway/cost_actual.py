"""What an answer turned out to cost: lists as long as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

from gateway.cost_arguments import Arguments
from gateway.cost_estimate import Estimate
from gateway.cost_weights import WeighedField, Weights

Price = tuple[str, int, WeighedField, SelectionSetNode | None]
"""Of a field: its key in the answer, what it costs once, and what is selected of it."""


class Actual:
    """Of the answers to one operation; the prices of its selections are looked up once and remembered."""

    def __init__(self, weights: Weights, arguments: Arguments, fragments: Mapping[str, FragmentDefinitionNode], estimate: Estimate) -> None:
        self._weights = weights
        self._arguments = arguments
        self._fragments = fragments
        self._estimate = estimate
        self._priced: dict[tuple[int, str], list[Price]] = {}
        self._of_rows: dict[tuple[int, str], int] = {}

    def found(self, selection_set: SelectionSetNode, type_name: str, data: dict[str, Any], spliced_rows: Mapping[int, int]) -> int:
        """Of an object in an answer; a field whose key is not in it was skipped, or is of another type.

        `spliced_rows`: how many rows each spliced list has, by the id() of its fragment.
        """
        key = id(selection_set), type_name
        if (priced := self._priced.get(key)) is None:
            priced = self._priced[key] = list(self._prices(selection_set, type_name, set()))
        cost = 0
        for name, once, field, below in priced:
            if name in data:
                cost += once + (self._found_below(data[name], field, below, spliced_rows) if below else 0)
        return cost

    def _found_below(self, value: Any, field: WeighedField, below: SelectionSetNode, spliced_rows: Mapping[int, int]) -> int:
        if isinstance(value, dict):
            return field.type_weight + self.found(below, field.type_name, value, spliced_rows)
        if isinstance(value, list):
            return sum(self._found_below(entry, field, below, spliced_rows) for entry in value)
        if isinstance(value, orjson.Fragment):
            key = id(below), field.type_name
            if (of_row := self._of_rows.get(key)) is None:
                of_row = self._of_rows[key] = field.type_weight + self._estimate.selected(below, field.type_name).total({})
            return of_row * spliced_rows.get(id(value), 0)
        return 0

    def _prices(self, selection_set: SelectionSetNode, type_name: str, spread: set[str]) -> Iterator[Price]:
        """What in a selection costs anything; a fragment spread twice is executed once."""
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                if field := self._weights.fields.get((type_name, node.name.value)):
                    once = field.weight + self._arguments.cost(node, field)
                    if once or node.selection_set:
                        yield node.alias.value if node.alias else node.name.value, once, field, node.selection_set
            elif not isinstance(node, FragmentSpreadNode):
                inner: Any = node
                yield from self._prices(inner.selection_set, inner.type_condition.name.value if inner.type_condition else type_name, spread)
            elif (name := node.name.value) not in spread:
                spread.add(name)
                fragment = self._fragments[name]
                yield from self._prices(fragment.selection_set, fragment.type_condition.name.value, spread)
