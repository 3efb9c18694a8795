"""The checksum of a cursor has no secret: whatever values somebody writes into one, every listing answers, or says that it is none of ours."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse import clock
from clickhouse.client import Client
from clickhouse.lens import Window
from clickhouse.sites import Site
from resolvers import cursors
from tests.asking import NOW, answer, ask, create_site, load

SITE = Site("site_forged", "Forged")
PAGE = "https://example.com/"


@pytest.fixture(scope="module", autouse=True)
def loaded(database: SyncClient) -> None:
    shared = {"visitorId": "v", "url": PAGE, "viewportWidth": 400, "viewportHeight": 800, "x": 10, "selector": "#buy"}
    rows: list[dict[str, Any]] = []
    for session in range(2):
        for type_ in ("pageview", "click", "dead", "rage"):
            at = (NOW - timedelta(hours=2, minutes=session)).isoformat()
            more = {"y": 100 * session, "selector": f"#buy{session}", "sessionId": f"s{session}", "type": type_, "timestamp": at}
            rows.append(shared | more | ({"clicks": 5} if type_ == "rage" else {}))
    load(database, create_site(database, SITE), rows)


def listed(listing: str, after: str = "") -> str:
    arguments = f"(first: 1{after})"
    return f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "{PAGE}") {{ insights {{ {listing}{arguments} {{ pageInfo {{ endCursor }} }} }} }} }} }}'


async def cursor_of(client: Client, listing: str) -> list[Any]:
    """What its payload holds."""
    found = (await ask(client, listed(listing)))["site"]["page"]["insights"][listing]["pageInfo"]["endCursor"]
    assert found, listing
    payload: list[Any] = orjson.loads(base64.urlsafe_b64decode(found + "=" * (-len(found) % 4))[8:])
    return payload


NUMBERS: tuple[Any, ...] = (
    -(2**63),
    -62_135_596_800_001,
    -1,
    256,
    2**32,
    253_402_300_800_000,
    2**62,
    2**63,
    2**64 - 1,
    0.5,
    True,
    None,
    [],
    "x",
)


@pytest.mark.parametrize("listing", ["interactions", "replays", "elements", "heatmap", "rageClicks", "deadClicks"])
async def test_a_value_is_answered_or_refused(client: Client, listing: str) -> None:
    binding, spec, start, end, values = await cursor_of(client, listing)
    window, refused = Window(clock.instant(start), clock.instant(end)), 0
    for place in range(len(values)):
        for number in NUMBERS:
            forged = cursors.encode(binding, cursors.Cursor(window, spec, (*values[:place], number, *values[place + 1 :])))
            errors = (await answer(client, listed(listing, f', after: "{forged}"')))["errors"]
            assert [error["code"] for error in errors] in ([], ["BAD_USER_INPUT"]), (place, number, errors)
            refused += bool(errors)
            assert all(error["message"].startswith("after: this is no cursor of ours") for error in errors)
    assert refused > len(values)
