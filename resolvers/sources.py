"""The ClickHouses behind the graph: which site lives in which, and loaders that keep them apart.

sources = Sources([Source("default", client), Source("posthog", other, {"shop": Site(…)})])
sources.of("shop").client
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from strawberry.dataloader import DataLoader

from clickhouse.client import Client
from clickhouse.errors import TooLongValueError
from clickhouse.sites import Site

MAX_BATCH = 1000

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """`sites` are those of the configuration by id; None: those of its own table `sites`.

    `reasons` say of fields of Insights why the source's layout cannot answer them, `unknown_measures` are those of PageTotals.
    """

    name: str
    client: Client
    sites: Mapping[str, Site] | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    unknown_measures: tuple[str, ...] = ()


class Sources:
    """In the order of the configuration; the first holds the keys. Lives as long as the gateway, and remembers where sites were found."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.all = tuple(sources)
        self._found = {site.site_id: (source, site) for source in sources for site in (source.sites or {}).values()}

    @property
    def first(self) -> Source:
        return self.all[0]

    def of(self, site_id: str) -> Source:
        """KeyError for a site that was never found."""
        return self._found[site_id][0]

    def found(self, site_id: str) -> tuple[Source, Site] | None:
        """Where the site is, and its row as it was last seen."""
        return self._found.get(site_id)

    def known_of(self, source: Source) -> list[Site]:
        """The sites found in it, as they were last seen."""
        return [site for home, site in self._found.values() if home is source]

    def remember(self, source: Source, site: Site) -> None:
        self._found[site.site_id] = (source, site)

    async def close(self) -> None:
        for source in self.all:
            await source.client.close()


class SourceLoader(Generic[K, V]):
    """A DataLoader for each source, so that the keys of one never wait for another."""

    def __init__(self, source_of: Callable[[K], Source], load: Callable[[Source, list[K]], Awaitable[Sequence[Any]]]) -> None:
        self._source_of = source_of
        self._load = load
        self._loaders: dict[str, DataLoader[K, V]] = {}

    def load(self, key: K, source: Source | None = None) -> Awaitable[V]:
        source = source or self._source_of(key)
        if source.name not in self._loaders:
            self._loaders[source.name] = DataLoader(lambda keys: self._load_apart(source, keys), max_batch_size=MAX_BATCH)
        return self._loaders[source.name].load(key)

    def load_many(self, keys: Iterable[K]) -> Awaitable[list[V]]:
        return asyncio.gather(*map(self.load, keys))

    async def _load_apart(self, source: Source, keys: list[K]) -> Sequence[Any]:
        """A key too long to be asked for costs itself alone."""
        try:
            return await self._load(source, keys)
        except TooLongValueError as error:
            if len(keys) == 1:
                return [error]
            half = len(keys) // 2
            return [*await self._load_apart(source, keys[:half]), *await self._load_apart(source, keys[half:])]

    def clear(self, key: K) -> None:
        for loader in self._loaders.values():
            with contextlib.suppress(KeyError):  # which Strawberry's raises for a key that was never loaded
                loader.clear(key)

    def clear_all(self) -> None:
        for loader in self._loaders.values():
            loader.clear_all()
