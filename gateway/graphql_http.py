"""GraphQL over HTTP: a request to what it asks, an answer to bytes and a status.

Follows https://graphql.github.io/graphql-over-http/draft/: `application/graphql-response+json` tells failed requests apart
by status; `application/json` answers 200 whenever the request was readable. A key that is missing or wrong is 401 under both.

    parsed = await read_request(request, max_body_bytes=1_000_000)   -> GraphQLRequest("{ __typename }", None, None)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.observation import observe

RESPONSE_TYPE = "application/graphql-response+json"
JSON_TYPE = "application/json"

MAX_PARAMETERS = 20
SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """`query` is None when the document is only named: by the hash of `extensions.persistedQuery`, or as `documentId` (`id`)."""

    query: str | None
    operation_name: str | None
    variables: dict[str, Any] | None
    document_id: str | None = None
    is_hash: bool = False


def negotiate(accept: str | None) -> str | None:
    """The media type to answer in: the client's favourite of the two, of equals the one it names first, else JSON; None if it takes neither.

    What it says of one of them counts before what it says of all (`*/*`).
    """
    if not accept or not accept.strip():
        return JSON_TYPE
    ranges: dict[str, tuple[float, int]] = {}
    for place, entry in enumerate(accept.split(",")):
        name, parameters, is_utf8 = _media_type(entry)
        if is_utf8:
            ranges.setdefault(name, (_quality(parameters), -place))
    of_type = {
        media_type: next((ranges[name] for name in (media_type, "application/*", "*/*") if name in ranges), (0.0, 0))
        for media_type in (JSON_TYPE, RESPONSE_TYPE)
    }
    favourite = max(of_type, key=lambda media_type: of_type[media_type])
    return favourite if of_type[favourite][0] > 0 else None


def _media_type(text: str) -> tuple[str, list[str], bool]:
    """Its name, its parameters, and whether they allow UTF-8."""
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    charsets = {parameter.partition("=")[2].strip('" ') for parameter in parameters if parameter.startswith("charset=")}
    return name, parameters, charsets <= {"utf-8", "utf8"}


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


async def read_request(request: Request, max_body_bytes: int) -> GraphQLRequest:
    """What a GET or POST asks; raises HTTPException with the status and a message for the caller."""
    if request.method == "GET":
        return _check(_read_parameters(request.scope["query_string"]))
    if request.method == "POST":
        _check_content_type(request)
        return _check(_parse_json(await _read_body(request, max_body_bytes), "The body"))
    raise HTTPException(405, "Send GraphQL with POST, or a query with GET.", {"Allow": "GET, POST"})


def url_parameters(query_string: bytes) -> dict[str, str]:
    """ValueError says what is wrong with them."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:  # UnicodeDecodeError is one, too
        raise ValueError("The URL's parameters are not percent-encoded UTF-8, or too many.") from error
    if len(dict(pairs)) < len(pairs):
        raise ValueError("A parameter is given twice in the URL.")
    return dict(pairs)


def _read_parameters(query_string: bytes) -> dict[str, Any]:
    try:
        parameters: dict[str, Any] = {**url_parameters(query_string)}
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    for name in ("variables", "extensions"):
        if text := parameters.pop(name, None):
            parameters[name] = _parse_json(text, f"`{name}`")
    return parameters


def _check_content_type(request: Request) -> None:
    name, _, is_utf8 = _media_type(request.headers.get("content-type", ""))
    if name != JSON_TYPE or not is_utf8:
        raise HTTPException(415, f"Send the body as `Content-Type: {JSON_TYPE}`, in UTF-8.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(415, "Send the body uncompressed.")


async def _read_body(request: Request, max_body_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_body_bytes:
            raise HTTPException(413, f"The body is longer than the {max_body_bytes} bytes allowed.", {"Connection": "close"})
    return bytes(body)


def _parse_json(text: bytes | str, what: str) -> Any:
    """orjson refuses invalid UTF-8, lone surrogates, NaN and what is nested too deeply."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = error.msg.replace("str is", "the text is")
        raise HTTPException(400, f"{what} is not valid JSON: {reason}, line {error.lineno}, column {error.colno}.") from error


def _check(parameters: Any) -> GraphQLRequest:
    if isinstance(parameters, list):
        raise HTTPException(400, "Batches are not supported; send one operation a request.")
    if not isinstance(parameters, dict):
        raise HTTPException(400, "The body must be a JSON object with `query`.")
    query, operation_name = parameters.get("query"), parameters.get("operationName")
    if not isinstance(operation_name, str | None):
        raise HTTPException(400, "`operationName` must be a string or null.")
    for name in ("variables", "extensions"):
        if not isinstance(parameters.get(name), dict | None):
            raise HTTPException(400, f"`{name}` must be an object or null.")
    sha256, trusted_id = _hash(parameters.get("extensions") or {}), _document_id(parameters)
    if query in (None, "") and (sha256 or trusted_id):
        query = None
    elif not isinstance(query, str) or not query.strip():
        raise HTTPException(400, "`query` must be a string that holds a GraphQL document, unless `extensions.persistedQuery` names one.")
    return GraphQLRequest(query, operation_name or None, parameters.get("variables"), sha256 or trusted_id, is_hash=sha256 is not None)


def _hash(extensions: dict[str, Any]) -> str | None:
    named = extensions.get("persistedQuery")
    if named is None:
        return None
    sha256 = named.get("sha256Hash") if isinstance(named, dict) and named.get("version") == 1 else None
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise HTTPException(400, "`extensions.persistedQuery` must be {version: 1, sha256Hash: 64 hexadecimal digits}.")
    return sha256.lower()


def _document_id(parameters: dict[str, Any]) -> str | None:
    named = parameters.get("documentId", parameters.get("id"))
    if not isinstance(named, str | None):
        raise HTTPException(400, "`documentId` must be a string or null.")
    return named.removeprefix("sha256:") if named else None


def respond(payload: dict[str, Any], media_type: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`payload` may hold orjson.Fragment: JSON that ClickHouse wrote, passed on as it is."""
    if errors := payload.get("errors"):
        observe(code=errors[0]["extensions"]["code"])
    return Response(orjson.dumps(payload), status, headers, f"{media_type}; charset=utf-8")
