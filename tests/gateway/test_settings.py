"""Settings: one table, from which options, variables and worker processes get the same values."""

from __future__ import annotations

from dataclasses import fields, replace

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
        ("HEATGRAPH_PORT", "http", "give one from 0 to 65535"),
        ("HEATGRAPH_WORKERS", "0", "1<=x"),
        ("HEATGRAPH_PORT", "70000", "0<=x<=65535"),
        ("HEATGRAPH_MAX_WINDOW_DAYS", "99999999999", "1<=x<=3650"),
        ("HEATGRAPH_MAX_EXECUTION_MS", "99999999999999999999", "1<=x<=3600000"),
        ("HEATGRAPH_MAX_MEMORY_BYTES", "99999999999999999999", "1<=x<=1000000000000000"),
        ("HEATGRAPH_KEY_CACHE_SECONDS", "nan", "'nan' is no number; give one from 0 to 3600"),
        ("HEATGRAPH_SHUTDOWN_DELAY_SECONDS", "soon", "'soon' is no number; give one from 0 to 3600"),
        ("HEATGRAPH_CLICKHOUSE", "http://db:81230/heat", "'http://db:81230/heat' is not a data source"),
        ("HEATGRAPH_CLICKHOUSE", "http://db:http/heat", "'http://db:http/heat' is not a data source"),
        ("HEATGRAPH_VERSION_SECONDS", "nan", "'nan' is no number"),
        ("HEATGRAPH_SHUTDOWN_DELAY_SECONDS", "inf", "0<=x<=3600"),
        ("HEATGRAPH_CORS_ORIGINS", "not an origin", "'not an origin' is no origin"),
        ("HEATGRAPH_CORS_ORIGINS", "https://a.example, https://app.example.com/", "'https://app.example.com/' is no origin"),
        ("HEATGRAPH_CORS_ORIGINS", "app.example.com", "https://app.example.com, in small letters"),
        ("HEATGRAPH_CLUSTER_NODES", "http://a:8123/db, b", "'b' is no node"),
        ("HEATGRAPH_CLUSTER_NODES", "http://", "'http://' is not a data source"),
        ("HEATGRAPH_ENVIRONMENT", "staging", "'development', 'production'"),
    ],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(click.UsageError) as refused:
        Settings.from_environment()
    assert said in refused.value.format_message()


@pytest.mark.parametrize("name", ["HEATGRAPH_CLICKHOUSE", "HEATGRAPH_CLUSTER_NODES"])
def test_a_bad_address_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "htp://reader:pass@word@db:8123/heat")
    with pytest.raises(click.UsageError) as refused:
        Settings.from_environment()
    assert "'htp://…@db:8123/heat' is no" in refused.value.format_message()


def test_every_number_has_a_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [row.name for row in fields(Settings) if isinstance(row.default, int | float) and not isinstance(row.default, bool)]
    assert len(numbers) > 20
    for name in numbers:
        for value in ("1e30", "9" * 30, "-1"):
            with pytest.raises(click.UsageError) as refused, monkeypatch.context() as context:
                context.setenv(environment_variable(name), value)
                Settings.from_environment()
            assert f"'{environment_variable(name)}'" in refused.value.format_message()


def test_origins_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEATGRAPH_CORS_ORIGINS", "https://app.example.com, http://localhost:3000,app://localhost")
    assert Settings.from_environment().allowed_origins == ["https://app.example.com", "http://localhost:3000", "app://localhost"]


@pytest.mark.parametrize(
    ("clickhouse", "embedded"),
    [("./data", True), ("chdb://memory", True), ("chdb:///var/lib/heatgraph", True), ("https://reader:pw@db:8443/heat", False)],
)
def test_what_is_embedded(clickhouse: str, embedded: bool) -> None:
    assert Settings(clickhouse=clickhouse).is_embedded is embedded
