"""What is logged, to standard error: lines of text for people, or one JSON object a line for machines.

{"timestamp": "…", "level": "INFO", "logger": "heatgraph.request", "message": "…", "request": "…", "operation": "…", "ms": 12.3}
"""

from __future__ import annotations

import logging
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

from clickhouse.errors import request_tag


class RequestTag(logging.Filter):
    """Gives every record what is known of the request it was made for."""

    def filter(self, record: logging.LogRecord) -> bool:
        vars(record).update(request_tag.get())
        return True


class Foreseen(logging.Filter):
    """Leaves out what Uvicorn says of a file that broke off (`gateway.export`), which says so itself, and why."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg != "ASGI callable returned without completing response."


def log_config(level: str, log_format: str) -> dict[str, Any]:
    """For logging.config; of Uvicorn's own access log we have a better one."""
    formatters: dict[str, dict[str, Any]] = {
        "text": {"()": "uvicorn.logging.DefaultFormatter", "fmt": "%(levelprefix)s %(message)s"},
        "json": {
            "()": "pythonjsonlogger.orjson.OrjsonFormatter",
            "fmt": "{levelname}{name}{message}",
            "style": "{",
            "timestamp": True,
            "rename_fields": {"levelname": "level", "name": "logger"},
            "reserved_attrs": [*RESERVED_ATTRS, "color_message"],
        },
    }
    handler = {"class": "logging.StreamHandler", "formatter": log_format, "filters": ["request_tag"], "stream": "ext://sys.stderr"}
    ours = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_tag": {"()": RequestTag}, "foreseen": {"()": Foreseen}},
        "formatters": {log_format: formatters[log_format]},
        "handlers": {"stderr": handler},
        "loggers": {
            "heatgraph": ours,
            "uvicorn": ours,
            "uvicorn.error": {"filters": ["foreseen"]},
            "opentelemetry": ours | {"level": "ERROR"},  # its warnings quote headers, which anybody may send
        },
    }
