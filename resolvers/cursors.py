"""Opaque keyset cursors: the sort values of the last row seen, with a checksum, bound to what they page through.

A cursor also carries the window it was made for, so that a sequence that began with "the last 7 days" goes on in exactly
those seven days while the clock moves.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from clickhouse import clock
from clickhouse.errors import BadUserInputError
from clickhouse.lens import Window

NO_WINDOW = Window(clock.EPOCH, clock.EPOCH)
"""That of a cursor through a list without one."""

Kind = type[bool] | type[float] | type[str] | range
"""What a value of a cursor is; of whole numbers also which, as the checksum has no secret and ClickHouse refuses others."""

UINT8, UINT32, UINT64 = (range(2**bits) for bits in (8, 32, 64))
INT64 = range(1 - 2**63, 2**63)
"""Those that can be negated."""

INSTANT = range(clock.milliseconds(datetime(2101, 1, 1, tzinfo=UTC)))
"""In milliseconds, as far as windows go."""

_CHECKSUM_BYTES = 8
_MALFORMED = "after: this is no cursor of ours; pass an endCursor or a cursor of an earlier answer unchanged, or leave it out."
_FOREIGN = "after: this cursor belongs to another list (site, page, sort, window or segment); begin that list without a cursor."


@dataclass(frozen=True, slots=True)
class Cursor:
    """`window` is as resolved; `window_spec` as it was asked."""

    window: Window
    window_spec: str
    values: tuple[Any, ...]


def digest(*parts: object) -> str:
    """A short fingerprint of what a cursor pages through."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def encode(binding: str, cursor: Cursor) -> str:
    window = [clock.milliseconds(cursor.window.start), clock.milliseconds(cursor.window.end)]
    payload = orjson.dumps([binding, cursor.window_spec, *window, list(cursor.values)])
    return base64.urlsafe_b64encode(_checksum(payload) + payload).rstrip(b"=").decode()


def decode(text: str, binding: str, kinds: tuple[Kind, ...]) -> Cursor:
    """The cursor, whose values are exactly of these kinds; BadUserInputError when malformed, tampered with or foreign."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        payload = raw[_CHECKSUM_BYTES:]
        if _checksum(payload) != raw[:_CHECKSUM_BYTES]:
            raise ValueError
        bound_to, spec, start, end, values = orjson.loads(payload)
        cursor = Cursor(Window(clock.instant(start), clock.instant(end)), spec, tuple(values))
    except (ValueError, TypeError, OverflowError):
        raise BadUserInputError(_MALFORMED, argument="after") from None
    if bound_to != binding:
        raise foreign()
    if len(cursor.values) != len(kinds) or not all(map(_is, cursor.values, kinds)):
        raise BadUserInputError(_MALFORMED, argument="after")
    return cursor


def _is(value: Any, kind: Kind) -> bool:
    return type(value) is int and value in kind if isinstance(kind, range) else type(value) is kind


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM_BYTES, person=b"heatgraph-cursor").digest()


def foreign() -> BadUserInputError:
    """The error for a cursor of another list or window."""
    return BadUserInputError(_FOREIGN, argument="after")
