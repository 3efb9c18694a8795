"""Instants as they are stored: to the millisecond, so that what is answered at once is answered later on too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return to_millisecond(datetime.now(UTC))


def later(now: datetime, replaced: datetime | None) -> datetime:
    """Now, or later than the row it replaces, however the clocks of two machines differ; None replaces nothing."""
    return now if replaced is None else max(now, replaced + timedelta(milliseconds=1))


def to_millisecond(instant: datetime) -> datetime:
    """Rounded down."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def milliseconds(instant: datetime) -> int:
    """Since 1970."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def instant(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)
