"""The clients of all sources, each with its cache, its breaker and what observes it."""

from __future__ import annotations

from dataclasses import replace

from clickhouse.breaker import GuardedClient
from clickhouse.client import connect
from clickhouse.memory_cache import MemoryCache
from clickhouse.posthog import REASONS, UNKNOWN_MEASURES
from clickhouse.redis_cache import RedisCache
from clickhouse.shared import SharedClient
from gateway.observed_client import ObservedClient
from gateway.settings import Settings
from gateway.source_settings import SourceSettings, configured_sources
from resolvers.sources import Source, Sources


async def open_sources(settings: Settings) -> Sources:
    """Raises BadUserInputError, and SourceUnavailableError for an embedded engine that does not open; servers are first asked when needed."""
    memory = MemoryCache(settings.cache_bytes)
    redis_seconds = settings.redis_cache_seconds if settings.redis else 0

    async def opened(source: SourceSettings) -> Source:
        redis = RedisCache(settings.redis, source.name, redis_seconds) if redis_seconds else None
        asked = await connect(source.dsn, source.limits, source.pool_size)
        client = SharedClient(asked, memory, settings.version_seconds, elsewhere=redis)
        without_shards = replace(source.limits, skip_unavailable_shards=True)
        remaining = await connect(source.dsn, without_shards, source.pool_size) if source.allow_partial else None
        if not source.posthog:
            return Source(source.name, ObservedClient(source.name, GuardedClient(source.name, client, remaining)))
        guarded = GuardedClient(source.name, client, rewrite=source.posthog)
        return Source(source.name, ObservedClient(source.name, guarded), source.sites, REASONS, UNKNOWN_MEASURES)

    return Sources([await opened(source) for source in configured_sources(settings)])
