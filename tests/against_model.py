"""What the API answers beside what the plain model of `tests.reference` says: a site in both, and a random lens on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.cohorts import Cohort, cohort_id_of, compile_add_members, insert_cohort
from clickhouse.sites import Site
from tests.asking import NOW, ask, create_site, load
from tests.reference.lens import Lens
from tests.reference.lenses import Question, question
from tests.reference.model import Model
from tests.reference.rows import COHORTS, TEST_ACCOUNT_RULES, DataSet

KINDS = ("CLICK", "RAGE_CLICK", "DEAD_CLICK", "MOVE")
AGGREGATIONS = ("TOTAL", "UNIQUE_VISITORS", "UNIQUE_SESSIONS")
RATE = "{ value numerator denominator low high }"


@dataclass(frozen=True)
class Asked:
    """One random lens on one site, twice: for the API and for the model; `random` decides the rest of what is asked."""

    client: Client
    site: Site
    data: DataSet
    model: Model
    question: Question
    random: Random

    @property
    def lens(self) -> Lens:
        return self.question.lens

    async def insights(self, fields: str, *more: str, **values: Any) -> Any:
        """The fields of `Insights` and what variables they use; None when the lens's page was never seen."""
        by_page = "page" in self.question.variables
        lens = "insights(window: $window, segment: $segment)" if by_page else "insights(url: $url, window: $window, segment: $segment)"
        found = f"page(key: $page) {{ {lens} {{ {fields} }} }}" if by_page else f"{lens} {{ {fields} }}"
        site = await self.of_site(found, "$page: String!" if by_page else "$url: UrlMatch!", *more, **values)
        return (site["page"] or {"insights": None})["insights"] if by_page else site["insights"]

    async def of_site(self, fields: str, *more: str, **values: Any) -> Any:
        """The fields of `Site`; `more` are the variables they use beside $window and $segment."""
        more = (*more, *(f"{name}: {kind}" for name, kind in (("$window", "Window"), ("$segment", "Segment")) if name in fields))
        wanted = {name.split(":")[0].lstrip("$") for name in more}
        ids = {name: cohort_id_of(self.site.site_id, name) for name in COHORTS}
        variables = {name: value for name, value in (self.question.with_cohort_ids(ids) | values).items() if name in wanted}
        declared = ", ".join(("$siteId: String!", *more))
        query = f"query ({declared}) {{ site(siteId: $siteId) {{ {fields} }} }}"
        return (await ask(self.client, query, now=NOW, siteId=self.site.site_id, **variables))["site"]

    async def paged(self, field: str, arguments: str, selection: str, first: int) -> tuple[list[Any], Any]:
        """All nodes of a connection of `Insights`, a few at a time, and its last page."""
        nodes: list[Any] = []
        after = ""
        while True:
            page = f"nodes {{ {selection} }} totalCount pageInfo {{ hasNextPage endCursor }}"
            answer = (await self.insights(f"{field}({arguments} first: {first} {after}) {{ {page} }}"))[field]
            nodes += answer["nodes"]
            if not answer["pageInfo"]["hasNextPage"]:
                if end := answer["pageInfo"]["endCursor"]:
                    behind = await self.insights(
                        f'{field}({arguments} first: {first} after: "{end}") {{ nodes {{ __typename }} totalCount }}'
                    )
                    assert behind[field] == {"nodes": [], "totalCount": answer["totalCount"]}
                return nodes, answer
            assert len(answer["nodes"]) == first
            after = f'after: "{answer["pageInfo"]["endCursor"]}"'


@dataclass(frozen=True)
class Loaded:
    site: Site
    data: DataSet
    model: Model


def load_site(database: SyncClient, site_id: str, data: DataSet, parts: int, rules: tuple[str, ...] = TEST_ACCOUNT_RULES) -> Loaded:
    """A site with cohorts, rules of test accounts and the rows, loaded in one or several parts."""
    site = create_site(database, Site(site_id, site_id, test_account_rules=rules))
    for name, visitors in COHORTS.items():
        insert = insert_cohort(Cohort(site_id, cohort_id_of(site_id, name), name), NOW)
        database.insert(insert.table, insert.rows, column_names=insert.columns)
        members = compile_add_members(site_id, cohort_id_of(site_id, name), visitors)
        database.command(members.sql, members.params)
    for part in range(parts):
        assert not load(database, site, data.rows[part::parts]).rejected
    return Loaded(site, data, Model(data.rows, COHORTS, rules))


def asking(client: Client, site: Loaded, random: Random) -> Asked:
    return Asked(client, site.site, site.data, site.model, question(random, site.data), random)


def differences(got: Any, expected: Any, rel: float = 1e-12, path: str = "") -> list[str]:
    """Where an answer is not what was expected: numbers to the given precision, everything else exactly."""
    if isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys():
        return [line for key in expected for line in differences(got[key], expected[key], rel, f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(got, list) and len(got) == len(expected):
        return [line for index, pair in enumerate(zip(got, expected, strict=True)) for line in differences(*pair, rel, f"{path}[{index}]")]
    numbers = isinstance(expected, float) and isinstance(got, int | float)
    same = math.isclose(got, expected, rel_tol=rel, abs_tol=0) if numbers else got == expected
    return [] if same else [f"{path}: {got!r}, not {expected!r}"]


def never_seen(asked: Asked) -> bool:
    return asked.lens.page_key is not None and asked.lens.page_key not in asked.model.page_keys
