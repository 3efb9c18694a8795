"""How tests run a command, and read what it says."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner, Result

from gateway.__main__ import main
from gateway.database import open_database
from gateway.settings import Settings


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refusal(*arguments: object) -> str:
    """The one line after `Error: `; exit code 2."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    return last.removeprefix("Error: ")


def rows(settings: Settings, statement: Any) -> list[dict[str, Any]]:
    with open_database(settings) as database:
        return database.query(statement)


def lines(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]
