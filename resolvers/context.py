"""What one request carries: who asks, of which sources, when; and the loaders that make its questions share statements.

The gateway fills it, one a request; nothing in it outlives the request but `sources`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from clickhouse import clock
from clickhouse.breaker import incomplete_sources
from clickhouse.client import Client
from clickhouse.cohorts import Cohort, compile_cohorts, compile_sizes
from clickhouse.element_attributes import compile_attributes
from clickhouse.element_marks import Mark, compile_mark_changes, compile_marks
from clickhouse.errors import DeadlineError, ForbiddenError, NotFoundError, PlanRequiredError, SourceUnavailableError
from clickhouse.keys import ApiKey
from clickhouse.pages import compile_extent, compile_seen, compile_tracked
from clickhouse.reading import Row
from clickhouse.sessions import compile_session_columns, compile_sessions, compile_sessions_by_key, compile_visitor_names
from clickhouse.sites import PLANS, Site, compile_sites
from clickhouse.statement import Statement
from clickhouse.url import page_key
from resolvers.questions import Question, answer, together
from resolvers.sources import Source, SourceLoader, Sources

SITES_A_STATEMENT = 50

ElementKey = tuple[str, str, str]
"""site id, page key, selector"""


@dataclass
class Context:
    sources: Sources
    key: ApiKey
    max_window_days: int = 92
    max_cost: int = 250_000
    remaining_budget: int | None = None
    now: datetime = field(default_factory=clock.now)

    def __post_init__(self) -> None:
        self._incomplete: set[str] = set()
        incomplete_sources.set(self._incomplete)
        self.spliced_rows: dict[int, int] = {}
        """Of each spliced list, by the id() of its fragment."""

        def of_site(key: tuple[Any, ...]) -> Source:
            return self.sources.of(key[0])

        async def ask(source: Source, questions: list[Question]) -> list[list[Row] | BaseException]:
            return await answer(source.client, questions)

        self.answers: SourceLoader[Question, list[Row]] = SourceLoader(lambda question: self.sources.of(question.lens.site_id), ask)
        self._sites: SourceLoader[str, Site | None] = SourceLoader(self.sources.of, _load_sites)
        self._tracked: SourceLoader[tuple[str, int], tuple[str, ...]] = SourceLoader(of_site, _load_tracked)
        self._pages: SourceLoader[tuple[str, str], Row | None] = SourceLoader(of_site, _rows(compile_seen, "page_key"))
        self._cohorts: SourceLoader[tuple[str, str], Cohort | None] = SourceLoader(
            of_site, _rows(compile_cohorts, "cohort_id", read=Cohort.from_row)
        )
        self.cohort_sizes: SourceLoader[tuple[str, str], int] = SourceLoader(
            of_site, _rows(compile_sizes, "cohort_id", read=lambda row: row["size"], missing=lambda *key: 0)
        )
        self.sessions: SourceLoader[tuple[str, int], Row | None] = SourceLoader(of_site, _rows(compile_sessions, "session_id"))
        self.session_columns: SourceLoader[tuple[str, int, tuple[str, ...]], Row | None] = SourceLoader(of_site, _load_session_columns)
        self.visitor_names: SourceLoader[tuple[str, int], Row | None] = SourceLoader(of_site, _rows(compile_visitor_names, "visitor_id"))
        self.sessions_by_key: SourceLoader[tuple[str, str], Row | None] = SourceLoader(
            of_site, _rows(compile_sessions_by_key, "session_key")
        )
        self.elements: SourceLoader[ElementKey, Row | None] = SourceLoader(of_site, _rows(compile_attributes, "page_key", "selector"))
        self.marks: SourceLoader[ElementKey, Mark] = SourceLoader(
            of_site, _rows(compile_marks, "page_key", "selector", read=Mark.from_row, missing=Mark)
        )
        self.mark_changes: SourceLoader[ElementKey, Row | None] = SourceLoader(of_site, _rows(compile_mark_changes, "page_key", "selector"))

    def client_of(self, site_id: str) -> Client:
        """Of the source the site lives in; the site must have been asked for before."""
        return self.sources.of(site_id).client

    def require(self, scope: str) -> None:
        if not self.key.may(scope):
            raise ForbiddenError(
                f"This key lacks the scope {scope}; create one with: python -m gateway keys create --scope {scope} …", scope=scope
            )

    async def site(self, site_id: str) -> Site:
        """The site; a foreign one looks exactly like one that does not exist."""
        site = await self._find(site_id) if self.key.sees(site_id) else None
        if site is None:
            raise NotFoundError(
                f"No site {site_id!r} for this key; `{{ sites {{ nodes {{ siteId }} }} }}` lists those it may read.", siteId=site_id
            )
        return site

    async def readable_site(self, site_id: str, scope: str = "heatmap:read") -> Site:
        """The site, if this key has the scope and the site's plan has heatmaps."""
        self.require(scope)
        site = await self.site(site_id)
        if PLANS[site.plan].max_pages == 0:
            raise PlanRequiredError("Heatmaps require the PRO plan or higher.", plan=site.plan, requiredPlan="PRO")
        return site

    def forget_cohorts(self) -> None:
        """What was loaded before the members of one changed is asked anew."""
        for loader in (self._cohorts, self.cohort_sizes, self.answers):
            loader.clear_all()

    def forget_marks(self, element: ElementKey) -> None:
        """What was loaded before its mark changed is asked anew, which elements of the site are fixed too."""
        self.marks.clear(element)
        self.mark_changes.clear(element)
        self._sites.clear(element[0])
        self.answers.clear_all()

    def is_partial(self, site: Site) -> bool:
        """Whether shards of the site's source were left out of an answer of this request."""
        return self.sources.of(site.site_id).name in self._incomplete

    async def tracked_pages(self, site: Site) -> tuple[str, ...] | None:
        """The pages the plan covers, None when all."""
        limit = PLANS[site.plan].max_pages
        return None if limit is None else await self._tracked.load((site.site_id, limit))

    async def extent(self, site: Site) -> Row:
        """data_from, data_to (null without data) and pages."""
        return (await self.client_of(site.site_id).query(compile_extent(site.site_id)))[0]

    async def has_untracked_pages(self, site: Site) -> bool:
        limit = PLANS[site.plan].max_pages
        return limit is not None and (await self.extent(site))["pages"] > limit

    def expect_page(self, site_id: str, url: str) -> None:
        """Looks a page up while its site is being looked up again; only if the site is known, and the key may ask about its pages."""
        if self.sources.found(site_id) and self.key.sees(site_id) and self.key.may("heatmap:read"):
            with suppress(ValueError, TypeError):  # which `page` itself says; null, too
                asyncio.ensure_future(self._pages.load((site_id, page_key(url)))).add_done_callback(_looked_at)

    async def page(self, site: Site, page_key: str) -> Row | None:
        """None when the page was never seen; an error when the plan does not cover it."""
        limit = PLANS[site.plan].max_pages
        if limit is None:
            return await self._pages.load((site.site_id, page_key))
        page, tracked = await asyncio.gather(self._pages.load((site.site_id, page_key)), self._tracked.load((site.site_id, limit)))
        if page and page_key not in tracked:
            raise PlanRequiredError(
                f"The {site.plan} plan covers {limit} pages, and this is none of them; upgrade to see it.", plan=site.plan, maxPages=limit
            )
        return page

    async def cohort(self, site_id: str, cohort_id: str) -> Cohort | None:
        return await self._cohorts.load((site_id, cohort_id))

    async def _find(self, site_id: str) -> Site | None:
        """Where it was found before, else the first source that has it; while that is down, the site is what it last was.

        Raises what a source failed with when none of the others has the site.
        """
        if known := self.sources.found(site_id):
            source, last = known
            try:
                site = await self._sites.load(site_id, source)
            except (SourceUnavailableError, DeadlineError):
                return last
            if site:
                self.sources.remember(source, site)
                return site
        asked = {asyncio.ensure_future(self._sites.load(site_id, source)): source for source in self.sources.all}
        for future in asked:
            future.add_done_callback(_looked_at)
        failures = []
        waiting = set(asked)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                if failure := future.exception():
                    failures.append(failure)
                elif site := future.result():
                    self.sources.remember(asked[future], site)
                    return site
        if failures:
            raise failures[0]
        return None


