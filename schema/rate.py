"""Rates: two integers, divided once, with the interval they allow."""

from __future__ import annotations

import math

import strawberry

from clickhouse.numbers import Z_95
from schema.cost import FREE
from schema.enums import RateBasis


@strawberry.type(description="A share with what it is a share of.", directives=[FREE])
class Rate:
    value: float | None = strawberry.field(
        description="numerator ÷ denominator, a fraction (0.25 is 25 %); null when the denominator is 0. Can exceed 1 where the numerator is no subset."
    )
    numerator: int = strawberry.field(description="The count that is divided.")
    denominator: int = strawberry.field(description="The count it is divided by, of the kind that `basis` names.")
    basis: RateBasis = strawberry.field(description="What the denominator counts.")
    low: float | None = strawberry.field(
        description="Lower end of the 95 % Wilson interval; null unless the numerator is a subset of the denominator."
    )
    high: float | None = strawberry.field(description="Upper end of the 95 % Wilson interval, likewise.")

    @classmethod
    def subset(cls, numerator: int | None, denominator: int, basis: RateBasis) -> Rate:
        """A proportion, with its interval; the same order of operations as `clickhouse.numbers`, so the same digits.

        A numerator that the source cannot tell (None) is a rate of nothing out of nothing.
        """
        if numerator is None:
            return cls.plain(0, 0, basis)
        if denominator == 0:
            return cls.plain(numerator, denominator, basis)
        share = numerator / denominator
        spread = Z_95 * math.sqrt(share * (1 - share) / denominator + Z_95 * Z_95 / (4 * denominator * denominator))
        middle = share + Z_95 * Z_95 / (2 * denominator)
        scale = 1 + Z_95 * Z_95 / denominator
        low, high = min(share, max(0.0, (middle - spread) / scale)), max(share, min(1.0, (middle + spread) / scale))
        return cls(value=share, numerator=numerator, denominator=denominator, basis=basis, low=low, high=high)

    @classmethod
    def plain(cls, numerator: int, denominator: int, basis: RateBasis) -> Rate:
        """A ratio whose numerator is no subset of its denominator."""
        value = numerator / denominator if denominator else None
        return cls(value=value, numerator=numerator, denominator=denominator, basis=basis, low=None, high=None)
