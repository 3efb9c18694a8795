"""Relay ids: the type and natural key of a node, opaque to clients.

encode("Page", "site_a", "https://example.com/") <-> decode(id) == ("Page", ["site_a", "https://example.com/"])
"""

from __future__ import annotations

import base64

import orjson

from clickhouse.errors import BadUserInputError


def no_id_of_ours(argument: str = "id") -> BadUserInputError:
    return BadUserInputError(f"{argument}: this is no node id of ours; pass an id of an earlier answer unchanged.", argument=argument)


def encode(typename: str, *key: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([typename, *key])).rstrip(b"=").decode()


def decode(node_id: str, argument: str = "id") -> tuple[str, list[object]]:
    """BadUserInputError when it is no id of ours; `argument` is what it was given as."""
    try:
        typename, *key = orjson.loads(base64.b64decode(node_id + "=" * (-len(node_id) % 4), altchars=b"-_", validate=True))
        if not isinstance(typename, str):
            raise ValueError
    except (ValueError, TypeError):
        raise no_id_of_ours(argument) from None
    return typename, key
