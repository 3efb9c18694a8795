"""A cache of answers in Redis, for all workers and machines that ask the same source.

    cache = RedisCache("redis://localhost:6379/0", source="default", seconds=600)
    await cache.put(key, answer)
    await cache.get(key)        -> answer, or None

A name in Redis is a digest of the source and of the key, in which are the statement, its values, the site's too, and the version of the
site's data: another site, or the same one after a change, finds nothing. While Redis is away nothing is cached, and nobody waits for it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any
from zlib import crc32

import orjson
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from clickhouse import native
from clickhouse.reading import Answer

logger = logging.getLogger("heatgraph.clickhouse")

MAX_ANSWER_BYTES = 8_000_000
TIMEOUT_S = 0.5
AWAY_S = 5.0  # after it did not answer it is left alone so long


class RedisCache:
    def __init__(self, address: str, source: str, seconds: int, clock: Callable[[], float] = monotonic) -> None:
        once_more = Retry(NoBackoff(), 1)  # on a connection that was closed while nobody used it
        self._redis = Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=once_more)
        self._source = source
        self._seconds = seconds
        self._clock = clock
        self._away_until = 0.0

    async def get(self, key: object) -> Answer | None:
        """None as well for what is damaged or of another version of this program."""
        name = self.name(key)
        cached = await self._unless_away(lambda: self._redis.get(name))
        if not cached:
            return None
        try:
            head, _, body = cached.partition(b"\n")
            facts = orjson.loads(head)
            return Answer(native.rows(body), **facts) if facts.pop("crc32") == _checksum(name, body) else None
        except Exception as error:  # whatever it is, it was put there by something else than we are
            logger.warning("what Redis has under a name of ours is no answer: %r", error)
            return None

    async def put(self, key: object, answer: Answer) -> None:
        """Only what a server answered, and nothing that is too large."""
        if 0 < len(answer.native) <= MAX_ANSWER_BYTES:
            name, body = self.name(key), answer.native
            facts = orjson.dumps({"crc32": _checksum(name, body), "read_rows": answer.read_rows, "read_bytes": answer.read_bytes})
            await self._unless_away(lambda: self._redis.set(name, b"%b\n%b" % (facts, body), ex=self._seconds))

    async def close(self) -> None:
        await self._redis.aclose()

    def name(self, key: object) -> str:
        return "heatgraph:answer:" + hashlib.blake2b(repr((self._source, key)).encode(), digest_size=32).hexdigest()

    async def _unless_away(self, command: Callable[[], Awaitable[Any]]) -> Any:
        if self._clock() < self._away_until:
            return None
        try:
            return await command()
        except Exception as error:  # its reader has many for what is no Redis
            self._away_until = self._clock() + AWAY_S
            logger.warning("Redis did not answer, so that each worker caches answers for itself for %g s: %s", AWAY_S, error)
            return None


def _checksum(name: str, body: bytes) -> int:
    """Of the name, too: what answers on a connection that lost its step may be the answer to another question."""
    return crc32(body, crc32(name.encode()))
