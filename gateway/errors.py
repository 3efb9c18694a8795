"""Errors as the GraphQL specification shapes them: a stable `extensions.code` and a message that is safe to show.

    {"message": "…", "locations": […], "path": […], "extensions": {"code": "BAD_USER_INPUT", …}}

What is neither the caller's fault nor foreseen becomes INTERNAL; its own text goes to the log, beside the request id.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLEnumType, GraphQLError, GraphQLNamedType

from clickhouse.errors import HeatgraphError
from gateway.rate_limit import Budget

logger = logging.getLogger("heatgraph.gateway")

CHOOSING = re.compile(
    r"does not exist in '(\w+)' enum\.|Enum '(\w+)' cannot represent|OneOf Input Object type '(\w+)', exactly one"
    r"|Cannot query field '\w+' on type '(\w+)'|of type '(\w+)' not to include unknown field"
)
SUGGESTION = re.compile(r" Did you mean [^?]*\?")
MAX_MESSAGE_CHARACTERS = 1000  # messages quote what was sent, and that can be as long as the request

HTTP_STATUS = {
    "BAD_USER_INPUT": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "PLAN_REQUIRED": 403,
    "NOT_FOUND": 404,
    "PERSISTED_QUERY_NOT_FOUND": 404,
    "RATE_LIMITED": 429,
    "QUERY_TOO_COMPLEX": 400,
    "TIMEOUT": 504,
    "SOURCE_UNAVAILABLE": 503,
    "INTERNAL": 500,
}
"""Status of a request that failed as a whole; a request with an answer is 200 whatever its errors say."""


def error_headers(extensions: Mapping[str, Any]) -> dict[str, str]:
    """What of an error HTTP has a header for."""
    if extensions["code"] == "UNAUTHENTICATED":
        return {"WWW-Authenticate": 'Bearer realm="heatgraph"'}
    headers = {"Retry-After": str(extensions["retryAfterSeconds"])} if "retryAfterSeconds" in extensions else {}
    if extensions["code"] == "RATE_LIMITED":
        headers |= Budget(extensions["limit"], extensions["remaining"], extensions["resetSeconds"]).headers()
    return headers


_PYTHONS_WORDS = [
    (re.compile(pattern, re.DOTALL), ours)
    for pattern, ours in (
        (r", but encountered error '[^']*'", ""),
        (r'(cannot represent a Date: ".*"\.) .*', r"\1 A day is as in 2026-04-01."),
        (r'(cannot represent a DateTime: ".*"\.) .*', r"\1 An instant is as in 2026-04-01T12:00:00Z."),
        (r"not to be None\.$", "not to be null."),
        (r"value: True$", "value: true"),
        (r"value: False$", "value: false"),
    )
]
"""graphql-core and Strawberry quote what Python says of a value."""


def format_errors(errors: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    return [format_error(error, request_id) for error in errors]


def format_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    formatted = explain(error, request_id)
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        formatted["path"] = error.path
    return formatted


def with_choices(errors: list[dict[str, Any]], types: Mapping[str, GraphQLNamedType]) -> list[dict[str, Any]]:
    """What an enum or an input would have taken, or a type has; for who may learn names of the schema."""
    return [error | {"message": error["message"] + _choices(error["message"], types)} for error in errors]


def _choices(message: str, types: Mapping[str, GraphQLNamedType]) -> str:
    found = CHOOSING.search(message)
    kind = types.get(next(filter(None, found.groups()))) if found else None
    names = kind.values if isinstance(kind, GraphQLEnumType) else getattr(kind, "fields", ())
    return f" Allowed: {', '.join(names)}." if names else ""


def without_suggestions(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For who is not to learn names of the schema by guessing."""
    return [error | {"message": SUGGESTION.sub("", error["message"])} for error in errors]


def formatted_as(code: str, message: str, **details: Any) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, **details}}


def explain(error: BaseException, request_id: str) -> dict[str, Any]:
    """Any exception, without its place in a document."""
    cause = _cause(error)
    if isinstance(cause, HeatgraphError):
        details = {name: _shortened(value) if isinstance(value, str) else value for name, value in cause.details.items()}
        return formatted_as(cause.code, _shortened(cause.message), **details)
    if isinstance(cause, TimeoutError):
        return formatted_as("TIMEOUT", "The answer took too long. Ask for a shorter window or fewer fields.")
    if isinstance(cause, RecursionError):
        return formatted_as("BAD_USER_INPUT", "The document or its variables are nested too deeply.")
    if isinstance(error, GraphQLError) and _is_callers_fault(error, cause):
        return formatted_as("BAD_USER_INPUT", _in_our_words(_shortened(error.message)))
    logger.error("request %s failed unforeseen", request_id, exc_info=cause)
    return formatted_as("INTERNAL", f"Something went wrong; quote request id {request_id}.", requestId=request_id)


def _cause(error: BaseException) -> BaseException:
    """What was raised first; graphql-core wraps it once for a field, and once more for a variable."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _is_callers_fault(error: GraphQLError, cause: BaseException) -> bool:
    """Before execution every error that points into the document is the caller's: syntax, validation, variables.

    During execution (there is a path) only an error graphql-core itself raised about an argument is, which also points into the document.
    """
    if error.path is None:
        return error.nodes is not None or error.source is not None or error.original_error is None
    return isinstance(cause, GraphQLError) and bool(cause.nodes)


def _in_our_words(message: str) -> str:
    for pattern, ours in _PYTHONS_WORDS:
        message = pattern.sub(ours, message)
    return message


def _shortened(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE_CHARACTERS else message[:MAX_MESSAGE_CHARACTERS] + " …"
