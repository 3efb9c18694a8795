"""The server process: what is checked before it starts, and how Uvicorn runs it."""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import uvicorn
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickhouse.errors import BadUserInputError, from_driver
from clickhouse.migrations import compile_applied, why_not_current
from gateway.database import open_database
from gateway.draining import Workers
from gateway.heads import BoundedHeads
from gateway.logs import log_config
from gateway.persisted import load_trusted
from gateway.secret import token_secret
from gateway.settings import Settings
from gateway.source_settings import configured_sources


def serve(settings: Settings) -> None:
    if settings.workers > 1 and settings.is_embedded:
        raise BadUserInputError(
            "More than one worker needs a ClickHouse server (--clickhouse http://…): "
            "the embedded engine allows one process a path. Use --workers 1."
        )
    configured_sources(settings)  # refused here, in one line, rather than in workers
    require_free_port(settings)
    token_secret(settings)  # made before workers start, and refused here rather than in them
    if settings.trusted_documents:
        load_trusted(Path(settings.trusted_documents))
    elif settings.only_trusted_documents:
        raise BadUserInputError("--only-trusted-documents answers nothing without --trusted-documents; name a directory or a manifest.")
    if settings.is_embedded:
        warn_without_tables(settings)  # and a path in use is refused, in one line
    os.environ.update(settings.to_environment())
    with ExitStack() as stack:
        if settings.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="heatgraph-metrics-"))
            config = uvicorn.Config(**uvicorn_options(settings))
            Workers(config, [config.bind_socket()]).run()
        else:
            uvicorn.run(**uvicorn_options(settings))


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    return {
        "app": "gateway.app:create_app_from_environment",
        "factory": True,
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "loop": "uvloop",
        "http": BoundedHeads,
        "lifespan": "on",
        "log_config": log_config(settings.log_level, settings.log_format),
        "access_log": False,
        "log_level": settings.log_level,
        "server_header": False,
        "timeout_graceful_shutdown": settings.shutdown_grace_seconds,
    }


def require_free_port(settings: Settings) -> None:
    """Said in one line before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise BadUserInputError(
                f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. Choose another with --port or HEATGRAPH_PORT."
            ) from error


def warn_without_tables(settings: Settings) -> None:
    with open_database(settings) as database:
        try:
            problem = why_not_current(database.query(compile_applied()))
        except ClickHouseError as error:
            problem = from_driver(error).message
    if problem:
        click.echo(f"Warning: {problem}", err=True)
