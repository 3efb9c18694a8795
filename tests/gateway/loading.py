"""Rows of visits, files of them in every format, and a client that dies on the way."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from backports import zstd
from clickhouse_connect.driver.client import Client

Row = dict[str, Any]


START = (datetime.now(UTC) - timedelta(days=3)).replace(hour=9, minute=0, second=0, microsecond=0)


def visit(number: int, clicks: int = 3) -> list[Row]:
    """A session: a pageview, some clicks on an element that was told, a scroll and a conversion."""
    start_ms = int(START.timestamp() * 1000) + number * 60_000
    base = {"sessionId": f"s{number}", "visitorId": f"v{number % 3}", "url": f"https://a.de/{number % 2}?a={number}", "viewportWidth": 1280}
    rows: list[Row] = [{"type": "pageview", "viewportHeight": 720, "pageHeight": 3000, "country": "DE"}]
    rows += [{"type": "click", "x": 10.5 + step, "y": 20, "selector": "#buy", "fixed": step % 2 == 0} for step in range(clicks)]
    rows += [{"type": "scroll", "scrollY": 900}, {"type": "event", "name": "signup", "value": 2.5, "plan": "pro"}]
    rows += [{"type": "element", "selector": "#buy", "x": 1, "y": 2, "width": 3, "height": 4}]
    return [base | {"timestamp": start_ms + 1000 * at} | row for at, row in enumerate(rows)]


ROWS = [row for number in range(8) for row in visit(number)]


def ndjson(rows: list[Row]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def write_csv(path: Path, rows: list[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: list[Row]) -> None:
    names = dict.fromkeys(name for row in rows for name in row)
    pyarrow.parquet.write_table(pyarrow.table({name: [row.get(name) for row in rows] for name in names}), path)


WRITERS: dict[str, Callable[[Path, list[Row]], object]] = {
    "rows.ndjson": lambda path, rows: path.write_bytes(ndjson(rows)),
    "rows.jsonl": lambda path, rows: path.write_bytes(ndjson(rows).rstrip()),
    "bom.json": lambda path, rows: path.write_bytes(b"\xef\xbb\xbf" + ndjson(rows).replace(b"\n", b"\r\n")),
    "rows.ndjson.gz": lambda path, rows: path.write_bytes(gzip.compress(ndjson(rows[:9])) + gzip.compress(ndjson(rows[9:]))),
    "rows.NDJSON.ZST": lambda path, rows: path.write_bytes(zstd.compress(ndjson(rows[:9])) + zstd.compress(ndjson(rows[9:]))),
    "rows.csv": write_csv,
    "rows.parquet": write_parquet,
}


class Killed(BaseException):
    """As if the process died."""


class Mortal:
    """A client that dies before its n-th statement that writes; temporary tables go with it."""

    def __init__(self, client: Client, lives: int) -> None:
        self.client, self.lives = client, lives

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def command(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        if sql.startswith(("INSERT INTO", "DELETE FROM")) and "INTO load_rows" not in sql:
            self.lives -= 1
            if self.lives < 0:
                raise Killed
        return self.client.command(sql, *args, **kwargs)
