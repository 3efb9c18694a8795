"""Wide answers as files: a URL in, NDJSON, CSV or Parquet out, with the key and the numbers of GraphQL.

    GET /export/points.ndjson?siteId=site_abc123&page=https://example.com/pricing&kind=CLICK
    GET /export/scroll.csv?siteId=site_abc123&page=https://example.com/pricing&unit=PIXEL&step=100
    GET /export/attention.csv?siteId=site_abc123&page=https://example.com/pricing&bandHeight=200
    GET /export/interactions.parquet?siteId=site_abc123&url={"path":"/pricing"}&kind=RAGE_CLICK&window={"period":"D30"}
    GET /export/breakdown.csv?siteId=site_abc123&url={"prefix":"https://"}&by=COUNTRY&segment={"device":["MOBILE"]}
    GET /export/timeline.csv?siteId=site_abc123&page=https://example.com/pricing&interval=HOUR
    GET /export/elements.csv?siteId=site_abc123&page=https://example.com/pricing&orderBy={"field":"CLICKS"}&groupBy=HREF
    GET /export/rageClicks.csv?siteId=site_abc123&page=https://example.com/pricing&rule={"minClicks":3}
    GET /export/deadClicks.csv?siteId=site_abc123&page=https://example.com/pricing
    GET /export/conversionsByDepth.csv?siteId=site_abc123&page=https://example.com/pricing&event=signup
    GET /export/pages.ndjson?siteId=site_abc123&orderBy={"field":"ISSUE_SCORE"}
    GET /export/replays.ndjson?siteId=site_abc123&having={"minRage":1}
    GET /export/filterValues.csv?siteId=site_abc123&dimension=BROWSER
    GET /export/eventNames.csv?siteId=site_abc123&search=sign
    GET /export/elementChanges.csv?siteId=site_abc123&baseline={"window":{"period":"D30"}}&candidate={"window":{"period":"D7"}}
    Authorization: Bearer hg_…

Parameters are the arguments of the field of GraphQL that answers the same: of Insights (`points` is `heatmap`), of Site (`pages`,
`replays`, `filterValues`, `eventNames`) or of a comparison (`elementChanges`, `cellChanges`, `scrollChanges`). Beside them `siteId`, and what is
looked at: `page` (a key) or `url` (a UrlMatch; `pages` takes it or nothing, `replays` either or nothing), `window` and `segment`; for
changes `baseline` and `candidate` (each a Lens), and `page` or nothing. Words, numbers and enum values
are written as they are, lists and inputs as JSON, all of it percent-encoded. Columns have GraphQL's names; nested ones are joined,
as in `reachValue` and `elementSelector`; a list (`revenue`, an entry a currency) is in a cell of CSV the JSON that NDJSON has there.
Without `first` a file holds all rows, at most 1 000 000 (100 000 points, 1000 values);
there is no `after`. An export costs as much of the key's budget as the dearest query may, or all of a budget that is smaller.

ClickHouse writes the file and it is passed on in chunks. What fails before the first is an error as of GraphQL, with a status of its
own; what fails later breaks the connection off, so that half a file never looks whole. A worker passes one file on at a time for each
key, so that slow readers of one key leave a place for the others; the next waits for it as long as a statement may for its turn.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from strawberry.schema import Schema

from clickhouse.errors import BadUserInputError, BusySourceError, HeatgraphError, NotFoundError
from clickhouse.keys import ApiKey
from gateway.auth import Authenticator
from gateway.disconnection import CLIENT_CLOSED_REQUEST, unless_disconnected
from gateway.errors import HTTP_STATUS, error_headers, explain, formatted_as
from gateway.graphql_http import url_parameters
from gateway.http_cache import NO_STORE
from gateway.metrics import count_cost
from gateway.observation import observe
from gateway.rate_limit import Budgets
from gateway.settings import Settings
from resolvers.context import Context
from schema.exports import EXPORTS, compile_export

logger = logging.getLogger("heatgraph.gateway")

FORMATS = {
    "ndjson": ("JSONEachRow", "application/x-ndjson"),
    "csv": ("CSVWithNames", "text/csv; charset=utf-8; header=present"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}
"""Suffix to ClickHouse's name of the format and its media type."""


