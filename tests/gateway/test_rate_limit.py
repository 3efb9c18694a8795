"""Budgets of keys: in memory, and in a real Redis that several gateways share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from clickhouse.errors import RateLimitedError
from clickhouse.redis_cache import AWAY_S
from gateway.rate_limit import Budgets
from schema.build import build_schema
from tests.gateway.applications import post, problem, serving_anybody
from tests.no_redis import REPLIES, no_redis

PER_MINUTE = 600  # ten a second


@pytest.fixture(params=["memory", "redis"])
async def budgets(request: pytest.FixtureRequest) -> AsyncIterator[Budgets]:
    address = request.getfixturevalue("redis") if request.param == "redis" else ""
    budgets = Budgets(PER_MINUTE, redis=address)
    yield budgets
    await budgets.close()


async def test_a_key_spends_its_budget_and_is_told_when_there_is_more(budgets: Budgets) -> None:
    assert (await budgets.spend("spender", 500)).remaining == 100  # type: ignore[union-attr]
    with pytest.raises(RateLimitedError) as refused:
        await budgets.spend("spender", 400)
    details = refused.value.details
    assert details["limit"] == PER_MINUTE
    assert 1 <= int(str(details["retryAfterSeconds"])) <= 30
    assert (await budgets.spend("other", 500)).remaining == 100  # type: ignore[union-attr]


async def test_a_budget_refills(budgets: Budgets) -> None:
    assert await budgets.spend("patient", PER_MINUTE)
    until = time.monotonic() + 30
    while True:
        try:
            assert await budgets.spend("patient", 10)
            break
        except RateLimitedError:
            assert time.monotonic() < until
            time.sleep(0.2)


async def test_gateways_share_a_budget_through_redis(redis: str) -> None:
    first, second = (Budgets(PER_MINUTE, redis=redis) for _ in range(2))
    try:
        assert await first.spend("shared", 550)
        with pytest.raises(RateLimitedError):
            await second.spend("shared", 300)
    finally:
        await first.close()
        await second.close()


async def test_without_redis_each_worker_has_its_share() -> None:
    budget = await Budgets(PER_MINUTE, workers=3).spend("key", 50)
    assert budget and (budget.limit, budget.remaining) == (200, 150)


async def test_when_redis_is_away_each_worker_limits_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    budgets = Budgets(PER_MINUTE, workers=2, redis="redis://127.0.0.1:9/0")
    budget = await budgets.spend("key", 100)
    assert budget and budget.remaining == 200
    assert "Redis did not answer" in caplog.text and "connecting to 127.0.0.1:9" in caplog.text
    await budgets.close()


async def test_a_redis_that_hangs_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    now, connections = 0.0, 0

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1")
    address = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    budgets = Budgets(PER_MINUTE, redis=address, clock=lambda: now)
    try:
        for _ in range(5):
            assert await budgets.spend("key", 10)
        tried = connections
        assert tried and caplog.text.count("Redis did not answer") == 1
        now = AWAY_S
        assert await budgets.spend("key", 10)
        assert connections > tried and caplog.text.count("Redis did not answer") == 2
    finally:
        await budgets.close()
        server.close()


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
async def test_when_what_answers_is_no_redis_each_worker_limits_for_itself(reply: bytes) -> None:
    async with no_redis(reply) as address:
        budgets = Budgets(PER_MINUTE, workers=2, redis=address)
        budget = await budgets.spend("key", 100)
        await budgets.close()
    assert budget and (budget.limit, budget.remaining) == (300, 200)


async def test_every_question_can_be_asked_and_zero_is_no_limit() -> None:
    budgets = Budgets(10)
    budget = await budgets.spend("key", 5000)
    assert budget and (budget.limit, budget.remaining) == (10, 0)
    with pytest.raises(RateLimitedError):
        await budgets.spend("key", 5000)
    assert await Budgets(0).spend("key", 10**9) is None


@pytest.fixture
async def http() -> AsyncIterator[AsyncClient]:
    async with serving_anybody(max_key_cost_per_minute=60, max_query_cost=20) as http:
        yield http


async def test_answers_say_what_they_cost_and_what_is_left(http: AsyncClient) -> None:
    answer = await post(http, "{ key numbers }")
    assert answer.json()["extensions"]["cost"] == {"estimated": 0, "actual": 0, "remaining": 59}
    assert [answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset")] == ["60", "59", "1"]


async def test_a_key_that_spent_its_budget_waits(http: AsyncClient) -> None:
    listed = "{ nodes { key } }"
    while (answer := await post(http, listed)).status_code == 200:
        pass
    status, code, message = problem(answer)
    assert (status, code) == (429, "RATE_LIMITED")
    assert "send it again in" in message
    assert int(answer.headers["retry-after"]) == answer.json()["errors"][0]["extensions"]["retryAfterSeconds"] > 0
    assert answer.headers["ratelimit-limit"] == "60"


async def test_a_query_beyond_the_most_is_refused_at_no_cost(http: AsyncClient) -> None:
    dear = "{ nodes { nodes { key } } }"
    status, code, message = problem(await post(http, dear, "application/graphql-response+json"))
    assert (status, code) == (400, "QUERY_TOO_COMPLEX")
    assert "may cost 110, and 20 is the most" in message
    assert (await post(http, "{ key }")).headers["ratelimit-remaining"] == "59"


async def test_mutations_spend_the_budget_whether_they_succeed_or_not() -> None:
    async with serving_anybody(build_schema(), max_key_cost_per_minute=22_000) as http:
        delete = 'mutation { deleteCohort(siteId: "s", cohortId: "c") }'
        left = [int((await post(http, delete)).headers["ratelimit-remaining"]) for _ in range(2)]
        assert [round(number, -4) for number in left] == [10_000, 0]
        assert problem(await post(http, delete))[:2] == (429, "RATE_LIMITED")
