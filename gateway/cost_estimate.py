"""What a selection may cost before it is executed: lists as long as they may become.

Each fragment is counted once and remembered, so that the estimate is linear in the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

from gateway.cost_arguments import Arguments
from gateway.cost_weights import WeighedField, Weights

DEFAULT_LIST_SIZE = 10
"""Of a list without @listSize: domains, breakpoints, warnings."""

LIST_ARGUMENTS = ("ids", "representations")
"""The answer has an entry for each of theirs."""


@dataclass(frozen=True, slots=True)
class Selected:
    """`once` for each object, and that of an entry of each list in it, whose length the field above may know."""

    once: int
    entries: dict[str, int]

    def total(self, sizes: dict[str, int]) -> int:
        """With lists of these lengths, by their names; others are of DEFAULT_LIST_SIZE."""
        return self.once + sum(cost * sizes.get(name, DEFAULT_LIST_SIZE) for name, cost in self.entries.items())


class Estimate:
    def __init__(self, weights: Weights, arguments: Arguments, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._weights = weights
        self._arguments = arguments
        self._fragments = fragments
        self._counted: dict[str, Selected] = {}

    def selected(self, selection_set: SelectionSetNode | None, type_name: str) -> Selected:
        once, entries = 0, dict[str, int]()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                if field := self._weights.fields.get((type_name, node.name.value)):
                    of_object = field.type_weight + self.selected(node.selection_set, field.type_name).total(self._sizes_below(node, field))
                    once += field.weight + self._arguments.cost(node, field)
                    if not field.is_list:
                        once += of_object
                    elif (length := self._length(node, field)) is not None:
                        once += of_object * length
                    else:
                        entries[node.name.value] = entries.get(node.name.value, 0) + of_object
                continue
            part = self._part(node, type_name)
            once += part.once
            for name, cost in part.entries.items():
                entries[name] = entries.get(name, 0) + cost
        return Selected(once, entries)

    def _part(self, node: Any, type_name: str) -> Selected:
        """Of a fragment, spread or inline."""
        if not isinstance(node, FragmentSpreadNode):
            return self.selected(node.selection_set, node.type_condition.name.value if node.type_condition else type_name)
        name = node.name.value
        if name not in self._counted:
            fragment = self._fragments[name]
            self._counted[name] = self.selected(fragment.selection_set, fragment.type_condition.name.value)
        return self._counted[name]

    def _sizes_below(self, node: FieldNode, field: WeighedField) -> dict[str, int]:
        """The lengths of the lists right below a connection."""
        sized = field.size.sized_fields if field.size else None
        return dict.fromkeys(sized, self._slice(node, field)) if sized else {}

    def _length(self, node: FieldNode, field: WeighedField) -> int | None:
        """Of a list itself, None when only the field above knows."""
        for argument in node.arguments or ():
            if argument.name.value in LIST_ARGUMENTS:
                return self._arguments.entries(argument.value)
        return self._slice(node, field) if field.size else None

    def _slice(self, node: FieldNode, field: WeighedField) -> int:
        assert field.size is not None
        most = field.size.assumed_size or DEFAULT_LIST_SIZE
        asked = most
        for name in field.size.slicing_arguments or ():
            value = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
            number = self._arguments.integer(value)
            asked = field.arguments[name][1] if number is None else number
        return max(1, min(asked, most)) if isinstance(asked, int) else most
