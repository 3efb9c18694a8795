"""Spliced lists are what ordinary execution would have answered, whatever is selected."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client as SyncClient
from graphql import GraphQLField, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, execute_sync, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickhouse.client import Client, connect
from clickhouse.sites import Site
from tests.asking import NOW, SCHEMA, answer, ask, create_site, load

SITE = Site("site_splice", "Splice")
PAGE = "https://example.com/pricing"

WIDE = {
    "HeatmapPoint": ("heatmap(first: 40)", "points"),
    "ScrollBucket": ("scroll(step: 10)", "buckets"),
    "AttentionBand": ("attention(bandHeight: 100)", "bands"),
}


def rows() -> Iterator[dict[str, Any]]:
    at = int(NOW.timestamp() * 1000) - 3_600_000
    for session in range(12):
        shared = {
            "sessionId": f"s{session}",
            "visitorId": f"v{session % 7}",
            "url": PAGE,
            "viewportWidth": 1280,
            "viewportHeight": 800,
            "pageHeight": 3000,
        }
        yield shared | {"type": "pageview", "timestamp": at}
        yield shared | {"type": "scroll", "timestamp": at + 10, "scrollY": 173 * session}
        yield shared | {"type": "attention", "timestamp": at + 20, "scrollY": 100, "seconds": 0.5 * session}
        yield shared | {"type": "click", "timestamp": at + 900, "x": 640, "y": 2000}  # on nothing known
        for click in range(6):
            element: dict[str, Any] = [
                {},
                {"selector": "#buy", "tag": "button", "text": 'He said "buy" \\ €\n\u2028'},
                {"selector": "a > b"},
            ][(click + session) % 3]
            place = {"x": 1280 / 7 * click, "y": 100.5 * click, "fixed": click == 5}
            yield shared | {"type": "click", "timestamp": at + 100 * click + 1000} | place | element


@pytest.fixture(scope="module")
def loaded(dsn: str, database: SyncClient) -> str:
    create_site(database, SITE)
    load(database, SITE, rows())
    return dsn


@pytest.fixture
async def client(loaded: str) -> Any:
    client = await connect(loaded)
    yield client
    await client.close()


def object_fields(typename: str) -> dict[str, GraphQLField]:
    found = SCHEMA._schema.type_map[typename]
    assert isinstance(found, GraphQLObjectType)
    fields: dict[str, GraphQLField] = found.fields
    return fields


def below(field: GraphQLField) -> str | None:
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return kind.name if isinstance(kind, GraphQLObjectType) else None


def everything(typename: str) -> str:
    return " ".join(
        f"{name} {{ {everything(inner)} }}" if (inner := below(field)) else name for name, field in object_fields(typename).items()
    )


@st.composite
def selections(draw: st.DrawFn, typename: str, depth: int = 0) -> str:
    """A valid selection set: aliases, repeated fields, inline and named fragments, @include and @skip, nested objects."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from([*object_fields(typename), "__typename"]))
        inner = below(object_fields(typename)[name]) if name != "__typename" else None
        alias = f"{name}_{draw(st.sampled_from('ab'))}{'o' if inner else ''}: " if draw(st.booleans()) else ""
        directive = draw(st.sampled_from(["", "", " @include(if: $yes)", " @skip(if: $yes)", " @include(if: false)"]))
        part = f"{alias}{name}{directive}"
        if inner:
            part += f" {{ {draw(selections(inner, depth + 1))} }}"
        wrap = draw(st.sampled_from(["plain", "plain", "inline", "typed", "spread"]))
        if wrap == "inline":
            part = f"... @include(if: $yes) {{ {part} }}"
        elif wrap == "typed":
            part = f"... on {typename} {{ {part} }}"
        elif wrap == "spread":
            part = f"...All{typename}"
        parts.append(part)
    named = draw(st.booleans())  # else every field may be skipped
    return " ".join([*parts, *(["__typename" if depth else "last: __typename"] if named else [])])


def fragments(typename: str, text: str) -> str:
    """The named fragments that a selection spreads."""
    return "".join(
        f"\nfragment All{name} on {name} {{ {everything(name)} }}" for name in (typename, "PointElement", "Rate") if f"...All{name}" in text
    )


def as_object(value: Any) -> Any:
    return SimpleNamespace(**{key: as_object(inner) for key, inner in value.items()}) if isinstance(value, dict) else value


def in_order(value: Any) -> Any:
    """Objects as lists of pairs, because the order of keys counts too."""
    if isinstance(value, dict):
        return [(key, in_order(inner)) for key, inner in value.items()]
    return [in_order(item) for item in value] if isinstance(value, list) else value


def ordinarily(typename: str, selected: str, rows: list[dict[str, Any]]) -> Any:
    """The same selection on the same rows, object by object, by graphql-core alone."""
    plain: dict[str, GraphQLObjectType] = {}

    def plain_type(name: str) -> GraphQLObjectType:
        if name not in plain:
            plain[name] = GraphQLObjectType(
                name, lambda: {key: GraphQLField(plain_kind(field)) for key, field in object_fields(name).items()}
            )
        return plain[name]

    def plain_kind(field: GraphQLField) -> Any:
        inner = below(field)
        if inner is None:
            kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
            return GraphQLNonNull(kind) if isinstance(field.type, GraphQLNonNull) else kind
        return GraphQLNonNull(plain_type(inner)) if isinstance(field.type, GraphQLNonNull) else plain_type(inner)

    root = GraphQLObjectType("Query", {"rows": GraphQLField(GraphQLList(plain_type(typename)))})
    document = parse(f"query ($yes: Boolean!) {{ rows {{ {selected} }} }}{fragments(typename, selected)}")
    enum_values = [as_object(row) for row in rows]
    result = execute_sync(GraphQLSchema(root), document, SimpleNamespace(rows=enum_values), variable_values={"yes": True})
    assert not result.errors, result.errors
    assert result.data is not None
    return result.data["rows"]


