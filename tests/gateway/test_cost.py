"""Cost by the weights of the real schema: what is estimated from the document, and what an answer turned out to cost."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import orjson
import pytest
from graphql import DocumentNode, OperationDefinitionNode, get_named_type, is_leaf_type, parse

from gateway.cost import MAX_REMEMBERED_BYTES, REMEMBERED_OPERATIONS, Costs, OperationCost, refuse_expensive
from gateway.documents import MAX_REMEMBERED_CHARACTERS, REMEMBERED_CHARACTERS, DocumentError, Documents
from gateway.settings import Settings
from schema.build import build_schema

SCHEMA = build_schema()
COSTS = Costs(SCHEMA)
PAGE = 'site(siteId: "s") { page(key: "k") { insights { %s } } }'  # three objects


def cost_of(query: str, **variables: Any) -> OperationCost:
    document = parse(query)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return COSTS.of(operation, document, variables)


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ __typename }", 0),
        ("{ viewer { keyId } }", 1),
        ("{ a: viewer { keyId } b: viewer { keyId } }", 2),
        ("{ " + PAGE % "unattributed" + " }", 3 + 10),
        ("{ " + PAGE % "heatmap { total points { x element { text } } }" + " }", 3 + 10 + 1 + 500),
        ("{ " + PAGE % "heatmap(first: 7) { points { x } }" + " }", 3 + 10 + 1 + 7),
        ("{ " + PAGE % "heatmap(first: 2147483647) { points { x } }" + " }", 3 + 10 + 1 + 100_000),
        ("{ " + PAGE % "elements(first: 3) { totalCount }" + " }", 3 + 10 + 1),
        ("{ " + PAGE % "elements(first: 3) { nodes { clicks } edges { node { clickRate { value } } } }" + " }", 3 + 10 + 1 + 3 + 3 * 2),
        ("{ " + PAGE % "elements(first: 0) { nodes { clicks } }" + " }", 3 + 10 + 1 + 1),
        ("{ " + PAGE % "breakdown(by: COUNTRY) { value }" + " }", 3 + 10 + 20),
        ("{ sites { nodes { pages(first: 100) { nodes { key } } } } }", 1 + 25 * (1 + 10 + 1 + 100)),
        ("{ " + PAGE % "scroll { buckets { depth reach { value } } }" + " }", 3 + 10 + 1 + 100),
        ("{ " + PAGE % "attention { bands { y reach { value } } }" + " }", 3 + 10 + 1 + 100),
        ("{ " + PAGE % "conversionsByDepth { depths { depth revenue { total } } }" + " }", 3 + 10 + 1 + 100 * (1 + 10)),
        ('{ site(siteId: "s") { compare(baseline: {}, candidate: {}) { scroll { buckets { depth } } } } }', 2 + 10 + 1 + 100),
        ('{ nodes(ids: ["a", "b"]) { id } }', 2 + 2),
        ('{ site(siteId: "s") { pages(segment: {country: ["DE", "AT"]}) { totalCount } } }', 1 + 10 + 1 + 2),
        ('{ site(siteId: "s") { insights(url: {regex: ".*"}) { id } } }', 1 + 1 + 100),
        ('{ site(siteId: "s") { pages(segment: {performed: [{name: "a"}, {name: "b"}]}) { totalCount } } }', 1 + 10 + 1 + 2 * (1 + 100)),
        (
            "{ ...A } fragment A on Query { viewer { keyId } ... { sites(first: 2) { ...B } } } fragment B on SiteConnection { nodes { id } }",
            4,
        ),
    ],
)
def test_what_a_query_costs(query: str, cost: int) -> None:
    assert cost_of(query).estimated == cost


MUTATIONS = SCHEMA._schema.mutation_type.fields  # type: ignore[union-attr]


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_costs_the_same(name: str) -> None:
    below = "" if is_leaf_type(get_named_type(MUTATIONS[name].type)) else " { id }"
    assert cost_of(f'mutation {{ {name}(siteId: "s"){below} }}').estimated == 10_000 + bool(below)


def test_variables_count_as_sent_else_by_their_default() -> None:
    query = "query ($n: Int = 4) { sites(first: $n) { nodes { id } } }"
    assert [cost_of(query, **sent).estimated for sent in ({}, {"n": 2})] == [1 + 4, 1 + 2]
    # null is a value, so that the operation's default is not used: it is executed with the field's own, 25
    assert cost_of(query, n=None).estimated == 1 + 25
    segment = 'query ($c: [String!], $u: UrlMatch!) { site(siteId: "s") { insights(url: $u, segment: {country: $c}) { id } } }'
    assert cost_of(segment, c=["a"] * 1000, u={"regex": "x"}).estimated == 1 + 1 + 1000 + 100


@pytest.mark.parametrize(
    "query",
    [
        "query ($entries: [ID!]! = %s) { nodes(ids: $entries) { id } }",
        "query ($entries: [_Any!]! = %s) { _entities(representations: $entries) { __typename } }",
    ],
)
def test_a_list_that_is_the_default_of_a_variable_counts_entry_by_entry(query: str) -> None:
    hundred = [str(number) for number in range(100)]
    by_default = query % orjson.dumps(hundred).decode()
    assert cost_of(by_default).estimated == cost_of(query % "[]", entries=hundred).estimated == 100 + 100
    assert cost_of(by_default, entries=["a"]).estimated == cost_of(query % '"a"').estimated + 1 == 1 + 1


def test_what_is_asked_again_is_counted_once_for_the_same_variables_and_operation_only() -> None:
    document = parse("query A($n: Int) { sites(first: $n) { nodes { id } } } query B { viewer { keyId } }")
    sites, viewer = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    asked = [(sites, {"n": 2}), (sites, {"n": 3}), (viewer, {"n": 2}), (sites, {"n": 2})]
    costs = [COSTS.of(operation, document, variables) for operation, variables in asked]
    assert [cost.estimated for cost in costs] == [1 + 2, 1 + 3, 1, 1 + 2]
    assert costs[0] is costs[3]


def test_what_is_remembered_is_bounded() -> None:
    costs, document = Costs(build_schema()), parse("query ($n: Int) { sites(first: $n) { nodes { id } } }")
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    for number in range(REMEMBERED_OPERATIONS + 5):
        costs.of(operation, document, {"n": number})
    assert len(costs._remembered) == REMEMBERED_OPERATIONS
    asked = document, {"n": 1, "more": "x" * MAX_REMEMBERED_BYTES}
    assert costs.of(operation, *asked) is not costs.of(operation, *asked)


def test_documents_that_are_remembered_are_bounded_and_those_that_are_not_have_no_costs_remembered() -> None:
    schema = build_schema()
    documents, costs = Documents(schema, max_tokens=3_000, limits=Settings().shape_limits), Costs(schema)

    def ask(number: int, length: int) -> tuple[DocumentNode, OperationCost]:
        document = documents.prepare(f"{{ a{number}: __typename }}".ljust(length))
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        return document, costs.of(operation, document, {})

    assert all(one is other for one, other in zip(ask(0, MAX_REMEMBERED_CHARACTERS), ask(0, MAX_REMEMBERED_CHARACTERS), strict=True))
    before = len(costs._remembered)
    assert ask(0, MAX_REMEMBERED_CHARACTERS + 1)[0] is not ask(0, MAX_REMEMBERED_CHARACTERS + 1)[0]
    assert len(costs._remembered) == before == 1
    many = 2 * REMEMBERED_CHARACTERS // MAX_REMEMBERED_CHARACTERS
    asked = [weakref.ref(ask(number, MAX_REMEMBERED_CHARACTERS)[0]) for number in range(many)]
    gc.collect()
    alive = [document() is not None for document in asked]
    assert sum(alive) == REMEMBERED_CHARACTERS // MAX_REMEMBERED_CHARACTERS and alive[-1]


def test_a_bomb_of_fragments_is_counted_at_once() -> None:
    chain = "".join(
        f" fragment F{i} on Site {{ a: pages {{ nodes {{ site {{ ...F{i + 1} }} }} }} b: cohorts {{ totalCount }} }}" for i in range(40)
    )
    cost = cost_of('{ site(siteId: "s") { ...F0 } }' + chain + " fragment F40 on Site { name }").estimated
    assert cost > 25**40
    with pytest.raises(DocumentError, match="1 errors") as refused:
        refuse_expensive(cost, 250_000)
    assert "over a billion, and 250000 is the most" in refused.value.errors[0].message


def test_what_an_answer_cost() -> None:
    query = "query ($s: Boolean!) { ...F ...F v: viewer @skip(if: $s) { keyId } } fragment F on Query { sites { nodes { id domains } edges { node { id } } } }"
    cost = cost_of(query, s=True)
    data = {"sites": {"nodes": [{"id": "1", "domains": []}, {"id": "2", "domains": []}], "edges": []}}
    assert cost.estimated == 2 * (1 + 25 + 25 * 2) + 1
    assert cost.actual(data, {}) == 1 + 2
    assert cost.actual(None, {}) == 0


def test_rows_that_were_spliced_are_counted() -> None:
    cost = cost_of("{ " + PAGE % "heatmap { points { x element { text } } }" + " }")
    points = orjson.Fragment('[{"x":1},{"x":2}]')
    data = {"site": {"page": {"insights": {"heatmap": {"points": points}}}}}
    assert cost.actual(data, {id(points): 2}) == 3 + 10 + 1 + 2
