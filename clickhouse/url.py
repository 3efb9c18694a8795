"""A page's key: origin + path, so that all addresses of one page are one page.

    page_key("HTTPS://Example.com:443/Pricing/?utm=1#plans")     # https://example.com/Pricing

The same rule twice: as SQL for the rows that are loaded, in Python for a key given by a caller.
"""

from __future__ import annotations

import re

ABSOLUTE_URL = r"^(?i:https?)://(?:[^/?#\s@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^/?#\s@:\[\]\\]+)(?::[0-9]*)?(?:[/?#](?s:.*))?$"
"""RE2 and Python: an http(s) URL with a host."""

_PARTS = re.compile(r"([A-Za-z]+)://([^/?#]*)([^?#]*)")


def page_key(url: str) -> str:
    """The page of an absolute URL; ValueError when it is none. `page_key(page_key(url)) == page_key(url)`.

    Only ASCII letters of scheme and host are lowered, user and password are dropped, the path keeps case and percent-encoding.
    """
    if not re.fullmatch(ABSOLUTE_URL, url, re.ASCII):
        raise ValueError("not an absolute http(s) URL")
    scheme, authority, path = _PARTS.match(url).groups()  # type: ignore[union-attr]  # what ABSOLUTE_URL matches, this matches
    scheme = scheme.lower()
    host = authority.rpartition("@")[2].encode().lower().decode()
    host = host.removesuffix(":443" if scheme == "https" else ":80").removesuffix(":")
    return f"{scheme}://{host}{path.rstrip('/') or '/'}"


def page_key_sql(url: str, alias: str = "key") -> str:
    """The same for an expression that holds an absolute URL; its steps become aliases that begin with `alias`."""
    rest = f"substring(cutQueryString(cutFragment({url})) AS {alias}_base, position({alias}_base, '://') + 3) AS {alias}_rest"
    authority = f"if(position({rest}, '/') AS {alias}_slash = 0, {alias}_rest, left({alias}_rest, {alias}_slash - 1)) AS {alias}_authority"
    host = f"lower(substring({authority}, position({alias}_authority, '@') + 1)) AS {alias}_host"
    port = f"if(lower(left({url}, 5)) = 'https', ':443', ':80') AS {alias}_port"
    path = f"trimRight(if({alias}_slash = 0, '', substring({alias}_rest, {alias}_slash)), '/') AS {alias}_path"
    return (
        f"concat(if(lower(left({url}, 5)) = 'https', 'https', 'http'), '://',"
        f" trimRight(if(endsWith({host}, {port}), left({alias}_host, length({alias}_host) - length({alias}_port)), {alias}_host), ':'),"
        f" if(empty({path}), '/', {alias}_path))"
    )
