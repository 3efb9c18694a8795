"""The ASGI application: `/graphql`, `/export`, GraphiQL and the health checks.

create_app(Settings())      -> Starlette, which owns the connection to ClickHouse while it runs
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette_compress import CompressMiddleware, add_compress_type
from strawberry.schema import Schema

from clickhouse.errors import HeatgraphError
from clickhouse.migrations import compile_applied, why_not_current
from gateway.auth import Authenticator
from gateway.browsers import browser_middleware
from gateway.draining import Draining, LastAnswers
from gateway.endpoint import GraphQLEndpoint
from gateway.export import ExportEndpoint
from gateway.graphiql import STATIC_DIR
from gateway.graphql_http import RESPONSE_TYPE
from gateway.metrics import Metrics
from gateway.observation import Observation
from gateway.rate_limit import Budgets
from gateway.secret import token_secret
from gateway.settings import Settings
from gateway.sources import open_sources
from gateway.tracing import exported_traces
from schema.build import build_schema

MIN_COMPRESSED_BYTES = 1000  # zstd, br or gzip, for who accepts it; less would hardly become shorter
READY_S = 2.0  # load balancers do not wait longer, either

for media_type in (RESPONSE_TYPE, "application/x-ndjson", "text/csv"):
    add_compress_type(media_type)


def create_app_from_environment() -> Starlette:
    """For worker processes and other ASGI servers: `uvicorn --factory gateway.app:create_app_from_environment`."""
    app = create_app(Settings.from_environment())
    gc.collect()
    gc.freeze()  # the schema stays; looking through it again and again would now and then cost a request 100 ms
    return app


def create_app(settings: Settings, schema: Schema | None = None) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sources = app.state.sources = await open_sources(settings)
        app.state.draining = draining
        app.state.authenticator = Authenticator(sources.first.client, token_secret(settings), settings.key_cache_seconds)
        draining.watch()
        try:
            with exported_traces():
                yield
        finally:
            await budgets.close()
            await sources.close()

    draining = Draining(settings.shutdown_delay_seconds)
    schema = schema or build_schema()
    budgets = Budgets(settings.max_key_cost_per_minute, settings.workers, settings.redis)
    graphql = GraphQLEndpoint(settings, schema, budgets)
    routes: list[BaseRoute] = [
        Route("/graphql", graphql),
        Route("/export/{file}", ExportEndpoint(settings, schema, budgets, graphql.context)),
        Route("/health/live", live),
        Route("/health/ready", ready),
    ]
    if settings.is_development or settings.metrics_token:
        routes.append(Route("/metrics", Metrics(settings.metrics_token).respond))
    if settings.is_development:
        routes += [Mount("/graphiql", StaticFiles(directory=STATIC_DIR)), Route("/", RedirectResponse("/graphql"))]
    middleware = [
        Middleware(Observation),
        Middleware(LastAnswers, draining),
        *browser_middleware(settings.allowed_origins),
        # an answer waits for it: these levels take half the time of the usual ones, for a tenth more bytes at most
        Middleware(CompressMiddleware, minimum_size=MIN_COMPRESSED_BYTES, zstd_level=1, brotli_quality=2, gzip_level=1),
    ]
    return Starlette(routes=routes, lifespan=lifespan, middleware=middleware)


async def live(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """ClickHouse answers, its tables are up to date and the server is not about to stop, so that requests can be sent here."""
    if request.app.state.draining.begun:
        return JSONResponse({"status": "unready", "problem": "The server is stopping."}, 503)
    try:
        async with asyncio.timeout(READY_S):
            problem = why_not_current(await request.app.state.sources.first.client.query(compile_applied()))
    except TimeoutError:
        problem = f"The data source did not answer within {READY_S:g} s."
    except HeatgraphError as error:
        problem = error.message
    return JSONResponse({"status": "unready", "problem": problem} if problem else {"status": "ready"}, 503 if problem else 200)
