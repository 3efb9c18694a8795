"""Apollo's 'Products' subgraph on our application factory: what every feature of federation looks like when it is served by it.

    python -m tests.federation.products 4001        for the suite @apollo/federation-subgraph-compatibility-tests

The schema and the data are the suite's: https://github.com/apollographql/apollo-federation-subgraph-compatibility/blob/main/COMPATIBILITY.md.
Anybody may ask, without a key.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import strawberry
import uvicorn
from starlette.applications import Starlette
from strawberry import ID, UNSET, federation
from strawberry.federation.schema_directives import Override
from strawberry.schema_directive import Location

from gateway.app import create_app
from gateway.settings import Settings
from schema.build import Subgraph
from tests.gateway.applications import Doorman

EMAIL = "support@apollographql.com"


@federation.schema_directive(
    locations=[Location.OBJECT], name="custom", compose=True, import_url="https://myspecs.dev/myCustomDirective/v1.0"
)
class Custom:
    pass


@federation.type(extend=True, keys=["email"])
class User:
    email: ID = federation.field(external=True)
    name: str | None = federation.field(override=Override(override_from="users", label=UNSET), default="Jane Smith")
    total_products_created: int | None = federation.field(external=True, default=1337)
    years_of_employment: int = federation.field(external=True, default=0)

    @federation.field(requires=["totalProductsCreated yearsOfEmployment"])
    def average_products_created_per_year(self) -> int | None:
        return round((self.total_products_created or 0) / self.years_of_employment) if self.years_of_employment else None

    @classmethod
    def resolve_reference(
        cls, info: strawberry.Info[Any], email: ID, totalProductsCreated: int | None = None, yearsOfEmployment: int = 0
    ) -> Self | None:
        return (
            cls(email=email, total_products_created=totalProductsCreated, years_of_employment=yearsOfEmployment) if email == EMAIL else None
        )


@federation.type(shareable=True)
class ProductDimension:
    size: str | None
    weight: float | None
    unit: str | None = federation.field(inaccessible=True)


@strawberry.type
class ProductVariation:
    id: ID


@strawberry.type
class CaseStudy:
    case_number: ID
    description: str | None


@federation.type(keys=["study { caseNumber }"])
class ProductResearch:
    study: CaseStudy
    outcome: str | None = None

    @classmethod
    def resolve_reference(cls, info: strawberry.Info[Any], study: dict[str, Any]) -> ProductResearch | None:
        return next((research for research in RESEARCH if research.study.case_number == study.get("caseNumber")), None)


@federation.type(keys=["sku package"])
class DeprecatedProduct:
    sku: str
    package: str
    reason: str | None
    created_by: User | None

    @classmethod
    def resolve_reference(cls, info: strawberry.Info[Any], sku: str, package: str) -> DeprecatedProduct | None:
        return DEPRECATED if (sku, package) == (DEPRECATED.sku, DEPRECATED.package) else None


@federation.type(keys=["id", "sku package", "sku variation { id }"], directives=[Custom()])
class Product:
    id: ID
    sku: str | None
    package: str | None
    variation: ProductVariation | None
    dimensions: ProductDimension | None
    created_by: User | None = federation.field(provides=["totalProductsCreated"])
    notes: str | None = federation.field(tags=["internal"])
    research: list[ProductResearch]

    @classmethod
    def resolve_reference(
        cls,
        info: strawberry.Info[Any],
        id: ID | None = None,
        sku: str | None = None,
        package: str | None = None,
        variation: dict[str, Any] | None = None,
    ) -> Product | None:
        for product in PRODUCTS:
            by_package = package is not None and (product.sku, product.package) == (sku, package)
            by_variation = variation is not None and product.variation and (product.sku, product.variation.id) == (sku, variation.get("id"))
            if product.id == id or by_package or by_variation:
                return product
        return None


@federation.interface_object(keys=["id"])
class Inventory:
    id: ID
    deprecated_products: list[DeprecatedProduct]

    @classmethod
    def resolve_reference(cls, info: strawberry.Info[Any], id: ID) -> Self:
        return cls(id=id, deprecated_products=[DEPRECATED])


JANE = User(email=ID(EMAIL))
DEPRECATED = DeprecatedProduct(
    sku="apollo-federation-v1", package="@apollo/federation-v1", reason="Migrate to Federation V2", created_by=JANE
)
RESEARCH = [
    ProductResearch(study=CaseStudy(case_number=ID("1234"), description="Federation Study")),
    ProductResearch(study=CaseStudy(case_number=ID("1235"), description="Studio Study")),
]
PRODUCTS = [
    Product(
        id=ID(f"apollo-{name}"),
        sku=name,
        package=f"@apollo/{name}" if name == "federation" else "",
        variation=ProductVariation(id=ID(variation)),
        dimensions=ProductDimension(size="small", weight=1, unit="kg"),
        created_by=JANE,
        notes=None,
        research=[research],
    )
    for name, variation, research in zip(("federation", "studio"), ("OSS", "platform"), RESEARCH, strict=True)
]


@federation.type(extend=True)
class Query:
    @strawberry.field
    def product(self, id: ID) -> Product | None:
        return next((product for product in PRODUCTS if product.id == id), None)

    @strawberry.field(deprecation_reason="Use product query instead")
    def deprecated_product(self, sku: str, package: str) -> DeprecatedProduct | None:
        return DEPRECATED if (sku, package) == (DEPRECATED.sku, DEPRECATED.package) else None


def create_products() -> Starlette:
    """ClickHouse is never asked."""
    schema = Subgraph(query=Query, types=[Inventory, ProductResearch], federation_version="2.3")
    app = create_app(Settings(clickhouse="http://127.0.0.1:9/none", secret="only for tests"), schema)
    connected = app.router.lifespan_context

    @asynccontextmanager
    async def open_to_all(app: Starlette) -> AsyncIterator[None]:
        async with connected(app):
            app.state.authenticator = Doorman()
            yield

    app.router.lifespan_context = open_to_all
    return app


if __name__ == "__main__":
    uvicorn.run(create_products(), port=int(sys.argv[1]))
