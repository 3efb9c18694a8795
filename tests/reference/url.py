"""Page keys and URL rules."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORT = {"http": 80, "https": 443}


@functools.cache
def page_key(url: str) -> str:
    """Origin and path: lower-case scheme and host, no default port, query, fragment or trailing slash (the root keeps its own)."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, DEFAULT_PORT.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}{without_trailing_slash(parts.path)}"


def path(url: str) -> str:
    return without_trailing_slash(urlsplit(url).path)


def without_trailing_slash(path: str) -> str:
    return path.removesuffix("/") or "/"


def lower_scheme(url: str) -> str:
    """As URLs are kept: as received, but for the scheme."""
    return re.sub("(?i)^https?", lambda scheme: scheme[0].lower(), url)


def exact_form(url: str) -> str:
    return url.split("#")[0].removesuffix("/")


def wildcard_matches(pattern: str, value: str) -> bool:
    """`*` is one or more characters, everything else literal, and the whole value must match."""
    return re.fullmatch(".+".join(re.escape(part) for part in pattern.split("*")), value, re.DOTALL) is not None


@dataclass(frozen=True)
class UrlRule:
    """kind: exact | path | ignoreQuery | prefix | wildcard | regex, as in the API's `UrlMatch`."""

    kind: str
    value: str

    def matches(self, url: str) -> bool:
        match self.kind:
            case "exact":
                return exact_form(url) == exact_form(lower_scheme(self.value))
            case "path":
                return path(url) == without_trailing_slash(self.value)
            case "ignoreQuery":
                return page_key(url) == page_key(self.value)
            case "prefix":
                return url.startswith(lower_scheme(self.value))
            case "wildcard":
                return wildcard_matches(lower_scheme(self.value), url)
            case "regex":
                return re.fullmatch(self.value, url) is not None
        raise ValueError(self.kind)