class ExportEndpoint:
    """An ASGI application, `/export/NAME.FORMAT`: what is asked of GraphQL's schema, answered as a file."""

    def __init__(self, settings: Settings, schema: Schema, budgets: Budgets, context: Callable[[Request, ApiKey], Context]) -> None:
        self._settings = settings
        self._schema = schema
        self._budgets = budgets
        self._context = context
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By key id, as long as anybody has or awaits one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method != "GET":  # HEAD, too, which would read everything to say nothing
            return _refuse(formatted_as("BAD_USER_INPUT", "Read exports with GET."), 405, {"Allow": "GET"})
        try:
            async with asyncio.timeout(self._settings.max_request_ms / 1000):
                return await unless_disconnected(request, self._begin(request))
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Exception as error:
            problem = explain(error, request.scope["request_id"])
            return _refuse(problem, HTTP_STATUS[problem["extensions"]["code"]], error_headers(problem["extensions"]))

    async def _begin(self, request: Request) -> Response:
        """The response with its first chunk read, so that what fails until then is an error still."""
        authenticator: Authenticator = request.app.state.authenticator
        key = await authenticator.authenticate(request.headers.get("authorization"))
        observe(key=key.key_id)
        name, _, suffix = request.path_params["file"].partition(".")
        if name not in EXPORTS or suffix not in FORMATS:
            raise NotFoundError(
                f"No such export: /export/NAME.FORMAT, with NAME of {', '.join(EXPORTS)} and FORMAT of {', '.join(FORMATS)}."
            )
        observe(operation=name)
        parameters = _parameters(request.scope["query_string"])
        budget = await self._budgets.spend(key.key_id, self._settings.max_query_cost)
        count_cost(name, self._settings.max_query_cost)
        context = self._context(request, key)
        statement = await compile_export(self._schema, context, name, parameters, for_csv=suffix == "csv")
        output_format, media_type = FORMATS[suffix]
        chunks = self._in_turn(key.key_id, context.client_of(parameters["siteId"]).stream(statement, output_format))
        first = await anext(chunks, b"")
        file = re.sub(r"[^A-Za-z0-9._-]", "_", f"{parameters['siteId']}-{name}.{suffix}")
        headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{file}"'} | (budget.headers() if budget else {})
        return Download(first, chunks, headers, media_type, self._settings.limits.max_stream_ms / 1000)

    async def _in_turn(self, key_id: str, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        turn = self._turns.setdefault(key_id, asyncio.Lock())
        try:
            async with asyncio.timeout(self._settings.max_queue_ms / 1000):
                await turn.acquire()
        except TimeoutError:
            raise BusySourceError("Another export of this key is still being read. Ask again when it is through.") from None
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        finally:
            turn.release()


class Download(StreamingResponse):
    """Closes what it reads from, also when the client goes away in the middle, or is not done in time.

    What fails on the way leaves the response without its end, for which Uvicorn closes the connection.
    """

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None], headers: dict[str, str], media_type: str, timeout_s: float) -> None:
        async def body() -> AsyncGenerator[bytes, None]:
            yield first
            async for chunk in rest:
                yield chunk

        self._rest = rest
        self._timeout_s = timeout_s
        super().__init__(body(), headers=headers, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._rest), asyncio.timeout(self._timeout_s):
                await super().__call__(scope, receive, send)
            return
        except TimeoutError:
            why, code = f"It was not read within {self._timeout_s:g} s.", "TIMEOUT"
        except HeatgraphError as error:
            why, code = error.message, error.code
        observe(code=code)
        logger.warning("request %s: the file broke off. %s", scope["request_id"], why)


def _parameters(query_string: bytes) -> dict[str, str]:
    try:
        return url_parameters(query_string)
    except ValueError as error:
        raise BadUserInputError(str(error)) from error


def _refuse(problem: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    observe(code=problem["extensions"]["code"])
    return JSONResponse({"errors": [problem]}, status, NO_STORE | headers)