async def spliced(client: Client, typename: str, selected: str) -> Any:
    parent, field = WIDE[typename]
    query = f"""query ($yes: Boolean!) {{ site(siteId: "{SITE.site_id}") {{ page(key: "{PAGE}") {{ insights {{
        wide: {parent} {{ other: {field} {{ __typename }} rows: {field} {{ {selected} }} }}
        used: meta @include(if: $yes) {{ sessions }} }} }} }} }}{fragments(typename, selected)}"""
    data = await ask(client, query, yes=True)
    return data["site"]["page"]["insights"]["wide"]["rows"]


@pytest.mark.parametrize("typename", list(WIDE))
def test_any_selection_is_answered_as_ordinary_execution_would(loaded: str, typename: str) -> None:
    async def compare() -> None:
        client = await connect(loaded)
        whole = await spliced(client, typename, everything(typename))
        assert len(whole) >= 5

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(selections(typename))
        def examples(selected: str) -> None:
            expected = ordinarily(typename, selected, whole)
            found = asyncio.run_coroutine_threadsafe(spliced(client, typename, selected), loop).result()
            assert in_order(found) == in_order(expected), selected

        loop = asyncio.get_running_loop()
        await asyncio.to_thread(examples)
        await client.close()

    asyncio.run(compare())


NOTHING = "__typename @skip(if: true)"
LISTS = f"""heatmap {{ rows: points {{ {NOTHING} }} objects: points {{ element {{ {NOTHING} }} }} }}
    scroll {{ rows: buckets {{ {NOTHING} }} objects: buckets {{ reach {{ {NOTHING} }} }} }}
    attention {{ rows: bands {{ {NOTHING} }} }}
    breakdown(by: DEVICE) {{ {NOTHING} }}
    timeline {{ {NOTHING} }}
    elements {{ nodes {{ breakdown(by: DEVICE) {{ {NOTHING} }} }} }}"""
CHANGES = f"""elements {{ {NOTHING} }} cells {{ {NOTHING} }} objects: cells {{ count {{ {NOTHING} }} element {{ {NOTHING} }} }}
    scroll {{ buckets {{ {NOTHING} }} }}"""


async def test_an_object_of_which_every_field_is_skipped_is_empty(client: Client) -> None:
    query = f"""{{ site(siteId: "{SITE.site_id}") {{ filterValues(dimension: DEVICE) {{ {NOTHING} }}
        page(key: "{PAGE}") {{ insights {{ {LISTS} }} compare(baseline: {{}}, candidate: {{}}) {{ {CHANGES} }} }} }} }}"""
    site = (await ask(client, query))["site"]
    found, changes = site["page"]["insights"], site["page"]["compare"]
    lists = [site["filterValues"], found["heatmap"]["rows"], found["scroll"]["rows"], found["attention"]["rows"], found["breakdown"]]
    lists += [found["timeline"], *(node["breakdown"] for node in found["elements"]["nodes"])]
    lists += [changes["elements"], changes["cells"], changes["scroll"]["buckets"]]
    for rows in lists:
        assert rows == [{}] * len(rows) != []
    elements = [point["element"] for point in found["heatmap"]["objects"]]
    assert {} in elements and None in elements and all(element in ({}, None) for element in elements)
    assert {"count": {}, "element": {}} in changes["objects"] and {"count": {}, "element": None} in changes["objects"]
    assert all(bucket == {"reach": {}} for bucket in found["scroll"]["objects"])


async def test_an_alias_that_clickhouse_does_not_take_is_said(client: Client) -> None:
    below = "heatmap { points { element { null: label } } }"
    found = await answer(client, f'{{ site(siteId: "{SITE.site_id}") {{ page(key: "{PAGE}") {{ insights {{ {below} }} }} }} }}')
    assert [(error["code"], error["path"][-1]) for error in found["errors"]] == [("BAD_USER_INPUT", "heatmap")]
    assert "give label of PointElement another alias" in found["errors"][0]["message"]


async def test_a_page_without_rows_has_empty_lists(client: Client) -> None:
    query = f"""{{ site(siteId: "{SITE.site_id}") {{ page(key: "{PAGE}") {{
        insights(window: {{between: {{from: "{NOW.year - 1}-01-01", to: "{NOW.year - 1}-01-02"}}}}) {{
            heatmap {{ total maxCount points {{ x }} }} scroll {{ averageDepth buckets {{ depth }} }} attention {{ bands {{ y }} }} }} }} }} }}"""
    found = (await ask(client, query))["site"]["page"]["insights"]
    assert found == {
        "heatmap": {"total": 0, "maxCount": 0, "points": []},
        "scroll": {"averageDepth": None, "buckets": []},
        "attention": {"bands": []},
    }
