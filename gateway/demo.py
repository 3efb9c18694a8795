"""The demo in a database: whether it is there, its rows, and the key that opens it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clickhouse.derive import compile_touched
from clickhouse.element_marks import Mark, compile_marks, record_mark
from clickhouse.keys import ApiKey, insert_key
from clickhouse.pages import compile_extent
from gateway.auth import hash_token
from gateway.database import Database
from gateway.demo_site import CTAS
from gateway.demo_visits import DEMO_SITE
from gateway.load import LoadSummary, load_files
from gateway.sites import require_site

KEY_ID = "demo00000000"
SCOPES = frozenset({"heatmap:read", "replay:read", "element:write", "cohort:write"})


def has_demo_of(database: Database, now: datetime) -> bool:
    """Whether the demo was loaded to its end today; its first visits of a day come within the hour after midnight."""
    (extent,) = database.query(compile_extent(DEMO_SITE))
    (waiting,) = database.query(compile_touched(DEMO_SITE))
    since = min(now.replace(hour=0, minute=0, second=0, microsecond=0), now - timedelta(hours=1))
    return extent["data_to"] is not None and extent["data_to"].replace(tzinfo=UTC) >= since and not waiting["sessions"]


def load_demo(database: Database, lines: Iterable[bytes]) -> LoadSummary:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "demo.ndjson")
        with file.open("wb") as rows:
            rows.writelines(lines)
        return load_files(database, require_site(database, DEMO_SITE), [file], progress=True)


def mark_ctas(database: Database, now: datetime) -> None:
    """As `markElement` does; what anybody marked since stays as it is."""
    marked = {(row["page_key"], row["selector"]) for row in database.query(compile_marks(DEMO_SITE, CTAS))}
    for place in (place for place in CTAS if place not in marked):
        before = Mark(DEMO_SITE, *place)
        for insert in record_mark(before, replace(before, is_cta=True), KEY_ID, now):
            database.insert(insert)


def make_demo_key(database: Database, secret: bytes, now: datetime) -> str:
    """The token follows from the secret, so that yesterday's link still works."""
    token = f"hg_{KEY_ID}_" + hashlib.sha256(secret + KEY_ID.encode()).hexdigest()[:40]
    key = ApiKey(KEY_ID, "demo", SCOPES, frozenset({DEMO_SITE}), token_hash=hash_token(token, secret))
    database.insert(insert_key(key, now))
    return token
