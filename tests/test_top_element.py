"""The element most of a cell's interactions were on, also when its text changes from click to click."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient

from clickhouse.client import Client
from clickhouse.sites import Site
from tests.asking import NOW, ask, create_site, load

SITE = Site("site_top", "Top")
PAGE = "https://example.com/"
AT = int(NOW.timestamp() * 1000) - 3_600_000
LIKES = [("#likes", "a", f"Like ({count})") for count in (12, 13, 13, 14)]
CLICKED = [*LIKES, *[("#save", "b", "Save")] * 3]


@pytest.fixture(autouse=True)
def loaded(database: SyncClient) -> None:
    shared = {"type": "click", "url": PAGE, "viewportWidth": 1280, "x": 100, "y": 100}
    rows: list[dict[str, Any]] = [
        {"timestamp": AT + 60_000 * number, "sessionId": f"s{number}", "visitorId": "v", "selector": selector, "tag": tag, "text": text}
        | shared
        for number, (selector, tag, text) in enumerate(CLICKED)
    ]
    rows += [{**rows[-1], "timestamp": AT, "sessionId": f"t{x}", "x": x} for x in (900, 901)]  # a cell of its own
    assert not load(database, create_site(database, SITE), rows).rejected


async def test_a_changing_text_does_not_hide_the_most_frequent_element(client: Client) -> None:
    element = "element { selector tag text }"
    heatmap = f"insights {{ heatmap {{ points {{ count {element} }} }} }}"
    lens = '{window: {last: "-7d"}}'
    compare = f"compare(baseline: {lens}, candidate: {lens}) {{ cells {{ x {element} }} }}"
    page = (await ask(client, f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "{PAGE}") {{ {heatmap} {compare} }} }} }}'))["site"]["page"]
    likes, save = ({"selector": "#likes", "tag": "a", "text": "Like (13)"}, {"selector": "#save", "tag": "b", "text": "Save"})
    assert page["insights"]["heatmap"]["points"] == [{"count": 7, "element": likes}, {"count": 2, "element": save}]
    assert {cell["x"]: cell["element"] for cell in page["compare"]["cells"]} == {89.6: likes, 896.0: save}
