"""The three formats of exports: the same rows in each, as texts that are safe in a spreadsheet, under names that say what they are."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from httpx import AsyncClient

from clickhouse.sites import Site
from schema.exports import EXPORTS
from tests.asking import create_site, load
from tests.gateway.export.downloads import PAGE, export, rows, window
from tests.reference.rows import DataSet


def needed(data: DataSet, name: str) -> dict[str, Any]:
    """Parameters with which the export has rows."""
    if name.endswith("Changes"):
        return {"baseline": {"window": window(data)}, "candidate": {"window": window(data), "segment": {"device": ["MOBILE"]}}}
    more = {"breakdown": {"by": "VARIANT"}, "filterValues": {"dimension": "COUNTRY"}}.get(name, {})
    return {"window": window(data)} | ({} if name in ("filterValues", "eventNames") else {"url": {"prefix": "https"}}) | more


def written(value: Any) -> str:
    """As ClickHouse writes it to CSV."""
    if value is None:
        return ""
    if isinstance(value, (bool, list)):
        return orjson.dumps(value).decode()
    return str(value)


def parsed(texts: dict[str, str], row: dict[str, Any]) -> dict[str, Any]:
    """Numbers with a fraction as such: their notation is free."""
    return {key: float(text) if isinstance(row[key], float) else text for key, text in texts.items()}


@pytest.mark.parametrize("name", EXPORTS)
async def test_every_format_holds_the_same_rows(http: AsyncClient, database: SyncClient, data: DataSet, name: str) -> None:
    parameters = needed(data, name)
    expected = await rows(http, name, **parameters)
    assert expected
    table = await export(http, f"{name}.csv", **parameters)
    read_rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [parsed(text, row) for text, row in zip(read_rows, expected, strict=True)] == [
        {key: value if isinstance(value, float) else written(value) for key, value in row.items()} for row in expected
    ]
    parquet = (await export(http, f"{name}.parquet", **parameters)).content
    read = database.raw_query(f"SELECT * FROM format(Parquet, unhex('{parquet.hex()}')) FORMAT JSONEachRow")
    assert [orjson.loads(line) for line in read.splitlines()] == expected


FORMULAS = ("=1+1", "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1+1")
"""Texts as visitors may send them."""
TEXTS = (*FORMULAS, "it's", "a=1", "")


@pytest.fixture(scope="module")
def formulas(database: SyncClient) -> Site:
    """A site with a session, an element, an event and a campaign of each of them."""
    site, at = Site("site_formulas", "Formulas"), (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    sent: list[dict[str, Any]] = []
    for text in TEXTS:
        shared = {"timestamp": at, "sessionId": text or "s", "visitorId": "v", "url": PAGE, "viewportWidth": 400, "viewportHeight": 800}
        click: dict[str, Any] = {"type": "click", "x": 1, "y": 1, "selector": f"#b{len(sent)}", "text": text}
        event = [{"type": "event", "name": text}] if text else []
        sent += [shared | {"campaign": text} | row for row in ({"type": "pageview"}, click, *event)]
    load(database, create_site(database, site), sent)
    return site


@pytest.mark.parametrize(
    ("name", "column", "parameters"),
    [
        ("breakdown", "value", {"by": "CAMPAIGN", "url": {"prefix": "https"}}),
        ("filterValues", "value", {"dimension": "CAMPAIGN"}),
        ("eventNames", "name", {}),
        ("elements", "elementText", {"url": {"prefix": "https"}}),
        ("interactions", "elementText", {"kind": "CLICK", "url": {"prefix": "https"}}),
        ("replays", "sessionId", {}),
    ],
)
async def test_what_begins_like_a_formula_is_a_text_for_spreadsheets(
    http: AsyncClient, database: SyncClient, formulas: Site, name: str, column: str, parameters: dict[str, Any]
) -> None:
    parameters["siteId"] = formulas.site_id
    exact = [row[column] for row in await rows(http, name, **parameters)]
    assert set(FORMULAS) < set(exact)
    parquet = (await export(http, f"{name}.parquet", **parameters)).content
    read = database.raw_query(f"SELECT * FROM format(Parquet, unhex('{parquet.hex()}')) FORMAT JSONEachRow")
    assert [orjson.loads(line)[column] for line in read.splitlines()] == exact
    table = csv.DictReader(io.StringIO((await export(http, f"{name}.csv", **parameters)).text))
    assert [row[column] for row in table] == [f"'{text}" if text in FORMULAS else text or "" for text in exact]


async def test_files_have_names_and_types(http: AsyncClient) -> None:
    types = {
        "ndjson": "application/x-ndjson",
        "csv": "text/csv; charset=utf-8; header=present",
        "parquet": "application/vnd.apache.parquet",
    }
    for suffix, media_type in types.items():
        response = await export(http, f"pages.{suffix}")
        assert response.headers["content-type"] == media_type
        assert response.headers["content-disposition"] == f'attachment; filename="site_export-pages.{suffix}"'
        assert response.headers["cache-control"] == "no-store" and response.headers["x-request-id"]


async def test_urls_are_written_as_people_search_for_them(http: AsyncClient) -> None:
    assert f'"key":"{PAGE}"'.encode() in (await export(http, "pages.ndjson", search=PAGE)).content


async def test_no_rows_is_an_empty_file(http: AsyncClient) -> None:
    lens = {"page": PAGE, "segment": {"country": ["nowhere"]}}
    assert (await export(http, "points.ndjson", **lens)).content == b""
    assert (await export(http, "points.csv", **lens)).text.startswith('"x","y"')
