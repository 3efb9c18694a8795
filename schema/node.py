"""Relay's Node."""

from __future__ import annotations

import strawberry


@strawberry.interface(description="Something that can be fetched again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque id; pass it to `node(id:)`.")
