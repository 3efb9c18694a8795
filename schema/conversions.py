"""Conversions and what they are worth."""

from __future__ import annotations

from typing import Annotated, Any, Self

import strawberry

from clickhouse.conversions import MICROS
from schema.cost import DEPTHS
from schema.enums import RateBasis, ScrollUnit
from schema.rate import Rate

EventArgument = Annotated[
    str | None,
    strawberry.argument(
        description="The event that counts, by name (`eventNames` lists them); when left out every event with `conversion: true` or a `value`."
    ),
]


@strawberry.type(description="What converting events were worth, in one currency.")
class Revenue:
    currency: str | None = strawberry.field(description="As the tracker sent it; null when it sent none.")
    amount: float = strawberry.field(description="Sum of the events' values, in that currency.")

    @classmethod
    def list_of(cls, micros_by_currency: dict[str, int]) -> list[Self]:
        """By currency, alphabetically."""
        return [cls(currency=currency or None, amount=micros / MICROS) for currency, micros in sorted(micros_by_currency.items())]


@strawberry.type(description="Sessions that did something and converted afterwards.")
class Conversion:
    conversions: int = strawberry.field(description="Sessions that had a converting event afterwards.")
    rate: Rate = strawberry.field(description="These ÷ all sessions that did it.")
    revenue: list[Revenue] = strawberry.field(description="The value of these events, a currency an entry.")
    baseline: Rate = strawberry.field(
        description="To compare with: sessions of the lens that converted after their first row in it ÷ all its sessions."
    )

    @classmethod
    def of(cls, row: dict[str, Any], sessions: int, baseline: tuple[int, int]) -> Self:
        return cls(
            conversions=row["conversions"],
            rate=Rate.subset(row["conversions"], sessions, RateBasis.SESSIONS),
            revenue=Revenue.list_of(row["revenue_micros"]),
            baseline=Rate.subset(*baseline, RateBasis.SESSIONS),
        )


@strawberry.type(description="Sessions that got as far as a depth, and those of them that converted.")
class DepthConversion:
    depth: int = strawberry.field(description="Percent of the page's height, or CSS px from its top.")
    sessions: int = strawberry.field(description="Sessions whose deepest point is here or deeper.")
    conversions: int = strawberry.field(description="Those of them that had a converting event after their first pageview in the lens.")
    rate: Rate = strawberry.field(description="conversions ÷ sessions of this depth.")
    revenue: list[Revenue] = strawberry.field(description="The value of these events, a currency an entry.")

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        return cls(
            depth=row["depth"],
            sessions=row["sessions"],
            conversions=row["conversions"],
            rate=Rate.subset(row["conversions"], row["sessions"], RateBasis.SESSIONS),
            revenue=Revenue.list_of(row["revenue_micros"]),
        )


@strawberry.type(description="Whether those who get further down convert more.")
class DepthConversions:
    unit: ScrollUnit = strawberry.field(description="What depth is measured in.")
    baseline: Rate = strawberry.field(description="Sessions of the lens that converted after their first row in it ÷ all its sessions.")
    depths: list[DepthConversion] = strawberry.field(
        description="From the top down, as far as anybody got; 2000 at most.", directives=[DEPTHS]
    )

    @classmethod
    def of(cls, unit: ScrollUnit, rows: list[dict[str, Any]], baseline: tuple[int, int]) -> Self:
        return cls(unit=unit, baseline=Rate.subset(*baseline, RateBasis.SESSIONS), depths=[DepthConversion.from_row(row) for row in rows])
