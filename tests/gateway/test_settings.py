"""Settings: one table, from which options, variables and worker processes get the same values."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.__main__ import main
from gateway.settings import Settings, environment_variable

COUNTS = ("_aliases", "_cost", "_cost_per_minute", "_depth", "_directives", "_fields", "_width")
UNITS = ("_ms", "_bytes", "_days", "_seconds", "_tokens", "_rows_to_read", *COUNTS)


def test_serve_help_shows_every_setting_with_its_variable_and_default() -> None:
    shown = " ".join(CliRunner().invoke(main, ["serve", "--help"], terminal_width=1000).output.split())
    for row in fields(Settings):
        assert f"--{row.name.replace('_', '-')}" in shown
        assert f"env var: {environment_variable(row.name)}" in shown
        assert row.metadata["help"] in shown
        if row.default != "" and not isinstance(row.default, bool):
            assert f"default: {row.default}" in shown


def test_a_limit_has_its_unit_in_its_name() -> None:
    limits = [row.name for row in fields(Settings) if row.name.startswith("max_") or row.name.endswith("seconds")]
    assert limits
    assert [name for name in limits if not name.endswith(UNITS)] == []


def test_worker_processes_get_equal_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(Settings(), port=1, replicated=True, environment="production", secret="it's", key_cache_seconds=0.5)
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment() == settings


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HEATGRAPH_PORT", "http", "HEATGRAPH_PORT"),
        ("HEATGRAPH_WORKERS", "0", "x>=1"),
        ("HEATGRAPH_ENVIRONMENT", "staging", "'development', 'production'"),
    ],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(click.UsageError) as refused:
        Settings.from_environment()
    assert said in refused.value.format_message()


@pytest.mark.parametrize(
    ("clickhouse", "embedded"),
    [("./data", True), ("chdb://memory", True), ("chdb:///var/lib/heatgraph", True), ("https://reader:pw@db:8443/heat", False)],
)
def test_what_is_embedded(clickhouse: str, embedded: bool) -> None:
    assert Settings(clickhouse=clickhouse).is_embedded is embedded


def test_the_secret_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(secret_file=str(tmp_path / "keys" / "secret"))
    first = settings.token_secret()
    assert len(first) == 64
    assert settings.token_secret() == first
    assert os.listdir(tmp_path / "keys") == ["secret"]
    assert Path(settings.secret_file).stat().st_mode & 0o777 == 0o600


def test_an_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    with pytest.raises(OSError, match="is empty"):
        Settings(secret_file=str(tmp_path / "secret")).token_secret()


def test_a_given_secret_leaves_the_file_alone(tmp_path: Path) -> None:
    settings = Settings(secret="given", secret_file=str(tmp_path / "secret"))
    assert settings.token_secret() == b"given"
    assert os.listdir(tmp_path) == []
