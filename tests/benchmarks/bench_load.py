"""How fast files are loaded: `python -m tests.benchmarks.bench_load [ROWS] [DSN]` prints rows a second, by default for 1 million rows.

Generated visits of 80 days, 300 pages and 12 rows a session; NDJSON and Parquet, into a fresh embedded database unless a DSN is given.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pyarrow
import pyarrow.json
import pyarrow.parquet

from clickhouse.client import open_sync
from clickhouse.migrations import migrate
from clickhouse.sites import Site
from gateway.database import Database
from gateway.load import load_files

DAY_MS = 86_400_000
VIEWPORTS_PX = ((1440, 900, "desktop"), (1280, 720, "desktop"), (390, 844, "mobile"), (820, 1180, "tablet"))


def visits(count: int) -> Iterator[dict[str, Any]]:
    """At least `count` rows, session after session, the same every time but for the day."""
    random, made, session = Random(1), 0, 0
    today_ms = int(datetime.now(UTC).timestamp() * 1000) // DAY_MS * DAY_MS
    while made < count:
        session += 1
        width, height, device = random.choice(VIEWPORTS_PX)
        at_ms = today_ms - random.randrange(80 * DAY_MS)
        visitor = uuid.uuid5(uuid.NAMESPACE_OID, str(random.randrange(session // 3 + 1)))
        who = {"sessionId": str(uuid.UUID(int=random.getrandbits(128))), "visitorId": str(visitor)}
        for _ in range(random.choice((1, 2, 3))):
            page_height = random.randrange(2000, 6000)
            url = f"https://shop.example.com/p/{random.randrange(300)}" + ("" if random.random() < 0.7 else f"?g={random.randrange(1000)}")
            base = who | {"url": url, "viewportWidth": width, "viewportHeight": height, "pageHeight": page_height}
            came = {
                "country": random.choice(("DE", "US", "FR")),
                "browser": "Chrome",
                "device": device,
                "referrer": "https://www.google.com/",
            }
            place = {"x": random.randrange(width), "y": random.randrange(page_height)}
            element = {"selector": f"main > div:nth-child({random.randrange(9)}) > a", "tag": "a", "text": "Buy now", "fixed": False}
            doings: tuple[dict[str, Any], ...] = (
                {"type": "click"} | place | element,
                {"type": "dead"} | place | element,
                {"type": "move"} | place,
                {"type": "scroll", "scrollY": random.randrange(page_height)},
                {"type": "attention", "scrollY": 300, "seconds": random.random() * 10},
                {"type": "event", "name": "signup", "value": 12.5, "plan": "pro"},
            )
            for row in [{"type": "pageview"} | came, *random.choices(doings, (45, 4, 20, 14, 14, 3), k=random.randrange(2, 9))]:
                at_ms += random.randrange(200, 9000)
                yield {"timestamp": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")} | base | row
                made += 1


def write(folder: Path, count: int) -> list[Path]:
    ndjson, parquet = folder / "rows.ndjson", folder / "rows.parquet"
    with ndjson.open("wb") as file:
        file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in visits(count))
    options = pyarrow.json.ParseOptions(explicit_schema=pyarrow.schema([("timestamp", pyarrow.string())]))
    pyarrow.parquet.write_table(pyarrow.json.read_json(ndjson, parse_options=options), parquet)
    return [ndjson, parquet]


def main(count: int, dsn: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), count)
        client = open_sync(dsn or f"chdb://{folder}/data")
        migrate(client)
        for file in files:
            start, start_cpu = time.perf_counter(), time.process_time()
            summary = load_files(Database(client), Site(f"bench_{uuid.uuid4().hex}", "Benchmark"), [file])
            seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
            result = {
                "file": file.suffix,
                "rows": summary.stored_rows,
                "seconds": round(seconds, 2),
                "cpu_seconds": round(cpu_seconds, 2),  # of this process: with the embedded engine all there is
                "rows_per_second": round(count / seconds),
                "rows_per_cpu_second": round(count / cpu_seconds),
            }
            print(json.dumps(result | {"megabytes": file.stat().st_size >> 20, "sessions": summary.derived_sessions}), flush=True)
        client.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2] if len(sys.argv) > 2 else "")
