"""Rates with their 95 % Wilson interval, shares and medians."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

Z_95 = 1.959963984540054


def wilson(numerator: int, denominator: int) -> tuple[float, float] | None:
    """Lower and upper bound of the proportion; None when nothing was observed."""
    if denominator == 0:
        return None
    p, n, z2 = numerator / denominator, denominator, Z_95**2
    centre = p + z2 / (2 * n)
    margin = Z_95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return min(p, max(0.0, (centre - margin) / (1 + z2 / n))), max(p, min(1.0, (centre + margin) / (1 + z2 / n)))


def rate(numerator: int, denominator: int, *, subset: bool) -> dict[str, Any]:
    """`subset`: the numerator counts some of what the denominator counts; only then there is an interval."""
    low, high = (wilson(numerator, denominator) if subset else None) or (None, None)
    return {
        "value": divided(numerator, denominator),
        "numerator": numerator,
        "denominator": denominator,
        "low": low,
        "high": high,
    }


def divided(numerator: int | Fraction, denominator: int) -> float | None:
    return float(Fraction(numerator) / denominator) if denominator else None


def mean(values: Iterable[int | Fraction]) -> float | None:
    listed = list(values)
    return divided(sum(listed, Fraction(0)), len(listed))


def exact_median(values: Iterable[int | Fraction]) -> Fraction:
    return statistics.median(sorted(Fraction(value) for value in values))


def median(values: Iterable[int | Fraction]) -> float | None:
    listed = list(values)
    return float(exact_median(listed)) if listed else None


def median_px(values: Iterable[int | Fraction]) -> int | None:
    """The median in whole px, halves to the even one."""
    listed = list(values)
    return round(exact_median(listed)) if listed else None
