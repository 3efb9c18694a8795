"""A page's key: origin + path, so that all addresses of one page are one page.

    page_key("HTTPS://Example.com:443/Pricing/?utm=1#plans")     # https://example.com/Pricing

The same rule twice: as SQL for the rows that are loaded, in Python for a key given by a caller.
"""

from __future__ import annotations

import re

ABSOLUTE_URL = r"^(?i:https?)://(?:[^/?#\s@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^/?#\s@:\[\]\\]+)(?::[0-9]*)?(?:[/?#](?s:.*))?$"
"""RE2 and Python: an http(s) URL with a host."""


def page_key(url: str) -> str:
    """The page of an absolute URL; ValueError when it is none. `page_key(page_key(url)) == page_key(url)`.

    Only ASCII letters of scheme and host are lowered, user and password are dropped, the path keeps case and percent-encoding.
    """
    if not re.fullmatch(ABSOLUTE_URL, url):
        raise ValueError("not an absolute http(s) URL")
    scheme, _, rest = re.split("[?#]", url, maxsplit=1)[0].partition("://")
    authority, _, path = rest.partition("/")
    https = scheme.lower() == "https"
    host = authority.rpartition("@")[2].encode().lower().decode()
    host = host.removesuffix(":443" if https else ":80").removesuffix(":")
    return f"{'https' if https else 'http'}://{host}/{path.rstrip('/')}"


def page_key_sql(url: str) -> str:
    """The same for a column that holds an absolute URL."""
    base = f"cutQueryString(cutFragment({url}))"
    https = f"lower(substring({url}, 5, 1)) = 's'"
    authority = f"substringIndex(substring({base}, if({https}, 9, 8)), '/', 1)"
    host = f"concat(lower(substringIndex({authority}, '@', -1)), '/')"
    bare = f"replaceOne(if({https}, replaceOne({host}, ':443/', '/'), replaceOne({host}, ':80/', '/')), ':/', '/')"
    path = f"substring(trimRight(substring({base}, position({base}, '/', 9)), '/'), 2)"
    return f"concat(if({https}, 'https://', 'http://'), {bare}, {path})"


def lower_scheme(url: str) -> str:
    """A URL as it is stored: as received, but for its scheme. Also of a wildcard, and of what a URL begins with."""
    return re.sub(r"^(?:h|ht|htt|https?)(?=[:*]|$)", lambda scheme: scheme[0].lower(), url, flags=re.IGNORECASE)


def lower_scheme_sql(url: str) -> str:
    """The same for a column that holds an absolute URL."""
    return f"concat(lower(substring({url}, 1, 5)), substring({url}, 6))"


def url_rest_sql(url: str, key: str) -> str:
    """What is stored of a URL beside its page key: what follows the key, or the whole URL, its scheme lowered, if it does not begin with it."""
    return f"if(startsWith({url}, {key}), substring({url}, length({key}) + 1), {lower_scheme_sql(url)})"
