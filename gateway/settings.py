"""Every setting of the gateway: name, default and help in one table, from which options, environment variables and docs come.

A setting `max_body_bytes` is the option `--max-body-bytes` of `serve` and the variable `HEATGRAPH_MAX_BODY_BYTES`.

    Settings.from_environment().max_window_days   -> 92
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, fields
from functools import wraps
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from clickhouse.reading import Limits
from clickhouse.target import Target
from gateway.setting_types import DATA_SOURCE, NODES, ORIGINS, REDIS, Count, Seconds, listed
from gateway.shape import ShapeLimits

PREFIX = "HEATGRAPH"
HOUR_S, YEAR_S = 3_600, 31_536_000
HOUR_MS = 1_000 * HOUR_S
MOST = 10**15  # a whole number also where numbers are doubles


def setting(default: Any, help: str, *, minimum: int | None = None, maximum: int = MOST, type: click.ParamType[Any] | None = None) -> Any:
    return field(default=default, metadata={"help": help, "minimum": minimum, "maximum": maximum, "type": type})


@dataclass(frozen=True, slots=True)
class Settings:
    """Frozen values of the table; units are in the names."""

    clickhouse: str = setting(
        "./data",
        "Where the data is: a directory or chdb:///path (embedded engine), chdb://memory, or http(s)://user:password@host:8123/db.",
        type=DATA_SOURCE,
    )
    sources: str = setting("", "TOML file of further ClickHouse sources; empty: only the one above.")
    cluster: str = setting("", "Name of the ClickHouse cluster to create tables on; empty for one server.")
    replicated: bool = setting(False, "Create replicated tables (needs a cluster with Keeper and `internal_replication`).")
    cluster_nodes: str = setting(
        "",
        "Addresses of all nodes of a cluster, replicas too, separated by commas: `load`, `forget`, `cohorts delete` and a new retention need them.",
        type=NODES,
    )
    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8000, "Port to listen on.", minimum=0, maximum=65_535)
    workers: int = setting(1, "Server processes; more than one needs a ClickHouse server.", minimum=1, maximum=1_000)
    environment: Literal["development", "production"] = setting(
        "development", "development serves GraphiQL and introspection without a key; production serves neither."
    )
    cors_origins: str = setting(
        "", "Origins whose pages may ask, as in https://app.example.com, separated by commas; * for every one.", type=ORIGINS
    )
    secret: str = setting("", "Secret that tokens are hashed with; the same on every machine. Empty: the secret file.")
    secret_file: str = setting(
        "data/heatgraph.secret",
        "File that holds the secret; made on first use, readable by its owner only. Without it no key works any more.",
    )
    pool_size: int = setting(4, "Statements that run at once in one worker.", minimum=1, maximum=1_000)
    max_window_days: int = setting(92, "Longest window of one question.", minimum=1, maximum=3_650)
    max_queue_ms: int = setting(5_000, "Longest wait of one SQL statement for its turn.", minimum=1, maximum=HOUR_MS)
    max_execution_ms: int = setting(10_000, "Longest time of one SQL statement.", minimum=1, maximum=HOUR_MS)
    max_request_ms: int = setting(30_000, "Longest time of one request.", minimum=1, maximum=HOUR_MS)
    max_memory_bytes: int = setting(2_000_000_000, "Most memory of one SQL statement.", minimum=1)
    max_rows_to_read: int = setting(1_000_000_000, "Most rows one SQL statement reads.", minimum=1)
    max_body_bytes: int = setting(1_000_000, "Largest request body.", minimum=1)
    max_query_tokens: int = setting(3_000, "Longest GraphQL document, in tokens.", minimum=1)
    max_query_depth: int = setting(20, "Most levels of fields in an operation.", minimum=1, maximum=100)
    max_query_width: int = setting(200, "Most fields and fragments side by side in one selection.", minimum=1)
    max_root_fields: int = setting(20, "Most root fields of an operation.", minimum=1)
    max_query_fields: int = setting(2_000, "Most fields of an operation, its fragments written out.", minimum=1)
    max_aliases: int = setting(100, "Most aliases in an operation, its fragments written out.", minimum=0)
    max_directives: int = setting(50, "Most directives in an operation, its fragments written out.", minimum=0)
    trusted_documents: str = setting(
        "", "Documents that clients may name: a directory of .graphql files, Apollo's persisted query manifest, or Relay's JSON."
    )
    only_trusted_documents: bool = setting(False, "Answer no other documents than the trusted ones.")
    max_persisted_bytes: int = setting(10_000_000, "Most bytes of documents that clients taught (APQ), in each worker.", minimum=0)
    max_query_cost: int = setting(250_000, "Most a query may cost, by @cost and @listSize of the schema.", minimum=1)
    max_key_cost_per_minute: int = setting(
        60_000_000,
        "Cost a key may spend in a minute, refilled steadily; 0 for no limit. Without Redis each worker has its share.",
        minimum=0,
    )
    redis: str = setting(
        "",
        "Redis that budgets, and answers if wanted, are shared through by workers and machines: redis://[user:password@]host:6379/0.",
        type=REDIS,
    )
    redis_cache_seconds: int = setting(
        0,
        "How long Redis keeps answers about windows that are over, for all workers; 0: each worker keeps its own only.",
        minimum=0,
        maximum=YEAR_S,
    )
    key_cache_seconds: float = setting(
        5.0, "How long a key is remembered; a revoked key works at most that long.", minimum=0, maximum=HOUR_S
    )
    cache_bytes: int = setting(64_000_000, "Memory in which one worker keeps answers about windows that are over; 0 keeps none.", minimum=0)
    cdn_seconds: int = setting(
        0,
        "How long a CDN may answer what was asked by GET about windows that are over; 0: only the asker keeps it, for a minute. For a CDN"
        " that keeps answers apart by the Authorization header, as their Vary says: any other gives them to whoever asks. Until then it"
        " notices neither late rows nor what was forgotten, nor that a key was revoked.",
        minimum=0,
        maximum=YEAR_S,
    )
    version_seconds: float = setting(
        1.0,
        "How long a worker takes a site's data for unchanged; a load or a deletion shows in its answers at most that late."
        " Commands wait for 1 second of it: above that, days that are loaded again may count twice so long.",
        minimum=0,
        maximum=HOUR_S,
    )
    shutdown_grace_seconds: int = setting(
        10, "How long running requests may finish after the server was told to stop.", minimum=0, maximum=HOUR_S
    )
    shutdown_delay_seconds: float = setting(
        1.0, "How long the server still answers, but is not ready, after SIGTERM, so that load balancers notice.", minimum=0, maximum=HOUR_S
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "How much is logged, to standard error.")
    log_format: Literal["text", "json"] = setting("text", "Lines of text, or one JSON object a line.")
    metrics_token: str = setting("", "Token that readers of /metrics send as a bearer; empty: /metrics is served in development only.")

    @classmethod
    def from_environment(cls) -> Settings:
        """From `HEATGRAPH_…` variables; raises click.UsageError that names the variable and what is allowed."""
        return cls(**click.Command("heatgraph", params=list(options())).make_context("heatgraph", []).params)

    def to_environment(self) -> dict[str, str]:
        """The variables from which `from_environment` makes an equal object, for worker processes."""
        return {environment_variable(name): str(value) for name, value in asdict(self).items()}

    @property
    def is_embedded(self) -> bool:
        """Whether the data is in this process's own engine."""
        return Target.parse(self.clickhouse).is_embedded

    @property
    def limits(self) -> Limits:
        return Limits(self.max_execution_ms, self.max_memory_bytes, self.max_rows_to_read, max_queue_ms=self.max_queue_ms)

    @property
    def allowed_origins(self) -> list[str]:
        return listed(self.cors_origins)

    @property
    def shape_limits(self) -> ShapeLimits:
        return ShapeLimits(
            self.max_query_depth,
            self.max_query_width,
            self.max_root_fields,
            self.max_query_fields,
            self.max_aliases,
            self.max_directives,
        )

    @property
    def is_development(self) -> bool:
        return self.environment == "development"


