"""Times as clients see them: UTC, and said so."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from strawberry.schema.types.base_scalars import DateDefinition, DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

SCALARS: dict[object, ScalarDefinition] = {
    dt.date: replace(DateDefinition, description="A day, ISO 8601, as in 2026-04-01."),
    dt.datetime: replace(
        DateTimeDefinition,
        description="An instant, ISO 8601. Answered with an offset, +00:00 where the field says UTC, and with six digits of a fraction"
        " unless that is 0: 2026-04-01T12:00:00.250000+00:00. Read with any offset or Z; one without is UTC.",
    ),
}
"""What clients are told of their formats, for their own types."""


def utc(value: dt.datetime) -> dt.datetime:
    """ClickHouse's times come without a zone and are UTC."""
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
