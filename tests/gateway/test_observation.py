"""What operators see: metrics, log lines, traces, and a server that leaves without cutting anybody off."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from gateway import metrics
from gateway.app import create_app
from gateway.draining import Draining
from gateway.metrics import MAX_OPERATIONS
from gateway.settings import Settings
from tests.gateway.applications import make_token, post, samples, serving, small_schema
from tests.gateway.processes import Gateway, running, wait_for
from tests.servers import Node

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_metrics_count_requests_by_operation_and_code(settings: Settings) -> None:
    async with serving(create_app(settings, small_schema())) as http:
        before = samples((await http.get("/metrics")).text, "heatgraph_requests_total")
        await post(http, "query Kinds { __schema { queryType { name } } }")
        await post(http, "query Kinds { nothing }")
        await post(http, "query Data { numbers }")
        text = (await http.get("/metrics")).text
    after = samples(text, "heatgraph_requests_total")
    new = {
        labels: value - before.get(labels, 0) for labels, value in after.items() if "/graphql" in labels and value != before.get(labels, 0)
    }
    assert new == {
        'code="OK",operation="Kinds",path="/graphql"': 1,
        'code="BAD_USER_INPUT",operation="",path="/graphql"': 1,
        'code="UNAUTHENTICATED",operation="Data",path="/graphql"': 1,
    }
    assert samples(text, "heatgraph_request_seconds_count")['operation="Kinds",path="/graphql"'] >= 1


@pytest.fixture
def token(settings: Settings) -> str:
    return make_token(settings, "heatmap:read")


async def test_metrics_and_spans_tell_what_statements_read(settings: Settings, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    monkeypatch.setattr("gateway.observation.tracer", provider.get_tracer("test"))
    monkeypatch.setattr("gateway.observed_client.tracer", provider.get_tracer("test"))
    async with serving(create_app(settings)) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        before = (await http.get("/metrics")).text
        exported.clear()
        assert (await post(http, "query Sites { sites { totalCount } }")).status_code == 200
        spans = {span.name: span for span in exported.get_finished_spans()}
        after = (await http.get("/metrics")).text

    def added(name: str, labels: str) -> float:
        return samples(after, name)[labels] - samples(before, name).get(labels, 0)

    assert added("heatgraph_cost_total", 'operation="Sites"') > 0
    assert added("heatgraph_statement_seconds_count", 'kind="read",source="default"') >= 1
    assert added("heatgraph_answers_total", 'how="asked",source="default"') >= 1
    assert added("heatgraph_read_rows_total", 'source="default"') >= 1, "the key at least"
    assert samples(after, "heatgraph_breaker_state")['source="default"'] == 0
    assert samples(after, "heatgraph_statements_running")['source="default"'] == 0
    request, read = spans["POST /graphql Sites"], spans["clickhouse read"]
    assert read.context and request.context and read.context.trace_id == request.context.trace_id
    assert read.attributes and read.attributes["db.system.name"] == "clickhouse" and "sites" in str(read.attributes["heatgraph.tables"])


async def test_a_source_that_is_down_shows_in_the_metrics(settings: Settings) -> None:
    down = Settings(clickhouse="http://127.0.0.1:9/db", secret="x", pool_size=1)
    async with serving(create_app(down, small_schema())) as http:
        for _ in range(6):
            assert (await http.get("/health/ready")).status_code == 503
        text = (await http.get("/metrics")).text
    assert samples(text, "heatgraph_breaker_state")['source="default"'] == 2


async def test_what_a_dead_worker_was_doing_is_no_longer_in_the_metrics(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    for pid in (dead.pid, os.getpid()):
        values = MmapedDict(str(tmp_path / f"gauge_livesum_{pid}.db"))  # type: ignore[no-untyped-call]
        key = mmap_key("heatgraph_statements_running", "heatgraph_statements_running", ["source"], ["default"], "")
        values.write_value(key, 3.0, 0.0)  # type: ignore[no-untyped-call]
        values.close()  # type: ignore[no-untyped-call]
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    async with serving(create_app(settings, small_schema())) as http:
        text = (await http.get("/metrics")).text
    assert samples(text, "heatgraph_statements_running") == {'source="default"': 3}


async def test_names_sent_by_clients_do_not_grow_the_metrics_without_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_operations", set(metrics._operations))  # else names of later tests would be "other"
    async with serving(create_app(settings, small_schema())) as http:
        for number in range(MAX_OPERATIONS + 5):
            await post(http, f"query Name{number} {{ __typename }}")
        text = (await http.get("/metrics")).text
    operations = {re.findall('operation="(.*?)"', labels)[0] for labels in samples(text, "heatgraph_requests_total")}
    assert len(operations) <= MAX_OPERATIONS + 1
    assert "other" in operations


async def test_metrics_in_production_need_their_token(settings: Settings) -> None:
    production = Settings(clickhouse=settings.clickhouse, secret=settings.secret, pool_size=1, environment="production")
    async with serving(create_app(production, small_schema())) as http:
        assert (await http.get("/metrics")).status_code == 404
    with_token = Settings(
        clickhouse=settings.clickhouse, secret=settings.secret, pool_size=1, environment="production", metrics_token="let me, Zoë"
    )
    async with serving(create_app(with_token, small_schema())) as http:
        assert (await http.get("/metrics")).status_code == 401
        assert (await http.get("/metrics", headers={"Authorization": "Bearer let you"})).status_code == 401
        read = await http.get("/metrics", headers={b"Authorization": "Bearer let me, Zoë".encode()})
    assert read.status_code == 200 and "heatgraph_request_seconds_bucket" in read.text


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP."""

    spans: list[Span]


