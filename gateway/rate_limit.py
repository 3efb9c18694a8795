"""How much a key may ask in a while: a bucket of cost that fills steadily, shared by all that serve it.

    budgets = Budgets(cost_per_minute=60_000_000)
    (await budgets.spend("a1B2c3", cost=520)).remaining     -> 59_999_480; or RateLimitedError with retryAfterSeconds

Buckets are in Redis where there is one, the same for every worker and machine. Otherwise each worker keeps its own in memory,
filled with its share: the budget divided by the number of workers. A Redis that did not answer is left alone for a while, so that
one that hangs delays one request in that time and not each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from throttled.asyncio import BaseStore, MemoryStore, RedisStore, per_min
from throttled.asyncio.rate_limiter.token_bucket import TokenBucketRateLimiter

from clickhouse.errors import RateLimitedError
from clickhouse.redis_cache import AWAY_S, TIMEOUT_S

logger = logging.getLogger("heatgraph.gateway")

MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Cost that is left of `limit`, and seconds until all of it is back."""

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class Budgets:
    def __init__(self, cost_per_minute: int, workers: int = 1, redis: str = "", clock: Callable[[], float] = monotonic) -> None:
        """A bucket holds a minute's cost (0: no limit)."""
        self._cost_per_minute = cost_per_minute
        self._clock = clock
        self._away_until = 0.0
        self._share = max(1, cost_per_minute // workers)
        self._local = _buckets(MemoryStore(options={"MAX_SIZE": MAX_KEYS}), self._share)
        self._redis = RedisStore(redis, {"SOCKET_TIMEOUT": TIMEOUT_S, "SOCKET_CONNECT_TIMEOUT": TIMEOUT_S}) if redis else None
        self._shared = _buckets(self._redis, max(1, cost_per_minute)) if self._redis else None

    async def spend(self, key_id: str, cost: int) -> Budget | None:
        """None without a limit; raises RateLimitedError when so much is not left. When Redis is away the worker's own bucket counts.

        What costs more than a full bucket takes all of it, so that every question can be asked.
        """
        if not self._cost_per_minute:
            return None
        cost, result = max(cost, 1), None
        if self._shared and self._clock() >= self._away_until:
            try:
                result = await self._shared.limit(key_id, min(cost, self._cost_per_minute))
            except Exception as error:  # what is no Redis may tell no number either
                self._away_until = self._clock() + AWAY_S
                logger.warning("Redis did not answer, so that each worker limits for itself for %g s: %s", AWAY_S, error.__cause__ or error)
        result = result or await self._local.limit(key_id, min(cost, self._share))
        state = result.state
        budget = Budget(state.limit, state.remaining, int(state.reset_after))
        if result.limited:
            raise RateLimitedError(
                f"This key has {budget.remaining} of cost left and the query costs {cost}; send it again in {int(state.retry_after)} s,"
                " or ask for less.",
                retryAfterSeconds=int(state.retry_after),
                cost=cost,
                limit=budget.limit,
                remaining=budget.remaining,
                resetSeconds=budget.reset_seconds,
            )
        return budget

    async def close(self) -> None:
        if self._redis:
            client: Any = self._redis._backend.get_client()
            await client.aclose(close_connection_pool=True)


def _buckets(store: BaseStore, cost_per_minute: int) -> TokenBucketRateLimiter:
    return TokenBucketRateLimiter(per_min(cost_per_minute, cost_per_minute), store, key_prefix="heatgraph:budget")
