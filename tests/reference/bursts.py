"""Rage: bursts of clicks close in time and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeVar


class Click(Protocol):
    @property
    def timestamp_ms(self) -> int: ...

    @property
    def x(self) -> Fraction: ...

    @property
    def y(self) -> Fraction: ...


C = TypeVar("C", bound=Click)


@dataclass(frozen=True)
class RageRule:
    min_clicks: int = 5
    window_ms: int = 1000
    radius_px: float = 30


DEFAULT_RULE = RageRule()


def bursts(clicks: Sequence[C], rule: RageRule = DEFAULT_RULE) -> list[list[C]]:
    """The bursts among the clicks of one session on one page.

    From the earliest unused click take each following unused one that is in time and within the radius of all taken so far.
    Enough of them are a burst and used up; else only the first is given up.
    """
    left = sorted(clicks, key=lambda click: (click.timestamp_ms, click.x, click.y))
    found: list[list[C]] = []
    while left:
        taken = [left[0]]
        for click in left[1:]:
            if click.timestamp_ms <= left[0].timestamp_ms + rule.window_ms and all(near(click, other, rule) for other in taken):
                taken.append(click)
        if len(taken) >= rule.min_clicks:
            found.append(taken)
            left = [click for click in left if not any(click is used for used in taken)]
        else:
            left = left[1:]
    return found


def near(one: Click, other: Click, rule: RageRule) -> bool:
    return (one.x - other.x) ** 2 + (one.y - other.y) ** 2 <= rule.radius_px**2
