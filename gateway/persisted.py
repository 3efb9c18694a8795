"""Documents that clients name instead of sending: persisted ones (APQ), which a client taught us, and trusted ones, which we came with.

    documents = PersistedDocuments(load_trusted(Path("manifest.json")), only_trusted=False, max_bytes=10_000_000)
    text = documents.text_of(asked)        -> the document's text; or PersistedQueryNotFoundError, ForbiddenError, BadUserInputError
    documents.remember(asked, text)        -> once it has proved to be valid

A hash is the SHA-256 of the text. What clients taught is kept in this process, up to `max_bytes`, the least recently used going first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from clickhouse.errors import BadUserInputError, ForbiddenError, PersistedQueryNotFoundError
from clickhouse.recent import Recent
from gateway.graphql_http import GraphQLRequest

SUFFIXES = (".graphql", ".gql")
MAX_TAUGHT = 100_000


class PersistedDocuments:
    def __init__(self, trusted: Mapping[str, str], *, only_trusted: bool, max_bytes: int) -> None:
        """`trusted` maps ids to texts; the hash of a text names it too."""
        self._trusted = {**trusted, **{sha256(text): text for text in trusted.values()}}
        self._only_trusted = only_trusted
        self._taught = Recent[str, str](MAX_TAUGHT, max_bytes)

    def text_of(self, asked: GraphQLRequest) -> str:
        if asked.query is None:
            return self._named(asked.document_id or "")
        if asked.document_id and asked.is_hash and asked.document_id != sha256(asked.query):
            raise BadUserInputError(
                "extensions.persistedQuery.sha256Hash: this is not the SHA-256 of `query`; hash the text as it is sent."
            )
        if self._only_trusted and sha256(asked.query) not in self._trusted:
            raise ForbiddenError("Only documents that were registered before are answered here; ask who runs it to add this one.")
        return asked.query

    def _named(self, document_id: str) -> str:
        if (text := self._trusted.get(document_id)) is not None:
            return text
        if (text := self._taught.get(document_id)) is not None:
            return text
        raise PersistedQueryNotFoundError("PersistedQueryNotFound")  # clients know this text, and send the document with its hash

    def remember(self, asked: GraphQLRequest, text: str) -> None:
        """Only what came with its hash."""
        if asked.query is not None and asked.document_id and asked.is_hash and not self._only_trusted:
            self._taught.put(asked.document_id, text, len(text.encode()))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def load_trusted(path: Path) -> dict[str, str]:
    """Ids to texts, of a directory of .graphql files (by file name), Apollo's manifest, or Relay's `{id: text}`; raises BadUserInputError."""
    try:
        if path.is_dir():
            files: dict[str, Path] = {}
            for file in sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES):
                if (other := files.setdefault(file.stem, file)) != file:
                    raise BadUserInputError(f"{other} and {file} are both the trusted document {file.stem!r}; rename one of them.")
            return _texts({document_id: file.read_text(encoding="utf-8") for document_id, file in files.items()})
        content = orjson.loads(path.read_bytes())
        return _texts({entry["id"]: entry["body"] for entry in content["operations"]} if "operations" in content else dict(content))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadUserInputError(
            f"{path} holds no trusted documents: it must be a directory of .graphql files, a manifest of"
            " generate-persisted-query-manifest, or Relay's JSON of ids and texts."
        ) from error


def _texts(texts: dict[Any, Any]) -> dict[str, str]:
    if not texts or not all(isinstance(text, str) for pair in texts.items() for text in pair):
        raise ValueError("ids and bodies must be texts")
    return texts
