"""How large a document is, measured before anything else is done with it.

    refuse_oversized(parse("{ a: site(siteId: "s") { ...F } } fragment F on Site { name }"), settings.shape_limits)   -> or QueryTooComplexError

Each fragment is measured once and counted wherever it is spread, so that the work stays linear in the document though
what it would expand to is exponential. Nothing is known of the schema yet: cycles and unknown fragments are left to validation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from graphql import DocumentNode, FieldNode, FragmentDefinitionNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode

from clickhouse.errors import QueryTooComplexError


@dataclass(frozen=True, slots=True)
class ShapeLimits:
    """The most an operation may have of each, its fragments written out."""

    depth: int
    width: int
    root_fields: int
    fields: int
    aliases: int
    directives: int


@dataclass(slots=True)
class Shape:
    depth: int = 0
    width: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def add(self, other: Shape, levels: int = 0) -> None:
        """`other` stands beside what was counted so far, `levels` deeper."""
        self.depth = max(self.depth, other.depth + levels)
        self.width = max(self.width, other.width)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives


class _Measure:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        self._shapes: dict[str, Shape] = {}
        self._root_fields: dict[str, int] = {}

    def shape(self, selection_set: SelectionSetNode | None) -> Shape:
        shape = Shape(width=len(selection_set.selections) if selection_set else 0)
        for node in selection_set.selections if selection_set else ():
            shape.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                shape.add(Shape(depth=1, fields=1, aliases=int(node.alias is not None)))
                shape.add(self.shape(node.selection_set), levels=1)
            elif isinstance(node, FragmentSpreadNode):
                shape.add(self._fragment(node.name.value))
            else:
                shape.add(self.shape(node.selection_set))  # type: ignore[attr-defined]
        return shape

    def _fragment(self, name: str) -> Shape:
        if name not in self._shapes:
            self._shapes[name] = Shape()  # what it is worth to itself, should it be cyclic
            if node := self._fragments.get(name):
                self._shapes[name] = self.shape(node.selection_set)
        return self._shapes[name]

    def root_fields(self, selection_set: SelectionSetNode) -> int:
        count = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                count += 1
            elif isinstance(node, FragmentSpreadNode):
                count += self._root_fields_of(node.name.value)
            else:
                count += self.root_fields(node.selection_set)  # type: ignore[attr-defined]
        return count

    def _root_fields_of(self, name: str) -> int:
        if name not in self._root_fields:
            self._root_fields[name] = 0
            if node := self._fragments.get(name):
                self._root_fields[name] = self.root_fields(node.selection_set)
        return self._root_fields[name]


def refuse_oversized(document: DocumentNode, limits: ShapeLimits) -> None:
    """Raises QueryTooComplexError that says which limit, how much was asked, and what to do. RecursionError for endless fragments."""
    measure = _Measure(document)
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            continue
        shape = measure.shape(definition.selection_set)
        shape.directives += len(definition.directives or ())
        root_fields = measure.root_fields(definition.selection_set) if isinstance(definition, OperationDefinitionNode) else 0
        for limit in fields(limits):
            asked = root_fields if limit.name == "root_fields" else getattr(shape, limit.name)
            allowed = getattr(limits, limit.name)
            if asked > allowed:
                message = f"The query is too large: {shown(asked)} of at most {allowed} {ADVICE[limit.name]}."
                raise too_complex(message, limit.name, asked, allowed)


ADVICE = {
    "depth": "levels of fields; nest less, or ask for deeper objects by their id (`node`)",
    "width": "fields and fragments side by side; repeat none",
    "root_fields": "root fields; send several requests",
    "fields": "fields, fragments written out; ask for fewer in one request",
    "aliases": "aliases, fragments written out; send several requests",
    "directives": "directives; leave some out",
}


def shown(asked: int) -> str:
    """Fragments in fragments may ask for numbers as long as a page."""
    return str(asked) if asked < 1_000_000_000 else "over a billion"


def too_complex(message: str, limit: str, asked: int, allowed: int) -> QueryTooComplexError:
    return QueryTooComplexError(message, limit=limit, allowed=allowed, asked=min(asked, 2**31 - 1))
