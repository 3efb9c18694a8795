"""What an operation costs, by the @cost and @listSize its schema declares (`schema.cost` has the rules).

    costs = Costs(schema)
    asked = costs.of(operation, document, variables)
    asked.estimated                 -> before it is executed: lists as long as they may become
    asked.actual(result.data, …)    -> afterwards: lists as long as they are

Each fragment is counted once and remembered, so that the estimate is linear in the document and its variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.schema import Schema

from clickhouse.recent import Recent
from gateway.documents import MAX_REMEMBERED_CHARACTERS, REMEMBERED_CHARACTERS, DocumentError
from gateway.shape import shown, too_complex

DEFAULT_LIST_SIZE = 10
"""Of a list without @listSize: domains, breakpoints, warnings."""

REMEMBERED_OPERATIONS = 256
MAX_REMEMBERED_BYTES = 2_000  # of variables

LIST_ARGUMENTS = ("ids", "representations")
"""The answer has an entry for each of theirs."""


@dataclass(frozen=True, slots=True)
class FieldCost:
    weight: int
    type_name: str
    type_weight: int
    is_list: bool
    size: ListSize | None
    arguments: dict[str, tuple[str, Any]]
    """The named type and the default of each."""


class Costs:
    """The weights of a schema."""

    def __init__(self, schema: Schema) -> None:
        self.fields: dict[tuple[str, str], FieldCost] = {}
        self.inputs: dict[tuple[str, str], tuple[int, str]] = {}
        self._remembered = Recent[tuple[int, int, bytes], OperationCost](REMEMBERED_OPERATIONS, REMEMBERED_CHARACTERS)
        core = schema._schema
        self.roots = {kind: str(root) for kind in ("query", "mutation") if (root := getattr(core, f"{kind}_type"))}
        for name, kind in core.type_map.items():
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__"):
                self.fields |= {(name, field_name): _field_cost(field) for field_name, field in kind.fields.items()}
            elif isinstance(kind, GraphQLInputObjectType):
                for field_name, field in kind.fields.items():
                    self.inputs[name, field_name] = (_weight(field, 0), str(get_named_type(field.type)))

    def of(self, operation: OperationDefinitionNode, document: DocumentNode, variables: dict[str, Any] | None) -> OperationCost:
        """Of a valid document; variables as they were sent, for a value that does not fit is refused anyway."""
        try:
            sent = orjson.dumps(variables or {})
        except TypeError:  # nested too deeply to be printed: refused with its value
            return OperationCost(self, operation, document, variables or {})
        key = id(document), id(operation), sent  # a remembered cost holds its nodes, so that no others have their ids
        if (cost := self._remembered.get(key)) is None:
            cost = OperationCost(self, operation, document, variables or {})
            # A longer document is parsed anew each time, so that its cost would keep it in memory and never be found.
            length = len(document.loc.source.body) if document.loc else 0
            if length <= MAX_REMEMBERED_CHARACTERS and len(sent) <= MAX_REMEMBERED_BYTES:
                self._remembered.put(key, cost, length)
        return cost


@dataclass(frozen=True, slots=True)
class _Selected:
    """`once` for each object, and that of an entry of each list in it, whose length the field above may know."""

    once: int
    entries: dict[str, int]

    def total(self, sizes: dict[str, int]) -> int:
        return self.once + sum(cost * sizes.get(name, DEFAULT_LIST_SIZE) for name, cost in self.entries.items())


Price = tuple[str, int, FieldCost, SelectionSetNode | None]
"""Of a field: its key in the answer, what it costs once, and what is selected of it."""


class OperationCost:
    def __init__(self, costs: Costs, operation: OperationDefinitionNode, document: DocumentNode, variables: dict[str, Any]) -> None:
        self._costs = costs
        self._document, self._operation = document, operation
        self._fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        self._variables = variables
        self._defaults = {node.variable.name.value: node.default_value for node in operation.variable_definitions or ()}
        self._counted: dict[str, _Selected] = {}
        self._values: dict[tuple[str, str], int] = {}
        self._spliced_rows: Mapping[int, int] = {}
        self._priced: dict[tuple[int, str], list[Price]] = {}
        self._of_rows: dict[tuple[int, str], int] = {}
        self._root = costs.roots.get(operation.operation.value, "")
        self.estimated = self._selected(operation.selection_set, self._root).total({})

    # Before

    def _selected(self, selection_set: SelectionSetNode | None, type_name: str) -> _Selected:
        once, entries = 0, dict[str, int]()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                if field := self._costs.fields.get((type_name, node.name.value)):
                    of_object = field.type_weight + self._selected(node.selection_set, field.type_name).total(
                        self._sizes_below(node, field)
                    )
                    once += field.weight + self._arguments(node, field)
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
        return _Selected(once, entries)

    def _part(self, node: Any, type_name: str) -> _Selected:
        """Of a fragment, spread or inline."""
        if not isinstance(node, FragmentSpreadNode):
            return self._selected(node.selection_set, node.type_condition.name.value if node.type_condition else type_name)
        name = node.name.value
        if name not in self._counted:
            fragment = self._fragments[name]
            self._counted[name] = self._selected(fragment.selection_set, fragment.type_condition.name.value)
        return self._counted[name]

    def _sizes_below(self, node: FieldNode, field: FieldCost) -> dict[str, int]:
        """The lengths of the lists right below a connection."""
        sized = field.size.sized_fields if field.size else None
        return dict.fromkeys(sized, self._slice(node, field)) if sized else {}

    def _length(self, node: FieldNode, field: FieldCost) -> int | None:
        """Of a list itself, None when only the field above knows."""
        for argument in node.arguments or ():
            if argument.name.value in LIST_ARGUMENTS:
                return self._entries(argument.value)
        return self._slice(node, field) if field.size else None

    def _slice(self, node: FieldNode, field: FieldCost) -> int:
        assert field.size is not None
        most = field.size.assumed_size or DEFAULT_LIST_SIZE
        asked = most
        for name in field.size.slicing_arguments or ():
            value = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
            number = self._integer(value)
            asked = field.arguments[name][1] if number is None else number
        return max(1, min(asked, most)) if isinstance(asked, int) else most

    def _integer(self, node: ValueNode | None) -> int | None:
        """None for null and for what is left out: the field's own default then counts."""
        if isinstance(node, VariableNode):
            if (name := node.name.value) in self._variables:
                sent = self._variables[name]
                return int(sent) if isinstance(sent, int | float) else None
            node = self._defaults.get(name)
        return int(node.value) if isinstance(node, IntValueNode) else None

    # Arguments

    def _arguments(self, node: FieldNode, field: FieldCost) -> int:
        return sum(
            self._literal(argument.value, field.arguments[argument.name.value][0])
            for argument in node.arguments or ()
            if argument.name.value in field.arguments
        )

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
            known = [(entry, self._costs.inputs.get((type_name, entry.name.value), (0, ""))) for entry in node.fields]
            return sum(weight + self._literal(entry.value, inner) for entry, (weight, inner) in known)
        return 0

    def _value(self, value: Any, type_name: str) -> int:
        if isinstance(value, list):
            return sum(1 + self._value(entry, type_name) for entry in value)
        if isinstance(value, dict):
            known = [(entry, self._costs.inputs.get((type_name, name), (0, ""))) for name, entry in value.items()]
            return sum(weight + self._value(entry, inner) for entry, (weight, inner) in known)
        return 0

    def _entries(self, node: ValueNode | None) -> int:
        if isinstance(node, VariableNode):
            if (name := node.name.value) in self._variables:
                sent = self._variables[name]
                return len(sent) if isinstance(sent, list) else 1
            node = self._defaults.get(name)
        return len(node.values) if isinstance(node, ListValueNode) else 1

    # Afterwards

    def actual(self, data: dict[str, Any] | None, spliced_rows: Mapping[int, int]) -> int:
        """Never more than the estimate. `spliced_rows` are those of spliced lists, by the id() of their fragments."""
        self._spliced_rows = spliced_rows
        return min(self.estimated, self._found(self._operation.selection_set, self._root, data)) if data else 0

    def _found(self, selection_set: SelectionSetNode, type_name: str, data: dict[str, Any]) -> int:
        """A field whose key is not in the object was skipped, or is of another type."""
        key = id(selection_set), type_name
        if (priced := self._priced.get(key)) is None:
            priced = self._priced[key] = list(self._prices(selection_set, type_name, set()))
        cost = 0
        for name, once, field, below in priced:
            if name in data:
                cost += once + (self._found_below(data[name], field, below) if below else 0)
        return cost

    def _prices(self, selection_set: SelectionSetNode, type_name: str, spread: set[str]) -> Iterator[Price]:
        """What in a selection costs anything; a fragment spread twice is executed once."""
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                if field := self._costs.fields.get((type_name, node.name.value)):
                    once = field.weight + self._arguments(node, field)
                    if once or node.selection_set:
                        yield node.alias.value if node.alias else node.name.value, once, field, node.selection_set
            elif not isinstance(node, FragmentSpreadNode):
                inner: Any = node
                yield from self._prices(inner.selection_set, inner.type_condition.name.value if inner.type_condition else type_name, spread)
            elif (name := node.name.value) not in spread:
                spread.add(name)
                fragment = self._fragments[name]
                yield from self._prices(fragment.selection_set, fragment.type_condition.name.value, spread)

    def _found_below(self, value: Any, field: FieldCost, below: SelectionSetNode) -> int:
        if isinstance(value, dict):
            return field.type_weight + self._found(below, field.type_name, value)
        if isinstance(value, list):
            return sum(self._found_below(entry, field, below) for entry in value)
        if isinstance(value, orjson.Fragment):
            key = id(below), field.type_name
            if (of_row := self._of_rows.get(key)) is None:
                of_row = self._of_rows[key] = field.type_weight + self._selected(below, field.type_name).total({})
            return of_row * self._spliced_rows.get(id(value), 0)
        return 0


