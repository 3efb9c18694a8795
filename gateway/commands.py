"""What the commands of `python -m gateway` have in common: how they fail, how they name a site, and how they list."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import click

from clickhouse.errors import HeatgraphError
from clickhouse.names import checked_name

SITE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Refusal(click.ClickException):
    exit_code = 2


class Commands(click.Group):
    """Foreseen errors end a command in one line and exit code 2, never in a traceback."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        for argument in arguments:
            if argument != argument.encode(errors="ignore").decode() and not os.path.exists(argument):
                raise click.UsageError(f"{argument!r} is not UTF-8, and no file.")
        return super().parse_args(context, arguments)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except HeatgraphError as error:
            first_line = str(error.__cause__ or "").partition("\n")[0]  # then where in ClickHouse's source it was
            reason = f" ({first_line})" if error.code == "INTERNAL" and first_line else ""
            raise Refusal(error.message + reason) from error


def checked_site_id(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not SITE_ID.fullmatch(value):
        raise click.BadParameter(f"{value!r} must be 1 to 64 letters, digits, '_', '.' or '-'.")
    return value


site_option = click.option("--site", "site_id", required=True, callback=checked_site_id, help="The site's id.")
"""Of a command about one site."""


def checked_name_option(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return value if value is None else checked_name(value, "--name")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
