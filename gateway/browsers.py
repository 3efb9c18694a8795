"""What browsers are told: which origins may ask (CORS), what pages may do, and which requests a foreign page could forge (CSRF).

browser_middleware(origins=("https://app.example.com",))     -> for Starlette, outermost first
refuse_forgeable(request.headers)                            -> raises HTTPException 400
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer; a page with scripts brings a policy of its own."""

_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

ASKED_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "Apollo-Require-Preflight",
    "X-Apollo-Operation-Name",
    "apollographql-client-name",
    "apollographql-client-version",
    "X-Heatgraph-Reads",
    "X-Request-Id",
    "traceparent",
)
TOLD_HEADERS = ("Content-Disposition", "ETag", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-Id")
PREFLIGHT_MAX_AGE_S = 600

SIMPLE_TYPES = ("", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
PREFLIGHT_HEADERS = ("authorization", "apollo-require-preflight", "x-apollo-operation-name")
"""No browser sends these to another origin without asking it first."""


def browser_middleware(origins: Sequence[str]) -> list[Middleware]:
    """`origins` may read answers; "*" is every one. None by default: GraphiQL has the same origin."""
    allowed = [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=ASKED_HEADERS,
            expose_headers=TOLD_HEADERS,
            max_age=PREFLIGHT_MAX_AGE_S,
        )
    ]
    return [Middleware(SecurityHeaders), *(allowed if origins else [])]


def refuse_forgeable(headers: Headers) -> None:
    """As Apollo does it: what a page of another origin could send without a preflight is no request of ours."""
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type in SIMPLE_TYPES and not any(headers.get(name) for name in PREFLIGHT_HEADERS):
        raise HTTPException(
            400,
            "A page of another origin could have sent this unasked (CSRF). Send one of the headers Authorization,"
            " Apollo-Require-Preflight: true, X-Apollo-Operation-Name, or Content-Type: application/json.",
        )


class SecurityHeaders:
    """ASGI middleware; what an answer sets itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(header for header in _RAW_HEADERS if header[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_with_headers)
