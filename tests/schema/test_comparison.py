"""The interval of a difference of two proportions, against published examples."""

from __future__ import annotations

import pytest

from schema.comparison import RateChange
from schema.enums import RateBasis
from schema.rate import Rate


@pytest.mark.parametrize(
    ("one", "two", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 20), (0, 10), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((0, 20), (10, 10), 0.6791, 1.0000),
        ((0, 10), (10, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_newcombes(one: tuple[int, int], two: tuple[int, int], low: float, high: float) -> None:
    """Table II of Newcombe 1998, method 10: differences second row minus first, to the four digits printed."""
    change = RateChange.of(*(Rate.subset(k, n, RateBasis.SESSIONS) for k, n in (one, two)))
    assert [change.low, change.high] == pytest.approx([low, high], abs=5e-5)
    assert change.significant == (low > 0 or high < 0)