def refuse_expensive(estimated: int, allowed: int) -> None:
    """Raises DocumentError with QUERY_TOO_COMPLEX."""
    if estimated > allowed:
        message = (
            f"The query may cost {shown(estimated)}, and {allowed} is the most: ask for fewer rows (`first`), or for less of each,"
            " or send several queries."
        )
        raise DocumentError([GraphQLError(message, original_error=too_complex(message, "cost", estimated, allowed))])


def _field_cost(field: GraphQLField) -> FieldCost:
    kind = get_named_type(field.type)
    composite = isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
    sizes = [directive for directive in _directives(field) if isinstance(directive, ListSize)]
    arguments = {
        name: (str(get_named_type(argument.type)), None if argument.default_value is Undefined else argument.default_value)
        for name, argument in field.args.items()
    }
    return FieldCost(
        _weight(field, 0),
        str(kind),
        _weight(kind, int(composite)),
        is_list_type(get_nullable_type(field.type)),
        next(iter(sizes), None),
        arguments,
    )


def _weight(declared: Any, default: int) -> int:
    return next((directive.weight for directive in _directives(declared) if isinstance(directive, Cost)), default)


def _directives(declared: Any) -> list[object]:
    definition = declared.extensions.get("strawberry-definition")
    return list(getattr(definition, "directives", None) or ())
