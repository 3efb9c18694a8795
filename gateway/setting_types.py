"""What may stand in a setting, checked when it is read, so that nobody hears of it from a worker or from a request.

ORIGINS.convert("https://app.example.com/", None, None)     -> click.BadParameter: 'https://app.example.com/' is no origin; …
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import click

from clickhouse.target import Target

ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^\s/?#@,A-Z]+")


class Count(click.IntRange):
    """A click.IntRange that says what is allowed also of what is no number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        _require(int, value, self, param, ctx)
        return super().convert(value, param, ctx)


class Seconds(click.FloatRange):
    """A click.FloatRange that does, and does not take nan for a number of any range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        _require(float, value, self, param, ctx)
        return super().convert(value, param, ctx)


def _require(
    kind: type[int | float], value: Any, allowed: Count | Seconds, param: click.Parameter | None, ctx: click.Context | None
) -> None:
    with suppress(ValueError):
        number = kind(value)
        if number == number:  # nan is not equal to itself
            return
    name = "whole number" if kind is int else "number"
    allowed.fail(f"{value!r} is no {name}; give one from {allowed.min} to {allowed.max}.", param, ctx)


class Checked(click.ParamType[str]):
    """Text, and what raises ValueError with the reason why it is not one of these."""

    def __init__(self, name: str, check: Callable[[str], object]) -> None:
        self.name = name
        self._check = check

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self._check(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


def listed(text: str) -> list[str]:
    """What stands between commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _data_source(value: str) -> None:
    try:
        Target.parse(value)
    except ValueError as error:
        raise ValueError(f"{_without_password(value)!r} is {error}.") from error


def _without_password(address: str) -> str:
    """As it may stand in a log."""
    return re.sub(r"(?<=//).*@", "…@", address)


def _nodes(value: str) -> None:
    for address in listed(value):
        if not address.startswith(("http://", "https://")):
            raise ValueError(
                f"{_without_password(address)!r} is no node; give http(s)://user:password@host:8123/database of each, separated by commas."
            )
        _data_source(address)


def _origins(value: str) -> None:
    for origin in listed(value):
        if not ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is no origin; one reads https://app.example.com, in small letters, with no path or slash behind it."
            )


def _redis(value: str) -> None:
    if value:
        from redis import ConnectionPool

        try:
            ConnectionPool.from_url(value).make_connection()  # connects when it is used
        except (TypeError, ValueError) as error:  # without the value, which may hold a password
            raise ValueError(
                f"It is no address of a Redis: {error}. Give redis://[user:password@]host:6379/0, rediss://… or unix://…."
            ) from error


def check_replay_url(value: str) -> None:
    try:
        parts = urlsplit(value)
    except ValueError:  # a host that is none, as in https://[::1/
        parts = urlsplit("")
    bare = re.sub(r"\{(?:sessionId|visitorId|offsetSeconds|date)\}", "", value)
    is_https = parts.scheme == "https" and parts.hostname and "{" not in parts.netloc
    if value and (not is_https or "{sessionId}" not in value or re.search(r"[{}\s]", bare)):
        raise ValueError(
            f"{value!r} must be an https:// address with {{sessionId}} behind its host; {{visitorId}}, {{offsetSeconds}} and {{date}} may"
            " stand there too, but no other braces or spaces."
        )


DATA_SOURCE = Checked("address", _data_source)
NODES = Checked("addresses", _nodes)
ORIGINS = Checked("origins", _origins)
REDIS = Checked("address", _redis)
REPLAY_URL = Checked("address", check_replay_url)
