"""The schema is a contract: its SDL is in git, every part of it is documented, and breaking changes are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
)
from graphql.utilities import find_breaking_changes

from tests.asking import SCHEMA

SNAPSHOT = Path(__file__).parents[2] / "schema" / "schema.graphql"
ACCEPTED_BREAKING_CHANGES: set[str] = set()
"""Descriptions of breaking changes made on purpose, each with its reason in the README's list of changes."""


def ours() -> Iterator[GraphQLNamedType]:
    for name, kind in SCHEMA._schema.type_map.items():
        if "__" not in name and not name.startswith("_") and name not in ("String", "Int", "Float", "Boolean", "ID"):
            yield kind


def test_no_change_breaks_clients() -> None:
    """Compared with the snapshot, so run it before refreshing that."""
    before = build_schema(SNAPSHOT.read_text(), assume_valid=True, assume_valid_sdl=True)
    after = build_schema(SCHEMA.as_str(), assume_valid=True, assume_valid_sdl=True)
    broken = {change.description for change in find_breaking_changes(before, after)}
    assert broken <= ACCEPTED_BREAKING_CHANGES


def test_the_snapshot_is_the_schema() -> None:
    assert SNAPSHOT.read_text() == SCHEMA.as_str() + "\n", "refresh it with: python -m gateway schema > schema/schema.graphql"


def test_everything_is_described() -> None:
    missing = []
    for kind in ours():
        if not kind.description:
            missing.append(kind.name)
        if isinstance(kind, GraphQLEnumType):
            missing += [f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description]
        if isinstance(kind, GraphQLInputObjectType):
            missing += [f"{kind.name}.{name}" for name, field in kind.fields.items() if not field.description]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                if name.startswith("_"):
                    continue  # federation's own
                if not field.description:
                    missing.append(f"{kind.name}.{name}")
                missing += [f"{kind.name}.{name}({argument})" for argument, given in field.args.items() if not given.description]
    assert missing == []


def test_a_breakpoint_has_one_name() -> None:
    """A layout is that of a source's tables."""
    assert "layout" not in SCHEMA.as_str().lower()


def test_dates_are_described_with_their_formats() -> None:
    for name, example in (("Date", "2026-04-01"), ("DateTime", "2026-04-01T12:00:00.250000+00:00")):
        scalar = SCHEMA._schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        assert example in (scalar.description or "")
        assert scalar.serialize(scalar.parse_value(example)) == example


def test_every_mutation_names_its_scope() -> None:
    mutations = SCHEMA._schema.mutation_type
    assert mutations is not None
    scopes = ("Scope element:write.", "Scope cohort:write.")
    assert [name for name, field in mutations.fields.items() if not (field.description or "").endswith(scopes)] == []


def test_an_argument_left_out_has_no_default_null() -> None:
    assert "= null" not in SCHEMA.as_str()
