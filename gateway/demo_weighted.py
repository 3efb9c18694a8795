"""Chance in the demo: what is drawn more often than something else."""

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Things to draw from by weight."""

    def __init__(self, things: list[tuple[T, float]]) -> None:
        self.things = [thing for thing, _ in things]
        self.cumulated = list(accumulate(weight for _, weight in things))

    def draw(self, random: Random) -> T:
        return self.things[bisect(self.cumulated, random.random() * self.cumulated[-1], hi=len(self.things) - 1)]
