"""Every error a caller may see: a stable code and a message that says what to do next.

Three families: the caller's fault, a limit hit, the database unavailable. ClickHouse's own text never enters
a message: `from_driver` logs it beside the request's id and makes one of these of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

logger = logging.getLogger("heatgraph.clickhouse")

BUSY_S = 5
MUTATION_FAILED = 341

request_tag: ContextVar[Mapping[str, str | int]] = ContextVar("request_tag", default=MappingProxyType({}))
"""Whose statements these are: request id, operation, key id. Set by the gateway, kept in ClickHouse's `log_comment` and in our log."""


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


class TooLongValueError(BadUserInputError):
    """A value is longer than may be bound."""


class UnauthenticatedError(HeatgraphError):
    code = "UNAUTHENTICATED"


class ForbiddenError(HeatgraphError):
    """The key lacks a scope."""

    code = "FORBIDDEN"


class PlanRequiredError(HeatgraphError):
    code = "PLAN_REQUIRED"


class NotFoundError(HeatgraphError):
    code = "NOT_FOUND"


class PersistedQueryNotFoundError(HeatgraphError):
    """Nobody taught us the document of this hash, or we forgot it; the client sends it in full."""

    code = "PERSISTED_QUERY_NOT_FOUND"


# A limit hit.


class QueryTooComplexError(HeatgraphError):
    """Too many rows, bytes or too much memory for one statement, or too large a query."""

    code = "QUERY_TOO_COMPLEX"


class RateLimitedError(HeatgraphError):
    """The key has spent what it may for now; `retryAfterSeconds` says when there is enough again."""

    code = "RATE_LIMITED"


class DeadlineError(HeatgraphError):
    code = "TIMEOUT"


class SilentSourceError(DeadlineError):
    """Not even the source's own word that the deadline passed came in time."""


# The database unavailable.


class SourceUnavailableError(HeatgraphError):
    code = "SOURCE_UNAVAILABLE"


class BusySourceError(HeatgraphError):
    """All its connections are in use, and were for as long as a statement may wait; it lives, so no breaker opens."""

    code = "SOURCE_UNAVAILABLE"

    def __init__(self, message: str) -> None:
        super().__init__(message, retryAfterSeconds=BUSY_S)


TOO_LATE = "The answer took too long. Ask for a shorter window, fewer pages or fewer fields."
BEHIND = "A replica of the data source is down or behind, and what is written waits for all of them. Try again when all are up."

_BY_CODE: dict[int, tuple[type[HeatgraphError], str]] = {
    code: (error, message)
    for codes, error, message in (
        (
            (427,),
            BadUserInputError,
            "The regular expression is not valid RE2. Correct the pattern; look-around and back-references are not supported.",
        ),
        ((159, 160, 209, 394), DeadlineError, TOO_LATE),
        (
            (158, 167, 168, 241, 306, 307, 396),
            QueryTooComplexError,
            "The question reads or returns too much. Ask for a shorter window, fewer pages or fewer fields.",
        ),
        ((60, 81), SourceUnavailableError, "The data source has no tables yet. Create them with: python -m gateway migrate"),
        (
            (16, 47),
            SourceUnavailableError,
            "The data source's tables are of another version. Bring them up to date with: python -m gateway migrate",
        ),
        (
            (192, 193, 194, 497, 516),
            SourceUnavailableError,
            "The data source refused its user. Check user, password and rights of --clickhouse (HEATGRAPH_CLICKHOUSE).",
        ),
        ((285, 319, 341), SourceUnavailableError, BEHIND),
        (
            (75, 243),
            SourceUnavailableError,
            "The data source cannot write to its disk, most likely because it is full. Make room there, and try again.",
        ),
        (
            (32, 101, 202, 203, 210, 236, 242, 252, 279, 425, 999),
            SourceUnavailableError,
            "The data source is not available. Try again in a moment.",
        ),
    )
    for code in codes
}
"""ClickHouse's error codes, see its src/Common/ErrorCodes.cpp, and what to do about them."""


def from_driver(exception: Exception) -> HeatgraphError:
    """What to tell the caller about an exception of the driver; the original goes to the log."""
    logger.warning("ClickHouse failed, request %s: %s", dict(request_tag.get()), exception)
    code = getattr(exception, "code", None)
    if code == MUTATION_FAILED and (reason := re.search(r"reason: 'Code: (\d+)\.", str(exception))):
        code = int(reason[1])
    if code in _BY_CODE:
        error, message = _BY_CODE[code]
        return error(message)
    unspoken = isinstance(exception, OperationalError | OSError) or type(exception) is DatabaseError  # of a proxy, or of nobody
    if code is None and unspoken:
        return SourceUnavailableError(
            "The data source cannot be reached. Check that it runs and that its address, in --clickhouse (HEATGRAPH_CLICKHOUSE) or --sources, is right."
        )
    return HeatgraphError("Something went wrong while asking the data source; its log tells more.")
