"""The README names every setting, error code, command and example as they are."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import click
import pytest
from graphql import parse, validate

from gateway.__main__ import main
from gateway.errors import HTTP_STATUS
from gateway.settings import Settings, environment_variable
from tests.asking import SCHEMA

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLES = sorted((ROOT / "gateway" / "graphiql" / "examples").glob("*.graphql"))


@pytest.mark.parametrize("name", [row.name for row in fields(Settings)])
def test_every_setting(name: str) -> None:
    row = Settings.__dataclass_fields__[name]
    line = next((line for line in README.splitlines() if line.startswith(f"| `{environment_variable(name)}` |")), "")
    assert line.endswith(f"| {row.metadata['help']} |")
    default = str(row.default).lower() if isinstance(row.default, bool) else str(row.default)
    assert line.split("|")[2].strip().strip("`") == default


@pytest.mark.parametrize("code", sorted(HTTP_STATUS))
def test_every_error_code(code: str) -> None:
    assert f"| {code} |" in README


def test_every_command() -> None:
    assert isinstance(main, click.Group)
    offered = set(main.commands) - {"demo", "schema"}  # `make demo` and `make check` call these
    assert offered == set(re.findall(r"^python -m gateway (\w+)", README, re.MULTILINE))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example(example: Path) -> None:
    assert f"```graphql\n{example.read_text().rstrip()}\n```" in README


def test_every_query_is_valid() -> None:
    queries = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
    assert len(queries) >= 5
    for query in queries:
        assert validate(SCHEMA._schema, parse(query)) == []


def test_every_make_target() -> None:
    targets = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\w[\w-]*)", README, re.MULTILINE)) <= targets


def test_every_make_target_knows_its_variables() -> None:
    targets = ["demo", "test", "check", "bench", "load-test", "lock"]
    command = ["make", "--dry-run", "--always-make", "--warn-undefined-variables", *targets]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "undefined variable" not in ran.stderr, ran.stderr
