"""Questions that ask for all the schema has: whatever a field's type holds, under each of the arguments listed here.

asked("Insights", "scroll")     -> "a0: scroll { unit pageviews … } a1: scroll(unit: PIXEL) { … } …"
"""

from __future__ import annotations

from itertools import product

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    build_schema,
    get_named_type,
)

from tests.asking import SCHEMA

GRAPH = build_schema(SCHEMA.as_str(), assume_valid=True)
TYPES = GRAPH.type_map
REFERENCES = ("Site", "Page", "Insights", "Element", "Replay", "Cohort")
"""Inside of other types their ids will do, or their questions would never end; `FURTHER` has more of them."""
FURTHER = {"ElementStats.element", "ReplayEdge.node", "CohortEdge.node", "SpotReplay.replay", "Interaction.replay"}
REQUIRED = {"by": "BROWSER"}
KINDS = ("CLICK", "RAGE_CLICK", "DEAD_CLICK", "MOVE")
AGGREGATIONS = ("TOTAL", "UNIQUE_VISITORS", "UNIQUE_SESSIONS")


def values(enum: str) -> list[str]:
    kind = TYPES[enum]
    assert isinstance(kind, GraphQLEnumType)
    return list(kind.values)


def each(argument: str, enum: str) -> list[str]:
    return [f"{argument}: {value}" for value in values(enum)]


def ordered(enum: str) -> list[str]:
    """By each, and by the last one upside down."""
    *first, last = values(enum)
    return [f"orderBy: {{field: {field}}}" for field in first] + [
        f"orderBy: {{field: {last}, direction: {direction}}}" for direction in ("ASC", "DESC")
    ]


REPLAYS = [
    *ordered("ReplayOrderField"),
    "having: {minRage: 1}",
    "having: {minDead: 1, minDurationSeconds: 1.5}",
    'having: {visitedPage: {path: "/pricing"}}',
    'having: {visitedPage: {regex: ".*enterprise"}, performed: [{name: "signup"}]}',
    'having: {performed: [{name: "purchase"}, {name: "signup", minCount: 2}]}',
]
SCROLL = [f"unit: {unit}, aggregation: {by}" for unit, by in product(("PERCENT", "PIXEL"), AGGREGATIONS)] + ["unit: PIXEL, step: 100"]
ARGUMENTS: dict[str, list[str]] = {
    "Insights.fold": each("kind", "PointKind"),
    "Insights.heatmap": [
        *(f"kind: {kind}, aggregation: {by}" for kind, by in product(KINDS, AGGREGATIONS)),
        "ctasOnly: true",
        "hideOrigin: false",
        "cell: {width: 40.5, height: 90}, kind: MOVE",
        "first: 3",
    ],
    "Insights.rageClicks": ["", "rule: {minClicks: 2, windowMs: 10000, radiusPx: 500}", "first: 1"],
    "Insights.deadClicks": ["", "first: 1"],
    "Insights.scroll": SCROLL,
    "Insights.attention": ["", "bandHeight: 100, top: 50"],
    "Insights.elements": [
        *ordered("ElementOrderField"),
        'orderBy: {field: CONVERSIONS, event: "signup"}',
        *(f"groupBy: {by}, orderBy: {{field: CLICKS}}" for by in values("ElementGrouping")),
        "ctasOnly: true",
        "deleted: true",
    ],
    "Insights.element": ['selector: "#signup"', 'selector: "#chat"', 'selector: "div.hero-image"'],
    "Insights.conversionsByDepth": ["", 'event: "signup"', 'event: "purchase", unit: PIXEL, step: 300'],
    "Insights.interactions": [
        *each("kind", "PointKind"),
        "hideOrigin: false",
        "points: [{relativeX: 0.0, y: 0}, {relativeX: 0.5, y: 8}, {relativeX: 0.005, y: 600, fixed: true}], hideOrigin: false",
        "points: [{relativeX: 0.5, y: 100}], cell: {width: 400, height: 1000}",
    ],
    "Insights.replays": REPLAYS,
    "Insights.breakdown": [*each("by", "Dimension"), "by: COUNTRY, first: 1"],
    "Insights.timeline": each("interval", "Interval"),
    "Comparison.fold": each("kind", "PointKind"),
    "Comparison.scroll": SCROLL,
    "Comparison.elements": each("orderBy", "ChangeOrder"),
    "Comparison.cells": [f"kind: {kind}, orderBy: {order}" for kind, order in product(KINDS, ("COUNT", "SHARE"))],
    "Site.pages": [*ordered("PageOrderField"), 'search: "pric"', "first: 2"],
    "Site.matchedPages": [f"url: {{{rule}}}" for rule in ('path: "/pricing"', 'prefix: "https://"', 'regex: ".*"', 'wildcard: "*pri*"')],
    "Site.filterValues": [*each("dimension", "Dimension"), 'dimension: COUNTRY, search: "d"', "dimension: BROWSER, first: 1"],
    "Site.eventNames": ["", 'search: "sign"', "first: 1"],
    "Site.replays": REPLAYS,
}


def asked(owner: str, name: str, lens: str = "") -> str:
    """The field with each of its arguments, `lens` beside those it takes."""
    field = fields_of(TYPES[owner])[name]
    variants = ARGUMENTS.get(f"{owner}.{name}", [""])
    return " ".join(_called(f"a{number}: {name}", field, f"{given} {lens}".strip(), owner) for number, given in enumerate(variants))


def fields_of(kind: GraphQLNamedType) -> dict[str, GraphQLField]:
    assert isinstance(kind, GraphQLObjectType)
    return dict(kind.fields)


def everything(kind: GraphQLNamedType, owner: str | None = None) -> str:
    """The selection of all that a value of `kind` holds, where it is `owner`, a field."""
    if not isinstance(kind, GraphQLObjectType):
        return ""
    if kind.name in REFERENCES and owner and owner not in FURTHER:
        return "{ id }"
    names = [
        name for name, field in kind.fields.items() if not (name == "nodes" and "edges" in kind.fields) and _needed(field) <= {*REQUIRED}
    ]
    return "{ " + " ".join(_field(kind, name) for name in names) + " }"


def _field(kind: GraphQLObjectType, name: str) -> str:
    field = kind.fields[name]
    return _called(name, field, ", ".join(f"{argument}: {REQUIRED[argument]}" for argument in _needed(field)), f"{kind.name}.{name}")


def _needed(field: GraphQLField) -> set[str]:
    return {name for name, one in field.args.items() if isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined}


def _called(called: str, field: GraphQLField, arguments: str, owner: str) -> str:
    return f"{called}{f'({arguments})' if arguments else ''} {everything(get_named_type(field.type), owner)}"
