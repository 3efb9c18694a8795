"""Federated tracing (ftv1): how long each field took, for a gateway that asks with `apollo-federation-include-trace: ftv1`.

    trace = FederatedTrace()        for a TracingExecutor, which notes times in the operation extension `trace`
    trace.encoded(errors)           -> the `extensions.ftv1` of an answer: base64 of the protocol buffer `Trace`

Field numbers are those of https://github.com/apollographql/apollo-server/blob/main/packages/usage-reporting-protobuf/src/reports.proto.
A request that does not ask runs without any of this.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql.pyutils import Path

from schema.splice import SplicingExecutor

HEADER, VERSION = "apollo-federation-include-trace", "ftv1"


@dataclass(slots=True)
class _Node:
    """A field, or an entry of a list; times are nanoseconds since the trace began, 0 for what has none."""

    key: str | int = ""
    type: str = ""
    parent: str = ""
    start_ns: int = 0
    end_ns: int = 0
    field_name: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)
    children: dict[str | int, _Node] = field(default_factory=dict)

    def child(self, key: str | int) -> _Node:
        if key not in self.children:
            self.children[key] = _Node(key)
        return self.children[key]

    def encoded(self) -> bytes:
        name = _number(2, self.key) if isinstance(self.key, int) else _text(1, self.key)
        alias = _text(14, self.field_name) if self.field_name != self.key else b""
        times = _number(8, self.start_ns) + _number(9, self.end_ns)
        inside = [_message(11, _error(error)) for error in self.errors] + [_message(12, node.encoded()) for node in self.children.values()]
        return name + _text(3, self.type) + times + b"".join(inside) + _text(13, self.parent) + alias


class FederatedTrace:
    """Begins when it is made and ends when it is encoded."""

    def __init__(self) -> None:
        self._began_ns, self._origin_ns = time.time_ns(), time.perf_counter_ns()
        self._root = _Node()

    def begin(self, path: Path, type_: str, parent: str, field_name: str) -> None:
        node = self._node(path.as_list())
        node.type, node.parent, node.field_name, node.start_ns = type_, parent, field_name, self._elapsed_ns()

    def end(self, path: Path) -> None:
        """The resolver's value is there; later calls for the same path are about completing it."""
        node = self._node(path.as_list())
        node.end_ns = node.end_ns or self._elapsed_ns()

    def encoded(self, errors: Sequence[dict[str, Any]]) -> str:
        """`errors` as the answer has them."""
        duration_ns = self._elapsed_ns()
        for error in errors:
            self._node(error.get("path", [])).errors.append(error)
        began, ended = _timestamp(self._began_ns), _timestamp(self._began_ns + duration_ns)
        trace = _message(4, began) + _message(3, ended) + _number(11, duration_ns) + _message(14, self._root.encoded())
        return base64.b64encode(trace).decode()

    def _node(self, path: list[str | int]) -> _Node:
        node = self._root
        for key in path:
            node = node.child(key)
        return node

    def _elapsed_ns(self) -> int:
        return time.perf_counter_ns() - self._origin_ns


class TracingExecutor(SplicingExecutor):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._trace: FederatedTrace = self.operation_extensions["trace"]

    def build_resolve_info(self, field_def: Any, field_nodes: Any, parent_type: Any, path: Path) -> Any:
        """Called right before a field's resolver."""
        self._trace.begin(path, str(field_def.type), parent_type.name, field_nodes[0].name.value)
        return super().build_resolve_info(field_def, field_nodes, parent_type, path)

    def complete_value(self, return_type: Any, field_details_list: Any, info: Any, path: Path, result: Any, position_context: Any) -> Any:
        """Called with what the resolver gave, and once more for each type that is wrapped in another."""
        if isinstance(path.key, str):
            self._trace.end(path)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)


def _error(error: dict[str, Any]) -> bytes:
    locations = [_message(2, _number(1, location["line"]) + _number(2, location["column"])) for location in error.get("locations", [])]
    return _text(1, error["message"]) + b"".join(locations) + _text(4, orjson.dumps(error).decode())


def _timestamp(ns: int) -> bytes:
    return _number(1, ns // 1_000_000_000) + _number(2, ns % 1_000_000_000)


# Protocol buffers: a field is its number and kind, then its value.


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _text(number: int, value: str) -> bytes:
    return _message(number, value.encode()) if value else b""


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
