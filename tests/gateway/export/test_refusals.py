"""Exports that are refused: why, and with which status, as in GraphQL."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from gateway.settings import Settings
from tests.gateway.applications import make_token
from tests.gateway.export.downloads import PAGE, export, rows, window
from tests.reference.rows import DataSet


@pytest.mark.parametrize(
    ("file", "parameters", "status", "code", "says"),
    [
        ("points.xml", {}, 404, "NOT_FOUND", "FORMAT of ndjson, csv, parquet"),
        ("nothing.csv", {}, 404, "NOT_FOUND", "NAME of points"),
        ("points.csv", {}, 400, "BAD_USER_INPUT", "exactly one of `page`"),
        ("points.csv", {"page": PAGE, "url": {"path": "/"}}, 400, "BAD_USER_INPUT", "exactly one of `page`"),
        ("points.csv", {"page": "https://example.com/never"}, 404, "NOT_FOUND", "never saw"),
        ("points.csv", {"page": PAGE, "kind": "TAP"}, 400, "BAD_USER_INPUT", "kind: Value 'TAP' does not exist"),
        ("points.csv", {"page": PAGE, "frist": "1"}, 400, "BAD_USER_INPUT", "frist: no parameter of this export"),
        ("points.csv", {"page": PAGE, "after": "x"}, 400, "BAD_USER_INPUT", "after: no parameter of this export"),
        ("points.csv", {"page": PAGE, "first": "many"}, 400, "BAD_USER_INPUT", "first: not valid JSON"),
        ("points.csv", {"page": "nope"}, 400, "BAD_USER_INPUT", "page: an absolute URL"),
        ("points.csv", {"page": PAGE, "cell": {"width": 0, "height": 1}}, 400, "BAD_USER_INPUT", "cell.width: a number from 1"),
        ("points.csv", {"page": PAGE, "window": {"last": "-7d", "period": "D7"}}, 400, "BAD_USER_INPUT", "window"),
        ("points.csv", {"page": PAGE, "window": "{"}, 400, "BAD_USER_INPUT", "window: not valid JSON"),
        ("points.csv", {"page": PAGE, "window": {"last": "-1y"}}, 400, "BAD_USER_INPUT", "at most 92 days"),
        ("points.csv", {"page": PAGE, "segment": {"planet": ["Mars"]}}, 400, "BAD_USER_INPUT", "planet"),
        ("breakdown.csv", {"page": PAGE}, 400, "BAD_USER_INPUT", "by: is needed"),
        ("scroll.csv", {"page": PAGE, "step": 0}, 400, "BAD_USER_INPUT", "step: 1 to 100"),
        ("attention.csv", {"page": PAGE, "bandHeight": 1}, 400, "BAD_USER_INPUT", "bandHeight: 10 to"),
        ("interactions.csv", {"page": PAGE, "points": []}, 400, "BAD_USER_INPUT", "points: 1 to 1000"),
        ("elements.csv", {"page": PAGE, "groupBy": "TAG"}, 400, "BAD_USER_INPUT", "groupBy: Value 'TAG' does not exist"),
        ("rageClicks.csv", {"page": PAGE, "rule": {"minClicks": 1}}, 400, "BAD_USER_INPUT", "rule.minClicks: 2 to 100"),
        ("replays.csv", {"page": PAGE, "url": {"path": "/"}}, 400, "BAD_USER_INPUT", "exactly one of `page`"),
        ("replays.csv", {"having": {"minRage": -1}}, 400, "BAD_USER_INPUT", "having.minRage: 0 to"),
        ("filterValues.csv", {}, 400, "BAD_USER_INPUT", "dimension: is needed"),
        ("filterValues.csv", {"dimension": "BROWSER", "page": PAGE}, 400, "BAD_USER_INPUT", "page: no parameter of this export"),
        ("elementChanges.csv", {"baseline": {}}, 400, "BAD_USER_INPUT", "candidate: is needed"),
        ("scrollChanges.csv", {"baseline": {}, "candidate": {"window": {"last": "x"}}}, 400, "BAD_USER_INPUT", "candidate.window"),
        ("pages.csv", {"page": PAGE}, 400, "BAD_USER_INPUT", "page: no parameter of this export"),
        ("pages.csv", {"url": {"regex": "("}}, 400, "BAD_USER_INPUT", "url.regex: no valid RE2"),
        ("pages.csv", {"siteId": "site_other"}, 404, "NOT_FOUND", "No site 'site_other'"),
        ("pages.csv", {"siteId": "site_export_free"}, 403, "PLAN_REQUIRED", "require the PRO plan"),
    ],
)
async def test_bad_requests_are_told_apart(
    http: AsyncClient, file: str, parameters: dict[str, Any], status: int, code: str, says: str
) -> None:
    response = await export(http, file, **parameters)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, code) and says in error["message"]
    assert error["message"].startswith(error["extensions"].get("argument", ""))


async def test_a_key_with_its_scope_is_needed(settings: Settings, http: AsyncClient) -> None:
    narrow = make_token(settings, "replay:read")
    http.headers["Authorization"] = f"Bearer {narrow}"
    forbidden = await export(http, "pages.csv")
    assert (forbidden.status_code, forbidden.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    del http.headers["Authorization"]
    nobody = await export(http, "pages.csv")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="heatgraph"')


async def test_replays_need_their_scope(settings: Settings, http: AsyncClient) -> None:
    http.headers["Authorization"] = f"Bearer {make_token(settings, 'heatmap:read')}"
    refused = await export(http, "replays.csv")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def test_ids_of_people_need_a_scope(settings: Settings, http: AsyncClient, data: DataSet) -> None:
    lens = {"kind": "CLICK", "url": {"prefix": "https"}, "window": window(data), "first": 5}
    named = await rows(http, "interactions", **lens)
    assert [bool(row["sessionId"] and row["visitorId"]) for row in named] == [True] * 5
    key = make_token(settings, "heatmap:read")
    http.headers["Authorization"] = f"Bearer {key}"
    narrower = await rows(http, "interactions", **lens)
    assert len(narrower) == 5 and all(
        row[name] is None for row in narrower for name in ("sessionId", "visitorId", "offsetSeconds", "replayUrl")
    )


async def test_only_get_and_each_parameter_once(http: AsyncClient) -> None:
    assert (await http.post("/export/pages.csv")).status_code == 405
    assert (await http.get("/export/pages.csv?siteId=a&siteId=b")).json()["errors"][0][
        "message"
    ] == "A parameter is given twice in the URL."
