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
    Enough of them are a burst and used up; else only the first is given up. Of the moments and places of a second only the first hundred
    are looked at.
    """
    left = sorted(clicks, key=spot)
    seconds: dict[int, list[tuple[int, Fraction, Fraction]]] = {}
    for moment_and_place in dict.fromkeys(map(spot, left)):
        seconds.setdefault(moment_and_place[0] // 1000, []).append(moment_and_place)
    seen = {moment_and_place for spots in seconds.values() for moment_and_place in spots[:100]}
    left = [click for click in left if spot(click) in seen]
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


def spot(click: Click) -> tuple[int, Fraction, Fraction]:
    return click.timestamp_ms, click.x, click.y


def near(one: Click, other: Click, rule: RageRule) -> bool:
    return (one.x - other.x) ** 2 + (one.y - other.y) ** 2 <= rule.radius_px**2