def environment_variable(name: str) -> str:
    return f"{PREFIX}_{name.upper()}"


def options(names: Collection[str] | None = None) -> list[click.Option]:
    """Click options of the settings, in the table's order; all, or those named."""
    types = get_type_hints(Settings)
    return [
        click.Option(
            [f"--{option}/--no-{option}" if types[row.name] is bool else f"--{option}", row.name],
            type=row.metadata["type"] or _click_type(types[row.name], row.metadata["minimum"], row.metadata["maximum"]),
            default=row.default,
            envvar=environment_variable(row.name),
            help=row.metadata["help"],
            show_default=row.default != "" or "empty",
            show_envvar=True,
        )
        for row in fields(Settings)
        if names is None or row.name in names
        for option in [row.name.replace("_", "-")]
    ]


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a click command the options of these settings (of all, if none is named) and passes it one `settings` instead."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        offered = options(names or None)

        @wraps(command)
        def with_one_settings(**values: Any) -> Any:
            chosen = {option.name: values.pop(option.name) for option in offered if option.name}
            return command(Settings(**chosen), **values)

        with_one_settings.__click_params__ = [*reversed(offered), *getattr(command, "__click_params__", [])]  # type: ignore[attr-defined]
        return with_one_settings

    return decorate


def _click_type(hint: Any, minimum: int | None, maximum: int) -> click.ParamType[Any] | type:
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint))
    if hint in (int, float):
        return Count(minimum, maximum) if hint is int else Seconds(minimum, maximum)
    assert isinstance(hint, type)
    return hint
