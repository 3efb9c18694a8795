"""Who asks: `Authorization: Bearer hg_KEYID_SECRET` to an API key.

Only a keyed hash of a token is stored, so a copy of the database lets nobody in. A key is remembered for a few
seconds; revoking one takes effect within them on every worker.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from time import monotonic

from clickhouse.client import Client
from clickhouse.errors import UnauthenticatedError
from clickhouse.keys import ApiKey, compile_keys
from clickhouse.recent import Recent

ALPHABET = string.ascii_letters + string.digits
TOKEN = re.compile(r"hg_([A-Za-z0-9]{12})_[A-Za-z0-9]{40}")
MAX_REMEMBERED_KEYS = 10_000

LookUp = tuple[float, asyncio.Task[ApiKey | None]]
"""Until when it counts, on the clock, and what it finds."""

ANONYMOUS = ApiKey("", "anonymous", frozenset(), frozenset())


def new_token() -> tuple[str, str]:
    """A key id and the token that begins with it; the secret part has 238 random bits."""
    key_id = "".join(secrets.choice(ALPHABET) for _ in range(12))
    return key_id, f"hg_{key_id}_" + "".join(secrets.choice(ALPHABET) for _ in range(40))


def hash_token(token: str, secret: bytes) -> str:
    return hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()


class Authenticator:
    def __init__(self, client: Client, secret: bytes, cache_seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._secret = secret
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._known = Recent[str, LookUp](MAX_REMEMBERED_KEYS)
        self._unknown = Recent[str, LookUp](MAX_REMEMBERED_KEYS)
        """Apart, so that invented tokens push no key out. A key looked up for the first time is here, too."""

    async def authenticate(self, authorization: str | None) -> ApiKey:
        """The key of an Authorization header; raises UnauthenticatedError that says what is wrong with it."""
        if not authorization:
            raise UnauthenticatedError(
                "No key: send the header `Authorization: Bearer hg_…`; a key is made with `python -m gateway keys create`."
            )
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthenticatedError("The Authorization header must read `Bearer hg_…`.")
        match = TOKEN.fullmatch(token.strip())
        if not match:
            raise UnauthenticatedError("This is no token: one reads hg_, 12 letters or digits, _ and 40 more; copy it whole.")
        key = await self._key(match[1])
        if key is None or not hmac.compare_digest(key.token_hash, hash_token(match[0], self._secret)):
            raise UnauthenticatedError("Unknown key: it was never made here, or the gateway's secret has changed; make a new one.")
        if key.revoked:
            raise UnauthenticatedError("This key was revoked; make a new one.")
        if key.expires_at and key.expires_at <= datetime.now(UTC):
            raise UnauthenticatedError(f"This key expired at {key.expires_at:%Y-%m-%d %H:%M} UTC; make a new one.")
        return key

    async def _key(self, key_id: str) -> ApiKey | None:
        """Requests that arrive together share one look-up, which outlives any of them; a failed one is not remembered."""
        remembered = self._known if key_id in self._known else self._unknown
        look_up = remembered.get(key_id)
        if look_up is None or look_up[0] <= self._clock():
            look_up = self._clock() + self._cache_seconds, asyncio.create_task(self._look_up(key_id))
            remembered.put(key_id, look_up)
            look_up[1].add_done_callback(partial(_forget_failed, remembered, key_id))
        key = await asyncio.shield(look_up[1])
        if key and key_id not in self._known:
            self._known.put(key_id, look_up)
            self._unknown.forget(key_id)
        return key

    async def _look_up(self, key_id: str) -> ApiKey | None:
        rows = await self._client.query(compile_keys(key_id=key_id))
        return ApiKey.from_row(rows[0]) if rows else None


def _forget_failed(remembered: Recent[str, LookUp], key_id: str, done: asyncio.Task[ApiKey | None]) -> None:
    """Also when nobody waits for it any more."""
    failed = done.cancelled() or done.exception()  # looked at, so that asyncio does not complain when nobody waits any more
    look_up = remembered.get(key_id)
    if failed and look_up and look_up[1] is done:
        remembered.forget(key_id)
