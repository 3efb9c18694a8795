"""Tokens, keys, and what each of the wrong ones is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickhouse.client import Client, connect
from clickhouse.errors import SourceUnavailableError, UnauthenticatedError
from clickhouse.keys import ApiKey, insert_key
from clickhouse.reading import Answer, Limits
from clickhouse.statement import Statement
from gateway.auth import MAX_REMEMBERED_KEYS, TOKEN, Authenticator, hash_token, new_token

SECRET = b"only for tests"
NOW = datetime.now(UTC)


async def store(client: Client, **changes: Any) -> tuple[ApiKey, str]:
    key_id, token = new_token()
    key = ApiKey(key_id, "test", frozenset({"heatmap:read"}), frozenset({"shop"}), token_hash=hash_token(token, SECRET))
    await client.insert(*insert_key(replace(key, **changes), NOW))
    return replace(key, **changes), token


async def refusal(authenticator: Authenticator, authorization: str | None) -> str:
    with pytest.raises(UnauthenticatedError) as refused:
        await authenticator.authenticate(authorization)
    return refused.value.message


def test_a_token_names_its_key_and_is_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len({token for _, token in tokens}) == 100
    for key_id, token in tokens:
        match = TOKEN.fullmatch(token)
        assert match and match[1] == key_id


def test_the_hash_depends_on_the_secret() -> None:
    _, token = new_token()
    assert hash_token(token, b"one") != hash_token(token, b"another")


async def test_a_valid_token_gives_its_key(client: Client) -> None:
    key, token = await store(client, expires_at=(NOW + timedelta(days=1)).replace(microsecond=0))
    found = await Authenticator(client, SECRET, 5).authenticate(f"bearer  {token} ")
    assert found == key
    assert found.may("heatmap:read") and not found.may("element:write")
    assert found.sees("shop") and not found.sees("other")


async def test_looking_a_key_up_does_not_wait_for_a_busy_pool(dsn: str, client: Client) -> None:
    key, token = await store(client)
    busy = await connect(dsn, Limits(max_queue_ms=100), pool_size=1)
    slow = asyncio.create_task(busy.query(Statement("SELECT sleep(2) AS slept", {})))
    await asyncio.sleep(0.2)
    assert await Authenticator(busy, SECRET, 5).authenticate(f"Bearer {token}") == key
    assert not slow.done()
    await slow
    await busy.close()


async def test_every_wrong_key_is_told_why(client: Client) -> None:
    _, token = await store(client)
    _, revoked = await store(client, revoked=True)
    _, expired = await store(client, expires_at=NOW - timedelta(minutes=1))
    authenticator = Authenticator(client, SECRET, 5)
    said = {
        "none": await refusal(authenticator, None),
        "other scheme": await refusal(authenticator, "Basic dXNlcjpwdw=="),
        "malformed": await refusal(authenticator, f"Bearer {token[:-1]}"),
        "unknown": await refusal(authenticator, f"Bearer {new_token()[1]}"),
        "revoked": await refusal(authenticator, f"Bearer {revoked}"),
        "expired": await refusal(authenticator, f"Bearer {expired}"),
    }
    assert len(set(said.values())) == len(said)
    assert "revoked" in said["revoked"] and "expired" in said["expired"]
    assert not [message for message in said.values() if token in message or revoked in message]
    wrong_secret = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert await refusal(authenticator, f"Bearer {wrong_secret}") == said["unknown"], "a key id alone must not show that it exists"


async def test_a_wrong_secret_does_not_learn_that_a_key_was_revoked(client: Client) -> None:
    _, revoked = await store(client, revoked=True)
    wrong = revoked[:-1] + ("a" if revoked[-1] != "a" else "b")
    assert "revoked" not in await refusal(Authenticator(client, SECRET, 5), f"Bearer {wrong}")


class CountingClient:
    """Stands in for ClickHouse where only the number of look-ups matters."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows = list(rows)
        self.statements = 0
        self.failing = False
        self.on_statement = lambda statement: None

    async def query(self, statement: Statement) -> list[dict[str, Any]]:
        self.statements += 1
        await asyncio.sleep(0)
        if self.failing:
            raise SourceUnavailableError("down")
        return self.rows

    async def run(self, statement: Statement) -> Answer:
        return Answer(await self.query(statement))

    async def stream(self, statement: Statement, output_format: str) -> AsyncGenerator[bytes, None]:
        yield b""

    async def command(self, statement: Statement) -> None: ...

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None: ...

    async def close(self) -> None: ...


def stored_row(key_id: str, token: str) -> dict[str, Any]:
    key = ApiKey(key_id, "test", frozenset({"admin"}), frozenset({"*"}), token_hash=hash_token(token, SECRET))
    return dict(zip(insert_key(key, NOW).columns, insert_key(key, NOW).rows[0], strict=True))


async def test_a_key_is_remembered_and_a_revoked_one_forgotten_within_seconds() -> None:
    key_id, token = new_token()
    client, clock = CountingClient([stored_row(key_id, token)]), [0.0]
    authenticator = Authenticator(client, SECRET, 5, lambda: clock[0])
    assert (await authenticator.authenticate(f"Bearer {token}")).may("replay:read")
    client.rows[0]["revoked"] = True
    clock[0] = 4.9
    assert (await authenticator.authenticate(f"Bearer {token}")).key_id == key_id
    assert client.statements == 1
    clock[0] = 5.1
    assert "revoked" in await refusal(authenticator, f"Bearer {token}")


async def test_unknown_tokens_do_not_make_it_forget_a_key() -> None:
    key_id, token = new_token()
    client = CountingClient([stored_row(key_id, token)])
    authenticator = Authenticator(client, SECRET, 5, lambda: 0.0)
    assert await authenticator.authenticate(f"Bearer {token}")
    client.rows = []
    invented = new_token()[1]
    for number in range(MAX_REMEMBERED_KEYS + 1):
        await refusal(authenticator, f"Bearer hg_{number:012}_{invented[-40:]}")
    before = client.statements
    assert (await authenticator.authenticate(f"Bearer {token}")).key_id == key_id
    await refusal(authenticator, f"Bearer hg_{number:012}_{invented[-40:]}")
    assert client.statements == before, "the key and the unknown tokens of late are remembered"


async def test_requests_that_arrive_together_share_a_look_up() -> None:
    key_id, token = new_token()
    client = CountingClient([stored_row(key_id, token)])
    authenticator = Authenticator(client, SECRET, 5)
    found = await asyncio.gather(*(authenticator.authenticate(f"Bearer {token}") for _ in range(10)))
    assert {key.key_id for key in found} == {key_id}
    assert client.statements == 1


async def test_a_source_that_is_down_is_asked_again() -> None:
    key_id, token = new_token()
    client = CountingClient([stored_row(key_id, token)])
    authenticator = Authenticator(client, SECRET, 5)
    client.failing = True
    with pytest.raises(SourceUnavailableError):
        await authenticator.authenticate(f"Bearer {token}")
    client.failing = False
    assert (await authenticator.authenticate(f"Bearer {token}")).key_id == key_id


async def test_a_failure_that_nobody_waited_for_is_not_remembered() -> None:
    key_id, token = new_token()
    client = CountingClient([stored_row(key_id, token)])
    authenticator = Authenticator(client, SECRET, 5, lambda: 0.0)
    client.failing = True
    left = asyncio.create_task(authenticator.authenticate(f"Bearer {token}"))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    await asyncio.sleep(0)
    client.failing = False
    assert (await authenticator.authenticate(f"Bearer {token}")).key_id == key_id