class TakeTraces(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        export = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        self.server.spans += [span for resource in export.resource_spans for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector(("127.0.0.1", 0), TakeTraces) as server:
        server.spans = []
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_trace_and_a_json_log_line_name_the_request(tmp_path: Path, collector: Collector) -> None:
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    with running(
        tmp_path, HEATGRAPH_LOG_FORMAT="json", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_COMPRESSION="none"
    ) as gateway:
        answer = httpx.post(
            f"{gateway.address}/graphql",
            json={"query": "query Schema { __typename }"},
            headers={"traceparent": TRACEPARENT, "x-request-id": "r1"},
        )
        assert answer.json()["data"] == {"__typename": "Query"}
    lines = [json.loads(line) for line in gateway.log().splitlines()]
    (line,) = (line for line in lines if line.get("request") == "r1")
    assert (line["logger"], line["operation"], line["status"], line["path"]) == ("heatgraph.request", "Schema", 200, "/graphql")
    assert line["traceparent"].split("-")[1] == TRACEPARENT.split("-")[1]
    (span,) = (span for span in collector.spans if span.name == "POST /graphql Schema")
    assert f"{span.trace_id.hex()}-{span.parent_span_id.hex()}" in TRACEPARENT
    assert line["traceparent"].split("-")[2] == span.span_id.hex()


async def test_a_path_cannot_forge_a_line_of_the_log(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "heatgraph.request")
    async with serving(create_app(settings, small_schema())) as http:
        await http.get("/x%0aINFO:%20GET%20/%C3%BC")
    (line,) = (record for record in caplog.records if record.name == "heatgraph.request")
    assert line.getMessage().startswith("GET /x%0AINFO%3A%20GET%20/%C3%BC 404 in ")
    assert vars(line)["path"] == "/x%0AINFO%3A%20GET%20/%C3%BC"


async def test_the_line_of_a_refused_document_names_the_key(settings: Settings, token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "heatgraph.request")
    async with serving(create_app(settings, small_schema())) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        await post(http, "{ nothing }")
    (line,) = (record for record in caplog.records if record.name == "heatgraph.request")
    assert line.getMessage().endswith(f" key={token.split('_')[1]} code=BAD_USER_INPUT")


def test_headers_of_a_trace_cannot_forge_a_line_of_the_log(tmp_path: Path) -> None:
    forged = {"traceparent": TRACEPARENT, "tracestate": 'x {"level":"CRITICAL"}', "baggage": 'user=1,{"level":"CRITICAL"}'}
    with running(tmp_path, HEATGRAPH_LOG_FORMAT="json") as gateway:
        httpx.post(f"{gateway.address}/graphql", json={"query": "{ __typename }"}, headers=forged | {"x-request-id": "r1"})
    lines = [json.loads(line) for line in gateway.log().splitlines()]
    assert not {line["logger"] for line in lines} - {"heatgraph.request", "uvicorn.error"}
    (line,) = (line for line in lines if line.get("request") == "r1")
    assert line["traceparent"].split("-")[1] == TRACEPARENT.split("-")[1] and "baggage" not in line


def ready_status(gateway: Gateway) -> int:
    return httpx.get(f"{gateway.address}/health/ready").status_code


def test_a_server_told_to_stop_is_unready_first_and_finishes_what_runs(tmp_path: Path) -> None:
    body = json.dumps({"query": "{ __typename }"}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: heatgraph\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running(tmp_path, HEATGRAPH_SHUTDOWN_DELAY_SECONDS="2") as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port)) as under_way:
            under_way.sendall(head + body[:5])
            assert ready_status(gateway) == 200
            gateway.stop()
            wait_for(lambda: ready_status(gateway) == 503)
            new = httpx.post(f"{gateway.address}/graphql", json={"query": "{ __typename }"})
            assert (new.status_code, new.headers["connection"]) == (200, "close"), "still answered, for the last time on this connection"

            def is_closed() -> bool:
                try:
                    ready_status(gateway)
                except httpx.TransportError:
                    return True
                return False

            wait_for(is_closed)
            under_way.sendall(body[5:])
            answer = under_way.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b'{"data":{"__typename":"Query"}}')
        assert gateway.process.wait(30) == -signal.SIGTERM
    assert "Traceback" not in gateway.log()


async def test_a_signal_that_comes_by_two_ways_is_one_and_a_later_one_goes_through_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: handled.append(number))
    try:
        Draining(delay_seconds=60).watch()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)
        assert handled == []
        monkeypatch.setattr("gateway.draining.SAME_SIGNAL_S", 0)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)
        assert handled == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_workers_told_to_stop_refuse_who_comes_later_and_finish_what_runs(tmp_path: Path, node: Node) -> None:
    body = json.dumps({"query": "{ __typename }"}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: heatgraph\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    settings = {"HEATGRAPH_CLICKHOUSE": node.dsn("draining"), "HEATGRAPH_WORKERS": "2"}
    with running(tmp_path, **settings, HEATGRAPH_SHUTDOWN_DELAY_SECONDS="0.5", HEATGRAPH_SHUTDOWN_GRACE_SECONDS="60") as gateway:

        def is_refused() -> bool:
            try:
                socket.create_connection(("127.0.0.1", gateway.port)).close()
            except ConnectionRefusedError:
                return True
            return False

        with socket.create_connection(("127.0.0.1", gateway.port)) as under_way:
            under_way.sendall(head + body[:5])
            assert ready_status(gateway) == 200
            gateway.stop()
            wait_for(is_refused)
            under_way.sendall(body[5:])
            answer = under_way.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b'{"data":{"__typename":"Query"}}')
        assert gateway.process.wait(30) == 0
    assert "Traceback" not in gateway.log()
