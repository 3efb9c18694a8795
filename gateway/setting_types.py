"""What may stand in a setting, checked when it is read, so that nobody hears of it from a worker or from a request.

ORIGINS.convert("https://app.example.com/", None, None)     -> click.BadParameter: 'https://app.example.com/' is no origin; …
"""

from __future__ import annotations

from collections.abc import Callable

import click

from clickhouse.client import Target


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


def _data_source(value: str) -> None:
    try:
        Target.parse(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is {error}.") from error


def _redis(value: str) -> None:
    if value:
        from redis import ConnectionPool

        try:
            ConnectionPool.from_url(value).make_connection()  # connects when it is used
        except (TypeError, ValueError) as error:  # without the value, which may hold a password
            raise ValueError(
                f"It is no address of a Redis: {error}. Give redis://[user:password@]host:6379/0, rediss://… or unix://…."
            ) from error


DATA_SOURCE = Checked("address", _data_source)
REDIS = Checked("address", _redis)
