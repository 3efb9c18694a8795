"""Every error a caller may see: a stable code and a message that says what to do next.

Three families: the caller's fault, a limit hit, the database unavailable. ClickHouse's own text never
enters a message; `clickhouse.client` logs it beside the request id and raises one of these.
"""

from __future__ import annotations


class HeatgraphError(Exception):
    """Base; `code` becomes `extensions.code`, `details` the other extensions."""

    code = "INTERNAL"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


# The caller's fault.


class BadUserInputError(HeatgraphError):
    """An argument is malformed, contradictory or out of range; names the argument and what is allowed."""

    code = "BAD_USER_INPUT"


class UnauthenticatedError(HeatgraphError):
    code = "UNAUTHENTICATED"


class ForbiddenError(HeatgraphError):
    """The key lacks a scope."""

    code = "FORBIDDEN"


class PlanRequiredError(HeatgraphError):
    code = "PLAN_REQUIRED"


class NotFoundError(HeatgraphError):
    code = "NOT_FOUND"


# A limit hit.


class QueryTooComplexError(HeatgraphError):
    """Too many rows, bytes or too much memory for one statement, or too large a query."""

    code = "QUERY_TOO_COMPLEX"


class DeadlineError(HeatgraphError):
    code = "TIMEOUT"


# The database unavailable.


class SourceUnavailableError(HeatgraphError):
    code = "SOURCE_UNAVAILABLE"
