"""What the arguments of an operation cost, and what those say that decide on the length of a list."""

from __future__ import annotations

from typing import Any

from graphql import FieldNode, IntValueNode, ListValueNode, ObjectValueNode, OperationDefinitionNode, ValueNode, VariableNode

from gateway.cost_weights import WeighedField, Weights


class Arguments:
    """Of one operation, with its variables as they were sent; what a variable costs is counted once and remembered."""

    def __init__(self, weights: Weights, operation: OperationDefinitionNode, variables: dict[str, Any]) -> None:
        self._weights = weights
        self._variables = variables
        self._defaults = {node.variable.name.value: node.default_value for node in operation.variable_definitions or ()}
        self._values: dict[tuple[str, str], int] = {}

    def cost(self, node: FieldNode, field: WeighedField) -> int:
        """Of all that the field is given."""
        return sum(
            self._literal(argument.value, field.arguments[argument.name.value][0])
            for argument in node.arguments or ()
            if argument.name.value in field.arguments
        )

    def integer(self, node: ValueNode | None) -> int | None:
        """None for null and for what is left out: the field's own default then counts."""
        if isinstance(node, VariableNode):
            if (name := node.name.value) in self._variables:
                sent = self._variables[name]
                return int(sent) if isinstance(sent, int | float) else None
            node = self._defaults.get(name)
        return int(node.value) if isinstance(node, IntValueNode) else None

    def entries(self, node: ValueNode | None) -> int:
        """How long a list is; what is no list stands for one of itself."""
        if isinstance(node, VariableNode):
            if (name := node.name.value) in self._variables:
                sent = self._variables[name]
                return len(sent) if isinstance(sent, list) else 1
            node = self._defaults.get(name)
        return len(node.values) if isinstance(node, ListValueNode) else 1

    def _literal(self, node: ValueNode | None, type_name: str) -> int:
        if isinstance(node, VariableNode):
            name = node.name.value
            if (name, type_name) not in self._values:
                sent = name in self._variables
                self._values[name, type_name] = (
                    self._value(self._variables[name], type_name) if sent else self._literal(self._defaults.get(name), type_name)
                )
            return self._values[name, type_name]
        if isinstance(node, ListValueNode):
            return sum(1 + self._literal(entry, type_name) for entry in node.values)
        if isinstance(node, ObjectValueNode):
            known = [(entry, self._weights.inputs.get((type_name, entry.name.value), (0, ""))) for entry in node.fields]
            return sum(weight + self._literal(entry.value, inner) for entry, (weight, inner) in known)
        return 0

    def _value(self, value: Any, type_name: str) -> int:
        if isinstance(value, list):
            return sum(1 + self._value(entry, type_name) for entry in value)
        if isinstance(value, dict):
            known = [(entry, self._weights.inputs.get((type_name, name), (0, ""))) for name, entry in value.items()]
            return sum(weight + self._value(entry, inner) for entry, (weight, inner) in known)
        return 0
