"""A GraphQL document is parsed and validated once, however often it is sent.

Documents(schema, max_tokens=3_000, limits=settings.shape_limits).prepare("{ __typename }")   -> its syntax tree, valid for the schema

What is too large is refused before it is validated, for validation itself can be made to work hard.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInputType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    ValidationRule,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VisitorAction,
    get_named_type,
    get_operation_ast,
    is_introspection_type,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.schema import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from clickhouse.errors import QueryTooComplexError
from clickhouse.recent import Recent
from gateway.shape import ShapeLimits, refuse_oversized

REMEMBERED_DOCUMENTS = 256
MAX_REMEMBERED_CHARACTERS = 20_000  # of a document
REMEMBERED_CHARACTERS = 250_000
"""Of all documents together: a syntax tree may take 300 times the memory of its text, so that these are 75 MB at most."""

MAX_COMMENTS = 1000
MAX_ERRORS = 10

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 10_000
"""What the one rule that is quadratic may spend; graphql-core's own 500 000 are seconds of work, GraphiQL's examples take some dozens."""

INTROSPECTION_FIELDS = {"__schema", "__type", "__typename", "_service"}


class DocumentError(Exception):
    """Syntax or validation errors; nothing was executed."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


class Documents:
    def __init__(self, schema: Schema, max_tokens: int, limits: ShapeLimits, *, introspection: bool = True) -> None:
        """Without `introspection` errors suggest no names either."""
        self._schema = schema
        self._max_tokens = max_tokens
        self._limits = limits
        self._introspection = introspection
        self._rules = (
            *(PlacedValuesRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules),
            MaybeNullValidationRule,
        )
        if not introspection:
            self._rules += (NoSchemaRule,)
        self._remembered = Recent[str, tuple[DocumentNode, list[GraphQLError]]](REMEMBERED_DOCUMENTS, REMEMBERED_CHARACTERS)

    def prepare(self, text: str) -> DocumentNode:
        """The document of `text`; raises DocumentError."""
        if (prepared := self._remembered.get(text)) is None:
            prepared = self._prepare(text)
            if len(text) <= MAX_REMEMBERED_CHARACTERS:
                self._remembered.put(text, prepared, len(text))
        document, errors = prepared
        if errors:
            raise DocumentError(errors)
        return document

    def _prepare(self, text: str) -> tuple[DocumentNode, list[GraphQLError]]:
        try:
            document = parse(text, max_lexical_tokens=self._max_tokens, max_comments=MAX_COMMENTS, allow_empty_selection_sets=False)
            refuse_oversized(document, self._limits)
            errors = validate(self._schema._schema, document, self._rules, MAX_ERRORS, hide_suggestions=not self._introspection)
            return document, [_limit_as_such(error) for error in errors]
        except GraphQLError as error:
            return DocumentNode(), [_limit_as_such(error)]
        except QueryTooComplexError as error:
            return DocumentNode(), [GraphQLError(error.message, original_error=error)]
        except RecursionError:
            return DocumentNode(), [_limit_as_such(GraphQLError("Document is nested too deeply. Parsing aborted."))]


class PlacedValuesRule(ValuesOfCorrectTypeRule):
    """Also a list or an object where neither can be has a place: of these graphql-core checks a copy, which has none."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        self._value = node
        return super().is_valid_value_node(node, input_type)

    def report_error(self, error: GraphQLError) -> None:
        super().report_error(error if error.locations else GraphQLError(error.message, self._value))


class NoSchemaRule(ValidationRule):
    """Neither introspection nor a subgraph's SDL, which says as much."""

    def enter_field(self, node: FieldNode, *_args: Any) -> None:
        kind = get_named_type(self.context.get_type())
        if kind and (is_introspection_type(kind) or kind.name == "_Service"):
            reason = f"Introspection is off, `{node.name.value}` too; read the SDL with: python -m gateway schema"
            self.report_error(GraphQLError(reason, node))


def _limit_as_such(error: GraphQLError) -> GraphQLError:
    """graphql-core gives up on what is too long, too deep or too repetitive as if it were a syntax error, or without a reason."""
    if not error.message.endswith(". Parsing aborted.") and error.message != "Validation aborted.":
        return error
    reason = error.message.removeprefix("Syntax Error: ").removesuffix(" Parsing aborted.")
    reason = reason.replace("Validation aborted.", "Document repeats fields or nests fragments too often.")
    return GraphQLError(reason, original_error=QueryTooComplexError(f"{reason} Ask for less in one request."))


def select_operation(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode:
    """The operation to run; raises DocumentError when it is not there, or not named among several."""
    if operation := get_operation_ast(document, operation_name):
        return operation
    if operation_name is not None:
        raise DocumentError([GraphQLError(f"The document has no operation named {operation_name!r}.")])
    raise DocumentError([GraphQLError("`operationName` must name one of the document's operations.")])


def is_introspection(operation: OperationDefinitionNode, document: DocumentNode) -> bool:
    """Whether the operation asks for nothing but the schema itself."""
    return operation.operation is OperationType.QUERY and set(root_fields(operation, document)) <= INTROSPECTION_FIELDS


def root_fields(operation: OperationDefinitionNode, document: DocumentNode) -> Iterator[str]:
    """Their names, not their aliases. Each fragment is looked into once, so that this stays linear in the document."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    waiting, seen = [operation.selection_set], set[str]()
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                yield node.name.value
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif (name := node.name.value) not in seen:  # type: ignore[attr-defined]
                seen.add(name)
                waiting.append(fragments[name].selection_set)
