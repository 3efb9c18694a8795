"""The breaker: when it opens, whom it lets through to try, and what closes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from clickhouse.breaker import NO_ANSWER, Breaker
from clickhouse.errors import BadUserInputError, DeadlineError, SilentSourceError, SourceUnavailableError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def try_once(breaker: Breaker, failure: BaseException | None = None) -> bool:
    """Whether the source was asked."""
    asked = False
    try:
        with breaker.watching():
            asked = True
            if failure:
                raise failure
    except BaseException as error:
        assert asked is (error is failure)
    return asked


def opened(failure: Callable[[], BaseException] = lambda: SourceUnavailableError("down")) -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(failures_to_open=3, open_s=10, clock=clock)
    for _ in range(3):
        assert try_once(breaker, failure())
    return breaker, clock


def test_opens_after_failures_in_a_row_and_says_why() -> None:
    breaker, _ = opened()
    assert breaker.state == "open"
    with pytest.raises(SourceUnavailableError, match="down"), breaker.watching():
        pytest.fail("the source was asked")


def test_silence_is_a_failure() -> None:
    breaker, _ = opened(lambda: SilentSourceError("late"))
    with pytest.raises(SourceUnavailableError, match=NO_ANSWER), breaker.watching():
        pytest.fail("the source was asked")


@pytest.mark.parametrize("answer", [None, BadUserInputError("no"), DeadlineError("the source itself gave up")])
def test_any_answer_counts_as_life(answer: BaseException | None) -> None:
    breaker = Breaker(failures_to_open=2)
    for failure in (SourceUnavailableError("down"), answer, SourceUnavailableError("down")):
        assert try_once(breaker, failure)
    assert breaker.state == "closed"


def test_one_that_nobody_waits_for_says_nothing() -> None:
    breaker, clock = opened()
    clock.now = 10
    assert try_once(breaker, asyncio.CancelledError())
    assert breaker.state == "open"


def test_one_at_a_time_tries_and_an_answer_closes() -> None:
    breaker, clock = opened()
    clock.now = 10
    assert breaker.state == "half-open"
    with breaker.watching():
        assert not try_once(breaker)
    assert breaker.state == "closed"


def test_a_failed_try_opens_it_again() -> None:
    breaker, clock = opened()
    clock.now = 10
    assert try_once(breaker, SourceUnavailableError("still down"))
    clock.now = 19
    assert not try_once(breaker)
    clock.now = 20
    assert try_once(breaker)
