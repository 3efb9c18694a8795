"""Four rooms that are run from the root and never installed, because two of their names are also other people's packages."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["gateway", "schema", "resolvers", "clickhouse"]
"""From the outermost inwards: a room imports from those after it, never from those before."""

ALLOWED = {*ROOMS, "tests", "README.md", "docs", "Makefile", "pyproject.toml", "docker-compose.yml", ".ci", ".git", ".gitignore"}
MADE = {"data", ".venv", ".hypothesis"}


@pytest.mark.parametrize("room", ROOMS)
def test_nobody_else_owns_the_name(room: str) -> None:
    assert room not in importlib.metadata.packages_distributions()
    file = importlib.import_module(room).__file__
    assert file is not None
    assert Path(file) == ROOT / room / "__init__.py"


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_inwards_only(room: str) -> None:
    outwards = set(ROOMS[: ROOMS.index(room)])
    imported = [(file, name) for file in (ROOT / room).rglob("*.py") for name in imported_packages(file)]
    assert len(imported) > 10
    assert [(str(file), name) for file, name in imported if name in outwards | {"tests"}] == []


def imported_packages(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_the_top_level_holds_only_what_has_a_place() -> None:
    found = {path.name for path in ROOT.iterdir() if path.name not in MADE and not path.name.endswith("_cache")}
    assert found - ALLOWED == set()


def test_every_folder_of_python_is_a_package() -> None:
    """Else an installed package of that name wins, and `tests/clickhouse` would shadow `clickhouse`."""
    folders = {file.parent for room in (*ROOMS, "tests") for file in (ROOT / room).rglob("*.py") if "node_modules" not in file.parts}
    assert {str(folder) for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_no_file_names_a_machine_or_a_registry() -> None:
    for lock in (ROOT / ".ci").glob("*.txt"):
        assert "://" not in lock.read_text(), lock
    assert '"resolved"' not in (ROOT / "tests/node/package-lock.json").read_text()  # its other addresses are those of sponsors
