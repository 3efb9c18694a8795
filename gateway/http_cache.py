"""What HTTP caches may do with an answer.

An answer about windows that are over may be used again for a minute, by the asker alone unless there is a CDN; any other answer, and
what a key has left, is asked for anew, and is not sent again (304) when it is still the same. What failed or is incomplete is never
stored.

    cache_headers("GET", {"site": …}, reads, momentary=False)     -> {"Cache-Control": "private, max-age=60", "ETag": 'W/"…"', "Vary": …}
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from clickhouse.reading import Read
from clickhouse.shared import is_closed
from gateway import federated_trace, read_report

MAX_AGE_S = 60
ANY_TAG = "W/*"  # as `*` comes out of _tags

NO_STORE = {"Cache-Control": "no-store"}


def cache_headers(method: str, data: Any, reads: Sequence[Read], momentary: bool, cdn_seconds: int = 0) -> dict[str, str]:
    """Of a complete answer to a query, which is `momentary` with what the next request changes: the viewer's budget. The tag and the
    CDN's time only for GET: nobody may ask by POST whether an answer is still the same."""
    statements = [read.statement for read in reads]
    in_past = any(statement.until for statement in statements) and all(
        statement.site_ids and is_closed(statement) for statement in statements
    )
    over = in_past and not momentary
    headers = {
        "Cache-Control": f"private, max-age={MAX_AGE_S}" if over else "private, no-cache",
        "Vary": f"Authorization, Accept, {read_report.HEADER}, {federated_trace.HEADER}",
    }
    if method == "GET":
        digest = hashlib.blake2b(orjson.dumps(data), digest_size=16).hexdigest()
        if over and cdn_seconds:
            headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}, s-maxage={cdn_seconds}"
        headers["ETag"] = f'W/"{digest}"'  # weak: what the key has left is in the answer, too
    return headers


def unless_unchanged(request: Request, response: Response) -> Response:
    """304 without a body for a GET whose `If-None-Match` names what would be sent, or is `*`."""
    tag = response.headers.get("etag")
    if request.method != "GET" or not tag or not {tag, ANY_TAG} & _tags(request.headers.getlist("if-none-match")):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    kept["vary"] += ", Accept-Encoding"  # as that of the compressed answer, which a cache may have kept
    return Response(status_code=304, headers=kept)


def _tags(sent: Sequence[str]) -> set[str]:
    """Compared weakly, as RFC 9110 wants it."""
    return {"W/" + tag.strip().removeprefix("W/") for header in sent for tag in header.split(",")}
