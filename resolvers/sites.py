"""The sites a key may read, of every source, and how the sources are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from clickhouse.errors import HeatgraphError
from clickhouse.sites import Site, compile_site_count, compile_sites
from clickhouse.statement import Statement
from resolvers import cursors
from resolvers.context import Context
from resolvers.listing import Listing, page_size
from resolvers.sources import Source, Sources


@dataclass(frozen=True, slots=True)
class SiteListing:
    """`listing.rows` are {"site_id", "site"}. `failure` is why some source did not tell its sites: those it last had stand in,
    and how many there are in all is not known."""

    listing: Listing
    sites: list[Site]
    failure: HeatgraphError | None


async def list_sites(context: Context, first: int, after: str | None) -> SiteListing:
    """By id; raises when no source answers."""
    visible = context.key.visible_site_ids
    binding = cursors.digest("sites", sorted(visible) if visible is not None else None)
    begin = cursors.decode(after, binding, (str,)).values[0] if after is not None else None
    first = page_size(first)
    sources = context.sources
    answers = await asyncio.gather(*(_of_source(source, visible, begin, first) for source in sources.all), return_exceptions=True)
    found: dict[str, Site] = {}
    failures, total = [], 0
    for source, answer in zip(sources.all, answers, strict=True):
        if isinstance(answer, HeatgraphError):
            failures.append(answer)
            found |= {site.site_id: site for site in _known(sources, source, visible) if begin is None or site.site_id > begin}
        elif isinstance(answer, BaseException):
            raise answer
        else:
            for site in answer[0]:
                home = sources.found(site.site_id)
                if home is None or home[0] is source:  # of two that know it, the one it was found in answers
                    sources.remember(source, site)
            found |= {site.site_id: site for site in answer[0]}
            total += answer[1]
    if len(failures) == len(sources.all):
        raise failures[0]

    def cursor(row: dict[str, object]) -> str:
        return cursors.encode(binding, cursors.Cursor(cursors.NO_WINDOW, "", (row["site_id"],)))

    rows = [{"site_id": site_id, "site": found[site_id]} for site_id in sorted(found)[: first + 1]]
    listing = Listing.of(rows, first, cursor, has_previous=after is not None, total_count=total)
    return SiteListing(listing, [row["site"] for row in listing.rows], failures[0] if failures else None)


async def list_health(context: Context) -> list[tuple[Source, bool]]:
    """The sources that hold sites of the key, or may while they do not answer, and whether they answered just now."""
    visible = context.key.visible_site_ids

    async def of_source(source: Source) -> tuple[int, bool]:
        try:
            if source.sites is not None:
                await source.client.query(Statement("SELECT 1", {}))
            return (await _of_source(source, visible, None, 0))[1], True
        except HeatgraphError:
            return 1 if source.sites is None else len(_known(context.sources, source, visible)), False

    health = await asyncio.gather(*map(of_source, context.sources.all))
    return [(source, healthy) for source, (sites, healthy) in zip(context.sources.all, health, strict=True) if sites]


async def _of_source(source: Source, visible: frozenset[str] | None, begin: str | None, first: int) -> tuple[list[Site], int]:
    """first + 1 sites after `begin`, and how many there are in all."""
    if source.sites is not None:
        sites = [site for site_id, site in sorted(source.sites.items()) if visible is None or site_id in visible]
        return [site for site in sites if begin is None or site.site_id > begin][: first + 1], len(sites)
    rows, counted = await asyncio.gather(
        source.client.query(compile_sites(visible, begin, first)), source.client.query(compile_site_count(visible))
    )
    return [Site.from_row(row) for row in rows], counted[0]["sites"]


def _known(sources: Sources, source: Source, visible: frozenset[str] | None) -> list[Site]:
    return [site for site in sources.known_of(source) if visible is None or site.site_id in visible]
