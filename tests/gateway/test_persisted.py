"""Documents by name: automatic persisted queries, and trusted documents in every form they come in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from clickhouse.errors import BadUserInputError
from gateway.persisted import load_trusted, sha256
from tests.gateway.applications import BROWSER, problem, serving_anybody

QUERY = "query Greet($t: String!) { echo(text: $t) }"
OTHER = "{ key }"
RESPONSE = {"Accept": "application/graphql-response+json"}


@pytest.fixture
async def http() -> AsyncIterator[AsyncClient]:
    async with serving_anybody() as http:
        yield http


def named(query: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(query)}}


async def get(http: AsyncClient, query: str | None, extensions: dict[str, Any], **variables: Any) -> Response:
    parameters = {"extensions": json.dumps(extensions), "variables": json.dumps(variables)}
    return await http.get("/graphql", params=parameters | ({"query": query} if query else {}))


async def post(http: AsyncClient, query: str | None, extensions: dict[str, Any], **variables: Any) -> Response:
    body = {"extensions": extensions, "variables": variables}
    return await http.post("/graphql", json=body | ({"query": query} if query else {}))


@pytest.mark.parametrize("send", [get, post])
async def test_a_hash_is_unknown_until_its_document_came_with_it(http: AsyncClient, send: Callable[..., Any]) -> None:
    unknown = await send(http, None, named(QUERY), t="hi")
    assert problem(unknown) == (200, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    assert (await send(http, QUERY, named(QUERY), t="hi")).json()["data"] == {"echo": "hi"}
    assert (await get(http, None, named(QUERY), t="again")).json()["data"] == {"echo": "again"}
    assert (await post(http, None, named(QUERY), t="again")).json()["data"] == {"echo": "again"}


async def test_an_unknown_hash_under_the_new_media_type_is_404(http: AsyncClient) -> None:
    unknown = await http.post("/graphql", json={"extensions": named(QUERY)}, headers=RESPONSE)
    assert problem(unknown)[:2] == (404, "PERSISTED_QUERY_NOT_FOUND")


async def test_a_hash_must_be_of_the_document(http: AsyncClient) -> None:
    status, code, message = problem(await post(http, QUERY, named(OTHER)))
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert "sha256Hash" in message
    assert problem(await post(http, None, named(OTHER)))[1] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "extension", [{}, {"version": 2, "sha256Hash": "0" * 64}, {"version": 1, "sha256Hash": "x"}, {"version": 1, "sha256Hash": 7}, [], "x"]
)
async def test_extensions_that_name_nothing(http: AsyncClient, extension: Any) -> None:
    assert problem(await post(http, QUERY, {"persistedQuery": extension}))[:2] == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("query", ["{", "{ nope }", "{" + " key" * 100 + "}"])
async def test_only_documents_that_can_be_executed_are_kept(http: AsyncClient, query: str) -> None:
    await post(http, query, named(query))
    assert problem(await post(http, None, named(query)))[1] == "PERSISTED_QUERY_NOT_FOUND"


async def test_what_is_kept_is_bounded_and_the_least_recently_used_goes_first() -> None:
    documents = [f"{{ key }} # {number}" for number in range(3)]
    async with serving_anybody(max_persisted_bytes=2 * len(documents[0])) as http:
        for document in documents[:2]:
            await post(http, document, named(document))
        await post(http, None, named(documents[0]))
        await post(http, documents[2], named(documents[2]))
        known = [(await post(http, None, named(document))).json().get("data") is not None for document in documents]
        assert known == [True, False, True]
        long = "{ key } #" + "x" * 1000
        assert (await post(http, long, named(long))).json()["data"] == {"key": "guest"}
        assert problem(await post(http, None, named(long)))[1] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_mutation_by_hash_still_needs_post(http: AsyncClient) -> None:
    change = "mutation { change }"
    assert (await post(http, change, named(change))).json()["data"] == {"change": 1}
    assert problem(await get(http, None, named(change)))[:2] == (405, "BAD_USER_INPUT")


# Trusted documents


def directory(path: Path) -> Path:
    (path / "deep").mkdir()
    (path / "deep/Greet.graphql").write_text(QUERY)
    (path / "notes.txt").write_text("nothing of ours")
    return path


def apollo_manifest(path: Path) -> Path:
    operation = {"id": "Greet", "name": "Greet", "type": "query", "body": QUERY}
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]}
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path / "manifest.json"


def relay_json(path: Path) -> Path:
    (path / "persisted.json").write_text(json.dumps({"Greet": QUERY}))
    return path / "persisted.json"


def only_trusted(path: Path) -> AbstractAsyncContextManager[AsyncClient]:
    return serving_anybody(trusted_documents=str(path), only_trusted_documents=True)


@pytest.mark.parametrize("made", [directory, apollo_manifest, relay_json])
async def test_trusted_documents_and_nothing_else(made: Callable[[Path], Path], tmp_path: Path) -> None:
    async with only_trusted(made(tmp_path)) as http:
        greeting = {"variables": {"t": "hi"}}
        for body in (
            {"documentId": "Greet"},
            {"id": "Greet"},
            {"documentId": f"sha256:{sha256(QUERY)}"},
            {"extensions": named(QUERY)},
            {"query": QUERY},
            {"query": QUERY, "extensions": named(QUERY)},
        ):
            assert (await http.post("/graphql", json=body | greeting)).json()["data"] == {"echo": "hi"}
        assert (await http.get("/graphql", params={"documentId": "Greet", "variables": '{"t": "hi"}'})).json()["data"] == {"echo": "hi"}
        for body in ({"query": OTHER}, {"query": OTHER, "extensions": named(OTHER)}, {"query": OTHER, "documentId": "Greet"}):
            assert problem(await http.post("/graphql", json=body))[:2] == (403, "FORBIDDEN")
        for body in ({"documentId": "Missing"}, {"extensions": named(OTHER)}):
            assert problem(await http.post("/graphql", json=body))[:2] == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_trusted_documents_beside_all_others(tmp_path: Path) -> None:
    async with serving_anybody(trusted_documents=str(directory(tmp_path))) as http:
        assert (await http.post("/graphql", json={"query": OTHER})).json()["data"] == {"key": "guest"}
        assert (await post(http, None, named(QUERY), t="hi")).json()["data"] == {"echo": "hi"}


@pytest.mark.parametrize("document", [{"documentId": "Greet"}, {"id": "Greet"}, {"extensions": json.dumps(named(QUERY))}])
async def test_a_browser_that_names_a_document_gets_its_answer_and_not_graphiql(document: dict[str, str], tmp_path: Path) -> None:
    async with serving_anybody(trusted_documents=str(directory(tmp_path))) as http:
        answer = await http.get("/graphql", params=document | {"variables": '{"t": "hi"}'}, headers={"Accept": BROWSER})
        assert answer.json()["data"] == {"echo": "hi"}


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"operations": [{"id": "a"}]}', '{"operations": 7}', "7"])
def test_a_manifest_that_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(BadUserInputError, match="holds no trusted documents"):
        load_trusted(tmp_path / "m.json")


@pytest.mark.parametrize("other", ["Greet.graphql", "deep/Greet.gql"])
def test_two_files_of_one_name_are_refused(other: str, tmp_path: Path) -> None:
    (directory(tmp_path) / other).write_text(OTHER)
    with pytest.raises(BadUserInputError, match="are both the trusted document 'Greet'") as refused:
        load_trusted(tmp_path)
    assert all(str(tmp_path / file) in refused.value.message for file in ("deep/Greet.graphql", other))


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadUserInputError, match=r"must be a directory of \.graphql files"):
        load_trusted(tmp_path / "nowhere.json")