def _looked_at(done: asyncio.Future[Any]) -> None:
    """So that asyncio does not complain of a failure when nobody waits any more."""
    if not done.cancelled():
        done.exception()


async def _load_sites(source: Source, site_ids: list[str]) -> list[Site | None]:
    if source.sites is not None:
        return [source.sites.get(site_id) for site_id in site_ids]
    rows = await source.client.query(compile_sites(site_ids))
    found = {row["site_id"]: Site.from_row(row) for row in rows}
    return [found.get(site_id) for site_id in site_ids]


async def _load_tracked(source: Source, keys: list[tuple[str, int]]) -> list[tuple[str, ...]]:
    return [tuple(row["page_key"] for row in await source.client.query(compile_tracked(*key))) for key in keys]


async def _load_session_columns(source: Source, keys: list[tuple[str, int, tuple[str, ...]]]) -> Sequence[Row | None]:
    """Keys of site id, session id and columns; each row has the columns of all of them."""
    columns = sorted({column for *_, wanted in keys for column in wanted})
    load = _rows(partial(compile_session_columns, tuple(columns)), "session_id")
    rows: Sequence[Row | None] = await load(source, [key[:2] for key in keys])
    return rows


def _rows(
    compile_: Callable[[str, Any], Statement],
    *columns: str,
    read: Callable[[Row], Any] = lambda row: row,
    missing: Callable[..., Any] = lambda *key: None,
) -> Callable[[Source, list[tuple[Any, ...]]], Any]:
    """Loads keys of a site id and the values of `columns`; `compile_` asks one row a key that exists, of some sites in one statement."""

    async def load(source: Source, keys: list[tuple[Any, ...]]) -> Sequence[Any]:
        by_site: dict[str, list[Any]] = {}
        for site_id, *values in keys:
            by_site.setdefault(site_id, []).append(tuple(values) if len(values) > 1 else values[0])

        async def of_sites(site_ids: list[str]) -> dict[tuple[Any, ...], Any]:
            statements = [compile_(site_id, tuple(by_site[site_id])) for site_id in site_ids]
            rows = await source.client.query(statements[0] if len(statements) == 1 else Statement.union(statements))
            return {(site_ids[row.get("question", 0)], *(row[column] for column in columns)): read(row) for row in rows}

        found: dict[tuple[Any, ...], Any] = {}
        site_ids = list(by_site)
        at_once = (site_ids[start : start + SITES_A_STATEMENT] for start in range(0, len(site_ids), SITES_A_STATEMENT))
        for rows in await together([of_sites(some) for some in at_once]):
            found |= rows
        return [found[key] if key in found else missing(*key) for key in keys]

    return load
