"""`/graphql`: a request in, an answer with its errors out. Key, document, cost and budget come before anything is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationDefinitionNode, OperationType, execute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.execution import optimized_is_awaitable
from strawberry.schema import Schema

from clickhouse.breaker import answer_by, incomplete_sources
from clickhouse.errors import PersistedQueryNotFoundError
from clickhouse.keys import ApiKey
from clickhouse.reading import reads
from gateway import federated_trace, http_cache, read_report
from gateway.auth import ANONYMOUS, Authenticator
from gateway.browsers import refuse_forgeable
from gateway.cost import Costs, refuse_expensive
from gateway.disconnection import CLIENT_CLOSED_REQUEST, unless_disconnected
from gateway.documents import DocumentError, Documents, is_introspection, root_fields, select_operation
from gateway.errors import HTTP_STATUS, error_headers, explain, format_errors, formatted_as, with_choices, without_suggestions
from gateway.federated_trace import FederatedTrace, TracingExecutor
from gateway.graphiql import CONTENT_SECURITY_POLICY, page_html
from gateway.graphql_http import JSON_TYPE, RESPONSE_TYPE, negotiate, read_request, respond
from gateway.metrics import count_cost
from gateway.observation import observe
from gateway.persisted import PersistedDocuments, load_trusted
from gateway.rate_limit import Budget, Budgets
from gateway.settings import Settings
from resolvers.context import Context

DOCUMENT_PARAMETERS = {"query", "documentId", "id", "extensions"}
"""Of a URL: each names a document."""

SHARE_FOR_SOURCES = 0.95  # of a request's time: what a source has not answered then is left out, and the rest is sent


class GraphQLEndpoint:
    """An ASGI application; a browser that asks for a page in development gets GraphiQL."""

    def __init__(self, settings: Settings, schema: Schema, budgets: Budgets) -> None:
        self._settings = settings
        self._schema = schema
        self._budgets = budgets
        self._persisted = PersistedDocuments(
            load_trusted(Path(settings.trusted_documents)) if settings.trusted_documents else {},
            only_trusted=settings.only_trusted_documents,
            max_bytes=settings.max_persisted_bytes,
        )
        self._costs = Costs(schema)
        self._documents = Documents(schema, settings.max_query_tokens, settings.shape_limits, introspection=settings.is_development)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = graphiql() if self._is_for_page(request) else await self._respond(request)
        await response(scope, receive, send)

    def _is_for_page(self, request: Request) -> bool:
        wants_html = "text/html" in request.headers.get("accept", "")
        asks = not DOCUMENT_PARAMETERS.isdisjoint(request.query_params)
        return self._settings.is_development and wants_html and request.method == "GET" and not asks

    async def _respond(self, request: Request) -> Response:
        request_id: str = request.scope["request_id"]
        accepted = negotiate(",".join(request.headers.getlist("accept")))
        media_type = accepted or JSON_TYPE
        headers = dict(http_cache.NO_STORE)
        trace = FederatedTrace() if request.headers.get(federated_trace.HEADER) == federated_trace.VERSION else None
        try:
            if not accepted:
                raise HTTPException(406, f"Accept {RESPONSE_TYPE} or {JSON_TYPE}.")
            asks = request.method == "POST" or (request.method == "GET" and request.scope["query_string"])
            if asks and not self._settings.is_development:
                refuse_forgeable(request.headers)
            async with asyncio.timeout(self._settings.max_request_ms / 1000):
                answer_by.set(monotonic() + self._settings.max_request_ms / 1000 * SHARE_FOR_SOURCES)
                result, momentary = await self._answer(request, headers, trace)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except HTTPException as error:
            problem = formatted_as("BAD_USER_INPUT", error.detail)
            return respond({"errors": [problem]}, media_type, error.status_code, headers | dict(error.headers or {}))
        except DocumentError as error:
            return self._refuse(self._explained(error.errors, request_id), media_type, headers)
        except PersistedQueryNotFoundError as error:
            return self._refuse([explain(error, request_id)], media_type, headers)
        except Exception as error:
            problem = explain(error, request_id)
            extensions = problem["extensions"]
            return respond({"errors": [problem]}, media_type, HTTP_STATUS[extensions["code"]], headers | error_headers(extensions))
        errors = self._explained(result.errors or [], request_id)
        if result.data is None and all("path" not in error for error in errors):
            return self._refuse(errors, media_type, headers)
        payload = {"data": result.data} | ({"errors": errors} if errors else {})
        extensions = (result.extensions or {}) | ({federated_trace.VERSION: trace.encoded(errors)} if trace else {})
        noted = reads.get()
        if noted is not None:  # of a query
            observe(**read_report.total(noted))
            extensions |= read_report.reads_asked(request, noted)
            if not errors and not incomplete_sources.get():
                headers |= http_cache.cache_headers(request.method, result.data, noted, momentary, self._settings.cdn_seconds)
        response = respond(payload | ({"extensions": extensions} if extensions else {}), media_type, headers=headers)
        return http_cache.unless_unchanged(request, response)

    def _explained(self, errors: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
        """Names of the schema that nobody sent are given in development only."""
        formatted = format_errors(errors, request_id)
        return with_choices(formatted, self._schema._schema.type_map) if self._settings.is_development else without_suggestions(formatted)

    def _refuse(self, errors: list[dict[str, Any]], media_type: str, headers: dict[str, str]) -> Response:
        """The request failed before anything was executed: `data` is left out."""
        status = 200 if media_type == JSON_TYPE else HTTP_STATUS[errors[0]["extensions"]["code"]]
        return respond({"errors": errors}, media_type, status, headers)

    async def _answer(self, request: Request, headers: dict[str, str], trace: FederatedTrace | None) -> tuple[ExecutionResult, bool]:
        """In development the schema explains itself without a key; everything else needs one, and then before anything is read.

        What the key has left goes into `headers`. True beside the result if it is momentary.
        """
        authenticator: Authenticator = request.app.state.authenticator
        authorization = request.headers.get("authorization")
        key = None
        if authorization or not self._settings.is_development:
            key = await authenticator.authenticate(authorization)
            observe(key=key.key_id)  # known, too, when the document is refused
        asked = await read_request(request, self._settings.max_body_bytes)
        text = self._persisted.text_of(asked)
        document = self._documents.prepare(text)
        self._persisted.remember(asked, text)
        operation = select_operation(document, asked.operation_name)
        observe(operation=operation.name.value if operation.name else "")
        if request.method == "GET" and operation.operation is not OperationType.QUERY:
            raise HTTPException(405, "GET is for queries; send a mutation with POST.", {"Allow": "POST"})
        if key is None:
            key = ANONYMOUS if is_introspection(operation, document) else await authenticator.authenticate(None)
        cost = self._costs.of(operation, document, asked.variables)
        refuse_expensive(cost.estimated, self._settings.max_query_cost)
        budget = await self._budgets.spend(key.key_id, cost.estimated) if key.key_id else None
        headers |= budget.headers() if budget else {}
        count_cost(operation.name.value if operation.name else "", cost.estimated)
        context = self.context(request, key, budget)
        reads.set([] if operation.operation is OperationType.QUERY else None)
        result = await unless_disconnected(request, self._execute(document, operation, asked.variables, context, trace))
        if key.key_id:
            spent = {"estimated": cost.estimated, "actual": cost.actual(result.data, context.spliced_rows)}
            result.extensions = {**(result.extensions or {}), "cost": spent | {"remaining": budget.remaining if budget else None}}
        return result, "viewer" in root_fields(operation, document)

    async def _execute(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None,
        context: Context,
        trace: FederatedTrace | None,
    ) -> ExecutionResult:
        """By graphql-core itself: Strawberry would parse and validate the text again."""
        result = execute(
            self._schema._schema,
            document,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
            executor_class=TracingExecutor if trace else self._schema.execution_context_class,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it only says bool
            operation_extensions={"trace": trace},
        )
        return result if isinstance(result, ExecutionResult) else await result

    def context(self, request: Request, key: ApiKey, budget: Budget | None = None) -> Context:
        return Context(
            sources=request.app.state.sources,
            key=key,
            max_window_days=self._settings.max_window_days,
            max_cost=self._settings.max_query_cost,
            remaining_budget=budget.remaining if budget else None,
        )


def graphiql() -> Response:
    return HTMLResponse(page_html(), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
