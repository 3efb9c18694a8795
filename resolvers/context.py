"""What one request carries: who asks, of which client, when; and the loaders that make its questions share statements.

The gateway fills it, one a request; nothing in it outlives the request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from strawberry.dataloader import DataLoader

from clickhouse.client import Client
from clickhouse.cohorts import Cohort, compile_cohorts, compile_sizes
from clickhouse.element_marks import Mark, compile_marks
from clickhouse.elements import compile_attributes
from clickhouse.errors import ForbiddenError, NotFoundError, PlanRequiredError
from clickhouse.keys import ApiKey
from clickhouse.pages import compile_extent, compile_seen, compile_tracked
from clickhouse.replays import compile_conversions
from clickhouse.sessions import compile_session_by_key, compile_sessions
from clickhouse.sites import PLANS, Site, compile_sites
from resolvers.questions import Question, Row, answer

MAX_BATCH = 1000

ElementKey = tuple[str, str, str]
"""site id, page key, selector"""


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass
class Context:
    client: Client
    key: ApiKey
    request_id: str = ""
    source_name: str = "default"
    max_window_days: int = 92
    max_points: int = 100_000
    now: datetime = field(default_factory=_now)

    def __post_init__(self) -> None:
        self.answers: DataLoader[Question, list[Row]] = DataLoader(lambda keys: answer(self.client, keys), max_batch_size=MAX_BATCH)
        self._sites: DataLoader[str, Site | None] = DataLoader(self._load_sites, max_batch_size=MAX_BATCH)
        self._pages: DataLoader[tuple[str, str], Row | None] = DataLoader(self._load_pages, max_batch_size=MAX_BATCH)
        self._tracked: DataLoader[tuple[str, int], tuple[str, ...]] = DataLoader(self._load_tracked, max_batch_size=MAX_BATCH)
        self._cohorts: DataLoader[tuple[str, str], Cohort | None] = DataLoader(self._load_cohorts, max_batch_size=MAX_BATCH)
        self.cohort_sizes: DataLoader[tuple[str, str], int] = DataLoader(self._load_cohort_sizes, max_batch_size=MAX_BATCH)
        self.sessions: DataLoader[tuple[str, int], Row | None] = DataLoader(self._load_sessions, max_batch_size=MAX_BATCH)
        self.conversions: DataLoader[tuple[str, int], int] = DataLoader(self._load_conversions, max_batch_size=MAX_BATCH)
        self.sessions_by_key: DataLoader[tuple[str, str], Row | None] = DataLoader(self._load_sessions_by_key, max_batch_size=MAX_BATCH)

        self.elements: DataLoader[ElementKey, Row | None] = DataLoader(self._load_elements, max_batch_size=MAX_BATCH)
        self.marks: DataLoader[ElementKey, Mark] = DataLoader(self._load_marks, max_batch_size=MAX_BATCH)

    def require(self, scope: str) -> None:
        if not self.key.may(scope):
            raise ForbiddenError(
                f"This key lacks the scope {scope}; create one with: python -m gateway keys create --scope {scope} …", scope=scope
            )

    async def site(self, site_id: str) -> Site:
        """The site; a foreign one looks exactly like one that does not exist."""
        site = await self._sites.load(site_id) if self.key.sees(site_id) else None
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
        self._sites.clear(element[0])
        self.answers.clear_all()

    async def tracked_pages(self, site: Site) -> tuple[str, ...] | None:
        """The pages the plan covers, None when all."""
        limit = PLANS[site.plan].max_pages
        return None if limit is None else await self._tracked.load((site.site_id, limit))

    async def extent(self, site: Site) -> Row:
        """data_from, data_to (null without data) and pages."""
        return (await self.client.query(compile_extent(site.site_id)))[0]

    async def has_untracked_pages(self, site: Site) -> bool:
        limit = PLANS[site.plan].max_pages
        return limit is not None and (await self.extent(site))["pages"] > limit

    async def page(self, site: Site, page_key: str) -> Row | None:
        """None when the page was never seen; an error when the plan does not cover it."""
        page = await self._pages.load((site.site_id, page_key))
        tracked = await self.tracked_pages(site)
        if page and tracked is not None and page_key not in tracked:
            limit = PLANS[site.plan].max_pages
            raise PlanRequiredError(
                f"The {site.plan} plan covers {limit} pages, and this is none of them; upgrade to see it.", plan=site.plan, maxPages=limit
            )
        return page

    async def cohort(self, site_id: str, cohort_id: str) -> Cohort | None:
        return await self._cohorts.load((site_id, cohort_id))

    async def _load_sites(self, site_ids: list[str]) -> list[Site | None]:
        rows = await self.client.query(compile_sites(site_ids))
        found = {row["site_id"]: Site.from_row(row) for row in rows}
        return [found.get(site_id) for site_id in site_ids]

    async def _load_pages(self, keys: list[tuple[str, str]]) -> list[Row | None]:
        found: dict[tuple[str, str], Row] = {}
        for site_id, group in _by_site(keys).items():
            for row in await self.client.query(compile_seen(site_id, tuple(group))):
                found[site_id, row["page_key"]] = row
        return [found.get(key) for key in keys]

    async def _load_tracked(self, keys: list[tuple[str, int]]) -> list[tuple[str, ...]]:
        return [tuple(row["page_key"] for row in await self.client.query(compile_tracked(*key))) for key in keys]

    async def _load_cohorts(self, keys: list[tuple[str, str]]) -> list[Cohort | None]:
        found: dict[tuple[str, str], Cohort] = {}
        for site_id, group in _by_site(keys).items():
            for row in await self.client.query(compile_cohorts(site_id, group)):
                found[site_id, row["cohort_id"]] = Cohort.from_row(row)
        return [found.get(key) for key in keys]

    async def _load_elements(self, keys: list[ElementKey]) -> list[Row | None]:
        found: dict[ElementKey, Row] = {}
        for site_id, group in _elements_by_site(keys).items():
            for row in await self.client.query(compile_attributes(site_id, tuple(group))):
                found[site_id, row["page_key"], row["selector"]] = row
        return [found.get(key) for key in keys]

    async def _load_marks(self, keys: list[ElementKey]) -> list[Mark]:
        found: dict[ElementKey, Mark] = {}
        for site_id, group in _elements_by_site(keys).items():
            for row in await self.client.query(compile_marks(site_id, tuple(group))):
                found[site_id, row["page_key"], row["selector"]] = Mark.from_row(row)
        return [found.get(key, Mark(*key)) for key in keys]

    async def _load_cohort_sizes(self, keys: list[tuple[str, str]]) -> list[int]:
        found: dict[tuple[str, str], int] = {}
        for site_id, group in _by_site(keys).items():
            for row in await self.client.query(compile_sizes(site_id, group)):
                found[site_id, row["cohort_id"]] = row["size"]
        return [found.get(key, 0) for key in keys]

    async def _load_sessions(self, keys: list[tuple[str, int]]) -> list[Row | None]:
        found: dict[tuple[str, int], Row] = {}
        for site_id, group in _by_site(keys).items():
            for row in await self.client.query(compile_sessions(site_id, tuple(group))):
                found[site_id, row["session_id"]] = row
        return [found.get(key) for key in keys]

    async def _load_conversions(self, keys: list[tuple[str, int]]) -> list[int]:
        found: dict[tuple[str, int], int] = {}
        for site_id, group in _by_site(keys).items():
            for row in await self.client.query(compile_conversions(site_id, tuple(group))):
                found[site_id, row["session_id"]] = row["conversions"]
        return [found.get(key, 0) for key in keys]

    async def _load_sessions_by_key(self, keys: list[tuple[str, str]]) -> list[Row | None]:
        found: dict[tuple[str, str], Row] = {}
        for site_id, group in _by_site(keys).items():
            for row in await self.client.query(compile_session_by_key(site_id, tuple(group))):
                found[site_id, row["session_key"]] = row
        return [found.get(key) for key in keys]


def _elements_by_site(keys: list[ElementKey]) -> dict[str, list[tuple[str, str]]]:
    return _by_site([(site_id, (page_key, selector)) for site_id, page_key, selector in keys])


def _by_site(keys: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for site_id, key in keys:
        groups.setdefault(site_id, []).append(key)
    return groups
